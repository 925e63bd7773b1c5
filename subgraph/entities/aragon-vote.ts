import { Address, BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { AragonVote, ForwardedCall, VotingApp } from '../generated/schema'
import { Voting } from '../generated/Voting/Voting'
import { aragonVoteId } from '../ids'
import { totalSupplyBefore } from './voting-token'

/** A vote that must have started; fails with its number where StartVote lies before the data source's start block. */
export function getAragonVote(app: Bytes, voteId: BigInt): AragonVote {
  const vote = AragonVote.load(aragonVoteId(app, voteId))
  assert(vote != null, `vote ${voteId} of ${app.toHexString()} has no StartVote`)
  return vote!
}

/**
 * Who asked for the vote that an event of the app starts: the sender its creator forwarded for right before, in the same
 * transaction; else the creator.
 */
export function proposerOf(creator: Bytes, event: ethereum.Event): Bytes {
  const call = ForwardedCall.load(creator)
  if (call == null || call.transactionHash != event.transaction.hash || call.target != event.address) return creator
  return call.sender
}

/**
 * What is fixed for a vote when it starts. getVote is the only way to the script before an execution. A call sees the
 * state at the end of the block, but nothing it is asked for here changes after the start (Voting._newVote).
 */
export function setTerms(vote: AragonVote, app: VotingApp): void {
  vote.voteTime = app.voteTime
  const answer = Voting.bind(Address.fromBytes(app.id)).try_getVote(vote.voteId)
  if (answer.reverted) {
    vote.supportRequired = app.supportRequiredPct
    vote.minAcceptQuorum = app.minAcceptQuorumPct
    const token = app.token
    if (token) vote.votingPower = totalSupplyBefore(token, vote.snapshotBlock + 1)
    return
  }
  vote.supportRequired = answer.value.getSupportRequired()
  vote.minAcceptQuorum = answer.value.getMinAcceptQuorum()
  vote.votingPower = answer.value.getVotingPower()
  vote.script = answer.value.getScript()
}
