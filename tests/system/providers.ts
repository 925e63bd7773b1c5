import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RecordedChain } from '../../stack/recorded-chain.ts'
import { respond } from '../../stack/recorded-chain.ts'

/** How a provider of a chain's RPC can be. */
export type Manner =
  | 'fine'
  /** It asks everybody to come later. */
  | 'busy'
  /** It answers calls with what is no answer. */
  | 'garbled'
  /** It has no state but the latest one's. */
  | 'pruned'
  /** It is a node of another chain, on which the same contracts are. */
  | 'other'
  /** It has not seen the latest blocks. */
  | 'behind'
  /** It takes three calls at a time. */
  | 'few'
  /** It takes its time. */
  | 'slow'

interface Call {
  id: unknown
  method: string
  params: unknown[]
}

/** What a request came to. */
interface Sent {
  status: number
  body: string
}

/** Providers of chains' RPCs, at `<url>/NAME/MANNER`. */
export interface Providers {
  url: string
  /** How many calls each request had since this was emptied last. */
  batches: number[]
  close(): void
}

/** Serves recorded chains by name, as providers in any manner. */
export async function serveProviders(chains: Readonly<Record<string, RecordedChain>>): Promise<Providers> {
  const batches: number[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const [, name = '', manner = ''] = (request.url ?? '').split('/')
    const chain = chains[name]
    if (chain === undefined) return response.writeHead(404).end()
    const body = JSON.parse(text) as Call | Call[]
    batches.push(Array.isArray(body) ? body.length : 1)
    if (manner === 'slow') await sleep(50)
    const { status, body: answer } = answerOf(chain, body, manner as Manner)
    response.writeHead(status, { 'content-type': 'application/json' }).end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, batches, close }
}

function answerOf(chain: RecordedChain, body: Call | Call[], manner: Manner): Sent {
  if (manner === 'busy') return { status: 429, body: error(null, -32005, 'slow down, please') }
  if (manner === 'few' && Array.isArray(body) && body.length > 3) {
    return { status: 413, body: error(null, -32600, 'a batch has at most 3 calls here') }
  }
  const one = (call: Call) => answerToOne(chain, call, manner)
  return { status: 200, body: Array.isArray(body) ? `[${body.map(one).join(',')}]` : one(body) }
}

function answerToOne(chain: RecordedChain, call: Call, manner: Manner): string {
  const { id, method, params } = call
  const block = /^eth_(call|getCode)$/.test(method) ? params[1] : undefined
  if (typeof block === 'string' && block !== 'latest') {
    if (manner === 'pruned') return error(id, -32000, `missing trie node 1f (path ) state ${block} is not available`)
    if (manner === 'behind') return error(id, -32000, 'header not found')
  }
  const answer = respond(chain, JSON.stringify(call))
  if (manner === 'garbled' && method === 'eth_call') return JSON.stringify({ jsonrpc: '2.0', id, result: '0x1234' })
  if (manner !== 'other' || method !== 'eth_getBlockByNumber') return answer
  const told = JSON.parse(answer) as { result: object }
  return JSON.stringify({ ...told, result: { ...told.result, hash: `0x${'e'.repeat(64)}` } })
}

function error(id: unknown, code: number, message: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } })
}
