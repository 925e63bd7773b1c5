import { monitorEventLoopDelay } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import { HeldFacts } from '../../api/facts/facts.ts'
import type { FactsSource } from '../../api/facts/followed-chain.ts'
import { type Lists, Names } from '../../api/facts/series.ts'
import { FOLLOWED_WELL, NO_FACTS } from '../no-facts.ts'
import { serveFacts } from '../system/serve.ts'

const HOLDERS = 5000
const TRANSCODERS = 100
const ROUNDS = 40
const LAST_BLOCK = ROUNDS * 50
const LPT = 10n ** 18n

const account = (index: number) => `0x${(index + 1).toString(16).padStart(40, '0')}`
const hash = (index: number) => `0x${index.toString(16).padStart(64, '1')}`
const log = (block: number, logIndex: number) => {
  return { round: Math.floor(block / 50), block, logIndex, timestamp: '1700000000', transactionHash: hash(block) }
}

/** Facts of the real chain's size at one moment: as many holders, and proposals with as many votes. */
function madeUpLists(): Lists {
  return {
    ...NO_FACTS,
    delegatorPositions: Array.from({ length: HOLDERS }, (_, index) => ({
      id: account(index),
      delegate: { id: account(index % TRANSCODERS) },
      bondedAmount: String(LPT * BigInt(index + 7) + 123n),
      lastClaimRound: 1,
      exact: true,
      fromRound: 2,
      fromBlock: 51,
    })),
    transcoderPositions: Array.from({ length: TRANSCODERS }, (_, index) => ({
      id: account(index),
      delegatedAmount: String(LPT * 50_000n * BigInt(index + 1)),
      activationRound: 2,
      deactivationRound: 2147483647,
      inPool: true,
      lastRewardRound: 1,
      cumulativeRewardFactor: '1000000000000000000000000123',
      cumulativeRewards: '0',
      exact: true,
      fromRound: 2,
      fromBlock: 51,
    })),
    accounts: Array.from({ length: HOLDERS }, (_, index) => {
      return { id: account(index), firstCheckpointRound: 1, firstCheckpointBlock: 51 }
    }),
    rounds: Array.from({ length: ROUNDS - 1 }, (_, index) => {
      const number = index + 1
      const totals = { totalActiveStake: '5000', totalStake: '6000', activeSetTold: true }
      return { number, ...totals, blockHash: hash(number), ...log(number * 50, 0) }
    }),
    treasuryProposals: Array.from({ length: 50 }, (_, index) => ({
      id: hash(1000 + index),
      proposer: { id: account(index) },
      proposalId: String(10n ** 70n + BigInt(index)),
      targets: [account(1)],
      values: ['0'],
      calldatas: ['0x'],
      description: `# Proposal ${index}\n\n${'Some *text* of it. '.repeat(50)}`,
      descriptionHash: null,
      snapshotRound: 5,
      // Open, so that each is counted anew whenever it is asked for.
      lastRound: ROUNDS,
      ...log(220, index),
    })),
    voteCasts: Array.from({ length: 50 * 100 }, (_, index) => ({
      proposal: { id: hash(1000 + (index % 50)) },
      voter: { id: account((index * 37) % HOLDERS) },
      choice: String(index % 3),
      valid: true,
      weight: String(LPT * BigInt(index + 1)),
      reason: null,
      ...log(350, index),
    })),
  }
}

/** A chain whose head is another one each time it is looked at, so that nothing can be kept that is not final. */
function movingSource(): FactsSource {
  const held = new HeldFacts(new Names())
  held.addFinal(madeUpLists(), LAST_BLOCK)
  const totals = {
    nextRoundTotalActiveStake: 1n,
    totalStake: 2n,
    roundsManager: null,
    ownBlocksEndPolls: false,
    l1: null,
  }
  let heads = 0
  const head = () => {
    heads += 1
    const about = { timestamp: 1_700_000_000, deployment: 'made up', hasIndexingErrors: false }
    return { block: LAST_BLOCK, blockHash: hash(heads), ...about }
  }
  return {
    network: 'made-up',
    roundLength: 50,
    lptAddresses: [],
    get facts() {
      return held.asOf(head(), totals)
    },
    factsAt: async () => held.asOf(head(), totals),
    roundAt: async ({ currentRound }) => currentRound,
    get state() {
      return {
        ...FOLLOWED_WELL,
        ...{ head: head(), firstRound: 1, currentRound: ROUNDS - 1, isL1: false, facts: held.count },
        chainHead: { block: LAST_BLOCK, timestamp: null, synced: true },
      }
    },
  }
}

test('nobody waits long for what somebody else asks: snapshots, Merkle trees, counts and files of the real size', async () => {
  const server = await serveFacts([movingSource()])
  const fields = 'account votes stake bondedAmount delegatedStake delegate isTranscoder isActive checkpointed'
  const requests = (number: number): string[] => {
    const round = 2 + (number % (ROUNDS - 2))
    const accounts = Array.from({ length: 1000 }, (_, index) => account((index * 5 + number) % HOLDERS))
    const graphql = [
      `{ stakeSnapshot(round: ${round}) { merkleRoot } }`,
      `{ stakeSnapshot(round: ${round}) { holders(first: 200) { totalCount nodes { ${fields} } } } }`,
      `{ proposals(first: 50) { nodes { title state tally { for against abstain quorum } } } }`,
      `{ account(address: "${account(number % TRANSCODERS)}") { delegators(first: 50) { totalCount } } }`,
      `{ votingPowers(accounts: ${JSON.stringify(accounts.slice(0, 300))}, round: ${round}) { votes } }`,
    ].map((query) => `/graphql?query=${encodeURIComponent(query)}`)
    return [...graphql, `/snapshots/${round}.csv`, `/snapshots/${round}/proof/${account(number % HOLDERS)}.json`]
  }
  const get = async (path: string) => {
    const text = await (await fetch(server.url + path)).text()
    if (/"errors?"/.test(text.slice(0, 200))) throw new Error(`${path.slice(0, 80)}: ${text.slice(0, 300)}`)
  }
  try {
    // What is compiled and started once is not what keeps others waiting.
    for (const path of requests(0)) await get(path)
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const end = performance.now() + 6000
    let asked = 0
    const client = async (first: number) => {
      for (let number = first; performance.now() < end; number += 4) {
        for (const path of requests(number)) {
          await get(path)
          asked += 1
        }
      }
    }
    await Promise.all([client(1), client(2), client(3), client(4)])
    delay.disable()
    const [p99, max] = [delay.percentile(99) / 1e6, delay.max / 1e6]
    console.log(`${asked} requests: event loop delayed by ${p99.toFixed(0)} ms at p99, ${max.toFixed(0)} ms at most`)
    expect(asked).toBeGreaterThan(50)
    expect(p99).toBeLessThan(50)
  } finally {
    await server.close()
  }
})
