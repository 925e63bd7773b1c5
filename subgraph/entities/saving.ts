import { Bytes, Entity, store } from '@graphprotocol/graph-ts'
import { toHex } from '../ids'

/**
 * Writes an entity, or of one that is stored those fields that are set. What is generated for it makes texts of the id that
 * cost more than the rest.
 */
export function saveAs(kind: string, id: Bytes, entity: Entity): void {
  store.set(kind, toHex(id), entity)
}
