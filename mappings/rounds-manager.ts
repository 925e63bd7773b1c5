import { protocolBefore } from '../subgraph/entities/poll-clock'
import { beginRound, isLaterRound } from '../subgraph/entities/round'
import { StakePositions } from '../subgraph/entities/stake-positions'
import { joinWithoutCause } from '../subgraph/entities/transcoder-pool'
import { NewRound as NewRoundEvent } from '../subgraph/generated/RoundsManager/RoundsManager'

/** The pool becomes the active set of the new round; stake itself is carried over lazily. */
export function handleNewRound(event: NewRoundEvent): void {
  const protocol = protocolBefore(event)
  if (!isLaterRound(protocol, event, event.params.round)) return
  const number = event.params.round.toI32()
  const positions = new StakePositions(event, protocol)
  joinWithoutCause(positions, protocol)
  positions.save()
  beginRound(protocol, event, number)
}
