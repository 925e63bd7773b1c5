import type { Chains } from './chains.ts'
import type { GovernanceView } from './governance-view.ts'
import type { RequestTime } from './limits.ts'
import type { PollTexts } from './poll-text.ts'

/** What every resolver of one request shares: each chain as of one block. */
export interface Context {
  chains: Chains
  /** The proposals of each of these chains. */
  governance: readonly GovernanceView[]
  pollTexts: PollTexts
  time: RequestTime
}
