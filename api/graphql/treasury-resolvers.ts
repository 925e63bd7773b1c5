import { ApiError } from '../facts/errors.ts'
import type { TokenBalanceFacts, TreasuryFacts, TreasuryTransferFacts } from '../facts/subgraph.ts'
import type { ChainView } from '../views/chain-view.ts'
import type { GovernanceView } from '../views/governance-view.ts'
import { viewsOf } from './context.ts'
import type { AllFields } from './field-rules.ts'
import type {
  QueryResolvers,
  TokenBalanceResolvers,
  TreasuryResolvers,
  TreasuryTransferResolvers,
  VaultPaymentResolvers,
  VotingTokenResolvers,
} from './generated/resolvers.ts'
import { type ListOrder, pageOf } from './pagination.ts'
import { position } from './positions.ts'

/** A voting token with the chain it is on. */
export interface VotingTokenParent {
  address: string
  view: ChainView
}

/** A treasury or vault with the chain it is on. */
export type TreasuryParent = TreasuryFacts & { governance: GovernanceView }

/** A transfer with the chain it happened on. */
export type TreasuryTransferParent = TreasuryTransferFacts & { governance: GovernanceView }

/** Resolvers of Query.treasuries and Query.votingTokens. */
export const treasuryQueries: Required<Pick<QueryResolvers, 'treasuries' | 'votingTokens'>> = {
  treasuries: async (_, { network }, context): Promise<TreasuryParent[]> => {
    const perChain = viewsOf(network, context).map(async (view) =>
      (await (await view.chainView.pinned()).treasuries()).map((facts) => ({ ...facts, governance: view })),
    )
    return (await Promise.all(perChain)).flat()
  },
  votingTokens: async (_, { network }, { chains }): Promise<VotingTokenParent[]> => {
    const perChain = chains
      .all(network)
      .map(async (view) => (await (await view.pinned()).votingTokens()).map((address) => ({ address, view })))
    return (await Promise.all(perChain)).flat()
  },
}

const VotingToken: AllFields<VotingTokenResolvers> = {
  address: ({ address }) => address,
  network: ({ view }) => view.chain.network,
  totalSupply: ({ address, view }, { block }) => balanceOf(view, address, ZERO_ADDRESS, block),
  balance: async ({ address, view }, { holder, block }) =>
    holder === ZERO_ADDRESS ? 0n : balanceOf(view, address, holder, block),
  holders: async ({ address, view }, { block, first, after }) =>
    holdersPage(view, address, await blockOf(view, block), first, after),
}

const TokenBalance: AllFields<TokenBalanceResolvers> = {
  holder: ({ holder }) => holder,
  balance: ({ balance }) => balance,
}

const Treasury: AllFields<TreasuryResolvers> = {
  address: ({ address }) => address,
  network: ({ governance }) => governance.chainView.chain.network,
  balance: async ({ address, balance, governance }, { block }) => {
    if (block === null || block === undefined) return balance
    const at = await blockOf(governance.chainView, block)
    const transfers = await (await governance.chainView.pinned()).treasuryTransfers(address)
    return transfers.findLast((transfer) => transfer.at.block <= at)?.balanceAfter ?? 0n
  },
  totalIn: ({ totalIn }) => totalIn,
  totalOut: ({ totalOut }) => totalOut,
  transfers: async ({ address, governance }, { first, after }) => {
    const transfers = await (await governance.chainView.pinned()).treasuryTransfers(address)
    return pageOf(
      transfers.map((facts) => ({ ...facts, governance })),
      transferOrder,
      first,
      after,
    )
  },
}

const TreasuryTransfer: AllFields<TreasuryTransferResolvers> = {
  from: ({ from }) => from,
  to: ({ to }) => to,
  amount: ({ amount }) => amount,
  balanceAfter: ({ balanceAfter }) => balanceAfter,
  at: ({ at }) => position(at),
  proposal: ({ at, governance }) => governance.proposalThatDid(at),
}

const VaultPayment: AllFields<VaultPaymentResolvers> = {
  token: ({ token }) => token,
  to: ({ to }) => to,
  amount: ({ amount }) => amount,
  reference: ({ reference }) => reference,
  at: ({ at }) => position(at),
}

/** Resolvers of the types about tokens and money. */
export const treasuryTypes = { VotingToken, TokenBalance, Treasury, TreasuryTransfer, VaultPayment }

/** Who held a voting token at the end of a block, as a page: most first, then by address. */
export async function holdersPage(
  view: ChainView,
  token: string,
  block: number,
  first: number | null | undefined,
  after: string | null | undefined,
) {
  const balances = await (await view.pinned()).tokenBalances(token, block)
  const holders = balances
    .filter(({ holder }) => holder !== ZERO_ADDRESS)
    .sort((a, b) => (balanceOrder.isAfter(a, balanceOrder.keyOf(b)) ? 1 : -1))
  return pageOf(holders, balanceOrder, first, after)
}

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`

async function balanceOf(
  view: ChainView,
  token: string,
  holder: string,
  block: bigint | null | undefined,
): Promise<bigint> {
  const balances = await (await view.pinned()).tokenBalances(token, await blockOf(view, block))
  return balances.find((candidate) => candidate.holder === holder)?.balance ?? 0n
}

/** The number of a block that is indexed, the latest one when none is asked for; else BAD_USER_INPUT. */
async function blockOf(view: ChainView, block: bigint | null | undefined): Promise<number> {
  const { head } = await view.pinned()
  if (block === null || block === undefined) return head.block
  if (block < 0n || block > BigInt(head.block)) {
    throw new ApiError('BAD_USER_INPUT', `Block ${block} is not indexed; blocks 0 to ${head.block} can be asked`)
  }
  return Number(block)
}

const balanceOrder: ListOrder<TokenBalanceFacts> = {
  form: /^\d{1,100} 0x[0-9a-f]{40}$/,
  keyOf: ({ balance, holder }) => `${balance} ${holder}`,
  isAfter: ({ balance, holder }, key) => {
    const [keyBalance = '', keyHolder = ''] = key.split(' ')
    const limit = BigInt(keyBalance)
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
