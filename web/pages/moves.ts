/** A transcoder's votes at the start of a round. */
interface Votes {
  account: string
  votes: string
}

/** What became of a transcoder from one round to the next. */
export interface Move {
  account: string
  /** More or less votes, wei; null where it was not active in one of them, so that nothing is told of its votes. */
  by: bigint | null
  became: 'CHANGED' | 'ENTERED' | 'LEFT'
}

/** What moved in the active set: who entered and left it, then who has other votes, most first; who has the same is left out. */
export function movesOf(before: readonly Votes[], after: readonly Votes[]): Move[] {
  const had = new Map(before.map(({ account, votes }) => [account, BigInt(votes)]))
  const has = new Set(after.map(({ account }) => account))
  const entered = after.filter(({ account }) => !had.has(account))
  const left = before.filter(({ account }) => !has.has(account))
  const changed = after.flatMap(({ account, votes }): (Move & { by: bigint })[] => {
    const by = BigInt(votes) - (had.get(account) ?? BigInt(votes))
    return by === 0n ? [] : [{ account, by, became: 'CHANGED' }]
  })
  const size = ({ by }: { by: bigint }) => (by < 0n ? -by : by)
  return [
    ...entered.map(({ account }): Move => ({ account, by: null, became: 'ENTERED' })),
    ...left.map(({ account }): Move => ({ account, by: null, became: 'LEFT' })),
    ...changed.sort((a, b) => (size(a) > size(b) ? -1 : size(a) < size(b) ? 1 : a.account < b.account ? -1 : 1)),
  ]
}
