import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Chain, FollowedChain, type FollowOptions } from '../api/facts/followed-chain.ts'
import type { Limits } from '../api/graphql/limits.ts'
import { Metrics } from '../api/http/metrics.ts'
import { type ApiServer, createServer } from '../api/server.ts'
import { type ChainOptions, isElsewhere, type PlannedChain, planChains } from './chain-plan.ts'
import { chainIdElsewhere, chainsElsewhere, checkSubgraph } from './elsewhere.ts'
import { GraphNode, gnd, startGraphNode } from './graph-node.ts'
import {
  findLateness,
  type IndexedChain,
  type IndexedUpTo,
  lastComplaint,
  type OnProgress,
  subgraphName,
  subgraphUrl,
  watchIndexing,
} from './indexing.ts'
import { describeRange, probeLogRange } from './log-range.ts'
import { type Contracts, firstBlockOf, publicNetwork, ROUND_LENGTHS } from './networks.ts'
import { installedBinaries, startPostgres } from './postgres.ts'
import { freePorts, pause, StackError } from './processes.ts'
import { RecordedChain, readRecordedCalls, serveRecordedChains } from './recorded-chain.ts'
import { PartError, Run, type RunOptions } from './run.ts'
import { openFolder } from './run-folder.ts'
import { buildSubgraph, chooseSubgraph, type SubgraphChoice, writeNetworkBuild } from './subgraph-build.ts'

/** What to run. Without networks and traces: two recordings that ship with the project, of stake and of a DAO. */
export interface StackOptions extends ChainOptions, RunOptions {
  /** Port of the API; 0, the default, takes a free one. */
  port?: number
  /** Name or address of this machine to take requests at; 127.0.0.1 by default, 0.0.0.0 or :: for all there are. */
  host?: string
  /** URLs of IPFS gateways, for the texts of polls, in the order they are asked; none are fetched without. */
  ipfsGateways?: readonly string[]
  /** Whether nothing may be indexed here, so that there must be subgraphs of others. */
  isAlone?: boolean
  /** How the API follows the index, where not by its defaults. */
  following?: Pick<FollowOptions, 'intervalMs' | 'maxAgeSeconds' | 'maxHeadAgeSeconds' | 'maxFactsMiB'>
  /** What a request and a client may ask of the API, where not its defaults. */
  limits?: Partial<Limits>
  /** Whether, and how, the API compares itself with the contracts where a network has an RPC; it does not by default. */
  verification?: Parameters<typeof createServer>[0]['verification']
  /** Proxies that the API believes whom they ask for. */
  trustProxy?: string | undefined
  /** Where data stays between starts; by default below `.data` for real networks, and nowhere for recordings. */
  dataDir?: string
  onProgress?: OnProgress
  /** For how long no block may be indexed, while there are some, before it is said why; 30,000. */
  stalledAfterMs?: number
}

/** A running stack. */
export interface Stack {
  /** Base URL of the API. */
  url: string
  chains: readonly Chain[]
  /** Those chains' facts, as the API holds them. */
  followed: readonly FollowedChain[]
  /**
   * Resolves once every chain has caught up for the first time, but for those whose indexing stopped; rejects when it
   * stopped for all, or another part fails before.
   */
  ready: Promise<void>
  /** Aborts, with a StackError as reason, when a part fails. The rest runs until `stop`. */
  failure: AbortSignal
  /**
   * Lets the API's clients go: from now on it is not ready, and ends each connection with its answer; after some seconds it
   * takes no more, and what it was asked is answered. Returns at once when `hurry` aborts.
   */
  drain(seconds: number, hurry: AbortSignal): Promise<void>
  /** Stops everything the stack started, in order, and waits until it is gone. */
  stop(): Promise<void>
}

/** Builds the subgraph, starts all parts and gives the stack as soon as it indexes. When it cannot, nothing stays behind. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const run = new Run(options)
  try {
    run.signal.throwIfAborted()
    if (!isElsewhere(options)) await checkInstallation(options)
    const planned = await planChains(options)
    return await (isElsewhere(options)
      ? startWithSubgraphsElsewhere(run, options, planned)
      : startWithOwnGraphNode(run, options, planned))
  } catch (error) {
    // When a part fails, what was under way fails too: the part is the reason.
    const reason: unknown = run.signal.aborted ? run.signal.reason : error
    await run.stop()
    throw reason
  }
}

/** Complains where what indexing takes is not there for this machine, or is not wanted. */
async function checkInstallation({ isAlone = false }: StackOptions): Promise<void> {
  if (isAlone) {
    throw new StackError(
      'the API alone needs the subgraph of others: give its URL with --subgraph, or that of a graph-node with --graph-node',
    )
  }
  gnd()
  await installedBinaries()
}

const PROJECT = fileURLToPath(new URL('..', import.meta.url))

