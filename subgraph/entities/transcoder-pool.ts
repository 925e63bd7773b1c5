import { BigInt, Bytes } from '@graphprotocol/graph-ts'
import { Protocol, TranscoderPosition } from '../generated/schema'
import { NO_END } from './changing-state'
import { setPendingActivation } from './protocol'
import { StakePositions } from './stake-positions'

/**
 * Takes a transcoder whose activation was announced into the pool with its total stake, wei, then
 * (BondingManager.tryToJoinActiveSet). It is active from the next round on.
 */
export function joinPool(transcoder: TranscoderPosition, protocol: Protocol, totalStake: BigInt): void {
  transcoder.inPool = true
  transcoder.activationRound = protocol.currentRound + 1
  transcoder.deactivationRound = NO_END
  protocol.nextRoundTotalActiveStake += totalStake
  setPendingActivation(protocol, null)
}

/** Takes a resigned or evicted transcoder out of the pool (BondingManager.resignTranscoder, tryToJoinActiveSet). */
export function leavePool(transcoder: TranscoderPosition, protocol: Protocol): void {
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
  const inPool = positions.transcoder(transcoder).inPool
  if (!inPool) setPendingActivation(protocol, transcoder)
  return !inPool && effectiveRound == protocol.currentRound + 1
}

/**
 * The transcoder whose announced activation has no cause, and none will come: that contradicts what is known of it. Null
 * where no activation is pending.
 */
export function contradictPendingActivation(positions: StakePositions, protocol: Protocol): TranscoderPosition | null {
  const pending = protocol.pendingActivation
  if (!pending) return null
  const transcoder = positions.transcoder(pending)
  positions.contradictTranscoder(transcoder, 'announced activation without a cause')
  setPendingActivation(protocol, null)
  return transcoder
}

/** Takes a transcoder whose announced activation has no cause into the pool all the same, as that is what was announced. */
export function joinWithoutCause(positions: StakePositions, protocol: Protocol): void {
  const transcoder = contradictPendingActivation(positions, protocol)
  if (transcoder != null) joinPool(transcoder, protocol, transcoder.delegatedAmount)
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
  const transcoder = positions.transcoder(delegate)
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
  const transcoder = positions.transcoder(delegate)
  if (transcoder.delegatedAmount < amount) {
    positions.contradictTranscoder(transcoder, `${amount} taken away of ${transcoder.delegatedAmount} delegated`)
    return
  }
  if (transcoder.inPool) protocol.nextRoundTotalActiveStake -= amount
  transcoder.delegatedAmount -= amount
  protocol.totalStake -= amount
}
