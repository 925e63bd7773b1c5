import { type Address, type PublicClient, parseAbi } from 'viem'
import { NoAnswer, NothingToCompare, wholeNumber } from './errors.ts'
import { nodeWords, tellsNoState } from './node.ts'

export const bondingVotesAbi = parseAbi([
  'function getVotesAndDelegateAtRoundStart(address account, uint256 round) view returns (uint256 votes, address delegateAddress)',
  'function getTotalActiveStakeAt(uint256 round) view returns (uint256)',
  'function clock() view returns (uint48)',
])

export const bondingManagerAbi = parseAbi([
  'function pendingStake(address delegator, uint256 endRound) view returns (uint256)',
  'function transcoderTotalStake(address transcoder) view returns (uint256)',
  'function isRegisteredTranscoder(address transcoder) view returns (bool)',
  'function isActiveTranscoder(address transcoder) view returns (bool)',
  'function getDelegator(address delegator) view returns (uint256 bondedAmount, uint256 fees, address delegateAddress, uint256 delegatedAmount, uint256 startRound, uint256 lastClaimRound, uint256 nextUnbondingLockId)',
])

export const governorAbi = parseAbi([
  'function state(uint256 proposalId) view returns (uint8)',
  'function proposalVotes(uint256 proposalId) view returns (uint256 againstVotes, uint256 forVotes, uint256 abstainVotes)',
  'function proposalSnapshot(uint256 proposalId) view returns (uint256)',
  'function proposalDeadline(uint256 proposalId) view returns (uint256)',
  'function quorum(uint256 timepoint) view returns (uint256)',
  'function hasVoted(uint256 proposalId, address account) view returns (bool)',
])

export const aragonVotingAbi = parseAbi([
  'function getVote(uint256 voteId) view returns (bool open, bool executed, uint64 startDate, uint64 snapshotBlock, uint64 supportRequired, uint64 minAcceptQuorum, uint256 yea, uint256 nay, uint256 votingPower, bytes script)',
  'function canExecute(uint256 voteId) view returns (bool)',
  'function getVoterState(uint256 voteId, address voter) view returns (uint8)',
  'function token() view returns (address)',
])

export const miniMeTokenAbi = parseAbi([
  'function balanceOfAt(address owner, uint256 blockNumber) view returns (uint256)',
])

/** What of a client of a chain's JSON-RPC is used: all that a browser has to load of viem. */
export type NodeClient = Pick<PublicClient, 'readContract' | 'getBlock' | 'getCode' | 'getLogs'>

/** Where the contracts of a network are asked; throws what to tell the user where that is not known. */
export interface Contracts {
  clientOf(network: string): NodeClient
  addressOf(network: string, contract: string): Address
}

/** Whether a network is a recording by its name: its contracts are on no chain. */
export function isRecorded(network: string): boolean {
  return /^recorded(-\d+)?$/.test(network)
}

/** Throws NothingToCompare where there is no such contract, NoAnswer where the chain does not answer. */
export async function requireContract(
  client: NodeClient,
  network: string,
  name: string,
  address: Address,
): Promise<void> {
  let code: string | undefined
  try {
    code = await client.getCode({ address })
  } catch (error) {
    if (isRecorded(network)) throw noContracts(network)
    throw new NoAnswer(`The RPC does not answer: ${nodeWords(error)}`)
  }
  if (code !== undefined && code !== '0x') return
  throw isRecorded(network)
    ? noContracts(network)
    : new NothingToCompare(`there is no ${name} at ${address} on this RPC`)
}

/** Whether a node has the state of a block; rejects where it does not tell, such as one that is asked too much. */
export async function hasState(client: NodeClient, address: Address, blockNumber: bigint): Promise<boolean> {
  try {
    await client.getCode({ address, blockNumber })
    return true
  } catch (error) {
    if (tellsNoState(error)) return false
    throw error
  }
}

/**
 * The last block whose contracts see a block number of at most this: on Arbitrum, where they see that of Ethereum L1, the
 * last one of that L1 block; elsewhere the block of this number.
 */
export async function lastBlockSeeing(client: NodeClient, number: bigint): Promise<bigint> {
  const seenBy = async (blockNumber?: bigint): Promise<{ block: bigint; seen: bigint | undefined }> => {
    const block = await client.getBlock(blockNumber === undefined ? {} : { blockNumber })
    const { l1BlockNumber } = block as { l1BlockNumber?: string }
    return {
      block: block.number ?? 0n,
      seen: l1BlockNumber === undefined ? undefined : wholeNumber(l1BlockNumber, 'l1BlockNumber'),
    }
  }
  const { block: latest, seen } = await seenBy()
  if (seen === undefined) return number
  let [low, high] = [0n, latest]
  while (low < high) {
    const middle = (low + high + 1n) / 2n
    if (((await seenBy(middle)).seen ?? 0n) <= number) low = middle
    else high = middle - 1n
  }
  return low
}

/** What to say of a recording. */
export function noContracts(network: string): NothingToCompare {
  return new NothingToCompare(`the network ${JSON.stringify(network)} is a recording, there are no contracts to ask`)
}
