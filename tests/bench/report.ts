import type { IndexingRun } from './indexing.ts'
import type { LoadResult } from './load.ts'
import type { ScaleReport } from './scale.ts'
import { textOfScale } from './scale-report.ts'
import type { FileResult } from './snapshot-files.ts'
import { table } from './table.ts'

/** All that was measured in one run. */
export interface Report {
  machine: { processors: string; memoryBytes: number; node: string; loadAtStart: number }
  trace: { file: string; firstBlock: number; lastBlock: number }
  /** Seconds of each load. */
  duration: number
  /** The yardsticks first: empty, log only, then the real mappings. */
  indexing: { name: string; what: string; runs: IndexingRun[] }[]
  loads: LoadResult[]
  files: FileResult[]
  /** Bytes; see MemoryPeaks. */
  memory: { name: string; largest: number; sum: number; processes: number }[]
  /** Of a small made-up chain. */
  scale: ScaleReport
}

const MOST_TIMES_LOG_ONLY = 2.5
const MOST_MS_PER_EVENT = 5
const MOST_P50_MS = 10

/** The report as tables, with how it was measured, the goals and what limits each figure. */
export function textOf(report: Report): string {
  return [
    ...heading(report),
    '',
    ...indexing(report),
    '',
    ...loads(report),
    '',
    ...files(report),
    '',
    ...memory(report),
    '',
    textOfScale(report.scale),
  ].join('\n')
}

function heading({ machine, trace }: Report): string[] {
  const gibibytes = (machine.memoryBytes / 2 ** 30).toFixed(0)
  return [
    `${machine.processors}, ${gibibytes} GiB, Node ${machine.node}, load at the start ${machine.loadAtStart.toFixed(2)}`,
    `${trace.file}, blocks ${trace.firstBlock} to ${trace.lastBlock}`,
  ]
}

function indexing({ indexing: variants }: Report): string[] {
  const medians = variants.map(({ runs }) => median(runs))
  const [empty, logOnly, real] = medians
  if (!empty || !logOnly || !real) return []
  const perEvent = (run: IndexingRun) => (run.seconds * 1000) / run.events
  const rows = variants.map(({ name, runs }, index) => {
    const run = medians[index] ?? real
    return [
      name,
      String(run.events),
      runs.map(({ seconds }) => seconds.toFixed(1)).join(' '),
      run.seconds.toFixed(1),
      perEvent(run).toFixed(2),
      (run.seconds / empty.seconds).toFixed(2),
      (run.seconds / logOnly.seconds).toFixed(2),
      (run.cpu.gnd ?? 0).toFixed(1),
      (run.cpu.postgres ?? 0).toFixed(1),
      percent(run.bystanders),
    ]
  })
  const header = [
    'Indexing',
    'events',
    'runs s',
    'median s',
    'ms/event',
    '× empty',
    '× log only',
    'graph-node CPU s',
    'PostgreSQL CPU s',
    'others',
  ]
  const timesLogOnly = real.seconds / logOnly.seconds
  const counts = new Set(medians.map(({ events }) => events))
  return [
    table(header, rows),
    '',
    ...variants.map(({ name, what }) => `${name}: ${what}.`),
    'From the first block graph-node processed (looked for every 25 ms) until the last block was in the database (every',
    '100 ms), each on a new PostgreSQL and a new graph-node; an event is a trigger graph-node handled. The chain is',
    "served by the bench's own process, and block processing counts with the events. others: share of the machine that",
    'programs outside this bench used meanwhile; figures are good only where it is small.',
    ...(counts.size > 1 ? ['The variants did not handle the same events: do not compare them.'] : []),
    goal(
      `${timesLogOnly.toFixed(2)} times log only`,
      `at most ${MOST_TIMES_LOG_ONLY}`,
      timesLogOnly <= MOST_TIMES_LOG_ONLY,
    ),
    goal(
      `${perEvent(real).toFixed(2)} ms per event`,
      `at most ${MOST_MS_PER_EVENT}`,
      perEvent(real) <= MOST_MS_PER_EVENT,
    ),
    ...variants.map(({ name }, index) => `Limit of ${name}: ${indexingLimit(medians[index] ?? real)}.`),
  ]
}

/** Where graph-node's own count says the time went. */
function indexingLimit({ seconds, sections, writerIdle, cpu }: IndexingRun): string {
  const share = (part: number) => percent(part / seconds)
  const largest = Object.entries(sections)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 4)
    .map(([section, time]) => `${SECTIONS[section] ?? section} ${share(time)}`)
  return [
    ...largest,
    `graph-node kept ${((cpu.gnd ?? 0) / seconds).toFixed(2)} processors busy`,
    `its writer to PostgreSQL was idle ${share(writerIdle)}`,
  ].join(', ')
}

