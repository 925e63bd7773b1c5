import { BigInt, Bytes } from '@graphprotocol/graph-ts'
import { isZeroAddress } from '../subgraph/entities/account'
import { isRepair, recordBond } from '../subgraph/entities/bond'
import { recordCommissionChange } from '../subgraph/entities/commission-change'
import { recordEarningsClaim } from '../subgraph/entities/earnings-claim'
import { keptNumber } from '../subgraph/entities/kept-number'
import {
  checkBonded,
  checkDelegate,
  claimEarnings,
  delegateBeforeUnbond,
  delegateTo,
  endDelegation,
  isBondedAmountKnown,
  rebondTo,
  unbondFrom,
} from '../subgraph/entities/l1-delegator'
import { stakeBefore, streamflowStakeBefore } from '../subgraph/entities/l1-stake'
import { recordRebond } from '../subgraph/entities/rebond'
import { newReward } from '../subgraph/entities/reward'
import { clearPendingCommission, commissionOf, getOrCreateTranscoder } from '../subgraph/entities/transcoder'
import { recordActivation } from '../subgraph/entities/transcoder-activation'
import { announceActivation, isActivationPending } from '../subgraph/entities/transcoder-pool'
import { recordUnbond } from '../subgraph/entities/unbond'
import { closeKnownLock, createUnbondingLock } from '../subgraph/entities/unbonding-lock'
import { recordWithdrawStake } from '../subgraph/entities/withdraw-stake'
import {
  Bond as BondEvent,
  EarningsClaimed as EarningsClaimedEvent,
  Bond1 as LaunchBondEvent,
  Unbond1 as LaunchUnbondEvent,
  Rebond as RebondEvent,
  Reward as RewardEvent,
  TranscoderActivated as TranscoderActivatedEvent,
  TranscoderDeactivated as TranscoderDeactivatedEvent,
  TranscoderEvicted as TranscoderEvictedEvent,
  TranscoderResigned as TranscoderResignedEvent,
  TranscoderSlashed as TranscoderSlashedEvent,
  TranscoderUpdate as TranscoderUpdateEvent,
  TranscoderUpdate1 as TranscoderUpdateV1Event,
  Unbond as UnbondEvent,
  WithdrawStake as WithdrawStakeEvent,
} from '../subgraph/generated/BondingManager/BondingManagerL1'

/** A bond of the launch (until August 2018): who delegates to whom, by how much is not told. */
export function handleLaunchBond(event: LaunchBondEvent): void {
  const stake = stakeBefore(event)
  const owner = stake.positions.delegator(event.params.delegator)
  const oldDelegate = owner.delegate
  if (oldDelegate) stake.changeUntold(oldDelegate)
  stake.changeUntold(event.params.delegate)
  delegateTo(owner, stake.protocol, event.params.delegate)
  owner.lastClaimRound = 0
  stake.save()
}

/** All of a bond unbonded at launch; the event names the delegate the owner has after it, which is none. */
export function handleLaunchUnbond(event: LaunchUnbondEvent): void {
  const stake = stakeBefore(event)
  const owner = stake.positions.delegator(event.params.delegator)
  const oldDelegate = owner.delegate
  if (oldDelegate) stake.changeUntold(oldDelegate)
  else stake.positions.contradictDelegator(owner, 'Unbond without a bond')
  endDelegation(owner, stake.protocol)
  stake.save()
}

/** Stake added to a bond, moved to another delegate, or both (BondingManager.bond). */
export function handleBond(event: BondEvent): void {
  const stake = stakeBefore(event)
  const newDelegate = event.params.newDelegate
  const oldDelegate = event.params.oldDelegate
  const bonded = event.params.bondedAmount - event.params.additionalAmount
  const owner = stake.positions.delegator(event.params.delegator)
  if (!isRepair(event.params.additionalAmount, oldDelegate, newDelegate)) {
    if (!isZeroAddress(oldDelegate)) checkDelegate(stake, owner, oldDelegate, 'Bond leaves')
    checkBonded(stake, owner, bonded)
  }

  const moves = !bonded.isZero() && !isZeroAddress(oldDelegate) && oldDelegate != newDelegate
  if (moves) stake.decrease(oldDelegate, bonded)
  if (bonded.isZero()) endDelegation(owner, stake.protocol)
  delegateTo(owner, stake.protocol, newDelegate)
  owner.bondedAmount = event.params.bondedAmount
  owner.lastClaimRound = stake.protocol.currentRound
  stake.increase(newDelegate, moves ? event.params.bondedAmount : event.params.additionalAmount)
  stake.save()

  const delegateLeft: Bytes | null = bonded.isZero() && isZeroAddress(oldDelegate) ? null : oldDelegate
  const params = event.params
  recordBond(event, stake.protocol, owner.id, newDelegate, delegateLeft, params.additionalAmount, params.bondedAmount)
}

