import { protocolOnL1 } from '../subgraph/entities/l1-poll-clock'
import { recordPollVote } from '../subgraph/entities/vote'
import { Vote as VoteEvent } from '../subgraph/generated/templates/Poll/Poll'

/** A choice on a poll. */
export function handleVote(event: VoteEvent): void {
  recordPollVote(event, protocolOnL1(event), event.address, event.params.voter, event.params.choiceID)
}
