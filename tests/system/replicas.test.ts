import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeFunctionResult, parseAbi, toFunctionSelector } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { recordedContracts } from '../../stack/chain-plan.ts'
import { GraphNode, type GraphNodePorts, startGraphNode } from '../../stack/graph-node.ts'
import { startPostgres } from '../../stack/postgres.ts'
import { freePorts, ProcessTable, waitFor } from '../../stack/processes.ts'
import { RecordedChain, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { buildSubgraph, chooseSubgraph, writeNetworkBuild } from '../../stack/subgraph-build.ts'
import { readTrace, type Trace } from '../../stack/trace.ts'
import { Balancer } from './balancer.ts'
import { CachingProxy } from './caching-proxy.ts'
import { makeFolder, processesLeft, SMALL_TRACE, StackCommand, writeTrace } from './stack-command.ts'

// As in deploy/: two graph-nodes on one PostgreSQL, one indexing and one answering, and two APIs of which each is as good
// as the other, behind proxies. The chain grows while parts of it are killed.

const NAME = 'livepeer-governance/recorded'
const SNAPSHOT =
  'query ($after: String, $first: Int!) { stakeSnapshot(round: 9) { holders(first: $first, after: $after) { nodes { account votes } pageInfo { endCursor } } } }'

const CURRENT_ROUND = parseAbi(['function currentRound() view returns (uint256)'])

/** A recorded chain whose RoundsManager tells the round by the clock, as any on a real chain does. */
class ClockedChain extends RecordedChain {
  override call(method: string, params: unknown[]): unknown {
    const { contracts, roundLength = 1 } = this.trace.header
    const [{ to = '', data = '' } = {}, tag] = params as [{ to?: string; data?: string }?, string?]
    const isAsked = data === toFunctionSelector(CURRENT_ROUND[0])
    if (method !== 'eth_call' || !isAsked || to.toLowerCase() !== contracts.RoundsManager?.toLowerCase()) {
      return super.call(method, params)
    }
    const block = tag === undefined || tag === 'latest' ? this.trace.lastBlock : Number(tag)
    return encodeFunctionResult({ abi: CURRENT_ROUND, result: BigInt(Math.floor(block / roundLength)) })
  }
}

const folder = makeFolder()
const processes = new ProcessTable(folder)
const stop = new AbortController()
const chains = new Map<string, RecordedChain>()
let trace: Trace
let chainServer: Awaited<ReturnType<typeof serveRecordedChains>>
let postgresUrl = ''
const ports: Record<'indexing' | 'answering', GraphNodePorts> = {
  indexing: { query: 0, admin: 0, status: 0, metrics: 0 },
  answering: { query: 0, admin: 0, status: 0, metrics: 0 },
}
const pids = { indexing: 0, answering: 0 }
let queries: Balancer
let manifest = ''
const apis: { command: StackCommand; url: string }[] = []
let balancer: Balancer

beforeAll(async () => {
  trace = await readTrace(SMALL_TRACE)
  await growTo(600)
  chainServer = await serveRecordedChains(chains)
  const [databasePort = 0, ...others] = await freePorts(9)
  for (const [index, role] of (['indexing', 'answering'] as const).entries()) {
    const [query = 0, admin = 0, status = 0, metrics = 0] = others.slice(4 * index)
    ports[role] = { query, admin, status, metrics }
  }
  const url = await startPostgres({
    ...part('postgresql'),
    port: databasePort,
    durable: false,
    databases: ['recorded'],
  })
  postgresUrl = new URL('recorded', url).href
  const contracts = recordedContracts(trace)
  const { manifest: source } = chooseSubgraph(resolve('.'), 'recorded', contracts, trace.header.likeness)
  const build = await buildSubgraph(resolve('.'), source, stop.signal)
  manifest = writeNetworkBuild(build, 'recorded', contracts, join(folder, 'builds'))
  const networks = Object.entries(contracts).map(([name, { address, startBlock }]) => [name, { address, startBlock }])
  writeFileSync(join(folder, 'networks.json'), JSON.stringify({ recorded: Object.fromEntries(networks) }))

  await startNode('indexing')
  await nodeOf('indexing').deploy(NAME, manifest)
  await startNode('answering')
  await indexedUpTo(600)
  queries = await Balancer.to([queryUrl('answering'), queryUrl('indexing')])
  for (const name of ['api-1', 'api-2']) {
    const command = new StackCommand(folder, [
      ...[
        '--port',
        '0',
        '--graph-node',
        queries.url,
        '--network',
        'recorded',
        '--rpc',
        `recorded=${chainServer.url}/rpc`,
      ],
      ...['--networks-file', join(folder, 'networks.json'), '--data-dir', join(folder, name), '--follow-every', '0.2'],
    ])
    apis.push({ command, url: '' })
  }
  await Promise.all(
    apis.map(async (api) => {
      const [, url = ''] = await api.command.line(/^ready (.*)$/)
      api.url = url
    }),
  )
  balancer = await Balancer.to(apis.map(({ url: target }) => target))
})

afterAll(async () => {
  await Promise.all(apis.map(({ command }) => command.kill('SIGKILL')))
  balancer?.close()
  queries?.close()
  stop.abort()
  await processes.stopAll({ immediately: true })
  await chainServer?.close()
  await processesLeft(folder, 10_000)
  rmSync(folder, { recursive: true })
})

function part(name: string) {
  return { dir: folder, logFile: join(folder, `${name}.log`), processes, signal: stop.signal, onExit: () => {} }
}

/** The chain's head is that block from now on. */
async function growTo(block: number): Promise<void> {
  const file = writeTrace(folder, `${block}.gz`, () => ({ lastBlock: block }))
  chains.set('rpc', new ClockedChain(await readTrace(file)))
}

async function startNode(role: 'indexing' | 'answering'): Promise<void> {
  const dir = join(folder, role)
  mkdirSync(dir, { recursive: true })
  const own = { GRAPH_NODE_ID: role, ...(role === 'answering' ? { DISABLE_BLOCK_INGESTOR: 'true' } : {}) }
  Object.assign(process.env, own)
  try {
    await startGraphNode({
      ...part(role),
      dir,
      ports: ports[role],
      postgresUrl,
      ipfsUrl: chainServer.url,
      chain: { network: 'recorded', rpcUrl: `${chainServer.url}/rpc`, recorded: false },
    })
  } finally {
    for (const name of Object.keys(own)) delete process.env[name]
  }
  const records = JSON.parse(readFileSync(join(folder, 'processes.json'), 'utf8')) as { role: string; pid: number }[]
  pids[role] = records.findLast((record) => record.role === 'graph-node')?.pid ?? 0
}

function nodeOf(role: 'indexing' | 'answering'): GraphNode {
  return new GraphNode(ports[role])
}

function queryUrl(role: 'indexing' | 'answering'): string {
  return `http://127.0.0.1:${ports[role].query}`
}

async function indexedUpTo(block: number): Promise<void> {
  const read = async () => (await nodeOf('indexing').status(NAME)).current?.latestBlock
  await waitFor(async () => (await read()) === block || undefined, AbortSignal.timeout(60_000))
}

async function ask<T>(url: string, query: string, variables: object = {}): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  const { data } = (await response.json()) as { data?: T }
  if (!data) throw new Error(`${response.status} of ${query}`)
  return data
}

