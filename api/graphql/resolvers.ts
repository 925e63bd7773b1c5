import { ApiError } from '../facts/errors.ts'
import type { Head, RoundFacts } from '../facts/subgraph.ts'
import { isStale, type Lag, lagOf } from '../http/freshness.ts'
import { percent } from '../rules/poll-tally.ts'
import type { VotingPower as Power } from '../rules/voting-power.ts'
import { type ChainView, exactTotals, notExactOnL1 } from '../views/chain-view.ts'
import type { Chains } from '../views/chains.ts'
import type { StakeSnapshot as Snapshot } from '../views/stake-snapshot.ts'
import { encodeCursor } from './cursors.ts'
import { type AllFields, mayBeKept, withFieldRules } from './field-rules.ts'
import type {
  AccountResolvers,
  ChainStatusResolvers,
  PageInfoResolvers,
  QueryResolvers,
  RoundResolvers,
  StakeSnapshotResolvers,
  TokenAllocationResolvers,
  TokenShareResolvers,
  VotingPowerResolvers,
} from './generated/resolvers.ts'
import { keyAfter, type ListOrder, pageOf, pageSize } from './pagination.ts'
import { isoTime, position } from './positions.ts'
import { accountVotes, proposalQueries, proposalTypes } from './proposal-resolvers.ts'
import { scalars } from './scalars.ts'
import { treasuryQueries, treasuryTypes } from './treasury-resolvers.ts'

/** The most accounts one votingPowers may ask for. */
const MAX_ACCOUNTS = 1000

/** What a ChainStatus' fields are resolved from; head is the last one known where the index does not answer. */
export interface ChainStatusParent {
  view: ChainView
  head: Head | undefined
  headBlock: number | null
  lag: Lag
  synced: boolean
  error: string | null
}

/** A round with the chain it is of. */
export type RoundParent = RoundFacts & { view: ChainView }

/** A snapshot with the chain it is of. */
export interface StakeSnapshotParent {
  view: ChainView
  snapshot: Snapshot
}

const Query: AllFields<QueryResolvers> = {
  status: (_, __, { chains }) => Promise.all(chains.views.map(status)),
  round: async (_, { number, network }, { chains }, info): Promise<RoundParent | null> => {
    if (number === null || number === undefined) {
      const view = await chains.forNow(network)
      const [latest] = await (await view.pinned()).rounds(1, undefined, true)
      return latest === undefined ? null : { ...latest, view }
    }
    const view = await chains.forRound(number, network)
    if (await view.isFinal(number)) mayBeKept(info)
    const round = await (await view.pinned()).roundFrom(number)
    return round?.number === number ? { ...round, view } : null
  },
  rounds: async (_, { first, after, descending, network }, { chains }) => {
    const size = pageSize(first)
    const isDescending = descending !== false
    const key = keyAfter(after, /^\d{1,9}$/)
    const from = key === undefined ? undefined : Number(key)
    const { rounds, hasMore } = await chains.rounds(size, from, isDescending, network)
    const last = rounds.at(-1)
    return {
      nodes: rounds,
      pageInfo: {
        hasNextPage: hasMore,
        endKey: last === undefined ? null : String(last.number),
      },
    }
  },
  votingPower: async (_, { account, round, network }, { chains }, info) => {
    const view = await chains.forRound(round, network)
    if (await view.isFinal(round)) mayBeKept(info)
    return view.votingPower(account, round)
  },
  votingPowers: async (_, { accounts, round, network }, { chains }, info) => {
    if (accounts.length > MAX_ACCOUNTS) {
      throw new ApiError('LIMIT_EXCEEDED', `${accounts.length} accounts asked; at most 1,000 at a time`)
    }
    const view = await chains.forRound(round, network)
    if (await view.isFinal(round)) mayBeKept(info)
    return Promise.all(accounts.map((account) => view.votingPower(account, round)))
  },
  stakeSnapshot: async (_, { round, network }, { chains }, info): Promise<StakeSnapshotParent> => {
    const view = await chains.forRound(round, network)
    if (await view.isFinal(round)) mayBeKept(info)
    return { view, snapshot: await view.snapshot(round) }
  },
  tokenAllocation: async (_, { round, supply, seats, network }, { chains }, info) => {
    if (supply === null || supply === undefined) {
      throw new ApiError('BAD_USER_INPUT', `supply is ${supply}; it must be 0 or more, in wei`)
    }
    if (seats === null || seats === undefined) {
      throw new ApiError('BAD_USER_INPUT', `seats is ${seats}; it must be 1 or more`)
    }
    const view = await chains.forRound(round, network)
    if (await view.isFinal(round)) mayBeKept(info)
    const { totalStake, shares } = await view.tokenAllocation(round, supply, seats)
    return {
      round,
      network: view.chain.network,
      supply,
      seats,
      totalStake,
      shares: shares.map((share) => ({ ...share, percent: percent(share.tokens, supply) })),
    }
  },
  ...proposalQueries,
  ...treasuryQueries,
  account: (_, { address }) => ({ address }),
}

