import { ApiError } from '../facts/errors.ts'
import { isStaleNow, lagIn } from '../facts/freshness.ts'
import { integer } from '../rules/integer.ts'
import { percent } from '../rules/poll-tally.ts'
import type { VotingPower as Power } from '../rules/voting-power.ts'
import type { StakeSnapshot as Snapshot } from '../views/stake-snapshot.ts'
import { exact, notExactOnL1, type OwnStake, type PowerInView, untoldWithoutRpc } from '../views/stake-view.ts'
import { accountBallots } from './counting-resolvers.ts'
import { encodeCursor, pinsOf } from './cursors.ts'
import { type AllFields, given, withFieldRules } from './field-rules.ts'
import type {
  AccountResolvers,
  ChainStatusResolvers,
  ConcentrationResolvers,
  PageInfoResolvers,
  QueryResolvers,
  RoundResolvers,
  StakeSnapshotResolvers,
  TokenAllocationResolvers,
  TokenShareResolvers,
  UncheckedPartResolvers,
  VerificationResolvers,
  VerifiedDifferenceResolvers,
  VotingPowerResolvers,
} from './generated/resolvers.ts'
import { keyAfter, type ListOrder, pageOf, pageSize } from './pagination.ts'
import type { ChainStatusParent, RoundParent, StakeSnapshotParent } from './parents.ts'
import { isoTime, position } from './positions.ts'
import { accountVotes, proposalQueries, proposalTypes } from './proposal-resolvers.ts'
import { scalars } from './scalars.ts'
import { treasuryQueries, treasuryTypes } from './treasury-resolvers.ts'

/** GraphQL's largest Int. */
const LAST_INT = 2_147_483_647
/** Of lists without pages, how many entries are told. */
const MOST_LISTED = 100
/** The most accounts one votingPowers may ask for. */
const MAX_ACCOUNTS = 1000

