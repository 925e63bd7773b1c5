import { Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Poll, Protocol } from '../generated/schema'
import { closePoll } from './poll'
import { getOrCreateProtocol, savePollClock } from './protocol'

/**
 * The protocol's totals right before an event of Ethereum L1. Polls that ended before its block are closed with them: a
 * poll ends at a block of the chain's own, so that nobody need be asked.
 */
export function protocolOnL1(event: ethereum.Event): Protocol {
  const protocol = getOrCreateProtocol()
  const openPolls = protocol.openPolls
  if (openPolls.length == 0) return protocol
  const stillOpen: Bytes[] = []
  for (let i = 0; i < openPolls.length; i++) {
    const poll = Poll.load(openPolls[i])
    if (poll == null) continue
    if (event.block.number <= poll.endBlock) stillOpen.push(poll.id)
    else closePoll(poll, protocol, event.block.number.toI32() - 1)
  }
  if (stillOpen.length == openPolls.length) return protocol
  protocol.openPolls = stillOpen
  savePollClock(protocol)
  return protocol
}

/** A poll opens. */
export function openPollOnL1(protocol: Protocol, poll: Bytes): void {
  protocol.openPolls = protocol.openPolls.concat([poll])
  savePollClock(protocol)
}
