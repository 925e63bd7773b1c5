import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { DelegatorPosition, Protocol } from '../generated/schema'
import { INITIALISES_POOL_AT_REBOND, MOVES_STAKE_FROM_ZERO_ADDRESS } from '../protocol/bonding-manager-version'
import { getOrCreateAccount, isZeroAddress } from './account'
import { initialisePool } from './earnings-pool'
import { bondingManagerVersionOf } from './protocol'
import { StakePositions } from './stake-positions'

/** Contradicts an event that names another delegate than the owner has; the zero address also stands for none. */
export function checkDelegate(
  positions: StakePositions,
  owner: DelegatorPosition,
  delegate: Bytes,
  what: string,
): void {
  if (sameDelegate(owner, delegate)) return
  positions.contradictDelegator(owner, `${what} ${delegate.toHexString()}`)
  positions.contradictDelegates(owner, delegate)
}

/** Contradicts a Bond of an amount, wei, that does not make what the owner had into what it tells. */
export function checkBond(
  positions: StakePositions,
  owner: DelegatorPosition,
  amount: BigInt,
  bondedAmount: BigInt,
): void {
  const bonded = owner.bondedAmount
  if (bondedAmount == bonded + amount) return
  positions.contradictDelegator(owner, `Bond of ${amount} on ${bonded} gives ${bondedAmount}`)
}

/** Sets what is bonded, wei, as governance did; contradicts a repair of another delegate's delegator. */
export function repairBond(
  positions: StakePositions,
  owner: DelegatorPosition,
  delegate: Bytes,
  bondedAmount: BigInt,
): void {
  if (!sameDelegate(owner, delegate)) {
    positions.contradictDelegator(owner, `repaired with delegate ${delegate.toHexString()}`)
    delegateTo(owner, delegate)
  }
  owner.bondedAmount = bondedAmount
}

/** Whether what was bonded goes along to a new delegate (BondingManager.bondForWithHint). */
export function movesStake(event: ethereum.Event, protocol: Protocol, oldDelegate: Bytes, newDelegate: Bytes): boolean {
  if (newDelegate == oldDelegate) return false
  return !isZeroAddress(oldDelegate) || bondingManagerVersionOf(event, protocol) >= MOVES_STAKE_FROM_ZERO_ADDRESS
}

/** The account's stake counts for this delegate; its next claim starts from the delegate's pool of its last one. */
export function delegateTo(owner: DelegatorPosition, delegate: Bytes): void {
  owner.delegate = getOrCreateAccount(delegate).id
}

/** Takes an amount, wei, off the bond; the last of it ends the delegation (BondingManager.unbond). */
export function unbondFrom(positions: StakePositions, owner: DelegatorPosition, amount: BigInt): void {
  if (amount > owner.bondedAmount) {
    positions.contradictDelegator(owner, `Unbond of ${amount} from ${owner.bondedAmount}`)
    owner.bondedAmount = amount
  }
  owner.bondedAmount -= amount
  if (!owner.bondedAmount.isZero()) return
  owner.delegate = null
  owner.startRound = 0
}

/** Adds an amount, wei, to the bond; who has nothing bonded begins anew (BondingManager.rebond, rebondFromUnbonded). */
export function rebondTo(
  event: ethereum.Event,
  protocol: Protocol,
  positions: StakePositions,
  owner: DelegatorPosition,
  delegate: Bytes,
  amount: BigInt,
): void {
  const wasUnbonded = owner.bondedAmount.isZero()
  if (wasUnbonded && bondingManagerVersionOf(event, protocol) >= INITIALISES_POOL_AT_REBOND) {
    initialisePool(positions.transcoder(delegate), protocol.currentRound, positions.block)
  }
  if (wasUnbonded || !sameDelegate(owner, delegate)) delegateTo(owner, delegate)
  if (wasUnbonded) owner.startRound = protocol.currentRound + 1
  owner.bondedAmount += amount
}

function sameDelegate(owner: DelegatorPosition, delegate: Bytes): boolean {
  const current = owner.delegate
  if (!current) return isZeroAddress(delegate)
  return current == delegate
}