const SECTIONS: Readonly<Record<string, string>> = {
  host_export_store_set: 'store.set calls',
  host_export_store_get: 'store.get calls',
  host_export_other: 'other calls out of the sandbox (BigInt, bytes)',
  as_modifications_load: 'looking up saved entities that were not loaded',
  store_get_asc_new: 'handing loaded entities to the mapping',
  run_handler: 'the mapping itself',
  process_triggers: 'handing events to the mapping',
  module_init: 'a new sandbox per block',
  match_and_decode: 'decoding events',
  scan_blocks: 'fetching blocks and logs',
  transact_block: 'queueing writes',
}

function loads({ loads: results, duration }: Report): string[] {
  const rows = results.map((load) => [
    load.name,
    String(load.connections),
    String(load.requests),
    load.p50.toFixed(1),
    load.p99.toFixed(1),
    load.perSecond.toFixed(1),
    (load.answerBytes / 1024).toFixed(1),
    ...['node', 'gnd', 'postgres', 'load'].map((program) => (load.cpuPerRequest[program] ?? 0).toFixed(1)),
    percent(load.bystanders),
  ])
  const header = [
    'API over HTTP',
    'at a time',
    'requests',
    'p50 ms',
    'p99 ms',
    'req/s',
    'KiB',
    'CPU ms: API',
    'graph-node',
    'PostgreSQL',
    'load tool',
    'others',
  ]
  const single = results.find(({ name, connections }) => name === 'votingPower' && connections === 1)
  const varies = new Map(results.map(({ name, varies: how }) => [name, how]))
  return [
    table(header, rows),
    '',
    ...[...varies].map(([name, how]) => `${name}: ${how}.`),
    `By autocannon, on the same machine as what it measures, for ${duration} s after 2 s of warming up, all fields asked,`,
    'every answer checked for errors. CPU is processor time per request: where it adds up to the p50 of one at a time,',
    'the processor is the limit; the rest is waiting.',
    ...(single
      ? [goal(`votingPower p50 ${single.p50.toFixed(1)} ms`, `under ${MOST_P50_MS} ms`, single.p50 < MOST_P50_MS)]
      : []),
    ...results
      .filter(({ connections }) => connections === 1)
      .map((load) => `Limit of ${load.name}: ${loadLimit(load)}.`),
  ]
}

/** Which program works the longest on a request. */
function loadLimit({ cpuPerRequest, p50 }: LoadResult): string {
  const names: Readonly<Record<string, string>> = { node: 'API', gnd: 'graph-node', postgres: 'PostgreSQL' }
  const parts = Object.entries(cpuPerRequest)
    .filter(([program]) => names[program] !== undefined)
    .sort(([, a], [, b]) => b - a)
    .map(([program, used]) => `${names[program]} ${percent(used / p50)}`)
  return `of the p50, processor time of ${parts.join(', ')}`
}

function files({ files: results }: Report): string[] {
  const rows = results.map(({ name, holders, bytes, milliseconds }) => [
    name,
    String(holders),
    bytes === 0 ? '' : (bytes / 1024).toFixed(0),
    milliseconds.toFixed(1),
  ])
  return [
    table(['Files of SYNTHETIC snapshots', 'holders', 'KiB', 'ms'], rows),
    '',
    'Rendering alone, the median of 7: no recording has so many holders, so these are made up, and what graph-node takes',
    "is not in it. A file of a closed round is made once and kept; a round's first proof makes its whole Merkle tree.",
  ]
}

function memory({ memory: programs }: Report): string[] {
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
  const rows = programs.map(({ name, largest, sum, processes }) => [
    name,
    String(processes),
    mebibytes(largest),
    mebibytes(sum),
  ])
  return [
    table(['Peak memory', 'processes', 'largest MiB', 'together MiB'], rows),
    '',
    'Of one stack as `npm start` runs it, over indexing and all loads. largest: VmHWM of the largest process, together:',
    'the highest sum of Pss, which counts shared memory once, looked at every 0.5 s from the end of indexing on.',
  ]
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function goal(figure: string, aim: string, isMet: boolean): string {
  return `Goal ${isMet ? 'met' : 'MISSED'}: ${figure}, aim ${aim}.`
}

/** The run in the middle, the slower one of two. */
function median(runs: readonly IndexingRun[]): IndexingRun {
  const sorted = [...runs].sort((a, b) => a.seconds - b.seconds)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (!middle) throw new Error('nothing was measured')
  return middle
}
