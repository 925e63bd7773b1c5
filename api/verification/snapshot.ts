import type { Address } from 'viem'
import type { ApiReader, Holder, SnapshotHead } from './api-files.ts'
import { type Asking, canReadAt, compareBlock, inBatches, type Sources } from './asking.ts'
import { type Comparison, spread } from './comparison.ts'
import { bondingManagerAbi, bondingVotesAbi, requireContract } from './contracts.ts'
import { wholeNumber } from './errors.ts'
import { nodeWords, tellsNoState } from './node.ts'

const NOBODY = `0x${'0'.repeat(40)}`

/** What to verify: a snapshot at the start of a round, or at the end of a block. */
export type SnapshotQuestion = ({ round: string } | { block: string }) & {
  /** The chain, where the API has several. */
  network?: string | undefined
  /** How many holders to ask about, spread evenly over the snapshot, others at each round; Infinity is all. */
  holders: number
  /** Of a round, all figures unless it says that BondingVotes alone is asked, which any node can answer for. */
  figures?: 'VOTES'
  /** Of a round that began, the block to ask BondingVotes at, so that a node that has not seen it says so; the latest without. */
  readAt?: bigint
}

/** A snapshot by BondingVotes, and by BondingManager where it has the state of that moment. */
export async function compareSnapshot(
  question: SnapshotQuestion,
  { api, contracts, progress }: Sources,
  comparison: Comparison,
): Promise<void> {
  const { network, holders: sample } = question
  const query = network === undefined ? '' : `?${new URLSearchParams({ network })}`
  const moment = 'round' in question ? question.round : `block-${question.block}`
  const { head, rows: holders } = await api.rows<SnapshotHead, Holder>(`/snapshots/${moment}.ndjson${query}`)
  const asking: Asking = { client: contracts.clientOf(head.network), comparison, progress }
  const bondingVotes = contracts.addressOf(head.network, 'BondingVotes')
  const bondingManager = contracts.addressOf(head.network, 'BondingManager')
  await requireContract(asking.client, head.network, 'BondingVotes', bondingVotes)
  const asked = spread(holders, sample, 'round' in question ? head.round : head.block)
  const what = 'round' in question ? `round ${head.round} of ${head.network}, block` : `${head.network} at block`
  progress.begin(`${what} ${head.block}: ${asked.length} of ${holders.length} holders`)
  await compareBlock(asking, head)
  if ('block' in question) return compareAtBlock(asking, { bondingVotes, bondingManager }, head, holders, asked)
  const { readAt } = question
  const latest = readAt === undefined ? {} : { blockNumber: readAt }
  const at = head.final ? latest : { blockNumber: BigInt(head.block) }
  await compareVotes(asking, { address: bondingVotes, round: BigInt(head.round), ...at }, head, holders, asked)
  if (question.figures === 'VOTES') return
  const block = await blockOfRoundStart(api, asking, bondingManager, head)
  if (block !== null) await compareStake(asking, bondingManager, block, asked)
}

/** Everything at the end of a block by the contracts there; nothing but notes where the chain has its state no more. */
async function compareAtBlock(
  asking: Asking,
  { bondingVotes, bondingManager }: { bondingVotes: Address; bondingManager: Address },
  head: SnapshotHead,
  holders: readonly Holder[],
  asked: readonly Holder[],
): Promise<void> {
  const { client, comparison } = asking
  const blockNumber = wholeNumber(head.block, 'block')
  if (!(await canReadAt(asking, bondingManager, blockNumber, `block ${blockNumber}`))) return
  const round = wholeNumber(head.round, 'round') + 1n
  if (holders.some(({ checkpointed }) => checkpointed)) {
    const contract = { address: bondingVotes, abi: bondingVotesAbi, blockNumber }
    const clock = await client.readContract({ ...contract, functionName: 'clock' })
    comparison.equal('round to come', `block ${blockNumber}`, BigInt(clock) + 1n, round)
  }
  await compareVotes(asking, { address: bondingVotes, round, blockNumber }, head, holders, asked)
  await compareStake(asking, bondingManager, blockNumber, asked)
}

/** Votes and delegates of a round by BondingVotes, whose current contract answers for past rounds too. */
async function compareVotes(
  asking: Asking,
  { address, round, blockNumber }: { address: Address; round: bigint; blockNumber?: bigint },
  head: SnapshotHead,
  holders: readonly Holder[],
  asked: readonly Holder[],
): Promise<void> {
  const { client, comparison } = asking
  const contract = { address, abi: bondingVotesAbi, ...(blockNumber === undefined ? {} : { blockNumber }) }
  if (!holders.some(({ checkpointed }) => checkpointed)) {
    comparison.notes.push(`votes: BondingVotes had checkpointed nobody before round ${round}`)
    return
  }
  const total = await client.readContract({ ...contract, functionName: 'getTotalActiveStakeAt', args: [round] })
  comparison.equal('total active stake', `round ${round}`, total, head.totalActiveStake)
  // Of a block the snapshot tells who is active in the round it lies in, not in the one its votes are of.
  if (round === wholeNumber(head.round, 'round')) {
    const active = holders.filter(({ isActive }) => isActive)
    const sum = active.reduce(
      (stakes, { delegatedStake }) => stakes + wholeNumber(delegatedStake, 'delegatedStake'),
      0n,
    )
    comparison.equal('sum over the active set', `round ${round}`, total, sum)
  }
  const known = asked.filter(({ checkpointed }) => checkpointed)
  if (known.length < asked.length) {
    comparison.notes.push(`votes of ${asked.length - known.length} holders that BondingVotes had not checkpointed then`)
  }
  await inBatches(asking, 'votes', known, async (holder) => {
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
  api: ApiReader,
  asking: Asking,
  bondingManager: Address,
  { round, network, final, block: headBlock }: SnapshotHead,
): Promise<bigint | null> {
  const { client, comparison } = asking
  const without = (why: string) => {
    comparison.notes.push(`stake by BondingManager: ${why}`)
    return null
  }
  if (!final) return without(`round ${round} is yet to begin`)
  const initialised = await api.initialisedAt(round, network)
  if (initialised === null) return without(`nobody initialised round ${round}`)
  const blockNumber = wholeNumber(headBlock, 'block')
  if (!(await canReadAt(asking, bondingManager, blockNumber, 'stake by BondingManager'))) return null
  const { logIndex } = initialised
  try {
    const logs = await client.getLogs({ address: bondingManager, fromBlock: blockNumber, toBlock: blockNumber })
    if (!logs.some((log) => log.logIndex > logIndex)) return blockNumber
  } catch (error) {
    const what = 'stake by BondingManager'
    const why = `${what}: this RPC does not give the logs of block ${blockNumber}: ${nodeWords(error)}`
    comparison.unchecked.push({ what, reason: tellsNoState(error) ? 'NO_STATE' : 'NO_ANSWER', why })
    return null
  }
  return without(`stake changed in block ${blockNumber} after the round began`)
}

async function compareStake(
  asking: Asking,
  address: Address,
  blockNumber: bigint,
  asked: readonly Holder[],
): Promise<void> {
  const { client, comparison } = asking
  const contract = { address, abi: bondingManagerAbi, blockNumber }
  await inBatches(asking, 'stake', asked, async (holder) => {
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
