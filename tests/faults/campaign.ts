import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { recordedContracts } from '../../stack/chain-plan.ts'
import { serveRecordedChains } from '../../stack/recorded-chain.ts'
import { readTrace } from '../../stack/trace.ts'
import { Chance } from '../bench/random.ts'
import { type Fault, FaultyRpc } from '../system/faulty-rpc.ts'
import { compareGovernance, type GovernanceTruth } from '../system/governance-truth.ts'
import { compareMoments, compareStake, type LivepeerTruth, readTruth, traceFile } from '../system/livepeer-truth.ts'
import { MovingChain } from '../system/moving-chain.ts'
import { makeFolder, processesLeft, processesOf, StackCommand } from '../system/stack-command.ts'

/** What a campaign does, and for how long at most. */
export interface CampaignOptions {
  /** The recording, by its folder below tests/traces. */
  trace: string
  seed: number
  kills: number
  reorganisations: number
  /** After so many no more is done to the stack, whatever is left of it to do. */
  minutes: number
  /** Takes a line about what is done. */
  log: (line: string) => void
  /** Ends it half-way when it aborts. */
  signal?: AbortSignal
}

/** What a campaign did and found. */
export interface CampaignReport {
  seed: number
  /** Programs that were killed, by what they are. */
  kills: Record<Victim, number>
  reorganisations: number
  /** Requests that the RPC failed, by how. */
  faults: Record<string, number>
  /** Starts of the stack. */
  starts: number
  /** Starts that an RPC at fault refused. */
  refusedStarts: number
  seconds: number
  /** Values compared with recorded truth in the end. */
  compared: number
  differences: string[]
}

/** What is killed: a part, one connection of the database, all of the database, or the stack itself with SIGKILL. */
export const VICTIMS = ['graph-node', 'database backend', 'PostgreSQL', 'npm start'] as const
export type Victim = (typeof VICTIMS)[number]

/** An answer that never comes is waited for less long, and what is indexed is written sooner, than by default. */
const QUICK = { GRAPH_ETHEREUM_JSON_RPC_TIMEOUT: '5', GRAPH_STORE_WRITE_BATCH_DURATION: '1' }
/** How long the stack has in the end to come to the head. */
const PATIENCE_MS = 240_000
/** The most blocks that are replaced at a time. */
const DEEPEST = 50

