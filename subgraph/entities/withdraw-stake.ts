import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, WithdrawStake } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'
import { saveAs } from './saving'

/** Writes down that the amount, wei, of a lock was paid out. */
export function recordWithdrawStake(
  event: ethereum.Event,
  protocol: Protocol,
  delegator: Bytes,
  lockId: i32,
  amount: BigInt,
): void {
  const withdrawal = new WithdrawStake(logId(event))
  withdrawal.delegator = delegator
  withdrawal.lockId = lockId
  withdrawal.amount = amount
  setLogPosition(withdrawal, event, protocol)
  saveAs('WithdrawStake', withdrawal.id, withdrawal)
}
