import { ApiError } from '../facts/errors.ts'
import { type GovernanceView, globalId, type ProposalInView } from '../views/governance-view.ts'

/** A proposal by its global id; null where there is none, BAD_USER_INPUT where it is no such id. */
export function findProposal(id: string, governance: readonly GovernanceView[]): ProposalInView | null {
  if (!PROPOSAL_ID.test(id)) {
    throw new ApiError(
      'BAD_USER_INPUT',
      `${JSON.stringify(id)} is not a proposal's id; one is treasury:<proposalId in decimal>, poll:<address> or aragon:<voting app address>:<voteId>`,
    )
  }
  const wanted = id.toLowerCase().replace(/:0+(?=\d)/, ':')
  let silent: unknown
  for (const view of governance) {
    try {
      const found = view.proposals().find((one) => globalId(one) === wanted)
      if (found !== undefined) return found
    } catch (error) {
      silent ??= error
    }
  }
  // It may be on a chain that cannot be read.
  if (silent !== undefined) throw silent
  return null
}

/** Everything ever proposed on some chains; the error of one without facts. */
export function allProposals(views: readonly GovernanceView[]): ProposalInView[] {
  return views.flatMap((view) => view.proposals())
}

const PROPOSAL_ID = /^(treasury:\d{1,78}|poll:0x[0-9a-f]{40}|aragon:0x[0-9a-f]{40}:\d{1,78})$/i
