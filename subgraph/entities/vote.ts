import { BigInt, Bytes, Entity, ethereum, Value } from '@graphprotocol/graph-ts'
import { Protocol, Vote, VoteCast } from '../generated/schema'
import { logId, voteId } from '../ids'
import { getOrCreateAccount } from './account'
import { setLogPosition } from './log'

/** The log of what a voter sent, not saved yet. */
export function newVoteCast(
  event: ethereum.Event,
  protocol: Protocol,
  proposal: Bytes,
  voter: Bytes,
  choice: BigInt,
): VoteCast {
  const cast = new VoteCast(logId(event))
  setProposal(cast, proposal)
  cast.voter = getOrCreateAccount(voter).id
  cast.choice = choice
  cast.valid = true
  setLogPosition(cast, event, protocol)
  return cast
}

/** Makes a valid choice the one that counts, in place of the voter's earlier ones. */
export function countVote(cast: VoteCast, proposal: Bytes): void {
  const vote = new Vote(voteId(proposal, cast.voter))
  setProposal(vote, proposal)
  vote.voter = cast.voter
  vote.choice = cast.choice.toI32()
  vote.weight = cast.weight
  vote.cast = cast.id
  vote.block = cast.block
  vote.logIndex = cast.logIndex
  vote.save()
}

const NO = BigInt.fromI32(1)

/** A choice on a poll: 0 yes, 1 no; any other number is kept and neither counts nor replaces a valid one (LIP-16). */
export function recordPollVote(
  event: ethereum.Event,
  protocol: Protocol,
  poll: Bytes,
  voter: Bytes,
  choice: BigInt,
): void {
  const cast = newVoteCast(event, protocol, poll, voter, choice)
  cast.valid = choice <= NO
  cast.save()
  if (cast.valid) countVote(cast, poll)
}

/** The generated setters take ids of interfaces for strings, though they are bytes like those of what implements them. */
function setProposal(entity: Entity, proposal: Bytes): void {
  entity.set('proposal', Value.fromBytes(proposal))
}
