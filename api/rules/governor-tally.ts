// How the LivepeerGovernor counts (LIP-89, GovernorCountingOverridable.sol). Pure: stake and sums in, what it answers out.

import type { CountingRule, Part } from './counting-rule.ts'
import { castWeight, type Elector, type Sums } from './tally.ts'
import { type Stake, votes } from './voting-power.ts'

/**
 * What the governor lets an account vote with: BondingVotes' votes at the snapshot. Its transcoder is its delegate where
 * that one delegates to itself, bonded or not. `stakeAt` gives the stakes of the snapshot as BondingVotes knows them,
 * undefined for whom it does not know (GovernorCountingOverridable._countVote, _handleVoteOverrides).
 */
export function governorElector(account: string, stakeAt: (account: string) => Stake | undefined): Elector {
  const stake = stakeAt(account)
  const delegate = stake?.delegate ? stakeAt(stake.delegate) : undefined
  const isDelegator = delegate !== undefined && delegate.account !== account && delegate.delegate === delegate.account
  return {
    power: stake === undefined ? 0n : votes(stake, delegate),
    transcoder: isDelegator ? delegate.account : null,
  }
}

/** Least weight that reaches the quorum: its part of the electorate, rounded down (GovernorVotesQuorumFraction.quorum). */
export function governorQuorum(electorate: bigint, { numerator, denominator }: Part): bigint {
  return (electorate * numerator) / denominator
}

/** For, against and abstain together reach the quorum (GovernorCountingOverridable._quorumReached). */
export function isGovernorQuorumReached(sums: Sums, quorum: bigint): boolean {
  return castWeight(sums) >= quorum
}

/** The for-votes that are the quota: its part of for and against, rounded down. */
export function quotaVotes(sums: Sums, { numerator, denominator }: Part): bigint {
  return ((sums.for + sums.against) * numerator) / denominator
}

/**
 * At least the quota of for and against is for, so that a tie passes (GovernorCountingOverridable._voteSucceeded); by a
 * strict rule, which the governor does not have, it must be more.
 */
export function isQuotaReached(sums: Sums, { support, strict }: Pick<CountingRule, 'support' | 'strict'>): boolean {
  const quota = quotaVotes(sums, support)
  return strict ? sums.for > quota : sums.for >= quota
}

/** States of a treasury proposal; a queued one never expires with this timelock. */
export type GovernorState = 'PENDING' | 'ACTIVE' | 'CANCELED' | 'DEFEATED' | 'SUCCEEDED' | 'QUEUED' | 'EXECUTED'

/** The governor's state() in a round: what events say first, then the clock, then the tally. */
export function governorState(
  proposal: { snapshotRound: number; lastRound: number; executed: boolean; canceled: boolean; queued: boolean },
  round: number,
  succeeded: boolean,
): GovernorState {
  if (proposal.executed) return 'EXECUTED'
  if (proposal.canceled) return 'CANCELED'
  if (round <= proposal.snapshotRound) return 'PENDING'
  if (round <= proposal.lastRound) return 'ACTIVE'
  if (!succeeded) return 'DEFEATED'
  return proposal.queued ? 'QUEUED' : 'SUCCEEDED'
}
