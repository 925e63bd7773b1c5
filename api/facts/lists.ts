// What every subject's facts are read by: lists of entities in the order of blocks, and where they are held.

import type { LogPosition } from '../rules/log.ts'
import type { FactsQuery } from './generated/queries.ts'

/** The lists of facts that are asked of graph-node. */
export type Lists = Omit<FactsQuery, 'protocol' | 'transcoderPool'>
/** The name of such a list. */
export type ListName = keyof Lists
/** An entity of a list. */
export type EntityOf<Name extends ListName> = Lists[Name][number]

/** How a list is read into what is held. */
export interface ListReader<Name extends ListName, Layer> {
  /** The block from which on the entity is so. */
  blockOf: (entity: EntityOf<Name>) => number
  /** Takes an entity, which comes after all that are in the layer, or in the one below it; gives how many facts it is. */
  hold: (entity: EntityOf<Name>, layer: Layer, below: Layer | undefined, names: Names) => number
}

/** Reads some lists into the same layer. */
export type ListReaders<Names extends ListName, Layer> = { [Name in Names]: ListReader<Name, Layer> }

/** One text for each address, however often graph-node sends it. */
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

/** Where a log stands, of an entity that records one. */
export function logPosition(log: {
  block: number
  logIndex: number
  timestamp: string
  transactionHash: string
  round: number
}): LogPosition {
  const { block, logIndex, timestamp, transactionHash, round } = log
  return { block, logIndex, timestamp: Number(timestamp), transactionHash, round }
}
