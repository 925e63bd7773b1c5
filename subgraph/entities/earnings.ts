import { BigInt } from '@graphprotocol/graph-ts'
import { DelegatorPosition, TranscoderPosition } from '../generated/schema'
import { cumulativeRewardFactorAfter, delegatorCumulativeStake } from '../protocol/earnings-pool-lip36'
import { percOf } from '../protocol/precise-math-utils'
import { findCumulativeRewardFactor, initialisePool, rewardPool } from './earnings-pool'
import { StakePositions } from './stake-positions'

/**
 * Shares a reward of amount, wei, less the transcoder's commission over its stake at the round's start; the commission,
 * and what its earlier rewards earn, is the transcoder's own (BondingManager.updateTranscoderWithRewards).
 */
export function shareReward(
  positions: StakePositions,
  transcoder: TranscoderPosition,
  round: i32,
  amount: BigInt,
  commission: BigInt,
): void {
  transcoder.lastRewardRound = round
  const totalStake = transcoder.delegatedAmountAtRoundStart
  if (totalStake.isZero()) {
    positions.contradictTranscoder(transcoder, `Reward of ${amount} over no stake`)
    return
  }
  const shared = amount - commission
  const factor = cumulativeRewardFactorAfter(transcoder.cumulativeRewardFactor, shared, totalStake)
  transcoder.cumulativeRewards += percOf(shared, transcoder.cumulativeRewards, totalStake) + commission
  transcoder.cumulativeRewardFactor = factor
  rewardPool(transcoder.id, round, factor, totalStake, positions.block)
}

/** Contradicts a claim of rewards, wei, that are not all those pending, from the last claim on to this round. */
export function checkClaim(
  positions: StakePositions,
  owner: DelegatorPosition,
  round: i32,
  startRound: i32,
  endRound: i32,
  rewards: BigInt,
): void {
  const lastClaimRound = owner.lastClaimRound
  if (startRound != lastClaimRound + 1 || endRound != round) {
    positions.contradictDelegator(
      owner,
      `EarningsClaimed for ${startRound}-${endRound} after ${lastClaimRound} in ${round}`,
    )
  }
  const pending = pendingRewards(owner, positions)
  if (rewards != pending) positions.contradictDelegator(owner, `EarningsClaimed of ${rewards}, pending are ${pending}`)
}

/** Adds rewards, wei, to the bond; the next claim starts from the delegate's pool of this round (_claimEarnings). */
export function claimEarnings(positions: StakePositions, owner: DelegatorPosition, round: i32, rewards: BigInt): void {
  const delegate = owner.delegate
  if (delegate) {
    const transcoder = positions.transcoder(delegate)
    initialisePool(transcoder, round, positions.block)
    if (delegate == owner.id) transcoder.cumulativeRewards = BigInt.zero()
  }
  owner.bondedAmount += rewards
  owner.lastClaimRound = round
}

/**
 * Rewards an account could claim now, wei (BondingManager.pendingStake less bondedAmount). A pool's factor of the
 * current round is, once set, the one of the delegate's last reward, so the delegate's own factor ends every claim.
 */
function pendingRewards(owner: DelegatorPosition, positions: StakePositions): BigInt {
  const delegate = owner.delegate
  if (!delegate) return BigInt.zero()
  const transcoder = positions.transcoder(delegate)
  const bonded = owner.bondedAmount
  const startFactor = findCumulativeRewardFactor(delegate, owner.lastClaimRound)
  const rewards = delegatorCumulativeStake(bonded, startFactor, transcoder.cumulativeRewardFactor) - bonded
  return delegate == owner.id ? rewards + transcoder.cumulativeRewards : rewards
}
