// The texts of LIP-16 polls. The chain has only their CIDs: the texts are asked of an IPFS gateway, where there is one.
import { LRUCache } from 'lru-cache'
import { CID } from 'multiformats/cid'
import pLimit from 'p-limit'
import { proposalTitle } from './proposal-title.ts'

/** A poll's text in Markdown, and the title in it; null where it has none (see proposalTitle). */
export interface PollText {
  title: string | null
  text: string
}

/** Limits of PollTexts, and what to tell of failures. */
export interface PollTextsOptions {
  /** For one fetch, its redirects and body included; 10,000. */
  timeoutMs?: number
  /** Longest body, decompressed; 1,000,000. */
  maxBytes?: number
  /** Fetches at once; 4. The others wait for their turn. */
  concurrency?: number
  /** How long a CID that failed is not asked for again; five minutes. */
  retryAfterMs?: number
  /** Called once for each fetch that failed, with what went wrong. */
  onFailure?: (message: string) => void
}

/** Texts kept, in UTF-16 code units of all together. */
const MAX_CACHED_LENGTH = 32_000_000

/** Failures remembered, and fetches that may wait for their turn. */
const MAX_FAILURES = 10_000
const MAX_WAITING = 1_000

/** A gateway may send a path on to a host of the CID's own, and that on to https. */
const MAX_REDIRECTS = 3

/** A CIDv1 of a 512-bit hash has 115 characters in base32. */
const MAX_CID_LENGTH = 128

/** What a document can be: raw, dag-pb (UnixFS), dag-json, json. Not libp2p-key, which is a name in IPNS. */
const DOCUMENT_CODECS: ReadonlySet<number> = new Set([0x55, 0x70, 0x0129, 0x0200])

/** setTimeout's longest. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Fetches the texts of polls by CID from an HTTP gateway, keeps them, and never lets a request wait longer than it
 * wants to. Without a gateway nothing is ever found.
 *
 * The gateway is trusted: that what it sends belongs to the CID is not verified. A CID is the hash of a UnixFS tree of
 * blocks, not of the text, and a gateway's plain answer does not have the blocks. Content types are ignored.
 */
