import type { ChainState } from '../api/facts/followed-chain.ts'
import type { Lists } from '../api/facts/series.ts'

/** What an index of nothing tells: made-up facts are given in place of some of it. */
export const NO_FACTS: Lists = {
  delegatorPositions: [],
  transcoderPositions: [],
  earningsPools: [],
  accounts: [],
  rounds: [],
  contradictions: [],
  treasuryProposals: [],
  treasuryProposalEvents: [],
  timelockEvents: [],
  scheduledCalls: [],
  governorSettingChanges: [],
  polls: [],
  closings: [],
  voteCasts: [],
  aragonVotes: [],
  aragonVoteExecutions: [],
  tokenBalances: [],
  treasuryTransfers: [],
  vaultMovements: [],
  financeTransactions: [],
}

/** What there is to say of a chain that is followed without trouble, but for where it stands; its head is not told. */
export const FOLLOWED_WELL = {
  contradictions: 0,
  error: null,
  chainHead: null,
  behindSeconds: 0,
  intervalSeconds: 1,
  ageSeconds: 0,
  headAgeSeconds: 0,
  maxHeadAgeSeconds: null,
  isOverdue: false,
  trouble: null,
  isChecked: true,
  facts: 0,
  bytes: 0,
  loadSeconds: 0,
} satisfies Partial<ChainState>
