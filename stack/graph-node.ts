import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { endpointOf } from '../api/facts/rpc.ts'
import { askRpc, numberIn, patiently } from './chain-rpc.ts'
import { type ProcessTable, StackError, startChild, waitFor } from './processes.ts'
import { silence } from './rpc-trouble.ts'

/** The last block that graph-node can tell. */
export const LAST_BLOCK = 2_147_483_647

/** A chain as graph-node is told of it. */
export interface ChainSource {
  network: string
  rpcUrl: string
  /** Whether it is a recording: its head never moves, and nothing is ever reorganised. */
  recorded: boolean
  /** How many blocks the RPC gives logs of at a time, where that is known. */
  logRange?: number | undefined
}

/** Where the indexing of one deployed subgraph stands. */
export interface IndexingStatus {
  /** Path of the manifest it was deployed from. */
  deployment: string
  synced: boolean
  /** Null until the first block is written. */
  latestBlock: number | null
  /** Null until the chain's head is known. */
  headBlock: number | null
  /** Why indexing stopped for good. */
  fatalError: string | null
  /** Why indexing stopped for now: graph-node tries again by itself, as what went wrong lies outside the subgraph. */
  passingError: string | null
}

/** The versions of a subgraph: the one that answers, and one that is to take its place once it has caught up. */
export interface VersionStatus {
  current: IndexingStatus | null
  pending: IndexingStatus | null
}

/** What graph-node needs to run. */
export interface GraphNodeOptions {
  /** Folder of the run. */
  dir: string
  logFile: string
  ports: GraphNodePorts
  postgresUrl: string
  ipfsUrl: string
  chain: ChainSource
  processes: ProcessTable
  /** Called when graph-node ends, whoever ended it. */
  onExit: (how: string) => void
  /** Called when it takes long to start. */
  onLate?: () => void
  signal: AbortSignal
}

/** Where graph-node listens. */
export interface GraphNodePorts {
  query: number
  admin: number
  status: number
  metrics: number
}

/** A graph-node on this machine. */
export class GraphNode {
  /** GraphQL about indexing itself. */
  readonly statusUrl: string
  readonly #queryUrl: string
  readonly #adminUrl: string

  constructor(ports: GraphNodePorts) {
    this.#queryUrl = `http://127.0.0.1:${ports.query}`
    this.#adminUrl = `http://127.0.0.1:${ports.admin}`
    this.statusUrl = `http://127.0.0.1:${ports.status}/graphql`
  }

  /** Where the subgraph of this name is queried. */
  subgraphUrl(name: string): string {
    return `${this.#queryUrl}/subgraphs/name/${name}`
  }

  /**
   * Deploys a built subgraph under a name. A build already deployed goes on where it was; a changed one is indexed beside
   * the one that answers now, and answers in its place once it has caught up.
   */
  async deploy(name: string, manifest: string): Promise<void> {
    const { current, pending } = await this.status(name)
    if (manifest === (pending ?? current)?.deployment) return
    await this.#admin('subgraph_create', { name })
    await this.#admin('subgraph_deploy', { name, ipfs_hash: manifest })
  }

  async status(name: string): Promise<VersionStatus> {
    const fields =
      '{ subgraph synced fatalError { message deterministic } chains { latestBlock { number } chainHeadBlock { number } } }'
    const query = `query ($name: String!) {
      current: indexingStatusForCurrentVersion(subgraphName: $name) ${fields}
      pending: indexingStatusForPendingVersion(subgraphName: $name) ${fields}
    }`
    const { data } = await postJson<{ data: Record<'current' | 'pending', RawStatus | null> }>(this.statusUrl, {
      query,
      variables: { name },
    })
    return { current: indexingStatus(data.current), pending: indexingStatus(data.pending) }
  }

  /** Stops the indexing of the placeholder, which has done its part once graph-node runs. */
  async pausePlaceholder(manifest: string, signal: AbortSignal): Promise<void> {
    const pausing = () => this.#admin('subgraph_pause', { deployment: manifest }).then(() => true)
    await waitFor(() => pausing().catch(() => undefined), signal)
  }

