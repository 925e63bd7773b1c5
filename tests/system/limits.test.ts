import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS, type Limits } from '../../api/graphql/limits.ts'
import type { ApiServer } from '../../api/server.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { badRequests, send } from './bad-requests.ts'
import { traceFile } from './livepeer-truth.ts'
import { serveFacts } from './serve.ts'

interface Answer {
  data?: Record<string, unknown> | null
  errors?: { message: string; extensions: { code: string } }[]
  extensions?: { cost?: number }
}

const ACCOUNT = '0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc'
let stack: Stack

beforeAll(async () => {
  stack = await startStack({ traces: [traceFile('livepeer/small')] })
  await stack.ready
})
afterAll(() => stack?.stop())

async function ask(
  query: string,
  variables: object = {},
  url = stack.url,
): Promise<Answer & { status: number; text: string }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  const text = await response.text()
  return { ...(JSON.parse(text) as Answer), status: response.status, text }
}

/** Runs with an API of other limits over the same chain. */
async function withApi(
  options: { limits: Partial<Limits>; trustProxy?: string },
  use: (api: ApiServer) => Promise<void>,
): Promise<void> {
  const { limits, trustProxy } = options
  const api = await serveFacts(stack.followed, { limits, trustProxy })
  try {
    await use(api)
  } finally {
    await api.close()
  }
}

function expectRefused(answer: Answer & { status: number }, message: string, status = 400): void {
  expect(answer.errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'LIMIT_EXCEEDED' }])
  expect(answer.errors?.[0]?.message).toContain(message)
  expect(answer.status).toBe(status)
  expect(answer.data ?? null).toBeNull()
}

function expectAnswered(answer: Answer): void {
  expect(answer.errors).toBeUndefined()
  expect(answer.data).toBeTruthy()
}

const nested = (depth: number) => `{ __type(name: "Query") { ${'ofType { '.repeat(depth - 2)}name ${'}'.repeat(depth)}`
const aliased = (count: number) =>
  `{ ${Array.from({ length: count }, (_, index) => `a${index}: __typename`).join(' ')} }`
// 19 tokens and those of the list.
const tokens = (count: number) =>
  `{ proposals(first: 1, filter: { state: [${'ACTIVE '.repeat(count - 19)}] }) { totalCount } }`
// A field, and spreads with 98 fields each.
const fields = (spreads: number) =>
  `{ status { ${'...F '.repeat(spreads)} } } fragment F on ChainStatus { ${'network '.repeat(98)} }`
/** Two lists side by side, 1,000 of 1,000 in all where beside is 0. */
const lists = (beside: number) =>
  `{ proposals(first: 999) { nodes { votes(first: 1000) { totalCount } } } rounds(first: 1000) { pageInfo { endCursor } }
    ${beside === 0 ? '' : `more: rounds(first: ${beside}) { pageInfo { endCursor } }`} }`

