import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a gateway answers, whatever it is asked. */
export interface Refusal {
  status: number
  body: string
  type?: string
}

/** An answer with errors in it, as gateways give them with status 200. */
export function withErrors(...messages: string[]): Refusal {
  return { status: 200, body: JSON.stringify({ errors: messages.map((message) => ({ message })) }) }
}

interface Asked {
  query: string
  variables: Record<string, unknown> & { at?: { number_gte?: number; hash?: string; number?: number } | null }
}

interface Meta {
  block: { number: number; hash: string | null; timestamp: number | null }
  deployment: string
}

/**
 * Stands for a gateway of a hosted service before a real graph-node: it wants to be paid by a header, has several indexers
 * that answer in turn, each with a head and with what there was up to it, none of which keeps the past, and says what is
 * wrong as gateways do.
 */
export class StandInGateway {
  /** Blocks that its indexers are at. */
  heads: number[]
  /** What it answers instead of all else; undefined where it is well. */
  refusal: Refusal | undefined
  /** How much longer an answer takes. */
  delayMs = 0
  /** How many times it still says that a block is missing. */
  missing = 0
  /** The version that answers, where it is not the real one. */
  deployment: string | undefined
  /** What came, with the headers it had, and which block at the least it wanted. */
  readonly requests: { path: string; headers: IncomingHttpHeaders; atLeast: number | undefined }[] = []
  readonly #server: Server
  #turn = 0

  private constructor(
    private readonly upstream: { subgraphUrl: string; hashOf: (block: number) => Promise<string> },
    private readonly door: { path: string; header: string; value: string },
    head: number,
  ) {
    this.heads = [head]
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  /** Before a subgraph, whose index-node tells hashes, with one indexer at a head. It lets in who asks at a path, with a header. */
  static async before(
    { subgraphUrl, statusUrl, network }: { subgraphUrl: string; statusUrl?: string; network: string },
    door: { path: string; header: string; value: string },
    head: number,
  ): Promise<StandInGateway> {
    const query = `query ($network: String!, $block: Int!) { hash: blockHashFromNumber(network: $network, blockNumber: $block) }`
    const hashOf = async (block: number) => {
      const { data } = await post<{ data: { hash: string } }>(statusUrl ?? '', { query, variables: { network, block } })
      return `0x${data.hash.replace(/^0x/, '')}`
    }
    const gateway = new StandInGateway({ subgraphUrl, hashOf }, door, head)
    await new Promise<void>((resolve) => gateway.#server.listen(0, '127.0.0.1', resolve))
    return gateway
  }

  /** The URL that it lets in by. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.door.path}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as Asked
    const { url: path = '', headers } = request
    this.requests.push({ path, headers, atLeast: asked.variables.at?.number_gte })
    if (this.delayMs > 0) await sleep(this.delayMs)
    const refusal = this.refusal ?? this.#refusalOf(request)
    const { status, body, type = 'application/json' } = refusal ?? (await this.#ask(asked))
    response.writeHead(status, { 'content-type': type }).end(body)
  }

  #refusalOf({ url, headers }: IncomingMessage): Refusal | undefined {
    if (url !== this.door.path) return { status: 404, body: 'not found', type: 'text/plain' }
    const given = headers[this.door.header]
    if (given === undefined) return withErrors('auth error: missing authorization header')
    if (given !== this.door.value) return withErrors(`auth error: API key not found: ${given}`)
    return undefined
  }

  async #ask({ query, variables }: Asked): Promise<Refusal> {
    this.#turn += 1
    const head = this.heads[this.#turn % this.heads.length] ?? 0
    const { at = null } = variables
    if (this.missing > 0) {
      this.missing -= 1
      return withErrors('bad indexers: {0x12: BadResponse(bad response), 0x34: Unavailable(missing block)}')
    }
    if (at?.number !== undefined) return withErrors('bad indexers: {0x12: BadResponse(history was pruned)}')
    if ((at?.number_gte ?? 0) > head) return withErrors('bad indexers: {0x12: Unavailable(missing block)}')
    if (at?.hash !== undefined && at.hash !== (await this.upstream.hashOf(head)))
      return withErrors('bad indexers: {0x12: BadResponse(no block with that hash found)}')
    const told = await post<{ data?: { _meta?: Meta } }>(this.upstream.subgraphUrl, {
      query,
      variables: { ...variables, at: { number: head } },
    })
    const meta = told.data?._meta
    // By a number graph-node tells no hash.
    if (meta) {
      meta.block.hash = await this.upstream.hashOf(head)
      meta.deployment = this.deployment ?? meta.deployment
    }
    return { status: 200, body: JSON.stringify(told) }
  }
}

async function post<Answer>(url: string, body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await response.json()) as Answer
}
