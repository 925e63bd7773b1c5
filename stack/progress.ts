import cliProgress from 'cli-progress'
import type { ChainProgress } from './indexing.ts'

/** Shows how far indexing is. */
export interface ProgressDisplay {
  update(progress: readonly ChainProgress[]): void
  /** A line for the user that does not get in the way of a bar. */
  line(text: string): void
  /** Takes the bars away. */
  close(): void
}

/** Bars with blocks, round and time left in a terminal, a plain line now and then elsewhere. */
export function createProgressDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  return stream.isTTY ? new Bars(stream) : new Lines(stream)
}

/** Estimates from what was done in the last while when the rest will be done. */
export class TimeLeft {
  readonly #seen: { time: number; block: number }[] = []

  /** Seconds left, undefined as long as nothing moved. Times are in milliseconds. */
  estimate(block: number, head: number, now: number): number | undefined {
    this.#seen.push({ time: now, block })
    while ((this.#seen[0]?.time ?? now) < now - WINDOW_MS) this.#seen.shift()
    const first = this.#seen.find((one) => one.block < block)
    if (!first || now <= first.time) return undefined
    return ((head - block) * (now - first.time)) / (block - first.block) / 1000
  }
}

const WINDOW_MS = 60_000
// Lines come often at first and seldom later: a sync may take seconds or days.
const FIRST_LINE_MS = 1000
const LAST_LINE_MS = 60_000
const LINE_GROWTH = 1.3

class Bars implements ProgressDisplay {
  readonly #bars: cliProgress.MultiBar
  readonly #byNetwork = new Map<string, { bar: cliProgress.SingleBar; timeLeft: TimeLeft }>()

  constructor(stream: NodeJS.WriteStream) {
    this.#bars = new cliProgress.MultiBar(
      {
        format: '{network} [{bar}] {percentage}% | block {block} of {head} | round {round} | {left}',
        stream,
        hideCursor: true,
        clearOnComplete: false,
        // Ctrl-C is for the stack to handle.
        gracefulExit: false,
      },
      cliProgress.Presets.shades_classic,
    )
  }

  update(progress: readonly ChainProgress[]): void {
    for (const one of progress) {
      const known = this.#byNetwork.get(one.network) ?? {
        bar: this.#bars.create(1, 0, { network: one.network, block: '', head: '', round: '', left: '' }),
        timeLeft: new TimeLeft(),
      }
      this.#byNetwork.set(one.network, known)
      known.bar.setTotal(Math.max(1, one.head - one.firstBlock))
      known.bar.update(one.block - one.firstBlock, fields(one, known.timeLeft))
    }
  }

  line(text: string): void {
    if (this.#byNetwork.size > 0) this.#bars.log(`${text}\n`)
    else process.stdout.write(`${text}\n`)
  }

  close(): void {
    this.#bars.stop()
    this.#byNetwork.clear()
  }
}

class Lines implements ProgressDisplay {
  readonly #stream: NodeJS.WriteStream
  readonly #byNetwork = new Map<string, { timeLeft: TimeLeft; block: number; dueAt: number; every: number }>()

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  update(progress: readonly ChainProgress[]): void {
    const now = Date.now()
    for (const one of progress) {
      const known = this.#byNetwork.get(one.network) ?? {
        timeLeft: new TimeLeft(),
        block: -1,
        dueAt: now,
        every: FIRST_LINE_MS,
      }
      this.#byNetwork.set(one.network, known)
      const { network, block, head, round, left } = fields(one, known.timeLeft)
      const isDue = now >= known.dueAt || block === head
      if (!isDue || block === known.block) continue
      this.line(`${network}: block ${block} of ${head}, round ${round}, ${left}`)
      known.block = block
      known.dueAt = now + known.every
      known.every = Math.min(LAST_LINE_MS, known.every * LINE_GROWTH)
    }
  }

  line(text: string): void {
    this.#stream.write(`${text}\n`)
  }

  close(): void {}
}

function fields(progress: ChainProgress, timeLeft: TimeLeft) {
  const { network, block, head, round } = progress
  const seconds = timeLeft.estimate(block, head, Date.now())
  return { network, block, head, round: round ?? '-', left: block === head ? 'done' : inWords(seconds) }
}

function inWords(seconds: number | undefined): string {
  if (seconds === undefined) return 'time left unknown'
  if (seconds < 90) return `${Math.ceil(seconds)} s left`
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min left`
  return `${Math.ceil(seconds / 3600)} h left`
}
