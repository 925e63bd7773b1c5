// Who was missing from a proposal's count. Pure: who could have voted and what was counted in, who did not out.

import { percent } from './poll-tally.ts'
import { type CountedVote, castWeight, type Sums } from './tally.ts'

/** Somebody whose vote is looked for: a registered transcoder, or a holder of a voting token; power in wei. */
export interface Eligible {
  account: string
  power: bigint
  /** Whether its power is in the electorate. */
  counts: boolean
}

/** Somebody who did not vote; power is what its vote would have added, wei. */
export type Absentee = Eligible

/**
 * Those who did not vote, most power first, then lower address. An absent transcoder would have added its own power less
 * what its delegators that voted themselves have cast; never below 0, should they have more than it.
 */
export function absentees(
  eligible: Iterable<Eligible>,
  counted: Iterable<Pick<CountedVote, 'weight' | 'overrides'> & { voter: string }>,
): Absentee[] {
  const voters = new Set<string>()
  const taken = new Map<string, bigint>()
  for (const { voter, weight, overrides } of counted) {
    voters.add(voter)
    if (overrides !== null) taken.set(overrides, (taken.get(overrides) ?? 0n) + weight)
  }
  const absent: Absentee[] = []
  for (const { account, power, counts } of eligible) {
    if (voters.has(account)) continue
    const left = power - (taken.get(account) ?? 0n)
    absent.push({ account, power: left > 0n ? left : 0n, counts })
  }
  return absent.sort(byPower)
}

/** Most power first, then lower address. */
function byPower(a: Absentee, b: Absentee): number {
  if (a.power !== b.power) return a.power > b.power ? -1 : 1
  return a.account < b.account ? -1 : 1
}

/** How much of the electorate voted; see Turnout in schema.graphql for each field. */
export interface Turnout {
  voters: number
  cast: bigint
  electorate: bigint
  absent: bigint
  percent: string
}

/** The turnout of a count with those who were missing from it. */
export function turnout(
  { sums, electorate, ballots }: { sums: Sums; electorate: bigint; ballots: readonly unknown[] },
  absent: readonly Absentee[],
): Turnout {
  const cast = castWeight(sums)
  return {
    voters: ballots.length,
    cast,
    electorate,
    absent: absent.reduce((sum, { power, counts }) => (counts ? sum + power : sum), 0n),
    percent: percent(cast, electorate),
  }
}
