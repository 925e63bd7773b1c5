import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Chain } from '../../api/facts/followed-chain.ts'
import type { ApiServer } from '../../api/server.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { asOf, serve, serveFacts } from './serve.ts'
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
  proxy = await UpstreamProxy.to(chainOfStack().subgraphUrl)
  api = await serve([{ ...chainOfStack(), subgraphUrl: proxy.url }])
})
afterEach(() => proxy.turn('fine'))
afterAll(async () => {
  await api?.close()
  proxy?.close()
  await stack?.stop()
  rmSync(folder, { recursive: true })
})

function chainOfStack(): Chain {
  const [chain] = stack.chains
  if (chain === undefined) throw new Error('the stack has no chain')
  return chain
}

async function ask(query: string, url = api.url): Promise<Answer & { milliseconds: number; headers: Headers }> {
  const started = performance.now()
  const response = await fetch(`${url}/graphql?query=${encodeURIComponent(query)}`)
  const answer = (await response.json()) as Answer
  return { ...answer, milliseconds: performance.now() - started, headers: response.headers }
}

/** Asks until what the answer says of its chain is so; fails after ten seconds. */
async function until(isSo: (chain: Record<string, unknown>) => boolean, url: string): Promise<Answer> {
  for (const end = Date.now() + 10_000; ; ) {
    const answer = await ask(SNAPSHOT, url)
    const [chain = {}] = answer.extensions?.chains ?? []
    if (isSo(chain)) return answer
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(chain)}`)
    await sleep(50)
  }
}

const fresh = (url: string) => until(({ stale }) => stale === false, url)
const stale = (url: string) => until((chain) => chain.stale === true && chain.error === 'UPSTREAM_UNAVAILABLE', url)

test.each([
  ['a chain that never rests', { neverRests: true }, {}, true],
  ['the same, its head taken at any age', { neverRests: true }, { maxHeadAgeSeconds: 0 }, false],
  ['the same, its head not too old', { neverRests: true }, { maxHeadAgeSeconds: 2_000_000_000 }, false],
  ['a chain that may rest', {}, {}, false],
])(
  '%s: a node that stands still, whose index and head agree, is stale by the clock',
  async (_, more, following, isStale) => {
    const server = await serve([{ ...chainOfStack(), ...more }], {}, following)
    try {
      const query = '{ status { stale synced lagBlocks headAgeSeconds } }'
      const { data } = await ask(query, server.url)
      const age = expect.any(Number)
      expect(data).toEqual({ status: [{ stale: isStale, synced: !isStale, lagBlocks: '0', headAgeSeconds: age }] })
      expect((await fetch(`${server.url}/ready`)).status).toBe(isStale ? 503 : 200)
      expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(
        /^livepeer_api_head_age_seconds\{.*\} \d{7,}/m,
      )
    } finally {
      await server.close()
    }
  },
)

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
  const [chain] = stack.followed
  if (chain === undefined) throw new Error('the stack follows no chain')
  const behind = await serveFacts([asOf(chain, { block: 1000, timestamp: 1_700_000_000 })])
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

describe('while graph-node is in trouble answers go on from what is held, and say so in less than 3 seconds', () => {
  test.each<[string, Weather]>([
    ['down', 'down'],
    ['silent', 'silent'],
    ['a page of HTML', { answer: '<html>502 http://10.0.0.7:8000</html>', type: 'text/html' }],
    ['half an answer', { answer: '{"data":{"_meta"' }],
    ['no data', { answer: '{"data":null}' }],
    ['other data', { answer: '{"data":{"_meta":{"block":{"number":"x","hash":7}},"protocol":{"totalStake":"many"}}}' }],
    ['errors of its own', { answer: '{"errors":[{"message":"store error: postgres://10.0.0.7:5432 refused"}]}' }],
  ])('%s', async (_, weather) => {
    const before = await fresh(api.url)
    proxy.turn(weather)
    const since = performance.now()
    const during = await stale(api.url)
    expect(performance.now() - since).toBeLessThan(3000)
    expect(during.errors).toBeUndefined()
    expect(during.data).toEqual(before.data)
    const { data, headers } = await ask('{ status { network block synced stale error } }')
    expect(data?.status).toEqual([
      { network: 'recorded', block: String(LAST_BLOCK), synced: false, stale: true, error: expect.any(String) },
    ])
    expect(JSON.stringify(data)).not.toContain('10.0.0.7')
    expect(headers.get('chain-status')).toMatch(/stale=\?1;age-seconds=\d+;error="UPSTREAM_UNAVAILABLE"$/)
    expect((await fetch(`${api.url}/ready`)).status).toBe(503)
    proxy.turn('fine')
    expect((await fresh(api.url)).data).toEqual(before.data)
    expect((await fetch(`${api.url}/ready`)).status).toBe(200)
  })

  test('up to the age that those who run it set', async () => {
    const impatient = await serve([{ ...chainOfStack(), subgraphUrl: proxy.url }], {}, { maxAgeSeconds: 2 })
    try {
      await fresh(impatient.url)
      proxy.turn('down')
      await until((chain) => chain.ageSeconds === 2, impatient.url)
      await sleep(100)
      const { errors, headers } = await ask(SNAPSHOT, impatient.url)
      expect(errors?.map(({ message, extensions }) => ({ message, extensions }))).toEqual([
        {
          message: 'The index of recorded has not answered for 2 seconds; try again soon',
          extensions: { code: 'UPSTREAM_UNAVAILABLE' },
        },
      ])
      expect(headers.get('cache-control')).toBe('no-store')
      proxy.turn('fine')
      expect((await fresh(impatient.url)).errors).toBeUndefined()
    } finally {
      await impatient.close()
    }
  })

  test('stopped (SIGSTOP) and going on (SIGCONT)', async () => {
    const before = await fresh(stack.url)
    const pids = processesOf(folder).filter(({ command }) => /gnd|graph-node/.test(command))
    expect(pids.length).toBeGreaterThan(0)
    for (const { pid } of pids) process.kill(pid, 'SIGSTOP')
    try {
      expect((await stale(stack.url)).data).toEqual(before.data)
      const { milliseconds } = await ask('{ status { stale } }', stack.url)
      expect(milliseconds).toBeLessThan(1000)
      expect((await fetch(`${stack.url}/health`)).status).toBe(200)
    } finally {
      for (const { pid } of pids) process.kill(pid, 'SIGCONT')
    }
    expect((await fresh(stack.url)).data).toEqual(before.data)
  })
})

test('what is asked of graph-node and of the chain is the same, whatever is asked of the API', async () => {
  const status = await UpstreamProxy.to(chainOfStack().statusUrl ?? '')
  const server = await serve([{ ...chainOfStack(), subgraphUrl: proxy.url, statusUrl: status.url }])
  const countIn = async (milliseconds: number, meanwhile: () => Promise<unknown>) => {
    const before = proxy.requests + status.requests
    const end = performance.now() + milliseconds
    while (performance.now() < end) await meanwhile()
    return proxy.requests + status.requests - before
  }
  try {
    await api.close()
    const idle = await countIn(3000, () => sleep(50))
    const busy = await countIn(3000, () => Promise.all(Array.from({ length: 10 }, () => ask(SNAPSHOT, server.url))))
    // The head and the chain's, four times a second.
    expect(idle).toBeGreaterThan(10)
    expect(busy).toBeLessThanOrEqual(idle + 4)
  } finally {
    await server.close()
    status.close()
    api = await serve([{ ...chainOfStack(), subgraphUrl: proxy.url }])
  }
})

test('unknown is not fine: without the head of the chain nothing is synced, and what is old by the clock is stale', async () => {
  const { statusUrl: _, ...alone } = chainOfStack()
  const server = await serve([alone])
  try {
    const { data } = await ask('{ status { headBlock lagBlocks synced stale checked } }', server.url)
    expect(data?.status).toEqual([{ headBlock: null, lagBlocks: null, synced: false, stale: true, checked: false }])
    expect((await fetch(`${server.url}/ready`)).status).toBe(503)
  } finally {
    await server.close()
  }
})

test('/health, /ready, /status and /metrics tell those who run it', async () => {
  await ask('{ votingPower(account: "0x12", round: 9) { votes } }', stack.url)
  await ask(SNAPSHOT, stack.url)
  const text = async (path: string) => (await fetch(`${stack.url}${path}`)).text()
  expect(await text('/health')).toBe('up\n')
  expect(await text('/ready')).toBe('ready\n')
  expect(JSON.parse(await text('/status'))).toMatchObject([
    { network: 'recorded', block: String(LAST_BLOCK), lagBlocks: '0', stale: false, round: 29, error: null },
  ])
  const metrics = await text('/metrics')
  for (const line of [
    /^livepeer_api_requests_total\{operation="stakeSnapshot",status="ok"\} [1-9]/m,
    /^livepeer_api_errors_total\{code="BAD_USER_INPUT"\} 1$/m,
    /^livepeer_api_request_duration_seconds_bucket\{le="10",operation="stakeSnapshot"\} [1-9]/m,
    /^livepeer_api_rate_limited_total 0$/m,
    /^livepeer_api_upstream_seconds_count\{network="recorded",outcome="answered"\} [1-9]/m,
    /^livepeer_api_lag_blocks\{network="recorded"\} 0$/m,
    /^livepeer_api_lag_seconds\{network="recorded"\} 0$/m,
    new RegExp(`^livepeer_api_indexed_block\\{network="recorded"\\} ${LAST_BLOCK}$`, 'm'),
    /^livepeer_api_stale\{network="recorded"\} 0$/m,
    /^process_resident_memory_bytes \d+$/m,
  ]) {
    expect(metrics).toMatch(line)
  }
})

test('what strangers send becomes no label: only as many series as there are fields, paths and statuses', async () => {
  const server = await serve([chainOfStack()], { limits: { requestsPerMinute: 30 } })
  try {
    const hostile = ['zz_evil', 'zz_%22%7D%0Alivepeer_api_stale%201', `zz_${'e'.repeat(200)}`, 'zz_%00']
    for (const word of hostile) {
      const plain = word.replace(/\W/g, '')
      const documents = [
        `query ${plain} { status { block } }`,
        `{ ${plain}: status { block } }`,
        `{ ${plain} }`,
        `{ ...${plain} } fragment ${plain} on Query { status { block } }`,
        `query ${plain} { a: status { block } b: round { number } }`,
        `{ __typename ${word}`,
      ]
      for (const query of documents) await ask(query, server.url)
      for (const path of [
        `snapshots/${word}.json`,
        `snapshots/${word}/proof/${word}.json`,
        `proposals/${word}/votes.${word}`,
        `history.${word}`,
        `snapshots/9/${word}`,
        word,
      ]) {
        await fetch(`${server.url}/${path}`)
      }
    }
    await fetch(`${server.url}/snapshots/9.csv`)
    const { headers } = await fetch(`${server.url}/snapshots/9.csv`, { headers: { range: 'bytes=0-9' } })
    await fetch(`${server.url}/snapshots/9.csv`, {
      // Else fetch() asks for an answer that nobody kept.
      headers: { 'if-none-match': headers.get('etag') ?? '', 'cache-control': 'max-age=0' },
    })
    // A proxy's client that nobody said to trust is asked of as any other: the last of these are refused.
    for (let index = 0; index < 32; index++) {
      await fetch(`${server.url}/zz_evil`, { headers: { 'x-forwarded-for': 'zz_evil' } })
    }

    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).not.toMatch(/zz_/)
    const valuesOf = (metric: string) =>
      [...metrics.matchAll(new RegExp(`^${metric}\\{(.*)\\} \\d+$`, 'gm'))].map(([, labels]) => labels).sort()
    expect(valuesOf('livepeer_api_request_duration_seconds_count')).toEqual([
      'operation="invalid"',
      'operation="several"',
      'operation="status"',
    ])
    expect(valuesOf('livepeer_api_files_total')).toEqual([
      'kind="/history.:format",status="404"',
      'kind="/proposals/:id/votes.:format",status="404"',
      'kind="/snapshots/:file",status="200"',
      'kind="/snapshots/:file",status="206"',
      'kind="/snapshots/:file",status="304"',
      'kind="/snapshots/:file",status="400"',
      'kind="/snapshots/:moment/proof/:file",status="400"',
      'kind="other",status="404"',
    ])
    expect(metrics).toMatch(/^livepeer_api_rate_limited_total 2$/m)
  } finally {
    await server.close()
  }
})
