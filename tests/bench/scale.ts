import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StackError, waitFor } from '../../stack/processes.ts'
import type { MovingChain } from '../system/moving-chain.ts'
import type { ChainSize } from './chain-size.ts'
import {
  blockOf,
  DATA,
  GrowingIndex,
  type IndexingSpan,
  NETWORK,
  type OnProgress,
  stackOptions,
} from './growing-index.ts'
import { copyOf, keptIndex, type MadeUp, makeUp } from './kept-index.ts'
import { compareMadeUpChain, type MadeUpTruth } from './made-up-truth.ts'
import { commandLineBelow, residentBytes, usageBelow } from './process-usage.ts'
import {
  type Askable,
  ask,
  askInTurn,
  CONCENTRATED,
  concentrationBodies,
  KINDS,
  type Kind,
  newBodies,
  repeatedly,
  type Times,
  throughput,
} from './scale-loads.ts'
import { startStackProcess } from './stack-process.ts'

/** What to measure how a growing chain is coped with on. */
export interface ScaleOptions {
  chain: ChainSize
  /** Rounds after which the head is held, ascending; the chain's last round at the end. */
  stages: readonly number[]
  /** How long a kind of request is asked at most, and how long its throughput is measured. */
  seconds: number
  /** Where the finished index is kept, and found again; then only the last stage is measured. */
  index?: string
}

/** Times of a kind of request with the head in one place, or moving on. */
export interface KindResult {
  name: string
  neverAsked: Times
  askedAgain: Times
  perSecond: number | undefined
}

/** The API by itself before a graph-node that has indexed everything: seconds from the start of its process. */
export interface ApiStart {
  ready: number
  /** Until it has answered a first votingPower as of the head. */
  firstAnswer: number
  /** What it holds resident then, bytes. */
  memory: number
  /** What it tells of itself at /metrics then. */
  told: Record<string, number>
  /** Of every round: when it is asked for the first time, and again, median. Seconds. */
  concentration: Record<(typeof CONCENTRATED)[number], { first: number; again: number }>
}

/** What was measured with the head held after some rounds. */
export interface StageResult {
  rounds: number
  block: number
  /** That the chain has emitted by then. */
  events: number
  databaseBytes: number
  /** Resident bytes by program; the database's with shared memory counted once. */
  memory: Record<string, number>
  /** With nothing kept from before, and again with what the first start kept. */
  load: ApiStart
  restart: ApiStart
  still: KindResult[]
  moving: KindResult[]
  /** Blocks the head moved on meanwhile, and by how many the API was behind it at most. */
  moved: { blocks: number; seconds: number; behind: number }
  /** What the API tells of itself at /metrics, other than counts of requests. */
  told: Record<string, number>
  compared: number
  differences: string[]
}

/** What became of one made-up chain. */
export interface ScaleReport {
  chain: ChainSize
  generation: MadeUp['generation']
  /** The folder of the index that was measured on, where it is kept. */
  kept?: string
  /** Stage by stage. */
  indexing: IndexingSpan[]
  stages: StageResult[]
}

/** The head moves on so often a second. */
const BLOCKS_PER_SECOND = 4
/** How often concentrations are asked for again. */
const RUNS_AGAIN = 7

