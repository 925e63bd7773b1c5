import { cpus, loadavg, totalmem } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { postJson } from '../../stack/graph-node.ts'
import { pause, StackError } from '../../stack/processes.ts'
import { chooseSubgraph } from '../../stack/subgraph-build.ts'
import { readTrace, type Trace, TraceError } from '../../stack/trace.ts'
import { REAL_SIZE } from './chain-size.ts'
import { type IndexingRun, measureIndexing, type Recording } from './indexing.ts'
import { type Facts, LOADS, type Load, type LoadResult, measureLoad } from './load.ts'
import { MemoryPeaks, usageBelow } from './process-usage.ts'
import { type Report, textOf } from './report.ts'
import { measureScale, type ScaleOptions } from './scale.ts'
import { textOfScale } from './scale-report.ts'
import { measureSnapshotFiles } from './snapshot-files.ts'
import { type StackProcess, startStackProcess } from './stack-process.ts'
import { variantsOf } from './variants.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interruption.abort(new StackError('interrupted')))
}
/** Large enough to see that all of it works, in two minutes. */
const SMALL_SCALE: ScaleOptions = {
  chain: { ...REAL_SIZE, accounts: 300, transcoders: 20, rounds: 40, proposals: 8, polls: 4 },
  stages: [10, 40],
  seconds: 2,
}
const started = performance.now()
let lastProgress = { what: '', at: 0 }

