import { readFile } from 'node:fs/promises'
import { hostOf, withoutSecrets } from '../api/facts/rpc.ts'
import type { PlannedChain } from './chain-plan.ts'
import {
  type GraphNode,
  type GraphNodePorts,
  type IndexingStatus,
  querySubgraph,
  type VersionStatus,
} from './graph-node.ts'
import { firstBlockOf } from './networks.ts'
import { pause } from './processes.ts'
import {
  findMissingState,
  findObstacle,
  lookAtRpc,
  type RpcLook,
  type RpcOfChain,
  type RpcTrouble,
} from './rpc-trouble.ts'
import { PartError, type Run } from './run.ts'

/** A block up to which a chain is indexed. */
export interface IndexedUpTo {
  network: string
  block: number
}

/** Where the indexing of one chain stands. */
export interface ChainProgress extends IndexedUpTo {
  firstBlock: number
  /** Last block there is. */
  head: number
  /** Round at that block, null where there is none yet. */
  round: number | null
}

/** Told where indexing stands, now and then, until every chain has caught up. */
export type OnProgress = (progress: readonly ChainProgress[]) => void

/** How indexing is watched, and who is told. */
export interface WatchOptions {
  onProgress?: OnProgress | undefined
  /** Told what keeps a chain's index from going on and what to set, fit for anyone; null when it goes on. */
  onTrouble?: ((network: string, trouble: string | null) => void) | undefined
  /** For how long no block may be indexed, while there are some, before it is looked why, and how often an RPC is looked at; 30,000. */
  stalledAfterMs?: number | undefined
  /** How old the head of a chain that never rests may be by the clock; 600 seconds, 0 for any age. */
  maxHeadAgeSeconds?: number | undefined
}

/** Name of a network's subgraph at graph-node. */
export function subgraphName(network: string): string {
  return `livepeer-governance/${network}`
}

/** A chain with the graph-node that indexes it. */
export interface IndexedChain extends PlannedChain {
  ports: GraphNodePorts
  /** Where it logs. */
  logFile: string
  graphNode: GraphNode
  /** How many blocks' logs its RPC gives at a time, where that is known. */
  logRange?: number | undefined
}

/** Where the subgraph of a chain is queried. */
export function subgraphUrl({ network, graphNode }: IndexedChain): string {
  return graphNode.subgraphUrl(subgraphName(network))
}

// How far behind the head of a moving chain counts as caught up: some seconds' worth of blocks.
const HEAD_TOLERANCE = 50

/** What the user is told of chains whose indexing stopped: one line each, and the end of the run when it was the last. */
class IndexingFailures {
  readonly #run: Run
  readonly #options: WatchOptions
  readonly #told = new Set<string>()

  constructor(run: Run, options: WatchOptions) {
    this.#run = run
    this.#options = options
  }

  /** Takes why indexing of a chain halted for now, undefined where it goes on. */
  notePassing({ network, rpcUrl }: IndexedChain, message: string | undefined): void {
    if (message === undefined) return
    this.#tell(`indexing of ${network} halted, graph-node tries again: ${safeLine(message, rpcUrl)}`)
  }