/** Grows one index of a made-up chain, and measures the API at each of its stages. */
export async function measureScale(
  options: ScaleOptions,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<ScaleReport> {
  const dir = mkdtempSync(join(tmpdir(), 'livepeer-governance-scale-'))
  // PostgreSQL may run as another user, who has to get at its own folder inside.
  chmodSync(dir, 0o755)
  try {
    const watched = { signal, onProgress }
    return options.index === undefined
      ? await measureAsItGrows(options, dir, watched)
      : await measureKept(options, options.index, dir, watched)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

interface Watched {
  signal: AbortSignal
  onProgress: OnProgress
}

async function measureAsItGrows(options: ScaleOptions, dir: string, watched: Watched): Promise<ScaleReport> {
  const { signal, onProgress } = watched
  onProgress('making up a chain')
  const { truth, generation } = await makeUp(dir, options.chain)
  signal.throwIfAborted()
  const heads = headsOf(options, truth, blocksToMoveThrough(options))
  const index = await GrowingIndex.start(dir, undefined, signal, onProgress)
  try {
    const scale = new Scale({ ...watched, index, truth, seconds: options.seconds })
    const indexing: IndexingSpan[] = []
    const stages: StageResult[] = []
    for (const [stage, head] of heads.entries()) {
      const rounds = options.stages[stage] ?? 0
      indexing.push(await index.advanceTo(head, `${rounds} rounds: indexing`))
      const isLast = stage === heads.length - 1
      stages.push(await scale.measure(rounds, isLast ? truth.lastBlock : head))
    }
    return { chain: options.chain, generation, indexing, stages }
  } finally {
    await index.stop()
  }
}

async function measureKept(
  options: ScaleOptions,
  folder: string,
  dir: string,
  { signal, onProgress }: Watched,
): Promise<ScaleReport> {
  const blocks = blocksToMoveThrough(options)
  // More than are needed now: a kept index is to serve when there are more kinds of requests.
  const heads = (truth: MadeUpTruth) => headsOf(options, truth, 2 * blocks)
  const kept = await keptIndex(folder, options.chain, heads, signal, onProgress)
  const { truth, generation, indexing } = kept
  if (kept.head + blocks > truth.lastBlock) {
    throw new StackError(`the index kept in ${folder} leaves no ${blocks} blocks to move the head through: delete it`)
  }
  onProgress('copying the index')
  await copyOf(folder, dir)
  const index = await GrowingIndex.start(dir, kept.head, signal, onProgress)
  try {
    await index.caughtUp('starting')
    const scale = new Scale({ signal, onProgress, index, truth, seconds: options.seconds })
    const stages = [await scale.measure(options.chain.rounds, truth.lastBlock)]
    return { chain: options.chain, generation, kept: folder, indexing, stages }
  } finally {
    await index.stop()
  }
}

/** How far the head moves while all kinds of requests are measured. */
function blocksToMoveThrough({ seconds }: ScaleOptions): number {
  const series = KINDS.length * 2 + KINDS.filter((kind) => kind.throughput).length
  return series * (seconds + 1) * BLOCKS_PER_SECOND + KINDS.length
}

/** The ends of the stages' last rounds, the last of them so many blocks before the chain's end. */
function headsOf({ stages }: ScaleOptions, truth: MadeUpTruth, blocks: number): number[] {
  const { firstRound, roundLength, lastBlock } = truth
  return stages.map((rounds) => {
    const head = Math.min((firstRound + rounds) * roundLength - 1, lastBlock - blocks)
    if (head < firstRound * roundLength)
      throw new StackError(`a chain of ${lastBlock} blocks is too short to measure on`)
    return head
  })
}

interface Subject extends Watched {
  index: GrowingIndex
  truth: MadeUpTruth
  seconds: number
}

class Scale {
  readonly #subject: Subject
  /** What was asked at any stage: none of it was never asked. */
  readonly #known = new Set<string>()
  #seed = 0

  constructor(subject: Subject) {
    this.#subject = subject
  }

  /** With the head where it is; then it moves on, and comes to rest at a block. */
  async measure(rounds: number, end: number): Promise<StageResult> {
    const { index, truth } = this.#subject
    const { chain, stack, dir, trace } = index
    const block = chain.head
    const events = [...trace.blocksWithLogs(0, block)].reduce((sum, { logs }) => sum + logs.length, 0)
    const { load, restart } = await this.#apiStarts(rounds)
    // What it tells of its event loop is since it was asked last.
    await toldBy(stack.url)
    const still = await this.#measureKinds(`${rounds} rounds, head still`, (kind) => this.#nextHead(kind))
    const movement = new Movement(chain, truth.lastBlock, stack.url)
    const moving = await this.#measureKinds(`${rounds} rounds, head moving`).finally(() => movement.stop())
    const { moved } = movement
    // Sizes while all is loaded and asked about.
    const databaseBytes = sizeOf(join(dir, DATA, 'postgres/base'))
    const memory = this.#memory()
    const told = await toldBy(stack.url)
    if (end > chain.head) chain.advanceTo(end)
    await index.caughtUp(`${rounds} rounds: comparing`)
    const { compared, differences } = await compareMadeUpChain(stack.url, truth)
    return {
      rounds,
      block,
      events,
      databaseBytes,
      memory,
      load,
      restart,
      still,
      moving,
      moved,
      told,
      compared,
      differences,
    }
  }

  /** With the head still, only a new one makes a request of a kind that is always the same one never asked. */
  async #nextHead({ isOne }: Kind): Promise<void> {
    if (isOne !== 'per head') return
    const { signal } = this.#subject
    const { chain, stack } = this.#subject.index
    chain.advance()
    await waitFor(async () => (await blockOf(stack.url)) >= chain.head || undefined, signal)
  }

  async #measureKinds(what: string, before?: (kind: Kind) => Promise<void>): Promise<KindResult[]> {
    const { seconds, signal, onProgress } = this.#subject
    const { stack } = this.#subject.index
    const results: KindResult[] = []
    for (const kind of KINDS) {
      signal.throwIfAborted()
      onProgress(`${what}: ${kind.name}`)
      const askable = this.#askable()
      const bodies = newBodies(kind, askable, this.#known, this.#seed++)
      const first = await askInTurn(stack.url, bodies, seconds, before && (() => before(kind)))
      const again = await askInTurn(stack.url, repeatedly(first.asked), seconds)
      const perSecond = kind.throughput ? await throughput(stack.url, kind, askable, seconds) : undefined
      results.push({ name: kind.name, neverAsked: first.times, askedAgain: again.times, perSecond })
    }
    return results
  }

  #askable(): Askable {
    const { truth } = this.#subject
    const { chain } = this.#subject.index
    const { accounts, transcoders, firstRound, roundLength } = truth
    return { accounts, transcoders, firstRound, lastRound: Math.floor(chain.head / roundLength) - 1 }
  }

  /** The API in a process of its own before the stack's graph-node, started twice. */
  async #apiStarts(rounds: number): Promise<{ load: ApiStart; restart: ApiStart }> {
    const { onProgress } = this.#subject
    const { dir, stack, rpc } = this.#subject.index
    onProgress(`${rounds} rounds: starting the API by itself`)
    const dataDir = join(dir, `api-${rounds}`)
    mkdirSync(dataDir)
    const options = [...stackOptions(rpc, dataDir), '--graph-node', graphNodeUrl(stack.pid)]
    const load = await this.#startApi(options)
    const restart = await this.#startApi(options)
    return { load, restart }
  }

  async #startApi(options: readonly string[]): Promise<ApiStart> {
    const { signal } = this.#subject
    const { chain } = this.#subject.index
    const started = performance.now()
    const api = await startStackProcess(options, signal)
    try {
      const ready = secondsSince(started)
      const kind = KINDS.find(({ name }) => name === 'votingPower') ?? KINDS[0]
      if (kind === undefined) throw new StackError('there is nothing to ask')
      const [body = ''] = newBodies(kind, this.#askable(), this.#known, this.#seed++)
      await waitFor(async () => (await blockOf(api.url)) >= chain.head || undefined, signal)
      await ask(api.url, body)
      const firstAnswer = secondsSince(started)
      const memory = residentBytes(api.pid)
      const told = await toldBy(api.url)
      return { ready, firstAnswer, memory, told, concentration: await this.#concentration(api.url) }
    } finally {
      await api.stop()
    }
  }

  /** Only of an API that was just started is nothing of it kept. */
  async #concentration(url: string): Promise<ApiStart['concentration']> {
    const results: Partial<ApiStart['concentration']> = {}
    for (const of of CONCENTRATED) {
      const bodies = concentrationBodies(of, this.#askable())
      const times: number[] = []
      for (let run = 0; run < 1 + RUNS_AGAIN; run++) {
        const started = performance.now()
        for (const body of bodies) await ask(url, body)
        times.push(secondsSince(started))
      }
      const [first = Number.NaN, ...again] = times
      results[of] = { first, again: again.sort((a, b) => a - b)[Math.floor(RUNS_AGAIN / 2)] ?? Number.NaN }
    }
    return results as ApiStart['concentration']
  }

  #memory(): Record<string, number> {
    const { pid } = this.#subject.index.stack
    const usage = usageBelow(pid)
    return {
      API: residentBytes(pid),
      'graph-node': usage.get('gnd')?.current ?? 0,
      PostgreSQL: usage.get('postgres')?.current ?? 0,
      'chain and load tool': process.memoryUsage().rss,
    }
  }
}

