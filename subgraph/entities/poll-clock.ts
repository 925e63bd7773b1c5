import { Address, BigInt, Bytes, dataSource, ethereum } from '@graphprotocol/graph-ts'
import { RoundsManager } from '../generated/RoundsManager/RoundsManager'
import { Poll, Protocol } from '../generated/schema'
import { closePoll } from './poll'
import { getOrCreateProtocol, savePollClock } from './protocol'

/**
 * The protocol's totals right before an event that may change stake; polls that ended before it are closed with them. Where
 * it is not told whether a poll ended before it, that poll notes so.
 */
export function protocolBefore(event: ethereum.Event): Protocol {
  const protocol = protocolAt(event)
  if (isUntold(protocol, event)) noteUntoldChange(protocol)
  return protocol
}

/** The same for an event that changes no stake. */
export function protocolAt(event: ethereum.Event): Protocol {
  const protocol = getOrCreateProtocol()
  closeEndedPolls(protocol, event)
  return protocol
}

/** A vote goes through while its poll is open only: what changed in blocks before it, or in its own, counts for the poll. */
export function confirmOpen(protocol: Protocol, event: ethereum.Event, address: Bytes): void {
  if (!isUntold(protocol, event)) return
  const poll = Poll.load(address)
  if (poll != null && poll.closingBlock == 0) noteInTime(poll)
}

/**
 * Closes the polls that ended before this event's block, with the totals as they are before the event. A poll ends at an
 * L1 block while logs carry blocks of their own chain, so RoundsManager.blockNum() is asked, once a block and only while
 * a poll is open. Without an answer all stay open until one comes.
 */
function closeEndedPolls(protocol: Protocol, event: ethereum.Event): void {
  const openPolls = protocol.openPolls
  if (openPolls.length == 0) return
  const block = event.block.number.toI32()
  if (protocol.l1BlockAskedAt == block) return
  const l1Block = l1BlockNumber(protocol, event)
  protocol.l1BlockAskedAt = block
  if (l1Block) {
    const stillOpen: Bytes[] = []
    for (let i = 0; i < openPolls.length; i++) {
      const poll = Poll.load(openPolls[i])
      if (poll == null) continue
      if (l1Block <= poll.endBlock) {
        noteInTime(poll)
        stillOpen.push(poll.id)
      } else {
        closePoll(poll, protocol, block - 1)
      }
    }
    protocol.openPolls = stillOpen
    protocol.l1BlockToldAt = block
    protocol.l1Block = l1Block
  }
  savePollClock(protocol)
}

/**
 * The L1 block number of an event's block; null where there is no telling. graph-node takes an empty answer of a bad node
 * for a revert. Where RoundsManager told it before, and on Arbitrum, whose own numbers are others, that is no answer, as is
 * one that goes back. On another chain whose RoundsManager tells none, or its own, these are what ends polls: it is asked
 * once for those that are open together.
 */
function l1BlockNumber(protocol: Protocol, event: ethereum.Event): BigInt | null {
  const isOwn = !dataSource.network().startsWith('arbitrum')
  const wasOwn = protocol.l1BlockToldAt != 0 && protocol.l1Block == BigInt.fromI32(protocol.l1BlockToldAt)
  const roundsManager = protocol.roundsManager
  if (isOwn && wasOwn) return event.block.number
  if (roundsManager) {
    const answer = RoundsManager.bind(Address.fromBytes(roundsManager)).try_blockNum()
    if (!answer.reverted && answer.value >= protocol.l1Block) return answer.value
    // Which of the two is wrong the next answer tells, which may be as low.
    if (!answer.reverted) protocol.l1Block = answer.value
  }
  return isOwn && protocol.l1BlockToldAt == 0 ? event.block.number : null
}

/** A poll opens; where none else is and a chain's own numbers ended the last one, RoundsManager is asked anew. */
export function openPoll(protocol: Protocol, poll: Bytes): void {
  if (protocol.openPolls.length == 0 && protocol.l1Block == BigInt.fromI32(protocol.l1BlockToldAt)) {
    protocol.l1BlockToldAt = 0
    protocol.l1Block = BigInt.zero()
  }
  protocol.openPolls = protocol.openPolls.concat([poll])
  savePollClock(protocol)
}

function isUntold(protocol: Protocol, event: ethereum.Event): boolean {
  const block = event.block.number.toI32()
  return protocol.openPolls.length > 0 && protocol.l1BlockAskedAt == block && protocol.l1BlockToldAt != block
}

/** Stake may change in this block, which may be one after the end of any open poll but those that it opened. */
function noteUntoldChange(protocol: Protocol): void {
  for (let i = 0; i < protocol.openPolls.length; i++) {
    const poll = Poll.load(protocol.openPolls[i])
    if (poll == null || poll.untoldFromBlock != 0 || poll.block == protocol.l1BlockAskedAt) continue
    poll.untoldFromBlock = protocol.l1BlockAskedAt
    poll.save()
  }
}

/** All changes of stake so far were made before the poll ended. */
function noteInTime(poll: Poll): void {
  if (poll.untoldFromBlock == 0) return
  poll.untoldFromBlock = 0
  poll.save()
}
