// What the fields of the schema's types are resolved from, where it is not what the views give as it is.

import type { ChainState } from '../facts/followed-chain.ts'
import type { RoundFacts } from '../facts/stake.ts'
import type { TreasuryTransfer } from '../facts/treasury.ts'
import type { VoteCast } from '../rules/proposal.ts'
import type { ChainView } from '../views/chain-view.ts'
import type { CountedChoice, GovernanceView, ProposalInView } from '../views/governance-view.ts'
import type { StakeSnapshot } from '../views/stake-snapshot.ts'
import type { StakeView } from '../views/stake-view.ts'

/** A chain's status. */
export interface ChainStatusParent {
  view: ChainView
  state: ChainState
}

/** A round with the chain it is of. */
export type RoundParent = RoundFacts & { view: ChainView }

/** A snapshot, and through what it was made. */
export interface StakeSnapshotParent {
  stakes: StakeView
  snapshot: StakeSnapshot
}

/** A choice that counts with the voting system its numbers are of. */
export interface VoteParent extends CountedChoice {
  system: ProposalInView['system']
}

/** The choice of an account that counts. */
export interface AccountVoteParent {
  proposal: ProposalInView
  cast: VoteCast
}

/** How an account was counted on a proposal; power in wei. */
export interface BallotParent {
  proposal: ProposalInView
  power: bigint
  vote: () => Promise<VoteParent | null>
  representedBy: () => Promise<VoteParent | null>
}

/** A voting token with the chain it is on. */
export interface VotingTokenParent {
  address: string
  view: ChainView
}

/** A treasury or vault with the chain it is on. */
export interface TreasuryParent {
  address: string
  governance: GovernanceView
}

/** A transfer with the chain it happened on. */
export type TreasuryTransferParent = TreasuryTransfer & { governance: GovernanceView }

/** Where a page ends: at the key of its last node, null on an empty one. */
export interface PageEnd {
  hasNextPage: boolean
  endKey: string | null
}