/** Stake moved into an unbonding lock; the last of it ends the delegation (BondingManager.unbond). */
export function handleUnbond(event: UnbondEvent): void {
  const stake = stakeBefore(event)
  const amount = event.params.amount
  const owner = stake.positions.delegator(event.params.delegator)
  const delegate = delegateBeforeUnbond(owner, event.params.delegate)
  checkDelegate(stake, owner, delegate, 'Unbond from')
  if (isBondedAmountKnown(owner, stake.protocol) && amount > owner.bondedAmount) {
    stake.positions.contradictDelegator(owner, `Unbond of ${amount} from ${owner.bondedAmount}`)
  }
  if (delegate == event.params.delegate) unbondFrom(owner, stake.protocol, amount)
  else endDelegation(owner, stake.protocol)
  stake.decrease(delegate, amount)
  stake.save()
  const lockId = keptNumber(event.params.unbondingLockId)
  const withdrawRound = keptNumber(event.params.withdrawRound)
  createUnbondingLock(event, owner.id, lockId, amount, withdrawRound)
  recordUnbond(event, stake.protocol, owner.id, delegate, amount, lockId, withdrawRound)
}

/** An unbonding lock bonded again (BondingManager.rebond, rebondFromUnbonded). */
export function handleRebond(event: RebondEvent): void {
  const stake = stakeBefore(event)
  const amount = event.params.amount
  const delegate = event.params.delegate
  const lockId = keptNumber(event.params.unbondingLockId)
  const owner = stake.positions.delegator(event.params.delegator)
  closeKnownLock(stake.positions, event, owner.id, lockId, amount, 'REBONDED')
  rebondTo(owner, stake.protocol, delegate, amount)
  stake.increase(delegate, amount)
  stake.save()
  recordRebond(event, stake.protocol, owner.id, delegate, amount, lockId)
}

/** An unbonding lock paid out; its stake left the bond at the Unbond already. */
export function handleWithdrawStake(event: WithdrawStakeEvent): void {
  const stake = stakeBefore(event)
  const lockId = keptNumber(event.params.unbondingLockId)
  const amount = event.params.amount
  const owner = stake.positions.delegator(event.params.delegator)
  closeKnownLock(stake.positions, event, owner.id, lockId, amount, 'WITHDRAWN')
  stake.save()
  recordWithdrawStake(event, stake.protocol, owner.id, lockId, amount)
}

/** Newly minted stake of a transcoder and its delegators (BondingManager.reward). */
export function handleReward(event: RewardEvent): void {
  const stake = stakeBefore(event)
  const amount = event.params.amount
  const transcoder = stake.positions.transcoder(event.params.transcoder)
  transcoder.lastRewardRound = stake.protocol.currentRound
  stake.increase(transcoder.id, amount)
  stake.save()
  newReward(event, stake.protocol, transcoder.id, amount, commissionOf(transcoder.id, amount)).save()
}

/** A bond lowered as a penalty; who was in the pool resigned before it (BondingManager.slashTranscoder). */
export function handleTranscoderSlashed(event: TranscoderSlashedEvent): void {
  const stake = stakeBefore(event)
  const penalty = event.params.penalty
  const owner = stake.positions.delegator(event.params.transcoder)
  const isUsedUp = owner.bondedAmount == penalty
  owner.bondedAmount = owner.bondedAmount > penalty ? owner.bondedAmount - penalty : BigInt.zero()
  const delegate = owner.delegate
  if (delegate && !isUsedUp && owner.startRound <= stake.protocol.currentRound) stake.decrease(delegate, penalty)
  stake.save()
}

