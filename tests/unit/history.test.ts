import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { HeldFacts, type Totals } from '../../api/facts/facts.ts'
import type { FactsSource } from '../../api/facts/followed-chain.ts'
import { type Lists, Names } from '../../api/facts/series.ts'
import { Histories, type HistoryFormat } from '../../api/files/history.ts'
import { ChainView } from '../../api/views/chain-view.ts'
import { Chains } from '../../api/views/chains.ts'
import { indexedChain } from '../../api/views/indexed-chain.ts'
import { VerificationRecord } from '../../api/views/verification-record.ts'
import { askDuckDb } from '../duckdb.ts'
import { FOLLOWED_WELL, NO_FACTS } from '../no-facts.ts'

const [A, B, C] = ['a', 'b', 'c'].map((digit) => `0x${digit.repeat(40)}`) as [string, string, string]
const NO_END = 2147483647
const hash = (number: number) => `0x${number.toString(16).padStart(64, '0')}`
const folder = mkdtempSync(join(tmpdir(), 'history-'))
afterAll(() => rmSync(folder, { recursive: true }))

function bond(id: string, fromRound: number, fromBlock: number, amount: string, more: object = {}) {
  const held = { id, delegate: { id: A }, bondedAmount: amount, lastClaimRound: fromRound - 1, exact: true }
  return { ...held, fromRound, fromBlock, ...more }
}

function delegation(fromRound: number, fromBlock: number, amount: string, more: object = {}) {
  const membership = { inPool: true, activationRound: 6, deactivationRound: NO_END, lastRewardRound: 0 }
  const rewards = { cumulativeRewardFactor: '0', cumulativeRewards: '0', exact: true }
  return { id: A, delegatedAmount: amount, ...membership, ...rewards, fromRound, fromBlock, ...more }
}

/** Rounds 5 to 8, each from the block of ten times its number on; the facts up to a mark are final. */
function chainsOf(
  lists: Partial<Lists>,
  { untold = [] as number[], mark = 75, l1 = null as Totals['l1'] } = {},
): Chains {
  const rounds = [5, 6, 7, 8].map((number) => ({
    ...{ number, round: number, totalActiveStake: '0', totalStake: '0', activeSetTold: !untold.includes(number) },
    ...{ blockHash: hash(number), block: number * 10, logIndex: 0, timestamp: '1700000000', transactionHash: hash(0) },
  }))
  const all: Lists = { ...NO_FACTS, rounds, ...lists }
  const part = (isIn: (block: number) => boolean): Lists => ({
    ...NO_FACTS,
    delegatorPositions: all.delegatorPositions.filter(({ fromBlock }) => isIn(fromBlock)),
    transcoderPositions: all.transcoderPositions.filter(({ fromBlock }) => isIn(fromBlock)),
    rounds: all.rounds.filter(({ block }) => isIn(block)),
    contradictions: all.contradictions.filter(({ block }) => isIn(block)),
  })
  const held = new HeldFacts(new Names())
  held.addFinal(
    part((block) => block <= mark),
    mark,
  )
  held.replaceTail(part((block) => block > mark))
  const about = { timestamp: 1_700_000_000, deployment: 'made up', hasIndexingErrors: false }
  const head = { block: 85, blockHash: hash(85), ...about }
  const totals = { nextRoundTotalActiveStake: 0n, totalStake: 0n, roundsManager: null, ownBlocksEndPolls: false }
  const facts = held.asOf(head, { ...totals, l1 })
  const source: FactsSource = {
    network: 'made-up',
    roundLength: 10,
    lptAddresses: [],
    facts,
    factsAt: async () => facts,
    roundAt: async ({ currentRound }) => currentRound,
    state: {
      ...FOLLOWED_WELL,
      head,
      firstRound: 5,
      currentRound: 8,
      isL1: l1 !== null,
    },
  }
  return new Chains([new ChainView(indexedChain(source, new VerificationRecord('TURNED_OFF')))])
}

async function bytesOf(chains: Chains, format: HistoryFormat, toRound: number | null = null): Promise<Buffer> {
  const { pieces } = await new Histories().file(chains, { network: undefined, toRound }, format)
  const all: Buffer[] = []
  for await (const piece of pieces()) all.push(piece)
  return Buffer.concat(all)
}

