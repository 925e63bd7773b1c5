import type { ChainHead } from './chain-head.ts'
import type { Head } from './facts.ts'
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

/** Lag of an index behind its chain's head. */
export function lagOf(head: Pick<Head, 'block' | 'timestamp'>, latest: ChainHead | null): Lag {
  if (latest === null) return { blocks: null, seconds: null }
  const blocks = Math.max(0, latest.block - head.block)
  if (blocks === 0) return { blocks, seconds: 0 }
  const isTimed = latest.timestamp !== null && head.timestamp !== null
  return { blocks, seconds: isTimed ? Math.max(0, (latest.timestamp ?? 0) - (head.timestamp ?? 0)) : null }
}

/**
 * Whether what an index says may no longer be so at a Unix second: it stopped at an error, or is too far behind its
 * chain's head; where nobody tells the chain's head, it is by the clock.
 */
export function isStale(
  { hasIndexingErrors, timestamp }: Pick<Head, 'hasIndexingErrors' | 'timestamp'>,
  { blocks, seconds }: Lag,
  now: number,
): boolean {
  if (hasIndexingErrors) return true
  if (blocks === null) return timestamp === null || now - timestamp > STALE_AFTER_SECONDS
  return blocks > STALE_AFTER_BLOCKS || (seconds ?? 0) > STALE_AFTER_SECONDS
}

/** How far the index of a chain is behind, as far as its head is known. */
export function lagIn({ head, chainHead }: Pick<ChainState, 'head' | 'chainHead'>): Lag {
  return head === undefined ? { blocks: null, seconds: null } : lagOf(head, chainHead)
}

/** Whether what is answered of a chain may no longer be so: its index does not answer, or isStale. */
export function isStaleNow(state: Pick<ChainState, 'head' | 'chainHead' | 'error' | 'isOverdue'>): boolean {
  const { head, error, isOverdue } = state
  if (head === undefined || error !== null || isOverdue) return true
  return isStale(head, lagIn(state), Date.now() / 1000)
}
