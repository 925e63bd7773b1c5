import { BigInt } from '@graphprotocol/graph-ts'
import { PERC_DIVISOR, percOf } from './precise-math-utils'

/** A pool nobody wrote to has factor 0, which counts as 1 (EarningsPoolLIP36). */
function factorOrOne(cumulativeRewardFactor: BigInt): BigInt {
  return cumulativeRewardFactor.isZero() ? PERC_DIVISOR : cumulativeRewardFactor
}

/**
 * A delegator's stake, wei, that was bonded when the delegate's cumulative reward factor was startFactor, now that it is
 * endFactor; factors of 0 are unwritten pools (EarningsPoolLIP36.delegatorCumulativeStakeAndFees).
 */
export function delegatorCumulativeStake(bondedAmount: BigInt, startFactor: BigInt, endFactor: BigInt): BigInt {
  if (startFactor == endFactor) return bondedAmount
  return percOf(bondedAmount, factorOrOne(endFactor), factorOrOne(startFactor))
}

/**
 * The factor after rewards, wei, are shared over totalStake, wei, which must not be 0
 * (EarningsPoolLIP36.updateCumulativeRewardFactor).
 */
export function cumulativeRewardFactorAfter(previousFactor: BigInt, rewards: BigInt, totalStake: BigInt): BigInt {
  const factor = factorOrOne(previousFactor)
  return factor + percOf(factor, rewards, totalStake)
}