/** Moves a head on, four blocks a second, and looks by how many blocks an API is behind. */
class Movement {
  readonly moved: StageResult['moved'] = { blocks: 0, seconds: 0, behind: 0 }
  readonly #started = performance.now()
  readonly #timers: NodeJS.Timeout[]

  constructor(chain: MovingChain, lastBlock: number, url: string) {
    const move = () => {
      if (chain.head >= lastBlock) return
      chain.advance()
      this.moved.blocks++
    }
    const look = async () => {
      const { head } = chain
      const block = await blockOf(url).catch(() => head)
      this.moved.behind = Math.max(this.moved.behind, head - block)
    }
    this.#timers = [setInterval(move, 1000 / BLOCKS_PER_SECOND), setInterval(look, 1000)]
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.moved.seconds = secondsSince(this.#started)
  }
}

function graphNodeUrl(stack: number): string {
  const line = commandLineBelow(stack, 'gnd') ?? []
  const port = line[line.indexOf('--http-port') + 1]
  if (port === undefined) throw new StackError('there is no graph-node')
  return `http://127.0.0.1:${port}`
}

/** Figures of an API's own that are no counts, by name. */
async function toldBy(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const pattern = /^# TYPE (livepeer_\S+|nodejs_eventloop_lag_(?:max|p99)_seconds) gauge$/gm
  const gauges = new Set([...text.matchAll(pattern)].map(([, name]) => name))
  const found: Record<string, number> = {}
  for (const [, name = '', labels = '', value] of text.matchAll(/^(\w+)(\{.*\})? (\S+)$/gm)) {
    if (gauges.has(name)) found[name + labels.replace(`network="${NETWORK}"`, '').replace('{}', '')] = Number(value)
  }
  return found
}

function sizeOf(path: string): number {
  const names = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return names.reduce((sum, entry) => {
    // Tables may go while they are counted.
    return sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0)
  }, 0)
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000
}
