import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Bond, Protocol } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'
import { saveAs } from './saving'

/**
 * Whether a Bond adds nothing and leaves the delegate as it is. bond() refuses that: governance repaired a bond by it, which
 * set what is bonded and moved no stake (LIP-77).
 */
export function isRepair(additionalAmount: BigInt, oldDelegate: Bytes, newDelegate: Bytes): boolean {
  return additionalAmount.isZero() && oldDelegate == newDelegate
}

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
  saveAs('Bond', bond.id, bond)
}
