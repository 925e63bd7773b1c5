// What is known of proposals of each voting system, as the rules count them. Amounts are wei.

import type { LogPosition } from './log.ts'

/** The voting systems. */
export type System = 'TREASURY' | 'POLL' | 'ARAGON'

/** What a voter can choose; FOR is yes. */
export type VoteChoice = 'FOR' | 'AGAINST' | 'ABSTAIN'

/** A proposal of the LivepeerGovernor. */
export interface TreasuryProposal {
  system: 'TREASURY'
  /** The entity's id. */
  id: string
  proposer: string
  createdAt: LogPosition
  proposalId: bigint
  targets: string[]
  values: bigint[]
  calldatas: string[]
  /** As it can be stored: without NUL characters, and with U+FFFD where it is not UTF-8. */
  description: string
  /** keccak256 of the description as it is on the chain; null where no receipt told it. */
  descriptionHash: string | null
  snapshotRound: number
  lastRound: number
  /** What happened to it, in the order of logs. */
  events: readonly TreasuryProposalEvent[]
}

/** What happened to a treasury proposal after its creation. */
export interface TreasuryProposalEvent {
  kind: 'QUEUED' | 'EXECUTED' | 'CANCELED'
  at: LogPosition
}

/** A LIP-16 poll. */
export interface Poll {
  system: 'POLL'
  /** Its address, which is the entity's id too. */
  id: string
  proposer: string
  createdAt: LogPosition
  /** What it was created with: by convention the characters of a CID. */
  proposal: string
  /** L1 block. */
  endBlock: bigint
  /** Parts per 10^6. */
  quorum: bigint
  quota: bigint
  /** Null while no event was indexed after its end. */
  closing: PollClosing | null
}

/** The last block of the chain's own that a poll is counted at, and the totals at its end. */
export interface PollClosing {
  block: number
  round: number
  totalStake: bigint
  totalActiveStake: bigint
  /** False where it may be an earlier block, as nothing told the L1 block number of some blocks that changed stake. */
  isTold: boolean
}

/** An Aragon vote. Null where nothing tells the figure; percentages are 10^18 = 100 %. */
export interface AragonVote {
  system: 'ARAGON'
  /** The entity's id. */
  id: string
  /** The Voting app. */
  app: string
  voteId: bigint
  proposer: string
  /** Its time is the start of the vote. */
  createdAt: LogPosition
  metadata: string
  snapshotBlock: number
  /** The voting token. */
  token: string | null
  vault: string | null
  supportRequired: bigint | null
  minAcceptQuorum: bigint | null
  /** Seconds. */
  voteTime: bigint | null
  /** Wei of the voting token. */
  votingPower: bigint | null
  script: string | null
  execution: AragonExecution | null
}

/** An Aragon vote's execution; firstLogIndex is where what it did begins in its block. */
export interface AragonExecution {
  firstLogIndex: number
  at: LogPosition
}

/** Something a voter sent. */
export interface VoteCast {
  voter: string
  /** The number sent. */
  choice: bigint
  /** False where the number is no choice. */
  valid: boolean
  /** Governor: raw voting power; Aragon: the voter's balance at the snapshot; a poll's: null. */
  weight: bigint | null
  reason: string | null
  at: LogPosition
}
