/** What one account had, as far as a difference goes; of a snapshot's holders. */
export interface Had {
  account: string
  delegate: string | null
}

/** What became of an account between two rounds. */
export type Became = 'CAME' | 'WENT' | 'GAINED' | 'LOST' | 'KEPT'

/** One account in both rounds; null delegates where it was not there, or had none. */
export interface AccountDifference {
  account: string
  became: Became
  before: bigint
  after: bigint
  /** After less before, wei. */
  by: bigint
  delegateBefore: string | null
  delegateAfter: string | null
  /** Whether it was there both times and has another delegate. */
  moved: boolean
}

/** Two snapshots joined. */
export interface SnapshotDifference {
  /** Every account of either, the largest change first, then by address. */
  rows: readonly AccountDifference[]
  /** Sums over the accounts. What was gained less what was lost is `after` less `before`, to the wei. */
  before: bigint
  after: bigint
  gained: bigint
  lost: bigint
  /** How many of each, and how many changed delegate. */
  counts: Readonly<Record<Became | 'MOVED', number>>
}

/**
 * Who gained and lost what between two snapshots, by an amount of each account: its own stake or its votes. An account that
 * is in neither is in no row; one that is in a snapshot with nothing of the amount was there all the same.
 */
export function differenceOf<Holder extends Had>(
  before: readonly Holder[],
  after: readonly Holder[],
  amountOf: (holder: Holder) => bigint,
): SnapshotDifference {
  const earlier = new Map(before.map((holder) => [holder.account, holder]))
  const later = new Map(after.map((holder) => [holder.account, holder]))
  const accounts = [...new Set([...earlier.keys(), ...later.keys()])]
  const rows = accounts
    .map((account) => rowOf(account, earlier.get(account), later.get(account), amountOf))
    .sort((a, b) => largestFirst(a.by, b.by) || (a.account < b.account ? -1 : 1))
  const counts = { CAME: 0, WENT: 0, GAINED: 0, LOST: 0, KEPT: 0, MOVED: 0 }
  const sums = { before: 0n, after: 0n, gained: 0n, lost: 0n }
  for (const row of rows) {
    counts[row.became] += 1
    if (row.moved) counts.MOVED += 1
    sums.before += row.before
    sums.after += row.after
    if (row.by > 0n) sums.gained += row.by
    else sums.lost -= row.by
  }
  return { rows, counts, ...sums }
}

function rowOf<Holder extends Had>(
  account: string,
  earlier: Holder | undefined,
  later: Holder | undefined,
  amountOf: (holder: Holder) => bigint,
): AccountDifference {
  const before = earlier === undefined ? 0n : amountOf(earlier)
  const after = later === undefined ? 0n : amountOf(later)
  const by = after - before
  const delegateBefore = earlier?.delegate ?? null
  const delegateAfter = later?.delegate ?? null
  const inBoth = earlier !== undefined && later !== undefined
  const changed = by > 0n ? 'GAINED' : by < 0n ? 'LOST' : 'KEPT'
  return {
    account,
    became: inBoth ? changed : later === undefined ? 'WENT' : 'CAME',
    before,
    after,
    by,
    delegateBefore,
    delegateAfter,
    moved: inBoth && delegateBefore !== delegateAfter,
  }
}

function largestFirst(a: bigint, b: bigint): number {
  const [left, right] = [a < 0n ? -a : a, b < 0n ? -b : b]
  return left === right ? 0 : left > right ? -1 : 1
}

/** The rows as CSV with exact wei, a header line first. */
export function differenceCsv(rows: readonly AccountDifference[]): string {
  const head = 'account,became,before,after,by,delegateBefore,delegateAfter'
  const lines = rows.map(({ account, became, before, after, by, delegateBefore, delegateAfter }) =>
    [account, became, before, after, by, delegateBefore ?? '', delegateAfter ?? ''].join(','),
  )
  return `${[head, ...lines].join('\n')}\n`
}
