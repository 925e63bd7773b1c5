import { GraphQLClient } from 'graphql-request'
import { Comparer, type Comparison } from '../system/livepeer-truth.ts'

/** One account at the start of a round, as VotingPower of the API has it. */
export interface SampledPower {
  account: string
  votes: string
  stake: string
  delegate: string | null
  bondedAmount: string
  delegatedStake: string
  isTranscoder: boolean
  isActive: boolean
}

/** The right answers for one round, once the block that began it is indexed. */
export interface SampledRound {
  round: number
  block: number
  totalActiveStake: string
  totalStake: string
  powers: SampledPower[]
}

/** The right answers for a proposal or poll, by its id in the API, once a block is indexed. */
export interface SampledProposal {
  id: string
  /** From this block on they change no more; the last block where they still could. */
  block: number
  state: string
  for: string
  against: string
  abstain: string
  electorate: string
  quorum: string
  voters: number
}

/** What a made-up chain is and what is true of it, by the model that made it up. */
export interface MadeUpTruth {
  firstRound: number
  lastRound: number
  /** Round n begins with block n · roundLength. */
  roundLength: number
  lastBlock: number
  /** All that ever hold stake, the transcoders first. */
  accounts: string[]
  transcoders: string[]
  /** How many of each event there are, by contract and name. */
  events: Record<string, number>
  rounds: SampledRound[]
  proposals: SampledProposal[]
  treasury: { address: string; balance: string; totalIn: string; totalOut: string }
}

const STATUS = '{ status { block contradictionCount contradictions { message account } } }'
const POWERS = `query ($accounts: [Address!]!, $round: Int!) {
  votingPowers(accounts: $accounts, round: $round) {
    account votes stake delegate bondedAmount delegatedStake isTranscoder isActive
  }
  stakeSnapshot(round: $round) { totalActiveStake totalStake }
}`
const PROPOSAL = `query ($id: ID!) {
  proposal(id: $id) { id state tally { for against abstain electorate quorum } votes(first: 1) { totalCount } }
}`
const TREASURY = '{ treasuries { address balance totalIn totalOut } }'

/**
 * Asks an API for all that is true of a made-up chain at the block it has indexed, and compares by the wei: sampled
 * rounds that have begun, proposals and polls that are settled, and the treasury where it is at the end. A contradiction
 * is a difference too.
 */
export async function compareMadeUpChain(url: string, truth: MadeUpTruth): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  const block = await compareStatus(api, result)
  for (const round of truth.rounds) if (round.block <= block) await compareRound(api, round, result)
  for (const proposal of truth.proposals) if (proposal.block <= block) await compareProposal(api, proposal, result)
  if (block === truth.lastBlock) {
    const { treasuries } = await api.request<{ treasuries: MadeUpTruth['treasury'][] }>(TREASURY)
    result.equal('treasury', [truth.treasury], treasuries)
  }
  return result
}

async function compareStatus(api: GraphQLClient, result: Comparer): Promise<number> {
  const { status } = await api.request<{
    status: { block: string; contradictionCount: number; contradictions: unknown[] }[]
  }>(STATUS)
  const [chain] = status
  result.equal('contradictions', [0, []], [chain?.contradictionCount, chain?.contradictions])
  return Number(chain?.block ?? 0)
}

async function compareRound(api: GraphQLClient, expected: SampledRound, result: Comparer): Promise<void> {
  const { round, powers, totalActiveStake, totalStake } = expected
  const accounts = powers.map(({ account }) => account)
  const answer = await api.request<{
    votingPowers: SampledPower[]
    stakeSnapshot: { totalActiveStake: string; totalStake: string }
  }>(POWERS, { accounts, round })
  const totals = answer.stakeSnapshot
  result.equal(`round ${round} totalActiveStake`, totalActiveStake, totals.totalActiveStake)
  result.equal(`round ${round} totalStake`, totalStake, totals.totalStake)
  for (const [index, power] of powers.entries()) {
    const got = answer.votingPowers[index]
    for (const field of Object.keys(power) as (keyof SampledPower)[]) {
      result.equal(`round ${round} ${power.account} ${field}`, power[field], got?.[field])
    }
  }
}

async function compareProposal(api: GraphQLClient, expected: SampledProposal, result: Comparer): Promise<void> {
  const { proposal } = await api.request<{
    proposal: { state: string; tally: Record<string, string>; votes: { totalCount: number } } | null
  }>(PROPOSAL, { id: expected.id })
  const { id, state, voters } = expected
  result.equal(`${id} state`, state, proposal?.state)
  result.equal(`${id} voters`, voters, proposal?.votes.totalCount)
  for (const figure of ['for', 'against', 'abstain', 'electorate', 'quorum'] as const) {
    result.equal(`${id} ${figure}`, expected[figure], proposal?.tally[figure])
  }
}
