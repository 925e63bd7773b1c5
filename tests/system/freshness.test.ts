import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type ApiServer, createServer } from '../../api/server.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { makeFolder, processesOf, SMALL_TRACE } from './stack-command.ts'
import { UpstreamProxy, type Weather } from './upstream-proxy.ts'

interface Answer {
  data?: Record<string, unknown> | null
  errors?: { message: string; extensions: { code: string } }[]
  extensions?: { chains?: Record<string, unknown>[] }
}

const LAST_BLOCK = 1499
/** Reads the head, then a round, then everybody in it. */
const SNAPSHOT = '{ stakeSnapshot(round: 9) { holders(first: 3) { nodes { account votes } totalCount } } }'

const folder = makeFolder()
let stack: Stack
let proxy: UpstreamProxy
let api: ApiServer

beforeAll(async () => {
  stack = await startStack({ traces: [SMALL_TRACE], dataDir: folder })
  await stack.ready
  proxy = await UpstreamProxy.to(stack.chains[0]?.subgraphUrl ?? '')
  api = await serve({ subgraphUrl: proxy.url })
})
afterEach(() => proxy.turn('fine'))
afterAll(async () => {
  await api?.close()
  proxy?.close()
  await stack?.stop()
  rmSync(folder, { recursive: true })
})

/** An API over the stack's chain with some of its parts elsewhere. */
function serve(changes: { subgraphUrl?: string; asOf?: { block: number; timestamp?: number } }): Promise<ApiServer> {
  const [chain] = stack.chains
  if (chain === undefined) throw new Error('the stack has no chain')
  return createServer({ chains: [{ ...chain, ...changes }], port: 0, isReady: () => true })
}

async function ask(query: string, url = api.url): Promise<Answer & { milliseconds: number; headers: Headers }> {
  const started = performance.now()
  const response = await fetch(`${url}/graphql?query=${encodeURIComponent(query)}`)
  const answer = (await response.json()) as Answer
  return { ...answer, milliseconds: performance.now() - started, headers: response.headers }
}

/** Asks until the answer has no errors. */
async function recovered(url: string): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await ask(SNAPSHOT, url)
    if (answer.errors === undefined || tries === 20) return answer
    await sleep(250)
  }
}

function expectUnavailable(answer: Answer & { milliseconds: number; headers: Headers }): void {
  expect(answer.errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'UPSTREAM_UNAVAILABLE' }])
  expect(answer.errors?.[0]?.message).toBe('The index of recorded did not answer as expected; try again soon')
  expect(answer.milliseconds).toBeLessThan(2000)
  expect(answer.headers.get('cache-control')).toBe('no-store')
}

test('each answer tells, in extensions and a header, where the chains asked for it stand', async () => {
  const { extensions, headers } = await ask('{ status { block blockHash lagBlocks lagSeconds stale } }')
  const [chain] = extensions?.chains ?? []
  const hash = chain?.blockHash
  expect(hash).toMatch(/^0x[0-9a-f]{64}$/)
  expect(extensions?.chains).toEqual([
    { network: 'recorded', block: LAST_BLOCK, blockHash: hash, round: 29, lagBlocks: 0, lagSeconds: 0, stale: false },
  ])
  expect(headers.get('chain-status')).toBe(
    `"recorded";block=${LAST_BLOCK};hash="${hash}";round=29;lag-blocks=0;lag-seconds=0;stale=?0`,
  )
  expect((await ask('{ __typename }')).extensions?.chains).toBeUndefined()
})

test('an index far behind the head of its chain is stale, though it has no errors', async () => {
  const behind = await serve({ asOf: { block: 1000, timestamp: 1_700_000_000 } })
  try {
    const { data, extensions } = await ask('{ status { lagBlocks stale hasIndexingErrors } }', behind.url)
    expect(data?.status).toEqual([{ lagBlocks: String(LAST_BLOCK - 1000), stale: true, hasIndexingErrors: false }])
    expect(extensions?.chains).toMatchObject([{ block: 1000, lagBlocks: LAST_BLOCK - 1000, stale: true }])
    const [chain] = extensions?.chains ?? []
    expect(chain?.lagSeconds).toBeGreaterThan(0)
  } finally {
    await behind.close()
  }
})

