import { openPollOnL1, protocolOnL1 } from '../subgraph/entities/l1-poll-clock'
import { createPoll } from '../subgraph/entities/poll'
import { PollCreated as PollCreatedEvent } from '../subgraph/generated/PollCreator/PollCreator'
import { Poll as PollTemplate } from '../subgraph/generated/templates'

/** A poll opens; from here on its own contract's votes are followed. */
export function handlePollCreated(event: PollCreatedEvent): void {
  const protocol = protocolOnL1(event)
  const params = event.params
  createPoll(event, protocol, params.poll, params.proposal, params.endBlock, params.quorum, params.quota)
  openPollOnL1(protocol, params.poll)
  PollTemplate.create(params.poll)
}
