import type { Address } from 'viem'
import type { TallyHead, TallyVote } from './api-files.ts'
import { type Asking, canReadAt, inBatches } from './asking.ts'
import { aragonVotingAbi, miniMeTokenAbi } from './contracts.ts'
import { wholeNumber } from './errors.ts'

/** An Aragon vote by its Voting app, and its voters' power by the voting token. */
export async function compareAragonVote(asking: Asking, head: TallyHead, votes: readonly TallyVote[]): Promise<void> {
  const { client, comparison } = asking
  const [, app = '', number = ''] = head.id.split(':')
  const address = app as Address
  const voteId = wholeNumber(number, `number of ${head.id}`)
  const blockNumber = wholeNumber(head.block, `block of ${head.id}`)
  if (!(await canReadAt(asking, address, blockNumber, 'the vote'))) return
  const contract = { address, abi: aragonVotingAbi, blockNumber }
  const [vote, canExecute, token] = await Promise.all([
    client.readContract({ ...contract, functionName: 'getVote', args: [voteId] }),
    client.readContract({ ...contract, functionName: 'canExecute', args: [voteId] }),
    client.readContract({ ...contract, functionName: 'token' }),
  ])
  const [open, executed, , snapshotBlock, supportRequired, minAcceptQuorum, yea, nay, votingPower] = vote
  comparison.equal('open', head.id, open, head.state === 'ACTIVE')
  comparison.equal('executed', head.id, executed, head.state === 'EXECUTED')
  comparison.equal('can be executed', head.id, canExecute, head.canExecute)
  comparison.equal('yea', head.id, yea, head.for)
  comparison.equal('nay', head.id, nay, head.against)
  comparison.equal('voting power', head.id, votingPower, head.electorate)
  comparison.equal('snapshot block', head.id, snapshotBlock, head.snapshotBlock)
  comparison.equal('support required', head.id, supportRequired, head.supportRequired)
  comparison.equal('minimum quorum', head.id, minAcceptQuorum, head.minimumQuorum)
  await inBatches(asking, 'votes', votes, async ({ voter, choice, weight }) => {
    const [state, balance] = await Promise.all([
      client.readContract({ ...contract, functionName: 'getVoterState', args: [voteId, voter] }),
      client.readContract({
        address: token,
        abi: miniMeTokenAbi,
        functionName: 'balanceOfAt',
        args: [voter, snapshotBlock],
      }),
    ])
    comparison.equal('choice', voter, ['none', 'FOR', 'AGAINST'][state], choice)
    comparison.equal('weight', voter, balance, weight)
  })
}
