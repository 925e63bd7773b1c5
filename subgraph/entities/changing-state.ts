import { Bytes, Entity, store, TypedMapEntry, Value, ValueKind } from '@graphprotocol/graph-ts'
import { supersededPositionId } from '../ids'
import { saveAs } from './saving'

/** "No end yet", for rounds and blocks. */
export const NO_END = i32.MAX_VALUE

/**
 * A position that an event may change: what held before is kept as superseded, if it held at a block's end or a round's
 * start, and of the new state only what changed is written, as every field that is written costs time.
 */
export class ChangingState {
  private stored: Entity
  private before: Entity

  /** `key` is the account in hex, which costs time to make. */
  constructor(
    private kind: string,
    private key: string,
    private state: Entity,
    isStored: bool,
  ) {
    this.before = copy(state)
    this.stored = isStored ? this.before : new Entity()
  }

  /** What was set until now is no change of its own: it is written only along with one. */
  begin(): void {
    this.before = copy(this.state)
  }

  /** Writes what changed, once: so from this block on, and from the start of this round on. True for an account's first. */
  save(account: Bytes, block: i32, round: i32): bool {
    if (isSame(this.before, this.state)) return false
    this.state.set('fromRound', Value.fromI32(round))
    this.state.set('fromBlock', Value.fromI32(block))
    const changed = changes(this.stored, this.state)
    changed.set('id', Value.fromBytes(account))
    store.set(this.kind, this.key, changed)

    const fromBlock = this.stored.get('fromBlock')
    const fromRound = this.stored.get('fromRound')
    if (fromBlock == null || fromRound == null) return true
    if (fromBlock.toI32() == block && fromRound.toI32() == round) return false
    const id = supersededPositionId(account, fromBlock.toI32(), fromRound.toI32())
    this.stored.set('id', Value.fromBytes(id))
    this.stored.set('untilRound', Value.fromI32(round))
    this.stored.set('untilBlock', Value.fromI32(block))
    saveAs(this.kind, id, this.stored)
    return false
  }
}

function copy(entity: Entity): Entity {
  const twin = new Entity()
  for (let i = 0; i < entity.entries.length; i++) add(twin, entity.entries[i])
  return twin
}

function isSame(before: Entity, after: Entity): bool {
  for (let i = 0; i < after.entries.length; i++) {
    if (!isSameField(before, after, i)) return false
  }
  return true
}

/** The fields that differ, as they are after. */
function changes(before: Entity, after: Entity): Entity {
  const differing = new Entity()
  for (let i = 0; i < after.entries.length; i++) {
    if (!isSameField(before, after, i)) add(differing, after.entries[i])
  }
  return differing
}

/** Without looking for the field among those that are there, as set() does. */
function add(entity: Entity, entry: TypedMapEntry<string, Value>): void {
  entity.entries.push(new TypedMapEntry<string, Value>(entry.key, entry.value))
}

/**
 * Fields stand in the same order before and after, new ones at the end. Of the kinds that positions are made of: numbers,
 * flags, bytes and nothing, which may as well be left out.
 */
function isSameField(before: Entity, after: Entity, place: i32): bool {
  const value = after.entries[place].value
  if (place >= before.entries.length) return value.kind == ValueKind.NULL
  const known = before.entries[place].value
  if (changetype<usize>(known) == changetype<usize>(value)) return true
  if (known.kind != value.kind) return false
  if (value.kind == ValueKind.BYTES) return known.toBytes() == value.toBytes()
  if (value.kind == ValueKind.BIGINT) return known.toBigInt() == value.toBigInt()
  return known.data == value.data
}