/** V1: commission announced for the next round; the only way into the pool (BondingManager.transcoder). */
export function handleTranscoderUpdateV1(event: TranscoderUpdateV1Event): void {
  const stake = stakeBefore(event)
  const transcoder = getOrCreateTranscoder(event.params.transcoder)
  const position = stake.positions.transcoder(transcoder.id)
  if (event.params.registered && !position.inPool) stake.join(position)
  if (!event.params.registered && position.inPool) stake.contradict(position, 'TranscoderUpdate of one not registered')
  stake.save()
  transcoder.pendingRewardCut = keptNumber(event.params.pendingRewardCut)
  transcoder.pendingFeeShare = keptNumber(event.params.pendingFeeShare)
  transcoder.save()
  recordCommissionChange(event, stake.protocol, transcoder.id, transcoder.pendingRewardCut, transcoder.pendingFeeShare)
}

/** V1: out of the pool, where one with more stake took the place; still active for the rest of the round. */
export function handleTranscoderEvicted(event: TranscoderEvictedEvent): void {
  const stake = stakeBefore(event)
  stake.leave(event.params.transcoder, 'TranscoderEvicted')
  stake.save()
}

/** V1: out of the pool, as nothing of its own is bonded any more or as it was slashed. */
export function handleTranscoderResigned(event: TranscoderResignedEvent): void {
  const stake = stakeBefore(event)
  stake.leave(event.params.transcoder, 'TranscoderResigned')
  stake.save()
}

/** Pending rewards added to the bonded amount; Streamflow tells every claim (BondingManager.updateDelegatorWithEarnings). */
export function handleEarningsClaimed(event: EarningsClaimedEvent): void {
  const stake = streamflowStakeBefore(event)
  const rewards = event.params.rewards
  const startRound = keptNumber(event.params.startRound)
  const endRound = keptNumber(event.params.endRound)
  const owner = stake.positions.delegator(event.params.delegator)
  claimEarnings(stake, owner, event.params.delegate, startRound, endRound, rewards)
  stake.save()
  recordEarningsClaim(event, stake.protocol, owner, rewards, event.params.fees, startRound, endRound)
}

/** Streamflow: commission set; what a pending activation waits for where it brings the transcoder into the pool. */
export function handleTranscoderUpdate(event: TranscoderUpdateEvent): void {
  const stake = streamflowStakeBefore(event)
  const transcoder = getOrCreateTranscoder(event.params.transcoder)
  if (isActivationPending(transcoder.id, stake.protocol)) stake.join(stake.positions.transcoder(transcoder.id))
  stake.save()
  transcoder.rewardCut = keptNumber(event.params.rewardCut)
  transcoder.feeShare = keptNumber(event.params.feeShare)
  clearPendingCommission(transcoder)
  transcoder.save()
  recordCommissionChange(event, stake.protocol, transcoder.id, transcoder.rewardCut, transcoder.feeShare)
}

/** Streamflow: a transcoder is about to join the pool, with the stake it has after the event that follows. */
export function handleTranscoderActivated(event: TranscoderActivatedEvent): void {
  const stake = streamflowStakeBefore(event)
  const transcoder = getOrCreateTranscoder(event.params.transcoder)
  const effectiveRound = keptNumber(event.params.activationRound)
  stake.joinWithoutCause()
  if (!announceActivation(stake.positions, stake.protocol, transcoder.id, effectiveRound)) {
    stake.contradict(stake.positions.transcoder(transcoder.id), `TranscoderActivated for round ${effectiveRound}`)
  }
  stake.save()
  recordActivation(event, stake.protocol, transcoder.account, 'ACTIVATED', effectiveRound)
}

/** Streamflow: a transcoder left the pool, resigned or evicted; it stays active for the rest of the round. */
export function handleTranscoderDeactivated(event: TranscoderDeactivatedEvent): void {
  const stake = streamflowStakeBefore(event)
  const effectiveRound = keptNumber(event.params.deactivationRound)
  const transcoder = stake.leave(event.params.transcoder, 'TranscoderDeactivated')
  if (effectiveRound != stake.protocol.currentRound + 1) {
    stake.contradict(transcoder, `TranscoderDeactivated for round ${effectiveRound}`)
  }
  stake.save()
  recordActivation(event, stake.protocol, transcoder.id, 'DEACTIVATED', effectiveRound)
}
