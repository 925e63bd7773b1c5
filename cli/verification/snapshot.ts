import type { Address, PublicClient } from 'viem'
import type { Api } from '../api.ts'
import { chainOf, contractAddress } from '../contracts.ts'
import { rowsOf } from '../download.ts'
import type { Say, VerifyOptions } from '../verify.ts'
import type { Holder, SnapshotHead } from './api-files.ts'
import { compareBlock, inBatches } from './asking.ts'
import { type Comparison, spread } from './comparison.ts'
import { bondingManagerAbi, bondingVotesAbi, hasState, requireContract } from './contracts.ts'

const NOBODY = `0x${'0'.repeat(40)}`

export async function compareRound(
  api: Api,
  round: string,
  options: VerifyOptions,
  comparison: Comparison,
  say: Say,
): Promise<void> {
  const network = options.network === undefined ? '' : `?${new URLSearchParams({ network: options.network })}`
  const file = await rowsOf(api, `/snapshots/${round}.ndjson${network}`)
  const head = file.head as unknown as SnapshotHead
  const holders = file.rows as unknown as Holder[]
  const client = chainOf(options.rpc, head.network)
  const contracts = {
    bondingVotes: contractAddress(options.networksFile, head.network, 'BondingVotes'),
    bondingManager: contractAddress(options.networksFile, head.network, 'BondingManager'),
  }
  await requireContract(client, head.network, 'BondingVotes', contracts.bondingVotes)
  const asked = options.all ? holders : spread(holders, Number(options.sample))
  say(`round ${head.round} of ${head.network}, block ${head.block}: ${asked.length} of ${holders.length} holders`)
  await compareBlock(client, head, comparison)
  await compareVotes(client, contracts.bondingVotes, head, holders, asked, comparison)
  const block = await blockOfRoundStart(api, client, contracts.bondingManager, head, comparison)
  if (block !== null) await compareStake(client, contracts.bondingManager, block, asked, comparison)
}

/** Votes and delegates by BondingVotes, whose current contract answers for past rounds too. */
async function compareVotes(
  client: PublicClient,
  address: Address,
  head: SnapshotHead,
  holders: readonly Holder[],
  asked: readonly Holder[],
  comparison: Comparison,
): Promise<void> {
  const round = BigInt(head.round)
  const contract = { address, abi: bondingVotesAbi, ...(head.final ? {} : { blockNumber: BigInt(head.block) }) }
  if (!holders.some(({ checkpointed }) => checkpointed)) {
    comparison.notes.push(`votes: BondingVotes had checkpointed nobody before round ${head.round}`)
    return
  }
  const total = await client.readContract({ ...contract, functionName: 'getTotalActiveStakeAt', args: [round] })
  comparison.equal('total active stake', `round ${head.round}`, total, head.totalActiveStake)
  const active = holders.filter(({ isActive }) => isActive)
  const sum = active.reduce((stakes, { delegatedStake }) => stakes + BigInt(delegatedStake), 0n)
  comparison.equal('sum over the active set', `round ${head.round}`, total, sum)
  const known = asked.filter(({ checkpointed }) => checkpointed)
  if (known.length < asked.length) {
    comparison.notes.push(`votes of ${asked.length - known.length} holders that BondingVotes had not checkpointed then`)
  }
  await inBatches('votes', known, async (holder) => {
    const [votes, delegate] = await client.readContract({
      ...contract,
      functionName: 'getVotesAndDelegateAtRoundStart',
      args: [holder.account, round],
    })
    comparison.equal('votes', holder.account, votes, holder.votes)
    comparison.equal('delegate', holder.account, delegate.toLowerCase(), holder.delegate ?? NOBODY)
  })
}

/**
 * The block at whose end BondingManager's state is that of the round's start; null, with a note, where there is none: the
 * round was not initialised, more happened in the block of its NewRound, or the chain has its state no more.
 */
async function blockOfRoundStart(
  api: Api,
  client: PublicClient,
  bondingManager: Address,
  { round, network, final, block: headBlock }: SnapshotHead,
  comparison: Comparison,
): Promise<bigint | null> {
  const without = (why: string) => {
    comparison.notes.push(`stake by BondingManager: ${why}`)
    return null
  }
  if (!final) return without(`round ${round} is yet to begin`)
  const { round: initialised } = await api.query<{
    round: { initializedAt: { block: string; logIndex: number } } | null
  }>(
    'query ($round: Int!, $network: String) { round(number: $round, network: $network) { initializedAt { block logIndex } } }',
    { round, network },
  )
  if (initialised === null) return without(`nobody initialised round ${round}`)
  const blockNumber = BigInt(headBlock)
  if (!(await hasState(client, bondingManager, blockNumber))) {
    return without(`this RPC has no state of block ${blockNumber}; an archive node has`)
  }
  const logs = await client
    .getLogs({ address: bondingManager, fromBlock: blockNumber, toBlock: blockNumber })
    .catch(() => null)
  if (logs === null) return without(`this RPC does not give the logs of block ${blockNumber}`)
  const { logIndex } = initialised.initializedAt
  if (logs.some((log) => log.logIndex > logIndex)) {
    return without(`stake changed in block ${blockNumber} after the round began`)
  }
  return blockNumber
}

async function compareStake(
  client: PublicClient,
  address: Address,
  blockNumber: bigint,
  asked: readonly Holder[],
  comparison: Comparison,
): Promise<void> {
  const contract = { address, abi: bondingManagerAbi, blockNumber }
  await inBatches('stake', asked, async (holder) => {
    const { account } = holder
    const [stake, delegated, isTranscoder, isActive, [bondedAmount]] = await Promise.all([
      client.readContract({ ...contract, functionName: 'pendingStake', args: [account, 0n] }),
      client.readContract({ ...contract, functionName: 'transcoderTotalStake', args: [account] }),
      client.readContract({ ...contract, functionName: 'isRegisteredTranscoder', args: [account] }),
      client.readContract({ ...contract, functionName: 'isActiveTranscoder', args: [account] }),
      client.readContract({ ...contract, functionName: 'getDelegator', args: [account] }),
    ])
    comparison.equal('stake', account, stake, holder.stake)
    comparison.equal('delegated stake', account, delegated, holder.delegatedStake)
    comparison.equal('bonded amount', account, bondedAmount, holder.bondedAmount)
    comparison.equal('registered transcoder', account, isTranscoder, holder.isTranscoder)
    comparison.equal('active transcoder', account, isActive, holder.isActive)
  })
}
