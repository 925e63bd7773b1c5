import { Address, BigInt, Bytes, dataSource } from '@graphprotocol/graph-ts'
import { BondingManagerL1 } from '../generated/BondingManager/BondingManagerL1'
import { TranscoderPool } from '../generated/schema'
import { keptNumber } from './kept-number'
import { L1Stake } from './l1-stake'

/** V1's numActiveTranscoders, which no event carries: the contract's, else the data source's context's; NOT_TOLD without. */
export function numActiveTranscoders(pool: TranscoderPool): i32 {
  const bondingManager = pool.bondingManager
  if (bondingManager) {
    const answer = BondingManagerL1.bind(Address.fromBytes(bondingManager)).try_numActiveTranscoders()
    if (!answer.reverted) return keptNumber(answer.value)
  }
  const context = dataSource.context()
  return context.isSet('numActiveTranscoders') ? context.getI32('numActiveTranscoders') : NOT_TOLD
}

/** Stands for a numActiveTranscoders that neither the contract nor the configuration told. */
export const NOT_TOLD = -1

/**
 * Compares the active set of the round that begins with the round's earnings pools, where they answer: a pool's
 * totalStake is not 0 for the active ones only (BondingManager.setActiveTranscoders). Where all stakes are told, a
 * difference is a Contradiction, but for the number of active ones: the owner may change it right after the round began,
 * in the same block, which numActiveTranscoders() shows too early. Where not, the earnings pools tell them. False where
 * they did not answer.
 */
export function confirmActiveSet(stake: L1Stake, round: i32): boolean {
  const bondingManager = stake.pool.bondingManager
  if (!bondingManager) return false
  const contract = BondingManagerL1.bind(Address.fromBytes(bondingManager))
  const members = stake.poolMembers()
  const expected = stake.activeMembers().length
  const active: Bytes[] = []
  const stakes: BigInt[] = []
  const isKnown = isEveryStakeExact(stake)
  let asExpected = isKnown
  let outOfPlace = -1
  // One beyond the expected ones says whether they are all; the others need not be asked then.
  for (let i = 0; i < members.length && (i <= expected || !asExpected); i++) {
    const answer = contract.try_getTranscoderEarningsPoolForRound(Address.fromBytes(members[i]), BigInt.fromI32(round))
    if (answer.reverted) return false
    const isActive = !answer.value.getTotalStake().isZero()
    if (isActive != i < expected) asExpected = false
    if (!isActive) continue
    if (isKnown && outOfPlace < 0 && active.length < i) outOfPlace = active.length
    active.push(members[i])
    stakes.push(answer.value.getTotalStake())
  }
  for (let i = 0; i < active.length; i++) confirmStake(stake, active[i], stakes[i], round)
  if (outOfPlace >= 0) {
    const transcoder = stake.positions.transcoder(active[outOfPlace])
    stake.contradict(transcoder, `active in ${round} after one with more stake that is not`)
  }
  if (active.length > 0) stake.putFirst(active)
  return true
}

function confirmStake(stake: L1Stake, member: Bytes, told: BigInt, round: i32): void {
  const transcoder = stake.positions.transcoder(member)
  if (transcoder.exact && transcoder.delegatedAmount == told) return
  if (transcoder.exact) {
    stake.contradict(transcoder, `${told} at the start of ${round}, not ${transcoder.delegatedAmount}`)
  }
  stake.tell(transcoder, told)
}

function isEveryStakeExact(stake: L1Stake): boolean {
  const members = stake.poolMembers()
  for (let i = 0; i < members.length; i++) {
    if (!stake.positions.transcoder(members[i]).exact) return false
  }
  return true
}
