// How few decided a proposal. Pure; amounts are wei.

import type { VoteChoice } from '../../api/rules/proposal.ts'
import { type Counting, count } from '../../api/rules/proposal-count.ts'
import type { Sums } from '../../api/rules/tally.ts'
import { type Counted, countedOf, passes } from './counting.ts'

/** The fewest accounts that could have turned a proposal. */
export interface TurningSet {
  /** What each of them would have had to choose. */
  choice: VoteChoice
  /** Who, and what of each would have counted; most first. */
  accounts: { account: string; weight: bigint }[]
}

/** Most first, then by lower address. */
function byWeight<Of extends { account: string; weight: bigint }>(a: Of, b: Of): number {
  if (a.weight !== b.weight) return a.weight > b.weight ? -1 : 1
  return a.account < b.account ? -1 : 1
}

/**
 * The fewest voters that would have turned the outcome by choosing the opposite, overrides as they are: what is taken off
 * whom does not hang on what is chosen. Those who abstained could have turned it too, by choosing a side. Null where not
 * even all of them could have: a quorum that too few voted for is reached by nobody's other choice.
 */
export function smallestTurningVoters(counting: Counting): TurningSet | null {
  const { sums } = count(counting)
  const passed = passes(counting, sums)
  const choice = passed ? 'AGAINST' : 'FOR'
  const could = (from: VoteChoice) =>
    countedOf(counting)
      .filter((vote) => vote.choice === from && vote.countedWeight > 0n)
      .map(({ voter, countedWeight }) => ({ account: voter, weight: countedWeight }))
      .sort(byWeight)
  const opposed = could(passed ? 'FOR' : 'AGAINST')
  const abstained = could('ABSTAIN')
  const opposedSums = runningSums(opposed)
  const abstainedSums = runningSums(abstained)

  /** How many of those who chose the other side, where so many in all can turn it; undefined where they cannot. */
  const splitOf = (size: number): number | undefined => {
    for (let i = Math.min(size, opposed.length); i >= Math.max(0, size - abstained.length); i--) {
      const [moved = 0n, joined = 0n] = [opposedSums[i], abstainedSums[size - i]]
      if (passes(counting, turned(sums, choice, moved, joined)) !== passed) return i
    }
    return undefined
  }
  const most = opposed.length + abstained.length
  if (splitOf(most) === undefined) return null
  // More of the largest turn what fewer of them turn.
  let [low, high] = [0, most]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (splitOf(middle) === undefined) low = middle + 1
    else high = middle
  }
  const split = splitOf(low) ?? 0
  return { choice, accounts: [...opposed.slice(0, split), ...abstained.slice(0, low - split)].sort(byWeight) }
}

/** Sums with so much moved over from the other side, and so much joined from those who abstained. */
function turned(sums: Sums, choice: VoteChoice, moved: bigint, joined: bigint): Sums {
  const abstain = sums.abstain - joined
  return choice === 'AGAINST'
    ? { for: sums.for - moved, against: sums.against + moved + joined, abstain }
    : { for: sums.for + moved + joined, against: sums.against - moved, abstain }
}

/** 0, the first, the first two and so on. */
function runningSums(of: readonly { weight: bigint }[]): bigint[] {
  const sums = [0n]
  for (const { weight } of of) sums.push((sums.at(-1) ?? 0n) + weight)
  return sums
}

/**
 * The fewest of those who did not vote that would have turned the outcome, each with what its vote would have added. Null
 * where not all of them together could have.
 */
export function smallestTurningAbsentees(
  counting: Counting,
  absentees: readonly { account: string; power: bigint }[],
): TurningSet | null {
  const { sums } = count(counting)
  const passed = passes(counting, sums)
  const choice = passed ? 'AGAINST' : 'FOR'
  const accounts: TurningSet['accounts'] = []
  const side = passed ? 'against' : 'for'
  const with_ = { ...sums }
  const could = absentees.map(({ account, power }) => ({ account, weight: power })).sort(byWeight)
  for (const one of could.filter(({ weight }) => weight > 0n)) {
    accounts.push(one)
    with_[side] += one.weight
    if (passes(counting, with_) !== passed) return { choice, accounts }
  }
  return null
}

/** What the largest voters have together. */
export interface SharesBySize {
  /** After the largest, the two largest and so on, wei; those whose weight was taken whole are none. */
  sums: bigint[]
  total: bigint
  /** How few have more than half of all that was counted; 0 of nothing. */
  half: number
}

/** Voters by what was counted of each, most first, and what they have together. */
export function sharesBySize(votes: readonly Pick<Counted, 'countedWeight'>[]): SharesBySize {
  const weights = votes.map(({ countedWeight }) => countedWeight).filter((weight) => weight > 0n)
  const sorted = weights.sort((a, b) => (a > b ? -1 : a < b ? 1 : 0)).map((weight) => ({ weight }))
  const [, ...sums] = runningSums(sorted)
  const total = sums.at(-1) ?? 0n
  return { sums, total, half: sums.findIndex((sum) => sum * 2n > total) + 1 }
}
