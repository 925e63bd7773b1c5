import { GraphQLClient } from 'graphql-request'
import { Comparer, type Comparison } from './livepeer-truth.ts'

/** What Voting answered about a vote at the end of a block. */
interface VoteState {
  block: number
  timestamp: number
  open: boolean
  executed: boolean
  startDate: string
  snapshotBlock: string
  supportRequired: string
  minAcceptQuorum: string
  yea: string
  nay: string
  votingPower: string
  script: string
  canExecute: boolean
  voters: Record<string, 'yea' | 'nay'>
}

/** What an Aragon DAO's contracts answered; see tests/traces/README.md. */
export interface AragonTruth {
  contracts: Record<string, string>
  final: { block: number; timestamp: number }
  settings: { block: number; voteTime: number }[]
  votes: Record<
    string,
    {
      states: VoteState[]
      snapshot: { block: number; totalSupplyAt: string; balanceOfAt: Record<string, string> }
      scenario: { way: string; txFrom: string; metadata: string; block: number }
      end: { supportReached: boolean; quorumReached: boolean }
    }
  >
  vault: { block: number; lpt: string }[]
  tdt: { supply: { block: number; totalSupply: string }[]; balances: Record<string, string> }
  finance: {
    transactions: Record<string, { amount: string; token: string; entity: string; isIncoming: boolean; date: string }>
  }
}

interface VoteAnswer {
  state: string
  proposer: string
  description: string | null
  startDate: string
  endDate: string
  snapshotBlock: string
  supportRequired: string
  minimumQuorum: string
  script: string | null
  canExecute: boolean
  tally: { for: string; against: string; abstain: string; electorate: string; final: boolean }
  outcome: { passed: boolean | null; supportReached: boolean; quorumReached: boolean }
  votes: { nodes: { voter: string; choice: string; weight: string; countedWeight: string }[]; totalCount: number }
}

const VOTE = `state proposer description startDate endDate snapshotBlock supportRequired minimumQuorum script canExecute
  tally { for against abstain electorate final } outcome { passed supportReached quorumReached }
  votes(first: 1000) { nodes { voter choice weight countedWeight } totalCount }`

/** The moments of which the truth lists a vote's state, in order. */
export function aragonMoments(truth: AragonTruth): { block: number; timestamp: number }[] {
  const times = new Map(Object.values(truth.votes).flatMap(({ states }) => states.map((s) => [s.block, s.timestamp])))
  return [...times].map(([block, timestamp]) => ({ block, timestamp })).sort((a, b) => a.block - b.block)
}

/** Compares every vote whose state at the end of a block is listed, from an API that stands at that block. */
export async function compareVotesAt(url: string, truth: AragonTruth, block: number): Promise<Comparison> {
  const result = new Comparer()
  const listed = Object.entries(truth.votes).flatMap(([id, { states }]) =>
    states.filter((state) => state.block === block).map((state) => ({ id, state })),
  )
  const app = truth.contracts.Voting
  const fields = listed.map(({ id }) => `v${id}: proposal(id: "aragon:${app}:${id}") { ... on AragonVote { ${VOTE} } }`)
  const answer = await new GraphQLClient(`${url}/graphql`).request<Record<string, VoteAnswer | null>>(
    `{ ${fields.join(' ')} }`,
  )
  for (const { id, state } of listed) {
    const vote = answer[`v${id}`]
    result.equal(`vote ${id} is there at ${block}`, true, vote !== null)
    if (vote) compareVote(result, `vote ${id} at ${block}`, truth, id, state, vote)
  }
  return result
}

function compareVote(
  result: Comparer,
  where: string,
  truth: AragonTruth,
  id: string,
  state: VoteState,
  vote: VoteAnswer,
): void {
  const voteTruth = truth.votes[id]
  const equal = (what: string, expected: unknown, got: unknown) => result.equal(`${where} ${what}`, expected, got)
  const closed = state.canExecute ? 'SUCCEEDED' : 'DEFEATED'
  equal('state', state.executed ? 'EXECUTED' : state.open ? 'ACTIVE' : closed, vote.state)
  equal('canExecute', state.canExecute, vote.canExecute)
  equal('yea', state.yea, vote.tally.for)
  equal('nay', state.nay, vote.tally.against)
  equal('votingPower', state.votingPower, vote.tally.electorate)
  equal('supportRequired', state.supportRequired, vote.supportRequired)
  equal('minAcceptQuorum', state.minAcceptQuorum, vote.minimumQuorum)
  equal('snapshotBlock', state.snapshotBlock, vote.snapshotBlock)
  equal('startDate', Number(state.startDate), Date.parse(vote.startDate) / 1000)
  const voteTime = truth.settings[0]?.voteTime ?? 0
  equal('endDate', Number(state.startDate) + voteTime, Date.parse(vote.endDate) / 1000)
  if (state.executed || vote.script !== null) equal('script', state.script, vote.script)
  const choices = Object.entries(state.voters).map(([voter, choice]) => [voter.toLowerCase(), choice])
  const got = vote.votes.nodes.map(({ voter, choice }) => [voter, choice === 'FOR' ? 'yea' : 'nay'])
  equal('choices', choices.sort(), got.sort())
  for (const { voter, weight, countedWeight } of vote.votes.nodes) {
    const balances = Object.entries(voteTruth?.snapshot.balanceOfAt ?? {})
    const balance = balances.find(([holder]) => holder.toLowerCase() === voter)?.[1] ?? '0'
    equal(`weight of ${voter}`, [balance, balance], [weight, countedWeight])
  }
  const scenario = voteTruth?.scenario
  const proposer = scenario?.way === 'script' ? truth.contracts.Voting : scenario?.txFrom
  equal('proposer', proposer?.toLowerCase(), vote.proposer)
  // Votes made without metadata have none in the truth.
  equal('description', scenario?.metadata || null, vote.description)
}

