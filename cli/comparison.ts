// What the API says beside what contracts answer. Pure.

/** The kind of value that tells the chain. */
export const BLOCK_HASH = 'block hash'

/** Counts what is compared and keeps what differs, by the wei. */
export class Comparison {
  readonly differences: string[] = []
  /** What could not be compared, and why. */
  readonly notes: string[] = []
  readonly #counts = new Map<string, number>()

  /** Compares one value by its text; `what` is its kind, `where` tells which one it is. */
  equal(what: string, where: string, contract: unknown, api: unknown): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
    if (String(contract) !== String(api)) {
      this.differences.push(`${what} of ${where}: the contract answers ${contract}, the API ${api}`)
    }
  }

  /** How many values were compared. */
  get compared(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Whether anything but that it is the same chain was compared. */
  get hasFigures(): boolean {
    return [...this.#counts.keys()].some((what) => what !== BLOCK_HASH)
  }

  /** A line for each kind of value, each note and each difference, then the sum. */
  lines(): string[] {
    const { compared, differences, notes } = this
    return [
      ...[...this.#counts].map(([what, count]) => `compared      ${what}: ${count}`),
      ...notes.map((note) => `not compared  ${note}`),
      ...differences.map((difference) => `DIFFERENCE    ${difference}`),
      `${compared} values compared, ${differences.length} differ`,
    ]
  }
}

/** `count` of a list, spread evenly from its first on; all where there are no more. */
export function spread<Item>(list: readonly Item[], count: number): Item[] {
  if (count >= list.length) return [...list]
  return Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length) / count)]).filter(
    (item) => item !== undefined,
  )
}

/** What BondingManager answers of a poll's voter at the poll's end block; wei. */
export interface PollVoter {
  voter: string
  choice: string
  isRegisteredTranscoder: boolean
  transcoderTotalStake: bigint
  pendingStake: bigint
  delegate: string
}

/** What a voter's vote in a poll weighs, and what of it counts; wei. */
export interface PollWeight {
  weight: bigint
  countedWeight: bigint
}

/**
 * A poll by BondingManager's own answers: a registered transcoder has transcoderTotalStake less the pendingStake of those of
 * its delegators that voted, anyone else its pendingStake (LIP-16).
 */
export function pollFromReads(voters: readonly PollVoter[]): {
  for: bigint
  against: bigint
  weights: Map<string, PollWeight>
} {
  const weights = new Map<string, PollWeight>()
  const sums = { for: 0n, against: 0n }
  for (const { voter, choice, isRegisteredTranscoder, transcoderTotalStake, pendingStake } of voters) {
    const weight = isRegisteredTranscoder ? transcoderTotalStake : pendingStake
    const taken = isRegisteredTranscoder
      ? voters.filter((other) => other.delegate === voter && other.voter !== voter)
      : []
    const countedWeight = taken.reduce((rest, other) => rest - other.pendingStake, weight)
    weights.set(voter, { weight, countedWeight })
    sums[choice === 'FOR' ? 'for' : 'against'] += countedWeight
  }
  return { ...sums, weights }
}
