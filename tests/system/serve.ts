import type { Facts } from '../../api/facts/facts.ts'
import { type Chain, type FactsSource, FollowedChain, type FollowOptions } from '../../api/facts/followed-chain.ts'
import { type ApiServer, createServer } from '../../api/server.ts'

type ServerOptions = Omit<Parameters<typeof createServer>[0], 'chains' | 'port' | 'isReady'>

/** An API of its own over some chains' graph-nodes, once it holds their facts; it ends following when it is closed. */
export async function serve(
  chains: readonly Chain[],
  options: ServerOptions = {},
  following: FollowOptions = {},
): Promise<ApiServer & { followed: FollowedChain[] }> {
  const followed = chains.map((chain) => new FollowedChain(chain, { intervalMs: 250, ...following }).start())
  await Promise.all(followed.map((chain) => chain.reached(0, AbortSignal.timeout(120_000))))
  const server = await serveFacts(followed, options)
  const close = async () => {
    await server.close()
    await Promise.all(followed.map((chain) => chain.close()))
  }
  return { ...server, followed, close }
}

/** An API over facts that others follow. */
export function serveFacts(chains: readonly FactsSource[], options: ServerOptions = {}): Promise<ApiServer> {
  return createServer({ ...options, chains, port: 0, isReady: () => true })
}

/** A chain as it stood at the end of a block, with that block's time where it matters. */
export function asOf(chain: FactsSource, { block, timestamp }: { block: number; timestamp?: number }): FactsSource {
  const then = (facts: Facts) => facts.asOf({ block, blockHash: null, timestamp: timestamp ?? null })
  return {
    network: chain.network,
    chainId: chain.chainId,
    roundLength: chain.roundLength,
    lptAddresses: chain.lptAddresses,
    contracts: chain.contracts,
    get facts() {
      return then(chain.facts)
    },
    get state() {
      const { head, firstRound, currentRound } = then(chain.facts)
      return { ...chain.state, head, firstRound, currentRound }
    },
    factsAt: (pin) => chain.factsAt(pin),
    roundAt: (facts) => chain.roundAt(facts),
  }
}
