import { ApiError } from '../facts/errors.ts'
import type { Context } from '../graphql/context.ts'
import { isoTime } from '../graphql/positions.ts'
import { allProposals } from '../graphql/proposal-ids.ts'
import { titleOf } from '../graphql/proposal-resolvers.ts'
import type { Absentee } from '../rules/absentees.ts'
import { percent } from '../rules/poll-tally.ts'
import type { Ballot, Count } from '../rules/proposal-count.ts'
import type { Changes, Recounted } from '../rules/recount.ts'
import type { TokenShare } from '../rules/token-allocation.ts'
import type { VotingPower } from '../rules/voting-power.ts'
import type { ChainView } from '../views/chain-view.ts'
import { type GovernanceView, globalId, type ProposalInView } from '../views/governance-view.ts'
import type { StakeSnapshot } from '../views/stake-snapshot.ts'
import { exact, notExactOnL1, type StakeView } from '../views/stake-view.ts'
import { LEAF_ENCODING } from '../views/votes-tree.ts'
import type { Cell, Column, Head, Table } from './table-file.ts'

/** The rule by which voting power is counted, and its version: of a changed rule the number goes up. */
const VOTING_POWER_RULE = 'BondingVotes.getVotesAndDelegateAtRoundStart and BondingManager.pendingStake, 1'

/** What a file about a moment says of it. */
export interface MomentMark {
  network: string
  /** The round at whose start it is; of a block, the one it lies in. */
  round: number
  /** Whether the moment cannot change any more. */
  final: boolean
  /** The block asked; of a round, the one that fixed its start, or while it is open the one up to which everything is indexed. */
  block: number
  /** Null where it is not known: of a block asked by its number, and for an answer as of the past. */
  blockHash: string | null
}

/** What fixes a moment. */
export function markOf(stakes: StakeView): MomentMark {
  const { network, moment, fixedBy, head } = stakes
  const { block, blockHash } = fixedBy ?? head
  const final = moment.block === null ? fixedBy !== null : stakes.isFinal
  return { network, round: moment.round, final, block, blockHash }
}

/** The name of a format of files about a moment: what a file of a block means is not what that of a round does. */
function formatAt({ moment }: StakeView, name: string): string {
  return `livepeer-governance/${moment.block === null ? name : `block-${name}`}/1`
}

const holderColumns: readonly Column<VotingPower>[] = [
  { name: 'account', cellOf: ({ account }) => account },
  { name: 'votes', cellOf: ({ votes }) => votes },
  { name: 'stake', cellOf: ({ stake }) => stake },
  { name: 'bondedAmount', cellOf: ({ bondedAmount }) => bondedAmount },
  { name: 'delegatedStake', cellOf: ({ delegatedStake }) => delegatedStake },
  { name: 'delegate', cellOf: ({ delegate }) => delegate },
  { name: 'isTranscoder', cellOf: ({ isTranscoder }) => isTranscoder },
  { name: 'isActive', cellOf: ({ isActive }) => isActive },
  { name: 'checkpointed', cellOf: ({ checkpointed }) => checkpointed },
]

/** Everybody with stake or votes at a moment, most votes first; NOT_EXACT on Ethereum L1. */
export async function snapshotTable(stakes: StakeView): Promise<Table<VotingPower>> {
  return tableOfSnapshot(await completeSnapshot(stakes), formatAt(stakes, 'snapshot'), markOf(stakes))
}

/** A snapshot as a table. */
export function tableOfSnapshot(snapshot: StakeSnapshot, format: string, mark: MomentMark): Table<VotingPower> {
  const { holders, totalActiveStake, totalStake } = snapshot
  const head = { format, rule: VOTING_POWER_RULE, ...mark }
  return {
    head: { ...head, totalActiveStake: exact(totalActiveStake), totalStake: exact(totalStake), rows: holders.length },
    columns: holderColumns,
    rows: holders,
  }
}

/** One account at a moment, zeros where it was never seen; on Ethereum L1 null for what cannot be told exactly. */
export async function powerTable(stakes: StakeView, account: string): Promise<Table<VotingPower>> {
  const head = { format: formatAt(stakes, 'voting-power'), rule: VOTING_POWER_RULE, ...markOf(stakes), rows: 1 }
  return { head, columns: holderColumns, rows: [await stakes.fullPower(account)] }
}

/** The Merkle proof of one account's votes at a moment; NOT_FOUND for who has none, NOT_EXACT on Ethereum L1. */
export async function proofOf(stakes: StakeView, account: string): Promise<object> {
  const snapshot = await completeSnapshot(stakes)
  const holder = snapshot.holders.find((candidate) => candidate.account === account)
  const proof = holder === undefined ? null : await snapshot.votesProof(holder)
  if (holder === undefined || proof === null) {
    throw new ApiError('NOT_FOUND', `${account} has no votes ${when(stakes)}: there is nothing to prove`)
  }
  const head = { format: formatAt(stakes, 'votes-proof'), rule: VOTING_POWER_RULE, ...markOf(stakes) }
  return { ...head, leafEncoding: LEAF_ENCODING, value: [account, holder.votes], ...proof }
}

