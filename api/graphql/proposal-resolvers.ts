import { ApiError } from '../facts/errors.ts'
import { aragonEndDate } from '../rules/aragon-tally.ts'
import type { LogPosition } from '../rules/log.ts'
import { percent } from '../rules/poll-tally.ts'
import type { Poll as PollFacts } from '../rules/proposal.ts'
import { choiceOf, type State } from '../rules/proposal-count.ts'
import type { PollTexts } from '../texts/poll-text.ts'
import { decodeAction, isProposalIdRight } from '../texts/proposal-actions.ts'
import { proposalTitle } from '../texts/proposal-title.ts'
import { folded } from '../texts/search.ts'
import {
  type AragonVoteInView,
  aragonClosingTime,
  type GovernanceView,
  globalId,
  type PollInView,
  type ProposalInView,
  type TreasuryProposalInView,
} from '../views/governance-view.ts'
import { exact } from '../views/stake-view.ts'
import { type Context, viewsOf } from './context.ts'
import { countingFields, countingTypes, findVote, outcomeOf, tallyOf } from './counting-resolvers.ts'
import { type AllFields, given } from './field-rules.ts'
import type {
  AccountVoteResolvers,
  AragonVoteResolvers,
  PollResolvers,
  ProposalEvent,
  ProposalFilter,
  ProposalOrder,
  ProposalResolvers,
  QueryResolvers,
  TreasuryProposalResolvers,
  VoteResolvers,
} from './generated/resolvers.ts'
import { compareKeys, type ListOrder, pageOf, pageSize } from './pagination.ts'
import type { AccountVoteParent, VoteParent } from './parents.ts'
import { isoTime, isoTimeOfAnybody, position } from './positions.ts'
import { allProposals, findProposal } from './proposal-ids.ts'
import { holdersPage } from './treasury-resolvers.ts'

/** How long an answer waits for a poll's text that is not at hand: not long enough to be felt. */
const TEXT_PATIENCE_MS = 150

/** How long a search waits for all the texts of polls that it has to look into. */
const SEARCH_PATIENCE_MS = 5_000

/** Resolvers of Query.proposals and Query.proposal. */
export const proposalQueries: Required<Pick<QueryResolvers, 'proposals' | 'proposal'>> = {
  proposals: async (_, { first, after, filter, orderBy }, context) => {
    pageSize(first)
    const asked = viewsOf(filter?.network, context)
    const { proposals, ...leftOut } = await filterProposals(allProposals(asked), filter ?? {}, asked, context)
    return { ...pageOf(...sortProposals(proposals, orderBy ?? 'CREATED_DESC'), first, after), ...leftOut }
  },
  proposal: (_, { id }, { governance }) => findProposal(id, governance),
}

/** An account's choices that count, latest first, for Account.votes. */
export function accountVotes(
  address: string,
  first: number | null | undefined,
  after: string | null | undefined,
  { governance }: Context,
) {
  pageSize(first)
  const votes = governance.flatMap((view) =>
    view.proposalsVotedBy(address).flatMap((proposal): AccountVoteParent[] => {
      const cast = view.lastValidCast(proposal, address)
      return cast === undefined ? [] : [{ proposal, cast }]
    }),
  )
  return pageOf(
    votes.sort((a, b) => compareKeys(accountVoteKey(b), accountVoteKey(a))),
    {
      form: /^\d{1,15} \d{1,15} \d{1,15} \S{1,150}$/,
      keyOf: accountVoteKey,
      isAfter: (vote, key) => compareKeys(accountVoteKey(vote), key) < 0,
    },
    first,
    after,
  )
}

const proposalFields: AllFields<Omit<ProposalResolvers, '__resolveType'>> = {
  ...given('system', 'proposer'),
  id: globalId,
  network: ({ view }) => view.chainView.network,
  title: (proposal, _, context) => titleOf(proposal, context),
  description: async (proposal, _, context) => (await textOf(proposal, context)).description,
  createdAt: ({ createdAt }) => position(createdAt),
  state: async (proposal) => (await countOf(proposal)).state,
  tally: async (proposal) => tallyOf(await countOf(proposal)),
  outcome: async (proposal) => outcomeOf(await countOf(proposal)),
  votes: async (proposal, { first, after, choice }) => {
    const votes = (await proposal.view.votes(proposal))
      .filter(({ ballot }) => choice === null || choice === undefined || ballot.choice === choice)
      .map((vote): VoteParent => ({ ...vote, system: proposal.system }))
    return pageOf(votes, castOrder, first, after)
  },
  vote: (proposal, { voter }) => findVote(proposal, voter),
  timeline,
  ...countingFields,
}

