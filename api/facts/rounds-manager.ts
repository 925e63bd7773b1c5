import { createPublicClient, http, isAddress, parseAbi } from 'viem'
import { ApiError } from './errors.ts'

const ABI = parseAbi(['function currentRound() view returns (uint256)'])

/**
 * RoundsManager.currentRound() at a block: the round by the clock, initialised or not. UPSTREAM_UNAVAILABLE where the
 * chain's RPC does not answer: what depends on the round must not be guessed.
 */
export async function currentRound(rpcUrl: string, roundsManager: string, block: number): Promise<number> {
  try {
    if (!isAddress(roundsManager)) throw new TypeError('RoundsManager has no address')
    const client = createPublicClient({ transport: http(rpcUrl, { timeout: 1500, retryCount: 0 }) })
    const round = await client.readContract({
      address: roundsManager,
      abi: ABI,
      functionName: 'currentRound',
      blockNumber: BigInt(block),
    })
    return Number(round)
  } catch {
    throw new ApiError('UPSTREAM_UNAVAILABLE', "The chain's RPC does not tell the current round; try again soon")
  }
}
