import { BigInt, Bytes, store } from '@graphprotocol/graph-ts'
import { Transcoder } from '../generated/schema'
import { toHex } from '../ids'
import { PERC_DIVISOR, percOf } from '../protocol/math-utils'
import { getOrCreateAccount } from './account'

/** A transcoder with its commission, 0 until it sets one; saved when new so that pools can refer to it. */
export function getOrCreateTranscoder(address: Bytes): Transcoder {
  const stored = store.get('Transcoder', toHex(address))
  if (stored != null) return changetype<Transcoder>(stored)
  const transcoder = new Transcoder(address)
  transcoder.account = getOrCreateAccount(address).id
  transcoder.rewardCut = 0
  transcoder.feeShare = 0
  transcoder.save()
  return transcoder
}

/** Whether these can be a reward cut and a fee share: neither is more than all of it (BondingManager.transcoderWithHint). */
export function isCommission(rewardCut: BigInt, feeShare: BigInt): boolean {
  return rewardCut <= PERC_DIVISOR && feeShare <= PERC_DIVISOR
}

/** What a transcoder keeps of a reward, wei; the rest is shared by its delegators, itself among them. */
export function commissionOf(transcoder: Bytes, reward: BigInt): BigInt {
  return percOf(reward, getOrCreateTranscoder(transcoder).rewardCut)
}

/** V1: what a transcoder announced becomes its commission where the round begins with it active (setActiveTranscoders). */
export function takePendingCommission(address: Bytes): void {
  const transcoder = getOrCreateTranscoder(address)
  if (!transcoder.isSet('pendingRewardCut')) return
  transcoder.rewardCut = transcoder.pendingRewardCut
  transcoder.feeShare = transcoder.pendingFeeShare
  clearPendingCommission(transcoder)
  transcoder.save()
}

/** Nothing is announced any more. */
export function clearPendingCommission(transcoder: Transcoder): void {
  transcoder.unset('pendingRewardCut')
  transcoder.unset('pendingFeeShare')
}
