import { createHash } from 'node:crypto'
import { type ApolloServerPlugin, HeaderMap } from '@apollo/server'
import type { FormattedExecutionResult } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { ChainView } from '../views/chain-view.ts'
import type { Context } from './context.ts'
import { json, type Limits, withinLimit } from './limits.ts'

/** The data of an answer that stays as it is. */
interface KeptAnswer {
  /** JSON. */
  data: string
  /** The chains that were asked for it. */
  networks: readonly string[]
}

/** Characters of all answers that are kept: nearly a hundred pages of a thousand holders. */
const KEPT_CHARACTERS = 32_000_000
/** Longer ones would push out too many others. */
const LONGEST = 2_000_000
/** Shorter ones are made as fast as they are found. */
const SHORTEST = 10_000

/**
 * Long answers that nothing changes any more, by all that they depend on: the whole question, and what index of which
 * chains answers. What is told of each request besides the data (its cost, where the chains stand) is made anew, and limits
 * are looked at before. Apollo's own plugin for that keeps what is not final too, and does not know which chains to tell of.
 */
export class KeptAnswers {
  readonly #answers = new LRUCache<string, KeptAnswer>({
    maxSize: KEPT_CHARACTERS,
    maxEntrySize: LONGEST,
    sizeCalculation: ({ data }) => data.length,
  })
  /** What is to be kept as soon as its text is made, by data. */
  readonly #toKeep = new WeakMap<object, { key: string; networks: readonly string[] }>()
  /** Texts of data that was kept. */
  readonly #texts = new WeakMap<object, string>()

  /** Gives what is kept in place of executing a request, and notes what is to be kept. */
  plugin(): ApolloServerPlugin<Context> {
    return {
      requestDidStart: async () => {
        let key: string | undefined
        return {
          responseForOperation: async ({ source, request, contextValue: { chains, keeping } }) => {
            key = keyOf([source, request.operationName, request.variables ?? {}], chains.views)
            const kept = key === undefined ? undefined : this.#answers.get(key)
            if (kept === undefined) return null
            for (const network of kept.networks) chains.named(network).noteAsked()
            keeping.noteSettled()
            // Whoever looks at it sees the same; stringify() need not make it anew.
            const data = { toJSON: (): unknown => JSON.parse(kept.data) }
            this.#texts.set(data, kept.data)
            return { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult: { data } } }
          },
          willSendResponse: async ({ contextValue: { chains, keeping }, response: { body } }) => {
            if (key === undefined || !keeping.isSettled || body.kind !== 'single') return
            const { data, errors } = body.singleResult
            if (!data || errors !== undefined || this.#texts.has(data)) return
            const networks = chains.views.filter(({ isAsked }) => isAsked).map(({ network }) => network)
            this.#toKeep.set(data, { key, networks })
          },
        }
      },
    }
  }

  /** JSON of an answer; LIMIT_EXCEEDED for one that is too big. Keeps what is to be kept. */
  stringify(answer: FormattedExecutionResult, limits: Limits): string {
    const { data, extensions = {} } = answer
    const toKeep = data ? this.#toKeep.get(data) : undefined
    const known = data ? this.#texts.get(data) : undefined
    if (toKeep === undefined && known === undefined) return withinLimit(json(answer), limits)
    const text = known ?? json(data)
    if (toKeep !== undefined && text.length >= SHORTEST) {
      this.#answers.set(toKeep.key, { data: text, networks: toKeep.networks })
    }
    return withinLimit(`{"data":${text},"extensions":${json(extensions)}}`, limits)
  }
}

/** Names a question and who answers it: undefined where a chain that may be asked cannot be read. */
function keyOf(question: readonly unknown[], views: readonly ChainView[]): string | undefined {
  const indexes = views.map(({ index }) => index)
  if (indexes.includes(undefined)) return undefined
  return createHash('sha256')
    .update(JSON.stringify([...question, indexes]))
    .digest('base64')
}