const TreasuryProposal: AllFields<TreasuryProposalResolvers> = {
  ...given('proposalId', 'snapshotRound', 'lastRound'),
  ...proposalFields,
  proposalIdVerified: isProposalIdRight,
  actions: ({ targets, values, calldatas, view }) =>
    targets.map((target, index) => {
      const action = { target, value: values[index] ?? 0n, calldata: calldatas[index] ?? '0x' }
      return { ...action, decoded: decodeAction(action, view.chainView.chain.source.lptAddresses) }
    }),
  transfers: (proposal) =>
    proposal.view.transfersBy(proposal).map((transfer) => ({ ...transfer, governance: proposal.view })),
}

const Poll: AllFields<PollResolvers> = {
  ...proposalFields,
  address: ({ id }) => id,
  ipfsHash: (poll) => cidOf(poll),
  proposalBytes: ({ proposal }) => proposal,
  endBlock: ({ endBlock }) => endBlock,
  invalidVotes: (poll) => {
    const casts = poll.view.chainView.facts.governance.casts(poll.id)
    return casts
      .filter(({ valid }) => !valid)
      .map(({ voter, choice, at }) => ({ voter, rawChoice: choice, castAt: position(at) }))
  },
  participation: async (poll) => {
    const { count, totalActiveStake } = await poll.view.count(poll)
    const cast = count.sums.for + count.sums.against
    const [ofAllStake, ofActiveStake] = [percent(cast, count.electorate), percent(cast, totalActiveStake)]
    return { ofAllStake, ofActiveStake, activeStake: totalActiveStake }
  },
}

const AragonVote: AllFields<AragonVoteResolvers> = {
  ...given('voteId', 'app', 'script'),
  ...proposalFields,
  snapshotBlock: ({ snapshotBlock }) => BigInt(snapshotBlock),
  startDate: ({ createdAt }) => isoTime(createdAt.timestamp),
  endDate: (vote) => {
    const startDate = BigInt(vote.createdAt.timestamp)
    return isoTimeOfAnybody(Number(aragonEndDate({ startDate, voteTime: setting(vote, 'voteTime') })))
  },
  supportRequired: (vote) => setting(vote, 'supportRequired'),
  minimumQuorum: (vote) => setting(vote, 'minAcceptQuorum'),
  canExecute: (vote) => vote.view.canExecute(vote),
  payments: (vote) => vote.view.payments(vote),
  holders: ({ token, view, voteId, snapshotBlock }, { first, after }) => {
    if (token === null) throw new ApiError('NOT_EXACT', `The voting token of vote ${voteId} is not indexed`)
    const facts = view.chainView.facts.asOf({ block: snapshotBlock, blockHash: null, timestamp: null })
    return holdersPage(facts, token, first, after)
  },
}

const Vote: AllFields<VoteResolvers> = {
  voter: ({ ballot }) => ballot.voter,
  choice: ({ ballot }) => ballot.choice,
  weight: ({ counted }) => exact(counted).weight,
  countedWeight: ({ counted }) => exact(counted).countedWeight,
  overrides: ({ counted }) => exact(counted).overrides,
  reason: ({ ballot }) => ballot.cast.reason,
  castAt: ({ ballot }) => position(ballot.cast.at),
  earlier: ({ ballot, system }) =>
    ballot.earlier.map(({ choice, at }) => ({
      choice: choiceOf(system, choice),
      rawChoice: choice,
      castAt: position(at),
    })),
}

const AccountVote: AllFields<AccountVoteResolvers> = {
  proposal: ({ proposal }) => proposal,
  vote: ({ proposal, cast }) => findVote(proposal, cast.voter),
}

/** The type of each voting system's proposals. */
const TYPES = { TREASURY: 'TreasuryProposal', POLL: 'Poll', ARAGON: 'AragonVote' } as const

/** Resolvers of the types that proposals are made of. */
export const proposalTypes = {
  Proposal: {
    __resolveType: ({ system }: ProposalInView) => TYPES[system],
  },
  TreasuryProposal,
  Poll,
  AragonVote,
  Vote,
  AccountVote,
  ...countingTypes,
}

/** What a proposal without a text is called. */
function untitled(proposal: ProposalInView): string {
  switch (proposal.system) {
    case 'TREASURY':
      return `Proposal ${proposal.proposalId}`
    case 'POLL':
      return `Poll ${proposal.id}`
    case 'ARAGON':
      return `Vote ${proposal.voteId}`
  }
}

/** What a proposal is called: by its text, or by its number or address where it has none. */
export async function titleOf(proposal: ProposalInView, context: Context): Promise<string> {
  return (await textOf(proposal, context)).title ?? untitled(proposal)
}

