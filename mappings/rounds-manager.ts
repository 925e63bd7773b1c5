import { recordContradiction } from '../subgraph/entities/contradiction'
import { protocolBefore } from '../subgraph/entities/poll-clock'
import { StakePositions } from '../subgraph/entities/stake-positions'
import { giveUpPendingActivation } from '../subgraph/entities/transcoder-pool'
import { NewRound as NewRoundEvent } from '../subgraph/generated/RoundsManager/RoundsManager'
import { Round } from '../subgraph/generated/schema'
import { roundId } from '../subgraph/ids'

/** The pool becomes the active set of the new round; stake itself is carried over lazily. */
export function handleNewRound(event: NewRoundEvent): void {
  const protocol = protocolBefore(event)
  const number = event.params.round.toI32()
  if (number <= protocol.currentRound) {
    recordContradiction(protocol, event, event.address, `round ${number} begins after round ${protocol.currentRound}`)
    protocol.save()
    return
  }
  const positions = new StakePositions(event, protocol)
  giveUpPendingActivation(positions, protocol)
  positions.save()
  if (protocol.firstRound == 0) protocol.firstRound = number
  protocol.currentRound = number
  protocol.roundsManager = event.address
  protocol.currentRoundTotalActiveStake = protocol.nextRoundTotalActiveStake
  protocol.save()

  const round = new Round(roundId(number))
  round.number = number
  round.totalActiveStake = protocol.currentRoundTotalActiveStake
  round.totalStake = protocol.totalStake
  round.contradictions = protocol.contradictions
  round.block = event.block.number.toI32()
  round.blockHash = event.block.hash
  round.logIndex = event.logIndex.toI32()
  round.timestamp = event.block.timestamp.toI64()
  round.transactionHash = event.transaction.hash
  round.save()
}
