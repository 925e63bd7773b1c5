import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

/** What a proxy does with what passes through it. */
export type Weather =
  | 'fine'
  /** Connections are refused. */
  | 'down'
  /** Connections are taken, and nothing is ever answered. */
  | 'silent'
  /** Answers take longer. */
  | { delay: number }
  /** Whatever is asked, this is answered. */
  | { answer: string; type?: string }

/** A TCP proxy before graph-node that can behave as a graph-node in trouble does. */
export class UpstreamProxy {
  weather: Weather = 'fine'
  /** Requests that came, as many as their first lines told. */
  requests = 0
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((client) => this.#serve(client))

  private constructor(private readonly target: URL) {}

  /** A proxy to a URL's server, listening. */
  static async to(url: string): Promise<UpstreamProxy> {
    const proxy = new UpstreamProxy(new URL(url))
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** The URL through the proxy. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}${this.target.pathname}`
  }

  /** Changes the weather for connections there are, too. */
  turn(weather: Weather): void {
    this.weather = weather
    if (weather === 'down') for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #serve(client: Socket): void {
    if (this.weather === 'down') {
      client.destroy()
      return
    }
    const upstream = connect(Number(this.target.port), this.target.hostname)
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (chunk) => this.#pass(chunk, client, upstream))
    upstream.on('data', (chunk) => {
      if (this.weather !== 'silent') client.write(chunk)
    })
  }

  #pass(chunk: Buffer, client: Socket, upstream: Socket): void {
    const { weather } = this
    if (chunk.includes('POST ')) this.requests += 1
    if (weather === 'silent') return
    if (weather === 'fine' || weather === 'down') {
      upstream.write(chunk)
      return
    }
    if ('delay' in weather) {
      setTimeout(() => upstream.write(chunk), weather.delay)
      return
    }
    const { answer, type = 'application/json' } = weather
    client.write(
      `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(answer)}\r\nConnection: close\r\n\r\n${answer}`,
    )
  }
}