interface Page {
  stakeSnapshot: { holders: { nodes: object[]; pageInfo: { endCursor: string } } }
}

async function page(url: string, first: number, after?: string): Promise<Page['stakeSnapshot']['holders']> {
  return (await ask<Page>(url, SNAPSHOT, { first, after })).stakeSnapshot.holders
}

/** Waits until both APIs have read that block. */
async function followedUpTo(block: number): Promise<void> {
  for (const { url } of apis) {
    const read = () => ask<{ status: unknown }>(url, '{ status { block stale } }')
    await expect
      .poll(read, { timeout: 60_000, interval: 100 })
      .toEqual({ status: [{ block: String(block), stale: false }] })
  }
}

const FILES = [
  'snapshots/9.csv',
  'snapshots/9.json',
  'snapshots/9/tree.json',
  'snapshots/block-500.ndjson',
  'allocations/9.json',
  'proposals.csv',
  'history.csv',
  'history.parquet',
]

test('files are the same bytes from both APIs, by the same name', async () => {
  const [one, other] = await Promise.all(
    apis.map(({ url }) =>
      Promise.all(
        FILES.map(async (file) => {
          const response = await fetch(`${url}/${file}`)
          const sha256 = createHash('sha256')
            .update(Buffer.from(await response.arrayBuffer()))
            .digest('hex')
          const [etag, vary] = ['etag', 'vary'].map((name) => response.headers.get(name))
          return { file, status: response.status, etag, vary, sha256 }
        }),
      ),
    ),
  )
  expect(other).toEqual(one)
  // What varied by what a client accepts, a cache would keep for each client or not at all.
  expect(one?.map(({ status, vary }) => [status, vary])).toEqual(FILES.map(() => [200, null]))
})

