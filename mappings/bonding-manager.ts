import { BigInt, Bytes } from '@graphprotocol/graph-ts'
import { getOrCreateAccount, isZeroAddress } from '../subgraph/entities/account'
import { isRepair, recordBond } from '../subgraph/entities/bond'
import { recordCommissionChange } from '../subgraph/entities/commission-change'
import {
  checkBond,
  checkDelegate,
  delegateTo,
  movesStake,
  rebondTo,
  repairBond,
  unbondFrom,
} from '../subgraph/entities/delegator'
import { checkClaim, claimEarnings, shareReward } from '../subgraph/entities/earnings'
import { recordEarningsClaim } from '../subgraph/entities/earnings-claim'
import { initialisePool } from '../subgraph/entities/earnings-pool'
import { keptNumber } from '../subgraph/entities/kept-number'
import { setLogPosition } from '../subgraph/entities/log'
import { protocolBefore } from '../subgraph/entities/poll-clock'
import { savePendingTreasuryReward, saveTotals } from '../subgraph/entities/protocol'
import { recordRebond } from '../subgraph/entities/rebond'
import { newReward, takeTreasuryReward } from '../subgraph/entities/reward'
import { saveAs } from '../subgraph/entities/saving'
import { StakePositions } from '../subgraph/entities/stake-positions'
import { commissionOf, getOrCreateTranscoder, isCommission } from '../subgraph/entities/transcoder'
import { recordActivation } from '../subgraph/entities/transcoder-activation'
import {
  announceActivation,
  decreaseTotalStake,
  increaseTotalStake,
  isActivationPending,
  joinPool,
  joinWithoutCause,
  leavePool,
} from '../subgraph/entities/transcoder-pool'
import { recordUnbond } from '../subgraph/entities/unbond'
import { closeUnbondingLock, createUnbondingLock } from '../subgraph/entities/unbonding-lock'
import { recordWithdrawStake } from '../subgraph/entities/withdraw-stake'
import {
  Bond as BondEvent,
  EarningsClaimed as EarningsClaimedEvent,
  Rebond as RebondEvent,
  Reward as RewardEvent,
  TranscoderActivated as TranscoderActivatedEvent,
  TranscoderDeactivated as TranscoderDeactivatedEvent,
  TranscoderSlashed as TranscoderSlashedEvent,
  TranscoderUpdate as TranscoderUpdateEvent,
  TransferBond as TransferBondEvent,
  TreasuryReward as TreasuryRewardEvent,
  Unbond as UnbondEvent,
  WithdrawStake as WithdrawStakeEvent,
} from '../subgraph/generated/BondingManager/BondingManager'
import { TransferBond, TreasuryReward } from '../subgraph/generated/schema'
import { logId } from '../subgraph/ids'

/** Stake added to a bond, moved to another delegate, or both (BondingManager.bondForWithHint); or a bond repaired. */
export function handleBond(event: BondEvent): void {
  const protocol = protocolBefore(event)
  const positions = new StakePositions(event, protocol)
  const newDelegate = event.params.newDelegate
  const oldDelegate = event.params.oldDelegate
  const amount = event.params.additionalAmount
  const bondedAfter = event.params.bondedAmount
  const owner = positions.delegator(event.params.delegator)
  const bonded = bondedAfter - amount
  const wasBonded = bonded > BigInt.zero()
  if (isRepair(amount, oldDelegate, newDelegate)) {
    repairBond(positions, owner, newDelegate, bondedAfter)
  } else {
    checkDelegate(positions, owner, oldDelegate, 'Bond leaves')
    checkBond(positions, owner, amount, bondedAfter)
    const moves = wasBonded && movesStake(event, protocol, oldDelegate, newDelegate)
    if (moves) decreaseTotalStake(positions, protocol, oldDelegate, bonded)
    initialisePool(positions.transcoder(newDelegate), protocol.currentRound, positions.block)
    if (!wasBonded || newDelegate != oldDelegate) delegateTo(owner, newDelegate)
    if (!wasBonded || moves) owner.startRound = protocol.currentRound + 1
    owner.bondedAmount = bondedAfter
    increaseTotalStake(positions, protocol, newDelegate, moves ? bondedAfter : amount)
  }
  positions.save()
  saveTotals(protocol)
  const delegateLeft: Bytes | null = wasBonded || !isZeroAddress(oldDelegate) ? oldDelegate : null
  recordBond(event, protocol, owner.id, newDelegate, delegateLeft, amount, bondedAfter)
}

