import { BigInt, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, Round } from '../generated/schema'
import { roundId } from '../ids'
import { NO_END } from './changing-state'
import { recordContradiction } from './contradiction'

/** The last round that can begin: what changes in it counts from the next one, which must come before NO_END. */
const LAST_ROUND = BigInt.fromI32(NO_END - 2)

/** Whether a NewRound begins a later round than the last one, and one that can be; that it does not is a Contradiction. */
export function isLaterRound(protocol: Protocol, event: ethereum.Event, number: BigInt): boolean {
  if (number > BigInt.fromI32(protocol.currentRound) && number <= LAST_ROUND) return true
  recordContradiction(
    protocol,
    event,
    event.address,
    'ROUND',
    `round ${number} begins after round ${protocol.currentRound}`,
  )
  return false
}

/** Begins a round with the totals as they stand at NewRound: what was active next is active now. */
export function beginRound(protocol: Protocol, event: ethereum.Event, number: i32): void {
  if (protocol.firstRound == 0) protocol.firstRound = number
  protocol.currentRound = number
  protocol.roundsManager = event.address
  protocol.currentRoundTotalActiveStake = protocol.nextRoundTotalActiveStake
  protocol.save()

  const round = new Round(roundId(number))
  round.number = number
  round.totalActiveStake = protocol.currentRoundTotalActiveStake
  round.totalStake = protocol.totalStake
  round.activeSetTold = protocol.activeSetTold
  round.block = event.block.number.toI32()
  round.blockHash = event.block.hash
  round.logIndex = event.logIndex.toI32()
  round.timestamp = event.block.timestamp.toI64()
  round.transactionHash = event.transaction.hash
  round.save()
}