const ChainStatus: AllFields<ChainStatusResolvers> = {
  network: ({ view }) => view.chain.network,
  block: ({ head }) => BigInt(head?.block ?? 0),
  blockHash: ({ head }) => head?.blockHash ?? null,
  timestamp: ({ head }) => isoTime(head?.timestamp ?? 0),
  headBlock: ({ headBlock }) => (headBlock === null ? null : BigInt(headBlock)),
  lagBlocks: ({ lag }) => (lag.blocks === null ? null : BigInt(lag.blocks)),
  lagSeconds: ({ lag }) => lag.seconds,
  stale: ({ head, lag, error }) => head === undefined || error !== null || isStale(head, lag),
  firstRound: ({ head }) => head?.firstRound || null,
  round: ({ head }) => head?.currentRound || null,
  synced: ({ synced }) => synced,
  error: ({ error }) => error,
  hasIndexingErrors: ({ head }) => head?.hasIndexingErrors ?? false,
  contradictionCount: ({ head }) => head?.contradictions ?? 0,
  contradictions: async ({ view, head, error }) => {
    if (error !== null || (head?.contradictions ?? 0) === 0) return []
    const contradictions = await (await view.pinned()).contradictions()
    return contradictions.map(({ message, account, at }) => ({ message, account, at: position(at) }))
  },
}

const Round: AllFields<RoundResolvers> = {
  number: ({ number }) => number,
  network: ({ view }) => view.chain.network,
  initializedAt: ({ initializedAt }) => position(initializedAt),
  totalActiveStake: (round) => exactTotals(round).totalActiveStake,
  totalStake: (round) => exactTotals(round).totalStake,
  activeTranscoders: ({ number, view }) => view.activeTranscoders(number),
}

const VotingPower: AllFields<VotingPowerResolvers> = {
  account: ({ account }) => account,
  round: ({ round }) => round,
  votes: ({ votes }) => votes,
  delegate: ({ delegate }) => delegate,
  isTranscoder: ({ isTranscoder }) => isTranscoder,
  isActive: ({ isActive }) => isActive,
  stake: ({ account, stake }) => known(stake, `The own stake of transcoder ${account}`),
  bondedAmount: ({ account, bondedAmount }) => known(bondedAmount, `The own bonded amount of transcoder ${account}`),
  delegatedStake: ({ delegatedStake }) => delegatedStake,
  checkpointed: ({ checkpointed }) => checkpointed,
}

const StakeSnapshot: AllFields<StakeSnapshotResolvers> = {
  round: ({ snapshot }) => snapshot.round,
  network: ({ view }) => view.chain.network,
  totalActiveStake: ({ snapshot }) => snapshot.totalActiveStake,
  totalStake: ({ snapshot }) => snapshot.totalStake,
  holders: ({ snapshot }, { first, after, transcodersOnly }) => {
    if (!transcodersOnly) refuseIncomplete(snapshot, 'What delegators had')
    const { holders } = snapshot
    return pageOf(
      transcodersOnly ? holders.filter(({ isTranscoder }) => isTranscoder) : holders,
      votesOrder,
      first,
      after,
    )
  },
  merkleRoot: ({ snapshot }) => {
    refuseIncomplete(snapshot, 'The votes of all holders')
    return snapshot.merkleRoot
  },
}

const TokenAllocation: AllFields<TokenAllocationResolvers> = {
  round: ({ round }) => round,
  network: ({ network }) => network,
  supply: ({ supply }) => supply,
  seats: ({ seats }) => seats,
  totalStake: ({ totalStake }) => totalStake,
  shares: ({ shares }) => shares,
}

