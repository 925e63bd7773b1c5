import { setImmediate as nextTurn } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import type { Facts } from '../facts/facts.ts'
import type { FactsSource } from '../facts/followed-chain.ts'
import type { Concentration } from '../rules/concentration.ts'
import type { Count } from '../rules/proposal-count.ts'
import type { HolderStakes } from './holder-stakes.ts'
import type { StakeSnapshot } from './stake-snapshot.ts'
import type { VerificationRecord } from './verification-record.ts'

/** One indexed chain, for as long as the server runs. */
export interface IndexedChain {
  source: FactsSource
  snapshots: LRUCache<string, StakeSnapshot, () => Promise<StakeSnapshot>>
  /** Counts of proposals that nothing changes any more. */
  counts: LRUCache<string, CountedProposal>
  /** Concentrations of rounds, by what fixed them; those of a page of them are worked out one after the other. */
  concentrations: LRUCache<string, Concentration, () => Concentration | Promise<Concentration>>
  /** What everybody had at the round whose concentration was worked out last; those of other rounds follow from it. */
  holderStakes?: HolderStakes
  /** What comparing it with its contracts has shown. */
  verification: VerificationRecord
}

/** A proposal's count with the facts it came from. */
export interface CountedProposal {
  count: Count

  /** Polls: active stake at the moment the poll is counted by, wei; else 0. */
  totalActiveStake: bigint
}

/** Holders in all snapshots that are kept: some fifty of Livepeer's, in as many megabytes. */
const KEPT_HOLDERS = 250_000

/** Those of every round twice over, by transcoders and by holders, for some years to come. */
const KEPT_CONCENTRATIONS = 10_000

/** A chain for a server. */
export function indexedChain(source: FactsSource, verification: VerificationRecord): IndexedChain {
  const snapshots: IndexedChain['snapshots'] = new LRUCache({
    maxSize: KEPT_HOLDERS,
    sizeCalculation: ({ size }) => size + 1,
    // A snapshot pushed out while it is made is still waited for.
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context: make }) => make(),
  })
  const inTurn = pLimit(1)
  const concentrations: IndexedChain['concentrations'] = new LRUCache({
    max: KEPT_CONCENTRATIONS,
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context: make }) =>
      inTurn(async () => {
        // Other requests have their turn before each.
        await nextTurn()
        return make()
      }),
  })
  return { source, snapshots, counts: new LRUCache({ max: 1000 }), concentrations, verification }
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
