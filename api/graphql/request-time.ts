import { type Limits, limitExceeded } from './limits.ts'

/** The time that one request has, from when the first of it is resolved. */
export class RequestTime {
  #over: Promise<never> | undefined
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(private readonly limits: Pick<Limits, 'milliseconds'>) {}

  /** What a resolver gives, or LIMIT_EXCEEDED where the time is over before. */
  within<Value>(resolve: () => Value): Value | Promise<Awaited<Value>> {
    const over = this.#start()
    if (this.#isOver) return over
    const value = resolve()
    // What is there at once, as most fields are, must not wait for anything.
    return value instanceof Promise ? Promise.race([value, over]) : value
  }

  #start(): Promise<never> {
    const { milliseconds } = this.limits
    this.#over ??= new Promise((_, reject) => {
      if (milliseconds === Infinity) return
      this.#timer = setTimeout(() => {
        this.#isOver = true
        reject(limitExceeded('time', milliseconds, 'the answer took longer; ask less at a time', ' ms'))
      }, milliseconds)
    })
    // Nothing may be under way when the time is over.
    this.#over.catch(() => {})
    return this.#over
  }

  /** There is an answer. */
  stop(): void {
    clearTimeout(this.#timer)
  }
}
