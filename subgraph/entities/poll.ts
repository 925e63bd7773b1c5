import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Poll, Protocol } from '../generated/schema'
import { getOrCreateAccount } from './account'
import { setLogPosition } from './log'

/** A poll from its event on; endBlock is an L1 block, quorum and quota are per 10^6. */
export function createPoll(
  event: ethereum.Event,
  protocol: Protocol,
  address: Bytes,
  proposal: Bytes,
  endBlock: BigInt,
  quorum: BigInt,
  quota: BigInt,
): void {
  const poll = new Poll(address)
  poll.proposer = getOrCreateAccount(event.transaction.from).id
  poll.proposal = proposal
  poll.endBlock = endBlock
  poll.quorum = quorum
  poll.quota = quota
  poll.untoldFromBlock = 0
  setLogPosition(poll, event, protocol)
  poll.save()
}

/** The poll ended, at the latest with a block of the chain's own; the totals are those of its end. */
export function closePoll(poll: Poll, protocol: Protocol, closingBlock: i32): void {
  poll.closingBlock = closingBlock
  poll.closingRound = protocol.currentRound
  poll.closingTotalStake = protocol.totalStake
  poll.closingTotalActiveStake = protocol.currentRoundTotalActiveStake
  poll.save()
}
