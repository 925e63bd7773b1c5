import { confirmOpen, protocolAt } from '../subgraph/entities/poll-clock'
import { recordPollVote } from '../subgraph/entities/vote'
import { Vote as VoteEvent } from '../subgraph/generated/templates/Poll/Poll'

/** A choice on a poll. */
export function handleVote(event: VoteEvent): void {
  const protocol = protocolAt(event)
  confirmOpen(protocol, event, event.address)
  recordPollVote(event, protocol, event.address, event.params.voter, event.params.choiceID)
}
