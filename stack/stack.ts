import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Limits } from '../api/limits.ts'
import { type ApiServer, type Chain, createServer } from '../api/server.ts'
import { GraphNode, type GraphNodePorts, gnd, type IndexingStatus, postJson, startGraphNode } from './graph-node.ts'
import { type Contracts, checkRpc, contextKeys, publicNetwork, ROUND_LENGTHS, readNetwork } from './networks.ts'
import { startPostgres } from './postgres.ts'
import { freePorts, ProcessTable, pause, removeFolder, StackError } from './processes.ts'
import { RecordedChain, readRecordedCalls, serveRecordedChains } from './recorded-chain.ts'
import { buildSubgraph, chooseSubgraph, writeNetworkBuild } from './subgraph-build.ts'
import { readTrace, type Trace } from './trace.ts'

/** What to run. Without networks and traces: two recordings that ship with the project, of stake and of a DAO. */
export interface StackOptions {
  /** Names of real networks, as in the networks file; those with an RPC need not be named. */
  networks?: readonly string[]
  /** Addresses and start blocks by network; the project's own by default. */
  networksFile?: string
  /** RPC URL of each real network. */
  rpcUrls?: Readonly<Record<string, string>>
  /** Trace files, each served as a chain of its own: `recorded`, `recorded-2` and so on. */
  traces?: readonly string[]
  /** Port of the API; 0, the default, takes a free one. */
  port?: number
  /** An IPFS gateway's URL, for the texts of polls; none are fetched without. */
  ipfsGateway?: string | undefined
  /** What a request and a client may ask of the API, where not its defaults. */
  limits?: Partial<Limits>
  /** Proxies that the API believes whom they ask for. */
  trustProxy?: string | undefined
  /** A graph-node that is already there, by query endpoint or subgraph URL, instead of one of the stack's own. */
  graphNodeUrl?: string
  /** Where data stays between starts; by default below `.data` for real networks, and nowhere for recordings. */
  dataDir?: string
  /** Told what happens, a line at a time. */
  log?: (line: string) => void
  /** Told where indexing stands, now and then, until every chain has caught up. */
  onProgress?: (progress: readonly ChainProgress[]) => void
  /** Ends the start half-way when it aborts. */
  signal?: AbortSignal
}

/** Where the indexing of one chain stands. */
export interface ChainProgress {
  network: string
  firstBlock: number
  /** Last block indexed. */
  block: number
  /** Last block there is. */
  head: number
  /** Round at that block, null where there is none yet. */
  round: number | null
}

/** A running stack. */
export interface Stack {
  /** Base URL of the API. */
  url: string
  chains: readonly Chain[]
  /**
   * Resolves once every chain has caught up for the first time, but for those whose indexing stopped; rejects when it
   * stopped for all, or another part fails before.
   */
  ready: Promise<void>
  /** Aborts, with a StackError as reason, when a part fails. The rest runs until `stop`. */
  failure: AbortSignal
  /** Stops everything the stack started, in order, and waits until it is gone. */
  stop(): Promise<void>
}

/** Name of a network's subgraph at graph-node. */
function subgraphName(network: string): string {
  return `livepeer-governance/${network}`
}

/** Builds the subgraph, starts all parts and gives the stack as soon as it indexes. When it cannot, nothing stays behind. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const run = new Run(options)
  try {
    run.signal.throwIfAborted()
    const planned = await planChains(options)
    return await (options.graphNodeUrl === undefined
      ? startWithOwnGraphNode(run, planned)
      : startWithGraphNodeAt(options.graphNodeUrl, run, planned))
  } catch (error) {
    // When a part fails, what was under way fails too: the part is the reason.
    const reason: unknown = run.signal.aborted ? run.signal.reason : error
    await run.stop()
    throw reason
  }
}

const PROJECT = fileURLToPath(new URL('..', import.meta.url))
const DEFAULT_TRACES = ['livepeer/medium', 'aragon/small'].map((name) =>
  join(PROJECT, 'tests/traces', name, 'trace.jsonl.gz'),
)
const DEFAULT_NETWORKS_FILE = join(PROJECT, 'subgraph/networks.json')

/** A part of the stack that failed, with a log to look into. */
class PartError extends StackError {}

