import { Address, Bytes } from '@graphprotocol/graph-ts'
import { Account } from '../generated/schema'

/** An account, saved when new so that other entities can refer to it. */
export function getOrCreateAccount(address: Bytes): Account {
  const stored = Account.load(address)
  if (stored != null) return stored
  const account = new Account(address)
  account.save()
  return account
}

/** Whether it is the address that stands for nobody. */
export function isZeroAddress(address: Bytes): boolean {
  return address == Address.zero()
}
