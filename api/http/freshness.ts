import type { ApolloServerPlugin } from '@apollo/server'
import type { ChainHead } from '../facts/chain-head.ts'
import { ApiError } from '../facts/errors.ts'
import type { Head } from '../facts/subgraph.ts'
import type { Context } from '../graphql/context.ts'
import type { ChainView } from '../views/chain-view.ts'

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

/** What an answer says of a chain that was asked for it, in `extensions.chains` and in the Chain-Status header. */
interface Freshness {
  network: string
  /** The block the answer was read at; what was known last where the index does not answer, else null. */
  block: number | null
  blockHash: string | null
  /** Last initialised round at that block. */
  round: number | null
  lagBlocks: number | null
  lagSeconds: number | null
  stale: boolean
  /** Code of the error where the index does not answer. */
  error?: string
}

/** Lag of an index behind its chain's head. */
export function lagOf(head: Pick<Head, 'block' | 'timestamp'>, latest: ChainHead | null): Lag {
  if (latest === null) return { blocks: null, seconds: null }
  const blocks = Math.max(0, latest.block - head.block)
  if (blocks === 0) return { blocks, seconds: 0 }
  const isTimed = latest.timestamp !== null && head.timestamp > 0
  return { blocks, seconds: isTimed ? Math.max(0, (latest.timestamp ?? 0) - head.timestamp) : null }
}

/** Whether what an index says may no longer be so: it stopped at an error, or is too far behind its chain's head. */
export function isStale({ hasIndexingErrors }: Pick<Head, 'hasIndexingErrors'>, { blocks, seconds }: Lag): boolean {
  return hasIndexingErrors || (blocks ?? 0) > STALE_AFTER_BLOCKS || (seconds ?? 0) > STALE_AFTER_SECONDS
}

/** Tells with each answer where the chains stand that were asked for it. */
export const freshnessPlugin: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    willSendResponse: async ({ contextValue, response }) => {
      if (response.body.kind !== 'single') return
      const asked = contextValue.chains.views.filter(({ isAsked }) => isAsked)
      if (asked.length === 0) return
      const chains = await Promise.all(asked.map(freshness))
      response.body.singleResult.extensions = { ...response.body.singleResult.extensions, chains }
      response.http.headers.set('chain-status', chains.map(headerOf).join(', '))
    },
  }),
}

async function freshness(view: ChainView): Promise<Freshness> {
  const { network, subgraph } = view.chain
  const [pinned, latest] = await Promise.all([view.pinned().catch((error: unknown) => ({ error })), view.latestBlock()])
  const failed = 'error' in pinned
  const head = failed ? subgraph.lastHead : pinned.head
  const lag = head === undefined ? { blocks: null, seconds: null } : lagOf(head, latest)
  return {
    network,
    block: head?.block ?? null,
    blockHash: head?.blockHash ?? null,
    round: head?.currentRound || null,
    lagBlocks: lag.blocks,
    lagSeconds: lag.seconds,
    stale: failed || isStale(pinned.head, lag),
    ...(failed ? { error: pinned.error instanceof ApiError ? pinned.error.code : 'INTERNAL_SERVER_ERROR' } : {}),
  }
}

/** A member of a list of structured fields (RFC 9651); what is not known is left out. */
function headerOf({ network, block, blockHash, round, lagBlocks, lagSeconds, stale, error }: Freshness): string {
  const parameters = {
    block,
    hash: blockHash === null ? null : `"${blockHash}"`,
    round,
    'lag-blocks': lagBlocks,
    'lag-seconds': lagSeconds,
    stale: stale ? '?1' : '?0',
    error: error === undefined ? null : `"${error}"`,
  }
  const known = Object.entries(parameters).filter(([, value]) => value !== null)
  return [JSON.stringify(network), ...known.map(([name, value]) => `${name}=${value}`)].join(';')
}
