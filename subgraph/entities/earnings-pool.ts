import { BigInt, Bytes, store } from '@graphprotocol/graph-ts'
import { EarningsPool, TranscoderPosition } from '../generated/schema'
import { earningsPoolId, toHex } from '../ids'
import { saveAs } from './saving'

/** The cumulative reward factor of a delegate's pool of a round; 0 where nobody wrote to it. */
export function findCumulativeRewardFactor(delegate: Bytes, round: i32): BigInt {
  if (round == 0) return BigInt.zero()
  const pool = findPool(earningsPoolId(delegate, round))
  return pool == null ? BigInt.zero() : pool.cumulativeRewardFactor
}

/**
 * Carries the factor of the delegate's last reward into the round's pool, so that whoever claims in the round starts
 * from it (BondingManager._claimEarnings, latestCumulativeFactorsPool). Nothing to carry for a delegate never rewarded.
 */
export function initialisePool(delegate: TranscoderPosition, round: i32, block: i32): void {
  if (delegate.lastRewardRound == 0 || delegate.lastRewardRound >= round) return
  const id = earningsPoolId(delegate.id, round)
  if (findPool(id) != null) return
  createEarningsPool(id, delegate.id, round, delegate.cumulativeRewardFactor, null, block)
}

/** Writes the round's factor and the stake, wei, its reward was shared over, in place of what a claim carried over. */
export function rewardPool(
  transcoder: Bytes,
  round: i32,
  cumulativeRewardFactor: BigInt,
  totalStake: BigInt,
  block: i32,
): void {
  const id = earningsPoolId(transcoder, round)
  createEarningsPool(id, transcoder, round, cumulativeRewardFactor, totalStake, block)
}

function findPool(id: Bytes): EarningsPool | null {
  return changetype<EarningsPool | null>(store.get('EarningsPool', toHex(id)))
}

function createEarningsPool(
  id: Bytes,
  transcoder: Bytes,
  round: i32,
  cumulativeRewardFactor: BigInt,
  totalStake: BigInt | null,
  block: i32,
): void {
  const pool = new EarningsPool(id)
  pool.transcoder = transcoder
  pool.round = round
  pool.cumulativeRewardFactor = cumulativeRewardFactor
  pool.totalStake = totalStake
  pool.block = block
  saveAs('EarningsPool', pool.id, pool)
}
