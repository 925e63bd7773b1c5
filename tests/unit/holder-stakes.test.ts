import { expect, test } from 'vitest'
import { type Facts, HeldFacts } from '../../api/facts/facts.ts'
import type { FactsSource } from '../../api/facts/followed-chain.ts'
import { type Lists, Names } from '../../api/facts/series.ts'
import { concentration } from '../../api/rules/concentration.ts'
import { pendingStake } from '../../api/rules/voting-power.ts'
import { ChainView } from '../../api/views/chain-view.ts'
import { type IndexedChain, indexedChain } from '../../api/views/indexed-chain.ts'
import { VerificationRecord } from '../../api/views/verification-record.ts'
import { mulberry32 } from '../bench/random.ts'
import { FOLLOWED_WELL, NO_FACTS } from '../no-facts.ts'

const ACCOUNTS = 60
const TRANSCODERS = 8
const ROUNDS = 40
const ROUND_LENGTH = 10
const LPT = 10n ** 18n

const account = (index: number) => `0x${(index + 1).toString(16).padStart(40, '0')}`
const hash = (index: number) => `0x${index.toString(16).padStart(64, '1')}`
const log = (block: number) => {
  return { round: Math.floor(block / ROUND_LENGTH), block, logIndex: 0, timestamp: '1', transactionHash: hash(block) }
}

/** Rounds in which some bond, unbond and move their stake, and most transcoders reward; round 20 begins with nobody. */
function madeUpLists(seed: number, inexactFrom = Infinity): Lists {
  const random = mulberry32(seed)
  const lists: Lists = { ...NO_FACTS, delegatorPositions: [], transcoderPositions: [], earningsPools: [], rounds: [] }
  const factors = Array.from({ length: TRANSCODERS }, () => 10n ** 27n)
  for (let round = 1; round <= ROUNDS; round++) {
    const fromBlock = round * ROUND_LENGTH
    const totals = { totalActiveStake: '5000', totalStake: '6000', activeSetTold: true }
    if (round !== 20) lists.rounds.push({ number: round, ...totals, blockHash: hash(fromBlock), ...log(fromBlock) })
    for (const [transcoder, factor] of factors.entries()) {
      if (random() < 0.2) continue
      factors[transcoder] = factor + BigInt(Math.floor(random() * 1e15)) * 10n ** 10n
      lists.transcoderPositions.push({
        ...{ id: account(transcoder), delegatedAmount: '7', inPool: true, activationRound: 1, deactivationRound: 99 },
        ...{ lastRewardRound: round, cumulativeRewardFactor: String(factors[transcoder]) },
        ...{ cumulativeRewards: String(BigInt(round) * LPT), exact: true, fromRound: round + 1, fromBlock },
      })
    }
    for (let index = 0; index < 20; index++) {
      const who = Math.floor(random() * ACCOUNTS)
      const to = who < TRANSCODERS ? who : Math.floor(random() * TRANSCODERS)
      const isGone = random() < 0.2
      lists.earningsPools.push({ id: `${account(to)}${round.toString(16).padStart(8, '0')}`, round, block: fromBlock })
      lists.delegatorPositions.push({
        id: account(who),
        delegate: isGone ? null : { id: account(to) },
        // Many have the same.
        bondedAmount: isGone ? '0' : String(LPT * BigInt(Math.floor(random() * 20))),
        ...{ lastClaimRound: round, exact: round < inexactFrom, fromRound: round + 1, fromBlock: fromBlock + 1 },
      })
    }
  }
  return lists
}

function factsOf(lists: Lists, deployment = 'made up'): Facts {
  const held = new HeldFacts(new Names())
  const block = (ROUNDS + 1) * ROUND_LENGTH - 1
  held.addFinal(lists, block)
  const about = { timestamp: 1_700_000_000, deployment, hasIndexingErrors: false }
  const totals = { nextRoundTotalActiveStake: 1n, totalStake: 2n, roundsManager: null, ownBlocksEndPolls: false }
  return held.asOf({ block, blockHash: hash(block), ...about }, { ...totals, l1: null })
}

function chainOf(facts: Facts): IndexedChain & { source: FactsSource & { facts: Facts } } {
  const source = {
    network: 'made-up',
    roundLength: ROUND_LENGTH,
    lptAddresses: [],
    facts,
    factsAt: async () => facts,
    roundAt: async ({ currentRound }: Facts) => currentRound,
    state: {
      ...FOLLOWED_WELL,
      head: facts.head,
      firstRound: 1,
      currentRound: ROUNDS,
      isL1: false,
    },
  }
  return { ...indexedChain(source, new VerificationRecord('TURNED_OFF')), source }
}

/** By the rules alone, everybody anew. */
function byDefinition({ stake }: Facts, round: number) {
  const stakes = [...stake.allAt(round)].map((holder) => {
    return pendingStake(holder, holder.delegate === null ? undefined : stake.at(holder.delegate, round), round)
  })
  return concentration(
    stakes.filter((amount) => amount > 0n),
    null,
  )
}

const ascending = Array.from({ length: ROUNDS - 1 }, (_, index) => index + 1)
const anyhow = Array.from({ length: 200 }, (_, index) => 1 + ((index * 17 + (index % 7) * 5) % (ROUNDS + 1)))

test.each([
  ['ascending', ascending],
  ['descending', ascending.toReversed()],
  ['in any order, the next round and what was asked before too', anyhow],
])('the concentration of holders is the same whatever round was asked before: %s', async (_, rounds) => {
  for (const seed of [1, 2, 3]) {
    const facts = factsOf(madeUpLists(seed))
    const view = new ChainView(chainOf(facts))
    for (const round of rounds) {
      const got = await view.atRound(round).concentration('HOLDERS')
      expect([seed, round, got]).toEqual([seed, round, byDefinition(facts, round)])
    }
  }
})

test('another index of the same chain is told of by itself', async () => {
  const chain = chainOf(factsOf(madeUpLists(1)))
  await new ChainView(chain).atRound(30).concentration('HOLDERS')
  chain.source.facts = factsOf(madeUpLists(2), 'made up anew')
  for (const round of [30, 31]) {
    const got = await new ChainView(chain).atRound(round).concentration('HOLDERS')
    expect(got).toEqual(byDefinition(chain.source.facts, round))
  }
})

test('a stake that is not exact fails the rounds it is part of', async () => {
  const view = new ChainView(chainOf(factsOf(madeUpLists(1, 25))))
  for (const round of [25, 26, 30, 24]) {
    const asked = view.atRound(round).concentration('HOLDERS')
    if (round > 25) await expect(asked).rejects.toMatchObject({ code: 'NOT_EXACT' })
    else await expect(asked).resolves.toEqual(byDefinition(view.facts, round))
  }
})
