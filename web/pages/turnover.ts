/** Who was active in a round. */
export interface ActiveSet {
  number: number
  accounts: readonly string[]
}

/** How an active set differs from that of the round before it in the list. */
export interface Turnover {
  number: number
  size: number
  entered: number
  left: number
}

/** The turnover of each set, which ascend; of the first none, as what was before is not known. */
export function turnoverOf(sets: readonly ActiveSet[]): Turnover[] {
  let before: ReadonlySet<string> | undefined
  return sets.map(({ number, accounts }) => {
    const now = new Set(accounts)
    const earlier = before ?? now
    before = now
    return {
      number,
      size: now.size,
      entered: [...now].filter((account) => !earlier.has(account)).length,
      left: [...earlier].filter((account) => !now.has(account)).length,
    }
  })
}

/** How many accounts were ever active, and how many always. */
export function everAndAlways(sets: readonly ActiveSet[]): { ever: number; always: number } {
  const times = new Map<string, number>()
  for (const { accounts } of sets)
    for (const account of new Set(accounts)) times.set(account, (times.get(account) ?? 0) + 1)
  return { ever: times.size, always: [...times.values()].filter((count) => count === sets.length).length }
}
