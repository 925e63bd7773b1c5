import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, Rebond } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'
import { saveAs } from './saving'

/** Writes down a Rebond of the amount, wei, of a lock. */
export function recordRebond(
  event: ethereum.Event,
  protocol: Protocol,
  delegator: Bytes,
  delegate: Bytes,
  amount: BigInt,
  lockId: i32,
): void {
  const rebond = new Rebond(logId(event))
  rebond.delegator = delegator
  rebond.delegate = delegate
  rebond.amount = amount
  rebond.lockId = lockId
  setLogPosition(rebond, event, protocol)
  saveAs('Rebond', rebond.id, rebond)
}
