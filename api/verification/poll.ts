import type { Address } from 'viem'
import type { TallyHead, TallyVote } from './api-files.ts'
import { type Asking, canReadAt, inBatches } from './asking.ts'
import { bondingManagerAbi, lastBlockSeeing } from './contracts.ts'
import { wholeNumber } from './errors.ts'

/** A poll counted anew from what BondingManager answers at its end block; while it is open, at the API's block. */
export async function comparePoll(
  asking: Asking,
  address: Address,
  head: TallyHead,
  votes: readonly TallyVote[],
): Promise<void> {
  const { client, comparison } = asking
  const blockNumber = head.final
    ? await lastBlockSeeing(client, wholeNumber(head.endBlock, `endBlock of ${head.id}`))
    : wholeNumber(head.block, `block of ${head.id}`)
  if (!(await canReadAt(asking, address, blockNumber, 'the poll'))) return
  comparison.notes.push("the voters' choices: they are events, what they weigh is compared")
  const contract = { address, abi: bondingManagerAbi, blockNumber }
  const voters = await inBatches(asking, 'votes', votes, async ({ voter, choice }) => {
    const [isRegisteredTranscoder, transcoderTotalStake, pendingStake, delegator] = await Promise.all([
      client.readContract({ ...contract, functionName: 'isRegisteredTranscoder', args: [voter] }),
      client.readContract({ ...contract, functionName: 'transcoderTotalStake', args: [voter] }),
      client.readContract({ ...contract, functionName: 'pendingStake', args: [voter, 0n] }),
      client.readContract({ ...contract, functionName: 'getDelegator', args: [voter] }),
    ])
    const delegate = delegator[2].toLowerCase()
    return { voter, choice, isRegisteredTranscoder, transcoderTotalStake, pendingStake, delegate }
  })
  const poll = pollFromReads(voters)
  comparison.equal('for', head.id, poll.for, head.for)
  comparison.equal('against', head.id, poll.against, head.against)
  for (const { voter, weight, countedWeight } of votes) {
    comparison.equal('weight', voter, poll.weights.get(voter)?.weight, weight)
    comparison.equal('counted weight', voter, poll.weights.get(voter)?.countedWeight, countedWeight)
  }
}

/** What BondingManager answers of a poll's voter at the poll's end block; wei. */
export interface PollVoter {
  voter: string
  choice: string
  isRegisteredTranscoder: boolean
  transcoderTotalStake: bigint
  pendingStake: bigint
  delegate: string
}

/** What a voter's vote in a poll weighs, and what of it counts; wei. */
export interface PollWeight {
  weight: bigint
  countedWeight: bigint
}

/**
 * A poll by BondingManager's own answers: a registered transcoder has transcoderTotalStake less the pendingStake of those of
 * its delegators that voted, anyone else its pendingStake (LIP-16).
 */
export function pollFromReads(voters: readonly PollVoter[]): {
  for: bigint
  against: bigint
  weights: Map<string, PollWeight>
} {
  const weights = new Map<string, PollWeight>()
  const sums = { for: 0n, against: 0n }
  for (const { voter, choice, isRegisteredTranscoder, transcoderTotalStake, pendingStake } of voters) {
    const weight = isRegisteredTranscoder ? transcoderTotalStake : pendingStake
    const taken = isRegisteredTranscoder
      ? voters.filter((other) => other.delegate === voter && other.voter !== voter)
      : []
    const countedWeight = taken.reduce((rest, other) => rest - other.pendingStake, weight)
    weights.set(voter, { weight, countedWeight })
    sums[choice === 'FOR' ? 'for' : 'against'] += countedWeight
  }
  return { ...sums, weights }
}