/** A setting fixed when the vote started; NOT_EXACT where nothing told it. */
function setting(vote: AragonVoteInView, name: 'voteTime' | 'supportRequired' | 'minAcceptQuorum'): bigint {
  const value = vote[name]
  if (value === null) {
    throw new ApiError(
      'NOT_EXACT',
      `${name} of vote ${vote.voteId} is not known: neither events nor the contract nor the configuration told it`,
    )
  }
  return value
}

/** The CID a poll was created with; null where its bytes are not the characters of one. */
function cidOf({ proposal }: PollFacts): string | null {
  const text = Buffer.from(proposal.slice(2), 'hex').toString('latin1')
  return /^[A-Za-z0-9]{32,128}$/.test(text) ? text : null
}

/** Null where there is none. */
interface ProposalText {
  title: string | null
  description: string | null
}

/** A proposal's text, nothing where it cannot be had in time. */
async function textOf(proposal: ProposalInView, { pollTexts }: Context): Promise<ProposalText> {
  return (await textIfHad(proposal, pollTexts, TEXT_PATIENCE_MS)) ?? { title: null, description: null }
}

/** A proposal's text; null where it has one that cannot be had in time. */
async function textIfHad(
  proposal: ProposalInView,
  pollTexts: PollTexts,
  patienceMs: number,
): Promise<ProposalText | null> {
  if (proposal.system !== 'POLL') {
    const text = proposal.system === 'TREASURY' ? proposal.description : proposal.metadata
    return { title: proposalTitle(text), description: text === '' ? null : text }
  }
  const cid = cidOf(proposal)
  if (cid === null) return { title: null, description: null }
  const found = await pollTexts.ready(cid, patienceMs)
  return found === undefined ? null : { title: found.title, description: found.text === '' ? null : found.text }
}

async function countOf(proposal: ProposalInView) {
  return (await proposal.view.count(proposal)).count
}

async function filterProposals(
  proposals: readonly ProposalInView[],
  filter: ProposalFilter,
  views: readonly GovernanceView[],
  context: Context,
): Promise<{ proposals: ProposalInView[]; uncounted: string[]; textsMissing: string[] }> {
  const { system, state, proposer, voter, search, createdAfter, createdBefore } = filter
  const votedOn =
    voter === null || voter === undefined ? null : new Set(views.flatMap((view) => view.proposalsVotedBy(voter)))
  const needle = search ? folded(search) : undefined
  const uncounted: string[] = []
  const textsMissing: string[] = []
  const fits = await Promise.all(
    proposals.map(async (proposal) => {
      const created = isoTime(proposal.createdAt.timestamp)
      if (system && !system.includes(proposal.system)) return false
      if (proposer && proposer !== proposal.proposer) return false
      if (createdAfter && created < createdAfter) return false
      if (createdBefore && created > createdBefore) return false
      if (votedOn !== null && !votedOn.has(proposal)) return false
      const isFound = needle ? await isTextFound(proposal, needle, context) : true
      if (isFound === false) return false
      const counted = state ? await stateIfCounted(proposal) : undefined
      if (counted && state?.includes(counted) === false) return false
      if (counted === null) uncounted.push(globalId(proposal))
      if (isFound === null) textsMissing.push(globalId(proposal))
      return counted !== null && isFound !== null
    }),
  )
  return {
    proposals: proposals.filter((_, index) => fits[index]),
    uncounted: uncounted.sort(),
    textsMissing: textsMissing.sort(),
  }
}

/** Null where it cannot be counted, for whatever reason a client may be told. */
async function stateIfCounted(proposal: ProposalInView): Promise<State | null> {
  try {
    return (await countOf(proposal)).state
  } catch (error) {
    if (error instanceof ApiError) return null
    throw error
  }
}

/** Whether a proposal's text has a word in it; null where the text cannot be had in time. */
async function isTextFound(proposal: ProposalInView, needle: string, { pollTexts }: Context): Promise<boolean | null> {
  const text = await textIfHad(proposal, pollTexts, SEARCH_PATIENCE_MS)
  if (text === null) return null
  const { title, description } = text
  return [title, description].some((text) => text !== null && folded(text).includes(needle))
}

/** Unix time that stands for any later one in a cursor. */
const LAST_KEY = 999_999_999_999_999

