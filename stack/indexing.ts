import type { PlannedChain } from './chain-plan.ts'
import { type GraphNode, type GraphNodePorts, type IndexingStatus, querySubgraph } from './graph-node.ts'
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
    onProgress?.(looks.map(({ progress }) => progress))
    if (looks.every(({ caughtUp, failure }) => caughtUp || failure !== undefined)) {
      watchVersions(run, indexed, failures).catch(run.fail)
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
