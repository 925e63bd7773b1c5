import type { Address } from 'viem'
import type { TallyHead, TallyVote } from './api-files.ts'
import { compareAragonVote } from './aragon-vote.ts'
import { type Asking, compareBlock, type Sources } from './asking.ts'
import { type Comparison, spread } from './comparison.ts'
import { requireContract } from './contracts.ts'
import { comparePoll } from './poll.ts'
import { compareTreasuryProposal } from './treasury-proposal.ts'

/** What to verify: the tally of a proposal. */
export interface ProposalQuestion {
  /** Its id among those of all chains. */
  proposal: string
  /** How many voters to ask about, spread evenly; all without. Of a poll, which is counted anew, always all. */
  voters?: number
}

/** The tally of a proposal by the contracts of its system. */
export async function compareProposal(
  { proposal: id, voters = Number.POSITIVE_INFINITY }: ProposalQuestion,
  { api, contracts, progress }: Sources,
  comparison: Comparison,
): Promise<void> {
  const path = `/proposals/${encodeURIComponent(id)}/votes.ndjson`
  const { head, rows: votes } = await api.rows<TallyHead, TallyVote>(path)
  const asking: Asking = { client: contracts.clientOf(head.network), comparison, progress }
  const addressOf = (contract: string) => contracts.addressOf(head.network, contract)
  const checkChain = async (contract: string, address: Address) => {
    await requireContract(asking.client, head.network, contract, address)
    await compareBlock(asking, head)
  }
  progress.begin(`${head.id} of ${head.network} as of block ${head.block}: ${votes.length} votes`)
  switch (head.system) {
    case 'TREASURY': {
      const governor = addressOf('LivepeerGovernor')
      const bondingVotes = addressOf('BondingVotes')
      await checkChain('LivepeerGovernor', governor)
      return compareTreasuryProposal(asking, { governor, bondingVotes }, head, spread(votes, voters))
    }
    case 'POLL': {
      const bondingManager = addressOf('BondingManager')
      await checkChain('BondingManager', bondingManager)
      return comparePoll(asking, bondingManager, head, votes)
    }
    case 'ARAGON': {
      const [, app = ''] = head.id.split(':')
      await checkChain('Voting app', app as Address)
      return compareAragonVote(asking, head, spread(votes, voters))
    }
  }
}
