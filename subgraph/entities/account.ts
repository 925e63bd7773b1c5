import { Address, Bytes, store } from '@graphprotocol/graph-ts'
import { Account } from '../generated/schema'
import { toHex } from '../ids'

/** An account, saved when new so that other entities can refer to it. */
export function getOrCreateAccount(address: Bytes): Account {
  const stored = store.get('Account', toHex(address))
  if (stored != null) return changetype<Account>(stored)
  const account = new Account(address)
  account.save()
  return account
}

/** Whether it is the address that stands for nobody. */
export function isZeroAddress(address: Bytes): boolean {
  return address == Address.zero()
}