async function startWithOwnGraphNode(
  run: Run,
  options: StackOptions,
  planned: readonly PlannedChain[],
): Promise<Stack> {
  const { signal } = run
  const subgraphs = planned.map(({ network, contracts, likeness }) =>
    chooseSubgraph(PROJECT, network, contracts, likeness),
  )
  // Runs for real networks too: it is graph-node's IPFS server.
  const chainServer = await serveRecordedChains(await recordedChains(planned))
  run.onStop(() => chainServer.close())
  const { dir, keep, processes } = await openFolder(run, planned, options.dataDir)
  const logs = join(dir, 'logs')
  mkdirSync(logs, { recursive: true })
  const { databasePort, indexed } = await choosePorts(planned, logs)
  const chains = indexed.map((chain) => ({
    ...apiChain(chain, subgraphUrl(chain)),
    statusUrl: chain.graphNode.statusUrl,
  }))
  const api = await serveApi(run, options, chains, keep ? join(dir, 'facts') : undefined)

  const { onProgress, stalledAfterMs, following } = options
  const onTrouble = (network: string, trouble: string | null) =>
    api.followed.find((chain) => chain.network === network)?.noteTrouble(trouble)
  const watching = { onProgress, onTrouble, stalledAfterMs, maxHeadAgeSeconds: following?.maxHeadAgeSeconds }

  const part = (name: string, logFile: string) => ({
    dir,
    logFile,
    processes,
    signal,
    onExit: (how: string) => run.fail(new PartError(`${name} ${how}; its log is ${logFile}`)),
  })
  run.log('building the subgraph, starting PostgreSQL and graph-node')
  const builds = buildInTurn(run, planned, subgraphs)
  const database = startPostgres({
    ...part('PostgreSQL', join(logs, 'postgresql.log')),
    port: databasePort,
    durable: keep,
    databases: planned.map(({ network }) => network),
  })
  await Promise.all(
    indexed.map(async (chain, index) => {
      const { network, contracts, rpcUrl, ports, graphNode, logFile } = chain
      chain.logRange = rpcUrl === undefined ? undefined : await logRangeOf(run, network, rpcUrl, contracts)
      const name = planned.length === 1 ? 'graph-node' : `graph-node of ${network}`
      await startGraphNode({
        ...part(name, logFile),
        onExit: (how) => {
          lastComplaint(logFile, rpcUrl).then((complaint) => {
            // Killed it had nothing to say.
            const why = complaint === undefined || how.includes('SIGKILL') ? '' : `, saying: ${complaint}`
            run.fail(new PartError(`${name} ${how}${why}; its log is ${logFile}`))
          }, run.fail)
        },
        onLate: () => {
          findLateness(run, chain, watching).then((why) => {
            run.log(`${name} has not started yet${why === undefined ? '' : `: ${why}`}; its log is ${logFile}`)
          }, run.fail)
        },
        ports,
        postgresUrl: new URL(network, await database).href,
        ipfsUrl: chainServer.url,
        chain: {
          network,
          rpcUrl: rpcUrl ?? `${chainServer.url}/${network}`,
          recorded: rpcUrl === undefined,
          logRange: chain.logRange,
        },
      })
      onTrouble(network, null)
      const built = (await builds[index]) ?? ''
      await graphNode.deploy(subgraphName(network), writeNetworkBuild(built, network, contracts, join(dir, 'builds')))
    }),
  )
  run.log('indexing')
  return runningStack(run, api, chains, watchIndexing(run, indexed, watching))
}

/** Builds one after the other: the first chain is indexed while the next one's subgraph is built, and none is built twice. */
function buildInTurn(
  run: Run,
  planned: readonly PlannedChain[],
  subgraphs: readonly SubgraphChoice[],
): readonly Promise<string>[] {
  let before: Promise<unknown> = Promise.resolve()
  return subgraphs.map(({ manifest, leftOut }, index) => {
    for (const name of leftOut) run.log(`${planned[index]?.network}: ${name} has no address and is left out`)
    const build = before.then(() => buildSubgraph(PROJECT, manifest, run.signal))
    // Whoever waits for it hears of it; where nobody does any more, another part failed first.
    build.catch(() => {})
    before = build
    return build
  })
}

/** How many blocks a real RPC gives logs of at a time, and what that means, which is said; undefined where it was set, or gives none. */
async function logRangeOf(
  run: Run,
  network: string,
  rpcUrl: string,
  contracts: Contracts,
): Promise<number | undefined> {
  if (process.env.GRAPH_ETHEREUM_MAX_BLOCK_RANGE_SIZE !== undefined) return undefined
  const range = await probeLogRange(rpcUrl, contracts, run.signal)
  run.log(describeRange(network, range, firstBlockOf(contracts)))
  return range?.blocks
}

async function recordedChains(planned: readonly PlannedChain[]): Promise<Map<string, RecordedChain>> {
  const recordings = new Map<string, RecordedChain>()
  for (const { network, recording } of planned) {
    if (recording) recordings.set(network, new RecordedChain(recording.trace, await readRecordedCalls(recording.file)))
  }
  return recordings
}