/**
 * Lets a stack sync a recorded chain while parts of it are killed, blocks are replaced and its RPC fails, all by chance but
 * the same for the same seed as far as the machine's timing lets it; then lets it come to the head, and compares all answers
 * with recorded truth. Rejects when the stack ends by itself, or does not get there.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const trace = await readTrace(traceFile(options.trace))
  const chain = new MovingChain(trace, trace.firstBlock + 2 * DEEPEST)
  const server = await serveRecordedChains(new Map([['moving', chain]]))
  const rpc = await FaultyRpc.before(`${server.url}/moving`, options.seed)
  const folder = makeFolder()
  writeFileSync(join(folder, 'networks.json'), JSON.stringify({ moving: recordedContracts(trace) }))
  const campaign = new Campaign(options, chain, rpc, folder)
  try {
    await campaign.disturb()
    return await campaign.conclude()
  } finally {
    await campaign.stop()
    await rpc.close()
    await server.close()
    await processesLeft(folder, 15_000)
    rmSync(folder, { recursive: true, force: true })
  }
}

class Campaign {
  readonly #options: CampaignOptions
  readonly #chain: MovingChain
  readonly #rpc: FaultyRpc
  readonly #folder: string
  readonly #chance: Chance
  readonly #startedAt = performance.now()
  readonly #kills: Record<Victim, number> = { 'graph-node': 0, 'database backend': 0, PostgreSQL: 0, 'npm start': 0 }
  #command: StackCommand
  #commandAt = performance.now()
  /** Whether what was killed may end the stack. */
  #mayEnd = false
  #starts = 0
  #refusedStarts = 0
  #reorganisations = 0

  constructor(options: CampaignOptions, chain: MovingChain, rpc: FaultyRpc, folder: string) {
    this.#options = options
    this.#chain = chain
    this.#rpc = rpc
    this.#folder = folder
    this.#chance = new Chance(options.seed)
    this.#command = this.#start()
  }

  /** Does all there is to do, in a random order, as the chain grows. */
  async disturb(): Promise<void> {
    const { kills, reorganisations, minutes } = this.#options
    const actions = this.#chance.shuffled([
      ...Array.from({ length: kills }, (_, index) => VICTIMS[index % VICTIMS.length] ?? 'npm start'),
      ...Array.from({ length: reorganisations }, () => 'reorganise' as const),
    ])
    for (const [index, action] of actions.entries()) {
      if (performance.now() - this.#startedAt > minutes * 60_000) {
        this.#log(`${minutes} minutes are over: ${actions.length - index} of ${actions.length} are left out`)
        return
      }
      await this.#watch()
      this.#rpc.turn(...this.#someFaults())
      // The chain has as many blocks as there is to do, of which each may take one more.
      const toDo = actions.length - index
      const left = Math.max(0, this.#chain.recorded.lastBlock - this.#chain.head - toDo)
      this.#chain.advance(Math.min(left, Math.floor((this.#chance.share() * 2 * left) / toDo)))
      // Most while it indexes, some while it starts.
      const isEarly = this.#chance.share() < 0.25
      if (!isEarly) await this.#until(() => this.#command.lines.includes('indexing') || undefined)
      await sleep(100 + this.#chance.below(2400))
      if (action === 'reorganise') this.#reorganise()
      else await this.#kill(action)
    }
  }

  /** Lets the stack come to the head in peace, and compares. */
  async conclude(): Promise<CampaignReport> {
    const { trace, seed } = this.#options
    this.#rpc.turn()
    this.#chain.restore()
    this.#chain.advanceTo(this.#chain.recorded.lastBlock)
    this.#log('left in peace')
    const url = await this.#untilAtHead()
    const truth = readTruth<LivepeerTruth & GovernanceTruth>(trace)
    const comparisons = [
      await compareStake(url, truth),
      await compareMoments(url, truth),
      await compareGovernance(url, truth),
    ]
    return {
      seed,
      kills: this.#kills,
      reorganisations: this.#reorganisations,
      faults: Object.fromEntries(this.#rpc.done),
      starts: this.#starts,
      refusedStarts: this.#refusedStarts,
      seconds: Math.round((performance.now() - this.#startedAt) / 1000),
      compared: comparisons.reduce((sum, { compared }) => sum + compared, 0),
      differences: comparisons.flatMap(({ differences }) => differences),
    }
  }

  async stop(): Promise<void> {
    await this.#command.kill('SIGINT')
  }

  #start(): StackCommand {
    this.#starts += 1
    this.#mayEnd = false
    this.#commandAt = performance.now()
    const where = [
      '--network',
      'moving',
      '--rpc',
      this.#rpc.url,
      '--networks-file',
      join(this.#folder, 'networks.json'),
    ]
    const limits = ['--no-limits', '--follow-every', '0.2']
    const args = ['--port', '0', ...where, '--data-dir', join(this.#folder, 'data'), ...limits]
    return new StackCommand(this.#folder, args, QUICK)
  }

  /** Starts the stack again where it ended, as whoever runs it does; throws where it had no reason to end. */
  async #watch(): Promise<void> {
    this.#options.signal?.throwIfAborted()
    const { exitCode, signalCode } = this.#command.process
    if (exitCode === null && signalCode === null) return
    await this.#command.exited
    const said = this.#command.stderr.trimEnd()
    // With an RPC that answers nonsense graph-node ends when it starts.
    const hasBegun = this.#command.lines.includes('indexing')
    const isRefused = !hasBegun && /^(moving: )?the RPC (at|of) |^graph-node (ended with code|did not start)/.test(said)
    if (isRefused) {
      this.#refusedStarts += 1
      this.#rpc.turn(...this.#someFaults())
    } else if (!this.#mayEnd)
      throw new Error(`the stack ended by itself: ${said}\n${this.#command.lines.slice(-5).join('\n')}`)
    this.#log(`started again${said === '' ? '' : ` after "${said.replace(/; its log.*/, '')}"`}`)
    this.#command = this.#start()
  }

  #someFaults(): Fault[] {
    const share = 0.05 + this.#chance.share() * 0.2
    const head = this.#chain.head
    const all: Fault[] = [
      { kind: 'status', status: 429, share },
      { kind: 'status', status: 503, share },
      { kind: 'limited', share },
      { kind: 'drop', share },
      { kind: 'cut', share },
      { kind: 'garble', share },
      { kind: 'null', share },
      { kind: 'hang', share: share / 10 },
      { kind: 'no batches' },
      { kind: 'range', words: this.#chance.oneOf(['Alchemy', 'QuickNode', 'dRPC']), blocks: 2000 },
      { kind: 'frozen', head },
    ]
    return this.#chance.shuffled(all).slice(0, 1 + this.#chance.below(3))
  }

  #reorganise(): void {
    this.#chain.restore()
    const depth = 1 + this.#chance.below(DEEPEST)
    const logs = this.#chance.oneOf(['same', 'later'] as const)
    this.#chain.reorganise(depth, logs)
    this.#chain.advance()
    this.#reorganisations += 1
    this.#log(`${depth} blocks replaced, their logs ${logs}`)
  }

  async #kill(victim: Victim): Promise<void> {
    const pid = await this.#until(() => this.#pidOf(victim))
    this.#mayEnd = true
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself in the meantime.
      return
    }
    this.#kills[victim] += 1
    const after = ((performance.now() - this.#commandAt) / 1000).toFixed(1)
    this.#log(`${victim} killed ${after} s after the start`)
    if (victim === 'database backend') {
      // The database starts anew by itself, and what asks it should bear that.
      await sleep(3000)
      return
    }
    await Promise.race([this.#command.exited, sleep(20_000)])
    if (this.#command.process.exitCode === null && this.#command.process.signalCode === null)
      throw new Error(`the stack goes on without ${victim}`)
  }

  /** Waits for what there is only while the stack runs. */
  async #until<T>(find: () => T | undefined): Promise<T> {
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(50)) {
      await this.#watch()
      const found = find()
      if (found !== undefined) return found
    }
    throw new Error(`the stack does not start: ${this.#command.lines.slice(-5).join('\n')}`)
  }

  #pidOf(victim: Victim): number | undefined {
    if (victim === 'npm start') return this.#command.process.pid
    const pattern = {
      'graph-node': /gnd dev/,
      'database backend': /^postgres: postgres moving /,
      PostgreSQL: /postgres -D/,
    }[victim]
    const found = processesOf(this.#folder).filter(({ command }) => pattern.test(command))
    return found.length === 0 ? undefined : this.#chance.oneOf(found).pid
  }

  async #untilAtHead(): Promise<string> {
    const head = this.#chain.head
    const { hash } = this.#chain.block(head) ?? {}
    let said = ''
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(200)) {
      await this.#watch()
      const url = this.#command.lines.map((line) => /^ready (http.*)$/.exec(line)?.[1]).find(Boolean)
      if (url === undefined) continue
      const [status] = (await fetch(`${url}/status`).then(
        (response) => response.json(),
        () => [],
      )) as { blockHash: string }[]
      if (status?.blockHash === hash && (await fetch(`${url}/ready`)).status === 200) return url
      said = JSON.stringify(status)
    }
    throw new Error(`it does not come to block ${head}, ${hash}: ${said}\n${this.#command.lines.slice(-10).join('\n')}`)
  }

  #log(line: string): void {
    const kills = Object.values(this.#kills).reduce((sum, count) => sum + count, 0)
    const done = `${kills} of ${this.#options.kills} kills, ${this.#reorganisations} of ${this.#options.reorganisations} reorganisations`
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(0)
    this.#options.log(`${seconds} s, block ${this.#chain.head} of ${this.#chain.recorded.lastBlock}, ${done}: ${line}`)
  }
}
