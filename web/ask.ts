import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core'
import { useEffect, useReducer, useRef } from 'preact/hooks'
import { mayPass, type Problem, RATE_LIMITED, UNREACHABLE } from './problems.ts'

/** A GraphQL document as text, with the types of what it takes and gives. */
export interface Document<Data, Variables> extends DocumentTypeDecoration<Data, Variables> {
  toString(): string
}

type AnyDocument = { toString(): string }

/** Where a chain stood when an answer was made, as in extensions.chains. */
export interface ChainMark {
  network: string
  block: number | null
  blockHash: string | null
  round: number | null
  lagBlocks: number | null
  lagSeconds: number | null
  stale: boolean
  /** Code of the error where its index does not answer. */
  error?: string
}

/** What the contracts tell otherwise of that which an answer depends on, as in extensions.differences. */
export interface DifferenceMark {
  network: string
  round: number | null
  proposal: string | null
  what: string
  where: string
  contract: string
  api: string
}

/** What the API answered: what there is, what is missing and why, and as of which blocks. */
export interface Answer<Data> {
  data: Data | null
  problems: readonly Problem[]
  chains: readonly ChainMark[]
  differences: readonly DifferenceMark[]
  /** When it came, by this browser's clock; ms. */
  receivedAt: number
}

/** An answer as a page has it while asking anew. */
export interface Asked<Data> {
  /** The last answer to this question; undefined before there is one. */
  answer: Answer<Data> | undefined
  /** Whether it is being asked. */
  asking: boolean
  /** When it will be asked again by itself; ms, undefined where it will not. */
  againAt: number | undefined
  /** Ask now. */
  again: () => void
}

/** Longer addresses are refused by some servers on the way; such are posted, and not kept by the browser. */
const LONGEST_URL = 7_000
/** Answers that stay at hand, for going back and for a slider's neighbours. */
const KEPT = 80
const REFRESH_MS = 20_000
const RETRY_MS = 4_000

const answers = new Map<string, Answer<unknown>>()
const underWay = new Map<string, Promise<Answer<unknown>>>()

/** Takes the answers that the server put into the page. */
export function takeFirstView(page: globalThis.Document): void {
  const text = page.getElementById('first-view')?.textContent
  if (text === null || text === undefined) return
  const given = JSON.parse(text) as { key: string; body: Body }[]
  for (const { key, body } of given) answers.set(key, answerOf(body, undefined))
}

/** One question of one page: the operation's name and its variables. */
function keyOf(document: AnyDocument, variables: object): string {
  return `${/\b(?:query)\s+(\w+)/.exec(String(document))?.[1]} ${JSON.stringify(variables)}`
}

interface Body {
  data?: unknown
  errors?: { message: string; path?: (string | number)[]; extensions?: { code?: string } }[]
  extensions?: { chains?: ChainMark[]; differences?: DifferenceMark[] }
}

function answerOf(body: Body, retryAfter: number | undefined): Answer<unknown> {
  const data = body.data ?? null
  const problems = (body.errors ?? []).map(({ message, path, extensions }) => ({
    code: extensions?.code ?? UNREACHABLE,
    message,
    // Where nothing came, all of it is missing, wherever that began.
    ...(path === undefined || data === null ? {} : { path }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }))
  const { chains = [], differences = [] } = body.extensions ?? {}
  return { data, problems, chains, differences, receivedAt: Date.now() }
}

async function fetchAnswer(document: string, variables: object, signal: AbortSignal | null): Promise<Answer<unknown>> {
  // Space of the source is of no use on the way.
  const query = document.replace(/\s+/g, ' ').trim()
  const search = new URLSearchParams({ query, variables: JSON.stringify(variables) })
  const url = `/graphql?${search}`
  try {
    const response =
      url.length <= LONGEST_URL
        ? await fetch(url, { signal, headers: { accept: 'application/json' } })
        : await fetch('/graphql', {
            signal,
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ query, variables }),
          })
    const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
    const wait = Number.isFinite(retryAfter) ? retryAfter : undefined
    if (response.status === 429) {
      const message = 'This browser has asked as often as one client may in a minute'
      return failed({ code: RATE_LIMITED, message, retryAfter: wait ?? 60 })
    }
    const body: unknown = await response.json()
    if (typeof body !== 'object' || body === null || !('data' in body || 'errors' in body)) {
      return failed({ code: UNREACHABLE, message: `What answers at this address is not the API (${response.status})` })
    }
    return answerOf(body as Body, wait)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    return failed({ code: UNREACHABLE, message: 'The API does not answer' })
  }
}

