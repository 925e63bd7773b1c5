import type { TokenBalance as TokenBalanceFacts } from '../facts/aragon.ts'
import { ApiError } from '../facts/errors.ts'
import type { Facts } from '../facts/facts.ts'
import { integer } from '../rules/integer.ts'
import type { ChainView } from '../views/chain-view.ts'
import { viewsOf } from './context.ts'
import { type AllFields, given } from './field-rules.ts'
import type {
  QueryResolvers,
  TokenBalanceResolvers,
  TreasuryResolvers,
  TreasuryTransferResolvers,
  VaultPaymentResolvers,
  VotingTokenResolvers,
} from './generated/resolvers.ts'
import { type ListOrder, pageOf } from './pagination.ts'
import type { TreasuryParent, TreasuryTransferParent, VotingTokenParent } from './parents.ts'
import { position } from './positions.ts'

/** Resolvers of Query.treasuries and Query.votingTokens. */
export const treasuryQueries: Required<Pick<QueryResolvers, 'treasuries' | 'votingTokens'>> = {
  treasuries: (_, { network }, context) =>
    viewsOf(network, context).flatMap((governance) =>
      governance.chainView.facts.treasury.treasuries().map((address): TreasuryParent => ({ address, governance })),
    ),
  votingTokens: (_, { network }, { chains }) =>
    chains
      .all(network)
      .flatMap((view) => view.facts.aragon.votingTokens().map((address): VotingTokenParent => ({ address, view }))),
}

const VotingToken: AllFields<VotingTokenResolvers> = {
  address: ({ address }) => address,
  network: ({ view }) => view.network,
  totalSupply: ({ address, view }, { block }) => factsAt(view, block).aragon.totalSupply(address),
  balance: ({ address, view }, { holder, block }) => factsAt(view, block).aragon.tokenBalance(address, holder),
  holders: ({ address, view }, { block, first, after }) => holdersPage(factsAt(view, block), address, first, after),
}

const TokenBalance: AllFields<TokenBalanceResolvers> = {
  ...given('holder', 'balance'),
}

const Treasury: AllFields<TreasuryResolvers> = {
  address: ({ address }) => address,
  network: ({ governance }) => governance.chainView.network,
  balance: ({ address, governance }, { block }) => factsAt(governance.chainView, block).treasury.balance(address),
  totalIn: ({ address, governance }) => sumOf(governance.chainView, address, 'to'),
  totalOut: ({ address, governance }) => sumOf(governance.chainView, address, 'from'),
  transfers: ({ address, governance }, { first, after }) =>
    pageOf(
      governance.chainView.facts.treasury.transfers(address).map((transfer) => ({ ...transfer, governance })),
      transferOrder,
      first,
      after,
    ),
}

const TreasuryTransfer: AllFields<TreasuryTransferResolvers> = {
  ...given('from', 'to', 'amount', 'balanceAfter'),
  at: ({ at }) => position(at),
  proposal: ({ at, governance }) => governance.proposalThatDid(at),
}

const VaultPayment: AllFields<VaultPaymentResolvers> = {
  ...given('token', 'to', 'amount', 'reference'),
  at: ({ at }) => position(at),
}

/** Resolvers of the types about tokens and money. */
export const treasuryTypes = { VotingToken, TokenBalance, Treasury, TreasuryTransfer, VaultPayment }

/** Who held a voting token as of some facts, as a page: most first, then by address. */
export function holdersPage(
  facts: Facts,
  token: string,
  first: number | null | undefined,
  after: string | null | undefined,
) {
  const holders = facts.aragon
    .tokenHolders(token)
    .sort((a, b) => (balanceOrder.isAfter(a, balanceOrder.keyOf(b)) ? 1 : -1))
  return pageOf(holders, balanceOrder, first, after)
}

/** A view's facts as of the end of a block that is indexed, the latest one when none is asked for; else BAD_USER_INPUT. */
function factsAt(view: ChainView, block: bigint | null | undefined): Facts {
  const { facts } = view
  if (block === null || block === undefined) return facts
  if (block < 0n || block > BigInt(facts.head.block)) {
    throw new ApiError('BAD_USER_INPUT', `Block ${block} is not indexed; blocks 0 to ${facts.head.block} can be asked`)
  }
  return facts.asOf({ block: Number(block), blockHash: null, timestamp: null })
}

/** All LPT that came into a treasury or vault, or went out of it, wei. */
function sumOf(view: ChainView, treasury: string, side: 'from' | 'to'): bigint {
  const transfers = view.facts.treasury.transfers(treasury)
  return transfers.reduce((sum, transfer) => (transfer[side] === treasury ? sum + transfer.amount : sum), 0n)
}

const balanceOrder: ListOrder<TokenBalanceFacts> = {
  form: /^\d{1,100} 0x[0-9a-f]{40}$/,
  keyOf: ({ balance, holder }) => `${balance} ${holder}`,
  isAfter: ({ balance, holder }, key) => {
    const [keyBalance = '', keyHolder = ''] = key.split(' ')
    const limit = integer(keyBalance)
    return balance === limit ? holder > keyHolder : balance < limit
  },
}

const transferOrder: ListOrder<TreasuryTransferParent> = {
  form: /^\d{1,15} \d{1,15}$/,
  keyOf: ({ at }) => `${at.block} ${at.logIndex}`,
  isAfter: ({ at }, key) => {
    const [block = 0, logIndex = 0] = key.split(' ').map(Number)
    return at.block === block ? at.logIndex > logIndex : at.block > block
  },
}
