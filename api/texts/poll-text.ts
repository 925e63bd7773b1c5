// The texts of LIP-16 polls. The chain has only their CIDs: the texts are asked of IPFS gateways, where there are any.
import { LRUCache } from 'lru-cache'
import type { CID } from 'multiformats/cid'
import pLimit from 'p-limit'
import { documentCid, type FileLimits, fetchFile, gatewayBase } from './ipfs-file.ts'
import { proposalTitle } from './proposal-title.ts'

/** A poll's text in Markdown, and the title in it; null where it has none (see proposalTitle). */
export interface PollText {
  title: string | null
  text: string
}

/** Limits of PollTexts, and what to tell of failures. */
export interface PollTextsOptions {
  /** For one gateway, redirects and bodies included; 10,000. */
  timeoutMs?: number
  /** Longest text, decompressed; 1,000,000. */
  maxBytes?: number
  /** Fetches at once; 4. The others wait for their turn. */
  concurrency?: number
  /** How long a CID that failed is not asked for again; five minutes. */
  retryAfterMs?: number
  /** Called for each gateway that failed at a text, with what went wrong. */
  onFailure?: (message: string) => void
}

/** Texts kept, in UTF-16 code units of all together. */
const MAX_CACHED_LENGTH = 32_000_000

/** Failures remembered, and fetches that may wait for their turn. */
const MAX_FAILURES = 10_000
const MAX_WAITING = 1_000

/** setTimeout's longest. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Fetches the texts of polls by CID from HTTP gateways, keeps them, and never lets a request wait longer than it wants to.
 * Without a gateway nothing is ever found.
 *
 * Gateways are asked one after the other, until one sends what fits the CID: nothing else is taken for a text, and so one
 * that is here is right for good. That none had it is forgotten after a while.
 */
export class PollTexts {
  readonly #gateways: readonly URL[]
  readonly #limits: FileLimits
  readonly #limit: ReturnType<typeof pLimit>
  readonly #onFailure: (message: string) => void
  readonly #texts = new LRUCache<string, PollText>({
    maxSize: MAX_CACHED_LENGTH,
    sizeCalculation: ({ title, text }) => 1 + text.length + (title?.length ?? 0),
  })
  readonly #failures: LRUCache<string, true>
  readonly #underWay = new Map<string, Promise<PollText | undefined>>()

  /** Gateways in the order they are asked; throws a TypeError for one that is none, see gatewayBase. */
  constructor(gatewayUrls: readonly string[], options: PollTextsOptions = {}) {
    this.#gateways = gatewayUrls.map(gatewayBase)
    this.#limits = { timeoutMs: options.timeoutMs ?? 10_000, maxBytes: options.maxBytes ?? 1_000_000 }
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
    if (underWay !== undefined || this.#gateways.length === 0) return underWay
    if (this.#failures.has(cid) || this.#limit.pendingCount >= MAX_WAITING) return undefined
    const document = documentCid(cid)
    if (document === undefined) return undefined
    const fetching = this.#limit(() => this.#fetch(cid, document)).finally(() => this.#underWay.delete(cid))
    this.#underWay.set(cid, fetching)
    return fetching
  }

  async #fetch(cid: string, document: CID): Promise<PollText | undefined> {
    for (const gateway of this.#gateways) {
      try {
        const text = pollText(await fetchFile(document, gateway, this.#limits))
        this.#texts.set(cid, text)
        return text
      } catch (error) {
        this.#tell(`No text of the poll ${cid} from ${gateway.host}: ${reason(error)}`)
      }
    }
    this.#failures.set(cid, true)
    return undefined
  }

  #tell(message: string): void {
    try {
      this.#onFailure(message)
    } catch {
      // Whoever wants to be told must not break what is told of.
    }
  }
}

/** Livepeer's documents are JSON with the Markdown in `text`; anything else is Markdown itself. An error where it is not UTF-8. */
function pollText(file: Uint8Array): PollText {
  const body = new TextDecoder('utf-8', { fatal: true }).decode(file)
  // JSON can spell half a character, which no text can hold.
  const text = (textOfJson(body) ?? body).toWellFormed()
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
