import { BigInt } from '@graphprotocol/graph-ts'
import { confirmOpen, protocolAt } from '../subgraph/entities/poll-clock'
import { countVote, newVoteCast } from '../subgraph/entities/vote'
import { Vote as VoteEvent } from '../subgraph/generated/templates/Poll/Poll'

const NO = BigInt.fromI32(1)

/** A choice on a poll: 0 yes, 1 no; any other number is kept and neither counts nor replaces a valid one (LIP-16). */
export function handleVote(event: VoteEvent): void {
  const choice = event.params.choiceID
  const protocol = protocolAt(event)
  confirmOpen(protocol, event, event.address)
  const cast = newVoteCast(event, protocol, event.address, event.params.voter, choice)
  cast.valid = choice <= NO
  cast.save()
  if (cast.valid) countVote(cast, event.address)
}