try {
  const options = readOptions(process.argv)
  if (options.scale !== undefined) {
    const scale = await measureScale(realScale(options.scale, options.index), interruption.signal, progress)
    process.stdout.write(options.json ? `${JSON.stringify(scale, null, 2)}\n` : textOfScale(scale))
    process.exit(scale.stages.some(({ differences }) => differences.length > 0) ? 1 : 0)
  }
  const report = await bench(options, interruption.signal)
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : textOf(report))
  process.exit(report.scale.stages.some(({ differences }) => differences.length > 0) ? 1 : 0)
} catch (error) {
  const isForUser = error instanceof StackError || error instanceof TraceError
  process.stderr.write(`${isForUser ? error.message : error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
}

interface Options {
  trace: string
  repeat: number
  duration: number
  json: boolean
  scale?: number[]
  index?: string
}

/** A chain as large as the real one, but for its last round. */
function realScale(stages: readonly number[], index: string | undefined): ScaleOptions {
  const chain = { ...REAL_SIZE, rounds: stages.at(-1) ?? REAL_SIZE.rounds }
  return { chain, stages, seconds: 5, ...(index === undefined ? {} : { index }) }
}

async function bench({ trace: file, repeat, duration }: Options, signal: AbortSignal): Promise<Report> {
  const trace = await readTrace(file)
  const recording: Recording = { file, trace, network: trace.header.network ?? 'recorded', contracts: contracts(trace) }
  const loadAtStart = loadavg()[0] ?? 0
  const indexing = await measureVariants(recording, repeat, signal)
  progress('files of synthetic snapshots')
  const files = await measureSnapshotFiles()
  const { loads, memory } = await measureApi(recording, duration, signal)
  const withoutLimits = await measureWithoutLimits(recording, duration, signal)
  const scale = await measureScale(SMALL_SCALE, signal, (what, share) =>
    progress(`small made-up chain: ${what}`, share),
  )
  return {
    machine: {
      processors: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
      memoryBytes: totalmem(),
      node: process.version,
      loadAtStart,
    },
    trace: { file: relative(PROJECT, file), lastBlock: trace.lastBlock, firstBlock: trace.firstBlock },
    duration,
    indexing,
    loads: [...loads, ...withoutLimits],
    files,
    memory,
    scale,
  }
}

async function measureVariants(recording: Recording, repeat: number, signal: AbortSignal): Promise<Report['indexing']> {
  const { manifest } = chooseSubgraph(PROJECT, recording.network, recording.contracts)
  const variants = variantsOf(PROJECT, manifest).map((variant) => ({ ...variant, runs: [] as IndexingRun[] }))
  // In turns, so that a busy minute of the machine does not fall on one of them alone.
  for (let round = 1; round <= repeat; round++) {
    for (const { name, build, runs } of variants) {
      const what = `indexing, ${name}${repeat > 1 ? `, ${round} of ${repeat}` : ''}`
      progress(`${what}: building`)
      const built = await build(signal)
      const { lastBlock } = recording.trace
      const run = await measureIndexing(built, recording, signal, (block) => progress(what, block / lastBlock))
      runs.push(run)
    }
  }
  return variants.map(({ name, what, runs }) => ({ name, what, runs }))
}

async function measureApi(
  recording: Recording,
  duration: number,
  signal: AbortSignal,
): Promise<Pick<Report, 'loads' | 'memory'>> {
  progress('API: the stack indexes')
  const stack = await startStackProcess(['--trace', recording.file], signal)
  const peaks = new MemoryPeaks()
  const look = () => peaks.add(usageBelow(stack.pid))
  const looks = setInterval(look, 500)
  try {
    look()
    const facts = await factsOf(recording.trace, stack.url)
    const loads = await measureLoads(LOADS, stack, facts, duration, signal)
    look()
    return {
      loads,
      memory: [
        { name: 'graph-node', ...peaks.of('gnd') },
        { name: 'PostgreSQL', ...peaks.of('postgres') },
        { name: 'API and recorded chain', ...peaks.of('node') },
      ],
    }
  } finally {
    clearInterval(looks)
    await stack.stop()
  }
}

async function measureLoads(
  loads: readonly Load[],
  stack: StackProcess,
  facts: Facts,
  duration: number,
  signal: AbortSignal,
): Promise<LoadResult[]> {
  const results: LoadResult[] = []
  for (const load of loads) {
    for (const connections of load.connections) {
      signal.throwIfAborted()
      progress(`API: ${load.name}, ${connections} at a time`)
      // Lets what the last load left behind come to rest.
      await pause(500, signal)
      results.push(await measureLoad(load, connections, stack, facts, duration))
    }
  }
  return results
}

/** Loads that take the API little time, so that what its limits take shows best, on a stack that has none. */
async function measureWithoutLimits(
  recording: Recording,
  duration: number,
  signal: AbortSignal,
): Promise<LoadResult[]> {
  progress('API without limits: the stack indexes')
  const stack = await startStackProcess(['--trace', recording.file, '--no-limits'], signal)
  try {
    const facts = await factsOf(recording.trace, stack.url)
    const loads = LOADS.filter(({ showsLimits }) => showsLimits).map((load) => ({
      ...load,
      name: `${load.name}, limits off`,
    }))
    return await measureLoads(loads, stack, facts, duration, signal)
  } finally {
    await stack.stop()
  }
}

async function factsOf(trace: Trace, url: string): Promise<Facts> {
  const { data } = await postJson<{
    data: {
      status: { firstRound: number | null; round: number | null }[]
      proposals: { nodes: { id: string }[] }
    }
  }>(`${url}/graphql`, { query: '{ status { firstRound round } proposals(first: 1000) { nodes { id } } }' })
  const [status] = data.status
  const first = status?.firstRound
  const last = status?.round
  if (typeof first !== 'number' || typeof last !== 'number') throw new StackError('the recording has no rounds')
  const accounts = indexedAddresses(trace)
  const madeUp = Array.from({ length: 1000 }, (_, index) => `0x${(index + 1).toString(16).padStart(40, 'f')}`)
  return {
    accounts,
    thousand: [...accounts, ...madeUp].slice(0, 1000),
    rounds: Array.from({ length: last - first + 1 }, (_, index) => first + index),
    proposals: data.proposals.nodes.map(({ id }) => id),
  }
}

/** Every address that the staking contract's events name in an indexed parameter. */
function indexedAddresses(trace: Trace): string[] {
  const contract = trace.header.contracts.BondingManager
  const found = new Set<string>()
  for (const block of trace.blocksWithLogs(0, trace.lastBlock)) {
    for (const { address, topics } of block.logs) {
      if (contract !== undefined && address !== contract) continue
      for (const topic of topics.slice(1)) {
        // Small numbers look like addresses too; a real one does not begin with many zeros.
        if (/^0x0{24}(?!0{16})/.test(topic)) found.add(`0x${topic.slice(26)}`)
      }
    }
  }
  return [...found].sort()
}

function contracts(trace: Trace): Recording['contracts'] {
  return Object.fromEntries(
    Object.entries(trace.header.contracts).map(([name, address]) => [name, { address, startBlock: trace.firstBlock }]),
  )
}

/** Tells on standard error what is going on: in place in a terminal, a line now and then elsewhere. */
function progress(what: string, share?: number): void {
  const seconds = (performance.now() - started) / 1000
  const text = `[${seconds.toFixed(0).padStart(4)} s] ${what}${share === undefined ? '' : `: ${Math.round(share * 100)} %`}`
  const isNew = what !== lastProgress.what
  if (process.stderr.isTTY) {
    process.stderr.write(`${isNew && lastProgress.what !== '' ? '\n' : '\r\x1b[K'}${text}`)
  } else if (isNew || seconds - lastProgress.at >= 5) {
    process.stderr.write(`${text}\n`)
  } else return
  lastProgress = { what, at: seconds }
}

function readOptions(argv: string[]): Options {
  const options = new Command('npm run bench --')
    .description(
      'Measures indexing beside two yardsticks, then the API under load, and the memory all of it takes. Nothing else\n' +
        'should run on the machine meanwhile.',
    )
    .option(
      '--trace <file>',
      'recorded trace to measure on',
      join(PROJECT, 'tests/traces/livepeer/medium/trace.jsonl.gz'),
    )
    .option('--repeat <times>', 'how often to index each variant; the median counts', positive, 1)
    .option('--duration <seconds>', 'how long each load on the API lasts', positive, 10)
    .option(
      '--scale [rounds]',
      'only grow an index of a made-up chain of the real size, an hour or so; rounds to measure after, by commas',
      stages,
    )
    .option(
      '--index <dir>',
      'with --scale: keep what is indexed in this folder, or measure on what is kept there; the last stage only',
    )
    .option('--json', 'print JSON instead of tables', false)
    .parse(argv)
  const { scale, ...others } = options.opts<Omit<Options, 'scale'> & { scale?: number[] | true }>()
  if (scale === undefined) return others
  return { ...others, scale: scale === true ? [100, 400, REAL_SIZE.rounds] : scale }
}

function stages(value: string): number[] {
  const rounds = value.split(',').map(positive)
  if (rounds.some((round, index) => round <= (rounds[index - 1] ?? 0))) {
    throw new InvalidArgumentError('They must ascend.')
  }
  return rounds
}

function positive(value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number above 0.')
  return number
}
