import type { Address } from 'viem'

export interface SnapshotHead {
  network: string
  round: number
  final: boolean
  block: number
  blockHash: string | null
  totalActiveStake: string
}

export interface Holder {
  account: Address
  votes: string
  stake: string
  bondedAmount: string
  delegatedStake: string
  delegate: string | null
  isTranscoder: boolean
  isActive: boolean
  checkpointed: boolean
}

/** What the API says of a proposal: the head of its votes' file. */
export interface TallyHead {
  id: string
  system: 'TREASURY' | 'POLL' | 'ARAGON'
  network: string
  block: number
  blockHash: string | null
  state: string
  for: string
  against: string
  abstain: string
  electorate: string
  quorum: string
  final: boolean
  snapshotRound?: number
  lastRound?: number
  endBlock?: string
  snapshotBlock?: number
  supportRequired?: string
  minimumQuorum?: string
  canExecute?: boolean
}

/** A vote as the API says it came to. */
export interface TallyVote {
  voter: Address
  choice: 'FOR' | 'AGAINST' | 'ABSTAIN'
  weight: string
  countedWeight: string
}
