import type { Address } from 'viem'
import type { TallyHead, TallyVote } from './api-files.ts'
import { type Asking, canReadAt, inBatches } from './asking.ts'
import { bondingVotesAbi, governorAbi } from './contracts.ts'
import { wholeNumber } from './errors.ts'

/** The states of the governor's state(), by number. */
const STATES = ['PENDING', 'ACTIVE', 'CANCELED', 'DEFEATED', 'SUCCEEDED', 'QUEUED', 'EXPIRED', 'EXECUTED']

/** A treasury proposal by LivepeerGovernor, and its voters' power by BondingVotes. */
export async function compareTreasuryProposal(
  asking: Asking,
  { governor, bondingVotes }: { governor: Address; bondingVotes: Address },
  head: TallyHead,
  votes: readonly TallyVote[],
): Promise<void> {
  const { client, comparison } = asking
  const blockNumber = wholeNumber(head.block, `block of ${head.id}`)
  if (!(await canReadAt(asking, governor, blockNumber, 'the proposal'))) return
  const contract = { address: governor, abi: governorAbi, blockNumber }
  const id = wholeNumber(head.id.split(':')[1], `number of ${head.id}`)
  const snapshot = wholeNumber(head.snapshotRound, `snapshotRound of ${head.id}`)
  const [state, [against, inFavor, abstain], snapshotRound, lastRound] = await Promise.all([
    client.readContract({ ...contract, functionName: 'state', args: [id] }),
    client.readContract({ ...contract, functionName: 'proposalVotes', args: [id] }),
    client.readContract({ ...contract, functionName: 'proposalSnapshot', args: [id] }),
    client.readContract({ ...contract, functionName: 'proposalDeadline', args: [id] }),
  ])
  comparison.equal('state', head.id, STATES[state] ?? state, head.state)
  comparison.equal('for', head.id, inFavor, head.for)
  comparison.equal('against', head.id, against, head.against)
  comparison.equal('abstain', head.id, abstain, head.abstain)
  comparison.equal('snapshot round', head.id, kept(snapshotRound), head.snapshotRound)
  comparison.equal('last round', head.id, kept(lastRound), head.lastRound)
  // The contract does not answer for a snapshot that is yet to come.
  if (head.final) {
    const quorum = await client.readContract({ ...contract, functionName: 'quorum', args: [snapshot] })
    comparison.equal('quorum', head.id, quorum, head.quorum)
  }
  await inBatches(asking, 'votes', votes, async ({ voter, weight }) => {
    const [hasVoted, [power]] = await Promise.all([
      client.readContract({ ...contract, functionName: 'hasVoted', args: [id, voter] }),
      client.readContract({
        address: bondingVotes,
        abi: bondingVotesAbi,
        blockNumber,
        functionName: 'getVotesAndDelegateAtRoundStart',
        args: [voter, snapshot + 1n],
      }),
    ])
    comparison.equal('has voted', voter, hasVoted, true)
    comparison.equal('weight', voter, power, weight)
  })
}

/** A round as the API tells it: the last one stands for any later one. */
function kept(round: bigint): bigint {
  const last = 2_147_483_647n
  return round > last ? last : round
}
