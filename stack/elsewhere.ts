import { UpstreamError } from '../api/facts/errors.ts'
import { GraphNode } from '../api/facts/graph-node.ts'
import { hostOf, isHttpUrl } from '../api/facts/rpc.ts'
import type { ChainOptions, PlannedChain, SubgraphElsewhere } from './chain-plan.ts'
import { isSubgraphUrl } from './graph-node.ts'
import { subgraphName } from './indexing.ts'
import { checkRpc, RpcSilentError } from './networks.ts'
import { StackError } from './processes.ts'
import type { Run } from './run.ts'

/** A chain with the subgraph of it that others index. */
export interface ChainElsewhere {
  chain: PlannedChain
  subgraph: SubgraphElsewhere
}

/** The chains with their subgraphs; StackError where one has none. */
export function chainsElsewhere(
  { subgraphs = {}, graphNodeUrl, statusUrls = {} }: ChainOptions,
  planned: readonly PlannedChain[],
): ChainElsewhere[] {
  const stray = Object.keys(statusUrls).find((name) => planned.every(({ network }) => network !== name))
  if (stray !== undefined) throw new StackError(`--status is of ${stray}, which has no subgraph`)
  if (graphNodeUrl === undefined) {
    return planned.map((chain) => {
      const { network } = chain
      const subgraph = Object.hasOwn(subgraphs, network) ? subgraphs[network] : undefined
      if (subgraph === undefined) {
        throw new StackError(`network ${network} needs a subgraph, as others have one: give its URL with --subgraph`)
      }
      return { chain, subgraph }
    })
  }
  if (Object.keys(subgraphs).length > 0) throw new StackError('--graph-node and --subgraph exclude each other')
  if (!isHttpUrl(graphNodeUrl)) throw new StackError('--graph-node is not a URL')
  const base = graphNodeUrl.replace(/\/+$/, '')
  const isSubgraph = isSubgraphUrl(graphNodeUrl)
  if (isSubgraph && planned.length > 1) throw new StackError('one subgraph cannot serve more than one chain')
  return planned.map((chain) => {
    const url = isSubgraph ? base : `${base}/subgraphs/name/${subgraphName(chain.network)}`
    return { chain, subgraph: { url } }
  })
}

/** Asks a subgraph once; StackError with what it says where it is of no use. */
export async function checkSubgraph(network: string, { url, headers = {} }: SubgraphElsewhere): Promise<void> {
  const place = { network, subgraphUrl: url, subgraphHeaders: headers, isElsewhere: true }
  await new GraphNode(place, new AbortController().signal).head().catch((error: unknown) => {
    const reason =
      error instanceof UpstreamError ? error.reason : error instanceof Error ? error.message : String(error)
    throw new StackError(`the subgraph of ${network} at ${hostOf(url)} does not answer: ${reason}`)
  })
}

/** The id of a chain that others index: by its RPC where there is one. Only one of another chain is refused, as nothing waits for it. */
export async function chainIdElsewhere(
  run: Run,
  { network, chainId, rpcUrl }: PlannedChain,
): Promise<number | undefined> {
  if (rpcUrl === undefined) return chainId
  try {
    return (await checkRpc(network, rpcUrl)).chainId
  } catch (error) {
    if (!(error instanceof RpcSilentError)) throw error
    run.log(error.message)
    return chainId
  }
}
