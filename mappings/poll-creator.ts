import { createPoll } from '../subgraph/entities/poll'
import { openPoll, protocolAt } from '../subgraph/entities/poll-clock'
import { PollCreated as PollCreatedEvent } from '../subgraph/generated/PollCreator/PollCreator'
import { Poll as PollTemplate } from '../subgraph/generated/templates'

/** A poll opens; from here on its own contract's votes are followed. */
export function handlePollCreated(event: PollCreatedEvent): void {
  const protocol = protocolAt(event)
  const params = event.params
  createPoll(event, protocol, params.poll, params.proposal, params.endBlock, params.quorum, params.quota)
  openPoll(protocol, params.poll)
  PollTemplate.create(params.poll)
}