function failed(problem: Problem): Answer<unknown> {
  return { data: null, problems: [problem], chains: [], differences: [], receivedAt: Date.now() }
}

/** Asks once, or joins who asks the same; what could be answered stays at hand. Never rejects. */
export async function ask<Data, Variables extends object>(
  document: Document<Data, Variables>,
  variables: Variables,
): Promise<Answer<Data>> {
  const key = keyOf(document, variables)
  let asking = underWay.get(key)
  if (asking === undefined) {
    asking = fetchAnswer(String(document), variables, null).finally(() => underWay.delete(key))
    underWay.set(key, asking)
  }
  const answer = (await asking) as Answer<Data>
  if (answer.data !== null) keep(key, answer)
  return answer
}

function keep(key: string, answer: Answer<unknown>): void {
  answers.delete(key)
  answers.set(key, answer)
  const [oldest] = answers.keys()
  if (answers.size > KEPT && oldest !== undefined) answers.delete(oldest)
}

/** Asks what will likely be wanted next, where it is not at hand. */
export function prefetch<Data, Variables extends object>(
  document: Document<Data, Variables>,
  variables: Variables,
): void {
  if (!answers.has(keyOf(document, variables))) void ask(document, variables)
}

/**
 * The answer to a page's question: at once where it is at hand, and asked anew while the page is looked at. A failed
 * attempt leaves the last answer where it is, with the problem beside it, and is made again by itself where that may help.
 * Null variables: nothing is asked. It is asked anew every `refreshMs`.
 */
export function useAnswer<Data, Variables extends object>(
  document: Document<Data, Variables>,
  variables: Variables | null,
  refreshMs = REFRESH_MS,
): Asked<Data> {
  const key = variables === null ? '' : keyOf(document, variables)
  const [, render] = useReducer((count: number) => count + 1, 0)
  const state = useRef<{ key: string; answer: Answer<Data> | undefined; asking: boolean; againAt: number | undefined }>(
    {
      key: '',
      answer: undefined,
      asking: false,
      againAt: undefined,
    },
  )
  if (state.current.key !== key) {
    const answer = answers.get(key) as Answer<Data> | undefined
    state.current = { key, answer, asking: answer === undefined && key !== '', againAt: undefined }
  }
  const run = useRef<() => void>(() => {})

  useEffect(() => {
    if (variables === null) return
    let timer: ReturnType<typeof setTimeout> | undefined
    let over = false
    const look = async () => {
      clearTimeout(timer)
      const mine = state.current
      mine.asking = true
      mine.againAt = undefined
      render(undefined as never)
      const answer = await ask(document, variables)
      if (over || state.current !== mine) return
      // What is there stays when a later attempt brings nothing.
      mine.answer = answer.data === null && mine.answer?.data ? { ...mine.answer, problems: answer.problems } : answer
      mine.asking = false
      schedule(answer.problems)
      render(undefined as never)
    }
    const schedule = (problems: readonly Problem[]) => {
      const passing = problems.filter(mayPass)
      const wait = Math.max(0, ...passing.map(({ retryAfter }) => (retryAfter ?? 0) * 1000))
      const ms = passing.length === 0 ? refreshMs : Math.max(wait, RETRY_MS)
      state.current.againAt = passing.length === 0 ? undefined : Date.now() + ms
      timer = setTimeout(() => (globalThis.document.hidden ? schedule(problems) : void look()), ms)
    }
    run.current = () => void look()
    if (state.current.answer === undefined) void look()
    else schedule(state.current.answer.problems)
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [key])

  const { answer, asking, againAt } = state.current
  return { answer, asking, againAt, again: () => run.current() }
}
