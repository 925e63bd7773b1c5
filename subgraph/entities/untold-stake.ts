import { Bytes, store } from '@graphprotocol/graph-ts'
import { TranscoderPosition, UntoldStake } from '../generated/schema'

/** Whether no event and no contract told all of a delegate's stake. False for one that was contradicted. */
export function isUntold(delegate: TranscoderPosition): boolean {
  return !delegate.exact && UntoldStake.load(delegate.id) != null
}

/** Whether a contract told the stake as of the end of this block, with changes of the block that are yet to come. */
export function isToldAt(delegate: TranscoderPosition, block: i32): boolean {
  const untold = UntoldStake.load(delegate.id)
  return untold != null && delegate.exact && untold.toldAtBlock == block
}

/** From here on part of the delegate's stake is not told. */
export function createUntoldStake(delegate: TranscoderPosition): void {
  const untold = new UntoldStake(delegate.id)
  untold.save()
  delegate.exact = false
}

/** A contract told the stake as of the end of this block. */
export function tellUntoldStake(delegate: TranscoderPosition, block: i32): void {
  const untold = new UntoldStake(delegate.id)
  untold.toldAtBlock = block
  untold.save()
  delegate.exact = true
}

/** The stake is told, or never will be. */
export function removeUntoldStake(delegate: Bytes): void {
  store.remove('UntoldStake', delegate.toHexString())
}