/** The list in an order, and how its cursors are made: "<time> <id>", by time, then id. */
function sortProposals(
  proposals: readonly ProposalInView[],
  orderBy: ProposalOrder,
): [ProposalInView[], ListOrder<ProposalInView>] {
  const byCreation = orderBy === 'CREATED_ASC' || orderBy === 'CREATED_DESC'
  // What anybody, or a chain, may set a time to fits into a cursor all the same.
  const timeOf = (proposal: ProposalInView) =>
    Math.min(Math.max(byCreation ? proposal.createdAt.timestamp : proposal.view.endTime(proposal), 0), LAST_KEY)
  const direction = orderBy === 'CREATED_ASC' || orderBy === 'ENDS_ASC' ? 1 : -1
  const keyOf = (proposal: ProposalInView) => `${timeOf(proposal)} ${globalId(proposal)}`
  const compare = (a: string, b: string) => direction * compareKeys(a, b)
  // Estimated ends move as time passes: a cursor stands for where its proposal is now, if it still is in the list.
  const keys = new Map(proposals.map((proposal) => [globalId(proposal), keyOf(proposal)]))
  const placeOf = (key: string) => keys.get(key.slice(key.indexOf(' ') + 1)) ?? key
  return [
    proposals.toSorted((a, b) => compare(keys.get(globalId(a)) ?? '', keys.get(globalId(b)) ?? '')),
    { form: /^\d{1,15} \S{1,150}$/, keyOf, isAfter: (proposal, key) => compare(keyOf(proposal), placeOf(key)) > 0 },
  ]
}

/** Votes in the order they were cast. */
const castOrder: ListOrder<VoteParent> = {
  form: /^\d{1,15} \d{1,15}$/,
  keyOf: ({ ballot }) => `${ballot.cast.at.block} ${ballot.cast.at.logIndex}`,
  isAfter: ({ ballot }, key) => compareKeys(`${ballot.cast.at.block} ${ballot.cast.at.logIndex}`, key) > 0,
}

/** By time across chains; several blocks of one chain can have the same. */
function accountVoteKey({ proposal, cast }: AccountVoteParent): string {
  const { timestamp, block, logIndex } = cast.at
  return `${timestamp} ${block} ${logIndex} ${globalId(proposal)}`
}

/** The steps of a proposal's life, in their order, those by the clock whether they have come or not. */
export function timeline(proposal: ProposalInView): ProposalEvent[] {
  switch (proposal.system) {
    case 'TREASURY':
      return treasuryTimeline(proposal)
    case 'POLL':
      return pollTimeline(proposal)
    case 'ARAGON':
      return aragonTimeline(proposal)
  }
}

function treasuryTimeline(proposal: TreasuryProposalInView): ProposalEvent[] {
  const events = proposal.events.map(({ kind, at }) => marked(kind, at, proposal))
  const canceled = proposal.events.find(({ kind }) => kind === 'CANCELED')
  const lastRound = canceled === undefined ? Infinity : proposal.view.chainView.roundOf(canceled.at)
  const clock = [
    { kind: 'VOTING_OPENED' as const, round: proposal.snapshotRound + 1 },
    { kind: 'VOTING_CLOSED' as const, round: proposal.lastRound + 1 },
  ].map(({ kind, round }): ProposalEvent => {
    const { seconds, estimated } = proposal.view.roundTime(round)
    return { kind, round: Math.min(round, NO_END), at: null, timestamp: isoTimeOfAnybody(seconds), estimated }
  })
  // What was canceled never comes to what the clock would have brought.
  return [
    marked('CREATED', proposal.createdAt, proposal),
    ...clock.filter(({ round }) => (round ?? 0) <= lastRound),
    ...events,
  ]
}

function pollTimeline(poll: PollInView): ProposalEvent[] {
  return [
    marked('CREATED', poll.createdAt, poll),
    byClock('VOTING_OPENED', poll.createdAt.timestamp),
    // In which block of the chain's own the last L1 block to vote in fell is known, its time is not.
    { ...byClock('VOTING_CLOSED', poll.view.endTime(poll)), estimated: true },
  ]
}

function aragonTimeline(vote: AragonVoteInView): ProposalEvent[] {
  const isKnown = vote.voteTime !== null || vote.execution !== null
  return [
    marked('CREATED', vote.createdAt, vote),
    byClock('VOTING_OPENED', vote.createdAt.timestamp),
    byClock('VOTING_CLOSED', isKnown ? aragonClosingTime(vote) : Infinity),
    ...(vote.execution === null ? [] : [marked('EXECUTED', vote.execution.at, vote)]),
  ]
}

function marked(kind: ProposalEvent['kind'], at: LogPosition, proposal: ProposalInView): ProposalEvent {
  const round = proposal.system === 'TREASURY' ? proposal.view.chainView.roundOf(at) : null
  return { kind, at: position(at), round, timestamp: isoTime(at.timestamp), estimated: false }
}

/** Stands for any later round, and is the last that GraphQL's Int can tell. */
const NO_END = 2_147_483_647

/** What no event marks, at a Unix time. */
function byClock(kind: ProposalEvent['kind'], seconds: number): ProposalEvent {
  return { kind, at: null, round: null, timestamp: isoTimeOfAnybody(seconds), estimated: false }
}
