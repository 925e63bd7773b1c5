import { Bytes, Entity, store, Value, ValueKind } from '@graphprotocol/graph-ts'
import { supersededPositionId } from '../ids'

/** "No end yet", for rounds and blocks. */
export const NO_END = i32.MAX_VALUE

/**
 * A position that an event may change: what held before is kept as superseded, if it held at a block's end or a round's
 * start, and of the new state only what changed is written, as every field that is written costs time.
 */
export class ChangingState {
  private stored: Entity
  private before: Entity = new Entity()

  constructor(
    private kind: string,
    private state: Entity,
    isStored: bool,
  ) {
    this.stored = isStored ? copy(state) : new Entity()
  }

  /** What was set until now is no change of its own: it is written only along with one. */
  begin(): void {
    this.before = copy(this.state)
  }

  /** Writes what changed: so from this block on, and from the start of this round on. */
  save(account: Bytes, block: i32, round: i32): void {
    if (changes(this.before, this.state).entries.length == 0) return
    const fromBlock = this.stored.get('fromBlock')
    const fromRound = this.stored.get('fromRound')
    if (fromBlock != null && fromRound != null && (fromBlock.toI32() != block || fromRound.toI32() != round)) {
      const id = supersededPositionId(account, fromBlock.toI32(), fromRound.toI32())
      const superseded = copy(this.stored)
      superseded.set('id', Value.fromBytes(id))
      superseded.set('untilRound', Value.fromI32(round))
      superseded.set('untilBlock', Value.fromI32(block))
      store.set(this.kind, id.toHexString(), superseded)
    }
    this.state.set('fromRound', Value.fromI32(round))
    this.state.set('fromBlock', Value.fromI32(block))
    const changed = changes(this.stored, this.state)
    changed.set('id', Value.fromBytes(account))
    store.set(this.kind, account.toHexString(), changed)
  }
}

function copy(entity: Entity): Entity {
  const twin = new Entity()
  for (let i = 0; i < entity.entries.length; i++) twin.set(entity.entries[i].key, entity.entries[i].value)
  return twin
}

/** The fields that differ, as they are after. */
function changes(before: Entity, after: Entity): Entity {
  const differing = new Entity()
  for (let i = 0; i < after.entries.length; i++) {
    const entry = after.entries[i]
    if (!isSame(before.get(entry.key), entry.value)) differing.set(entry.key, entry.value)
  }
  return differing
}

/** Of the kinds that positions are made of: numbers, flags, bytes and nothing, which may as well be left out. */
function isSame(before: Value | null, after: Value): bool {
  if (before == null) return after.kind == ValueKind.NULL
  if (before.kind != after.kind) return false
  if (after.kind == ValueKind.BYTES) return before.toBytes() == after.toBytes()
  if (after.kind == ValueKind.BIGINT) return before.toBigInt() == after.toBigInt()
  return before.data == after.data
}
