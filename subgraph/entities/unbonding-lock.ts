import { Address, BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { UnbondingLock } from '../generated/schema'
import { unbondingLockId } from '../ids'
import { saveAs } from './saving'
import { StakePositions } from './stake-positions'

/** A new open lock of amount, wei, that can be withdrawn from withdrawRound on. */
export function createUnbondingLock(
  event: ethereum.Event,
  owner: Bytes,
  lockId: i32,
  amount: BigInt,
  withdrawRound: i32,
): void {
  const lock = new UnbondingLock(unbondingLockId(owner, lockId))
  lock.account = owner
  lock.lockId = lockId
  lock.amount = amount
  lock.withdrawRound = withdrawRound
  lock.state = 'OPEN'
  lock.openedAtBlock = event.block.number.toI32()
  saveAs('UnbondingLock', lock.id, lock)
}

/**
 * Ends an open lock: state is REBONDED, WITHDRAWN or TRANSFERRED. Returns its withdrawRound. A lock that is not there,
 * is not open or holds another amount contradicts its owner's state; then 0.
 */
export function closeUnbondingLock(
  positions: StakePositions,
  event: ethereum.Event,
  owner: Bytes,
  lockId: i32,
  amount: BigInt,
  state: string,
): i32 {
  const lock = UnbondingLock.load(unbondingLockId(owner, lockId))
  if (lock == null || lock.state != 'OPEN' || lock.amount != amount) {
    const found = lock == null ? 'none' : `${lock.amount} ${lock.state}`
    const position = positions.delegator(owner)
    positions.contradictDelegator(position, `unbonding lock ${lockId} of ${amount} is ${found}`)
    if (lock == null) positions.contradictDelegates(position, Address.zero())
    return 0
  }
  // What stays as it is need not be written again.
  const closed = new UnbondingLock(lock.id)
  closed.state = state
  closed.closedAtBlock = event.block.number.toI32()
  saveAs('UnbondingLock', closed.id, closed)
  return lock.withdrawRound
}

/** The same on L1, where a lock never seen is passed over: it may be what was unbonding when locks came, in August 2018. */
export function closeKnownLock(
  positions: StakePositions,
  event: ethereum.Event,
  owner: Bytes,
  lockId: i32,
  amount: BigInt,
  state: string,
): void {
  if (UnbondingLock.load(unbondingLockId(owner, lockId)) == null) return
  closeUnbondingLock(positions, event, owner, lockId, amount, state)
}
