import { BigInt, ethereum } from '@graphprotocol/graph-ts'
import { DelegatorPosition, EarningsClaim, Protocol } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'
import { saveAs } from './saving'

/** Writes down a claim of rewards and fees, wei, from startRound to endRound by an owner as it is after it. */
export function recordEarningsClaim(
  event: ethereum.Event,
  protocol: Protocol,
  owner: DelegatorPosition,
  rewards: BigInt,
  fees: BigInt,
  startRound: i32,
  endRound: i32,
): void {
  const claim = new EarningsClaim(logId(event))
  claim.delegator = owner.id
  const delegate = owner.delegate
  if (delegate) claim.delegate = delegate
  claim.rewards = rewards
  claim.fees = fees
  claim.startRound = startRound
  claim.endRound = endRound
  setLogPosition(claim, event, protocol)
  saveAs('EarningsClaim', claim.id, claim)
}
