import { get as httpGet, type IncomingMessage } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { finished } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { HeldFacts } from '../../api/facts/facts.ts'
import type { FactsSource } from '../../api/facts/followed-chain.ts'
import { type Lists, Names } from '../../api/facts/series.ts'
import { StakeFacts } from '../../api/facts/stake.ts'
import { Histories } from '../../api/files/history.ts'
import { DEFAULT_LIMITS } from '../../api/graphql/limits.ts'
import type { ApiServer } from '../../api/server.ts'
import { FOLLOWED_WELL, NO_FACTS } from '../no-facts.ts'
import { serveFacts } from '../system/serve.ts'

const ACCOUNTS = 10_000
const TRANSCODERS = 100
const CHANGES = 31
/** The last change is of a round that is yet to begin. */
const ROWS = ACCOUNTS * (CHANGES - 1)
const ROUNDS = 2 * CHANGES
const LAST_BLOCK = ROUNDS * 50
const LPT = 10n ** 18n
const MEGABYTE = 1_000_000

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const account = (index: number) => `0x${(index + 1).toString(16).padStart(40, '0')}`
const hash = (index: number) => `0x${index.toString(16).padStart(64, '1')}`

/** A change of every account in every second round. */
function changes<Entity>(accounts: number, entityOf: (index: number, change: number) => Entity): Entity[] {
  return Array.from({ length: accounts * CHANGES }, (_, number) =>
    entityOf(number % accounts, Math.floor(number / accounts)),
  )
}

function madeUpLists(): Lists {
  const from = (change: number) => ({ fromRound: 2 * change + 2, fromBlock: (2 * change + 1) * 50 + 1, exact: true })
  return {
    ...NO_FACTS,
    delegatorPositions: changes(ACCOUNTS, (index, change) => ({
      id: account(index),
      delegate: { id: account(index % TRANSCODERS) },
      bondedAmount: String(LPT * BigInt(index + 7) + BigInt(change) * 98_765_432_101_234n),
      lastClaimRound: 2 * change + 1,
      ...from(change),
    })),
    transcoderPositions: changes(TRANSCODERS, (index, change) => ({
      id: account(index),
      delegatedAmount: String(LPT * 50_000n * BigInt(index + 1) + BigInt(change)),
      ...{ activationRound: 2, deactivationRound: 2147483647, inPool: true, lastRewardRound: 2 * change + 1 },
      cumulativeRewardFactor: String(10n ** 27n + BigInt(change) * 12_345_678_901_234_567n),
      cumulativeRewards: '123',
      ...from(change),
    })),
    rounds: Array.from({ length: ROUNDS - 1 }, (_, index) => {
      const round = index + 1
      const at = { round, block: round * 50, logIndex: 0, timestamp: '1700000000', transactionHash: hash(round) }
      const totals = { totalActiveStake: '5000', totalStake: '6000', activeSetTold: true }
      return { number: round, ...totals, blockHash: hash(round), ...at }
    }),
  }
}

function madeUpSource(): FactsSource {
  const held = new HeldFacts(new Names())
  held.addFinal(madeUpLists(), LAST_BLOCK)
  const about = { timestamp: 1_700_000_000, deployment: 'made up', hasIndexingErrors: false }
  const head = { block: LAST_BLOCK, blockHash: hash(1), ...about }
  const totals = { nextRoundTotalActiveStake: 1n, totalStake: 2n, roundsManager: null, ownBlocksEndPolls: false }
  const facts = held.asOf(head, { ...totals, l1: null })
  return {
    ...{ network: 'made-up', roundLength: 50, lptAddresses: [], facts },
    factsAt: async () => facts,
    roundAt: async ({ currentRound }) => currentRound,
    state: {
      ...FOLLOWED_WELL,
      ...{ head, firstRound: 1, currentRound: ROUNDS - 1, isL1: false, facts: held.count },
      chainHead: { block: LAST_BLOCK, timestamp: null, synced: true },
    },
  }
}

