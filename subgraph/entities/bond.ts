import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Bond, Protocol } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'

/** Writes down a Bond: amounts are wei, oldDelegate is null for who delegated to nobody. */
export function recordBond(
  event: ethereum.Event,
  protocol: Protocol,
  delegator: Bytes,
  newDelegate: Bytes,
  oldDelegate: Bytes | null,
  additionalAmount: BigInt,
  bondedAmount: BigInt,
): void {
  const bond = new Bond(logId(event))
  bond.delegator = delegator
  bond.newDelegate = newDelegate
  if (oldDelegate) bond.oldDelegate = oldDelegate
  bond.additionalAmount = additionalAmount
  bond.bondedAmount = bondedAmount
  setLogPosition(bond, event, protocol)
  bond.save()
}
