import { Bytes } from '@graphprotocol/graph-ts'
import { Transcoder } from '../generated/schema'
import { getOrCreateAccount } from './account'

/** A transcoder with its commission, 0 until it sets one; saved when new so that pools can refer to it. */
export function getOrCreateTranscoder(address: Bytes): Transcoder {
  const stored = Transcoder.load(address)
  if (stored != null) return stored
  const transcoder = new Transcoder(address)
  transcoder.account = getOrCreateAccount(address).id
  transcoder.rewardCut = 0
  transcoder.feeShare = 0
  transcoder.save()
  return transcoder
}
