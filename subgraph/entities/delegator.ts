import { Address } from '@graphprotocol/graph-ts'
import { StakePosition } from '../generated/schema'
import { earningsPoolId } from '../ids'
import { getOrCreateAccount, isZeroAddress } from './account'

/** Whether an event's delegate is the account's; the zero address also stands for none. */
export function sameDelegate(owner: StakePosition, delegate: Address): boolean {
  const current = owner.delegate
  if (!current) return isZeroAddress(delegate)
  return current == delegate
}

/** The account's stake counts for this delegate; its next claim starts from the delegate's pool of its last one. */
export function delegateTo(owner: StakePosition, delegate: Address): void {
  owner.delegate = getOrCreateAccount(delegate).id
  owner.startPool = earningsPoolId(delegate, owner.lastClaimRound)
}
