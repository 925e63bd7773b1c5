import type { Address } from 'viem'

/** The API as a verification reads it; rejects with what to tell the user where it does not answer. */
export interface ApiReader {
  /** A file whose path ends in .ndjson: what it says of itself, and its rows. */
  rows<Head, Row>(path: string): Promise<{ head: Head; rows: Row[] }>
  /** The NewRound of a round; null where nobody initialised it. */
  initialisedAt(round: number, network: string): Promise<{ logIndex: number } | null>
}

/** What asks for `initialisedAt` over GraphQL. */
export const INITIALISED_AT =
  'query ($round: Int!, $network: String) { round(number: $round, network: $network) { initializedAt { logIndex } } }'

/** Its answer. */
export interface InitialisedAt {
  round: { initializedAt: { logIndex: number } } | null
}

/** What the API says of a snapshot: the head of its file. */
export interface SnapshotHead {
  network: string
  round: number
  final: boolean
  block: number
  blockHash: string | null
  totalActiveStake: string
}

/** Somebody with stake or votes at the start of a round, or at the end of a block. */
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
