import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Chain, FollowedChain, type FollowOptions } from '../../api/facts/followed-chain.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { serve } from './serve.ts'
import { makeFolder, SMALL_TRACE, StackCommand } from './stack-command.ts'
import { type Refusal, StandInGateway, withErrors } from './stand-in-gateway.ts'
import { UpstreamProxy } from './upstream-proxy.ts'

const LAST_BLOCK = 1499
/** Of a gateway, and never told. */
const KEY = 'deadbeef-0123-s3cret'
const DOOR = {
  path: '/api/subgraphs/id/5XqPmWe6gjyrJtFn9cLy237i4cWw2j9HcUJEXsP5qGtH',
  header: 'authorization',
  value: `Bearer ${KEY}`,
}

/** What is asked of both: stake, governance, texts, history, at the head and before it. */
const QUESTIONS = [
  '{ stakeSnapshot(round: 9) { totalActiveStake holders(first: 50) { nodes { account votes stake delegate } totalCount } } }',
  '{ stakeSnapshot(round: 28) { holders(first: 50) { nodes { account votes } totalCount } } }',
  '{ proposals(first: 50) { nodes { id title proposer state tally { for against abstain electorate quorum } outcome { passed quorumReached } votes(first: 20) { nodes { voter weight } } timeline { kind round timestamp } } totalCount } }',
  '{ rounds(first: 50) { nodes { number totalActiveStake totalStake } } }',
  '{ round(number: 20) { number totalActiveStake concentration { count total nakamoto33 gini } } }',
]

const folder = makeFolder()
let stack: Stack
let gateway: StandInGateway

beforeAll(async () => {
  stack = await startStack({ traces: [SMALL_TRACE], dataDir: join(folder, 'stack') })
  await stack.ready
  gateway = await StandInGateway.before(ownChain(), DOOR, LAST_BLOCK)
})
afterEach(() => {
  gateway.heads = [LAST_BLOCK]
  gateway.refusal = undefined
  gateway.delayMs = 0
  gateway.missing = 0
  gateway.deployment = undefined
})
afterAll(async () => {
  gateway?.close()
  await stack?.stop()
  rmSync(folder, { recursive: true })
})

function ownChain(): Chain {
  const [chain] = stack.chains
  if (chain === undefined) throw new Error('the stack has no chain')
  return chain
}

/** The stack's chain behind the gateway. */
function hostedChain(): Chain {
  return {
    ...ownChain(),
    subgraphUrl: gateway.url,
    subgraphHeaders: { [DOOR.header]: DOOR.value },
    isElsewhere: true,
  }
}

