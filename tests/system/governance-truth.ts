import { GraphQLClient } from 'graphql-request'
import { Comparer, type Comparison } from './livepeer-truth.ts'

/** The states of the governor's state(), by number. */
const STATES = ['PENDING', 'ACTIVE', 'CANCELED', 'DEFEATED', 'SUCCEEDED', 'QUEUED', 'EXPIRED', 'EXECUTED']

interface Sums {
  for: string
  against: string
  abstain: string
}

interface PollRecord {
  block: number
  yes: string
  no: string
  voters: Record<
    string,
    {
      choice: number
      registeredTranscoder: boolean
      delegate: string
      transcoderTotalStake: string
      pendingStake: string
      weight: string
    }
  >
}

/** What the contracts answered about proposals and polls; see tests/traces/README.md. */
export interface GovernanceTruth {
  proposals: Record<
    string,
    {
      proposer: string
      snapshot: number
      deadline: number
      description: string
      quorum?: string
      hasVoted: string[]
      finalState: number
      finalVotes: Sums
      timeline: ({ block: number; state: number } & Sums)[]
    }
  >
  polls: Record<string, { createdBlock: number; endBlock: number; final: PollRecord; timeline: PollRecord[] }>
}

interface Answer {
  state: string
  proposer: string
  description: string | null
  tally: Sums & { electorate: string; quorum: string; final: boolean }
  outcome: { passed: boolean | null }
  votes: {
    nodes: { voter: string; choice: string; weight: string; countedWeight: string; overrides: string | null }[]
    totalCount: number
  }
  snapshotRound: number
  lastRound: number
  proposalIdVerified: boolean
  endBlock: string
}

const PROPOSAL = `query ($id: ID!) {
  proposal(id: $id) {
    state
    proposer
    description
    tally { for against abstain electorate quorum final }
    outcome { passed }
    votes(first: 1000) { nodes { voter choice weight countedWeight overrides } totalCount }
    ... on TreasuryProposal { snapshotRound lastRound proposalIdVerified }
    ... on Poll { endBlock }
  }
}`

/** Compares every proposal and poll with the contracts' last answers. */
export async function compareGovernance(url: string, truth: GovernanceTruth): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  for (const [id, expected] of Object.entries(truth.proposals)) {
    const { proposal } = await api.request<{ proposal: Answer }>(PROPOSAL, { id: `treasury:${id}` })
    const state = STATES[expected.finalState]
    result.equal(`${id} state`, state, proposal.state)
    result.equal(`${id} passed`, passedIn(state), proposal.outcome.passed)
    result.equal(`${id} proposer`, expected.proposer, proposal.proposer)
    result.equal(`${id} description`, expected.description, proposal.description)
    result.equal(`${id} snapshot`, expected.snapshot, proposal.snapshotRound)
    result.equal(`${id} deadline`, expected.deadline, proposal.lastRound)
    result.equal(`${id} id recomputed`, true, proposal.proposalIdVerified)
    if (expected.quorum !== undefined) result.equal(`${id} quorum`, expected.quorum, proposal.tally.quorum)
    result.equal(`${id} final`, expected.quorum !== undefined, proposal.tally.final)
    result.equal(`${id} voters`, expected.hasVoted.toSorted(), proposal.votes.nodes.map(({ voter }) => voter).sort())
    compareSums(result, id, expected.finalVotes, proposal)
  }
  for (const [address, { final, endBlock }] of Object.entries(truth.polls)) {
    const { proposal } = await api.request<{ proposal: Answer }>(PROPOSAL, { id: `poll:${address}` })
    result.equal(`${address} endBlock`, String(endBlock), proposal.endBlock)
    result.equal(`${address} final`, true, proposal.tally.final)
    comparePoll(result, address, final, proposal)
  }
  return result
}

/** The blocks at which the truth tells what proposals and polls came to. */
export function timelineBlocks({ proposals, polls }: GovernanceTruth): number[] {
  const points = [...Object.values(proposals), ...Object.values(polls)].flatMap(
    ({ timeline }): { block: number }[] => timeline,
  )
  return [...new Set(points.map(({ block }) => block))].sort((a, b) => a - b)
}

/** Compares states and tallies with what the contracts answered at the end of a block, asking an API that stands there. */
export async function compareTimeline(url: string, truth: GovernanceTruth, block: number): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  for (const [id, { timeline }] of Object.entries(truth.proposals)) {
    const expected = timeline.find((point) => point.block === block)
    if (expected === undefined) continue
    const { proposal } = await api.request<{ proposal: Answer }>(PROPOSAL, { id: `treasury:${id}` })
    result.equal(`block ${block} ${id} state`, STATES[expected.state], proposal.state)
    compareSums(result, `block ${block} ${id}`, expected, proposal)
  }
  for (const [address, { timeline }] of Object.entries(truth.polls)) {
    const expected = timeline.find((point) => point.block === block)
    if (expected === undefined) continue
    const { proposal } = await api.request<{ proposal: Answer }>(PROPOSAL, { id: `poll:${address}` })
    result.equal(`block ${block} ${address} state`, 'ACTIVE', proposal.state)
    comparePoll(result, `block ${block} ${address}`, expected, proposal)
  }
  return result
}

function passedIn(state: string | undefined): boolean | null {
  if (state === 'PENDING' || state === 'ACTIVE') return null
  return state === 'SUCCEEDED' || state === 'QUEUED' || state === 'EXECUTED'
}

function compareSums(result: Comparer, where: string, expected: Sums, { tally, votes }: Answer): void {
  for (const [side, choice] of [
    ['for', 'FOR'],
    ['against', 'AGAINST'],
    ['abstain', 'ABSTAIN'],
  ] as const) {
    result.equal(`${where} ${side}`, expected[side], tally[side])
    const counted = votes.nodes.filter((vote) => vote.choice === choice)
    const sum = counted.reduce((total, { countedWeight }) => total + BigInt(countedWeight), 0n)
    result.equal(`${where} sum of counted weights ${side}`, expected[side], String(sum))
  }
}

function comparePoll(result: Comparer, where: string, expected: PollRecord, answer: Answer): void {
  result.equal(
    `${where} voters`,
    Object.keys(expected.voters).sort(),
    answer.votes.nodes.map(({ voter }) => voter).sort(),
  )
  result.equal(`${where} yes`, expected.yes, answer.tally.for)
  result.equal(`${where} no`, expected.no, answer.tally.against)
  for (const vote of answer.votes.nodes) {
    const voter = expected.voters[vote.voter]
    if (voter === undefined) continue
    const stake = voter.registeredTranscoder ? voter.transcoderTotalStake : voter.pendingStake
    result.equal(`${where} ${vote.voter} choice`, voter.choice === 0 ? 'FOR' : 'AGAINST', vote.choice)
    result.equal(`${where} ${vote.voter} weight`, stake, vote.weight)
    result.equal(`${where} ${vote.voter} counted weight`, voter.weight, vote.countedWeight)
    if (voter.registeredTranscoder) result.equal(`${where} ${vote.voter} overrides`, null, vote.overrides)
  }
}
