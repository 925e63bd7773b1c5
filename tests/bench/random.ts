/** Pseudo-random numbers from 0 to below 1 that are the same at every run. */
export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What is left to chance, the same at every run for the same seed. */
export class Chance {
  /** A number from 0 to below 1. */
  readonly share: () => number

  constructor(seed: number) {
    this.share = mulberry32(seed)
  }

  /** A whole number from 0 to below the limit. */
  below(limit: number): number {
    return Math.floor(this.share() * limit)
  }

  oneOf<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('there is nothing to choose from')
    return item
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const [a, b] = [shuffled[last], shuffled[other]] as [Item, Item]
      shuffled[last] = b
      shuffled[other] = a
    }
    return shuffled
  }
}
