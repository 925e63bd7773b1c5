import {
  BaseError,
  BlockNotFoundError,
  custom,
  HttpRequestError,
  http,
  RpcRequestError,
  TimeoutError,
  type Transport,
} from 'viem'

/** Calls in one HTTP request at first; a provider that takes fewer says so, and gets fewer. */
const FIRST_BATCH = 100

/** How a node is asked. */
export interface NodeOptions {
  /** Sent with each request. */
  headers?: Readonly<Record<string, string>>
  /** Milliseconds until a request is given up. */
  timeout: number
  /** How often what may pass is asked again. */
  retryCount: number
}

/**
 * viem's way to a node that sends calls made at one time together, as many as its provider takes: of a batch that is refused
 * each call is asked again in one half as large, at last alone. What it throws has nothing of the URL that may be a secret.
 */
export function nodeTransport(url: string, { headers, timeout, retryCount }: NodeOptions): Transport {
  const fetchOptions = { headers: { ...headers } }
  const byBatch = new Map<number, ReturnType<Transport>>()
  const inBatchesOf = (batchSize: number) => {
    const known = byBatch.get(batchSize)
    if (known !== undefined) return known
    const batch = batchSize > 1 && { batchSize }
    const transport = http(url, { batch, timeout, fetchOptions, retryCount: 0 })({})
    byBatch.set(batchSize, transport)
    return transport
  }
  let size = FIRST_BATCH
  const request = async (call: { method: string; params?: unknown }): Promise<unknown> => {
    for (;;) {
      const asked = size
      try {
        return await inBatchesOf(asked).request(call)
      } catch (error) {
        if (asked === 1 || !refusesBatch(error)) throw withoutSecrets(error, url)
        // All calls of a batch come here, and others that were under way with it.
        size = Math.min(size, Math.floor(asked / 2))
      }
    }
  }
  return custom({ request }, { retryCount })
}

/** What providers say of a batch, or a request, that has too much in it. */
const TOO_MUCH = /batch|(payload|entity|body|request) (is )?too large/i

/** Whether a node refused a request for how much was in it. */
function refusesBatch(error: unknown): boolean {
  const failure = causeIn(error, HttpRequestError) ?? causeIn(error, RpcRequestError)
  if (failure === undefined) return false
  return [400, 413].includes(failure.status ?? 0) || TOO_MUCH.test(failure.details)
}

const NO_STATE =
  /missing trie node|prun(ed|ing)|archive|header not found|header for hash not found|unknown block|block (was )?not found|state .*available|no state available|historical state|required historical/i

/** Whether a node says that it has a block's state no more, or has not seen the block: one that was asked too much does not. */
export function tellsNoState(error: unknown): boolean {
  const told = causeIn(error, RpcRequestError)
  if (told === undefined) return causeIn(error, BlockNotFoundError) !== undefined
  return NO_STATE.test(`${told.details} ${textOf(told.data)}`)
}

/** What a node said of itself, on one line: its own words where it had any. */
export function nodeWords(error: unknown): string {
  const told = causeIn(error, RpcRequestError) ?? causeIn(error, HttpRequestError) ?? causeIn(error, TimeoutError)
  const shown = told ?? error
  if (!(shown instanceof BaseError)) return firstLine(shown instanceof Error ? shown.message : String(shown))
  const status = shown instanceof HttpRequestError && shown.status !== undefined ? `HTTP ${shown.status}: ` : ''
  return `${status}${firstLine(shown.details || shown.shortMessage)}`
}

/** A stranger's words are as long as they like. */
function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 300)
}

function textOf(data: unknown): string {
  return typeof data === 'string' ? data : (JSON.stringify(data) ?? '')
}

function causeIn<Kind extends Error>(error: unknown, kind: new (...args: never[]) => Kind): Kind | undefined {
  if (!(error instanceof BaseError)) return undefined
  const found = error.walk((cause) => cause instanceof kind)
  return found instanceof kind ? found : undefined
}

/** The same error without what of a URL may be a key or a password, also where a provider repeats it. */
function withoutSecrets(error: unknown, url: string): unknown {
  const secrets = secretsOf(url)
  const clean = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
  // The last one is what the node sent, which is no Error.
  for (let one = error; isTold(one); one = one.cause) {
    const message = clean(one.message)
    if (message !== one.message) one.message = message
    if (!(one instanceof BaseError)) continue
    one.details = clean(one.details)
    one.shortMessage = clean(one.shortMessage)
    // What wraps it takes these over.
    one.metaMessages = one.metaMessages?.map(clean)
    if ('url' in one) one.url = hostIn(url)
  }
  return error
}

function isTold(value: unknown): value is { message: string; cause?: unknown } {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
}

/** The whole address first, then its parts that are long enough to be a secret. */
function secretsOf(url: string): string[] {
  if (!URL.canParse(url)) return [url]
  const { href, username, password, pathname, searchParams, hash } = new URL(url)
  const parts = [...pathname.split('/'), ...searchParams.values(), username, password, hash.slice(1)]
  const told = parts.flatMap((part) => [part, decoded(part)]).filter((part) => part.length >= 4)
  return [...new Set([url, href, ...told])].sort((a, b) => b.length - a.length)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function hostIn(url: string): string {
  return URL.canParse(url) ? new URL(url).host : '…'
}