/** What has been started, and the one place that knows how to end it. */
class Run {
  readonly options: StackOptions
  /** Whether every chain that can has caught up once. */
  isReady = false
  readonly #failure = new AbortController()
  readonly #cleanups: (() => Promise<void> | void)[] = []
  #stopped: Promise<void> | undefined

  constructor(options: StackOptions) {
    this.options = options
    if (options.signal?.aborted) this.fail(options.signal.reason)
    options.signal?.addEventListener('abort', this.#interrupt, { once: true })
  }

  /** Aborts when a part failed, or the run was told to end. */
  get signal(): AbortSignal {
    return this.#failure.signal
  }

  /** The first reason given counts: what fails after it fails because of it. */
  readonly fail = (reason: unknown): void => this.#failure.abort(reason)

  /** Runs at the stop, before the clean-ups added earlier. */
  onStop(cleanup: () => Promise<void> | void): void {
    this.#cleanups.unshift(cleanup)
  }

  log(line: string): void {
    this.options.log?.(line)
  }

  readonly stop = (): Promise<void> => {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.options.signal?.removeEventListener('abort', this.#interrupt)
    this.fail(new StackError('stopped'))
    for (const cleanup of this.#cleanups) await cleanup()
  }

  readonly #interrupt = (): void => this.fail(this.options.signal?.reason)
}

/** A chain to index, real or recorded. */
interface PlannedChain {
  network: string
  contracts: Contracts
  /** Tells the chain from another one of the same name. */
  identity: string
  /** The public network it is or was recorded of; undefined for any other. */
  likeness?: string | undefined
  rpcUrl?: string
  recording?: { trace: Trace; file: string }
}

// What needs nothing started comes first: most mistakes of a user are found here.
async function planChains(options: StackOptions): Promise<[PlannedChain, ...PlannedChain[]]> {
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
      planned.push({ network, contracts: {}, identity: '', ...(rpcUrl === undefined ? {} : { rpcUrl }) })
      continue
    }
    if (rpcUrl === undefined) throw new StackError(`network ${network} needs an RPC: give its URL with --rpc`)
    const contracts = await readNetwork(networksFile, network)
    const chainId = await checkRpc(network, rpcUrl)
    planned.push({ network, contracts, rpcUrl, identity: String(chainId), likeness: publicNetwork(chainId) })
  }
  for (const [index, file] of traces.entries()) {
    const trace = await readTrace(file)
    const network = trace.header.network ?? (index === 0 ? 'recorded' : `recorded-${index + 1}`)
    const { likeness } = trace.header
    const contracts = recordedContracts(trace)
    planned.push({ network, contracts, identity: trace.identity, likeness, recording: { trace, file } })
  }
  const [first, ...others] = planned
  if (!first) throw new StackError('there is no chain to index')
  const twice = planned.find(({ network }, index) => planned.findIndex((other) => other.network === network) !== index)
  if (twice) throw new StackError(`two chains are named ${twice.network}`)
  return [first, ...others]
}

/** The contracts of a trace as a networks file would have them. */
export function recordedContracts({ header, firstBlock }: Trace): Contracts {
  return Object.fromEntries(
    Object.entries(header.contracts).map(([name, address]) => {
      const context = Object.entries(header.context).filter(([key]) => contextKeys(name).includes(key))
      return [name, { address, startBlock: firstBlock, context: Object.fromEntries(context) }]
    }),
  )
}

async function startWithOwnGraphNode(run: Run, planned: readonly PlannedChain[]): Promise<Stack> {
  const { signal } = run
  gnd() // Complains where there is none for this machine.
  const subgraphs = planned.map(({ network, contracts, likeness }) =>
    chooseSubgraph(PROJECT, network, contracts, likeness),
  )
  const recordings = new Map<string, RecordedChain>()
  for (const { network, recording } of planned) {
    if (recording) recordings.set(network, new RecordedChain(recording.trace, await readRecordedCalls(recording.file)))
  }
  // Runs for real networks too: it is graph-node's IPFS server.
  const chainServer = await serveRecordedChains(recordings)
  run.onStop(() => chainServer.close())
  const { dir, keep, processes } = await openFolder(run, planned)

  const [databasePort = 0, ...others] = await freePorts(1 + 4 * planned.length)
  const indexed = planned.map((chain, index): IndexedChain => {
    const [query = 0, admin = 0, status = 0, metrics = 0] = others.slice(4 * index)
    const ports = { query, admin, status, metrics }
    return { ...chain, ports, graphNode: new GraphNode(ports) }
  })
  const chains = indexed.map((chain) => apiChain(chain, subgraphUrl(chain), chain.graphNode.statusUrl))
  const api = await serveApi(run, chains)

  const logs = join(dir, 'logs')
  mkdirSync(logs, { recursive: true })
  const part = (name: string, file: string) => ({
    dir,
    logFile: join(logs, file),
    processes,
    signal,
    onExit: (how: string) => run.fail(new PartError(`${name} ${how}; its log is ${join(logs, file)}`)),
  })
  run.log('building the subgraph, starting PostgreSQL')
  const builds = Promise.all(
    subgraphs.map(({ manifest, leftOut }, index) => {
      for (const name of leftOut) run.log(`${planned[index]?.network}: ${name} has no address and is left out`)
      return buildSubgraph(PROJECT, manifest, signal)
    }),
  )
  const database = startPostgres({
    ...part('PostgreSQL', 'postgresql.log'),
    port: databasePort,
    durable: keep,
    databases: planned.map(({ network }) => network),
  })
  const [built, postgresUrl] = await Promise.all([builds, database])
  run.log('starting graph-node')
  await Promise.all(
    indexed.map(async ({ network, contracts, rpcUrl, ports, graphNode }, index) => {
      const alone = planned.length === 1
      await startGraphNode({
        ...part(
          alone ? 'graph-node' : `graph-node of ${network}`,
          alone ? 'graph-node.log' : `graph-node-${network}.log`,
        ),
        ports,
        postgresUrl: new URL(network, postgresUrl).href,
        ipfsUrl: chainServer.url,
        chain: { network, rpcUrl: rpcUrl ?? `${chainServer.url}/${network}`, recorded: rpcUrl === undefined },
      })
      const manifest = writeNetworkBuild(built[index] ?? '', network, contracts, join(dir, 'builds'))
      await graphNode.deploy(subgraphName(network), manifest)
    }),
  )
  run.log('indexing')
  return runningStack(run, api, chains, watchIndexing(run, indexed))
}

/** A chain with the graph-node that indexes it. */
interface IndexedChain extends PlannedChain {
  ports: GraphNodePorts
  graphNode: GraphNode
}

function subgraphUrl({ network, graphNode }: IndexedChain): string {
  return graphNode.subgraphUrl(subgraphName(network))
}

async function startWithGraphNodeAt(url: string, run: Run, planned: readonly PlannedChain[]): Promise<Stack> {
  if (!URL.canParse(url)) throw new StackError(`not a URL of a graph-node: ${url}`)
  const base = url.replace(/\/+$/, '')
  const isSubgraph = isSubgraphUrl(url)
  if (isSubgraph && planned.length > 1) throw new StackError('one subgraph cannot serve more than one chain')
  const chains = planned.map((chain) =>
    apiChain(chain, isSubgraph ? base : `${base}/subgraphs/name/${subgraphName(chain.network)}`),
  )
  for (const { subgraphUrl } of chains) {
    await querySubgraph(subgraphUrl, '{ _meta { block { number } } }').catch((error: Error) => {
      throw new StackError(`the graph-node at ${subgraphUrl} does not answer: ${error.message}`)
    })
  }
  const api = await serveApi(run, chains)
  return runningStack(run, api, chains, Promise.resolve())
}

/** Whether it is where one subgraph is queried, rather than a graph-node with any. */
function isSubgraphUrl(url: string | undefined): boolean {
  return url?.includes('/subgraphs/') ?? false
}

async function serveApi(run: Run, chains: Chain[]): Promise<ApiServer> {
  const { port = 0, limits = {}, ipfsGateway, trustProxy } = run.options
  const log = (line: string) => run.log(line)
  try {
    const api = await createServer({ chains, port, isReady: () => run.isReady, ipfsGateway, limits, trustProxy, log })
    // A client that holds on to its connection must not hold up the rest.
    run.onStop(() => Promise.race([api.close(), pause(1000, new AbortController().signal)]))
    return api
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new StackError(`port ${port} is in use: choose another one with --port`)
  }
}

function apiChain(
  { network, rpcUrl, recording, contracts }: PlannedChain,
  subgraphUrl: string,
  statusUrl?: string,
): Chain {
  const roundLength = recording?.trace.header.roundLength ?? ROUND_LENGTHS[network]
  const lpt = contracts.LivepeerToken ?? contracts.LPT
  return {
    network,
    subgraphUrl,
    ...(statusUrl === undefined ? {} : { statusUrl }),
    ...(roundLength === undefined ? {} : { roundLength }),
    ...(rpcUrl === undefined ? {} : { rpcUrl }),
    ...(lpt === undefined ? {} : { lptAddress: lpt.address }),
  }
}

function runningStack(run: Run, api: ApiServer, chains: Chain[], caughtUp: Promise<void>): Stack {
  const ready = caughtUp.then(() => {
    run.isReady = true
  })
  // Whoever only looks at `failure` need not handle it here too.
  ready.catch(() => {})
  return { url: api.url, chains, ready, failure: run.signal, stop: run.stop }
}

// Takes the folder of the run for this process, with a watchdog that clears up when the process is killed.
async function openFolder(run: Run, planned: readonly PlannedChain[]): Promise<Folder> {
  const names = planned.map(({ network }) => network).join('+')
  const isReal = planned.some(({ rpcUrl }) => rpcUrl !== undefined)
  const chosen = run.options.dataDir ?? (isReal ? join(PROJECT, '.data', names) : undefined)
  const keep = chosen !== undefined
  const dir = chosen === undefined ? mkdtempSync(join(tmpdir(), 'livepeer-governance-')) : resolve(chosen)
  if (keep) makeDataDir(dir)
  // PostgreSQL may run as another user, who has to get at its own folder inside.
  else chmodSync(dir, 0o755)

  const processes = new ProcessTable(dir)
  await processes.claim()
  run.onStop(async () => {
    await processes.stopAll({ immediately: !keep })
    processes.release()
    if (!keep) await removeThrowAway(dir, run.signal.reason instanceof PartError)
  })
  // Through tsx's loader, as node by itself does not read TypeScript.
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const script = fileURLToPath(new URL('watchdog.ts', import.meta.url))
  const watchdog = spawn(process.execPath, ['--import', loader, script, dir, keep ? 'keep' : 'remove'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watchdog.stdin.on('error', () => {})
  if (watchdog.pid !== undefined) processes.add('watchdog', watchdog.pid)
  if (keep) checkIdentity(dir, planned)
  return { dir, keep, processes }
}

interface Folder {
  dir: string
  /** Whether what is in it stays after the stop. */
  keep: boolean
  processes: ProcessTable
}

function makeDataDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true })
  } catch (error) {
    throw new StackError(`the data dir cannot be made: ${(error as Error).message}`)
  }
}

