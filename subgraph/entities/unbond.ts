import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, Unbond } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'
import { saveAs } from './saving'

/** Writes down an Unbond of amount, wei, into a lock that can be withdrawn from withdrawRound on. */
export function recordUnbond(
  event: ethereum.Event,
  protocol: Protocol,
  delegator: Bytes,
  delegate: Bytes,
  amount: BigInt,
  lockId: i32,
  withdrawRound: i32,
): void {
  const unbond = new Unbond(logId(event))
  unbond.delegator = delegator
  unbond.delegate = delegate
  unbond.amount = amount
  unbond.lockId = lockId
  unbond.withdrawRound = withdrawRound
  setLogPosition(unbond, event, protocol)
  saveAs('Unbond', unbond.id, unbond)
}
