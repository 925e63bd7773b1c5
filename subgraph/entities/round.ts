import { BigInt, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, Round } from '../generated/schema'
import { roundId } from '../ids'
import { NO_END } from './changing-state'
import { recordContradiction } from './contradiction'

const LAST_ROUND = BigInt.fromI32(NO_END)

/** A round that the governor's settings, which a vote can make anything, lead to: beyond what is kept it is NO_END. */
export function keptRound(round: BigInt): i32 {
  return round > LAST_ROUND ? NO_END : round.toI32()
}

/** Whether a NewRound begins a later round than the last one; that it does not is a Contradiction. */
export function isLaterRound(protocol: Protocol, event: ethereum.Event, number: i32): boolean {
  if (number > protocol.currentRound) return true
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
  round.block = event.block.number.toI32()
  round.blockHash = event.block.hash
  round.logIndex = event.logIndex.toI32()
  round.timestamp = event.block.timestamp.toI64()
  round.transactionHash = event.transaction.hash
  round.save()
}