async function ask(url: string, query: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/graphql?query=${encodeURIComponent(query)}`)
  const { data, errors } = (await response.json()) as { data?: Record<string, unknown>; errors?: unknown }
  return { data, errors }
}

interface Status {
  block: string
  stale: boolean
  synced: boolean
  checked: boolean
  error: string | null
}

async function statusOf(url: string): Promise<Status> {
  const { data } = await ask(url, '{ status { block stale synced checked error } }')
  const [status] = (data as { status: Status[] }).status
  if (status === undefined) throw new Error('no chain')
  return status
}

/** An API over the hosted subgraph, with what it logged; closed at the end. */
async function withApi(
  check: (url: string, lines: string[]) => Promise<void>,
  chain = hostedChain(),
  following: FollowOptions = {},
): Promise<void> {
  const lines: string[] = []
  const server = await serve([chain], {}, { log: (line) => lines.push(line), ...following })
  try {
    await check(server.url, lines)
    expect(lines.join('\n')).not.toContain(KEY)
  } finally {
    await server.close()
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 40_000; !(await isSo()); await sleep(50)) {
    if (Date.now() > end) throw new Error('it never was so')
  }
}

test('every answer is the one of the same stack asked itself, and the index-node of another name is found', async () => {
  await withApi(async (url) => {
    for (const question of QUESTIONS) {
      const hosted = await ask(url, question)
      expect(hosted.errors).toBeUndefined()
      expect(hosted).toEqual(await ask(stack.url, question))
    }
    await until(async () => (await statusOf(url)).synced)
    expect(await statusOf(url)).toEqual(await statusOf(stack.url))
  })
  // By the deployment it is found under any name of one's own; the name of the network is the index-node's.
  await withApi(
    async (url) => {
      await until(async () => (await statusOf(url)).checked)
      expect(await statusOf(url)).toMatchObject({ synced: true, stale: false, checked: true })
    },
    { ...hostedChain(), network: 'arbitrum-mine' },
  )
})

describe('of several indexers', () => {
  const blockOf = async (url: string) => Number((await statusOf(url)).block)

  test('one that is behind takes nothing back, while others move on', async () => {
    gateway.heads = [1300, 1290]
    await withApi(async (url, lines) => {
      const blocks: number[] = []
      for (const ahead of [1300, 1301, 1350, 1420, LAST_BLOCK]) {
        gateway.heads = [ahead, ahead - 10]
        await until(async () => {
          const { block, error } = await statusOf(url)
          blocks.push(Number(block))
          expect(error).toBeNull()
          return Number(block) === ahead
        })
      }
      expect(blocks).toEqual([...blocks].sort((a, b) => a - b))
      for (let look = 0; look < 8; look += 1) {
        expect(await statusOf(url)).toMatchObject({ block: String(LAST_BLOCK), stale: false, error: null })
        expect((await fetch(`${url}/ready`)).status).toBe(200)
        await sleep(200)
      }
      for (const question of QUESTIONS) expect(await ask(url, question)).toEqual(await ask(stack.url, question))
      expect(lines).toEqual([])
    })
  })

  test('where all that are left are behind, what is held is answered from, and that is said once it lasts', async () => {
    await withApi(async (url, lines) => {
      const [question = ''] = QUESTIONS
      const before = await ask(url, question)
      gateway.heads = [1490]
      await until(async () => (await statusOf(url)).error !== null)
      expect(await statusOf(url)).toMatchObject({ block: String(LAST_BLOCK), stale: true, synced: false })
      expect(await ask(url, question)).toEqual(before)
      expect(lines).toEqual([
        `recorded: the subgraph at ${new URL(gateway.url).host} is of no use: it is at block 1490, and was at 1499 before; what is held is answered from`,
      ])
      gateway.heads = [LAST_BLOCK]
      await until(async () => !(await statusOf(url)).stale)
    })
  })

  test('one that is behind at a start costs no file of facts; another version is loaded anew, wherever it is', async () => {
    const dataDir = join(folder, 'facts')
    await withApi(async () => {}, hostedChain(), { dataDir })
    gateway.heads = [1000]
    const lines: string[] = []
    const chain = new FollowedChain(hostedChain(), {
      dataDir,
      intervalMs: 250,
      log: (line) => lines.push(line),
    }).start()
    try {
      await until(async () => lines.length > 0)
      expect(lines.join()).toContain('it is at block 1000, and was at 1249 before; nothing is answered yet')
      const before = gateway.requests.length
      gateway.heads = [LAST_BLOCK]
      await chain.reached(LAST_BLOCK, AbortSignal.timeout(10_000))
      expect(gateway.requests.length - before).toBeLessThanOrEqual(6)
      expect(chain.state).toMatchObject({ isChecked: true, error: null })
      gateway.heads = [1400]
      gateway.deployment = 'QmAnother'
      await until(async () => chain.facts.head.block === 1400)
      expect(lines.slice(1)).toEqual([
        `${lines[0]?.split(' is of no use')[0]} is of use again`,
        'recorded: another version of the subgraph answers; all facts are loaded anew',
        expect.stringContaining('it is of another subgraph or version'),
      ])
    } finally {
      await chain.close()
    }
  })

  test('a block that is missing for a moment is asked for once more, and nobody notices', async () => {
    gateway.heads = [1400]
    await withApi(async (url, lines) => {
      const before = gateway.requests.length
      gateway.missing = 1
      gateway.heads = [1401]
      await until(async () => {
        expect(await statusOf(url)).toMatchObject({ error: null })
        return (await blockOf(url)) === 1401
      })
      const wanted = gateway.requests.slice(before).map(({ atLeast }) => atLeast)
      expect(wanted.slice(0, 2)).toEqual([1400, 1400])
      expect([gateway.missing, lines]).toEqual([0, []])
    })
  })
})

describe('what a gateway says goes to the log, once, and to no client', () => {
  test.each<[string, Refusal, RegExp]>([
    [
      'no credit',
      { status: 402, body: `{"error":"payment required for ${KEY}"}` },
      /HTTP 402 .*payment required for …/,
    ],
    ['no key', { status: 401, body: 'Unauthorized', type: 'text/plain' }, /HTTP 401 Unauthorized/],
    ['too often', { status: 429, body: 'Too many requests' }, /HTTP 429 Too many requests/],
    [
      'an unknown key, with status 200',
      withErrors(`auth error: API key not found: ${KEY}`),
      /auth error: API key not found: …/,
    ],
    ['no credit, with status 200', withErrors('auth error: payment required'), /auth error: payment required;/],
    ['two errors', withErrors('bad indexers: {0x12: Timeout}', 'more'), /bad indexers: \{0x12: Timeout\}; more;/],
    [
      'a page',
      { status: 503, body: '<html>\n<b>10.0.0.7</b></html>', type: 'text/html' },
      /HTTP 503 <html> <b>10.0.0.7<\/b>/,
    ],
  ])('%s', async (_, refusal, told) => {
    await withApi(async (url, lines) => {
      const [question = ''] = QUESTIONS
      const before = await ask(url, question)
      gateway.refusal = refusal
      await until(async () => (await statusOf(url)).stale)
      await sleep(300)
      const { error, ...status } = await statusOf(url)
      expect(status).toMatchObject({ synced: false, stale: true })
      expect(error).toBe('The index of recorded did not answer as expected; try again soon')
      expect((await fetch(`${url}/ready`)).status).toBe(503)
      expect(await ask(url, question)).toEqual(before)
      expect(lines).toEqual([expect.stringMatching(told)])
      expect(lines[0]).toMatch(
        /^recorded: the subgraph at 127\.0\.0\.1:\d+ is of no use: .*; what is held is answered from$/,
      )
      gateway.refusal = undefined
      await until(async () => !(await statusOf(url)).stale)
      expect(lines).toHaveLength(2)
    })
  })
})

test('one that is slow is waited for, and nothing is stale because of it', async () => {
  gateway.delayMs = 1300
  await withApi(async (url, lines) => {
    for (const end = Date.now() + 4500; Date.now() < end; await sleep(200))
      expect(await statusOf(url)).toMatchObject({ error: null, stale: false })
    expect(lines).toEqual([])
  })
})

test('without an index-node and an RPC nobody tells the head of the chain, which is said', async () => {
  const { statusUrl: _, ...alone } = hostedChain()
  await withApi(async (url) => {
    expect(await statusOf(url)).toEqual({
      block: String(LAST_BLOCK),
      synced: false,
      stale: true,
      checked: false,
      error: null,
    })
    expect((await fetch(`${url}/ready`)).status).toBe(503)
  }, alone)
})

test('a look costs one request, however many ask and whether the chain moves', async () => {
  const intervalMs = 500
  const status = await UpstreamProxy.to(ownChain().statusUrl ?? '')
  gateway.heads = [1300]
  /** Requests in two seconds, or as long as it takes to see two, with how many looks there was time for. */
  const countWhile = async (meanwhile: () => Promise<unknown>) => {
    const [before, statusesBefore, started] = [gateway.requests.length, status.requests, performance.now()]
    while (performance.now() < started + 2000 || gateway.requests.length < before + 2) await meanwhile()
    const hosted = gateway.requests.length - before
    const looks = Math.ceil((performance.now() - started) / intervalMs)
    return { looks, hosted, statuses: status.requests - statusesBefore }
  }
  try {
    await withApi(
      async (url) => {
        const idle = await countWhile(() => sleep(20))
        const busy = await countWhile(async () => {
          gateway.heads = gateway.heads.map((head) => head + 1)
          await Promise.all(Array.from({ length: 10 }, () => ask(url, QUESTIONS[0] ?? '')))
        })
        console.log(`requests while idle ${JSON.stringify(idle)}, busy on a chain that moves ${JSON.stringify(busy)}`)
        for (const { looks, hosted } of [idle, busy]) expect(hosted).toBeLessThanOrEqual(looks + 1)
        // The head of the chain, and when it moved whether the last block is still on it.
        expect(idle.statuses).toBeLessThanOrEqual(idle.looks + 1)
        expect(busy.statuses).toBeLessThanOrEqual(2 * (busy.looks + 1))
      },
      { ...hostedChain(), statusUrl: status.url },
      { intervalMs },
    )
  } finally {
    status.close()
  }
})

describe('npm start with subgraphs of others', () => {
  const second = { path: '/query/123/mirror/v0.0.1?x=a,b', header: 'x-api-key', value: 'an0ther-s3cret' }
  let mirror: StandInGateway
  beforeAll(async () => {
    mirror = await StandInGateway.before(ownChain(), second, LAST_BLOCK)
  })
  afterAll(() => mirror.close())

  function start(more: string[], program?: string[]): StackCommand {
    const subgraphs = ['--subgraph', `recorded=${gateway.url}`, '--subgraph', `mirror=${mirror.url}`]
    const statuses = ['recorded', 'mirror'].flatMap((name) => ['--status', `${name}=${ownChain().statusUrl}`])
    const args = ['--port', '0', '--trace', SMALL_TRACE, ...subgraphs, ...statuses, ...more]
    const lines = [`recorded=Authorization: ${DOOR.value}`, `mirror=X-Api-Key: ${second.value}`]
    return new StackCommand(folder, args, { SUBGRAPH_HEADER: lines.join('\n') }, program)
  }

  test('sends each header to its own subgraph, and lets clients go when it is told to end', async () => {
    const before = [gateway, mirror].map(({ requests }) => requests.length)
    const command = start(['--host', '::', '--drain', '3'])
    const [, url = ''] = await command.line(/^ready (http:\/\/\[::1\]:\d+)$/)
    const sent = [gateway, mirror].map(({ requests }, index) => requests.slice(before[index]))
    expect(sent.every((requests) => requests.length > 0)).toBe(true)
    for (const { path, headers } of sent[0] ?? []) {
      expect([path, headers.authorization, headers['x-api-key']]).toEqual([DOOR.path, DOOR.value, undefined])
    }
    for (const { path, headers } of sent[1] ?? []) {
      expect([path, headers.authorization, headers['x-api-key']]).toEqual([second.path, undefined, second.value])
    }
    const local = url.replace('[::1]', '127.0.0.1')
    expect((await fetch(`${local}/ready`)).status).toBe(200)

    const unfinished = await halfOfARequest(local)
    const load = autocannon({
      url: `${local}/graphql?query=${encodeURIComponent(QUESTIONS[0] ?? '')}`,
      duration: 3,
      timeout: 30,
    })
    await sleep(700)
    const told = performance.now()
    command.process.kill('SIGTERM')
    await until(async () => (await fetch(`${local}/ready`)).status === 503)
    expect(performance.now() - told).toBeLessThan(2000)
    const response = await fetch(`${local}/health`)
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close'])
    const { errors, timeouts, non2xx, requests } = await load
    expect({ errors, timeouts, non2xx }).toEqual({ errors: 0, timeouts: 0, non2xx: 0 })
    expect(requests.total).toBeGreaterThan(50)
    // Nobody is let in any more, and who was is answered.
    await until(() =>
      fetch(`${local}/health`).then(
        () => false,
        () => true,
      ),
    )
    expect(command.process.exitCode).toBeNull()
    expect(await unfinished.finish()).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n[\s\S]*"data":\{"__typename":"Query"\}/,
    )
    expect(await command.exited).toBe(0)
    expect(performance.now() - told).toBeGreaterThan(3000)
    const printed = command.stderr + command.lines.join('\n')
    for (const secret of [KEY, second.value]) expect(printed).not.toContain(secret)
    expect(command.stderr).toBe('')
  })

  test('runs as what is built of the API alone, and ends at once when it is told a second time', async () => {
    execFileSync('npm', ['run', '--silent', 'build:api'])
    const command = start(['--alone', '--drain', '600'], ['build/api/stack/start.js'])
    const [, url = ''] = await command.line(/^ready (.*)$/)
    const [question = ''] = QUESTIONS
    expect(await ask(url, question)).toEqual(await ask(stack.url, question))
    const page = await fetch(`${url}/`, { headers: { accept: 'text/html' } })
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('src="/assets/')])
    command.process.kill('SIGTERM')
    await until(async () => (await fetch(`${url}/ready`)).status === 503)
    await sleep(600)
    const told = performance.now()
    expect(await command.kill('SIGTERM')).toBe(0)
    expect(performance.now() - told).toBeLessThan(3000)
  })
})

/** A request that is on its way, of which the rest is sent when it is to be answered. */
async function halfOfARequest(url: string): Promise<{ finish: () => Promise<string> }> {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify({ query: '{ __typename }' })
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text
  })
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.write(
    `POST /graphql HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
  )
  return {
    finish: async () => {
      socket.write(body.slice(5))
      await ended
      return answer
    },
  }
}
