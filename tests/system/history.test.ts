import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { GraphQLClient } from 'graphql-request'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askDuckDb } from '../duckdb.ts'
import { cli } from './cli-command.ts'
import { type LivepeerTruth, readTruth } from './livepeer-truth.ts'
import { serveShared } from './shared-chains.ts'

type Row = Record<string, unknown>

const NETWORKS = ['recorded', 'recorded-3']
const L1 = 'recorded-3'
const folder = mkdtempSync(join(tmpdir(), 'history-'))
const parquetOf = (network: string) => join(folder, `${network}.parquet`)
let stack: Awaited<ReturnType<typeof serveShared>>

beforeAll(async () => {
  stack = await serveShared('livepeer/medium', 'livepeer-l1/small')
  for (const network of NETWORKS) {
    const answer = await get(`/history.parquet?network=${network}`)
    writeFileSync(parquetOf(network), Buffer.from(await answer.arrayBuffer()))
  }
})
afterAll(async () => {
  await stack?.close()
  rmSync(folder, { recursive: true })
})

function get(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${stack.url}${path}`, init)
}

async function linesOf(path: string): Promise<Row[]> {
  const text = await (await get(path)).text()
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
}

interface Total {
  number: number
  totalActiveStake: string
}

async function rounds(network: string): Promise<Total[]> {
  const { rounds: page } = await new GraphQLClient(`${stack.url}/graphql`).request<{ rounds: { nodes: Total[] } }>(
    `{ rounds(first: 1000, network: "${network}") { nodes { number totalActiveStake } } }`,
  )
  return page.nodes.toSorted((a, b) => a.number - b.number)
}

/** Total active stake of each round, summed over a Parquet file. */
async function sums(file: string, numbers: readonly number[]): Promise<Total[]> {
  const asked = numbers.map((number) => `(${number})`).join(', ')
  const rows = await askDuckDb<Total>(`
    SELECT number, coalesce(sum(delegatedAmount), 0)::VARCHAR AS totalActiveStake
    FROM (VALUES ${asked}) AS rounds(number) LEFT JOIN '${file}'
      ON fromRound <= number AND (untilRound IS NULL OR untilRound > number)
      AND activationRound <= number AND deactivationRound > number
    GROUP BY number ORDER BY number`)
  return rows
}

test.each(NETWORKS)('the sums of the history of %s are the total active stake of all rounds', async (network) => {
  const known = await rounds(network)
  expect(
    await sums(
      parquetOf(network),
      known.map(({ number }) => number),
    ),
  ).toEqual(known)
  expect(known.length).toBeGreaterThan(10)
  expect(known.some(({ totalActiveStake }) => BigInt(totalActiveStake) > 10n ** 18n)).toBe(true)
})

test('and what the contracts answered, of rounds that nobody initialised too', async () => {
  const { votesAtRoundStart, meta } = readTruth<LivepeerTruth>('livepeer/medium')
  const told = votesAtRoundStart.rounds
    .map((number, index) => ({ number, totalActiveStake: votesAtRoundStart.totalActiveStake[index] ?? '' }))
    .filter(({ number }) => number >= meta.firstRound && number <= (meta.initializedRounds.at(-1) ?? 0))
  expect(
    await sums(
      parquetOf('recorded'),
      told.map(({ number }) => number),
    ),
  ).toEqual(told)
  expect(told.length).toBeGreaterThan(10)
})

test('its rows at a round are the snapshot of that round, of every round', async () => {
  let compared = 0
  for (const network of NETWORKS.filter((one) => one !== L1)) {
    for (const { number } of await rounds(network)) {
      const [, ...holders] = await linesOf(`/snapshots/${number}.ndjson?network=${network}`)
      const rows = await askDuckDb<Row>(`
        SELECT account, bondedAmount, delegatedAmount AS delegatedStake, delegate, isTranscoder,
          activationRound <= ${number} AND deactivationRound > ${number} AS isActive
        FROM '${parquetOf(network)}'
        WHERE fromRound <= ${number} AND (untilRound IS NULL OR untilRound > ${number}) AND bondedAmount > 0
        ORDER BY account`)
      const expected = holders
        .map(({ account, bondedAmount, delegatedStake, delegate, isTranscoder, isActive }) => {
          // A snapshot names no delegate where that is the zero address.
          const of = delegate ?? `0x${'0'.repeat(40)}`
          return { account, bondedAmount, delegatedStake, delegate: of, isTranscoder, isActive }
        })
        .sort((a, b) => (String(a.account) < String(b.account) ? -1 : 1))
      expect(rows).toEqual(expected)
      compared += rows.length
    }
  }
  console.log(`${compared} rows of histories and snapshots compared`)
  expect(compared).toBeGreaterThan(500)
})

test.each(NETWORKS)('all formats have the same rows: %s', async (network) => {
  const [head, ...rows] = await linesOf(`/history.ndjson?network=${network}`)
  const csv = await (await get(`/history.csv?network=${network}`)).text()
  const cells = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [key, String(value ?? '')])),
  )
  expect(parse(csv, { columns: true, comment: '# ', comment_no_infix: true })).toEqual(cells)
  expect(await askDuckDb(`SELECT * FROM '${parquetOf(network)}'`)).toEqual(rows)
  expect(head).toMatchObject({ network, inexactRounds: null, rows: rows.length })
  expect(rows.length).toBeGreaterThan(10)
  const untold = rows.filter(({ bondedAmount, bondExact }) => bondedAmount === null && bondExact === null)
  expect([network, untold.length, typeof head?.note]).toEqual(
    network === L1 ? [network, rows.length, 'string'] : [network, 0, 'object'],
  )
})

test('a closed history is the same for good; the latest one, which the next round changes, is not kept', async () => {
  const closed = await get('/history.csv?toRound=20&network=recorded')
  expect(closed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable, no-transform')
  const [head, ...rows] = await linesOf('/history.ndjson?toRound=20&network=recorded')
  expect(head).toMatchObject({ toRound: 20, final: true, rows: rows.length })
  const known = (await linesOf('/history.ndjson?network=recorded')).filter(({ fromRound }) => Number(fromRound) <= 20)
  expect(rows).toEqual(
    known.map((row) => (row.untilRound !== null && Number(row.untilRound) > 20 ? { ...row, untilRound: null } : row)),
  )
  const latest = await get('/history.csv?network=recorded')
  expect(latest.headers.get('cache-control')).toBe('public, max-age=5, no-transform')
  expect(latest.headers.get('accept-ranges')).toBe('none')
  const etag = latest.headers.get('etag') ?? ''
  expect(etag).toMatch(/^W\/"[\w-]{43}"$/)
  expect(new Set([etag, closed.headers.get('etag'), (await get('/history.ndjson')).headers.get('etag')]).size).toBe(3)
  const headers = { 'if-none-match': etag, 'cache-control': 'max-age=0' }
  expect((await get('/history.csv?network=recorded', { headers })).status).toBe(304)
  const about = await get('/history.parquet', { method: 'HEAD' })
  expect([about.status, about.headers.get('content-type'), await about.text()]).toEqual([
    200,
    'application/vnd.apache.parquet',
    '',
  ])
})

test.each([
  ['/history.json', 404, 'NOT_FOUND', 'csv, ndjson, parquet'],
  ['/history.csv?toRound=99999', 404, 'ROUND_IN_FUTURE', 'rounds'],
  ['/history.csv?toRound=x', 400, 'BAD_USER_INPUT', 'toRound'],
  ['/history.csv?round=9', 400, 'BAD_USER_INPUT', 'network, toRound'],
  ['/history.csv?network=nowhere', 400, 'BAD_USER_INPUT', 'recorded'],
])('%s is refused with a code', async (path, status, code, message) => {
  const answer = await get(path)
  const { error } = (await answer.json()) as { error: { code: string; message: string } }
  expect([answer.status, error.code]).toEqual([status, code])
  expect(error.message).toContain(message)
})

test('the command line gives the very files', async () => {
  const csv = await cli(stack.url, 'history', '--network', 'recorded', '--to-round', '20')
  expect(csv).toEqual({
    code: 0,
    stdout: await (await get('/history.csv?network=recorded&toRound=20')).text(),
    stderr: '',
  })
  const file = join(folder, 'downloaded.parquet')
  for (const format of [[], ['--format', 'parquet']]) {
    const whole = readFileSync(parquetOf('recorded'))
    const { code, stderr } = await cli(stack.url, 'history', '--network', 'recorded', '--output', file, ...format)
    expect([code, stderr]).toEqual([0, `${file}: ${whole.length} bytes\n`])
    expect(readFileSync(file)).toEqual(whole)
  }
  expect((await cli(stack.url, 'history', '--format', 'json')).code).toBe(1)
})
