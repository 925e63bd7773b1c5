import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { Protocol, Reward, TreasuryReward } from '../generated/schema'
import { logId } from '../ids'
import { setLogPosition } from './log'
import { savePendingTreasuryReward } from './protocol'

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

/**
 * The treasury's cut that was logged in the same transaction right before a transcoder's reward, which is the only one it
 * goes with; null where there was none.
 */
export function takeTreasuryReward(event: ethereum.Event, protocol: Protocol, transcoder: Bytes): Bytes | null {
  const pending = protocol.pendingTreasuryReward
  if (!pending) return null
  savePendingTreasuryReward(null)
  const cut = TreasuryReward.load(pending)
  if (cut == null || cut.transactionHash != event.transaction.hash || cut.transcoder != transcoder) return null
  return cut.id
}