test('a cache keeps what is final, asks again for what is not, and keeps nothing that failed', async () => {
  const cache = await CachingProxy.to(apis[0]?.url ?? '')
  try {
    const get = async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${cache.url}/${path}`, { headers })
      return { status: response.status, etag: response.headers.get('etag'), text: await response.text() }
    }
    const waysOf = async (asking: () => Promise<unknown>) => {
      cache.ways.length = 0
      await asking()
      return cache.ways
    }

    const final = await get('snapshots/9.csv')
    expect(final.status).toBe(200)
    cache.ahead = 30 * 86_400_000
    expect(await waysOf(async () => expect(await get('snapshots/9.csv')).toEqual(final))).toEqual(['hit'])
    // A browser that has it already is told so by the cache.
    // Else fetch() asks for an answer that nobody kept.
    const anyAge = { 'cache-control': 'max-age=31536000', pragma: 'none' }
    const known = { 'if-none-match': final.etag ?? '', ...anyAge }
    expect(await waysOf(async () => expect((await get('snapshots/9.csv', known)).status).toBe(304))).toEqual(['hit'])

    cache.ahead = 0
    const open = await get('proposals.csv')
    expect(await waysOf(async () => expect(await get('proposals.csv')).toEqual(open))).toEqual(['hit'])
    cache.ahead = 6000
    expect(await waysOf(async () => expect(await get('proposals.csv')).toEqual(open))).toEqual(['revalidated'])
    expect(await waysOf(() => get('proposals.csv'))).toEqual(['hit'])

    const query = `graphql?query=${encodeURIComponent('{ status { block } }')}`
    expect(await waysOf(async () => expect(await get(query)).toEqual(await get(query)))).toEqual(['passed', 'hit'])

    for (const failing of ['snapshots/99999.csv', 'snapshots/x.csv', 'ready', 'status', 'graphql?query=%7B']) {
      expect(await waysOf(() => get(failing)), failing).toEqual(['passed'])
      expect(await waysOf(() => get(failing)), failing).toEqual(['passed'])
    }

    // The chain goes on: what is not final is another file, what is final the same.
    await growTo(900)
    await followedUpTo(900)
    cache.ahead = 20_000
    const later = await get('proposals.csv')
    expect([later.status, later.etag === open.etag, later.text === open.text]).toEqual([200, false, false])
    expect(await waysOf(async () => expect(await get('snapshots/9.csv')).toEqual(final))).toEqual(['hit'])
    expect(await (await fetch(`${apis[1]?.url}/snapshots/9.csv`)).text()).toBe(final.text)
  } finally {
    cache.close()
  }
})

test('the node that indexes is killed: the other answers on, and the index goes on where it was', async () => {
  const statuses = () => Promise.all(apis.map(async ({ url }) => (await fetch(`${url}/status`)).json()))
  const [before] = (await statuses()) as [[{ block: string }]]
  process.kill(pids.indexing, 'SIGKILL')
  await growTo(1100)
  const everybody = await page(apis[0]?.url ?? '', 100)
  for (let asked = 0; asked < 10; asked++) {
    expect((await page(balancer.url, 100)).nodes).toEqual(everybody.nodes)
    await sleep(100)
  }
  expect(await statuses()).toMatchObject(apis.map(() => [{ block: before[0].block, error: null }]))
  await startNode('indexing')
  await nodeOf('indexing').deploy(NAME, manifest)
  await followedUpTo(1100)
})

test('the node that answers is killed: the proxy asks the other, and nobody notices', async () => {
  process.kill(pids.answering, 'SIGKILL')
  await growTo(1300)
  await indexedUpTo(1300)
  await followedUpTo(1300)
})

test('every metric that alerts and dashboard name is told by the API or by graph-node', async () => {
  const told = await Promise.all(
    [apis[0]?.url, `http://127.0.0.1:${ports.indexing.metrics}`].map(async (url) =>
      (await fetch(`${url}/metrics`)).text(),
    ),
  )
  const names = new Set([...told.join('\n').matchAll(/^([a-z_:]\w*)(?:\{| )/gim)].map(([, name]) => name))
  const { groups } = parse(readFileSync('deploy/alerts.yaml', 'utf8')) as { groups: { rules: { expr: string }[] }[] }
  const { panels } = JSON.parse(readFileSync('deploy/dashboard.json', 'utf8')) as {
    panels: { title: string; targets: { expr: string }[] }[]
  }
  const asked = [
    ...groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ].flatMap(metricsIn)
  expect(asked.length).toBeGreaterThan(30)
  // Prometheus' own, of each target.
  expect([...new Set(asked)].filter((name) => !names.has(name) && name !== 'up')).toEqual([])
})

