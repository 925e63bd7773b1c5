import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { print } from 'graphql'
import { GraphQLClient } from 'graphql-request'
import { integer } from '../rules/integer.ts'
import { byPlace } from '../rules/log.ts'
import { ApiError, blockReorged } from './errors.ts'
import type { Head, Totals } from './facts.ts'
import { FactsDocument, type FactsQuery, HeadDocument, type HeadQuery } from './generated/queries.ts'
import { endpointOf } from './rpc.ts'
import { blockOf, type EntityOf, type ListName, type Lists, placeOf } from './series.ts'

/** What graph-node returns at the most for one list. */
const PAGE = 1000
/** Long enough for some thousands of facts on a busy machine. */
const FACTS_TIMEOUT_MS = 20_000
/** Long enough for what takes graph-node a few milliseconds. */
const HEAD_TIMEOUT_MS = 1200
/** GraphQL's largest Int: up to the head. */
export const UP_TO_HEAD = 2_147_483_647

/** At which block graph-node is to answer: at the latest for null. */
export type AnsweredAt = { hash: string } | { number_gte: number } | null

/** Where an index stands, with the hash of its block. */
export type IndexHead = Head & { blockHash: string }

/** What some blocks made so. */
export interface Slice {
  /** The block it was answered at. */
  head: IndexHead
  lists: Lists
  totals: Totals
  /** The last block of which everything is there. */
  upTo: number
  /** How many entities the longest list has. */
  longest: number
}

/** graph-node's queries of one chain's subgraph, and nothing but them. */
export class GraphNode {
  readonly #client: GraphQLClient

  /** Asks until `end` is aborted. Each request's seconds and whether it was answered are told to `observe`. */
  constructor(
    private readonly network: string,
    url: string,
    private readonly end: AbortSignal,
    private readonly observe: (seconds: number, answered: boolean) => void = () => {},
  ) {
    // Every document has one operation; to look up its name the client would parse it at every request.
    const endpoint = endpointOf(url)
    this.#client = new GraphQLClient(endpoint.url, { excludeOperationName: true, headers: endpoint.headers })
  }

  /** The latest indexed block; UPSTREAM_UNAVAILABLE where there is none, or graph-node does not tell. */
  head(): Promise<IndexHead> {
    return this.#readable(async () => this.#headIn(await this.#request(HeadDocument, {}, HEAD_TIMEOUT_MS)))
  }

