// How the LivepeerGovernor counts (LIP-89, GovernorCountingOverridable.sol). Pure: votes and delegations in, tally out.

/** 100 % in the governor's rates (MathUtils.PERC_DIVISOR). */
const PERC_DIVISOR = 1_000_000n
/** LivepeerGovernor.quota(), 50 %, fixed when the governor was set up: no event carries it. */
export const QUOTA = 500_000n

/** The governor's support numbers. */
export type Support = 'AGAINST' | 'FOR' | 'ABSTAIN'

/** A vote as cast; votes are given in the order of their logs. */
export interface GovernorVote {
  voter: string
  support: Support
  /** The voter's raw power, wei (VoteCast.weight). */
  weight: bigint
}

/** What one vote came to. */
export interface CountedVote {
  weight: bigint
  countedWeight: bigint
  /** The transcoder whose weight this vote takes its own from. */
  overrides: string | null
}

/** Sums of counted weights, wei. */
export interface Sums {
  for: bigint
  against: bigint
  abstain: bigint
}

/**
 * Counts votes as the governor does at vote time: a delegator's vote is taken off its transcoder's weight, whether that
 * one votes later or has voted already. `delegateAt` gives an account's delegate at the snapshot as BondingVotes knows
 * it (delegatedAt); null where it knows none (GovernorCountingOverridable._countVote, _handleVoteOverrides).
 */
export function governorTally(
  votes: readonly GovernorVote[],
  delegateAt: (account: string) => string | null,
): { sums: Sums; counted: Map<string, CountedVote> } {
  const deductions = new Map<string, bigint>()
  const counted = new Map<string, CountedVote>()
  for (const { voter, weight } of votes) {
    const delegate = delegateAt(voter)
    if (delegate === voter) {
      counted.set(voter, { weight, countedWeight: weight - (deductions.get(voter) ?? 0n), overrides: null })
      continue
    }
    const transcoder = delegate !== null && delegateAt(delegate) === delegate ? delegate : null
    counted.set(voter, { weight, countedWeight: weight, overrides: transcoder })
    if (transcoder === null) continue
    deductions.set(transcoder, (deductions.get(transcoder) ?? 0n) + weight)
    const transcoderVote = counted.get(transcoder)
    if (transcoderVote !== undefined) transcoderVote.countedWeight -= weight
  }
  const sums: Sums = { for: 0n, against: 0n, abstain: 0n }
  for (const { voter, support } of votes) {
    const side = support === 'FOR' ? 'for' : support === 'AGAINST' ? 'against' : 'abstain'
    sums[side] += counted.get(voter)?.countedWeight ?? 0n
  }
  return { sums, counted }
}

/** Least weight that reaches the quorum: electorate · numerator / 10^6, rounded down (GovernorVotesQuorumFraction.quorum). */
export function governorQuorum(electorate: bigint, numerator: bigint): bigint {
  return (electorate * numerator) / PERC_DIVISOR
}

/** For, against and abstain together reach the quorum (GovernorCountingOverridable._quorumReached). */
export function isGovernorQuorumReached(sums: Sums, quorum: bigint): boolean {
  return sums.for + sums.against + sums.abstain >= quorum
}

/** The least for-votes that pass: ⌊(for + against) · quota / 10^6⌋. */
export function quotaVotes(sums: Sums): bigint {
  return ((sums.for + sums.against) * QUOTA) / PERC_DIVISOR
}

/** At least the quota of for and against is for, so that a tie passes (GovernorCountingOverridable._voteSucceeded). */
export function isQuotaReached(sums: Sums): boolean {
  return sums.for >= quotaVotes(sums)
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
