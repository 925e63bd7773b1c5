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