  /**
   * What blocks above one and up to another made so, or as many of them, from the first on, as one answer can hold; at
   * least one block.
   */
  async facts(above: number, upTo: number, at: AnsweredAt): Promise<Slice> {
    return this.#readable(async () => {
      const answer = await this.#request(FactsDocument, { at, above, upTo, skip: 0 }, FACTS_TIMEOUT_MS)
      // Of a full list the last block's facts may be there in part only.
      const full = entitiesOf(listsIn(answer)).flatMap((list) => (list.length < PAGE ? [] : list.slice(-1)))
      const whole = Math.min(upTo, ...full.map((last) => blockOf(last) - 1))
      if (whole <= above) return this.#oneBlock(above + 1, answer, at)
      return this.#sliceOf(answer, whole)
    })
  }

  /** A block in which more happened than one answer can hold. */
  async #oneBlock(block: number, first: FactsQuery, at: AnsweredAt): Promise<Slice> {
    const pages = [first]
    for (let skip = PAGE, more = true; more; skip += PAGE) {
      const page = await this.#request(FactsDocument, { at, above: block - 1, upTo: block, skip }, FACTS_TIMEOUT_MS)
      pages.push(page)
      more = entitiesOf(listsIn(page)).some((list) => list.length >= PAGE)
    }
    if (at === null && pages.some(({ _meta: meta }) => meta?.block.hash !== first._meta?.block.hash))
      throw blockReorged()
    const lists = mapLists(listsIn(first), (_, name) =>
      pages.flatMap((page): readonly EntityOf<ListName>[] => page[name]),
    )
    return this.#sliceOf({ ...first, ...lists }, block)
  }

  /** The facts of blocks up to one, each list in the order of the chain. */
  #sliceOf(answer: FactsQuery, upTo: number): Slice {
    const { protocol, transcoderPool } = answer
    const lists = listsIn(answer)
    return {
      head: this.#headIn(answer),
      lists: mapLists(lists, (entities) =>
        entities.filter((entity) => blockOf(entity) <= upTo).sort((a, b) => byPlace(placeOf(a), placeOf(b))),
      ),
      totals: {
        nextRoundTotalActiveStake: integer(protocol?.nextRoundTotalActiveStake ?? '0'),
        totalStake: integer(protocol?.totalStake ?? '0'),
        roundsManager: protocol?.roundsManager ?? null,
        ownBlocksEndPolls: (protocol?.l1BlockToldAt ?? 0) > 0 && protocol?.l1Block === String(protocol?.l1BlockToldAt),
        l1: transcoderPool ? { streamflowRound: transcoderPool.streamflowRound ?? null } : null,
      },
      upTo,
      longest: Math.max(...entitiesOf(lists).map((list) => list.length)),
    }
  }

  #headIn({ _meta: meta }: HeadQuery): IndexHead {
    const { number, hash, timestamp } = meta?.block ?? {}
    if (!meta || typeof hash !== 'string' || number === undefined || !Number.isSafeInteger(number)) {
      throw new ApiError('UPSTREAM_UNAVAILABLE', `The index of ${this.network} has no block yet; try again soon`)
    }
    const { deployment, hasIndexingErrors } = meta
    const time = Number.isSafeInteger(timestamp) ? (timestamp ?? null) : null
    return { block: number, blockHash: hash, timestamp: time, deployment, hasIndexingErrors }
  }

  async #readable<Value>(read: () => Promise<Value>): Promise<Value> {
    try {
      return await read()
    } catch (error) {
      // An answer of another form than asked for shows as a TypeError or SyntaxError where it is read: upstream's fault too.
      throw upstreamError(error, this.network)
    }
  }

  async #request<Result, Variables extends object>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
    milliseconds: number,
  ): Promise<Result> {
    const started = performance.now()
    const giveUp = new AbortController()
    // In two steps: what came while this process was busy is read before the second.
    let timer = setTimeout(() => {
      timer = setTimeout(() => giveUp.abort(), 50)
    }, milliseconds - 50)
    let answered = false
    try {
      const signal = AbortSignal.any([giveUp.signal, this.end])
      const result = await this.#client.request<Result>({ document: textOf(document), variables, signal })
      answered = true
      return result
    } finally {
      clearTimeout(timer)
      this.observe((performance.now() - started) / 1000, answered)
    }
  }
}

function listsIn({ _meta: _, protocol: __, transcoderPool: ___, ...lists }: FactsQuery): Lists {
  return lists
}

function entitiesOf(lists: Lists): (readonly EntityOf<ListName>[])[] {
  return Object.values(lists)
}

/** Other lists, each made from the entities of one of these, and by its name. */
export function mapLists(
  lists: Lists,
  change: (entities: readonly EntityOf<ListName>[], name: ListName) => readonly EntityOf<ListName>[],
): Lists {
  const changed = Object.entries(lists).map(([name, entities]) => [name, change(entities, name as ListName)])
  return Object.fromEntries(changed) as Lists
}

/** Documents as text, made once: printing one takes longer than sending it. */
const texts = new WeakMap<object, string>()

function textOf(document: TypedDocumentNode<unknown, never>): string {
  const known = texts.get(document)
  if (known !== undefined) return known
  const text = print(document)
  texts.set(document, text)
  return text
}

/** What a client may know of a failed request: never addresses, queries or stack traces of what is behind the API. */
function upstreamError(error: unknown, network: string): ApiError {
  if (error instanceof ApiError) return error
  const text = error instanceof Error ? error.message : ''
  if (/reorgani[sz]ed while executing|no block with that hash/.test(text)) return blockReorged()
  return new ApiError('UPSTREAM_UNAVAILABLE', `The index of ${network} did not answer as expected; try again soon`)
}