describe('a graph-node in trouble is said so in less than 2 seconds, and its recovery seen by itself', () => {
  test.each<[string, Weather]>([
    ['down', 'down'],
    ['silent', 'silent'],
    ['a page of HTML', { answer: '<html>502 http://10.0.0.7:8000</html>', type: 'text/html' }],
    ['half an answer', { answer: '{"data":{"_meta"' }],
    ['no data', { answer: '{"data":null}' }],
    ['other data', { answer: '{"data":{"_meta":{"block":{"number":"x","hash":7}},"protocol":{"totalStake":"many"}}}' }],
    ['errors of its own', { answer: '{"errors":[{"message":"store error: postgres://10.0.0.7:5432 refused"}]}' }],
  ])('%s', async (_, weather) => {
    const before = await recovered(api.url)
    proxy.turn(weather)
    // What was known of the latest block a moment ago is not asked anew.
    await sleep(150)
    expectUnavailable(await ask(SNAPSHOT))
    const { data } = await ask('{ status { network block synced stale error } }')
    expect(data?.status).toEqual([
      {
        network: 'recorded',
        block: String(LAST_BLOCK),
        synced: false,
        stale: true,
        error: 'The index of recorded did not answer as expected; try again soon',
      },
    ])
    proxy.turn('fine')
    expect((await recovered(api.url)).data).toEqual(before.data)
  })

  test('going silent in the midst of several queries', async () => {
    proxy.turn({ delay: 300 })
    const answer = ask('{ stakeSnapshot(round: 11) { totalStake } }')
    // After the head was answered.
    await sleep(450)
    proxy.turn('silent')
    const silentSince = performance.now()
    const { errors } = await answer
    expect(errors?.[0]?.extensions.code).toBe('UPSTREAM_UNAVAILABLE')
    expect(performance.now() - silentSince).toBeLessThan(2000)
  })

  test('slow but alive is waited for', async () => {
    proxy.turn({ delay: 900 })
    const { data, errors, milliseconds } = await ask('{ stakeSnapshot(round: 12) { totalStake } }')
    expect(errors).toBeUndefined()
    expect(data?.stakeSnapshot).toBeTruthy()
    expect(milliseconds).toBeGreaterThan(1800)
  })

  test('stopped (SIGSTOP) and going on (SIGCONT)', async () => {
    const before = await recovered(stack.url)
    const pids = processesOf(folder).filter(({ command }) => /gnd|graph-node/.test(command))
    expect(pids.length).toBeGreaterThan(0)
    for (const { pid } of pids) process.kill(pid, 'SIGSTOP')
    try {
      await sleep(150)
      expectUnavailable(await ask(SNAPSHOT, stack.url))
      const { extensions, milliseconds } = await ask('{ status { stale } }', stack.url)
      expect(extensions?.chains).toMatchObject([
        { network: 'recorded', block: LAST_BLOCK, stale: true, error: 'UPSTREAM_UNAVAILABLE' },
      ])
      expect(milliseconds).toBeLessThan(2000)
      expect((await fetch(`${stack.url}/health`)).status).toBe(200)
    } finally {
      for (const { pid } of pids) process.kill(pid, 'SIGCONT')
    }
    expect((await recovered(stack.url)).data).toEqual(before.data)
  })
})

test('the head of a chain costs no query of its own with every answer', async () => {
  const status = await UpstreamProxy.to(stack.chains[0]?.statusUrl ?? '')
  const [chain] = stack.chains
  if (chain === undefined) throw new Error('the stack has no chain')
  const server = await createServer({ chains: [{ ...chain, statusUrl: status.url }], port: 0, isReady: () => true })
  try {
    for (let count = 0; count < 20; count++) await ask('{ status { lagBlocks } }', server.url)
    // Two a second: the head, and its time when it is a new one.
    expect(status.requests).toBeLessThan(10)
    expect(status.requests).toBeGreaterThan(0)
  } finally {
    await server.close()
    status.close()
  }
})

test('/health, /ready, /status and /metrics tell those who run it', async () => {
  await ask('{ votingPower(account: "0x12", round: 9) { votes } }')
  await ask(SNAPSHOT)
  const text = async (path: string) => (await fetch(`${api.url}${path}`)).text()
  expect(await text('/health')).toBe('up\n')
  expect(await text('/ready')).toBe('ready\n')
  expect(JSON.parse(await text('/status'))).toMatchObject([
    { network: 'recorded', block: String(LAST_BLOCK), lagBlocks: '0', stale: false, round: 29, error: null },
  ])
  const metrics = await text('/metrics')
  for (const line of [
    /^livepeer_api_requests_total\{operation="stakeSnapshot",status="ok"\} [1-9]/m,
    /^livepeer_api_errors_total\{code="BAD_USER_INPUT"\} 1$/m,
    /^livepeer_api_errors_total\{code="UPSTREAM_UNAVAILABLE"\} [1-9]/m,
    /^livepeer_api_upstream_seconds_count\{network="recorded",outcome="answered"\} [1-9]/m,
    /^livepeer_api_upstream_seconds_count\{network="recorded",outcome="failed"\} [1-9]/m,
    /^livepeer_api_lag_blocks\{network="recorded"\} 0$/m,
    /^livepeer_api_lag_seconds\{network="recorded"\} 0$/m,
    new RegExp(`^livepeer_api_indexed_block\\{network="recorded"\\} ${LAST_BLOCK}$`, 'm'),
    /^livepeer_api_stale\{network="recorded"\} 0$/m,
    /^process_resident_memory_bytes \d+$/m,
  ]) {
    expect(metrics).toMatch(line)
  }
})