describe('a document just within a limit is answered, one beyond it refused by name', () => {
  test.each([
    ['depth', nested(15), nested(16), 'depth limit of 15 exceeded: the document has 16'],
    ['aliases', aliased(100), aliased(101), 'aliases limit of 100 exceeded: the document has 101'],
    ['tokens', tokens(30_000), tokens(30_001), 'tokens limit of 30,000 exceeded: the document has more'],
    ['fields', fields(100), fields(102), 'fields limit of 10,000 exceeded: the document has more'],
    [
      'list product',
      lists(0),
      lists(1),
      'list product limit of 1,000,000 exceeded: `first` multiplied comes to 1,000,001',
    ],
  ])('%s', async (_, within, beyond, message) => {
    expectAnswered(await ask(within))
    expectRefused(await ask(beyond), message)
  })

  test('cost, which every answer tells', async () => {
    const query = '{ rounds(first: 10) { nodes { number activeTranscoders { account votes } } } }'
    const { extensions } = await ask(query)
    const cost = extensions?.cost ?? 0
    // A list of 10 of: its node, a number, and an active set read and taken for 100 of 3 values each.
    expect(cost).toBe(10 * (1 + 1 + 1 + 1000 + 300))
    await withApi({ limits: { cost } }, async ({ url }) => expectAnswered(await ask(query, {}, url)))
    await withApi({ limits: { cost: cost - 1 } }, async ({ url }) =>
      expectRefused(await ask(query, {}, url), 'cost limit of 13,029 exceeded: the document costs 13,030'),
    )
    const rounds = (alias: number) => `r${alias}: ${query.slice(2, -2).replace('first: 10', 'first: 1000')}`
    const many = Array.from({ length: 24 }, (_, alias) => rounds(alias))
    expectRefused(await ask(`{ ${many.join(' ')} }`), 'cost limit of 30,000,000 exceeded')
  })

  test('document', async () => {
    const body = (bytes: number) => JSON.stringify({ query: '{ status { network } }' }).padEnd(bytes)
    const post = async (bytes: number) => {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${stack.url}/graphql`, { method: 'POST', headers, body: body(bytes) })
      return { ...((await response.json()) as Answer), status: response.status }
    }
    expectAnswered(await post(DEFAULT_LIMITS.documentBytes))
    const beyond = await post(DEFAULT_LIMITS.documentBytes + 1)
    expectRefused(beyond, 'document limit of 1,048,576 bytes exceeded: the body has 1,048,577', 413)
  })

  test('response', async () => {
    const query = '{ rounds { nodes { number totalStake } } }'
    const { text } = await ask(query)
    await withApi({ limits: { responseCharacters: text.length } }, async ({ url }) =>
      expectAnswered(await ask(query, {}, url)),
    )
    await withApi({ limits: { responseCharacters: text.length - 1 } }, async ({ url }) =>
      expectRefused(
        await ask(query, {}, url),
        `characters exceeded: the answer has ${text.length.toLocaleString('en')}`,
      ),
    )
  })

  test('time', async () => {
    // Merkle trees are made beside the thread that answers, so that its clock goes on.
    const roots = [10, 11, 12, 13, 14, 15].map((round) => `r${round}: stakeSnapshot(round: ${round}) { merkleRoot }`)
    const query = `{ ${roots.join(' ')} }`
    await withApi({ limits: { milliseconds: 1 } }, async ({ url }) => {
      const { errors = [], status } = await ask(query, {}, url)
      expect(status).toBe(400)
      expect(errors.length).toBeGreaterThan(0)
      for (const { message, extensions } of errors) {
        expect([extensions.code, message]).toEqual([
          'LIMIT_EXCEEDED',
          expect.stringContaining('time limit of 1 ms exceeded'),
        ])
      }
    })
    await withApi({ limits: { milliseconds: 10_000 } }, async ({ url }) => expectAnswered(await ask(query, {}, url)))
  })

  test('rate, of each client by itself, told in headers; clients of this machine have none', async () => {
    await withApi({ limits: { requestsPerMinute: 3 }, trustProxy: 'loopback' }, async ({ url }) => {
      const from = (client?: string) =>
        fetch(
          `${url}/graphql?query={__typename}`,
          client === undefined ? {} : { headers: { 'x-forwarded-for': client } },
        )
      for (const left of [2, 1, 0]) {
        const { status, headers } = await from('203.0.113.7')
        expect([status, headers.get('ratelimit')]).toEqual([200, expect.stringContaining(`r=${left}`)])
        expect(headers.get('ratelimit-policy')).toContain('q=3; w=60')
      }
      const refused = await from('203.0.113.7')
      expectRefused(
        { ...((await refused.json()) as Answer), status: refused.status },
        'rate limit of 3 requests a minute',
        429,
      )
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(refused.headers.get('cache-control')).toBe('no-store')
      expect((await from('203.0.113.8')).status).toBe(200)
      for (let count = 0; count < 10; count++) expect((await from()).status).toBe(200)
    })
  })

  test('rate, behind a proxy that nobody said to trust: all its clients together, with a word in the log', async () => {
    const log: string[] = []
    const options = { limits: { requestsPerMinute: 3 }, log: (line: string) => log.push(line) }
    const api = await serveFacts(stack.followed, options)
    try {
      const from = async (header: Record<string, string>) =>
        (await fetch(`${api.url}/graphql?query={__typename}`, { headers: header })).status
      const clients = ['203.0.113.7', '203.0.113.8', '127.0.0.1', '::1']
      const statuses = await Promise.all(clients.map((client) => from({ 'x-forwarded-for': client })))
      expect(statuses.sort()).toEqual([200, 200, 200, 429])
      expect(await from({ forwarded: 'for=203.0.113.9' })).toBe(429)
      expect(await from({})).toBe(200)
      expect(log).toEqual([expect.stringContaining('--trust-proxy')])
    } finally {
      await api.close()
    }
  })

  test.each([
    ['a port beside the address', ['203.0.113.7:51001', '203.0.113.7:51002', '203.0.113.7'], [200, 200, 429]],
    ['an IPv6 network', ['[2001:db8::1]:443', '2001:db8::2', '2001:db8::3'], [200, 200, 429]],
    ['an address written as IPv6', ['::ffff:203.0.113.7', '203.0.113.7', '203.0.113.7:9'], [200, 200, 429]],
  ])('rate, %s: one client', async (_, clients, expected) => {
    await withApi({ limits: { requestsPerMinute: 2 }, trustProxy: 'loopback' }, async ({ url }) => {
      const statuses: number[] = []
      for (const client of clients) {
        const headers = { 'x-forwarded-for': client }
        statuses.push((await fetch(`${url}/graphql?query={__typename}`, { headers })).status)
      }
      expect(statuses).toEqual(expected)
    })
  })

  test.each([
    ['deeper than can be read', `{ status(x: ${'['.repeat(2900)}`, 'depth limit of 15 exceeded'],
    ['fields repeated beyond comparing', `{ ${'status { network } '.repeat(700)} }`, 'repetition limit of 500,000'],
  ])('%s', async (_, query, message) => {
    expectRefused(await ask(query), message)
  })
})

describe('what audits and dashboards need is well within the limits', () => {
  test.each([
    [
      'voting power of 1,000 accounts',
      `query ($accounts: [Address!]!) { votingPowers(accounts: $accounts, round: 9) {
        account round votes delegate isTranscoder isActive stake bondedAmount delegatedStake checkpointed } }`,
    ],
    [
      'everybody of a round',
      `{ stakeSnapshot(round: 9) { merkleRoot holders(first: 1000) { totalCount nodes {
        account round votes delegate isTranscoder isActive stake bondedAmount delegatedStake checkpointed } } } }`,
    ],
    [
      '50 proposals with tallies and 100 votes each',
      `{ proposals(first: 50) { nodes { id title state timeline { kind timestamp } outcome { passed explanation }
        tally { for against abstain electorate quorum final } votes(first: 100) { totalCount nodes {
        voter choice weight countedWeight overrides reason castAt { block timestamp } } } } } }`,
    ],
    [
      '30 proposals by alias with 1,000 votes each',
      `{ ${Array.from(
        { length: 30 },
        (_, index) => `a${index}: proposal(id: "poll:0x${String(index).padStart(40, '0')}") { id state
          tally { for against } votes(first: 1000) { totalCount nodes { voter choice weight countedWeight } } }`,
      ).join(' ')} }`,
    ],
  ])('%s', async (_, query) => {
    const accounts = Array.from({ length: 1000 }, (_, index) =>
      index === 0 ? ACCOUNT : `0x${String(index).padStart(40, '0')}`,
    )
    const answer = await ask(query, { accounts })
    expectAnswered(answer)
    expect(answer.extensions?.cost).toBeLessThan(DEFAULT_LIMITS.cost / 2)
  })
})

test('10,000 bad requests: no 5xx, no word on what is inside or behind, no growth, and normal answers afterwards', async () => {
  setFlagsFromString('--expose_gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const heap = () => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const requests = badRequests(20_240_229)
  const upstream = new URL(stack.chains[0]?.subgraphUrl ?? '')
  const secrets = new RegExp(
    `\\n +at |node_modules|/api/|:${upstream.port}|${upstream.pathname}|INTERNAL_SERVER_ERROR|The server made`,
  )
  const statuses = new Map<number, number>()
  const wrong: unknown[] = []
  const sendMany = async (count: number) => {
    let left = count
    const worker = async () => {
      while (left-- > 0) {
        const request = requests.next().value
        const answer = await send(stack.url, request)
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        const isAsset = request.path.startsWith('/schema') || request.path.startsWith('/editor')
        if (answer.status >= 500 || (!isAsset && secrets.test(answer.body))) wrong.push({ request, answer })
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
  }
  const query = '{ stakeSnapshot(round: 9) { merkleRoot } }'
  const before = await ask(query)

  await sendMany(2000)
  const warm = heap()
  await sendMany(8000)
  const grown = (heap() - warm) / 2 ** 20

  const byStatus = [...statuses].sort().map(([status, count]) => `${count} × ${status}`)
  console.log(`10000 bad requests: ${byStatus.join(', ')}; heap grew by ${grown.toFixed(1)} MB`)
  expect(wrong.slice(0, 3)).toEqual([])
  // Documents that were valid are kept, up to some 20 MB.
  expect(grown).toBeLessThan(25)
  expect((await ask(query)).data).toEqual(before.data)
})