/** What is left of an expression of Prometheus without functions, labels, strings, numbers and operators. */
function metricsIn(expr: string): string[] {
  const bare = expr
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, '')
    .replace(/\b(?:by|without)\s*\([^)]*\)/g, '')
  return [...bare.matchAll(/\b[a-z_]\w*\b(?!\s*\()/gi)]
    .map(([name]) => name)
    .filter((name) => !/^(?:and|or|unless|sum|by)$/.test(name))
}

test('an API is killed under load: only what it had under way fails, and pages go on at the other', async () => {
  const [victim, other] = apis
  if (victim === undefined || other === undefined) throw new Error('there are no two APIs')
  const everybody = await page(other.url, 100)
  const first = await page(victim.url, 3)
  let asking = true
  let answered = 0
  const failed: { since: number; why: string }[] = []
  const clients = Array.from({ length: 8 }, async (_, client) => {
    while (asking) {
      const since = performance.now()
      try {
        if (client % 4 === 0) {
          const response = await fetch(`${balancer.url}/snapshots/9.csv`)
          if (response.status !== 200) throw new Error(String(response.status))
          await response.arrayBuffer()
        } else expect((await page(balancer.url, 100)).nodes).toEqual(everybody.nodes)
        answered += 1
      } catch (error) {
        failed.push({ since, why: String(error) })
      }
    }
  })
  await sleep(1000)
  const before = answered
  await victim.command.kill('SIGKILL')
  const gone = performance.now()
  await sleep(1500)
  asking = false
  await Promise.all(clients)

  expect(before).toBeGreaterThan(20)
  expect(answered - before).toBeGreaterThan(20)
  expect(failed.filter(({ since }) => since > gone)).toEqual([])
  expect(failed.length).toBeLessThanOrEqual(2 * clients.length)
  const rest = await page(balancer.url, 100, first.pageInfo.endCursor)
  expect([...first.nodes, ...rest.nodes]).toEqual(everybody.nodes)
})