/** Compares what stands beside the votes: snapshots, TDT, the vault and what Finance paid, at all blocks listed. */
export async function compareTokensAndMoney(url: string, truth: AragonTruth): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  const { Voting: app, Vault: vault = '' } = truth.contracts
  for (const [id, { snapshot, end, states }] of Object.entries(truth.votes)) {
    const { proposal, votingTokens } = await api.request<{
      proposal: { outcome: VoteAnswer['outcome']; holders: Holders }
      votingTokens: { totalSupply: string; holders: Holders }[]
    }>(`{
      proposal(id: "aragon:${app}:${id}") { ... on AragonVote {
        outcome { passed supportReached quorumReached } holders(first: 1000) { ${HOLDERS} } } }
      votingTokens { totalSupply(block: "${snapshot.block}") holders(block: "${snapshot.block}", first: 1000) { ${HOLDERS} } }
    }`)
    const [token] = votingTokens
    result.equal(`vote ${id} supply at the snapshot`, snapshot.totalSupplyAt, token?.totalSupply)
    result.equal(`vote ${id} holders at the snapshot`, balances(snapshot.balanceOfAt), held(proposal.holders))
    result.equal(`holders at ${snapshot.block}`, balances(snapshot.balanceOfAt), held(token?.holders))
    const { supportReached, quorumReached } = end
    const last = states.at(-1)
    const passed = last?.open ? null : last?.executed || last?.canExecute
    result.equal(`vote ${id} outcome`, { passed, supportReached, quorumReached }, proposal.outcome)
  }
  for (const { block, totalSupply } of truth.tdt.supply) {
    const answer = await api.request<{ votingTokens: { totalSupply: string }[] }>(
      `{ votingTokens { totalSupply(block: "${block}") } }`,
    )
    result.equal(`supply at ${block}`, totalSupply, answer.votingTokens[0]?.totalSupply)
  }
  const now = await api.request<{ votingTokens: { holders: Holders }[] }>(
    `{ votingTokens { holders(first: 1000) { ${HOLDERS} } } }`,
  )
  result.equal('holders at the end', balances(truth.tdt.balances), held(now.votingTokens[0]?.holders))
  for (const { block, lpt } of truth.vault) {
    const answer = await api.request<{ treasuries: { address: string; balance: string }[] }>(
      `{ treasuries { address balance(block: "${block}") } }`,
    )
    result.equal(`vault at ${block}`, [{ address: vault.toLowerCase(), balance: lpt }], answer.treasuries)
  }
  await comparePayments(api, truth, result)
  return result
}

/**
 * What left the vault is all that Finance paid, and what of it votes paid is theirs, nothing twice. A payment that a vote
 * scheduled and somebody had carried out later is nobody's: it left at a time when no vote was executed.
 */
async function comparePayments(api: GraphQLClient, truth: AragonTruth, result: Comparer): Promise<void> {
  const { proposals, treasuries } = await api.request<{
    proposals: { nodes: { id: string; payments: { token: string; to: string; amount: string }[] }[] }
    treasuries: {
      transfers: { nodes: { amount: string; from: string; to: string; proposal: { id: string } | null }[] }
    }[]
  }>(`{
    proposals(first: 1000) { nodes { id ... on AragonVote { payments { token to amount } } } }
    treasuries { transfers(first: 1000) { nodes { amount from to proposal { id } } } }
  }`)
  const executed = new Set(
    Object.values(truth.votes).flatMap(({ states }) => {
      const state = states.find((candidate) => candidate.executed)
      return state === undefined ? [] : [state.timestamp]
    }),
  )
  const outgoing = Object.values(truth.finance.transactions).filter(({ isIncoming }) => !isIncoming)
  const listed = (transactions: typeof outgoing) =>
    transactions.map(({ entity, amount }) => [entity.toLowerCase(), amount]).sort()
  const transfers = (treasuries[0]?.transfers.nodes ?? []).filter(
    ({ from }) => from === truth.contracts.Vault?.toLowerCase(),
  )
  result.equal('paid by the vault', listed(outgoing), transfers.map(({ to, amount }) => [to, amount]).sort())
  const payments = proposals.nodes.flatMap((vote) => vote.payments.map(({ to, amount }) => [vote.id, to, amount]))
  const byVotes = outgoing.filter(({ date }) => executed.has(Number(date)))
  result.equal('paid by votes', listed(byVotes), payments.map(([, to, amount]) => [to, amount]).sort())
  const ofVotes = transfers.filter(({ proposal }) => proposal !== null)
  const attributed = ofVotes.map(({ proposal, to, amount }) => [proposal?.id, to, amount])
  result.equal('payments by vote', payments.sort(), attributed.sort())
  const tokens = proposals.nodes.flatMap((vote) => vote.payments.map(({ token }) => token))
  const lpt = truth.contracts.LPT?.toLowerCase()
  result.equal(
    'all in LPT',
    payments.map(() => lpt),
    tokens,
  )
}

interface Holders {
  nodes: { holder: string; balance: string }[]
  totalCount: number
}

const HOLDERS = 'nodes { holder balance } totalCount'

function balances(byHolder: Record<string, string>): [string, string][] {
  return Object.entries(byHolder)
    .filter(([, balance]) => balance !== '0')
    .map(([holder, balance]): [string, string] => [holder.toLowerCase(), balance])
    .sort()
}

function held(holders: Holders | undefined): [string, string][] {
  return (holders?.nodes ?? []).map(({ holder, balance }): [string, string] => [holder, balance]).sort()
}