/** Stake moved into an unbonding lock; the last of it ends the delegation (BondingManager.unbond). */
export function handleUnbond(event: UnbondEvent): void {
  const protocol = protocolBefore(event)
  const positions = new StakePositions(event, protocol)
  const amount = event.params.amount
  const delegate = event.params.delegate
  const owner = positions.delegator(event.params.delegator)
  checkDelegate(positions, owner, delegate, 'Unbond from')
  unbondFrom(positions, owner, amount)
  decreaseTotalStake(positions, protocol, delegate, amount)
  positions.save()
  saveTotals(protocol)
  const lockId = keptNumber(event.params.unbondingLockId)
  const withdrawRound = keptNumber(event.params.withdrawRound)
  createUnbondingLock(event, owner.id, lockId, amount, withdrawRound)
  recordUnbond(event, protocol, owner.id, delegate, amount, lockId, withdrawRound)
}

/** An unbonding lock bonded again (BondingManager.rebond, rebondFromUnbonded, transferBond). */
export function handleRebond(event: RebondEvent): void {
  const protocol = protocolBefore(event)
  const positions = new StakePositions(event, protocol)
  const amount = event.params.amount
  const delegate = event.params.delegate
  const lockId = keptNumber(event.params.unbondingLockId)
  closeUnbondingLock(positions, event, event.params.delegator, lockId, amount, 'REBONDED')
  const owner = positions.delegator(event.params.delegator)
  rebondTo(event, protocol, positions, owner, delegate, amount)
  increaseTotalStake(positions, protocol, delegate, amount)
  positions.save()
  saveTotals(protocol)
  recordRebond(event, protocol, owner.id, delegate, amount, lockId)
}

/** An unbonding lock handed to another account; stands between an Unbond and a Rebond, which move the stake. */
export function handleTransferBond(event: TransferBondEvent): void {
  const protocol = protocolBefore(event)
  const positions = new StakePositions(event, protocol)
  const amount = event.params.amount
  const oldLockId = keptNumber(event.params.oldUnbondingLockId)
  const newLockId = keptNumber(event.params.newUnbondingLockId)
  const from = event.params.oldDelegator
  const to = event.params.newDelegator
  const withdrawRound = closeUnbondingLock(positions, event, from, oldLockId, amount, 'TRANSFERRED')
  positions.save()
  createUnbondingLock(event, getOrCreateAccount(to).id, newLockId, amount, withdrawRound)

  const transfer = new TransferBond(logId(event))
  transfer.oldDelegator = from
  transfer.newDelegator = to
  transfer.oldLockId = oldLockId
  transfer.newLockId = newLockId
  transfer.amount = amount
  setLogPosition(transfer, event, protocol)
  saveAs('TransferBond', transfer.id, transfer)
}

/** An unbonding lock paid out; its stake left the bond at the Unbond already. */
export function handleWithdrawStake(event: WithdrawStakeEvent): void {
  const protocol = protocolBefore(event)
  const positions = new StakePositions(event, protocol)
  const lockId = keptNumber(event.params.unbondingLockId)
  const amount = event.params.amount
  closeUnbondingLock(positions, event, event.params.delegator, lockId, amount, 'WITHDRAWN')
  positions.save()
  recordWithdrawStake(event, protocol, event.params.delegator, lockId, amount)
}

/** Pending rewards added to the bonded amount; the only event that moves lastClaimRound (BondingManager._claimEarnings). */
export function handleEarningsClaimed(event: EarningsClaimedEvent): void {
  const protocol = protocolBefore(event)
  const positions = new StakePositions(event, protocol)
  const round = protocol.currentRound
  const rewards = event.params.rewards
  const startRound = keptNumber(event.params.startRound)
  const endRound = keptNumber(event.params.endRound)
  const owner = positions.delegator(event.params.delegator)
  checkDelegate(positions, owner, event.params.delegate, 'EarningsClaimed from')
  checkClaim(positions, owner, round, startRound, endRound, rewards)
  claimEarnings(positions, owner, round, rewards)
  positions.save()
  recordEarningsClaim(event, protocol, owner, rewards, event.params.fees, startRound, endRound)
}

/** New stake for a transcoder and its delegators, shared over its stake at the round's start (updateTranscoderWithRewards). */
export function handleReward(event: RewardEvent): void {
  const protocol = protocolBefore(event)
  const positions = new StakePositions(event, protocol)
  const round = protocol.currentRound
  const amount = event.params.amount
  const transcoder = positions.transcoder(event.params.transcoder)
  const commission = commissionOf(transcoder.id, amount)
  if (transcoder.lastRewardRound == round) positions.contradictTranscoder(transcoder, `second Reward in ${round}`)
  shareReward(positions, transcoder, round, amount, commission)
  increaseTotalStake(positions, protocol, transcoder.id, amount)
  positions.save()
  saveTotals(protocol)

  const reward = newReward(event, protocol, transcoder.id, amount, commission)
  reward.treasuryReward = takeTreasuryReward(event, protocol, transcoder.id)
  saveAs('Reward', reward.id, reward)
}

