import pLimit from 'p-limit'
import { ApiError } from '../facts/errors.ts'
import { limitExceeded } from '../graphql/limits.ts'

/** How long a request waits for a place. */
const WAIT_MS = 5000
/** How many may wait; those whose client left meanwhile count until it would be their turn. */
const WAITING = 100

/** LIMIT_EXCEEDED that passes by itself: all places are taken. */
export class NoPlace extends ApiError {
  /** When there may be a place again. */
  readonly retryAfterSeconds = 10

  constructor(name: string, limit: number) {
    const { message } = limitExceeded(name, limit, 'all of them are taken now, ask again later', ' at once')
    super('LIMIT_EXCEEDED', message)
  }
}

/** So many of a kind of work are done at once; others wait for a place, the first first, and not for long. */
export class Places {
  readonly #limit

  constructor(
    private readonly name: string,
    private readonly count: number,
  ) {
    this.#limit = pLimit(count)
  }

  /**
   * Does the work as soon as there is a place, which it has until it ends; NoPlace where there is none in time. Nothing is
   * done for a client that left while it waited.
   */
  async use(left: AbortSignal, work: () => Promise<void>): Promise<void> {
    if (this.#limit.pendingCount >= WAITING) throw new NoPlace(this.name, this.count)
    await new Promise<void>((resolve, reject) => {
      let isWaiting = true
      const stopWaiting = () => {
        isWaiting = false
        clearTimeout(timer)
        left.removeEventListener('abort', giveUp)
      }
      const giveUp = () => {
        stopWaiting()
        if (left.aborted) resolve()
        else reject(new NoPlace(this.name, this.count))
      }
      const timer = setTimeout(giveUp, WAIT_MS)
      left.addEventListener('abort', giveUp)
      const begin = async () => {
        if (!isWaiting) return
        stopWaiting()
        await work()
      }
      this.#limit(begin).then(resolve, reject)
    })
  }
}
