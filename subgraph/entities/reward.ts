import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, Reward } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'

/** The log of a reward and of the transcoder's own part of it, wei, not saved yet. */
export function newReward(
  event: ethereum.Event,
  protocol: Protocol,
  transcoder: Bytes,
  amount: BigInt,
  commission: BigInt,
): Reward {
  const reward = new Reward(logId(event))
  reward.transcoder = transcoder
  reward.amount = amount
  reward.commission = commission
  setLogPosition(reward, event, protocol)
  return reward
}
