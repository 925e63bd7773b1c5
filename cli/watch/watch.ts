import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../api.ts'
import { CliError, NotAvailable } from '../errors.ts'
import { type Change, type Reading, readChanges } from './changes.ts'
import { execOutlet, type Outlet, webhookOutlet } from './outlets.ts'
import { StateFile } from './state-file.ts'

/** What to watch with. */
export interface WatchOptions {
  exec?: string
  webhook?: string
  secret?: string
  state: string
  /** Seconds, a whole number. */
  interval: string
  fromStart: boolean
  format: 'text' | 'ndjson'
}

const MAX_INTERVAL_S = 86_400

/**
 * Prints each change of a proposal once and hands it over, until a signal ends it or nobody reads on. A change is kept as
 * told right after it is printed, so that a kill in between can repeat it but never lose it. CliError where an option, the
 * state file or the API refuses.
 */
export async function watch(api: Api, options: WatchOptions): Promise<void> {
  const intervalMs = intervalOf(options.interval)
  const outlets = outletsOf(options)
  const state = await StateFile.open(options.state)
  const watching = new Watching(api, state, outlets, options)
  await watching.run(intervalMs)
}

class Watching {
  readonly #stop = new AbortController()
  readonly #news = new EventEmitter()
  /** What was said of what still is so. */
  readonly #said = new Set<string>()

  constructor(
    private readonly api: Api,
    private readonly state: StateFile,
    private readonly outlets: readonly Outlet[],
    private readonly options: WatchOptions,
  ) {}

  /** All run until the first ends: by a signal, or with an error, which is that of the whole. */
  async run(intervalMs: number): Promise<void> {
    const stop = () => this.#stop.abort()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
    // Each write tells of its own error; this one would end the process.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
    const runs = [this.#poll(intervalMs), ...this.outlets.map((outlet) => this.#handOver(outlet))]
    const ends = await Promise.allSettled(runs.map((one) => one.catch((error) => this.#fail(error))))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** Ends all; what fails because it has ended is no failure. */
  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return
    this.#stop.abort()
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }

  async #poll(intervalMs: number): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      let waitMs = intervalMs
      try {
        const reading = await readChanges(this.api, signal)
        if (this.#said.delete('outage')) say('the API answers again')
        await this.#tell(reading)
      } catch (error) {
        if (signal.aborted || !(error instanceof NotAvailable)) throw error
        this.#sayOnce('outage', `${error.message}; waiting`)
        waitMs = Math.max(waitMs, error.retryAfterSeconds * 1000)
      }
      await sleep(waitMs, undefined, { signal })
    }
  }

  async #tell({ networks, changes, untold }: Reading): Promise<void> {
    const { state, options, outlets } = this
    for (const { proposal, code } of untold) {
      this.#sayOnce(proposal, `the state of ${proposal} cannot be told (${code}), nor when its voting opens and closes`)
    }
    const unknown = networks.filter(({ name }) => !state.knows(name))
    const taken = unknown.filter(({ caughtUp }) => options.fromStart || caughtUp).map(({ name }) => name)
    for (const { name } of unknown.filter((one) => !taken.includes(one.name))) {
      this.#sayOnce(name, `waiting until the API has indexed ${name} up to its head`)
    }
    if (taken.length > 0) {
      const old = options.fromStart ? [] : changes.filter(({ network }) => taken.includes(network))
      await state.takeIn(taken, old)
      say(`watching ${taken.join(', ')}; ${old.length} changes so far are taken as told`)
    }
    for (const change of changes) {
      if (!state.knows(change.network) || state.wasTold(change)) continue
      this.#stop.signal.throwIfAborted()
      await print(options.format === 'ndjson' ? jsonLine(change) : textLine(change))
      await state.printed(
        change,
        outlets.map(({ name }) => name),
      )
      this.#news.emit('change')
    }
  }

  async #handOver(outlet: Outlet): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      signal.throwIfAborted()
      const change = this.state.next(outlet.name)
      if (change === undefined) {
        await once(this.#news, 'change', { signal })
        continue
      }
      await outlet.handOver(change, signal)
      await this.state.handedOver(outlet.name)
    }
  }

  #sayOnce(about: string, line: string): void {
    if (this.#said.has(about)) return
    this.#said.add(about)
    say(line)
  }
}

function intervalOf(interval: string): number {
  const seconds = Number(interval)
  if (seconds < 1 || seconds > MAX_INTERVAL_S) throw new CliError(`--interval is 1 to ${MAX_INTERVAL_S} seconds`)
  return seconds * 1000
}

function outletsOf({ exec, webhook, secret }: WatchOptions): Outlet[] {
  return [
    ...(exec === undefined ? [] : [execOutlet(exec, say)]),
    ...(webhook === undefined ? [] : [webhookOutlet(webhook, secret, say)]),
  ]
}

/** What JSON leaves as it is and a terminal would obey is escaped. */
function jsonLine(change: Change): string {
  return JSON.stringify(change).replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function textLine({ time, estimated, kind, passed, proposal, network, title }: Change): string {
  const when = time === null ? '(time not known)' : `${estimated ? '~' : ''}${time}`
  const outcome = passed === null ? '' : passed ? ' passed' : ' did not pass'
  return oneLine(`${when} ${kind}${outcome} ${proposal} (${network}) ${title}`)
}

function print(line: string): Promise<void> {
  return new Promise((done, fail) => {
    process.stdout.write(`${line}\n`, (error) => (error ? fail(error) : done()))
  })
}

function say(line: string): void {
  process.stderr.write(`${oneLine(line)}\n`)
}

/** Strangers' control characters would be obeyed by a terminal. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}
