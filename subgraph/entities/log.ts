import { Entity, ethereum, Value } from '@graphprotocol/graph-ts'
import { Protocol } from '../generated/schema'

/** Where the event stands on the chain, the same fields on every entity that records a log. */
export function setLogPosition(entity: Entity, event: ethereum.Event, protocol: Protocol): void {
  entity.set('round', Value.fromI32(protocol.currentRound))
  entity.set('block', Value.fromI32(event.block.number.toI32()))
  entity.set('logIndex', Value.fromI32(event.logIndex.toI32()))
  entity.set('timestamp', Value.fromI64(event.block.timestamp.toI64()))
  entity.set('transactionHash', Value.fromBytes(event.transaction.hash))
}
