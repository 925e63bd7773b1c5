import { BigInt, Bytes } from '@graphprotocol/graph-ts'
import { DelegatorPosition, Protocol } from '../generated/schema'
import { getOrCreateAccount, isZeroAddress } from './account'
import { L1Stake } from './l1-stake'

/**
 * Whether bondedAmount is what the contract had right before an event that changes it. Such an event is preceded by a
 * claim up to the current round, which V1 does not tell, so only an amount of this very round is known then.
 */
export function isBondedAmountKnown(owner: DelegatorPosition, protocol: Protocol): boolean {
  return owner.lastClaimRound == protocol.currentRound
}

/** The owner delegates from now on; a change of delegate counts from the next round (BondingManager.bond). */
export function delegateTo(owner: DelegatorPosition, protocol: Protocol, delegate: Bytes): void {
  const current = owner.delegate
  if (current && current == delegate) return
  owner.delegate = getOrCreateAccount(delegate).id
  owner.startRound = protocol.currentRound + 1
}

/** Nothing is bonded, that is certain, as of the current round. */
export function endDelegation(owner: DelegatorPosition, protocol: Protocol): void {
  owner.delegate = null
  owner.startRound = 0
  owner.bondedAmount = BigInt.zero()
  owner.lastClaimRound = protocol.currentRound
}

/** Takes an amount, wei, off the bond: what is left is the least that can be bonded unless it was known before. */
export function unbondFrom(owner: DelegatorPosition, protocol: Protocol, amount: BigInt): void {
  const isKnown = isBondedAmountKnown(owner, protocol)
  owner.bondedAmount = owner.bondedAmount > amount ? owner.bondedAmount - amount : BigInt.zero()
  if (!isKnown) owner.lastClaimRound = 0
  else if (owner.bondedAmount.isZero()) endDelegation(owner, protocol)
}

/** Adds an amount, wei, to the bond. Only who has nothing bonded can rebond to another delegate (rebondFromUnbonded). */
export function rebondTo(owner: DelegatorPosition, protocol: Protocol, delegate: Bytes, amount: BigInt): void {
  const current = owner.delegate
  if (!current || current != delegate) endDelegation(owner, protocol)
  else if (!isBondedAmountKnown(owner, protocol)) owner.lastClaimRound = 0
  delegateTo(owner, protocol, delegate)
  owner.bondedAmount += amount
}

/** Contradicts an event that names another delegate than the owner has. */
export function checkDelegate(stake: L1Stake, owner: DelegatorPosition, delegate: Bytes, what: string): void {
  const known = owner.delegate
  if (known && known == delegate) return
  stake.positions.contradictDelegator(owner, `${what} ${delegate.toHexString()}`)
  stake.contradictDelegates(owner, delegate)
}

/** Contradicts a bond, wei, before an event, where it is known. Who unbonded at launch has stake without a delegate. */
export function checkBonded(stake: L1Stake, owner: DelegatorPosition, bonded: BigInt): void {
  if (!owner.delegate || !isBondedAmountKnown(owner, stake.protocol) || owner.bondedAmount == bonded) return
  stake.positions.contradictDelegator(owner, `Bond on ${bonded}, not ${owner.bondedAmount}`)
}

/**
 * Until October 2018 an Unbond of all that was bonded named the delegate the owner had after it, which was none. Whoever
 * delegated to the zero address aside, that tells both the delegate before and that nothing is left.
 */
export function delegateBeforeUnbond(owner: DelegatorPosition, delegate: Bytes): Bytes {
  const known = owner.delegate
  return isZeroAddress(delegate) && known ? known : delegate
}

/**
 * Adds rewards, wei, to the bond (BondingManager.updateDelegatorWithEarnings), whose amount is known after it where it was
 * known up to the round before. A claim from no delegate tells that nothing is bonded.
 */
export function claimEarnings(
  stake: L1Stake,
  owner: DelegatorPosition,
  delegate: Bytes,
  startRound: i32,
  endRound: i32,
  rewards: BigInt,
): void {
  if (isZeroAddress(delegate) && !delegatesToZeroAddress(owner)) {
    endDelegation(owner, stake.protocol)
    owner.lastClaimRound = endRound
    return
  }
  const isKnown = owner.lastClaimRound == startRound - 1
  checkDelegate(stake, owner, delegate, 'EarningsClaimed from')
  owner.bondedAmount += rewards
  owner.lastClaimRound = isKnown ? endRound : 0
}

function delegatesToZeroAddress(owner: DelegatorPosition): boolean {
  const delegate = owner.delegate
  return delegate ? isZeroAddress(delegate) : false
}
