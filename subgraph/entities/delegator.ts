import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, StakePosition } from '../generated/schema'
import { earningsPoolId } from '../ids'
import { INITIALISES_POOL_AT_REBOND, MOVES_STAKE_FROM_ZERO_ADDRESS } from '../protocol/bonding-manager-version'
import { getOrCreateAccount, isZeroAddress } from './account'
import { initialisePool } from './earnings-pool'
import { bondingManagerVersionOf } from './protocol'
import { StakePositions } from './stake-positions'

/** Contradicts an event that names another delegate than the owner has; the zero address also stands for none. */
export function checkDelegate(positions: StakePositions, owner: StakePosition, delegate: Bytes, what: string): void {
  if (!sameDelegate(owner, delegate)) positions.contradict(owner, `${what} ${delegate.toHexString()}`)
}

/** Contradicts a Bond of an amount, wei, that does not make what the owner had into what it tells. */
export function checkBond(positions: StakePositions, owner: StakePosition, amount: BigInt, bondedAmount: BigInt): void {
  const bonded = owner.bondedAmount
  if (bondedAmount == bonded + amount) return
  positions.contradict(owner, `Bond of ${amount} on ${bonded} gives ${bondedAmount}`)
}

/** Whether what was bonded goes along to a new delegate (BondingManager.bondForWithHint). */
export function movesStake(event: ethereum.Event, protocol: Protocol, oldDelegate: Bytes, newDelegate: Bytes): boolean {
  if (newDelegate == oldDelegate) return false
  return !isZeroAddress(oldDelegate) || bondingManagerVersionOf(event, protocol) >= MOVES_STAKE_FROM_ZERO_ADDRESS
}

/** The account's stake counts for this delegate; its next claim starts from the delegate's pool of its last one. */
export function delegateTo(owner: StakePosition, delegate: Bytes): void {
  owner.delegate = getOrCreateAccount(delegate).id
  owner.startPool = earningsPoolId(delegate, owner.lastClaimRound)
}

/** Takes an amount, wei, off the bond; the last of it ends the delegation (BondingManager.unbond). */
export function unbondFrom(positions: StakePositions, owner: StakePosition, amount: BigInt): void {
  if (amount > owner.bondedAmount) {
    positions.contradict(owner, `Unbond of ${amount} from ${owner.bondedAmount}`)
    owner.bondedAmount = amount
  }
  owner.bondedAmount -= amount
  if (!owner.bondedAmount.isZero()) return
  owner.delegate = null
  owner.startPool = null
  owner.startRound = 0
}

/** Adds an amount, wei, to the bond; who has nothing bonded begins anew (BondingManager.rebond, rebondFromUnbonded). */
export function rebondTo(
  event: ethereum.Event,
  protocol: Protocol,
  positions: StakePositions,
  owner: StakePosition,
  delegate: Bytes,
  amount: BigInt,
): void {
  const wasUnbonded = owner.bondedAmount.isZero()
  if (wasUnbonded && bondingManagerVersionOf(event, protocol) >= INITIALISES_POOL_AT_REBOND) {
    initialisePool(positions.find(delegate), protocol.currentRound)
  }
  if (wasUnbonded || !sameDelegate(owner, delegate)) delegateTo(owner, delegate)
  if (wasUnbonded) owner.startRound = protocol.currentRound + 1
  owner.bondedAmount += amount
}

function sameDelegate(owner: StakePosition, delegate: Bytes): boolean {
  const current = owner.delegate
  if (!current) return isZeroAddress(delegate)
  return current == delegate
}
