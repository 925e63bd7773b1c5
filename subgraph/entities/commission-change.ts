import { Bytes, ethereum } from '@graphprotocol/graph-ts'
import { CommissionChange, Protocol } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'

/** Writes down the commission, parts of 10^6, that a transcoder set, or under V1 announced. */
export function recordCommissionChange(
  event: ethereum.Event,
  protocol: Protocol,
  transcoder: Bytes,
  rewardCut: i32,
  feeShare: i32,
): void {
  const change = new CommissionChange(logId(event))
  change.transcoder = transcoder
  change.rewardCut = rewardCut
  change.feeShare = feeShare
  setLogPosition(change, event, protocol)
  change.save()
}
