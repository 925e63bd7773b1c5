import { BigInt } from '@graphprotocol/graph-ts'
import { StakePosition } from '../generated/schema'
import { delegatorCumulativeStake } from '../protocol/earnings-pool-lip36'
import { findCumulativeRewardFactor } from './earnings-pool'
import { StakePositions } from './stake-positions'

/**
 * Rewards an account could claim now, wei (BondingManager.pendingStake less bondedAmount). A pool's factor of the
 * current round is, once set, the one of the delegate's last reward, so the delegate's own factor ends every claim.
 */
export function pendingRewards(owner: StakePosition, positions: StakePositions): BigInt {
  const delegate = owner.delegate
  if (!delegate) return BigInt.zero()
  const delegatePosition = positions.find(delegate)
  const endFactor = delegatePosition == null ? BigInt.zero() : delegatePosition.cumulativeRewardFactor
  const startFactor = findCumulativeRewardFactor(delegate, owner.lastClaimRound)
  const rewards = delegatorCumulativeStake(owner.bondedAmount, startFactor, endFactor) - owner.bondedAmount
  return delegate == owner.id ? rewards + owner.cumulativeRewards : rewards
}