/**
 * The whole tree of the votes at a moment, as the JSON of OpenZeppelin's StandardMerkleTree.dump(); NOT_FOUND where nobody
 * has any, NOT_EXACT on Ethereum L1.
 */
export async function votesTreeOf(stakes: StakeView): Promise<string> {
  const tree = await (await completeSnapshot(stakes)).votesTree()
  if (tree === null) throw new ApiError('NOT_FOUND', `Nobody has votes ${when(stakes)}: there is no tree`)
  return tree
}

function when({ moment }: StakeView): string {
  return moment.block === null ? `in round ${moment.round}` : `at block ${moment.block}`
}

const shareColumns: readonly Column<TokenShare & { percent: string }>[] = [
  { name: 'transcoder', cellOf: ({ transcoder }) => transcoder },
  { name: 'stake', cellOf: ({ stake }) => stake },
  { name: 'tokens', cellOf: ({ tokens }) => tokens },
  { name: 'percent', cellOf: (share) => share.percent },
]

/** A supply dealt to the active transcoders of a round; errors as StakeView.tokenAllocation. */
export function allocationTable(
  stakes: StakeView,
  supply: bigint,
  seats: number,
): Table<TokenShare & { percent: string }> {
  const { totalStake, shares } = stakes.tokenAllocation(supply, seats)
  const rule = 'largest remainder by delegated stake, ties to the lower address, 1'
  const head = { format: 'livepeer-governance/allocation/1', rule, ...markOf(stakes) }
  return {
    head: { ...head, supply, seats, totalStake, rows: shares.length },
    columns: shareColumns,
    rows: shares.map((share) => ({ ...share, percent: percent(share.tokens, supply) })),
  }
}

/** The rules by which proposals are counted, and their version. */
const COUNTING_RULES = 'LivepeerGovernor (LIP-89), polls (LIP-16), Aragon Voting, 1'

interface ProposalRow {
  proposal: ProposalInView
  title: string
  /** Null where it cannot be had exactly. */
  count: Count | null
}

const proposalColumns: readonly Column<ProposalRow>[] = [
  { name: 'id', cellOf: ({ proposal }) => globalId(proposal) },
  { name: 'system', cellOf: ({ proposal }) => proposal.system },
  { name: 'network', cellOf: ({ proposal }) => proposal.view.chainView.network },
  { name: 'title', cellOf: ({ title }) => title, isFreeText: true },
  { name: 'proposer', cellOf: ({ proposal }) => proposal.proposer },
  { name: 'created', cellOf: ({ proposal }) => isoTime(proposal.createdAt.timestamp) },
  { name: 'block', cellOf: ({ proposal }) => proposal.createdAt.block },
  { name: 'transaction', cellOf: ({ proposal }) => proposal.createdAt.transactionHash },
  { name: 'state', cellOf: ({ count }) => count?.state ?? null },
  { name: 'for', cellOf: ({ count }) => count?.sums.for ?? null },
  { name: 'against', cellOf: ({ count }) => count?.sums.against ?? null },
  { name: 'abstain', cellOf: ({ count }) => count?.sums.abstain ?? null },
  { name: 'electorate', cellOf: ({ count }) => count?.electorate ?? null },
  { name: 'quorum', cellOf: ({ count }) => count?.quorum ?? null },
  { name: 'final', cellOf: ({ count }) => count?.final ?? null },
  { name: 'quorumReached', cellOf: ({ count }) => count?.quorumReached ?? null },
  { name: 'supportReached', cellOf: ({ count }) => count?.supportReached ?? null },
  { name: 'passed', cellOf: ({ count }) => count?.passed ?? null },
  { name: 'error', cellOf: ({ count }) => (count === null ? 'NOT_EXACT' : null) },
]

/** Everything ever proposed on some chains, oldest first, each counted as of the indexed block. */
export async function proposalsTable(views: readonly GovernanceView[], context: Context): Promise<Table<ProposalRow>> {
  const proposals = allProposals(views).toSorted(byCreation)
  const rows = await Promise.all(
    proposals.map(async (proposal): Promise<ProposalRow> => {
      const [title, count] = await Promise.all([titleOf(proposal, context), countIfExact(proposal)])
      return { proposal, title, count }
    }),
  )
  const blocks = views.map(({ chainView }) => indexedBlock(chainView))
  const head = { format: 'livepeer-governance/proposals/1', rule: COUNTING_RULES }
  return { head: { ...head, blocks, rows: rows.length }, columns: proposalColumns, rows }
}

