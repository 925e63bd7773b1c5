import { Bytes, Entity, store, Value } from '@graphprotocol/graph-ts'

/**
 * A stored entity and the values it was loaded with, to write only what changed. The store merges what it is given into
 * what it has, and every field costs time on its way out of the sandbox.
 */
export class Changes<T extends Entity> {
  private values: Value[] = []

  /** To be made right after the entity was loaded or saved whole. */
  constructor(
    private type: string,
    private entity: T,
  ) {
    for (let i = 0; i < entity.entries.length; i++) this.values.push(entity.entries[i].value)
  }

  /** Writes the fields set since. A setter puts a new value in place, so that it is the same one where nothing was set. */
  save(id: Bytes): void {
    const entries = this.entity.entries
    const changed = new Entity()
    for (let i = 0; i < entries.length; i++) {
      const isSame = i < this.values.length && changetype<usize>(entries[i].value) == changetype<usize>(this.values[i])
      if (!isSame) changed.set(entries[i].key, entries[i].value)
    }
    if (changed.entries.length == 0) return
    changed.set('id', Value.fromBytes(id))
    store.set(this.type, id.toHexString(), changed)
  }
}
