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
