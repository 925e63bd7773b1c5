import { getOrCreateAccount } from '../subgraph/entities/account'
import { setLogPosition } from '../subgraph/entities/log'
import { openPoll, protocolAt } from '../subgraph/entities/poll-clock'
import { PollCreated as PollCreatedEvent } from '../subgraph/generated/PollCreator/PollCreator'
import { Poll } from '../subgraph/generated/schema'
import { Poll as PollTemplate } from '../subgraph/generated/templates'

/** A poll opens; from here on its own contract's votes are followed. */
export function handlePollCreated(event: PollCreatedEvent): void {
  const protocol = protocolAt(event)
  const poll = new Poll(event.params.poll)
  poll.proposer = getOrCreateAccount(event.transaction.from).id
  poll.proposal = event.params.proposal
  poll.endBlock = event.params.endBlock
  poll.quorum = event.params.quorum
  poll.quota = event.params.quota
  poll.untoldFromBlock = 0
  setLogPosition(poll, event, protocol)
  poll.save()
  openPoll(protocol, poll.id)
  PollTemplate.create(event.params.poll)
}