/** Free ports for the database and for a graph-node of each chain, taken together so that none is taken twice. */
async function choosePorts(
  planned: readonly PlannedChain[],
  logs: string,
): Promise<{ databasePort: number; indexed: IndexedChain[] }> {
  const [databasePort = 0, ...others] = await freePorts(1 + 4 * planned.length)
  const indexed = planned.map((chain, index) => {
    const [query = 0, admin = 0, status = 0, metrics = 0] = others.slice(4 * index)
    const ports = { query, admin, status, metrics }
    const logFile = join(logs, planned.length === 1 ? 'graph-node.log' : `graph-node-${chain.network}.log`)
    return { ...chain, ports, logFile, graphNode: new GraphNode(ports) }
  })
  return { databasePort, indexed }
}

async function startWithSubgraphsElsewhere(
  run: Run,
  options: StackOptions,
  planned: readonly PlannedChain[],
): Promise<Stack> {
  const chains = await Promise.all(
    chainsElsewhere(options, planned).map(async ({ chain, subgraph }): Promise<Chain> => {
      const { network } = chain
      const { url, headers } = subgraph
      const statusUrl = options.statusUrls?.[network]
      const chainId = await chainIdElsewhere(run, chain)
      await checkSubgraph(network, subgraph)
      return {
        ...apiChain({ ...chain, chainId }, url),
        ...(headers === undefined ? {} : { subgraphHeaders: headers }),
        ...(statusUrl === undefined ? {} : { statusUrl }),
        isElsewhere: true,
      }
    }),
  )
  const api = await serveApi(run, options, chains, options.dataDir)
  const anyBlock = chains.map(({ network }) => ({ network, block: 0 }))
  return runningStack(run, api, chains, Promise.resolve(anyBlock))
}

/** A running API and the facts it answers from. */
interface Served extends ApiServer {
  followed: FollowedChain[]
}

async function serveApi(
  run: Run,
  { port = 0, host = '127.0.0.1', limits = {}, ipfsGateways = [], trustProxy, following, verification }: StackOptions,
  chains: Chain[],
  dataDir: string | undefined,
): Promise<Served> {
  const log = (line: string) => run.log(line)
  const metrics = new Metrics()
  const followed = chains.map((chain) => {
    const observe = (seconds: number, answered: boolean) => metrics.observeUpstream(chain.network, seconds, answered)
    return new FollowedChain(chain, { ...following, dataDir, log, observe })
  })
  const options = { chains: followed, port, host, metrics, ipfsGateways, limits, trustProxy, verification, log }
  try {
    const api = await createServer({ ...options, isReady: () => run.isReady })
    run.onStop(async () => {
      // A client that holds on to its connection must not hold up the rest.
      await Promise.race([api.close(), pause(1000, new AbortController().signal)])
      await Promise.all(followed.map((chain) => chain.close()))
    })
    return { ...api, followed }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new StackError(`port ${port} is in use: choose another one with --port`)
    if (code === 'EACCES') throw new StackError(`port ${port} may not be taken: choose another one with --port`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EINVAL') {
      throw new StackError(`${host} is no address of this machine: choose another one with --host`)
    }
    throw error
  }
}

function apiChain({ network, chainId, rpcUrl, recording, contracts }: PlannedChain, subgraphUrl: string): Chain {
  const roundLength = recording?.trace.header.roundLength ?? ROUND_LENGTHS[network]
  const lpt = contracts.LivepeerToken ?? contracts.LPT
  return {
    network,
    ...(chainId === undefined ? {} : { chainId }),
    subgraphUrl,
    ...(roundLength === undefined ? {} : { roundLength }),
    ...(rpcUrl === undefined ? {} : { rpcUrl }),
    ...(lpt === undefined ? {} : { lptAddress: lpt.address }),
    neverRests: recording === undefined && chainId !== undefined && publicNetwork(chainId) !== undefined,
    contracts: Object.fromEntries(Object.entries(contracts).map(([name, { address }]) => [name, address])),
  }
}

function runningStack(run: Run, api: Served, chains: Chain[], caughtUp: Promise<readonly IndexedUpTo[]>): Stack {
  const { url, followed } = api
  for (const chain of followed) chain.start()
  const ready = caughtUp.then(async (indexed) => {
    const reached = indexed.map(({ network, block }) =>
      followed.find((chain) => chain.network === network)?.reached(block, run.signal),
    )
    await Promise.all(reached)
    run.isReady = true
  })
  // Whoever only looks at `failure` need not handle it here too.
  ready.catch(() => {})
  const drain = async (seconds: number, hurry: AbortSignal) => {
    api.drain()
    await pause(seconds * 1000, hurry).catch(() => {})
    await Promise.race([api.close(), aborted(hurry)])
  }
  return { url, chains, followed, ready, failure: run.signal, drain, stop: run.stop }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
