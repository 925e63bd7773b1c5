// Votes as they stand to one another: under each transcoder those that took their own weight from it. Pure.

import type { ToldVote } from './counting.ts'

/** A row of votes, flat or nested. */
export interface VoteRow {
  key: string
  /** Whose. */
  account: string
  /** Null for a transcoder that did not vote, whose delegators did. */
  vote: ToldVote | null
  /** 1 where it stands under its transcoder. */
  depth: 0 | 1
  /** What was taken from its weight, wei; for a transcoder that did not vote, what its delegators cast themselves. */
  taken: bigint
  /** How many took it. */
  takers: number
}

/** What was taken from each transcoder, and by how many. */
function takenFrom(votes: readonly Pick<ToldVote, 'weight' | 'overrides'>[]) {
  const taken = new Map<string, { weight: bigint; takers: number }>()
  for (const { weight, overrides } of votes) {
    if (overrides === null) continue
    const before = taken.get(overrides) ?? { weight: 0n, takers: 0 }
    taken.set(overrides, { weight: before.weight + BigInt(weight), takers: before.takers + 1 })
  }
  return taken
}

/** Votes as they were cast. */
export function flatRows(votes: readonly ToldVote[]): VoteRow[] {
  const taken = takenFrom(votes)
  return votes.map((vote) => rowOf(vote, taken, 0))
}

/**
 * Transcoders and others by weight, most first, and under each transcoder, voter or not, the delegators that voted
 * themselves. Where some are left out by a filter, a transcoder stands above those of its own that are not.
 */
export function nestedRows(votes: readonly ToldVote[], isShown: (vote: ToldVote) => boolean = () => true): VoteRow[] {
  const taken = takenFrom(votes)
  const voters = new Set(votes.map(({ voter }) => voter))
  const under = new Map<string, ToldVote[]>()
  for (const vote of votes) {
    if (vote.overrides === null || !isShown(vote)) continue
    const others = under.get(vote.overrides)
    if (others === undefined) under.set(vote.overrides, [vote])
    else others.push(vote)
  }
  const heads = votes.filter((vote) => vote.overrides === null && (isShown(vote) || under.has(vote.voter)))
  const missing = [...under.keys()].filter((account) => !voters.has(account))
  const rows = [
    ...heads.map((vote) => rowOf(vote, taken, 0)),
    ...missing.map((account): VoteRow => {
      const { weight = 0n, takers = 0 } = taken.get(account) ?? {}
      return { key: `absent ${account}`, account, vote: null, depth: 0, taken: weight, takers }
    }),
  ].sort(byWeight)
  return rows.flatMap((row) => [
    row,
    ...(under.get(row.account) ?? []).map((vote) => rowOf(vote, taken, 1)).sort(byWeight),
  ])
}

function rowOf(vote: ToldVote, taken: ReturnType<typeof takenFrom>, depth: 0 | 1): VoteRow {
  const { weight = 0n, takers = 0 } = taken.get(vote.voter) ?? {}
  return { key: vote.voter, account: vote.voter, vote, depth, taken: weight, takers }
}

/** Most first: a transcoder that did not vote by what its delegators cast. */
function byWeight(a: VoteRow, b: VoteRow): number {
  const of = ({ vote, taken }: VoteRow) => (vote === null ? taken : BigInt(vote.weight))
  const [x, y] = [of(a), of(b)]
  if (x !== y) return x > y ? -1 : 1
  return a.account < b.account ? -1 : 1
}
