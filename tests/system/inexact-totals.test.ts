import { GraphQLClient } from 'graphql-request'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HeldFacts } from '../../api/facts/facts.ts'
import type { FactsSource } from '../../api/facts/followed-chain.ts'
import { type Lists, Names } from '../../api/facts/series.ts'
import type { ApiServer } from '../../api/server.ts'
import { FOLLOWED_WELL, NO_FACTS } from '../no-facts.ts'
import { serveFacts } from './serve.ts'

const ROUNDS = 12
const LAST_BLOCK = ROUNDS * 50 + 10
const NO_END = 2147483647
const hash = (index: number) => `0x${index.toString(16).padStart(64, '1')}`
const log = (round: number) => {
  const at = { round, block: round * 50, logIndex: 0, timestamp: '1700000000' }
  return { ...at, transactionHash: hash(round) }
}
const [active, leaving, outside, delegator] = ['1', '2', '3', '4'].map((digit) => `0x${digit.repeat(40)}`) as [
  string,
  string,
  string,
  string,
]

/** A state from the start of a round on, as of the block before it. */
function transcoder(id: string, fromRound: number, deactivationRound: number, exact: boolean) {
  return {
    ...{ id, delegatedAmount: '1000', activationRound: deactivationRound === 0 ? 0 : 2, deactivationRound },
    ...{
      inPool: deactivationRound === NO_END,
      lastRewardRound: 0,
      cumulativeRewardFactor: '0',
      cumulativeRewards: '0',
    },
    ...{ exact, fromRound, fromBlock: fromRound * 50 - 10 },
  }
}

function bond(id: string, delegate: string, fromRound: number, exact: boolean) {
  const held = { delegate: { id: delegate }, bondedAmount: '1000', lastClaimRound: 1 }
  return { id, ...held, exact, fromRound, fromBlock: fromRound * 50 - 10 }
}

// One transcoder is contradicted in round 4 and leaves the active set in round 7; one that is contradicted in round 8
// never was in it; a delegator of one that stays is contradicted in round 9.
const lists: Lists = {
  ...NO_FACTS,
  delegatorPositions: [
    bond(active, active, 2, true),
    bond(leaving, leaving, 2, true),
    bond(delegator, active, 2, true),
    bond(delegator, active, 10, false),
  ],
  transcoderPositions: [
    transcoder(active, 2, NO_END, true),
    transcoder(leaving, 2, NO_END, true),
    transcoder(leaving, 5, NO_END, false),
    transcoder(leaving, 7, 7, false),
    transcoder(outside, 9, 0, false),
  ],
  rounds: Array.from({ length: ROUNDS }, (_, index) => {
    const number = index + 1
    return {
      number,
      totalActiveStake: '2000',
      totalStake: '3000',
      activeSetTold: true,
      blockHash: hash(number),
      ...log(number),
    }
  }),
}

function sourceOf(held: HeldFacts): FactsSource {
  const about = { timestamp: 1_700_000_000, deployment: 'made up', hasIndexingErrors: false }
  const head = { block: LAST_BLOCK, blockHash: hash(99), ...about }
  const none = { roundsManager: null, ownBlocksEndPolls: false, l1: null }
  const facts = held.asOf(head, { nextRoundTotalActiveStake: 2000n, totalStake: 3000n, ...none })
  return {
    ...{ network: 'made-up', roundLength: 50, lptAddresses: [], facts },
    factsAt: async () => facts,
    roundAt: async ({ currentRound }) => currentRound,
    state: {
      ...FOLLOWED_WELL,
      ...{ head, firstRound: 1, currentRound: ROUNDS, isL1: false, facts: held.count },
      chainHead: { block: LAST_BLOCK, timestamp: null, synced: true },
    },
  }
}

let server: ApiServer
beforeAll(async () => {
  const held = new HeldFacts(new Names())
  held.addFinal(lists, LAST_BLOCK)
  server = await serveFacts([sourceOf(held)])
})
afterAll(() => server.close())

const TOLD = { activeStake: '2000', allStake: '3000', holders: 3 }

test.each([
  { round: 4, ...TOLD, why: 'before anything was contradicted' },
  { round: 5, ...TOLD, activeStake: null, allStake: null, holders: null, why: 'one of the active set is contradicted' },
  { round: 7, ...TOLD, allStake: null, holders: null, why: 'it is active no more' },
  { round: 9, ...TOLD, allStake: null, holders: null, why: 'one that never was active is contradicted' },
  { round: 10, ...TOLD, allStake: null, holders: null, why: 'a delegator of an active one is contradicted' },
  { round: 13, ...TOLD, allStake: null, holders: null, why: 'the round to come' },
])('totals at the start of round $round: $why', async ({ round, activeStake, allStake, holders }) => {
  const client = new GraphQLClient(`${server.url}/graphql`, { errorPolicy: 'all' })
  const { data, errors } = await client.rawRequest(
    `{ stakeSnapshot(round: ${round}) { totalActiveStake totalStake holders { totalCount } } }`,
  )
  expect(data).toEqual({
    stakeSnapshot: {
      totalActiveStake: activeStake,
      totalStake: allStake,
      holders: holders === null ? null : { totalCount: holders },
    },
  })
  const refused = [activeStake, allStake, holders].filter((value) => value === null).length
  expect((errors ?? []).map(({ extensions }) => extensions.code)).toEqual(Array(refused).fill('NOT_EXACT'))
})

test('what does not depend on it is told: another account, the active set without the one contradicted', async () => {
  const client = new GraphQLClient(`${server.url}/graphql`, { errorPolicy: 'all' })
  const { data, errors } = await client.rawRequest(`{
    ${['active', 'leaving', 'delegator']
      .map(
        (name, index) => `${name}: votingPower(account: "${[active, leaving, delegator][index]}", round: 10) { votes }`,
      )
      .join(' ')}
    tokenAllocation(round: 10, supply: "7", seats: 5) { shares { transcoder tokens } }
    early: tokenAllocation(round: 6, supply: "7", seats: 5) { shares { transcoder } }
  }`)
  expect(data).toEqual({
    active: { votes: '1000' },
    leaving: null,
    delegator: null,
    tokenAllocation: { shares: [{ transcoder: active, tokens: '7' }] },
    early: null,
  })
  expect((errors ?? []).map(({ path }) => path?.[0]).sort()).toEqual(['delegator', 'early', 'leaving'])
})
