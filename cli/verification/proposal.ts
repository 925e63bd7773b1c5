import type { Address } from 'viem'
import type { Api } from '../api.ts'
import { chainOf, contractAddress } from '../contracts.ts'
import { rowsOf } from '../download.ts'
import type { Say, VerifyOptions } from '../verify.ts'
import type { TallyHead, TallyVote } from './api-files.ts'
import { compareAragonVote } from './aragon-vote.ts'
import { compareBlock } from './asking.ts'
import type { Comparison } from './comparison.ts'
import { requireContract } from './contracts.ts'
import { comparePoll } from './poll.ts'
import { compareTreasuryProposal } from './treasury-proposal.ts'

export async function compareProposal(
  api: Api,
  id: string,
  options: VerifyOptions,
  comparison: Comparison,
  say: Say,
): Promise<void> {
  const file = await rowsOf(api, `/proposals/${encodeURIComponent(id)}/votes.ndjson`)
  const head = file.head as unknown as TallyHead
  const votes = file.rows as unknown as TallyVote[]
  const client = chainOf(options.rpc, head.network)
  const addressOf = (contract: string) => contractAddress(options.networksFile, head.network, contract)
  say(`${head.id} of ${head.network} as of block ${head.block}: ${votes.length} votes`)
  switch (head.system) {
    case 'TREASURY': {
      const contracts = { governor: addressOf('LivepeerGovernor'), bondingVotes: addressOf('BondingVotes') }
      await requireContract(client, head.network, 'LivepeerGovernor', contracts.governor)
      await compareBlock(client, head, comparison)
      return compareTreasuryProposal(client, contracts, head, votes, comparison)
    }
    case 'POLL': {
      const bondingManager = addressOf('BondingManager')
      await requireContract(client, head.network, 'BondingManager', bondingManager)
      await compareBlock(client, head, comparison)
      return comparePoll(client, bondingManager, head, votes, comparison)
    }
    case 'ARAGON': {
      const [, app = ''] = head.id.split(':')
      await requireContract(client, head.network, 'Voting app', app as Address)
      await compareBlock(client, head, comparison)
      return compareAragonVote(client, head, votes, comparison)
    }
  }
}