describe('a history of 300,000 rows', () => {
  let server: ApiServer
  beforeAll(async () => {
    server = await serveFacts([madeUpSource()])
    // What must be known before the first byte, and what is compiled once, is not what is measured here.
    for (const format of ['csv', 'ndjson', 'parquet']) await drain(await begin(`/history.${format}?toRound=3`))
    for (const format of ['csv', 'ndjson', 'parquet']) (await begin(`/history.${format}`)).destroy()
  })
  afterAll(() => server?.close())

  /** An answer of which nothing is read yet. */
  function begin(path: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      httpGet(server.url + path, resolve).once('error', reject)
    })
  }

  /** What is held once garbage is gone, bytes. */
  function held(): number {
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }

  async function drain(
    answer: IncomingMessage,
    look = (_bytes: number) => {},
  ): Promise<{ bytes: number; lines: number }> {
    let [bytes, lines] = [0, 0]
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length
      for (const byte of chunk) if (byte === 10) lines += 1
      look(bytes)
    }
    return { bytes, lines }
  }

  test.each(['csv', 'ndjson', 'parquet'])('as %s is never in memory as a whole', async (format) => {
    const before = held()
    let [most, looked] = [0, 0]
    const { bytes, lines } = await drain(await begin(`/history.${format}`), (sent) => {
      if (sent < looked + (format === 'parquet' ? 0.5 : 5) * MEGABYTE) return
      looked = sent
      most = Math.max(most, held() - before)
    })
    console.log(`${format}: ${(bytes / MEGABYTE).toFixed(1)} MB, ${(most / MEGABYTE).toFixed(1)} MB held at most`)
    expect(most).toBeLessThan(25 * MEGABYTE)
    // A line each and the header's; a Parquet file is as small as it is, and its rows take some 100 MB in memory.
    if (format === 'ndjson') expect(lines).toBe(ROWS + 1)
    expect(bytes).toBeGreaterThan((format === 'parquet' ? 3 : 50) * MEGABYTE)
    expect(looked).toBeGreaterThan(0)
  })

  test('is made no faster than its client reads', async () => {
    const spans = vi.spyOn(StakeFacts.prototype, 'spans')
    try {
      const answer = await begin('/history.csv')
      await pause(2000)
      const made = spans.mock.calls.length
      expect(made).toBeGreaterThan(0)
      expect(made).toBeLessThan(ACCOUNTS / 2)
      await pause(1000)
      expect(spans.mock.calls.length).toBe(made)
      answer.destroy()
    } finally {
      spans.mockRestore()
    }
  })

  test.each(['csv', 'ndjson', 'parquet'])('is made no further once its client left: %s', async (format) => {
    const spans = vi.spyOn(StakeFacts.prototype, 'spans')
    try {
      const answer = await begin(`/history.${format}`)
      for await (const _ of answer) break
      await pause(300)
      const made = spans.mock.calls.length
      expect(made).toBeGreaterThan(0)
      expect(made).toBeLessThan(ACCOUNTS / 2)
      await pause(700)
      expect(spans.mock.calls.length).toBe(made)
    } finally {
      spans.mockRestore()
    }
  })

  /** Answers of which nothing is read any more, so many as are sent at once. */
  function takeAllPlaces(): Promise<IncomingMessage[]> {
    return Promise.all(Array.from({ length: DEFAULT_LIMITS.histories }, () => begin('/history.csv')))
  }

  test('is refused for a while where all are taken, whatever is asked of it; nothing else is', async () => {
    const taken = await takeAllPlaces()
    try {
      const started = Date.now()
      const refused = await Promise.all(
        ['csv', 'ndjson?toRound=3', 'parquet'].map((name) => fetch(`${server.url}/history.${name}`)),
      )
      const waited = Date.now() - started
      for (const answer of refused) {
        expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('cache-control')]).toEqual([
          503,
          '10',
          'no-store',
        ])
        expect(await answer.json()).toEqual({
          error: {
            code: 'LIMIT_EXCEEDED',
            message:
              'histories limit of 4 at once exceeded: all of them are taken now, ask again later; see the limits in the schema',
          },
        })
      }
      expect(waited).toBeGreaterThan(4500)
      // What cannot be answered anyway waits for nobody.
      expect((await fetch(`${server.url}/history.csv?toRound=x`)).status).toBe(400)
      expect((await fetch(`${server.url}/snapshots/3.csv`)).status).toBe(200)
    } finally {
      for (const answer of taken) answer.destroy()
    }
  })

  test('is sent as soon as another one ends or is broken off, in the order asked; who left meanwhile is passed over', async () => {
    const made = vi.spyOn(Histories.prototype, 'file')
    const arrived = async () => {
      await pause(300)
      await fetch(`${server.url}/health`)
    }
    try {
      const [first, ...others] = await takeAllPlaces()
      const left = new AbortController()
      const gone = fetch(`${server.url}/history.csv`, { signal: left.signal }).catch((error: Error) => error.name)
      await arrived()
      const next = begin('/history.ndjson?toRound=3')
      await arrived()
      const last = begin('/history.parquet?toRound=3')
      await arrived()
      left.abort()
      expect(await gone).toBe('AbortError')
      await arrived()
      expect(made).toHaveBeenCalledTimes(DEFAULT_LIMITS.histories)
      first?.destroy()
      const answer = await next
      expect([answer.statusCode, made.mock.lastCall?.[2]]).toEqual([200, 'ndjson'])
      await drain(answer)
      expect([(await last).statusCode, made.mock.lastCall?.[2]]).toEqual([200, 'parquet'])
      await drain(await last)
      expect(made).toHaveBeenCalledTimes(DEFAULT_LIMITS.histories + 2)
      for (const one of others) one.destroy()
      const all = await takeAllPlaces()
      expect(all.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200])
      for (const one of all) one.destroy()
    } finally {
      made.mockRestore()
    }
  })

  test('is cut off where its client takes nothing of it, which frees its place; not where it reads slowly', async () => {
    const strict = await serveFacts([madeUpSource()], { limits: { histories: 2, stalledMilliseconds: 3000 } })
    const ask = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        httpGet(`${strict.url}/history.csv`, resolve).once('error', reject)
      })
    try {
      const [stalled, slow] = await Promise.all([ask(), ask()])
      let isFree = false
      const waiting = (async () => {
        while (!isFree) isFree = (await fetch(`${strict.url}/history.ndjson?toRound=3`)).status === 200
      })()
      for await (const _ of slow as AsyncIterable<Buffer>) {
        await pause(30)
        if (isFree) break
      }
      await waiting
      stalled.resume()
      await expect(finished(stalled)).rejects.toMatchObject({ code: 'ECONNRESET' })
    } finally {
      await strict.close()
    }
  })

  test('lets others have their turn', async () => {
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    let asked = 0
    let isDone = false
    const others = async () => {
      while (!isDone) {
        const query = encodeURIComponent(`{ votingPower(account: "${account(asked % ACCOUNTS)}", round: 9) { votes } }`)
        const answer = await fetch(`${server.url}/graphql?query=${query}`)
        expect(await answer.json()).not.toHaveProperty('errors')
        asked += 1
      }
    }
    const waiting = others()
    await Promise.all(['csv', 'ndjson', 'parquet'].map(async (format) => drain(await begin(`/history.${format}`))))
    isDone = true
    await waiting
    delay.disable()
    const [p99, max] = [delay.percentile(99) / 1e6, delay.max / 1e6]
    console.log(
      `${asked} requests beside: event loop delayed by ${p99.toFixed(0)} ms at p99, ${max.toFixed(0)} ms at most`,
    )
    // A file made in one go keeps everybody waiting for some four seconds; a busy machine is slow by itself.
    expect(asked).toBeGreaterThan(50)
    expect(max).toBeLessThan(1500)
  })
})
