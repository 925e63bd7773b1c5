import { Address, BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { RoundsManager } from '../generated/RoundsManager/RoundsManager'
import { Poll, Protocol } from '../generated/schema'
import { getOrCreateProtocol } from './protocol'

/** The protocol's totals right before an event that may change stake; polls that ended before it are closed with them. */
export function protocolBefore(event: ethereum.Event): Protocol {
  const protocol = getOrCreateProtocol()
  closeEndedPolls(protocol, event)
  return protocol
}

/**
 * Closes the polls that ended before this event's block, with the totals as they are before the event. A poll ends at an
 * L1 block while logs carry blocks of their own chain, so RoundsManager.blockNum() is asked, once a block and only while
 * a poll is open; where it does not answer, the chain's own number drives polls.
 */
function closeEndedPolls(protocol: Protocol, event: ethereum.Event): void {
  const openPolls = protocol.openPolls
  if (openPolls.length == 0) return
  const block = event.block.number.toI32()
  if (protocol.l1BlockAskedAt == block) return
  const l1Block = l1BlockNumber(protocol, event)
  const stillOpen: Bytes[] = []
  for (let i = 0; i < openPolls.length; i++) {
    const poll = Poll.load(openPolls[i])
    if (poll == null) continue
    if (l1Block <= poll.endBlock) {
      stillOpen.push(poll.id)
      continue
    }
    poll.closingBlock = block - 1
    poll.closingRound = protocol.currentRound
    poll.closingTotalStake = protocol.totalStake
    poll.closingTotalActiveStake = protocol.currentRoundTotalActiveStake
    poll.save()
  }
  protocol.openPolls = stillOpen
  protocol.l1BlockAskedAt = block
  protocol.l1Block = l1Block
  protocol.save()
}

function l1BlockNumber(protocol: Protocol, event: ethereum.Event): BigInt {
  const roundsManager = protocol.roundsManager
  if (!roundsManager) return event.block.number
  const answer = RoundsManager.bind(Address.fromBytes(roundsManager)).try_blockNum()
  return answer.reverted ? event.block.number : answer.value
}
