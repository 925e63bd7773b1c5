import { LRUCache } from 'lru-cache'
import type { Facts } from '../facts/facts.ts'
import type { FactsSource } from '../facts/followed-chain.ts'
import type { VoteCast } from '../rules/proposal.ts'
import type { Count } from '../rules/proposal-count.ts'
import type { StakeSnapshot } from './stake-snapshot.ts'

/** One indexed chain, for as long as the server runs. */
export interface IndexedChain {
  source: FactsSource
  snapshots: LRUCache<string, StakeSnapshot, () => Promise<StakeSnapshot>>
  /** Counts of proposals that nothing changes any more. */
  counts: LRUCache<string, CountedProposal>
}

/** A proposal's count with the facts it came from. */
export interface CountedProposal {
  count: Count
  casts: VoteCast[]
  /** Polls: active stake at the moment the poll is counted by, wei; else 0. */
  totalActiveStake: bigint
}

/** Holders in all snapshots that are kept: some fifty of Livepeer's, in as many megabytes. */
const KEPT_HOLDERS = 250_000

/** A chain for a server. */
export function indexedChain(source: FactsSource): IndexedChain {
  const snapshots: IndexedChain['snapshots'] = new LRUCache({
    maxSize: KEPT_HOLDERS,
    sizeCalculation: ({ holders }) => holders.length + 1,
    // A snapshot pushed out while it is made is still waited for.
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context: make }) => make(),
  })
  return { source, snapshots, counts: new LRUCache({ max: 1000 }) }
}

/** The round of a log: by its block where blocks tell the round, else the last one initialised then. */
export function roundOf({ source: { roundLength } }: IndexedChain, log: { block: number; round: number }): number {
  return roundLength === undefined ? log.round : Math.floor(log.block / roundLength)
}

/**
 * First round at whose start an account was checkpointed; Infinity without a checkpoint. BondingVotes writes them in rounds
 * that nobody initialised, too.
 */
export function checkpointedFrom(chain: IndexedChain, { stake }: Facts, account: string): number {
  const checkpoint = stake.checkpoint(account)
  return checkpoint === null ? Infinity : roundOf(chain, checkpoint) + 1
}