  async isUp(): Promise<boolean> {
    try {
      await this.status('none')
      return (await fetch(this.#adminUrl, { method: 'POST', body: '{}' })).status < 500
    } catch {
      return false
    }
  }

  async #admin(method: string, params: object): Promise<void> {
    const request = { jsonrpc: '2.0', id: 1, method, params }
    const { error } = await postJson<{ error?: { message: string } }>(this.#adminUrl, request)
    if (error) throw new StackError(`graph-node refused ${method}: ${error.message}`)
  }
}

/** Until when graph-node is not late: its first start makes its tables, on a busy machine for some while. */
const LATE_MS = 45_000
/** Later than that it does not come any more, as where its connection to the database broke just when it started. */
const START_LIMIT_MS = 150_000

/**
 * Starts graph-node for one chain and waits until it takes requests. gnd joins the RPCs of several chains with commas, and
 * graph-node then takes them for one URL: each chain needs a graph-node, and a database, of its own.
 */
export async function startGraphNode(options: GraphNodeOptions): Promise<GraphNode> {
  const { dir, logFile, ports, postgresUrl, ipfsUrl, chain, processes, onExit, onLate, signal } = options
  const placeholder = await writePlaceholder(dir, chain, signal)
  signal.throwIfAborted()
  const child = startChild(processes, {
    role: 'graph-node',
    command: gnd(),
    args: [
      'dev',
      ...['--manifests', `${placeholder}:.`],
      ...['--ipfs', ipfsUrl],
      ...['--http-port', String(ports.query)],
      ...['--admin-port', String(ports.admin)],
      ...['--index-node-port', String(ports.status)],
      ...['--metrics-port', String(ports.metrics)],
    ],
    logFile,
    cwd: dir,
    // Everybody on the machine sees command lines: a password and a key have no place there.
    env: {
      ...settings(chain),
      ...process.env,
      POSTGRES_URL: postgresUrl,
      ETHEREUM_RPC: `${chain.network}:${chain.rpcUrl}`,
    },
  })
  child.once('error', (error) => onExit(`did not start: ${error.message}`))
  child.once('exit', (code, killedBy) => onExit(killedBy ? `was ended by ${killedBy}` : `ended with code ${code}`))
  const graphNode = new GraphNode(ports)
  const late = setTimeout(() => onLate?.(), LATE_MS)
  const limit = AbortSignal.timeout(START_LIMIT_MS)
  try {
    const starting = AbortSignal.any([signal, limit])
    await waitFor(async () => (await graphNode.isUp()) || undefined, starting)
    await graphNode.pausePlaceholder(placeholder, starting)
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error
    throw new StackError(`graph-node did not start within ${START_LIMIT_MS / 1000} seconds; its log is ${logFile}`)
  } finally {
    clearTimeout(late)
  }
  return graphNode
}

/** The program graph-node comes as, with graph-cli's commands. Throws a StackError where there is none. */
export function gnd(): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new StackError(
      `graph-node comes for Linux on x64 only, this is ${process.platform} on ${process.arch}: give the URL of one with --graph-node`,
    )
  }
  try {
    const path = createRequire(import.meta.url).resolve('@graphprotocol/gnd-linux-x64/package.json')
    return join(dirname(path), 'bin/gnd')
  } catch {
    throw new StackError(
      'graph-node is not installed: run npm install with optional dependencies, or give the subgraph of others with --subgraph',
    )
  }
}

/** Posts JSON and gives the JSON that comes back. */
export async function postJson<T>(text: string, body: unknown, milliseconds = 10_000): Promise<T> {
  const { url, headers } = endpointOf(text)
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(milliseconds),
  })
  return (await response.json()) as T
}

/** Asks a subgraph; gives the data of the answer, throws with the first error where there is none. */
export async function querySubgraph<T>(url: string, query: string): Promise<T> {
  const { data, errors } = await postJson<{ data?: T; errors?: { message: string }[] }>(url, { query })
  if (!data) throw new Error(errors?.[0]?.message ?? 'no data')
  return data
}

/** Whether it is where one subgraph is queried, rather than a graph-node with any. */
export function isSubgraphUrl(url: string | undefined): boolean {
  return url?.includes('/subgraphs/') ?? false
}

interface RawStatus {
  subgraph: string
  synced: boolean
  fatalError: { message: string; deterministic: boolean } | null
  chains: { latestBlock: { number: string } | null; chainHeadBlock: { number: string } | null }[]
}

