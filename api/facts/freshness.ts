import type { ChainState } from './followed-chain.ts'

/** How many blocks behind the chain's head an index may be while it keeps up: some seconds' worth on Arbitrum. */
const STALE_AFTER_BLOCKS = 50
/** The same in seconds, for chains with slow blocks: five of Ethereum L1. */
const STALE_AFTER_SECONDS = 60

/** How far an index is behind its chain's head. */
export interface Lag {
  /** Null where the head is not known. */
  blocks: number | null
  /** From the time of the indexed block to that of the head; null where one is not known. */
  seconds: number | null
}

/** How far the index of a chain is behind, as far as its head is known. */
export function lagIn({ head, chainHead }: Pick<ChainState, 'head' | 'chainHead'>): Lag {
  if (head === undefined || chainHead === null) return { blocks: null, seconds: null }
  const blocks = Math.max(0, chainHead.block - head.block)
  if (blocks === 0) return { blocks, seconds: 0 }
  const isTimed = chainHead.timestamp !== null && head.timestamp !== null
  return { blocks, seconds: isTimed ? Math.max(0, (chainHead.timestamp ?? 0) - (head.timestamp ?? 0)) : null }
}

type Staleness = Pick<
  ChainState,
  | 'head'
  | 'chainHead'
  | 'error'
  | 'trouble'
  | 'isOverdue'
  | 'behindSeconds'
  | 'headAgeSeconds'
  | 'maxHeadAgeSeconds'
  | 'intervalSeconds'
>

/**
 * Whether what is answered of a chain may no longer be so: its index does not answer, stopped at an error, is known to be
 * kept from going on, or is too far behind its chain's head, or for too long; where nobody tells that head, the clock
 * decides. The clock decides too where a chain never rests: an index and the head it is compared with may come from one
 * node that stands still.
 */
export function isStaleNow(state: Staleness): boolean {
  return whyStale(state) !== null
}

/** Why what is answered of a chain may no longer be so, fit for anyone; null where it is as it should be. */
export function whyStale(state: Staleness): string | null {
  const { head, error, trouble, isOverdue, headAgeSeconds, maxHeadAgeSeconds, intervalSeconds } = state
  if (trouble !== null) return trouble
  if (error !== null) return error.message
  if (head === undefined) return 'the index was not read yet'
  if (isOverdue) return 'the index does not answer'
  if (head.hasIndexingErrors) return 'the index stopped at an error in a handler'
  if (maxHeadAgeSeconds !== null && (headAgeSeconds ?? Infinity) > maxHeadAgeSeconds)
    return `block ${head.block}, the last that is known, is older than ${maxHeadAgeSeconds} seconds by the clock`
  const { blocks, seconds } = lagIn(state)
  if (blocks === null) {
    // Whoever has the index looked at less often has said how old it may get meanwhile.
    const mostSeconds = STALE_AFTER_SECONDS + intervalSeconds
    const isOld = head.timestamp === null || Date.now() / 1000 - head.timestamp > mostSeconds
    return isOld ? 'nobody tells the head of the chain' : null
  }
  const isBehind = blocks > STALE_AFTER_BLOCKS || (seconds ?? state.behindSeconds) > STALE_AFTER_SECONDS
  return isBehind ? `the index is ${blocks} blocks behind the head of the chain` : null
}
