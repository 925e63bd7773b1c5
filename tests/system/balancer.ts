import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'

/** A proxy before servers that are each as good: it asks them in turn, and the next one where one cannot be reached. */
export class Balancer {
  #turn = 0
  readonly #server: Server

  private constructor(private readonly targets: readonly string[]) {
    this.#server = createServer((incoming, answer) => this.#serve(incoming, answer))
  }

  /** A proxy to the servers at these URLs, listening. */
  static async to(targets: readonly string[]): Promise<Balancer> {
    const balancer = new Balancer(targets)
    await new Promise<void>((resolve) => balancer.#server.listen(0, '127.0.0.1', resolve))
    return balancer
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of incoming) pieces.push(piece as Buffer)
    this.#turn += 1
    const inTurn = this.targets.map((_, index) => this.targets[(this.#turn + index) % this.targets.length] ?? '')
    this.#pass(inTurn, incoming, Buffer.concat(pieces), answer)
  }

  #pass([target, ...others]: readonly string[], incoming: IncomingMessage, body: Buffer, answer: ServerResponse): void {
    if (target === undefined) {
      answer.writeHead(502).end()
      return
    }
    const { method, url, headers } = incoming
    const passed: ClientRequest = request(`${target}${url}`, { method, headers: { ...headers, connection: 'close' } })
    passed.once('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
      response.once('error', () => answer.destroy())
    })
    passed.once('error', (error: NodeJS.ErrnoException) => {
      if (answer.headersSent) answer.destroy()
      // What a server may have begun is not asked again: that it was under way is what a client is to see.
      else if (error.code === 'ECONNREFUSED') this.#pass(others, incoming, body, answer)
      else answer.writeHead(502).end()
    })
    passed.end(body)
  }
}
