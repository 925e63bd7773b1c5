// How lists of entities become facts: each series of facts by its key, in the order of the chain.

import type { LogPosition } from '../rules/log.ts'
import type { FactsQuery } from './generated/queries.ts'
import { append, type FactsByKey, type Since, type Timeline } from './timeline.ts'

/** The lists of entities that are asked of graph-node. */
export type Lists = Omit<FactsQuery, '_meta' | 'protocol' | 'transcoderPool'>
/** The name of such a list. */
export type ListName = keyof Lists
/** An entity of a list. */
export type EntityOf<Name extends ListName> = Lists[Name][number]

/** Facts of one kind. */
export interface Series<Fact extends Since> {
  readonly list: ListName
  /** Takes the facts of a list's entities, which come after all that are held; gives how many there are. */
  hold(lists: Lists, into: FactsByKey<Fact>, names: Names): number
}

/** The facts of a series. */
export type FactOf<S> = S extends Series<infer Fact> ? Fact : never
/** What a subject's facts are read from. */
export type Timelines<Subject> = { readonly [Name in keyof Subject]: Timeline<FactOf<Subject[Name]>> }

/** The key of what is one list. */
export const ALL = ''

/** A series: the key and the fact that an entity of a list tells; undefined where it tells none. */
export function series<Name extends ListName, Fact extends Since>(
  list: Name,
  read: (entity: EntityOf<Name>, names: Names) => readonly [key: string, fact: Fact] | undefined,
): Series<Fact> {
  return {
    list,
    hold: (lists, into, names) => {
      const entities: readonly EntityOf<Name>[] = lists[list]
      let count = 0
      for (const entity of entities) {
        const told = read(entity, names)
        if (told === undefined) continue
        append(into, ...told)
        count += 1
      }
      return count
    },
  }
}

/** The block from which on an entity of any list is so. */
export function blockOf(entity: EntityOf<ListName>): number {
  const { block, fromBlock, firstCheckpointBlock, closingBlock } = entity as Partial<
    Record<'block' | 'fromBlock', number>
  > & { firstCheckpointBlock?: number; closingBlock?: number }
  // That a poll is over was told by an event of the block after closingBlock.
  return block ?? fromBlock ?? firstCheckpointBlock ?? (closingBlock ?? 0) + 1
}

/** Where an entity stands among those of its list: in a block by its log, and what holds from a round on by that round. */
export function placeOf(entity: EntityOf<ListName>): { block: number; logIndex: number } {
  const { logIndex, fromRound } = entity as { logIndex?: number; fromRound?: number }
  return { block: blockOf(entity), logIndex: logIndex ?? fromRound ?? 0 }
}

/** One text for each address or id, however often graph-node sends it. */
export class Names {
  readonly #known = new Map<string, string>()

  of(name: string): string {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    // A part of a longer text would keep all of it in memory.
    const own = Buffer.from(name).toString()
    this.#known.set(own, own)
    return own
  }
}

/** The last Unix second that ISO 8601 has a year for: no chain's clock is beyond it, whatever it says. */
const END_OF_9999 = 253_402_300_799

/** Where a log stands, of an entity that records one. */
export function logPosition(log: Omit<LogPosition, 'timestamp'> & { timestamp: string }): LogPosition {
  const { block, logIndex, timestamp, transactionHash, round } = log
  const seconds = Math.min(Math.max(Number(timestamp), 0), END_OF_9999)
  return { block, logIndex, timestamp: seconds, transactionHash, round }
}
