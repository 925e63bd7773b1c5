import { fileURLToPath } from 'node:url'
import { isSubgraphUrl } from './graph-node.ts'
import { type Contracts, checkRpc, contextKeys, knownChainId, publicNetwork, readNetwork } from './networks.ts'
import { StackError } from './processes.ts'
import { readTrace, type Trace } from './trace.ts'

/** A subgraph that others index. */
export interface SubgraphElsewhere {
  /** Taken as it is. */
  url: string
  /** Sent along with what is asked there. */
  headers?: Readonly<Record<string, string>>
}

/** Which chains to index, or to take from those who do. */
export interface ChainOptions {
  /** Names of real networks, as in the networks file; those with an RPC or a subgraph need not be named. */
  networks?: readonly string[]
  /** Addresses and start blocks by network; the project's own by default. */
  networksFile?: string
  /** RPC URL of each real network. */
  rpcUrls?: Readonly<Record<string, string>>
  /** Trace files, each served as a chain of its own: `recorded`, `recorded-2` and so on. */
  traces?: readonly string[]
  /** Subgraphs that others index, by network: nothing is indexed here then. */
  subgraphs?: Readonly<Record<string, SubgraphElsewhere>>
  /** A graph-node that is already there, by query endpoint or subgraph URL, in place of a subgraph of each network. */
  graphNodeUrl?: string
  /** Index-nodes of those who index, by network. */
  statusUrls?: Readonly<Record<string, string>>
}

const DEFAULT_TRACES = ['livepeer/medium', 'aragon/small'].map((name) =>
  fileURLToPath(new URL(`../tests/traces/${name}/trace.jsonl.gz`, import.meta.url)),
)
const DEFAULT_NETWORKS_FILE = fileURLToPath(new URL('../subgraph/networks.json', import.meta.url))

/** A chain to index, real or recorded. */
export interface PlannedChain {
  network: string
  /** Undefined where nothing tells: a network that others index, not known by its name, without an RPC. */
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

/** Whether others index, rather than this machine. */
export function isElsewhere({ subgraphs = {}, graphNodeUrl }: ChainOptions): boolean {
  return graphNodeUrl !== undefined || Object.keys(subgraphs).length > 0
}

/** The chains asked for, with all that needs nothing started: most mistakes of a user are found here. */
export async function planChains(options: ChainOptions): Promise<[PlannedChain, ...PlannedChain[]]> {
  const { networksFile = DEFAULT_NETWORKS_FILE, rpcUrls = {}, subgraphs = {}, graphNodeUrl } = options
  const recordings = await readRecordings(options.traces ?? [])
  const told = [...Object.keys(rpcUrls), ...Object.keys(subgraphs)]
  const named = (options.networks ?? []).filter((network) => network !== 'recorded' || told.includes(network))
  const real = new Set([...named, ...told])
  // A recording tells of a chain that others index, as a networks file does.
  for (const { network } of recordings) if (Object.hasOwn(subgraphs, network)) real.delete(network)
  if (real.size === 0 && recordings.length === 0) {
    // A URL of one subgraph is one of stake.
    recordings.push(
      ...(await readRecordings(isSubgraphUrl(graphNodeUrl) ? DEFAULT_TRACES.slice(0, 1) : DEFAULT_TRACES)),
    )
  }

  const planned: PlannedChain[] = []
  for (const network of real) {
    const rpcUrl = rpcUrls[network]
    if (isElsewhere(options)) {
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
  planned.push(...recordings)
  const [first, ...others] = planned
  if (!first) throw new StackError('there is no chain to index')
  const twice = planned.find(({ network }, index) => planned.findIndex((other) => other.network === network) !== index)
  if (twice) throw new StackError(`two chains are named ${twice.network}`)
  return [first, ...others]
}

async function readRecordings(files: readonly string[]): Promise<PlannedChain[]> {
  const recordings: PlannedChain[] = []
  for (const [index, file] of files.entries()) {
    const trace = await readTrace(file)
    const network = trace.header.network ?? (index === 0 ? 'recorded' : `recorded-${index + 1}`)
    const { likeness, chainId } = trace.header
    const contracts = recordedContracts(trace)
    recordings.push({ network, chainId, contracts, identity: trace.identity, likeness, recording: { trace, file } })
  }
  return recordings
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
