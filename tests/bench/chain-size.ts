/** How large a made-up chain is. The same size and seed give the same bytes. */
export interface ChainSize {
  seed: number
  /** That hold stake at some time, transcoders included. */
  accounts: number
  /** Of them; nine of ten find room in the pool. */
  transcoders: number
  rounds: number
  /** Blocks. */
  roundLength: number
  /** Blocks of a round in which something happens. */
  busyBlocks: number
  /** Transactions of holders in a round, beside first bonds and rewards. */
  stakeTransactions: number
  proposals: number
  votesPerProposal: number
  polls: number
  votesPerPoll: number
  /** At how many rounds, and of how many accounts at each, the right answers are written down. */
  sampledRounds: number
  sampledAccounts: number
}

/** Livepeer's on Arbitrum One: about half a million events. */
export const REAL_SIZE: ChainSize = {
  seed: 1,
  accounts: 5000,
  transcoders: 100,
  rounds: 1700,
  roundLength: 50,
  busyBlocks: 8,
  stakeTransactions: 11,
  proposals: 40,
  votesPerProposal: 100,
  polls: 20,
  votesPerPoll: 100,
  sampledRounds: 40,
  sampledAccounts: 50,
}

/** How many transcoders find room in the pool. */
export function poolSizeOf({ transcoders }: ChainSize): number {
  return Math.ceil(transcoders * 0.9)
}

/** Rounds to vote in; polls are as long. Short chains have to come to an end too. */
export function votingPeriodOf({ rounds }: ChainSize): number {
  return Math.max(2, Math.min(10, Math.floor(rounds / 5)))
}
