import { setTimeout as pause } from 'node:timers/promises'
import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { print } from 'graphql'
import { ClientError, GraphQLClient } from 'graphql-request'
import { integer } from '../rules/integer.ts'
import { byPlace } from '../rules/log.ts'
import { ApiError, blockReorged, IndexBehindError, UpstreamError } from './errors.ts'
import type { Head, Totals } from './facts.ts'
import { FactsDocument, type FactsQuery, HeadDocument, type HeadQuery } from './generated/queries.ts'
import { endpointOf, withoutSecrets } from './rpc.ts'
import { blockOf, type EntityOf, type ListName, type Lists, placeOf } from './series.ts'

/** What graph-node returns at the most for one list. */
const PAGE = 1000
/** Long enough for some thousands of facts on a busy machine. */
const FACTS_TIMEOUT_MS = 20_000
/** Long enough for what takes graph-node a few milliseconds. */
const HEAD_TIMEOUT_MS = 1200
/** The same where others run it, behind a gateway that may ask several. */
const HEAD_TIMEOUT_ELSEWHERE_MS = 10_000
/** How soon a block that was missing is asked for again: some have a new block a moment before others. */
const MISSING_BLOCK_PAUSE_MS = 700
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

/** Where the subgraph of a chain is asked. */
export interface SubgraphPlace {
  network: string
  subgraphUrl: string
  /** Sent along with every request, there only. */
  subgraphHeaders?: Readonly<Record<string, string>>
  /** Whether others run it: several may answer, each at a head of its own, and not as soon. */
  isElsewhere?: boolean
}

/** graph-node's queries of one chain's subgraph, and nothing but them. */
export class GraphNode {
  readonly #client: GraphQLClient
  readonly #headTimeout: number
  /** The latest block told so far, where several answer: none is asked for an earlier one. */
  #seen: IndexHead | undefined

  /** Asks until `end` is aborted. Each request's seconds and whether it was answered are told to `observe`. */
  constructor(
    private readonly place: SubgraphPlace,
    private readonly end: AbortSignal,
    private readonly observe: (seconds: number, answered: boolean) => void = () => {},
  ) {
    const { subgraphUrl, subgraphHeaders, isElsewhere = false } = place
    const { url, headers } = endpointOf(subgraphUrl, subgraphHeaders)
    this.#headTimeout = isElsewhere ? HEAD_TIMEOUT_ELSEWHERE_MS : HEAD_TIMEOUT_MS
    // Every document has one operation; to look up its name the client would parse it at every request. What is sent along
    // is for this place only, so that nobody is followed to another.
    this.#client = new GraphQLClient(url, { excludeOperationName: true, headers, redirect: 'error' })
  }

  /** The latest indexed block; UPSTREAM_UNAVAILABLE where there is none, or graph-node does not tell. */
  head(): Promise<IndexHead> {
    return this.#readable(async () => this.#headIn(await this.#request(HeadDocument, { at: null }, this.#headTimeout)))
  }

  /**
   * What blocks above one and up to another made so, or as many of them, from the first on, as one answer can hold; at
   * least one block. Where several answer, never as of an earlier block than one of them has told: IndexBehindError then.
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
      const message = `The index of ${this.place.network} has no block yet; try again soon`
      throw new UpstreamError(message, 'it tells of no block')
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
      throw upstreamError(error, this.place)
    }
  }

  /** An answer at the block asked for; at the latest for null, and where several answer at none before the one seen last. */
  async #request<Result extends HeadQuery, Variables extends { at?: AnsweredAt }>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
    milliseconds: number,
  ): Promise<Result> {
    const seen = variables.at === null ? this.#seen : undefined
    if (seen === undefined) return this.#see(await this.#requestTwice(document, variables, milliseconds))
    try {
      const at = { number_gte: seen.block }
      return this.#see(await this.#requestTwice(document, { ...variables, at }, milliseconds))
    } catch (error) {
      if (!isMissingBlock(error)) throw error
      // Another version may answer in its place now, which need not have come as far.
      const answer = await this.#requestOnce(document, variables, milliseconds)
      const { block, deployment } = this.#headIn(answer)
      if (deployment !== seen.deployment || block >= seen.block) return this.#see(answer)
      const { network } = this.place
      throw new IndexBehindError(
        `The index of ${network} is at block ${block} and was at ${seen.block} before; try again soon`,
        `it is at block ${block}, and was at ${seen.block} before`,
      )
    }
  }

  #see<Result extends HeadQuery>(answer: Result): Result {
    if (this.place.isElsewhere !== true) return answer
    const head = this.#headIn(answer)
    if (this.#seen?.deployment !== head.deployment || this.#seen.block < head.block) this.#seen = head
    return answer
  }

  async #requestTwice<Result, Variables extends object>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
    milliseconds: number,
  ): Promise<Result> {
    try {
      return await this.#requestOnce(document, variables, milliseconds)
    } catch (error) {
      if (this.place.isElsewhere !== true || !isMissingBlock(error)) throw error
      await pause(MISSING_BLOCK_PAUSE_MS, undefined, { signal: this.end })
      return this.#requestOnce(document, variables, milliseconds)
    }
  }

  async #requestOnce<Result, Variables extends object>(
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
function upstreamError(error: unknown, { network, subgraphUrl, subgraphHeaders }: SubgraphPlace): ApiError {
  if (error instanceof ApiError) return error
  const told = toldBy(error)
  if (/reorgani[sz]ed while executing|no block with that hash/.test(told)) return blockReorged()
  const Kind = isMissingBlock(error) ? IndexBehindError : UpstreamError
  return new Kind(
    `The index of ${network} did not answer as expected; try again soon`,
    withoutSecrets(told, subgraphUrl, subgraphHeaders),
  )
}

/** What went wrong, in the words of who answered where somebody did: gateways put errors into answers with status 200. */
function toldBy(error: unknown): string {
  if (error instanceof ClientError) {
    const { status, errors, body } = error.response as { status: number; errors?: unknown; body?: unknown }
    const messages = Array.isArray(errors) ? errors.map((one: { message?: unknown } | null) => one?.message) : []
    const told = messages.filter((message) => typeof message === 'string').join('; ')
    return `${status === 200 ? '' : `HTTP ${status} `}${told || (typeof body === 'string' ? body : '')}`
  }
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'AbortError') return 'it does not answer in time'
  const cause = error.cause instanceof Error ? error.cause : error
  return cause.message || cause.name
}

/** Whether an error says that a block is not there: of one that answers alone as of a gateway's many. */
function isMissingBlock(error: unknown): boolean {
  return /has only indexed up to block|missing block|no block with that hash/i.test(toldBy(error))
}
