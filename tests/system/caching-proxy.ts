import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import CachePolicy from 'http-cache-semantics'

/** How a request was answered: kept, kept and found still so by its server, or passed on. */
type Way = 'hit' | 'revalidated' | 'passed'

interface Kept {
  policy: CachePolicy
  status: number
  body: Buffer
}

/** A cache shared by all clients of a server, which keeps what the server's own headers let it (RFC 9111). */
export class CachingProxy {
  /** How each request was answered, the last last. */
  readonly ways: Way[] = []
  /** Milliseconds that the proxy's clock is ahead. */
  ahead = 0
  readonly #Policy = policyBy(() => Date.now() + this.ahead)
  readonly #kept = new Map<string, Kept>()
  readonly #server: Server

  private constructor(private readonly target: string) {
    this.#server = createServer(async (incoming, answer) => {
      const pieces: Buffer[] = []
      for await (const piece of incoming) pieces.push(piece as Buffer)
      const { method = 'GET', url = '/', headers } = incoming
      const { status, headers: told, body } = await this.#answer(method, url, headers, Buffer.concat(pieces))
      answer.writeHead(status, told).end(method === 'HEAD' ? undefined : body)
    })
  }

  /** A proxy to the server at this URL, listening. */
  static async to(target: string): Promise<CachingProxy> {
    const proxy = new CachingProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(
    method: string,
    url: string,
    headers: IncomingHttpHeaders,
    body: Buffer,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
    const asked = { method, url, headers }
    const kept = this.#kept.get(url)
    if (kept?.policy.satisfiesWithoutRevalidation(asked)) return this.#tell('hit', kept, asked)
    const { answered, received } = await this.#ask(
      method,
      url,
      kept?.policy.revalidationHeaders(asked) ?? headers,
      body,
    )
    if (kept !== undefined) {
      const { policy, modified } = kept.policy.revalidatedPolicy(asked, answered)
      if (!modified) {
        this.#kept.set(url, { ...kept, policy: policy })
        return this.#tell('revalidated', { ...kept, policy }, asked)
      }
    }
    const policy = new this.#Policy(asked, answered)
    if (policy.storable() && answered.status === 200) this.#kept.set(url, { policy, status: 200, body: received })
    this.ways.push('passed')
    return { ...answered, body: received }
  }

  /** What the server itself answers: fetch() would not take what somebody kept. */
  #ask(
    method: string,
    url: string,
    headers: IncomingHttpHeaders,
    body: Buffer,
  ): Promise<{ answered: { status: number; headers: IncomingHttpHeaders }; received: Buffer }> {
    return new Promise((resolve, reject) => {
      const passed = request(`${this.target}${url}`, { method, headers: { ...headers, connection: 'close' } })
      passed.once('error', reject)
      passed.once('response', async (response) => {
        const pieces: Buffer[] = []
        for await (const piece of response) pieces.push(piece as Buffer)
        const { 'transfer-encoding': _, connection: __, ...told } = response.headers
        resolve({ answered: { status: response.statusCode ?? 0, headers: told }, received: Buffer.concat(pieces) })
      })
      passed.end(body)
    })
  }

  #tell(way: Way, { policy, status, body }: Kept, { headers }: { headers: IncomingHttpHeaders }) {
    this.ways.push(way)
    const told = policy.responseHeaders() as IncomingHttpHeaders
    const isKnown = headers['if-none-match'] !== undefined && headers['if-none-match'] === told.etag
    return { status: isKnown ? 304 : status, headers: told, body: isKnown ? Buffer.alloc(0) : body }
  }
}

/** Policies by a clock: what tells them the time is not among their types. */
function policyBy(clock: () => number): typeof CachePolicy {
  return class extends CachePolicy {
    now(): number {
      return clock()
    }
  }
}