// Data of one chain must never be continued with another's.
function checkIdentity(dir: string, planned: readonly PlannedChain[]): void {
  const file = join(dir, 'chains.json')
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {}
  for (const { network, identity } of planned) {
    if ((known[network] ?? identity) !== identity) {
      throw new StackError(`${dir} holds data of another chain named ${network}: choose another --data-dir`)
    }
    known[network] = identity
  }
  writeFileSync(file, JSON.stringify(known))
}

// After a part failed its log is still wanted; everything else goes.
async function removeThrowAway(dir: string, keepLogs: boolean): Promise<void> {
  const names = keepLogs ? readdirSync(dir).filter((name) => name !== 'logs') : ['.']
  await Promise.all(names.map((name) => removeFolder(join(dir, name))))
}

// How far behind the head of a moving chain counts as caught up: some seconds' worth of blocks.
const HEAD_TOLERANCE = 50

/** What the user is told of chains whose indexing stopped: one line each, and the end of the run when it was the last. */
class IndexingFailures {
  readonly #run: Run
  readonly #told = new Set<string>()

  constructor(run: Run) {
    this.#run = run
  }

  /** Takes why indexing of a chain halted for now, undefined where it goes on. */
  notePassing(network: string, message: string | undefined): void {
    if (message !== undefined) this.#tell(`indexing of ${network} halted, graph-node tries again: ${oneLine(message)}`)
  }