const TokenShare: AllFields<TokenShareResolvers> = {
  transcoder: ({ transcoder }) => transcoder,
  stake: ({ stake }) => stake,
  tokens: ({ tokens }) => tokens,
  percent: ({ percent: part }) => part,
}

const PageInfo: AllFields<PageInfoResolvers> = {
  hasNextPage: ({ hasNextPage }) => hasNextPage,
  endCursor: async ({ endKey }, _, { chains }) => (endKey === null ? null : encodeCursor(endKey, await chains.pins())),
}

const Account: AllFields<AccountResolvers> = {
  address: ({ address }) => address,
  votingPower: async ({ address }, { round, network }, { chains }) => {
    const at = await viewAt(chains, round, network)
    return at.view.votingPower(address, at.round)
  },
  votingPowerHistory: async ({ address }, { fromRound, toRound, first, after, network }, { chains }) => {
    const { view } = await viewAt(chains, toRound ?? fromRound, network)
    const { head } = await view.pinned()
    const from = fromRound ?? head.firstRound
    const to = toRound ?? head.currentRound + 1
    // First, as a bound that was left out would make a round beyond the other end look like a mere mix-up.
    await view.pinnedFor(from)
    await view.pinnedFor(to)
    if (from > to) throw new ApiError('BAD_USER_INPUT', `fromRound ${from} is after toRound ${to}`)
    return pageOf(
      await view.votingPowerHistory(address, from, to),
      {
        form: /^\d{1,9}$/,
        keyOf: ({ round }) => String(round),
        isAfter: ({ round }, key) => round > Number(key),
      },
      first,
      after,
    )
  },
  delegators: async ({ address }, { round, first, after, network }, { chains }) => {
    const at = await viewAt(chains, round, network)
    return pageOf(await at.view.delegators(address, at.round), votesOrder, first, after)
  },
  votes: ({ address }, { first, after }, context) => accountVotes(address, first, after, context),
}

/** All resolvers, for makeExecutableSchema or ApolloServer. */
export const resolvers = withFieldRules({
  ...scalars,
  Query,
  ChainStatus,
  Round,
  VotingPower,
  StakeSnapshot,
  TokenAllocation,
  TokenShare,
  PageInfo,
  Account,
  ...proposalTypes,
  ...treasuryTypes,
})

/** Cursors of lists by votes descending, then address: both, so that a page goes on where the last ended. */
const votesOrder: ListOrder<Power> = {
  form: /^\d{1,100} 0x[0-9a-f]{40}$/,
  keyOf: ({ votes, account }) => `${votes} ${account}`,
  isAfter: ({ votes, account }, key) => {
    const [keyVotes = '', keyAccount = ''] = key.split(' ')
    const limit = BigInt(keyVotes)
    return votes === limit ? account > keyAccount : votes < limit
  },
}

/** A round and the chain it is of; the one that stands for now when none is given. */
async function viewAt(
  chains: Chains,
  round: number | null | undefined,
  network: string | null | undefined,
): Promise<{ view: ChainView; round: number }> {
  if (round !== null && round !== undefined) return { view: await chains.forRound(round, network), round }
  const view = await chains.forNow(network)
  return { view, round: await view.nextRound() }
}

async function status(view: ChainView): Promise<ChainStatusParent> {
  const [pinned, reached] = await Promise.all([
    view.pinned().catch((reason: unknown) => ({ reason })),
    view.latestBlock(),
  ])
  const headBlock = reached?.block ?? null
  const nothing = { block: 0, timestamp: 0 }
  if ('reason' in pinned) {
    const error = pinned.reason instanceof ApiError ? pinned.reason.message : 'The index does not answer'
    const head = view.chain.subgraph.lastHead
    return { view, head, headBlock, lag: lagOf(head ?? nothing, reached), synced: false, error }
  }
  const { head } = pinned
  const synced = reached?.synced ?? !head.hasIndexingErrors
  return { view, head, headBlock, lag: lagOf(head, reached), synced, error: null }
}

function known(figure: bigint | null, what: string): bigint {
  if (figure === null) throw notExactOnL1(what)
  return figure
}

function refuseIncomplete(snapshot: Snapshot, what: string): void {
  if (!snapshot.isComplete) throw notExactOnL1(what)
}
