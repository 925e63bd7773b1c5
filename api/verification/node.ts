import {
  BaseError,
  BlockNotFoundError,
  createTransport,
  type EIP1193RequestFn,
  HttpRequestError,
  http,
  RpcRequestError,
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
  /** Takes out of what is thrown what is nobody's business; as it is by default. */
  clean?: (error: unknown) => unknown
}

/**
 * viem's way to a node that sends calls made at one time together, as many as its provider takes: of a batch that is refused
 * each call is asked again in one half as large, at last alone.
 */
export function nodeTransport(url: string, options: NodeOptions): Transport {
  const { headers, timeout, retryCount, clean = (error) => error } = options
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
        if (asked === 1 || !refusesBatch(error)) throw clean(error)
        // All calls of a batch come here, and others that were under way with it.
        size = Math.min(size, Math.floor(asked / 2))
      }
    }
  }
  return () =>
    createTransport({ key: 'node', name: 'node', type: 'node', request: request as EIP1193RequestFn, retryCount })
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
  /missing trie node|prun(ed|ing)|archive|header (for hash )?not found|unknown block|block (was )?not found|state .*available/i

/** Whether a node says that it has a block's state no more, or has not seen the block: one that was asked too much does not. */
export function tellsNoState(error: unknown): boolean {
  const told = causeIn(error, RpcRequestError)
  if (told === undefined) return causeIn(error, BlockNotFoundError) !== undefined
  return NO_STATE.test(`${told.details} ${textOf(told.data)}`)
}

/** What a node said of itself, on one line: its own words where it had any. */
export function nodeWords(error: unknown): string {
  if (!(error instanceof BaseError)) return firstLine(error instanceof Error ? error.message : String(error))
  const status = causeIn(error, HttpRequestError)?.status
  return `${status === undefined ? '' : `HTTP ${status}: `}${firstLine(error.details || error.shortMessage)}`
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