const Query: AllFields<QueryResolvers> = {
  status: (_, __, { chains }) => chains.views.map((view): ChainStatusParent => ({ view, state: view.state })),
  round: (_, { number, network }, { chains, keeping }): RoundParent | null => {
    if (number === null || number === undefined) {
      const view = chains.forNow(network)
      const latest = view.facts.lastRound
      return latest === undefined ? null : { ...latest, view }
    }
    const view = chains.forRound(number, network)
    keeping.note(view.atRound(number))
    const round = view.facts.stake.roundFrom(number)
    return round?.number === number ? { ...round, view } : null
  },
  rounds: (_, { first, after, descending, network }, { chains }) => {
    const size = pageSize(first)
    const isDescending = descending !== false
    const key = keyAfter(after, /^\d{1,10}$/)
    const from = key === undefined ? undefined : Number(key)
    const { rounds, hasMore } = chains.rounds(size, from, isDescending, network)
    const last = rounds.at(-1)
    return {
      nodes: rounds,
      pageInfo: {
        hasNextPage: hasMore,
        endKey: last === undefined ? null : String(last.number),
      },
    }
  },
  roundAt: (_, { time, block, network }, { chains, keeping }): RoundParent | null => {
    const found = chains.lastRoundBy(roundBound(time, block), network)
    if (found !== null) keeping.note(found)
    return found === null ? null : { ...found.round, view: found.view }
  },
  votingPower: async (_, { account, ...asked }, { chains, keeping }) => {
    const stakes = await chains.at(asked)
    keeping.note(stakes)
    return stakes.toldPower(account)
  },
  votingPowers: async (_, { accounts, ...asked }, { chains, keeping }) => {
    if (accounts.length > MAX_ACCOUNTS) {
      throw new ApiError('LIMIT_EXCEEDED', `${accounts.length} accounts asked; at most 1,000 at a time`)
    }
    const stakes = await chains.at(asked)
    keeping.note(stakes)
    return Promise.all(accounts.map((account) => stakes.toldPower(account)))
  },
  stakeSnapshot: async (_, asked, { chains, keeping }): Promise<StakeSnapshotParent> => {
    const stakes = await chains.at(asked)
    keeping.note(stakes)
    return { stakes, snapshot: await stakes.snapshot() }
  },
  tokenAllocation: (_, { round, supply, seats, network }, { chains, keeping }) => {
    if (supply === null || supply === undefined) {
      throw new ApiError('BAD_USER_INPUT', `supply is ${supply}; it must be 0 or more, in wei`)
    }
    if (seats === null || seats === undefined) {
      throw new ApiError('BAD_USER_INPUT', `seats is ${seats}; it must be 1 or more`)
    }
    const stakes = chains.forRound(round, network).atRound(round)
    keeping.note(stakes)
    const { totalStake, shares } = stakes.tokenAllocation(supply, seats)
    return {
      round,
      network: stakes.network,
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
  network: ({ view }) => view.network,
  chainId: ({ view }) => view.chainId ?? null,
  contracts: ({ view }) =>
    Object.entries(view.chain.source.contracts ?? {})
      .map(([name, address]) => ({ name, address: address.toLowerCase() }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  block: ({ state: { head } }) => BigInt(head?.block ?? 0),
  blockHash: ({ state: { head } }) => head?.blockHash ?? null,
  timestamp: ({ state: { head } }) => isoTime(head?.timestamp ?? 0),
  headBlock: ({ state: { chainHead } }) => (chainHead === null ? null : BigInt(chainHead.block)),
  lagBlocks: ({ state }) => {
    const { blocks } = lagIn(state)
    return blocks === null ? null : BigInt(blocks)
  },
  lagSeconds: ({ state }) => {
    const { seconds } = lagIn(state)
    return seconds === null ? null : Math.min(seconds, LAST_INT)
  },
  stale: ({ state }) => isStaleNow(state),
  headAgeSeconds: ({ state: { headAgeSeconds } }) =>
    headAgeSeconds === null ? null : Math.min(Math.max(0, Math.floor(headAgeSeconds)), LAST_INT),
  ageSeconds: ({ state: { ageSeconds } }) => (ageSeconds === null ? null : Math.floor(ageSeconds)),
  checked: ({ state }) => state.isChecked,
  firstRound: ({ state }) => state.firstRound || null,
  round: ({ state }) => state.currentRound || null,
  // What is not known is not so.
  synced: ({ state }) => !isStaleNow(state) && state.chainHead !== null && state.chainHead.synced !== false,
  error: ({ state }) => state.error?.message ?? null,
  trouble: ({ state }) => state.trouble,
  hasIndexingErrors: ({ state: { head } }) => head?.hasIndexingErrors ?? true,
  contradictionCount: ({ state }) => state.contradictions,
  contradictions: ({ view, state }) =>
    state.head === undefined
      ? []
      : view.facts.stake.contradictions
          .slice(0, MOST_LISTED)
          .map(({ message, account, about, at }) => ({ message, account, about, at: position(at) })),
  verification: ({ view }) => view.chain.verification,
}

const Verification: AllFields<VerificationResolvers> = {
  ...given('off', 'lastRound', 'rounds', 'proposals', 'pending', 'comparedValues'),
  differenceCount: ({ differences }) => differences.length,
  differences: ({ differences }) => differences.slice(0, MOST_LISTED),
  uncheckedCount: ({ unchecked }) => unchecked.length,
  unchecked: ({ unchecked }) => unchecked.slice(0, MOST_LISTED),
}

const VerifiedDifference: AllFields<VerifiedDifferenceResolvers> = {
  ...given('round', 'proposal', 'what', 'where', 'contract', 'api'),
  block: ({ block }) => BigInt(block),
}

const UncheckedPart: AllFields<UncheckedPartResolvers> = {
  ...given('round', 'proposal', 'what', 'reason'),
}

const Round: AllFields<RoundResolvers> = {
  number: ({ number }) => number,
  network: ({ view }) => view.network,
  initializedAt: ({ initializedAt }) => position(initializedAt),
  totalActiveStake: ({ number, view }) => exact(view.atRound(number).totals().totalActiveStake),
  totalStake: ({ number, view }) => exact(view.atRound(number).totals().totalStake),
  activeTranscoders: ({ number, view }) => view.atRound(number).activeTranscoders(),
  concentration: ({ number, view }, { of }) => view.atRound(number).concentration(of ?? 'ACTIVE_TRANSCODERS'),
}

const Concentration: AllFields<ConcentrationResolvers> = {
  ...given('count', 'total', 'nakamoto33', 'nakamoto50', 'nakamotoQuorum', 'gini', 'top1', 'top5', 'top10'),
}

const VotingPower: AllFields<VotingPowerResolvers> = {
  ...given('account', 'round', 'votes', 'delegate', 'isTranscoder', 'isActive', 'delegatedStake', 'checkpointed'),
  block: ({ block }) => blockNumber(block),
  stake: (power) => power.stake ?? ownStake(power, 'stake'),
  bondedAmount: (power) => power.bondedAmount ?? ownStake(power, 'bondedAmount'),
  source: ({ source, ownStake }) => {
    if (ownStake === undefined) return source ?? 'EVENTS'
    // What is not told is refused where it is asked for; all else is from events then.
    return ownStake().then(
      () => 'CONTRACT',
      () => 'EVENTS',
    )
  },
}

const StakeSnapshot: AllFields<StakeSnapshotResolvers> = {
  round: ({ snapshot }) => snapshot.moment.round,
  block: ({ snapshot }) => blockNumber(snapshot.moment.block),
  network: ({ stakes }) => stakes.network,
  totalActiveStake: ({ snapshot }) => exact(snapshot.totalActiveStake),
  totalStake: ({ snapshot }) => exact(snapshot.totalStake),
  holders: ({ stakes, snapshot }, { first, after, transcodersOnly }) => {
    if (!transcodersOnly) refuseIncomplete(snapshot, 'What delegators had')
    const { holders } = snapshot
    const page = pageOf(
      transcodersOnly ? holders.filter(({ isTranscoder }) => isTranscoder) : holders,
      votesOrder,
      first,
      after,
    )
    return { ...page, nodes: page.nodes.map((power) => stakes.withOwnStake(power)) }
  },
  merkleRoot: ({ snapshot }) => {
    refuseIncomplete(snapshot, 'The votes of all holders')
    return snapshot.merkleRoot()
  },
}

const TokenAllocation: AllFields<TokenAllocationResolvers> = {
  ...given('round', 'network', 'supply', 'seats', 'totalStake', 'shares'),
}

const TokenShare: AllFields<TokenShareResolvers> = {
  ...given('transcoder', 'stake', 'tokens', 'percent'),
}

const PageInfo: AllFields<PageInfoResolvers> = {
  hasNextPage: ({ hasNextPage }) => hasNextPage,
  endCursor: ({ endKey }, _, { chains, keeping }) => {
    if (endKey === null) return null
    keeping.noteHead()
    return encodeCursor(endKey, pinsOf(chains.views))
  },
}

const Account: AllFields<AccountResolvers> = {
  address: ({ address }) => address,
  votingPower: async ({ address }, asked, { chains }) => (await chains.atOrNow(asked)).toldPower(address),
  votingPowerHistory: ({ address }, { fromRound, toRound, first, after, network }, { chains }) => {
    const round = toRound ?? fromRound
    const view = round === null || round === undefined ? chains.forNow(network) : chains.forRound(round, network)
    const { firstRound, currentRound } = view.facts
    const from = fromRound ?? firstRound
    const to = toRound ?? currentRound + 1
    // First, as a bound that was left out would make a round beyond the other end look like a mere mix-up.
    view.factsFor(from)
    view.factsFor(to)
    if (from > to) throw new ApiError('BAD_USER_INPUT', `fromRound ${from} is after toRound ${to}`)
    return pageOf(
      view.votingPowerHistory(address, from, to),
      {
        form: /^\d{1,10}$/,
        keyOf: ({ round }) => String(round),
        isAfter: ({ round }, key) => round > Number(key),
      },
      first,
      after,
    )
  },
  delegators: async ({ address }, { first, after, ...asked }, { chains }) => {
    const stakes = await chains.atOrNow(asked)
    return pageOf(await stakes.delegators(address), votesOrder, first, after)
  },
  votes: ({ address }, { first, after }, context) => accountVotes(address, first, after, context),
  ballots: ({ address }, { first, after }, context) => accountBallots(address, first, after, context),
}

/** All resolvers, for makeExecutableSchema or ApolloServer. */
export const resolvers = withFieldRules({
  ...scalars,
  Query,
  ChainStatus,
  Verification,
  VerifiedDifference,
  UncheckedPart,
  Round,
  Concentration,
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
    const limit = integer(keyVotes)
    return votes === limit ? account > keyAccount : votes < limit
  },
}

/** What a round is to have begun by; BAD_USER_INPUT unless exactly one of them is given. */
function roundBound(
  time: string | null | undefined,
  block: bigint | null | undefined,
): { time: number } | { block: bigint } {
  const isTime = time !== null && time !== undefined
  const isBlock = block !== null && block !== undefined
  if (isTime && !isBlock) return { time: Math.floor(Date.parse(time) / 1000) }
  if (isBlock && !isTime) return { block }
  const given = isTime ? 'Both' : 'Neither'
  throw new ApiError('BAD_USER_INPUT', `${given} time and block given; give exactly one of them`)
}

/** A block as the schema has it; null where a round was asked. */
function blockNumber(block: number | null): bigint | null {
  return block === null ? null : BigInt(block)
}

/** What events do not tell of a transcoder of Ethereum L1; NOT_EXACT where nobody can be asked or tells. */
async function ownStake({ account, ownStake: ask }: PowerInView, field: keyof OwnStake): Promise<bigint> {
  if (ask === undefined) throw untoldWithoutRpc(`The own ${field} of transcoder ${account}`)
  return (await ask())[field]
}

function refuseIncomplete(snapshot: Snapshot, what: string): void {
  if (!snapshot.isComplete) throw notExactOnL1(what)
}