/** The treasury's cut of the Reward that follows; no stake moves. */
export function handleTreasuryReward(event: TreasuryRewardEvent): void {
  const protocol = protocolBefore(event)
  const cut = new TreasuryReward(logId(event))
  cut.transcoder = event.params.transcoder
  cut.treasury = event.params.treasury
  cut.amount = event.params.amount
  setLogPosition(cut, event, protocol)
  saveAs('TreasuryReward', cut.id, cut)
  savePendingTreasuryReward(cut.id)
}

/** Commission set; the cause of a pending activation where the transcoder joins the pool by it (transcoderWithHint). */
export function handleTranscoderUpdate(event: TranscoderUpdateEvent): void {
  const protocol = protocolBefore(event)
  const address = event.params.transcoder
  if (isActivationPending(address, protocol)) {
    const positions = new StakePositions(event, protocol)
    const position = positions.transcoder(address)
    joinPool(position, protocol, position.delegatedAmount)
    positions.save()
    saveTotals(protocol)
  }
  if (!isCommission(event.params.rewardCut, event.params.feeShare)) {
    const positions = new StakePositions(event, protocol)
    positions.contradictTranscoder(
      positions.transcoder(address),
      `TranscoderUpdate to ${event.params.rewardCut}, ${event.params.feeShare}`,
    )
    positions.save()
  }
  const transcoder = getOrCreateTranscoder(address)
  transcoder.rewardCut = keptNumber(event.params.rewardCut)
  transcoder.feeShare = keptNumber(event.params.feeShare)
  transcoder.save()
  recordCommissionChange(event, protocol, transcoder.account, transcoder.rewardCut, transcoder.feeShare)
}

/** A transcoder is about to join the pool, by the event that follows. */
export function handleTranscoderActivated(event: TranscoderActivatedEvent): void {
  const protocol = protocolBefore(event)
  const positions = new StakePositions(event, protocol)
  joinWithoutCause(positions, protocol)
  const transcoder = getOrCreateTranscoder(event.params.transcoder)
  const effectiveRound = keptNumber(event.params.activationRound)
  if (!announceActivation(positions, protocol, transcoder.id, effectiveRound)) {
    positions.contradictTranscoder(
      positions.transcoder(transcoder.id),
      `TranscoderActivated for round ${effectiveRound}`,
    )
  }
  positions.save()
  saveTotals(protocol)
  recordActivation(event, protocol, transcoder.account, 'ACTIVATED', effectiveRound)
}

/** A transcoder left the pool, resigned or evicted; it stays active for the rest of the round. */
export function handleTranscoderDeactivated(event: TranscoderDeactivatedEvent): void {
  const protocol = protocolBefore(event)
  const positions = new StakePositions(event, protocol)
  const transcoder = positions.transcoder(event.params.transcoder)
  const effectiveRound = keptNumber(event.params.deactivationRound)
  if (!transcoder.inPool || effectiveRound != protocol.currentRound + 1) {
    positions.contradictTranscoder(transcoder, `TranscoderDeactivated for round ${effectiveRound}`)
  }
  if (transcoder.inPool) leavePool(transcoder, protocol)
  positions.save()
  saveTotals(protocol)
  recordActivation(event, protocol, transcoder.id, 'DEACTIVATED', effectiveRound)
}

/** A bond lowered as a penalty; the transcoder resigned before it (BondingManager.slashTranscoder). */
export function handleTranscoderSlashed(event: TranscoderSlashedEvent): void {
  const protocol = protocolBefore(event)
  const positions = new StakePositions(event, protocol)
  const owner = positions.delegator(event.params.transcoder)
  const penalty = event.params.penalty
  if (penalty > owner.bondedAmount) {
    positions.contradictDelegator(owner, `TranscoderSlashed by ${penalty} of ${owner.bondedAmount}`)
    owner.bondedAmount = penalty
  }
  owner.bondedAmount -= penalty
  const delegate = owner.delegate
  const isBonded = !owner.bondedAmount.isZero() && owner.startRound <= protocol.currentRound
  if (delegate && isBonded) decreaseTotalStake(positions, protocol, delegate, penalty)
  positions.save()
  saveTotals(protocol)
}
