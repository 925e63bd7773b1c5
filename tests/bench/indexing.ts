import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type GraphNode, startGraphNode } from '../../stack/graph-node.ts'
import type { Contracts } from '../../stack/networks.ts'
import { startPostgres } from '../../stack/postgres.ts'
import { freePorts, ProcessTable, pause, StackError } from '../../stack/processes.ts'
import { RecordedChain, readRecordedCalls, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { writeNetworkBuild } from '../../stack/subgraph-build.ts'
import type { Trace } from '../../stack/trace.ts'
import { Bystanders, cpuBetween, usageBelow } from './process-usage.ts'

/** A recorded chain and the contracts to index on it. */
export interface Recording {
  file: string
  trace: Trace
  network: string
  contracts: Contracts
}

/** One indexing of a recording, from nothing to its last block. */
export interface IndexingRun {
  /** From graph-node's first block processed until its last one is in the database. */
  seconds: number
  /** Triggers handled, by graph-node's own count. */
  events: number
  /** Blocks processed, those without events left out by graph-node itself. */
  blocks: number
  /** Seconds of that time by what graph-node's indexing thread was doing (deployment_sync_secs, stage `process`). */
  sections: Record<string, number>
  /** Seconds the writer waited for something to write: most of the time where the database is not the limit. */
  writerIdle: number
  /** Processor seconds by program; `node` is the server of the recorded chain. */
  cpu: Record<string, number>
  /** Share of the machine that something else used meanwhile. */
  bystanders: number
}

/** Indexes a recording with a build on a fresh PostgreSQL and a fresh graph-node, set as the stack sets them. */
export async function measureIndexing(
  build: string,
  recording: Recording,
  signal: AbortSignal,
  onProgress: (block: number) => void,
): Promise<IndexingRun> {
  const { network, trace, contracts } = recording
  const dir = mkdtempSync(join(tmpdir(), 'livepeer-governance-bench-'))
  // PostgreSQL may run as another user, who has to get at its own folder inside.
  chmodSync(dir, 0o755)
  const processes = new ProcessTable(dir)
  await processes.claim()
  startWatchdog(processes, dir)
  const chain = new RecordedChain(trace, await readRecordedCalls(recording.file))
  const chainServer = await serveRecordedChains(new Map([[network, chain]]))
  const failure = new AbortController()
  const stop = AbortSignal.any([signal, failure.signal])
  const part = (name: string) => ({
    dir,
    processes,
    signal: stop,
    logFile: join(dir, `${name}.log`),
    onExit: (how: string) => failure.abort(new StackError(`${name} ${how}`)),
  })
  try {
    const [databasePort = 0, query = 0, admin = 0, status = 0, metrics = 0] = await freePorts(5)
    const postgresUrl = await startPostgres({ ...part('PostgreSQL'), port: databasePort, durable: false })
    const graphNode = await startGraphNode({
      ...part('graph-node'),
      ports: { query, admin, status, metrics },
      postgresUrl,
      ipfsUrl: chainServer.url,
      chain: { network, rpcUrl: `${chainServer.url}/${network}`, recorded: true },
    })
    const manifest = writeNetworkBuild(build, network, contracts, join(dir, 'builds'))
    const readMetrics = () => deploymentMetrics(metrics, manifest)
    await graphNode.deploy(NAME, manifest)
    return await watch(graphNode, readMetrics, trace.lastBlock, stop, onProgress)
  } catch (error) {
    throw stop.aborted ? stop.reason : error
  } finally {
    await processes.stopAll({ immediately: true })
    await chainServer.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

const NAME = 'bench'
// Both are far below what is measured, and asking costs graph-node little.
const FIRST_BLOCK_POLL_MS = 25
const HEAD_POLL_MS = 100

async function watch(
  graphNode: GraphNode,
  readMetrics: () => Promise<Metric[]>,
  lastBlock: number,
  signal: AbortSignal,
  onProgress: (block: number) => void,
): Promise<IndexingRun> {
  while (total(await readMetrics(), 'deployment_block_processing_duration_count') === 0) {
    await pause(FIRST_BLOCK_POLL_MS, signal)
  }
  const start = performance.now()
  const before = usageBelow(process.pid)
  const bystanders = new Bystanders()
  for (;;) {
    const { current } = await graphNode.status(NAME)
    if (current?.fatalError) throw new StackError(`indexing stopped: ${current.fatalError.split('\n')[0]}`)
    onProgress(current?.latestBlock ?? 0)
    if ((current?.latestBlock ?? 0) >= lastBlock) break
    await pause(HEAD_POLL_MS, signal)
  }
  const seconds = (performance.now() - start) / 1000
  const metrics = await readMetrics()
  return {
    seconds,
    events: total(metrics, 'deployment_trigger_processing_duration_count'),
    blocks: total(metrics, 'deployment_block_processing_duration_count'),
    sections: Object.fromEntries(
      metrics
        .filter(({ name, labels }) => name === 'deployment_sync_secs' && labels.stage === 'process')
        .map(({ labels, value }) => [labels.section ?? '', value]),
    ),
    writerIdle: total(metrics, 'deployment_sync_secs', { stage: 'writer', section: 'queue_idle' }),
    cpu: cpuBetween(before, usageBelow(process.pid)),
    bystanders: bystanders.share(),
  }
}

/** One line of Prometheus' text format. */
interface Metric {
  name: string
  labels: Record<string, string>
  value: number
}

async function deploymentMetrics(port: number, deployment: string): Promise<Metric[]> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  const lines = (await response.text()).split('\n').filter((line) => line.includes(`deployment="${deployment}"`))
  return lines.map((line) => {
    const [, name = '', labels = '', value = ''] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? []
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text])
    return { name, labels: Object.fromEntries(pairs), value: Number(value) }
  })
}

function total(metrics: readonly Metric[], name: string, wanted: Record<string, string> = {}): number {
  return metrics
    .filter((metric) => metric.name === name)
    .filter(({ labels }) => Object.entries(wanted).every(([key, value]) => labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0)
}

// Clears up when this process is killed, as the stack's own does.
function startWatchdog(processes: ProcessTable, dir: string): void {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const script = fileURLToPath(new URL('../../stack/watchdog.ts', import.meta.url))
  const watchdog = spawn(process.execPath, ['--import', loader, script, dir, 'remove'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watchdog.stdin.on('error', () => {})
  if (watchdog.pid !== undefined) processes.add('watchdog', watchdog.pid)
}
