import type { UncheckedReason } from './errors.ts'

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

/** What was to be compared and could not be. */
export interface Unchecked {
  what: string
  reason: UncheckedReason
  /** Why, in a line for whoever runs it: a node's own words are in it. */
  why: string
}

/** Counts what is compared and keeps what differs, by the wei. */
export class Comparison {
  readonly differences: Compared[] = []
  /** What could have been compared, had the node told it. */
  readonly unchecked: Unchecked[] = []
  /** What no contract tells, so that there is nothing to compare. */
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
    const compared = { what, where, contract: String(contract), api: String(api) }
    this.observe(compared)
    if (compared.contract !== compared.api) this.differences.push(compared)
  }

  /** How many values were compared. */
  get compared(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Whether anything but that it is the same chain was compared. */
  get hasFigures(): boolean {
    return [...this.#counts.keys()].some((what) => what !== BLOCK_HASH)
  }

  /** Whether the node told another hash of a block than the API: what it answers is of another chain, or branch. */
  get isOfOtherChain(): boolean {
    return this.differences.some(({ what }) => what === BLOCK_HASH)
  }
}

/**
 * `count` of a list, spread evenly over it; all where there are no more. From one `turn` to the next each is another one, until
 * every one of the list had its turn.
 */
export function spread<Item>(list: readonly Item[], count: number, turn = 0): Item[] {
  if (count >= list.length) return [...list]
  const shift = (turn * count) % list.length
  return Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length + shift) / count)]).filter(
    (item) => item !== undefined,
  )
}