  /** Takes why indexing stopped for all chains, undefined where it goes on. Fails the run when it goes on for none. */
  look(chains: readonly (readonly [network: string, message: string | undefined])[]): void {
    const failed = chains.filter(([, message]) => message !== undefined)
    for (const [network, message = ''] of failed) {
      const line = `indexing of ${network} stopped: ${oneLine(message)}`
      this.#options.onTrouble?.(network, 'indexing stopped for good at an error in a handler; the log has it')
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

/** For how long no block may be indexed, while there are some, before it is looked why. */
const STALLED_AFTER_MS = 30_000
/** Handlers that call contracts do so at the block they are at: one this far behind the head only an archive knows. */
const KEPT_STATES = 128

/** Where a chain was seen last. */
interface Seen {
  block: number
  /** When it came there, or had no block left to index. */
  since: number
  /** When its RPC was looked at. */
  lookedAt: number
  /** The last block that its RPC told of. */
  rpcHead: number
}

/** What keeps graph-node from starting, where its RPC shows it; undefined where it does not. */
export async function findLateness(run: Run, chain: IndexedChain, options: WatchOptions): Promise<string | undefined> {
  const rpc = rpcOf(chain, options)
  const { trouble } = rpc === undefined ? NOTHING_SEEN : await lookAtRpc(rpc, run.signal)
  if (trouble !== undefined) options.onTrouble?.(chain.network, trouble.what)
  return trouble?.line
}

/** Says why the indexing of a chain does not go on, as its RPC shows it when asked, and when it goes on again. */
export class Stalls {
  readonly #run: Run
  readonly #options: WatchOptions
  readonly #seen = new Map<string, Seen>()
  /** What was said last, by network. */
  readonly #told = new Map<string, RpcTrouble>()
  readonly #looking = new Set<string>()
  readonly #askedForState = new Set<string>()
  /** When graph-node told last where a chain stands. */
  readonly #answeredAt = new Map<string, number>()

  constructor(run: Run, options: WatchOptions) {
    this.#run = run
    this.#options = options
  }

  /** Takes what graph-node tells of a chain, undefined where it does not answer. */
  note(chain: IndexedChain, status: VersionStatus | undefined): void {
    if (status === undefined) this.#miss(chain)
    // What stopped for good is told elsewhere.
    else if (status.current !== null && status.current.fatalError === null) this.#look(chain, status.current)
  }

  #look(chain: IndexedChain, { latestBlock, headBlock: head }: IndexingStatus): void {
    const { network } = chain
    const now = performance.now()
    this.#answeredAt.set(network, now)
    if (this.#told.get(network)?.what === SILENT_GRAPH_NODE) this.#tell(network, undefined)
    const block = latestBlock ?? firstBlockOf(chain.contracts) - 1
    const seen = this.#seen.get(network) ?? { block, since: now, lookedAt: now, rpcHead: 0 }
    if (head !== null && !this.#askedForState.has(network)) this.#warnOfNoArchive(chain, block, head)
    this.#seen.set(network, seen)
    const last = Math.max(head ?? 0, seen.rpcHead)
    if (block !== seen.block || (block >= last && last > 0)) {
      if (block > seen.block && !this.#told.get(network)?.isCertain) this.#tell(network, undefined)
      Object.assign(seen, { block, since: now })
    }
    const { stalledAfterMs = STALLED_AFTER_MS } = this.#options
    if (now - seen.lookedAt < stalledAfterMs || this.#looking.has(network)) return
    this.#looking.add(network)
    this.#findTrouble(chain, seen, head)
      .catch(this.#run.fail)
      .finally(() => {
        seen.lookedAt = performance.now()
        this.#looking.delete(network)
      })
  }

  #miss({ network, logFile }: IndexedChain): void {
    const now = performance.now()
    const answeredAt = this.#answeredAt.get(network) ?? now
    this.#answeredAt.set(network, answeredAt)
    if (now - answeredAt < (this.#options.stalledAfterMs ?? STALLED_AFTER_MS)) return
    this.#tell(network, {
      what: SILENT_GRAPH_NODE,
      line: `graph-node does not answer; its log is ${logFile}`,
      isCertain: false,
    })
  }

  async #findTrouble(chain: IndexedChain, seen: Seen, graphNodesHead: number | null): Promise<void> {
    const { stalledAfterMs = STALLED_AFTER_MS } = this.#options
    const { network } = chain
    const { block } = seen
    const rpc = rpcOf(chain, this.#options)
    const { trouble, head = seen.rpcHead } = rpc === undefined ? NOTHING_SEEN : await this.#lookAgain(rpc)
    seen.rpcHead = head
    const last = Math.max(graphNodesHead ?? 0, head)
    const isStill = () => seen.block === block
    const stoodMs = performance.now() - seen.since
    if (trouble?.isCertain) return this.#tell(network, trouble, where(block, last))
    // Nothing is wrong as long as blocks come in.
    if (trouble !== undefined) {
      if (isStill()) this.#tell(network, trouble, where(block, last))
      return
    }
    // It may go on where nothing is missing, too.
    const told = this.#told.get(network)
    if (block >= last) this.#tell(network, undefined)
    else if (told?.isCertain) this.#told.set(network, { ...told, isCertain: false })
    if (!isStill() || block >= last || stoodMs < stalledAfterMs) return
    const obstacle = rpc === undefined ? undefined : await findObstacle(rpc, block, last, this.#run.signal)
    // graph-node takes its time between two tries.
    if (!isStill() || (obstacle === undefined && stoodMs < 2 * stalledAfterMs)) return
    this.#tell(network, obstacle ?? (await unknownTrouble(chain, graphNodesHead)), where(block, last))
  }

  /** One answer that failed is none; what stays so is. */
  async #lookAgain(rpc: RpcOfChain): Promise<RpcLook> {
    const { signal } = this.#run
    const pauseMs = Math.ceil((this.#options.stalledAfterMs ?? STALLED_AFTER_MS) / 10)
    for (let looks = 1; ; looks++) {
      const look = await lookAtRpc(rpc, signal)
      if (look.trouble === undefined || look.trouble.isCertain || looks === 3) return look
      await pause(pauseMs, signal)
    }
  }

  /** Says at the start what a sync would otherwise come to after hours. */
  #warnOfNoArchive(chain: IndexedChain, block: number, head: number): void {
    this.#askedForState.add(chain.network)
    const rpc = rpcOf(chain, this.#options)
    if (rpc === undefined || block >= head - KEPT_STATES) return
    findMissingState(rpc, block + 1, this.#run.signal)
      .then((missing) => {
        if (missing !== undefined) this.#run.log(`${chain.network}: ${missing.line}`)
      })
      .catch(() => {})
  }

  #tell(network: string, trouble: RpcTrouble | undefined, place = ''): void {
    if (trouble?.what === this.#told.get(network)?.what) return
    if (trouble === undefined) this.#told.delete(network)
    else this.#told.set(network, trouble)
    this.#run.log(
      `${network}: ${trouble === undefined ? 'indexing goes on' : [place, trouble.line].filter(Boolean).join('; ')}`,
    )
    this.#options.onTrouble?.(network, trouble?.what ?? null)
  }
}

const SILENT_GRAPH_NODE = 'graph-node does not answer; its log tells more'
const NOTHING_SEEN: RpcLook = { trouble: undefined, head: undefined }

function where(block: number, last: number): string {
  return block < last ? `indexing stands still at block ${block} of ${last}` : `no block was indexed after ${block}`
}

function rpcOf(chain: IndexedChain, options: WatchOptions): RpcOfChain | undefined {
  const { network, rpcUrl, chainId, genesis, contracts, logRange, likeness } = chain
  const { maxHeadAgeSeconds = 600, stalledAfterMs = STALLED_AFTER_MS } = options
  if (rpcUrl === undefined || chainId === undefined) return undefined
  return {
    network,
    rpcUrl,
    chainId,
    genesis,
    addresses: Object.values(contracts).map(({ address }) => address),
    logRange,
    // Looking takes some answers: what it finds is to be told within a minute.
    patienceMs: Math.ceil(stalledAfterMs / 6),
    // Only of networks that are known to go on all the time an old head means something.
    maxHeadAgeSeconds: likeness === undefined || maxHeadAgeSeconds === 0 ? null : maxHeadAgeSeconds,
  }
}

/** Where the RPC has no fault that it shows, graph-node's log may have it. */
async function unknownTrouble({ logFile, rpcUrl }: IndexedChain, head: number | null): Promise<RpcTrouble> {
  const complaint = await lastComplaint(logFile, rpcUrl)
  const why = complaint === undefined ? `its log, ${logFile}, has no complaint` : `graph-node says: ${complaint}`
  const what = `graph-node does not go on${head === null ? ' and does not know the head of the chain' : ''}`
  return { what: `${what}; its log tells more`, line: `${what}; ${why}`, isCertain: false }
}

/** As much of a complaint as is told. */
const LONGEST_COMPLAINT = 300

/** What graph-node warns of whenever it starts, and the stack's own tries to pause what is not there yet. */
const REMARKS =
  /GRAPH_POI_ACCESS_TOKEN|subgraph forking|Expensive queries file|graphman server|Amp-powered|subgraph_pause failed/

/**
 * The last warning or error in a log of graph-node's, on one line, without addresses and what the RPC is asked with; undefined
 * where there is none.
 */
export async function lastComplaint(logFile: string, rpcUrl: string | undefined): Promise<string | undefined> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  const isComplaint = (line: string) => /\b(WARN|ERRO|CRIT)\b/.test(line) && !REMARKS.test(line)
  const line = text.split('\n').findLast(isComplaint)
  const said = line?.replace(/^.*?\b(?:WARN|ERRO|CRIT)\b\s*/, '')
  return said === undefined ? undefined : safeLine(said, rpcUrl)
}

/**
 * Resolves, with where they stand, when every chain has caught up that can; goes on watching, to tell what happens later,
 * until the run ends. Rejects, and fails the run, when indexing stopped for all.
 */
export async function watchIndexing(
  run: Run,
  indexed: readonly IndexedChain[],
  options: WatchOptions,
): Promise<IndexedUpTo[]> {
  const failures = new IndexingFailures(run, options)
  const stalls = new Stalls(run, options)
  for (;;) {
    run.signal.throwIfAborted()
    const looks = await Promise.all(
      indexed.map(async (chain) => {
        const status = await chain.graphNode.status(subgraphName(chain.network)).catch(() => undefined)
        const current = status?.current ?? null
        failures.notePassing(chain, current?.passingError ?? undefined)
        stalls.note(chain, status)
        return { ...(await look(chain, current)), failure: current?.fatalError ?? undefined }
      }),
    )
    failures.look(looks.map(({ progress, failure }) => [progress.network, failure]))
    options.onProgress?.(looks.map(({ progress }) => progress))
    if (looks.every(({ caughtUp, failure }) => caughtUp || failure !== undefined)) {
      watchVersions(run, indexed, failures, stalls).catch(run.fail)
      return looks.filter(({ failure }) => failure === undefined).map(({ progress }) => progress)
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
  const firstBlock = firstBlockOf(contracts)
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

// After the start, tells of a changed build that catches up and takes over, and of indexing that stops.
async function watchVersions(
  run: Run,
  indexed: readonly IndexedChain[],
  failures: IndexingFailures,
  stalls: Stalls,
): Promise<void> {
  const told = new Map<string, string>()
  const tell = (network: string, line: string) => {
    if (told.get(network) !== line) run.log(`${network}: ${line}`)
    told.set(network, line)
  }
  while (!run.signal.aborted) {
    const stopped: [string, string | undefined][] = []
    for (const chain of indexed) {
      const { network, graphNode } = chain
      const status = await graphNode.status(subgraphName(network)).catch(() => undefined)
      stalls.note(chain, status)
      failures.notePassing(chain, status?.current?.passingError ?? undefined)
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

/** What graph-node says, which may have the RPC's words in it: on one line, without addresses and what the RPC is asked with. */
function safeLine(text: string, rpcUrl: string | undefined): string {
  const line = oneLine(text).replace(/\bhttps?:\/\/[^\s,)"]+/g, hostOf)
  return rpcUrl === undefined ? line.slice(0, LONGEST_COMPLAINT) : withoutSecrets(line, rpcUrl)
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}
