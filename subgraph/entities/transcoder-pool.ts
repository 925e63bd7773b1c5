import { BigInt, Bytes } from '@graphprotocol/graph-ts'
import { Protocol, StakePosition } from '../generated/schema'
import { NO_END, StakePositions } from './stake-positions'

/**
 * Takes a transcoder whose activation was announced into the pool with its total stake, wei, then
 * (BondingManager.tryToJoinActiveSet). It is active from the next round on.
 */
export function joinPool(transcoder: StakePosition, protocol: Protocol, totalStake: BigInt): void {
  transcoder.inPool = true
  transcoder.activationRound = protocol.currentRound + 1
  transcoder.deactivationRound = NO_END
  protocol.nextRoundTotalActiveStake += totalStake
  protocol.pendingActivation = null
}

/** Takes a resigned or evicted transcoder out of the pool (BondingManager.resignTranscoder, tryToJoinActiveSet). */
export function leavePool(transcoder: StakePosition, protocol: Protocol): void {
  transcoder.inPool = false
  transcoder.deactivationRound = protocol.currentRound + 1
  protocol.nextRoundTotalActiveStake -= transcoder.delegatedAmount
}

/** Whether TranscoderActivated announced this transcoder and the event at hand is the cause. */
export function isActivationPending(transcoder: Bytes, protocol: Protocol): boolean {
  const pending = protocol.pendingActivation
  return pending ? pending == transcoder : false
}

/**
 * Notes that a transcoder is about to join the pool. TranscoderActivated comes before its cause in the same transaction,
 * and the stake it joins with is known only there, so that the activation stays pending until then. False where it cannot
 * be: it is in the pool, or is announced for another round than the next.
 */
export function announceActivation(
  positions: StakePositions,
  protocol: Protocol,
  transcoder: Bytes,
  effectiveRound: i32,
): boolean {
  giveUpPendingActivation(positions, protocol)
  const position = positions.find(transcoder)
  const inPool = position == null ? false : position.inPool
  if (!inPool) protocol.pendingActivation = transcoder
  return !inPool && effectiveRound == protocol.currentRound + 1
}

/** The transcoder whose announced activation is still without a cause, if any, cannot be relied on: none will come. */
export function giveUpPendingActivation(positions: StakePositions, protocol: Protocol): void {
  const pending = protocol.pendingActivation
  if (!pending) return
  positions.contradict(positions.of(pending), 'announced activation without a cause')
  protocol.pendingActivation = null
}

/** More stake, wei, for a delegate, in the pool or about to join it or neither (BondingManager.increaseTotalStake). */
export function increaseTotalStake(
  positions: StakePositions,
  protocol: Protocol,
  delegate: Bytes,
  amount: BigInt,
): void {
  const pending = isActivationPending(delegate, protocol)
  if (amount.isZero() && !pending) return
  const transcoder = positions.of(delegate)
  if (pending) joinPool(transcoder, protocol, transcoder.delegatedAmount + amount)
  else if (transcoder.inPool) protocol.nextRoundTotalActiveStake += amount
  transcoder.delegatedAmount += amount
  protocol.totalStake += amount
}

/** Less stake, wei, for a delegate, in the pool or not (BondingManager.decreaseTotalStake). */
export function decreaseTotalStake(
  positions: StakePositions,
  protocol: Protocol,
  delegate: Bytes,
  amount: BigInt,
): void {
  if (amount.isZero()) return
  const transcoder = positions.of(delegate)
  if (transcoder.delegatedAmount < amount) {
    positions.contradict(transcoder, `${amount} taken away of ${transcoder.delegatedAmount} delegated`)
    return
  }
  if (transcoder.inPool) protocol.nextRoundTotalActiveStake -= amount
  transcoder.delegatedAmount -= amount
  protocol.totalStake -= amount
}
