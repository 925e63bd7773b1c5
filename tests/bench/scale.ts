import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recordedContracts } from '../../stack/chain-plan.ts'
import { pause, StackError, waitFor } from '../../stack/processes.ts'
import { type RecordedChainServer, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { readTrace, type Trace } from '../../stack/trace.ts'
import { MovingChain } from '../system/moving-chain.ts'
import type { ChainSize } from './chain-size.ts'
import { writeMadeUpChain } from './made-up-chain.ts'
import { compareMadeUpChain, type MadeUpTruth } from './made-up-truth.ts'
import { commandLineBelow, residentBytes, usageBelow } from './process-usage.ts'
import {
  type Askable,
  ask,
  askInTurn,
  KINDS,
  type Kind,
  newBodies,
  repeatedly,
  type Times,
  throughput,
} from './scale-loads.ts'
import { type StackProcess, startStackProcess } from './stack-process.ts'

/** What to measure how a growing chain is coped with on. */
export interface ScaleOptions {
  chain: ChainSize
  /** Rounds after which the head is held, ascending; the chain's last round at the end. */
  stages: readonly number[]
  /** How long a kind of request is asked at most, and how long its throughput is measured. */
  seconds: number
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
}

/** What was measured with the head held after some rounds. */
export interface StageResult {
  rounds: number
  block: number
  /** That the chain has emitted by then. */
  events: number
  /** From the head's jump to this stage until all was indexed, seconds. */
  indexing: number
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
  generation: { seconds: number; events: number; bytes: number }
  stages: StageResult[]
}

const NETWORK = 'made-up'
/** The head moves on so often a second. */
const BLOCKS_PER_SECOND = 4

/** Grows one index of a made-up chain, and measures the API at each of its stages. */
export async function measureScale(
  options: ScaleOptions,
  signal: AbortSignal,
  onProgress: (what: string, share?: number) => void,
): Promise<ScaleReport> {
  const dir = mkdtempSync(join(tmpdir(), 'livepeer-governance-scale-'))
  // PostgreSQL may run as another user, who has to get at its own folder inside.
  chmodSync(dir, 0o755)
  const file = join(dir, 'trace.jsonl.gz')
  let server: RecordedChainServer | undefined
  let stack: StackProcess | undefined
  try {
    onProgress('making up a chain')
    const started = performance.now()
    const truth = await writeMadeUpChain(file, options.chain)
    signal.throwIfAborted()
    const generation = {
      seconds: secondsSince(started),
      events: Object.values(truth.events).reduce((sum, count) => sum + count, 0),
      bytes: statSync(file).size,
    }
    const trace = await readTrace(file)
    const plan = options.stages.map((rounds, index) => headOf(rounds, index, options, truth))
    // The stack comes up on a chain that has hardly begun, so that all indexing falls into a stage.
    const chain = new MovingChain(trace, trace.firstBlock)
    server = await serveRecordedChains(new Map([[NETWORK, chain]]))
    const rpc = `${server.url}/${NETWORK}`
    const networks = writeNetworks(dir, trace)
    onProgress('starting the stack')
    stack = await startStackProcess([...stackOptions(rpc, join(dir, 'data')), '--networks-file', networks], signal)
    const scale = new Scale({ dir, trace, truth, chain, rpc, stack, seconds: options.seconds, signal, onProgress })
    const stages: StageResult[] = []
    for (const stage of plan) stages.push(await scale.measure(stage))
    return { chain: options.chain, generation, stages }
  } finally {
    await stack?.stop()
    await server?.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

interface Stage {
  rounds: number
  head: number
  /** Where the head comes to rest after it has moved on. */
  end: number
}

/** At the end of its last round; the last stage leaves as many blocks to move through as the loads take. */
function headOf(rounds: number, index: number, { stages, seconds }: ScaleOptions, truth: MadeUpTruth): Stage {
  const { firstRound, roundLength, lastBlock } = truth
  const isLast = index === stages.length - 1
  const series = KINDS.length * 2 + KINDS.filter((kind) => kind.throughput).length
  const kept = series * (seconds + 1) * BLOCKS_PER_SECOND
  const end = (firstRound + rounds) * roundLength - 1
  const head = Math.min(end, lastBlock - kept - KINDS.length)
  if (head < firstRound * roundLength) throw new StackError(`a chain of ${lastBlock} blocks is too short to measure on`)
  return { rounds, head, end: isLast ? lastBlock : head }
}

interface Subject {
  dir: string
  trace: Trace
  truth: MadeUpTruth
  chain: MovingChain
  rpc: string
  stack: StackProcess
  seconds: number
  signal: AbortSignal
  onProgress: (what: string, share?: number) => void
}

class Scale {
  readonly #subject: Subject
  /** What was asked at any stage: none of it was never asked. */
  readonly #known = new Set<string>()
  #seed = 0

  constructor(subject: Subject) {
    this.#subject = subject
  }

  async measure({ rounds, head, end }: Stage): Promise<StageResult> {
    const { chain, stack, dir, trace, truth } = this.#subject
    const started = performance.now()
    if (head > chain.head) chain.advanceTo(head)
    await this.#catchUp(`${rounds} rounds: indexing`)
    const indexing = secondsSince(started)
    const events = [...trace.blocksWithLogs(0, head)].reduce((sum, { logs }) => sum + logs.length, 0)
    const { load, restart } = await this.#apiStarts(rounds)
    const still = await this.#measureKinds(`${rounds} rounds, head still`, (kind) => this.#nextHead(kind))
    const movement = new Movement(chain, truth.lastBlock, stack.url)
    const moving = await this.#measureKinds(`${rounds} rounds, head moving`).finally(() => movement.stop())
    const { moved } = movement
    // Sizes while all is loaded and asked about.
    const databaseBytes = sizeOf(join(dir, 'data/postgres/base'))
    const memory = this.#memory()
    const told = await toldBy(stack.url)
    if (end > chain.head) chain.advanceTo(end)
    await this.#catchUp(`${rounds} rounds: comparing`)
    const { compared, differences } = await compareMadeUpChain(stack.url, truth)
    const measured = { rounds, block: head, events, indexing, databaseBytes, memory, load, restart, still, moving }
    return { ...measured, moved, told, compared, differences }
  }

  /** Waits until the API answers as of the chain's head. */
  async #catchUp(what: string): Promise<void> {
    const { chain, stack, signal, onProgress } = this.#subject
    await waitFor(async () => {
      const block = await blockOf(stack.url)
      onProgress(what, block / chain.head)
      if (block >= chain.head) return true
      // Asking takes processor time from indexing.
      await pause(500, signal)
      return undefined
    }, signal)
  }

  /** With the head still, only a new one makes a request of a kind that is always the same one never asked. */
  async #nextHead({ isOne }: Kind): Promise<void> {
    if (isOne !== 'per head') return
    const { chain, stack, signal } = this.#subject
    chain.advance()
    await waitFor(async () => (await blockOf(stack.url)) >= chain.head || undefined, signal)
  }

  async #measureKinds(what: string, before?: (kind: Kind) => Promise<void>): Promise<KindResult[]> {
    const { stack, seconds, signal, onProgress } = this.#subject
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
    const { truth, chain } = this.#subject
    const { accounts, transcoders, firstRound, roundLength } = truth
    return { accounts, transcoders, firstRound, lastRound: Math.floor(chain.head / roundLength) - 1 }
  }

  /** The API in a process of its own before the stack's graph-node, started twice. */
  async #apiStarts(rounds: number): Promise<{ load: ApiStart; restart: ApiStart }> {
    const { dir, stack, rpc, onProgress } = this.#subject
    onProgress(`${rounds} rounds: starting the API by itself`)
    const dataDir = join(dir, `api-${rounds}`)
    mkdirSync(dataDir)
    const options = [...stackOptions(rpc, dataDir), '--graph-node', graphNodeUrl(stack.pid)]
    const load = await this.#startApi(options)
    const restart = await this.#startApi(options)
    return { load, restart }
  }

  async #startApi(options: readonly string[]): Promise<ApiStart> {
    const { signal, chain } = this.#subject
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
      return { ready, firstAnswer, memory: residentBytes(api.pid), told: await toldBy(api.url) }
    } finally {
      await api.stop()
    }
  }

  #memory(): Record<string, number> {
    const { pid } = this.#subject.stack
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

function stackOptions(rpc: string, dataDir: string): string[] {
  return ['--network', NETWORK, '--rpc', `${NETWORK}=${rpc}`, '--data-dir', dataDir, '--no-limits']
}

/** The chain's contracts in the format of graph-cli's networks.json. */
function writeNetworks(dir: string, trace: Trace): string {
  const file = join(dir, 'networks.json')
  writeFileSync(file, JSON.stringify({ [NETWORK]: recordedContracts(trace) }))
  return file
}

function graphNodeUrl(stack: number): string {
  const line = commandLineBelow(stack, 'gnd') ?? []
  const port = line[line.indexOf('--http-port') + 1]
  if (port === undefined) throw new StackError('there is no graph-node')
  return `http://127.0.0.1:${port}`
}

/** The block an API answers as of; 0 before there is one. */
async function blockOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/status`)).text()
  const [chain] = text === '' ? [] : (JSON.parse(text) as { block: string }[])
  return Number(chain?.block ?? 0)
}

/** Figures of an API's own that are no counts, by name. */
async function toldBy(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const gauges = new Set([...text.matchAll(/^# TYPE (livepeer_\S+) gauge$/gm)].map(([, name]) => name))
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
