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

  /**
   * The last fact of a key, or the last of those of which a number, which never falls from one to the next, is not above
   * a limit. Undefined where there is none.
   */
  last(key: string, number: NumbersIn<Fact> = 'block' as NumbersIn<Fact>, limit = Infinity): Fact | undefined {
    const { final, tail, mark, block } = this
    return lastOf(tail.get(key), block, number, limit) ?? lastOf(final.get(key), Math.min(block, mark), number, limit)
  }

  /** All facts of a key, in the order of the chain. */
  all(key: string): Fact[] {
    const final = this.final.get(key) ?? []
    const tail = this.tail.get(key) ?? []
    return [
      ...final.slice(0, countUpTo(final, Math.min(this.mark, this.block))),
      ...tail.slice(0, countUpTo(tail, this.block)),
    ]
  }

  /** The keys of which anything is known, as of this block or later ones. */
  *keys(): Generator<string> {
    yield* this.final.keys()
    for (const key of this.tail.keys()) if (!this.final.has(key)) yield key
  }
}

/** The names of what is a number in a fact. */
type NumbersIn<Fact> = { [Name in keyof Fact]: Fact[Name] extends number ? Name : never }[keyof Fact]

function lastOf<Fact extends Since>(
  facts: readonly Fact[] | undefined,
  block: number,
  number: NumbersIn<Fact>,
  limit: number,
): Fact | undefined {
  return facts === undefined ? undefined : facts[countUpTo(facts, block, number, limit) - 1]
}

/** How many facts, from the first, are so by a block, and of them those of which a number is not above a limit. */
function countUpTo<Fact extends Since>(
  facts: readonly Fact[],
  block: number,
  number: NumbersIn<Fact> = 'block' as NumbersIn<Fact>,
  limit = Infinity,
): number {
  let low = 0
  let high = facts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const fact = facts[middle]
    if (fact !== undefined && fact.block <= block && (fact[number] as number) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
