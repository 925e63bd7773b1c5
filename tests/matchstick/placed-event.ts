import { Address, BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { newMockEvent } from 'matchstick-as/assembly/index'

/** An event of a contract as it stands on the chain; its block's time is ten times its block's number. */
export function placedEvent<EventType>(
  address: string,
  transactionHash: string,
  block: i32,
  logIndex: i32,
  parameters: ethereum.EventParam[],
): EventType {
  const event = newMockEvent()
  event.address = Address.fromString(address)
  event.transaction.hash = Bytes.fromHexString(transactionHash)
  event.block.number = BigInt.fromI32(block)
  event.block.timestamp = BigInt.fromI32(block * 10)
  event.logIndex = BigInt.fromI32(logIndex)
  event.parameters = parameters
  return changetype<EventType>(event)
}