  /** Takes why indexing stopped for all chains, undefined where it goes on. Fails the run when it goes on for none. */
  look(chains: readonly (readonly [network: string, message: string | undefined])[]): void {
    const failed = chains.filter(([, message]) => message !== undefined)
    for (const [network, message = ''] of failed) {
      const line = `indexing of ${network} stopped: ${oneLine(message)}`
      if (failed.length === chains.length) {
        const error = new PartError(line)
        this.#run.fail(error)
        throw error
      }
      this.#tell(`${line}; the other chains go on`)
    }
  }

  #tell(line: string): void {
    if (!this.#told.has(line)) this.#run.log(line)
    this.#told.add(line)
  }
}

// Resolves when every chain has caught up that can; goes on watching, to tell what happens later, until the run ends.
async function watchIndexing(run: Run, indexed: readonly IndexedChain[]): Promise<void> {
  const failures = new IndexingFailures(run)
  for (;;) {
    run.signal.throwIfAborted()
    const looks = await Promise.all(
      indexed.map(async (chain) => {
        const { current } = await chain.graphNode.status(subgraphName(chain.network)).catch(() => ({ current: null }))
        failures.notePassing(chain.network, current?.passingError ?? undefined)
        return { ...(await look(chain, current)), failure: current?.fatalError ?? undefined }
      }),
    )
    failures.look(looks.map(({ progress, failure }) => [progress.network, failure]))
    run.options.onProgress?.(looks.map(({ progress }) => progress))
    if (looks.every(({ caughtUp, failure }) => caughtUp || failure !== undefined)) {
      watchVersions(run, indexed, failures).catch(run.fail)
      return
    }
    await pause(300, run.signal)
  }
}

