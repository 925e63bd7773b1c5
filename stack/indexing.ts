import { readFile } from 'node:fs/promises'
import { hostOf } from '../api/facts/rpc.ts'
import type { PlannedChain } from './chain-plan.ts'
import { type GraphNode, type GraphNodePorts, type IndexingStatus, querySubgraph } from './graph-node.ts'
import { firstBlockOf } from './networks.ts'
import { pause } from './processes.ts'
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

/** For how long no block may be indexed, while there are some, before it is said why. */
const STALLED_AFTER_MS = 60_000

/** Says why indexing of a chain does not go on, by the last complaint in graph-node's log. */
class Stalls {
  readonly #run: Run
  readonly #since = new Map<string, { block: number; at: number; told: boolean }>()

  constructor(run: Run) {
    this.#run = run
  }

  /** Takes where a chain stands; null for the last block indexed, or the head, where it is not known. */
  async look({ network, logFile }: IndexedChain, block: number, head: number | null): Promise<void> {
    const before = this.#since.get(network)
    if (before === undefined || before.block !== block || (head !== null && block >= head)) {
      if (before?.told === true && before.block !== block) this.#run.log(`${network}: indexing goes on`)
      this.#since.set(network, { block, at: performance.now(), told: false })
      return
    }
    if (before.told || performance.now() - before.at < STALLED_AFTER_MS) return
    before.told = true
    const complaint = await lastComplaint(logFile)
    const why = complaint === undefined ? `its log, ${logFile}, has no complaint` : `graph-node says: ${complaint}`
    const headless = head === null ? ', the head of the chain is not known' : ''
    this.#run.log(`${network}: no block was indexed for a minute, it stands at ${block}${headless}; ${why}`)
  }
}

/** The last warning or error in a log of graph-node's, on one line and without addresses; undefined where there is none. */
async function lastComplaint(logFile: string): Promise<string | undefined> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  const line = text.split('\n').findLast((candidate) => /\b(WARN|ERRO|CRIT)\b/.test(candidate))
  const said = line?.replace(/^.*?\b(?:WARN|ERRO|CRIT)\b\s*/, '')
  const safe = said === undefined ? undefined : oneLine(said).replace(/\bhttps?:\/\/[^\s,)"]+/g, hostOf)
  return safe !== undefined && safe.length > 400 ? `${safe.slice(0, 400)}…` : safe
}

/**
 * Resolves, with where they stand, when every chain has caught up that can; goes on watching, to tell what happens later,
 * until the run ends. Rejects, and fails the run, when indexing stopped for all.
 */
export async function watchIndexing(
  run: Run,
  indexed: readonly IndexedChain[],
  onProgress: OnProgress | undefined,
): Promise<IndexedUpTo[]> {
  const failures = new IndexingFailures(run)
  const stalls = new Stalls(run)
  for (;;) {
    run.signal.throwIfAborted()
    const looks = await Promise.all(
      indexed.map(async (chain) => {
        const { current } = await chain.graphNode.status(subgraphName(chain.network)).catch(() => ({ current: null }))
        failures.notePassing(chain.network, current?.passingError ?? undefined)
        await stalls.look(chain, current?.latestBlock ?? 0, current?.headBlock ?? null)
        return { ...(await look(chain, current)), failure: current?.fatalError ?? undefined }
      }),
    )
    failures.look(looks.map(({ progress, failure }) => [progress.network, failure]))
    onProgress?.(looks.map(({ progress }) => progress))
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
      if (status?.current) await stalls.look(chain, status.current.latestBlock ?? 0, status.current.headBlock)
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
