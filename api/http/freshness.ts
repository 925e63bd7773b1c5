import type { ApolloServerPlugin } from '@apollo/server'
import { isStaleNow, lagIn } from '../facts/freshness.ts'
import type { Context } from '../graphql/context.ts'
import type { ChainView } from '../views/chain-view.ts'

/** What an answer says of a chain that was asked for it, in `extensions.chains` and in the Chain-Status header. */
interface Freshness {
  network: string
  /** The block the answer was read at; what was known last where it cannot be read, else null. */
  block: number | null
  blockHash: string | null
  /** Last initialised round at that block. */
  round: number | null
  lagBlocks: number | null
  lagSeconds: number | null
  stale: boolean
  /** Seconds since the index last answered, where it does not answer now. */
  ageSeconds?: number
  /** Code of the error where the index does not answer. */
  error?: string
}

/** Tells with each answer where the chains stand that were asked for it. */
export const freshnessPlugin: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    willSendResponse: async ({ contextValue, response }) => {
      if (response.body.kind !== 'single') return
      const asked = contextValue.chains.views.filter(({ isAsked }) => isAsked)
      if (asked.length === 0) return
      const chains = asked.map(freshness)
      response.body.singleResult.extensions = { ...response.body.singleResult.extensions, chains }
      response.http.headers.set('chain-status', chains.map(headerOf).join(', '))
    },
  }),
}

function freshness({ network, state }: ChainView): Freshness {
  const { head, currentRound, error, ageSeconds } = state
  const lag = lagIn(state)
  return {
    network,
    block: head?.block ?? null,
    blockHash: head?.blockHash ?? null,
    round: currentRound || null,
    lagBlocks: lag.blocks,
    lagSeconds: lag.seconds,
    stale: isStaleNow(state),
    ...(error === null ? {} : { error: error.code }),
    ...(error === null || ageSeconds === null ? {} : { ageSeconds: Math.floor(ageSeconds) }),
  }
}

/** A member of a list of structured fields (RFC 9651); what is not known is left out. */
function headerOf({
  network,
  block,
  blockHash,
  round,
  lagBlocks,
  lagSeconds,
  stale,
  ageSeconds,
  error,
}: Freshness): string {
  const parameters = {
    block,
    hash: blockHash === null ? null : `"${blockHash}"`,
    round,
    'lag-blocks': lagBlocks,
    'lag-seconds': lagSeconds,
    stale: stale ? '?1' : '?0',
    'age-seconds': ageSeconds ?? null,
    error: error === undefined ? null : `"${error}"`,
  }
  const known = Object.entries(parameters).filter(([, value]) => value !== null)
  return [JSON.stringify(network), ...known.map(([name, value]) => `${name}=${value}`)].join(';')
}