export class PollTexts {
  readonly #base: URL | undefined
  readonly #timeoutMs: number
  readonly #maxBytes: number
  readonly #limit: ReturnType<typeof pLimit>
  readonly #onFailure: (message: string) => void
  readonly #texts = new LRUCache<string, PollText>({
    maxSize: MAX_CACHED_LENGTH,
    sizeCalculation: ({ title, text }) => 1 + text.length + (title?.length ?? 0),
  })
  readonly #failures: LRUCache<string, true>
  readonly #underWay = new Map<string, Promise<PollText | undefined>>()

  /**
   * The gateway is what stands before `/ipfs/<CID>`, such as `https://ipfs.io`; a query in it, such as an access token,
   * is sent along. Throws a TypeError where it is not an http or https URL, or has a user: a mistake in the
   * configuration, to be told at the start.
   */
  constructor(gatewayUrl: string | undefined, options: PollTextsOptions = {}) {
    this.#base = gatewayUrl === undefined ? undefined : gatewayBase(gatewayUrl)
    this.#timeoutMs = options.timeoutMs ?? 10_000
    this.#maxBytes = options.maxBytes ?? 1_000_000
    this.#limit = pLimit(options.concurrency ?? 4)
    this.#failures = new LRUCache({ max: MAX_FAILURES, ttl: Math.max(1, options.retryAfterMs ?? 5 * 60_000) })
    this.#onFailure = options.onFailure ?? (() => {})
  }

  /**
   * The text if it is here already. Undefined where it is not, which starts a fetch in the background, unless there is
   * no gateway, the CID is not one of a document, or its last fetch failed a short time ago. Never throws.
   */
  find(cid: string): PollText | undefined {
    const text = this.#texts.get(cid)
    if (text === undefined) void this.#start(cid)
    return text
  }

  /**
   * The text once it is here; undefined where it is not after `patienceMs`, or cannot be found (see find). The fetch
   * goes on in the background. Never rejects.
   */
  async ready(cid: string, patienceMs: number): Promise<PollText | undefined> {
    const text = this.#texts.get(cid)
    const fetching = text === undefined ? this.#start(cid) : undefined
    if (fetching === undefined || !(patienceMs > 0)) return text
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), Math.min(patienceMs, MAX_TIMER_MS))
    })
    return Promise.race([fetching, patience]).finally(() => clearTimeout(timer))
  }

  /** The fetch of a text that is not here, begun now or before; undefined where none is worthwhile. */
  #start(cid: string): Promise<PollText | undefined> | undefined {
    const underWay = this.#underWay.get(cid)
    if (underWay !== undefined || this.#base === undefined) return underWay
    if (this.#failures.has(cid) || this.#limit.pendingCount >= MAX_WAITING) return undefined
    const path = documentCid(cid)
    if (path === undefined) return undefined
    const url = new URL(`ipfs/${path}${this.#base.search}`, this.#base)
    const fetching = this.#limit(() => this.#fetch(cid, url)).finally(() => this.#underWay.delete(cid))
    this.#underWay.set(cid, fetching)
    return fetching
  }

  async #fetch(cid: string, url: URL): Promise<PollText | undefined> {
    try {
      const signal = AbortSignal.timeout(this.#timeoutMs)
      const text = pollText(await readBody(await request(url, signal), this.#maxBytes))
      this.#texts.set(cid, text)
      return text
    } catch (error) {
      this.#failures.set(cid, true)
      this.#tell(`No text of the poll ${cid} from ${url.host}: ${reason(error)}`)
      return undefined
    }
  }

  #tell(message: string): void {
    try {
      this.#onFailure(message)
    } catch {
      // Whoever wants to be told must not break what is told of.
    }
  }
}

function gatewayBase(gatewayUrl: string): URL {
  const url = URL.canParse(gatewayUrl) ? new URL(gatewayUrl) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new TypeError('An IPFS gateway is an http or https URL without a user, such as https://ipfs.io')
  }
  url.pathname = url.pathname.replace(/(\/ipfs)?\/*$/, '/')
  return url
}

/** A document's CID as it is written by default, so that nothing else gets into a path; undefined where it is none. */
function documentCid(text: string): string | undefined {
  if (text.length > MAX_CID_LENGTH) return undefined
  try {
    const cid = CID.parse(text)
    return DOCUMENT_CODECS.has(cid.code) ? cid.toString() : undefined
  } catch {
    return undefined
  }
}

/** Follows redirects within the gateway only: it may have a host for each CID, below its own. */
async function request(url: URL, signal: AbortSignal): Promise<Response> {
  let at = url
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await fetch(at, { signal, redirect: 'manual' })
    if (response.ok) return response
    await response.body?.cancel()
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || location === null) {
      throw new Error(`it answered ${response.status}`)
    }
    const next = new URL(location, at)
    const isGateway = next.host === url.host || next.host.endsWith(`.${url.host}`)
    if (!isGateway || !(next.protocol === url.protocol || next.protocol === 'https:')) {
      throw new Error(`it redirects to ${next.origin}`)
    }
    at = next
  }
  throw new Error('it redirects without end')
}

/** The body as text; an error where it is longer than `maxBytes`, of which no more is read, or not UTF-8. */
async function readBody(response: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let bytes = 0
  // Leaving the loop early cancels the body, and with it the transfer.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new Error(`the text has more than ${maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** Livepeer's documents are JSON with the Markdown in `text`; anything else is Markdown itself. */
function pollText(body: string): PollText {
  const text = textOfJson(body) ?? body
  return { title: proposalTitle(text), text }
}

function textOfJson(body: string): string | undefined {
  try {
    const document: unknown = JSON.parse(body)
    if (typeof document !== 'object' || document === null || !('text' in document)) return undefined
    return typeof document.text === 'string' ? document.text : undefined
  } catch {
    return undefined
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
