import { Address, BigInt, Bytes } from '@graphprotocol/graph-ts'
import { TokenBalance, VotingToken } from '../generated/schema'
import { supersededTokenBalanceId, tokenBalanceId } from '../ids'
import { getOrCreateAccount } from './account'
import { NO_END } from './changing-state'

/** A voting token, not saved when new; nothing of it exists before any transfer. */
export function getOrCreateVotingToken(address: Bytes): VotingToken {
  const stored = VotingToken.load(address)
  if (stored != null) return stored
  const token = new VotingToken(address)
  token.totalSupply = BigInt.zero()
  token.previousTotalSupply = BigInt.zero()
  token.supplyBlock = 0
  return token
}

/** Moves an amount, wei, from one holder to another in a block; from the zero address it is minted, to it burned. */
export function moveTokens(token: VotingToken, from: Bytes, to: Bytes, amount: BigInt, block: i32): void {
  const isMint = from == Address.zero()
  const isBurn = to == Address.zero()
  // The zero address stands for the total supply, which grows by what it gives.
  changeBalance(token, from, isMint ? amount : amount.neg(), block)
  changeBalance(token, to, isBurn ? amount.neg() : amount, block)
  if (isMint) changeSupply(token, amount, block)
  if (isBurn) changeSupply(token, amount.neg(), block)
}

/** Total supply at the end of the last block before one being indexed, wei; null where no transfers are indexed. */
export function totalSupplyBefore(address: Bytes, block: i32): BigInt | null {
  const token = VotingToken.load(address)
  if (token == null) return null
  return token.supplyBlock == block ? token.previousTotalSupply : token.totalSupply
}

function changeSupply(token: VotingToken, change: BigInt, block: i32): void {
  if (token.supplyBlock != block) token.previousTotalSupply = token.totalSupply
  token.supplyBlock = block
  token.totalSupply += change
}

function changeBalance(token: VotingToken, holder: Bytes, change: BigInt, block: i32): void {
  const stored = TokenBalance.load(tokenBalanceId(token.id, holder))
  const balance = stored == null ? newBalance(token, holder, block) : stored
  if (balance.fromBlock != block) supersede(balance, block)
  balance.balance += change
  balance.save()
}

function newBalance(token: VotingToken, holder: Bytes, block: i32): TokenBalance {
  const balance = new TokenBalance(tokenBalanceId(token.id, holder))
  balance.token = token.id
  balance.holder = getOrCreateAccount(holder).id
  balance.balance = BigInt.zero()
  balance.fromBlock = block
  balance.untilBlock = NO_END
  return balance
}

/** Saves the balance as it was at the end of earlier blocks under an id of its own, and opens a new one. */
function supersede(balance: TokenBalance, block: i32): void {
  const latest = balance.id
  balance.id = supersededTokenBalanceId(balance.token, balance.holder, balance.fromBlock)
  balance.untilBlock = block
  balance.save()
  balance.id = latest
  balance.fromBlock = block
  balance.untilBlock = NO_END
}
