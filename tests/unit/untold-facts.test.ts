import { describe, expect, test } from 'vitest'
import { HeldFacts, type Totals } from '../../api/facts/facts.ts'
import type { FactsSource } from '../../api/facts/followed-chain.ts'
import { type Lists, Names } from '../../api/facts/series.ts'
import { ChainView } from '../../api/views/chain-view.ts'
import { GovernanceView } from '../../api/views/governance-view.ts'
import { indexedChain } from '../../api/views/indexed-chain.ts'
import { exact } from '../../api/views/stake-view.ts'
import { VerificationRecord } from '../../api/views/verification-record.ts'
import { FOLLOWED_WELL, NO_FACTS } from '../no-facts.ts'

const A = `0x${'a'.repeat(40)}`
const POLL = `0x${'5'.repeat(40)}`
const HEAD = {
  block: 100,
  blockHash: `0x${'1'.repeat(64)}`,
  timestamp: 1_700_000_000,
  deployment: 'made up',
  hasIndexingErrors: false,
}
const log = (block: number) => {
  return { round: 7, block, logIndex: 0, timestamp: '1700000000', transactionHash: `0x${'2'.repeat(64)}` }
}

function viewOf(lists: Partial<Lists>, changed: Partial<Totals> = {}): ChainView {
  const held = new HeldFacts(new Names())
  held.addFinal({ ...NO_FACTS, ...lists }, HEAD.block)
  const totals = {
    nextRoundTotalActiveStake: 1n,
    totalStake: 2n,
    roundsManager: null,
    ownBlocksEndPolls: false,
    l1: null,
  }
  const facts = held.asOf(HEAD, { ...totals, ...changed })
  const source: FactsSource = {
    network: 'made-up',
    roundLength: undefined,
    lptAddresses: [],
    facts,
    factsAt: async () => facts,
    roundAt: async ({ currentRound }) => currentRound,
    state: {
      ...FOLLOWED_WELL,
      head: HEAD,
      firstRound: 7,
      currentRound: 8,
      isL1: true,
    },
  }
  return new ChainView(indexedChain(source, new VerificationRecord('TURNED_OFF')))
}

const round = (number: number, activeSetTold: boolean) => {
  const totals = { totalActiveStake: '150', totalStake: '200', activeSetTold }
  return { number, ...totals, blockHash: `0x${'3'.repeat(64)}`, ...log(number * 10) }
}

describe('a poll that ended while nothing told the L1 block number', () => {
  const polls = (untoldFromBlock: number, closed: boolean, endBlock = '1000'): Partial<Lists> => {
    const poll = { proposer: { id: A }, proposal: '0x', endBlock, quorum: '333300', quota: '500000' }
    const closing = { closingBlock: 50, closingRound: 7, closingTotalStake: '200', closingTotalActiveStake: '150' }
    return {
      rounds: [round(7, true)],
      polls: [{ id: POLL, ...poll, ...log(40) }],
      closings: closed ? [{ id: POLL, ...closing, untoldFromBlock }] : [],
    }
  }
  const countOf = async (lists: Partial<Lists>) => {
    const view = new GovernanceView(viewOf(lists))
    const [poll] = view.proposals()
    if (poll === undefined) throw new Error('no poll')
    return (await view.count(poll)).count
  }

  test('is counted where no stake changed meanwhile', async () => {
    expect(await countOf(polls(0, true))).toMatchObject({ state: 'DEFEATED', final: true, electorate: 200n })
  })

  test('is not where some did', async () => {
    await expect(countOf(polls(45, true))).rejects.toMatchObject({ code: 'NOT_EXACT' })
  })

  test('is open until it is told to be over, whatever its end', async () => {
    expect(await countOf(polls(0, false))).toMatchObject({ state: 'ACTIVE', final: false })
    expect(await countOf(polls(0, false, String(2n ** 256n - 1n)))).toMatchObject({ state: 'ACTIVE', final: false })
  })
})

describe('a round of Ethereum L1 whose active set nothing told', () => {
  const since = { exact: true, fromRound: 7, fromBlock: 60 }
  const bond = { id: A, delegate: { id: A }, bondedAmount: '1', lastClaimRound: 0, ...since }
  const transcoder = {
    ...{ id: A, delegatedAmount: '150', activationRound: 7, deactivationRound: 2_147_483_647, inPool: true },
    ...{ lastRewardRound: 0, cumulativeRewardFactor: '0', cumulativeRewards: '0', ...since },
  }
  const lists = {
    delegatorPositions: [bond],
    transcoderPositions: [transcoder],
    rounds: [round(7, false), round(8, true)],
  }
  const view = () => viewOf(lists, { l1: { streamflowRound: null } })

  test.each<[string, (view: ChainView, round: number) => unknown]>([
    ['totals', (chain, number) => exact(chain.atRound(number).totals().totalActiveStake)],
    ['active transcoders', (chain, number) => chain.atRound(number).activeTranscoders().length],
    ['voting power', (chain, number) => chain.atRound(number).votingPower(A).votes],
  ])('has no %s; the next one has', (_, ask) => {
    expect(() => ask(view(), 7)).toThrow(expect.objectContaining({ code: 'NOT_EXACT' }))
    expect(ask(view(), 8)).toBeTruthy()
  })
})
