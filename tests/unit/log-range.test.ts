import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { describeRange, probeLogRange } from '../../stack/log-range.ts'

const HEAD = 480_000_000
const CONTRACTS = { BondingManager: { address: '0x35Bcf3c30594191d53231E4FF333E8A770453e40', startBlock: 5_856_331 } }
const { signal } = new AbortController()

let server: Server | undefined
afterEach(() => server?.close())

interface Reply {
  status?: number
  body: unknown
}

/** An RPC that answers eth_getLogs of so many blocks as told. */
async function rpc(logs: (blocks: number) => Reply): Promise<{ url: string; asked: number[] }> {
  const asked: number[] = []
  server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const { method, params } = JSON.parse(text)
    let reply: Reply = { body: { result: `0x${HEAD.toString(16)}` } }
    if (method === 'eth_getLogs') {
      const [{ fromBlock, toBlock, address }] = params
      expect([Number(toBlock), address]).toEqual([HEAD, [CONTRACTS.BondingManager.address]])
      const blocks = Number(toBlock) - Number(fromBlock) + 1
      asked.push(blocks)
      reply = logs(blocks)
    }
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json' })
    response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/secret-key`, asked }
}

const FINE: Reply = { body: { jsonrpc: '2.0', id: 1, result: [] } }
const refusing =
  (cap: number, reply: Reply) =>
  (blocks: number): Reply =>
    blocks <= cap ? FINE : reply
const error = (code: number, message: string, status = 200): Reply => ({
  status,
  body: { jsonrpc: '2.0', id: 1, error: { code, message } },
})

/** How providers refuse a range, each in its own words. */
test.each([
  ['takes all', 1e9, FINE, 100_000],
  ["in Infura's words", 10_000, error(-32005, 'query returned more than 10000 results'), 10_000],
  [
    "in Alchemy's words",
    10,
    error(-32600, 'Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range.', 400),
    10,
  ],
  ["in QuickNode's words", 10_000, error(-32614, 'eth_getLogs is limited to a 10,000 range', 413), 10_000],
  ["in Ankr's words", 1000, error(-32062, 'Block range is too large'), 1000],
  [
    "in Chainstack's words",
    100,
    error(-32002, 'Block range limit exceeded. See more details at https://docs.example/limits', 403),
    100,
  ],
  [
    "in Cloudflare's words",
    500,
    error(-32047, "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800"),
    500,
  ],
  ["in Nitro's words", 50_000, error(-32000, 'exceed maximum block range: 50000'), 50_000],
  ['by a page of HTML', 2000, { status: 502, body: '<html>Bad gateway</html>' }, 2000],
  ['by null', 5000, { body: { jsonrpc: '2.0', id: 1, result: null } }, 5000],
])('a provider that refuses %s', async (_, cap, reply, blocks) => {
  const { url, asked } = await rpc(refusing(cap, reply))
  const range = await probeLogRange(url, CONTRACTS, signal)
  expect(range).toMatchObject({ blocks, head: HEAD })
  expect(asked.at(-1)).toBe(blocks)
  const line = describeRange('arbitrum-one', range, CONTRACTS.BondingManager.startBlock)
  expect(line).toContain(`logs of ${blocks.toLocaleString('en')} blocks at a time`)
  expect(line).not.toContain('\n')
  expect(line).not.toMatch(/secret-key|https?:/)
})

test('one that wants to be asked less often is asked again for the same range', async () => {
  let refused = false
  const { url, asked } = await rpc(() => {
    if (refused) return FINE
    refused = true
    return error(-32005, 'Too Many Requests', 429)
  })
  expect(await probeLogRange(url, CONTRACTS, signal)).toMatchObject({ blocks: 100_000, refusal: undefined })
  expect(asked).toEqual([100_000, 100_000])
})

test('one that gives no logs at all is said to', async () => {
  const { url } = await rpc(() => error(-32601, 'the method eth_getLogs does not exist'))
  const range = await probeLogRange(url, CONTRACTS, signal)
  expect(range).toBeUndefined()
  expect(describeRange('arbitrum-one', range, 0)).toContain('no logs of any range')
})

test('a range is told with what it means', () => {
  const range = { blocks: 10_000, seconds: 0.25, head: 9_999_999, refusal: '"too large"' }
  expect(describeRange('mainnet', range, 0)).toBe(
    'mainnet: the RPC gives logs of 10,000 blocks at a time (of more: "too large"); 10,000,000 blocks are 1,000 requests of each kind of log at the least, 5 min by this one\'s speed',
  )
})
