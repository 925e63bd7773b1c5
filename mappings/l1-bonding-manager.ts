import { BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { isZeroAddress } from '../subgraph/entities/account'
import {
  checkDelegate,
  delegateBeforeUnbond,
  delegatesToZeroAddress,
  delegateTo,
  endDelegation,
  isBondedAmountKnown,
  rebondTo,
  unbondFrom,
} from '../subgraph/entities/l1-delegator'
import { stakeBefore, streamflowStakeBefore } from '../subgraph/entities/l1-stake'
import { setLogPosition } from '../subgraph/entities/log'
import { clearPendingCommission, getOrCreateTranscoder } from '../subgraph/entities/transcoder'
import { recordActivation } from '../subgraph/entities/transcoder-activation'
import { giveUpPendingActivation, isActivationPending } from '../subgraph/entities/transcoder-pool'
import { closeKnownLock, createUnbondingLock } from '../subgraph/entities/unbonding-lock'
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
import {
  Bond,
  CommissionChange,
  EarningsClaim,
  Protocol,
  Rebond,
  Reward,
  Unbond,
  WithdrawStake,
} from '../subgraph/generated/schema'
import { logId } from '../subgraph/ids'
import { percOf as ratePerMillionOf } from '../subgraph/protocol/math-utils'

/** A bond of the launch (until August 2018): who delegates to whom, by how much is not told. */
export function handleLaunchBond(event: LaunchBondEvent): void {
  const stake = stakeBefore(event)
  const owner = stake.positions.of(event.params.delegator)
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
  const owner = stake.positions.of(event.params.delegator)
  const oldDelegate = owner.delegate
  if (oldDelegate) stake.changeUntold(oldDelegate)
  else stake.contradict(owner, 'Unbond without a bond')
  endDelegation(owner, stake.protocol)
  stake.save()
}

/** Stake added to a bond, moved to another delegate, or both (BondingManager.bond). */
export function handleBond(event: BondEvent): void {
  const stake = stakeBefore(event)
  const newDelegate = event.params.newDelegate
  const oldDelegate = event.params.oldDelegate
  const bonded = event.params.bondedAmount - event.params.additionalAmount
  const owner = stake.positions.of(event.params.delegator)
  if (!isZeroAddress(oldDelegate)) checkDelegate(stake, owner, oldDelegate, 'Bond leaves')
  // Who unbonded at launch has stake without a delegate.
  if (owner.delegate && isBondedAmountKnown(owner, stake.protocol) && owner.bondedAmount != bonded) {
    stake.contradict(owner, `Bond on ${bonded}, not ${owner.bondedAmount}`)
  }

  const moves = !bonded.isZero() && !isZeroAddress(oldDelegate) && oldDelegate != newDelegate
  if (moves) stake.decrease(oldDelegate, bonded)
  if (bonded.isZero()) endDelegation(owner, stake.protocol)
  delegateTo(owner, stake.protocol, newDelegate)
  owner.bondedAmount = event.params.bondedAmount
  owner.lastClaimRound = stake.protocol.currentRound
  stake.increase(newDelegate, moves ? event.params.bondedAmount : event.params.additionalAmount)
  stake.save()
  recordBond(event, stake.protocol, !bonded.isZero())
}

/** Stake moved into an unbonding lock; the last of it ends the delegation (BondingManager.unbond). */
export function handleUnbond(event: UnbondEvent): void {
  const stake = stakeBefore(event)
  const amount = event.params.amount
  const owner = stake.positions.of(event.params.delegator)
  const delegate = delegateBeforeUnbond(owner, event.params.delegate)
  checkDelegate(stake, owner, delegate, 'Unbond from')
  if (isBondedAmountKnown(owner, stake.protocol) && amount > owner.bondedAmount) {
    stake.contradict(owner, `Unbond of ${amount} from ${owner.bondedAmount}`)
  }
  if (delegate == event.params.delegate) unbondFrom(owner, stake.protocol, amount)
  else endDelegation(owner, stake.protocol)
  stake.decrease(delegate, amount)
  stake.save()
  const lockId = event.params.unbondingLockId.toI32()
  const withdrawRound = event.params.withdrawRound.toI32()
  createUnbondingLock(event, owner.id, lockId, amount, withdrawRound)

  const unbond = new Unbond(logId(event))
  unbond.delegator = owner.id
  unbond.delegate = delegate
  unbond.amount = amount
  unbond.lockId = lockId
  unbond.withdrawRound = withdrawRound
  setLogPosition(unbond, event, stake.protocol)
  unbond.save()
}

/** An unbonding lock bonded again (BondingManager.rebond, rebondFromUnbonded). */
export function handleRebond(event: RebondEvent): void {
  const stake = stakeBefore(event)
  const amount = event.params.amount
  const delegate = event.params.delegate
  const lockId = event.params.unbondingLockId.toI32()
  const owner = stake.positions.of(event.params.delegator)
  closeKnownLock(stake.positions, event, owner.id, lockId, amount, 'REBONDED')
  rebondTo(owner, stake.protocol, delegate, amount)
  stake.increase(delegate, amount)
  stake.save()

  const rebond = new Rebond(logId(event))
  rebond.delegator = owner.id
  rebond.delegate = delegate
  rebond.amount = amount
  rebond.lockId = lockId
  setLogPosition(rebond, event, stake.protocol)
  rebond.save()
}

/** An unbonding lock paid out; its stake left the bond at the Unbond already. */
export function handleWithdrawStake(event: WithdrawStakeEvent): void {
  const stake = stakeBefore(event)
  const lockId = event.params.unbondingLockId.toI32()
  const amount = event.params.amount
  const owner = stake.positions.of(event.params.delegator)
  closeKnownLock(stake.positions, event, owner.id, lockId, amount, 'WITHDRAWN')
  stake.save()

  const withdrawal = new WithdrawStake(logId(event))
  withdrawal.delegator = owner.id
  withdrawal.lockId = lockId
  withdrawal.amount = amount
  setLogPosition(withdrawal, event, stake.protocol)
  withdrawal.save()
}

/** Newly minted stake of a transcoder and its delegators (BondingManager.reward). */
export function handleReward(event: RewardEvent): void {
  const stake = stakeBefore(event)
  const amount = event.params.amount
  const transcoder = stake.positions.of(event.params.transcoder)
  transcoder.lastRewardRound = stake.protocol.currentRound
  stake.increase(transcoder.id, amount)
  stake.save()

  const reward = new Reward(logId(event))
  reward.transcoder = transcoder.id
  reward.amount = amount
  reward.commission = ratePerMillionOf(amount, getOrCreateTranscoder(transcoder.id).rewardCut)
  setLogPosition(reward, event, stake.protocol)
  reward.save()
}

/** A bond lowered as a penalty; who was in the pool resigned before it (BondingManager.slashTranscoder). */
export function handleTranscoderSlashed(event: TranscoderSlashedEvent): void {
  const stake = stakeBefore(event)
  const penalty = event.params.penalty
  const owner = stake.positions.of(event.params.transcoder)
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
  const position = stake.positions.of(transcoder.id)
  if (event.params.registered && !position.inPool) stake.join(position)
  if (!event.params.registered && position.inPool) stake.contradict(position, 'TranscoderUpdate of one not registered')
  stake.save()
  transcoder.pendingRewardCut = event.params.pendingRewardCut.toI32()
  transcoder.pendingFeeShare = event.params.pendingFeeShare.toI32()
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
  const delegate = event.params.delegate
  const startRound = event.params.startRound.toI32()
  const endRound = event.params.endRound.toI32()
  const owner = stake.positions.of(event.params.delegator)
  const isKnown = owner.lastClaimRound == startRound - 1
  if (isZeroAddress(delegate) && !delegatesToZeroAddress(owner)) {
    endDelegation(owner, stake.protocol)
    owner.lastClaimRound = endRound
  } else {
    checkDelegate(stake, owner, delegate, 'EarningsClaimed from')
    owner.bondedAmount += event.params.rewards
    owner.lastClaimRound = isKnown ? endRound : 0
  }
  stake.save()

  const claim = new EarningsClaim(logId(event))
  claim.delegator = owner.id
  claim.delegate = owner.delegate
  claim.rewards = event.params.rewards
  claim.fees = event.params.fees
  claim.startRound = startRound
  claim.endRound = endRound
  setLogPosition(claim, event, stake.protocol)
  claim.save()
}

/** Streamflow: commission set; what a pending activation waits for where it brings the transcoder into the pool. */
export function handleTranscoderUpdate(event: TranscoderUpdateEvent): void {
  const stake = streamflowStakeBefore(event)
  const transcoder = getOrCreateTranscoder(event.params.transcoder)
  if (isActivationPending(transcoder.id, stake.protocol)) stake.join(stake.positions.of(transcoder.id))
  stake.save()
  transcoder.rewardCut = event.params.rewardCut.toI32()
  transcoder.feeShare = event.params.feeShare.toI32()
  clearPendingCommission(transcoder)
  transcoder.save()
  recordCommissionChange(event, stake.protocol, transcoder.id, transcoder.rewardCut, transcoder.feeShare)
}

/** Streamflow: a transcoder is about to join the pool, with the stake it has after the event that follows. */
export function handleTranscoderActivated(event: TranscoderActivatedEvent): void {
  const stake = streamflowStakeBefore(event)
  const transcoder = getOrCreateTranscoder(event.params.transcoder)
  const effectiveRound = event.params.activationRound.toI32()
  giveUpPendingActivation(stake.positions, stake.protocol)
  const position = stake.positions.find(transcoder.id)
  const inPool = position == null ? false : position.inPool
  if (inPool || effectiveRound != stake.protocol.currentRound + 1) {
    stake.contradict(stake.positions.of(transcoder.id), `TranscoderActivated for round ${effectiveRound}`)
  }
  if (!inPool) stake.protocol.pendingActivation = transcoder.id
  stake.save()
  recordActivation(event, stake.protocol, transcoder.account, 'ACTIVATED', effectiveRound)
}

/** Streamflow: a transcoder left the pool, resigned or evicted; it stays active for the rest of the round. */
export function handleTranscoderDeactivated(event: TranscoderDeactivatedEvent): void {
  const stake = streamflowStakeBefore(event)
  const effectiveRound = event.params.deactivationRound.toI32()
  const transcoder = stake.leave(event.params.transcoder, 'TranscoderDeactivated')
  if (effectiveRound != stake.protocol.currentRound + 1) {
    stake.contradict(transcoder, `TranscoderDeactivated for round ${effectiveRound}`)
  }
  stake.save()
  recordActivation(event, stake.protocol, transcoder.id, 'DEACTIVATED', effectiveRound)
}

function recordBond(event: BondEvent, protocol: Protocol, wasBonded: boolean): void {
  const bond = new Bond(logId(event))
  bond.delegator = event.params.delegator
  bond.newDelegate = event.params.newDelegate
  if (wasBonded || !isZeroAddress(event.params.oldDelegate)) bond.oldDelegate = event.params.oldDelegate
  bond.additionalAmount = event.params.additionalAmount
  bond.bondedAmount = event.params.bondedAmount
  setLogPosition(bond, event, protocol)
  bond.save()
}

function recordCommissionChange(
  event: ethereum.Event,
  protocol: Protocol,
  transcoder: Bytes,
  rewardCut: i32,
  feeShare: i32,
): void {
  const change = new CommissionChange(logId(event))
  change.transcoder = transcoder
  change.rewardCut = rewardCut
  change.feeShare = feeShare
  setLogPosition(change, event, protocol)
  change.save()
}
