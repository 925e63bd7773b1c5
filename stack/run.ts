import { StackError } from './processes.ts'

/** A part of the stack that failed, with a log to look into. */
export class PartError extends StackError {}

/** Who is told of a run, and who can end it. */
export interface RunOptions {
  /** Told what happens, a line at a time. */
  log?: (line: string) => void
  /** Ends the start half-way when it aborts. */
  signal?: AbortSignal
}

/** What has been started, and the one place that knows how to end it. */
export class Run {
  /** Whether every chain that can has caught up once. */
  isReady = false
  readonly #options: RunOptions
  readonly #failure = new AbortController()
  readonly #cleanups: (() => Promise<void> | void)[] = []
  #stopped: Promise<void> | undefined

  constructor(options: RunOptions) {
    this.#options = options
    if (options.signal?.aborted) this.fail(options.signal.reason)
    options.signal?.addEventListener('abort', this.#interrupt, { once: true })
  }

  /** Aborts when a part failed, or the run was told to end. */
  get signal(): AbortSignal {
    return this.#failure.signal
  }

  /** The first reason given counts: what fails after it fails because of it. */
  readonly fail = (reason: unknown): void => this.#failure.abort(reason)

  /** Runs at the stop, before the clean-ups added earlier. */
  onStop(cleanup: () => Promise<void> | void): void {
    this.#cleanups.unshift(cleanup)
  }

  /** Tells a line. */
  log(line: string): void {
    this.#options.log?.(line)
  }

  /** Ends what was started, the last first; the same end for whoever calls it. */
  readonly stop = (): Promise<void> => {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#interrupt)
    this.fail(new StackError('stopped'))
    for (const cleanup of this.#cleanups) await cleanup()
  }

  readonly #interrupt = (): void => this.fail(this.#options.signal?.reason)
}