const voteColumns: readonly Column<Ballot>[] = [
  { name: 'voter', cellOf: ({ voter }) => voter },
  { name: 'choice', cellOf: ({ choice }) => choice },
  { name: 'weight', cellOf: ({ weight }) => weight },
  { name: 'countedWeight', cellOf: ({ countedWeight }) => countedWeight },
  { name: 'overrides', cellOf: ({ overrides }) => overrides },
  { name: 'time', cellOf: ({ cast }) => isoTime(cast.at.timestamp) },
  { name: 'block', cellOf: ({ cast }) => cast.at.block },
  { name: 'logIndex', cellOf: ({ cast }) => cast.at.logIndex },
  { name: 'transaction', cellOf: ({ cast }) => cast.at.transactionHash },
  { name: 'reason', cellOf: ({ cast }) => cast.reason, isFreeText: true },
]

/** Each voter's choice that counts, by when it was cast, counted as of the indexed block; NOT_EXACT where that cannot be. */
export async function votesTable(proposal: ProposalInView): Promise<Table<Ballot>> {
  const { count } = await proposal.view.count(proposal)
  const { ballots, state, sums, electorate, quorum, final, passed } = count
  const head: Head = {
    format: 'livepeer-governance/votes/1',
    rule: COUNTING_RULES,
    ...aboutProposal(proposal),
    state,
    ...sums,
    electorate,
    quorum,
    final,
    passed,
    ...(await termsOf(proposal)),
    rows: ballots.length,
  }
  return { head, columns: voteColumns, rows: ballots }
}

const absenteeColumns: readonly Column<Absentee>[] = [
  { name: 'account', cellOf: ({ account }) => account },
  { name: 'power', cellOf: ({ power }) => power },
  { name: 'counts', cellOf: ({ counts }) => counts },
]

/** Who could have added weight to a proposal and did not, most first, as of the indexed block; NOT_EXACT where that cannot be told. */
export async function absenteesTable(proposal: ProposalInView): Promise<Table<Absentee>> {
  const rows = await proposal.view.absentees(proposal)
  const turnout = await proposal.view.turnout(proposal)
  const head = { format: 'livepeer-governance/absentees/1', rule: COUNTING_RULES, ...aboutProposal(proposal) }
  return { head: { ...head, ...turnout, rows: rows.length }, columns: absenteeColumns, rows }
}

const recountColumns: readonly Column<Recounted['votes'][number]>[] = [
  { name: 'voter', cellOf: ({ voter }) => voter },
  { name: 'choice', cellOf: ({ choice }) => choice },
  { name: 'weight', cellOf: ({ weight }) => weight },
  { name: 'countedWeight', cellOf: ({ countedWeight }) => countedWeight },
  { name: 'overrides', cellOf: ({ overrides }) => overrides },
]

/** A proposal counted anew under other conditions, hypothetical; errors as GovernanceView.recount. */
export async function recountTable(
  proposal: ProposalInView,
  changes: Changes,
): Promise<Table<Recounted['votes'][number]>> {
  const recounted = await proposal.view.recount(proposal, changes)
  const { votes, sums, electorate, quorum, final, quorumReached, supportReached, passed, turns, explanation } =
    recounted
  const head = {
    format: 'livepeer-governance/recount/1',
    rule: COUNTING_RULES,
    hypothetical: true,
    ...aboutProposal(proposal),
    ...sums,
    electorate,
    quorum,
    final,
    quorumReached,
    supportReached,
    passed,
    turns,
    explanation,
    rows: votes.length,
  }
  return { head, columns: recountColumns, rows: votes }
}

function aboutProposal(proposal: ProposalInView) {
  return { id: globalId(proposal), system: proposal.system, ...indexedBlock(proposal.view.chainView) }
}

/** What a proposal's count depends on beside its votes, as its contract has it. */
async function termsOf(proposal: ProposalInView): Promise<Record<string, Cell>> {
  switch (proposal.system) {
    case 'TREASURY':
      return { snapshotRound: proposal.snapshotRound, lastRound: proposal.lastRound }
    case 'POLL':
      return { endBlock: proposal.endBlock }
    case 'ARAGON': {
      const { snapshotBlock, supportRequired, minAcceptQuorum: minimumQuorum } = proposal
      return { snapshotBlock, supportRequired, minimumQuorum, canExecute: await proposal.view.canExecute(proposal) }
    }
  }
}

/** Everybody at a moment; NOT_EXACT on Ethereum L1. */
export async function completeSnapshot(stakes: StakeView): Promise<StakeSnapshot> {
  const snapshot = await stakes.snapshot()
  if (!snapshot.isComplete) throw notExactOnL1('What delegators had')
  return snapshot
}

/** A count, null where it cannot be had exactly: a file of all proposals is of use even where one of them cannot be counted. */
export async function countIfExact(proposal: ProposalInView): Promise<Count | null> {
  try {
    return (await proposal.view.count(proposal)).count
  } catch (error) {
    if (error instanceof ApiError && error.extensions.code === 'NOT_EXACT') return null
    throw error
  }
}

function indexedBlock(view: ChainView) {
  const { block, blockHash } = view.facts.head
  return { network: view.network, block, blockHash }
}

function byCreation(a: ProposalInView, b: ProposalInView): number {
  const time = a.createdAt.timestamp - b.createdAt.timestamp
  return time !== 0 ? time : globalId(a) < globalId(b) ? -1 : 1
}
