import { type ChainView, exactTotals } from './chain-view.ts'
import type { Context } from './context.ts'
import { ApiError } from './errors.ts'
import type {
  AccountResolvers,
  ChainStatusResolvers,
  QueryResolvers,
  RoundResolvers,
  StakeSnapshotResolvers,
} from './generated/resolvers.ts'
import { chainHead } from './graph-node-status.ts'
import { decodeCursor, encodeCursor, type ListOrder, pageOf, pageSize } from './pagination.ts'
import { isoTime, position } from './positions.ts'
import { accountVotes, proposalQueries, proposalTypes } from './proposal-resolvers.ts'
import { scalars } from './scalars.ts'
import type { PinnedSubgraph } from './subgraph.ts'
import type { VotingPower } from './voting-power.ts'

/** The most accounts one votingPowers may ask for. */
const MAX_ACCOUNTS = 1000

/** What a ChainStatus' fields are resolved from. */
export interface ChainStatusParent {
  network: string
  pinned: PinnedSubgraph
  headBlock: number | null
  synced: boolean
}

/** Every field of an object type, so that one forgotten does not compile. */
type AllFields<Resolvers> = Required<Omit<Resolvers, '__isTypeOf'>>

const Query: AllFields<QueryResolvers> = {
  status: (_, __, { views }) => Promise.all(views.map(status)),
  round: async (_, { number }, context) => {
    const view = livepeer(context)
    if (number === null || number === undefined) return (await view.pinned()).rounds(1, undefined, true).then(only)
    const pinned = await view.pinnedFor(number)
    const round = await pinned.roundFrom(number)
    return round?.number === number ? round : null
  },
  rounds: async (_, { first, after, descending }, context) => {
    const size = pageSize(first)
    const pinned = await livepeer(context).pinned()
    const isDescending = descending !== false
    const from = after === null || after === undefined ? undefined : Number(decodeCursor(after, /^\d{1,9}$/))
    const nodes = await pinned.rounds(size, from, isDescending)
    const last = nodes.at(-1)
    const end = isDescending ? pinned.head.firstRound : pinned.head.currentRound
    return {
      nodes,
      pageInfo: {
        hasNextPage: last !== undefined && last.number !== end,
        endCursor: last === undefined ? null : encodeCursor(String(last.number)),
      },
    }
  },
  votingPower: (_, { account, round }, context) => livepeer(context).votingPower(account, round),
  votingPowers: async (_, { accounts, round }, context) => {
    if (accounts.length > MAX_ACCOUNTS) {
      throw new ApiError('LIMIT_EXCEEDED', `${accounts.length} accounts asked; at most 1,000 at a time`)
    }
    const view = livepeer(context)
    await view.pinnedFor(round)
    return Promise.all(accounts.map((account) => view.votingPower(account, round)))
  },
  stakeSnapshot: (_, { round }, context) => livepeer(context).snapshot(round),
  ...proposalQueries,
  account: (_, { address }) => ({ address }),
}

const ChainStatus: AllFields<ChainStatusResolvers> = {
  network: ({ network }) => network,
  block: ({ pinned }) => BigInt(pinned.head.block),
  blockHash: ({ pinned }) => pinned.head.blockHash,
  timestamp: ({ pinned }) => isoTime(pinned.head.timestamp),
  headBlock: ({ headBlock }) => (headBlock === null ? null : BigInt(headBlock)),
  lagBlocks: ({ headBlock, pinned }) =>
    headBlock === null ? null : BigInt(Math.max(0, headBlock - pinned.head.block)),
  firstRound: ({ pinned }) => pinned.head.firstRound || null,
  round: ({ pinned }) => pinned.head.currentRound || null,
  synced: ({ synced }) => synced,
  hasIndexingErrors: ({ pinned }) => pinned.head.hasIndexingErrors,
  contradictionCount: ({ pinned }) => pinned.head.contradictions,
  contradictions: async ({ pinned }) =>
    (await pinned.contradictions()).map(({ message, account, at }) => ({ message, account, at: position(at) })),
}

const Round: AllFields<RoundResolvers> = {
  number: ({ number }) => number,
  initializedAt: ({ initializedAt }) => position(initializedAt),
  totalActiveStake: (round) => exactTotals(round).totalActiveStake,
  totalStake: (round) => exactTotals(round).totalStake,
  activeTranscoders: ({ number }, _, context) => livepeer(context).activeTranscoders(number),
}

const StakeSnapshot: AllFields<StakeSnapshotResolvers> = {
  round: ({ round }) => round,
  totalActiveStake: ({ totalActiveStake }) => totalActiveStake,
  totalStake: ({ totalStake }) => totalStake,
  holders: ({ holders }, { first, after, transcodersOnly }) =>
    pageOf(transcodersOnly ? holders.filter(({ isTranscoder }) => isTranscoder) : holders, votesOrder, first, after),
  merkleRoot: ({ merkleRoot }) => merkleRoot,
}

const Account: AllFields<AccountResolvers> = {
  address: ({ address }) => address,
  votingPower: async ({ address }, { round }, context) => {
    const view = livepeer(context)
    return view.votingPower(address, round ?? (await view.nextRound()))
  },
  votingPowerHistory: async ({ address }, { fromRound, toRound, first, after }, context) => {
    const view = livepeer(context)
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
  delegators: async ({ address }, { round, first, after }, context) => {
    const view = livepeer(context)
    return pageOf(await view.delegators(address, round ?? (await view.nextRound())), votesOrder, first, after)
  },
  votes: ({ address }, { first, after }, context) => accountVotes(address, first, after, context),
}

/** All resolvers, for makeExecutableSchema or ApolloServer. */
export const resolvers = { ...scalars, Query, ChainStatus, Round, StakeSnapshot, Account, ...proposalTypes }

/** Cursors of lists by votes descending, then address: both, so that a page goes on where the last ended. */
const votesOrder: ListOrder<VotingPower> = {
  form: /^\d{1,100} 0x[0-9a-f]{40}$/,
  keyOf: ({ votes, account }) => `${votes} ${account}`,
  isAfter: ({ votes, account }, key) => {
    const [keyVotes = '', keyAccount = ''] = key.split(' ')
    const limit = BigInt(keyVotes)
    return votes === limit ? account > keyAccount : votes < limit
  },
}

/** The chain whose stake answers. */
function livepeer({ views }: Context): ChainView {
  const [view] = views
  if (view === undefined) throw new ApiError('UPSTREAM_UNAVAILABLE', 'No chain is indexed here')
  return view
}

async function status(view: ChainView): Promise<ChainStatusParent> {
  const [pinned, head] = await Promise.all([view.pinned(), chainHead(view.chain)])
  return {
    network: view.chain.network,
    pinned,
    headBlock: head?.block ?? null,
    synced: head?.synced ?? !pinned.head.hasIndexingErrors,
  }
}

function only<Item>(items: readonly Item[]): Item | null {
  return items[0] ?? null
}
