import type { PollTexts } from '../texts/poll-text.ts'
import type { Chains } from '../views/chains.ts'
import type { GovernanceView } from '../views/governance-view.ts'
import type { Keeping } from './keeping.ts'
import type { RequestTime } from './request-time.ts'

/** What every resolver of one request shares: each chain as of one block. */
export interface Context {
  chains: Chains
  /** The proposals of each of these chains. */
  governance: readonly GovernanceView[]
  pollTexts: PollTexts
  time: RequestTime
  keeping: Keeping
}

/** The proposals of all chains, or of the one named; BAD_USER_INPUT where there is none of that name. */
export function viewsOf(
  network: string | null | undefined,
  { chains, governance }: Pick<Context, 'chains' | 'governance'>,
): readonly GovernanceView[] {
  const views = chains.all(network)
  return governance.filter(({ chainView }) => views.includes(chainView))
}
