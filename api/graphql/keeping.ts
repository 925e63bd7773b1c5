import type { ApolloServerPlugin } from '@apollo/server'

/** Seconds that an answer about now may be kept: a few blocks. */
const LIVE_SECONDS = 5
/** Seconds that what is final may be kept; it is for ever, but a mended rule should be seen some day. */
const FINAL_SECONDS = 86_400

/** How sure it is that what is told stays as it is. */
export interface Finality {
  isFinal: boolean
  /** Final, and beyond what a reorganisation undoes. */
  isSettled: boolean
}

/** How long one answer may be kept, and by whom: what its root fields say together. What is below them is as old. */
export class Keeping {
  #rootFields = 0
  #final = 0
  #settled = 0
  #tellsHead = false
  #isWarned = false

  /** A root field is resolved: about now, unless it says more itself. */
  addRootField(): void {
    this.#rootFields += 1
  }

  /** What a root field gives is as final as this. */
  note({ isFinal, isSettled }: Finality): void {
    if (isFinal) this.#final += 1
    if (isSettled) this.#settled += 1
  }

  /** The answer is one that was settled before. */
  noteSettled(): void {
    this.addRootField()
    this.note({ isFinal: true, isSettled: true })
  }

  /** The answer tells something of the block it is read at. */
  noteHead(): void {
    this.#tellsHead = true
  }

  /** The answer carries a warning, which is to go once it is mended. */
  noteWarning(): void {
    this.#isWarned = true
  }

  /** Seconds that others may keep the answer; 0 for one to nothing. */
  get seconds(): number {
    if (this.#rootFields === 0) return 0
    return this.#final === this.#rootFields && !this.#isWarned ? FINAL_SECONDS : LIVE_SECONDS
  }

  /** Whether the same question has the same answer for ever. */
  get isSettled(): boolean {
    return this.#rootFields > 0 && this.#settled === this.#rootFields && !this.#tellsHead && !this.#isWarned
  }
}

/**
 * Tells with each answer how long it may be kept. Apollo's own plugin for that follows every field, which takes as long as
 * resolving it.
 */
export const keepingPlugin: ApolloServerPlugin<{ keeping: Keeping }> = {
  requestDidStart: async () => ({
    willSendResponse: async ({ contextValue, response: { body, http } }) => {
      const { seconds } = contextValue.keeping
      const mayBeKept = seconds > 0 && body.kind === 'single' && !body.singleResult.errors
      http.headers.set('cache-control', mayBeKept ? `max-age=${seconds}, public` : 'no-store')
    },
  }),
}