async function linesOf(chains: Chains, toRound: number | null = null): Promise<Record<string, unknown>[]> {
  const text = (await bytesOf(chains, 'ndjson', toRound)).toString()
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

const lists: Partial<Lists> = {
  delegatorPositions: [
    bond(B, 6, 51, '5'),
    bond(A, 6, 52, '10'),
    // Again in the same round: what held at no round's start is in no row.
    bond(B, 6, 53, '7'),
    bond(B, 8, 74, '9', { exact: false }),
    // Of a round that is yet to begin.
    bond(C, 9, 84, '3'),
  ],
  transcoderPositions: [
    delegation(6, 52, '17'),
    delegation(7, 65, '18', { lastRewardRound: 6, cumulativeRewardFactor: '1000000000000000000000000001' }),
    delegation(8, 76, '20', {
      exact: false,
      lastRewardRound: 6,
      cumulativeRewardFactor: '1000000000000000000000000001',
    }),
  ],
}

const NOTHING_DELEGATED = {
  ...{ delegatedAmount: '0', isTranscoder: false, inPool: false, activationRound: 0, deactivationRound: 0 },
  ...{
    lastRewardRound: 0,
    cumulativeRewardFactor: '0',
    cumulativeRewards: '0',
    bondExact: true,
    delegationExact: true,
  },
}
const OWN_BOND = { delegate: A, bondedAmount: '10', lastClaimRound: 5, startFactor: '0' }
const TRANSCODER = {
  ...{ isTranscoder: true, inPool: true, activationRound: 6, deactivationRound: NO_END, cumulativeRewards: '0' },
  ...{ bondExact: true, delegationExact: true },
}
const FACTOR = '1000000000000000000000000001'
const ROWS = [
  {
    ...{ account: A, fromRound: 6, untilRound: 7, ...OWN_BOND, delegatedAmount: '17', ...TRANSCODER },
    ...{ lastRewardRound: 0, cumulativeRewardFactor: '0' },
  },
  {
    ...{ account: A, fromRound: 7, untilRound: 8, ...OWN_BOND, delegatedAmount: '18', ...TRANSCODER },
    ...{ lastRewardRound: 6, cumulativeRewardFactor: FACTOR },
  },
  {
    ...{ account: A, fromRound: 8, untilRound: null, ...OWN_BOND, delegatedAmount: '20', ...TRANSCODER },
    ...{ lastRewardRound: 6, cumulativeRewardFactor: FACTOR, delegationExact: false },
  },
  {
    ...{ account: B, fromRound: 6, untilRound: 8, delegate: A, bondedAmount: '7', lastClaimRound: 5, startFactor: '0' },
    ...NOTHING_DELEGATED,
  },
  {
    ...{ account: B, fromRound: 8, untilRound: null, delegate: A, bondedAmount: '9', lastClaimRound: 7 },
    // No claim wrote to the pool of round 7.
    ...{ startFactor: '0', ...NOTHING_DELEGATED, bondExact: false },
  },
]
const HEAD = {
  format: 'livepeer-governance/history/1',
  rule: 'positions at the start of rounds, 1',
  ...{ network: 'made-up', firstRound: 5, toRound: 8, final: false, block: 80, blockHash: hash(8) },
  ...{ inexactRounds: '8', note: null, rows: 5 },
}

test('a row is an account and a span of rounds in which it had the same, by address, whatever is final already', async () => {
  for (const mark of [10, 52, 75]) expect(await linesOf(chainsOf(lists, { mark }))).toEqual([HEAD, ...ROWS])
})

test('up to a round it tells what was so then', async () => {
  const head = { ...HEAD, toRound: 7, final: true, block: 70, blockHash: hash(7), inexactRounds: null, rows: 3 }
  const latest = (row: (typeof ROWS)[number] | undefined) => ({ ...row, untilRound: null })
  expect(await linesOf(chainsOf(lists), 7)).toEqual([head, ROWS[0], latest(ROWS[1]), latest(ROWS[3])])
  expect(await linesOf(chainsOf(lists), 5)).toMatchObject([{ toRound: 5, rows: 0 }])
})

test('Parquet has the same rows, whatever it says of itself beside them, as 128-bit decimals', async () => {
  const largest = '9'.repeat(38)
  const large: Partial<Lists> = {
    ...lists,
    transcoderPositions: [...(lists.transcoderPositions ?? []), delegation(8, 77, largest, { exact: false })],
  }
  const chains = chainsOf(large)
  const file = join(folder, 'history.parquet')
  writeFileSync(file, await bytesOf(chains, 'parquet'))
  const [head, ...rows] = await linesOf(chains)
  expect(rows[2]).toMatchObject({ delegatedAmount: largest })
  expect(await askDuckDb(`SELECT * FROM '${file}'`)).toEqual(rows)
  const types = await askDuckDb(
    `SELECT name, type, type_length FROM parquet_schema('${file}') WHERE "precision" = 38 AND scale = 0`,
  )
  const names = ['bondedAmount', 'startFactor', 'delegatedAmount', 'cumulativeRewardFactor', 'cumulativeRewards']
  expect(types).toEqual(names.map((name) => ({ name, type: 'FIXED_LEN_BYTE_ARRAY', type_length: '16' })))
  const about = await askDuckDb<{ key: string; value: string }>(
    `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata('${file}')`,
  )
  expect(Object.fromEntries(about.map(({ key, value }) => [key, value]))).toEqual(
    Object.fromEntries(Object.entries(head ?? {}).map(([key, value]) => [key, String(value ?? '')])),
  )
  writeFileSync(file, await bytesOf(chains, 'parquet', 5))
  expect(await askDuckDb(`SELECT count(*) AS rows FROM '${file}'`)).toEqual([{ rows: '0' }])
})

test('Parquet of many rows has them all, to the wei', async () => {
  const many = Array.from({ length: 1777 }, (_, index) =>
    bond(`0x${(index + 1).toString(16).padStart(40, '0')}`, 6, 51, String(10n ** 30n + BigInt(index) ** 5n)),
  )
  const chains = chainsOf({ delegatorPositions: many })
  const file = join(folder, 'many.parquet')
  writeFileSync(file, await bytesOf(chains, 'parquet'))
  const [head, ...rows] = await linesOf(chains)
  expect(head).toMatchObject({ rows: 1777 })
  expect(await askDuckDb(`SELECT * FROM '${file}'`)).toEqual(rows)
})

test('what DECIMAL(38,0) does not hold is refused as Parquet only', async () => {
  const chains = chainsOf({ transcoderPositions: [delegation(8, 77, `1${'0'.repeat(38)}`)] })
  await expect(bytesOf(chains, 'parquet')).rejects.toMatchObject({ extensions: { code: 'NOT_EXACT' } })
  expect(await linesOf(chains)).toMatchObject([{ rows: 1 }, { delegatedAmount: `1${'0'.repeat(38)}` }])
})

test('on Ethereum L1 it is of delegates, without what events do not tell, and names rounds that cannot be summed', async () => {
  const l1 = { streamflowRound: null }
  const [head, first, ...others] = await linesOf(chainsOf(lists, { l1, untold: [6, 7] }))
  expect(head).toMatchObject({ inexactRounds: '6-8', note: expect.stringContaining('delegates only'), rows: 3 })
  const untold = { delegate: null, bondedAmount: null, lastClaimRound: null, startFactor: null, isTranscoder: null }
  const factors = { cumulativeRewardFactor: null, cumulativeRewards: null, bondExact: null }
  expect(first).toEqual({ ...ROWS[0], ...untold, ...factors })
  expect(others.map(({ account, delegatedAmount }) => [account, delegatedAmount])).toEqual([
    [A, '18'],
    [A, '20'],
  ])
})

test.each([
  [4, 'ROUND_NOT_INDEXED'],
  [9, 'ROUND_IN_FUTURE'],
  [10, 'ROUND_IN_FUTURE'],
])('up to round %i is %s', async (toRound, code) => {
  await expect(bytesOf(chainsOf(lists), 'csv', toRound)).rejects.toMatchObject({ extensions: { code } })
})