function indexingStatus(raw: RawStatus | null): IndexingStatus | null {
  if (!raw) return null
  const [chain] = raw.chains
  return {
    deployment: raw.subgraph,
    synced: raw.synced,
    latestBlock: chain?.latestBlock ? Number(chain.latestBlock.number) : null,
    headBlock: chain?.chainHeadBlock ? Number(chain.chainHeadBlock.number) : null,
    fatalError: raw.fatalError?.deterministic ? raw.fatalError.message : null,
    passingError: raw.fatalError?.deterministic === false ? raw.fatalError.message : null,
  }
}

// What graph-node is told beside its command line. The environment of the user goes before all of it, but for
// ETHEREUM_REORG_THRESHOLD: gnd makes it 10 whatever it is told. Reorganisations deeper than that are followed all the
// same, as graph-node looks at each step whether the block it stands at is still on the chain.
function settings({ recorded, logRange }: ChainSource): NodeJS.ProcessEnv {
  return {
    // Ranges that a provider refuses graph-node would ask for again and again.
    ...(logRange === undefined ? {} : { GRAPH_ETHEREUM_MAX_BLOCK_RANGE_SIZE: String(logRange) }),
    // How long one answer may take, in seconds. By default three minutes, in which nothing goes on; the RPC was asked
    // beforehand how many blocks' logs it gives within half of this.
    GRAPH_ETHEREUM_JSON_RPC_TIMEOUT: '30',
    // How long indexing rests after an error that passes, such as an RPC that fails while a handler asks it, in seconds. By
    // default two minutes at first, and up to half an hour.
    GRAPH_SUBGRAPH_ERROR_RETRY_CEIL_SECS: '10',
    GRAPH_LOG: 'warn',
    // A changed subgraph takes its name only once it has caught up.
    EXPERIMENTAL_SUBGRAPH_VERSION_SWITCHING_MODE: 'synced',
    // How often to look for a new head, in milliseconds. More than 500: what graph-node found is told to its indexing
    // only once nothing new was found for that long, so that on a chain with fast blocks it would hardly ever be.
    ETHEREUM_POLLING_INTERVAL: recorded ? '600' : '1000',
    // Told of a new head, indexing would often still see the old one in this cache, and wait for the next.
    GRAPH_STORE_DISABLE_CHAIN_HEAD_PTR_CACHE: 'true',
    // How long writes may be gathered, in seconds: progress shows only what is written.
    GRAPH_STORE_WRITE_BATCH_DURATION: recorded ? '1' : '10',
  }
}

// gnd wants a subgraph on its command line and indexes that one anew at every start. It gets one that asks for nothing.
async function writePlaceholder(dir: string, chain: ChainSource, signal: AbortSignal): Promise<string> {
  const told = await askRpc(chain.rpcUrl, 'eth_blockNumber', [], patiently(signal))
  if ('refusal' in told) throw new StackError(`${chain.network}: ${silence(chain, told.refusal).line}`)
  const head = numberIn(told.result)
  if (!(head <= LAST_BLOCK)) throw new StackError(`the RPC of ${chain.network} tells no block number`)
  // Behind one address there may be several nodes, and not all at the same head.
  const startBlock = Math.max(0, head - (chain.recorded ? 0 : 20))
  const folder = join(dir, 'placeholder', chain.network)
  const manifest = join(folder, 'subgraph.yaml')
  const dataSource = {
    kind: 'ethereum/contract',
    name: 'Nothing',
    network: chain.network,
    source: { address: '0x000000000000000000000000000000000000dEaD', abi: 'Nothing', startBlock },
    mapping: {
      kind: 'ethereum/events',
      apiVersion: '0.0.9',
      language: 'wasm/assemblyscript',
      entities: ['Nothing'],
      abis: [{ name: 'Nothing', file: 'nothing.json' }],
      eventHandlers: [{ event: 'Nothing()', handler: 'handleNothing' }],
      file: 'nothing.wasm',
    },
  }
  mkdirSync(folder, { recursive: true })
  // JSON is YAML too.
  const text = JSON.stringify({ specVersion: '1.2.0', schema: { file: 'schema.graphql' }, dataSources: [dataSource] })
  writeFileSync(manifest, text)
  writeFileSync(join(folder, 'schema.graphql'), 'type Nothing @entity(immutable: true) { id: Bytes! }\n')
  writeFileSync(join(folder, 'nothing.json'), '[{"type":"event","name":"Nothing","anonymous":false,"inputs":[]}]')
  // The shortest WebAssembly module: magic number and version.
  writeFileSync(join(folder, 'nothing.wasm'), Buffer.from('0061736d01000000', 'hex'))
  return manifest
}
