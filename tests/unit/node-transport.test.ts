import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPublicClient, type PublicClient } from 'viem'
import { afterEach, describe, expect, test } from 'vitest'
import { verifyingTransport } from '../../api/facts/rpc.ts'
import { hasState } from '../../api/verification/contracts.ts'
import { nodeWords, tellsNoState } from '../../api/verification/node.ts'

const ACCOUNT = `0x${'1'.repeat(40)}` as const

let server: Server | undefined
afterEach(() => server?.close())

interface Call {
  id: number
  method: string
}

/** A provider: `answer` says what becomes of a request with so many calls; the calls it answered are told by their batches. */
async function provider(
  answer: (calls: readonly Call[], response: ServerResponse) => void,
): Promise<{ client: PublicClient; url: string; batches: number[] }> {
  const batches: number[] = []
  server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const body = JSON.parse(text) as Call | Call[]
    const calls = Array.isArray(body) ? body : [body]
    batches.push(Array.isArray(body) ? body.length : 0)
    answer(calls, response)
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/s3cret-key?token=t0ken`
  const client = createPublicClient({ transport: verifyingTransport(url, { timeout: 2000, retryCount: 0 }) })
  return { client, url, batches }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const isText = typeof body === 'string'
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json' })
  response.end(isText ? body : JSON.stringify(body))
}

function results(calls: readonly Call[], response: ServerResponse): void {
  const answers = calls.map(({ id }) => ({ jsonrpc: '2.0', id, result: '0x5' }))
  send(response, 200, answers.length === 1 ? answers[0] : answers)
}

const error = (code: number, message: string) => ({ jsonrpc: '2.0', id: null, error: { code, message } })

/** The ways in which providers refuse a batch of more than they take. */
const REFUSALS: readonly [string, number, unknown][] = [
  ['geth', 200, [error(-32600, 'batch too large')]],
  ['one error for all', 200, error(31, 'Batch of more than 3 requests are not allowed on free tier')],
  ['413 with a page', 413, '<html>Payload Too Large</html>'],
  ['400 with words', 400, error(-32600, 'exceeded project limit')],
  ['400 without', 400, ''],
]

describe('a batch that is refused is asked in smaller ones', () => {
  test.each(REFUSALS)('%s', async (_name, status, body) => {
    const { client, batches } = await provider((calls, response) =>
      calls.length > 3 ? send(response, status, body) : results(calls, response),
    )
    const asked = await Promise.all(Array.from({ length: 20 }, () => client.getBalance({ address: ACCOUNT })))
    expect(asked).toEqual(Array.from({ length: 20 }, () => 5n))
    expect(batches.filter((size) => size <= 3).reduce((sum, size) => sum + size, 0)).toBe(20)
    // What was learnt holds.
    batches.length = 0
    await Promise.all(Array.from({ length: 6 }, () => client.getBalance({ address: ACCOUNT })))
    expect(batches).toEqual([3, 3])
  })

  test('at last alone, as no batch', async () => {
    const { client, batches } = await provider((calls, response) =>
      batches.at(-1) === 0 ? results(calls, response) : send(response, 200, [error(-32600, 'batches are not for you')]),
    )
    const asked = await Promise.all(Array.from({ length: 3 }, () => client.getBalance({ address: ACCOUNT })))
    expect([asked, batches.filter((size) => size === 0)]).toEqual([
      [5n, 5n, 5n],
      [0, 0, 0],
    ])
  })

  test('one that asks to wait is not asked for less', async () => {
    const { client, batches } = await provider((_calls, response) =>
      send(response, 429, error(-32005, 'too many requests')),
    )
    await expect(
      Promise.all(Array.from({ length: 4 }, () => client.getBalance({ address: ACCOUNT }))),
    ).rejects.toThrow()
    expect(batches).toEqual([4])
  })
})

describe("a provider's own words", () => {
  test.each([
    [401, error(-32001, 'the key s3cret-key or t0ken is not valid'), 'the key … or … is not valid'],
    [403, 'no such project: s3cret-key', 'HTTP 403: "no such project: …"'],
    [503, 'out of order', 'HTTP 503: "out of order"'],
    [200, error(-32000, 'execution aborted (timeout = 5s)'), 'execution aborted (timeout = 5s)'],
    [200, 'hello', 'is not valid JSON'],
  ])('%s %j', async (status, body, words) => {
    const { client, url } = await provider((_calls, response) => send(response, status, body))
    const failure = await client.getBalance({ address: ACCOUNT }).catch((reason: unknown) => reason)
    expect(nodeWords(failure)).toContain(words)
    const all =
      JSON.stringify(failure, Object.getOwnPropertyNames(failure as object)) + String((failure as Error).stack)
    for (const secret of [url, 's3cret-key', 't0ken']) expect(nodeWords(failure) + all).not.toContain(secret)
  })
})

describe('only who says so has no state of a block', () => {
  test.each([
    [-32000, 'missing trie node 1a2b (path ) state 0x3c is not available', true],
    [-32000, 'header not found', true],
    [-32801, 'no historical state available for block 9', true],
    [4444, 'pruned history unavailable', true],
    [-32000, 'old data not available due to pruning', true],
    [-32002, 'This request requires an archive node', true],
    [-32603, 'internal error', false],
    [-32005, 'daily request count exceeded', false],
    [-32601, 'the method does not exist', false],
  ])('%s %s', async (code, message, isNoState) => {
    const { client } = await provider((_calls, response) => send(response, 200, error(code, message)))
    const told = hasState(client, ACCOUNT, 9n)
    if (isNoState) expect(await told).toBe(false)
    else expect(tellsNoState(await told.catch((reason: unknown) => reason))).toBe(false)
  })

  test('nor one that is not there', async () => {
    const transport = verifyingTransport('http://127.0.0.1:9', { timeout: 500, retryCount: 0 })
    await expect(hasState(createPublicClient({ transport }), ACCOUNT, 9n)).rejects.toThrow()
  })
})
