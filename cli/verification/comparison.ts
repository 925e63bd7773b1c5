/** The kind of value that tells the chain. */
export const BLOCK_HASH = 'block hash'

/** One value as both sides tell it, by its text. */
export interface Compared {
  /** Its kind. */
  what: string
  /** Which one of its kind it is. */
  where: string
  contract: string
  api: string
}

/** Counts what is compared and keeps what differs, by the wei. */
export class Comparison {
  readonly differences: string[] = []
  /** What could not be compared, and why. */
  readonly notes: string[] = []
  readonly #counts = new Map<string, number>()

  /** `observe` is told of each value that is compared. */
  constructor(readonly observe: (compared: Compared) => void = () => {}) {}

  /** How many values of each kind were compared. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  /** Compares one value by its text; `what` is its kind, `where` tells which one it is. */
  equal(what: string, where: string, contract: unknown, api: unknown): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
    this.observe({ what, where, contract: String(contract), api: String(api) })
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
}

/** `count` of a list, spread evenly from its first on; all where there are no more. */
export function spread<Item>(list: readonly Item[], count: number): Item[] {
  if (count >= list.length) return [...list]
  return Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length) / count)]).filter(
    (item) => item !== undefined,
  )
}
