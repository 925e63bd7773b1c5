// How weighted votes come to sums, in all voting systems. Pure: votes and who delegates to whom in, sums out.

import type { VoteChoice } from './proposal.ts'

/** Somebody's choice that counts, with its own power in wei. */
export interface WeightedVote {
  voter: string
  choice: VoteChoice
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

/** What an account could vote with at the moment a proposal is counted by. */
export interface Elector {
  /** Wei; 0 for who has none. */
  power: bigint
  /** The transcoder its power is part of; null for a transcoder itself, and where there is none. */
  transcoder: string | null
}

const SIDES = { FOR: 'for', AGAINST: 'against', ABSTAIN: 'abstain' } as const

/**
 * Sums votes: the vote of a delegator is taken off the weight of its transcoder, whether that one votes before it, after it
 * or not at all, and whatever either chooses. So the order of votes does not matter.
 */
export function tally(
  votes: readonly WeightedVote[],
  transcoderOf: (voter: string) => string | null,
): { sums: Sums; counted: Map<string, CountedVote> } {
  const counted = countedVotes(votes, transcoderOf)
  const sums: Sums = { for: 0n, against: 0n, abstain: 0n }
  for (const { voter, choice } of votes) sums[SIDES[choice]] += counted.get(voter)?.countedWeight ?? 0n
  return { sums, counted }
}

/** What each vote comes to, whatever it is for, by voter: that of a delegator is taken off the weight of its transcoder. */
export function countedVotes(
  votes: Iterable<Pick<WeightedVote, 'voter' | 'weight'>>,
  transcoderOf: (voter: string) => string | null,
): Map<string, CountedVote> {
  const counted = new Map<string, CountedVote>()
  for (const { voter, weight } of votes) {
    counted.set(voter, { weight, countedWeight: weight, overrides: transcoderOf(voter) })
  }
  for (const { weight, overrides } of counted.values()) {
    const transcoder = overrides === null ? undefined : counted.get(overrides)
    if (transcoder !== undefined) transcoder.countedWeight -= weight
  }
  return counted
}

/** All that was cast, wei. */
export function castWeight(sums: Sums): bigint {
  return sums.for + sums.against + sums.abstain
}
