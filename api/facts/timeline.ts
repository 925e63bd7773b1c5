/** Something that is so from a block on. */
export interface Since {
  block: number
}

/** What holds from a block on, and at the start of every round from one on: what changes in a round counts from the next. */
export interface Version extends Since {
  fromRound: number
}

/** Facts by key, each key's in the order of the chain. */
export type FactsByKey<Fact> = Map<string, Fact[]>

/** Adds a fact, which comes after all of its key. */
export function append<Fact>(facts: FactsByKey<Fact>, key: string, fact: Fact): void {
  const list = facts.get(key)
  if (list === undefined) facts.set(key, [fact])
  else list.push(fact)
}

/**
 * Facts as of the end of a block, in two layers: the final ones, of blocks up to a mark, which others may add to while
 * this is read, and those above it, which a later step replaces as a whole. What lies beyond block or mark is not seen.
 */
export class Timeline<Fact extends Since> {
  constructor(
    private readonly final: FactsByKey<Fact>,
    private readonly tail: FactsByKey<Fact>,
    private readonly mark: number,
    private readonly block: number,
  ) {}

  /** The same as of another block. */
  asOf(block: number): Timeline<Fact> {
    return new Timeline(this.final, this.tail, this.mark, block)
  }

  /** The last fact of a key for which this and everything before it is so; undefined where there is none. */
  last(key: string, isBefore: (fact: Fact) => boolean = () => true): Fact | undefined {
    return (
      lastOf(this.tail.get(key), (fact) => fact.block <= this.block && isBefore(fact)) ??
      lastOf(this.final.get(key), (fact) => this.#isFinal(fact) && isBefore(fact))
    )
  }

  /** All facts of a key, in the order of the chain. */
  all(key: string): Fact[] {
    const final = this.final.get(key) ?? []
    const tail = this.tail.get(key) ?? []
    return [
      ...final.slice(
        0,
        countWhile(final, (fact) => this.#isFinal(fact)),
      ),
      ...tail.slice(
        0,
        countWhile(tail, (fact) => fact.block <= this.block),
      ),
    ]
  }

  /** The keys of which anything is known, as of this block or later ones. */
  *keys(): Generator<string> {
    yield* this.final.keys()
    for (const key of this.tail.keys()) if (!this.final.has(key)) yield key
  }

  #isFinal({ block }: Fact): boolean {
    return block <= this.mark && block <= this.block
  }
}

function lastOf<Fact>(facts: readonly Fact[] | undefined, isBefore: (fact: Fact) => boolean): Fact | undefined {
  return facts === undefined ? undefined : facts[countWhile(facts, isBefore) - 1]
}

/** How many facts, from the first, something is so of; it is of none after the first that it is not so of. */
export function countWhile<Fact>(facts: readonly Fact[], isSo: (fact: Fact) => boolean): number {
  let low = 0
  let high = facts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const fact = facts[middle]
    if (fact !== undefined && isSo(fact)) low = middle + 1
    else high = middle
  }
  return low
}