async function look(
  chain: IndexedChain,
  status: IndexingStatus | null,
): Promise<{ progress: ChainProgress; caughtUp: boolean }> {
  const { network, contracts, recording, rpcUrl } = chain
  const round = await currentRound(subgraphUrl(chain))
  const firstBlock = Math.min(...Object.values(contracts).map(({ startBlock }) => startBlock))
  const head = recording?.trace.lastBlock ?? status?.headBlock ?? null
  const latest = status?.latestBlock ?? null
  const block = Math.max(firstBlock, latest ?? 0)
  const tolerance = rpcUrl === undefined ? 0 : HEAD_TOLERANCE
  return {
    progress: { network, firstBlock, block, head: Math.max(block, head ?? 0), round },
    caughtUp: latest !== null && head !== null && latest >= head - tolerance,
  }
}

// Null until there is one: the subgraph does not answer before its first block, nor before its first round.
async function currentRound(subgraphUrl: string): Promise<number | null> {
  try {
    const { protocols } = await querySubgraph<{ protocols: { currentRound: number | null }[] }>(
      subgraphUrl,
      '{ protocols(first: 1) { currentRound } }',
    )
    return protocols[0]?.currentRound ?? null
  } catch {
    return null
  }
}

async function querySubgraph<T>(url: string, query: string): Promise<T> {
  const { data, errors } = await postJson<{ data?: T; errors?: { message: string }[] }>(url, { query })
  if (!data) throw new Error(errors?.[0]?.message ?? 'no data')
  return data
}

// After the start, tells of a changed build that catches up and takes over, and of indexing that stops.
async function watchVersions(run: Run, indexed: readonly IndexedChain[], failures: IndexingFailures): Promise<void> {
  const told = new Map<string, string>()
  const tell = (network: string, line: string) => {
    if (told.get(network) !== line) run.log(`${network}: ${line}`)
    told.set(network, line)
  }
  while (!run.signal.aborted) {
    const stopped: [string, string | undefined][] = []
    for (const { network, graphNode } of indexed) {
      const status = await graphNode.status(subgraphName(network)).catch(() => undefined)
      failures.notePassing(network, status?.current?.passingError ?? undefined)
      stopped.push([network, status?.current?.fatalError ?? undefined])
      // The version that answers is as good as before.
      if (status?.pending?.fatalError)
        tell(network, `the changed subgraph failed: ${oneLine(status.pending.fatalError)}`)
      else if (status?.pending) tell(network, 'the changed subgraph catches up beside the old one')
      else if (status && told.has(network)) tell(network, 'the changed subgraph took over')
    }
    failures.look(stopped)
    await pause(1000, run.signal).catch(() => {})
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}
