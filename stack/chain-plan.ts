import { fileURLToPath } from 'node:url'
import { isSubgraphUrl } from './graph-node.ts'
import { type Contracts, checkRpc, contextKeys, knownChainId, publicNetwork, readNetwork } from './networks.ts'
import { StackError } from './processes.ts'
import { readTrace, type Trace } from './trace.ts'

/** Which chains to index. */
export interface ChainOptions {
  /** Names of real networks, as in the networks file; those with an RPC need not be named. */
  networks?: readonly string[]
  /** Addresses and start blocks by network; the project's own by default. */
  networksFile?: string
  /** RPC URL of each real network. */
  rpcUrls?: Readonly<Record<string, string>>
  /** Trace files, each served as a chain of its own: `recorded`, `recorded-2` and so on. */
  traces?: readonly string[]
  /** A graph-node that is already there, by query endpoint or subgraph URL, instead of one of the stack's own. */
  graphNodeUrl?: string
}

const DEFAULT_TRACES = ['livepeer/medium', 'aragon/small'].map((name) =>
  fileURLToPath(new URL(`../tests/traces/${name}/trace.jsonl.gz`, import.meta.url)),
)
const DEFAULT_NETWORKS_FILE = fileURLToPath(new URL('../subgraph/networks.json', import.meta.url))

/** A chain to index, real or recorded. */
export interface PlannedChain {
  network: string
  /** Undefined where nothing tells: behind a graph-node that is already there, of a network not known by its name. */
  chainId: number | undefined
  contracts: Contracts
  /** Hash of block 0 of a real chain; undefined where its RPC keeps none. */
  genesis?: string | undefined
  /** Tells the chain from another one of the same name: of a real one its id and, after a colon, its first block's hash. */
  identity: string
  /** The public network it is or was recorded of; undefined for any other. */
  likeness?: string | undefined
  rpcUrl?: string
  recording?: { trace: Trace; file: string }
}

/** The chains asked for, with all that needs nothing started: most mistakes of a user are found here. */
export async function planChains(options: ChainOptions): Promise<[PlannedChain, ...PlannedChain[]]> {
  const { networksFile = DEFAULT_NETWORKS_FILE, rpcUrls = {}, graphNodeUrl } = options
  const named = (options.networks ?? []).filter((network) => network !== 'recorded' || rpcUrls[network] !== undefined)
  const real = [...named, ...Object.keys(rpcUrls).filter((network) => !named.includes(network))]
  const traces = [...(options.traces ?? [])]
  if (real.length === 0 && traces.length === 0) {
    // A URL of one subgraph is one of stake.
    traces.push(...(isSubgraphUrl(graphNodeUrl) ? DEFAULT_TRACES.slice(0, 1) : DEFAULT_TRACES))
  }

  const planned: PlannedChain[] = []
  for (const network of real) {
    const rpcUrl = rpcUrls[network]
    if (graphNodeUrl !== undefined) {
      const chainId = knownChainId(network)
      const contracts = await contractsOfElsewhere(options, network)
      planned.push({ network, chainId, contracts, identity: '', ...(rpcUrl === undefined ? {} : { rpcUrl }) })
      continue
    }
    if (rpcUrl === undefined) throw new StackError(`network ${network} needs an RPC: give its URL with --rpc`)
    const contracts = await readNetwork(networksFile, network)
    const { chainId, genesis } = await checkRpc(network, rpcUrl)
    const identity = genesis === undefined ? String(chainId) : `${chainId}:${genesis}`
    planned.push({ network, chainId, genesis, contracts, rpcUrl, identity, likeness: publicNetwork(chainId) })
  }
  for (const [index, file] of traces.entries()) {
    const trace = await readTrace(file)
    const network = trace.header.network ?? (index === 0 ? 'recorded' : `recorded-${index + 1}`)
    const { likeness, chainId } = trace.header
    const contracts = recordedContracts(trace)
    planned.push({ network, chainId, contracts, identity: trace.identity, likeness, recording: { trace, file } })
  }
  const [first, ...others] = planned
  if (!first) throw new StackError('there is no chain to index')
  const twice = planned.find(({ network }, index) => planned.findIndex((other) => other.network === network) !== index)
  if (twice) throw new StackError(`two chains are named ${twice.network}`)
  return [first, ...others]
}

/** The contracts of a network that others index, as far as they are known: none of one that no file was named for. */
function contractsOfElsewhere({ networksFile }: ChainOptions, network: string): Promise<Contracts> {
  if (networksFile !== undefined) return readNetwork(networksFile, network)
  return readNetwork(DEFAULT_NETWORKS_FILE, network).catch(() => ({}))
}

export function recordedContracts({ header, firstBlock }: Trace): Contracts {
  return Object.fromEntries(
    Object.entries(header.contracts).map(([name, address]) => {
      const context = Object.entries(header.context).filter(([key]) => contextKeys(name).includes(key))
      return [name, { address, startBlock: firstBlock, context: Object.fromEntries(context) }]
    }),
  )
}
