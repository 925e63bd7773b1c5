import { LRUCache } from 'lru-cache'
import { createPublicClient, http, isAddress, parseAbi } from 'viem'
import { ApiError } from './errors.ts'

const LAST_ROUND = 2_147_483_647n

const ABI = parseAbi(['function currentRound() view returns (uint256)'])

/** RoundsManager.currentRound(): the round by the clock, initialised or not. What it was at a block is asked once. */
export class RoundClock {
  readonly #rounds = new LRUCache<string, Promise<number>>({ max: 1000 })

  constructor(private readonly rpcUrl: string) {}

  /**
   * The round at a block. UPSTREAM_UNAVAILABLE where the chain's RPC does not answer: what depends on the round must not be
   * guessed.
   */
  at(roundsManager: string, block: number): Promise<number> {
    const key = `${roundsManager} ${block}`
    const known = this.#rounds.get(key)
    if (known !== undefined) return known
    const round = this.#ask(roundsManager, block)
    this.#rounds.set(key, round)
    round.catch(() => this.#rounds.delete(key))
    return round
  }

  async #ask(roundsManager: string, block: number): Promise<number> {
    try {
      if (!isAddress(roundsManager)) throw new TypeError('RoundsManager has no address')
      const client = createPublicClient({ transport: http(this.rpcUrl, { timeout: 1500, retryCount: 0 }) })
      const round = await client.readContract({
        address: roundsManager,
        abi: ABI,
        functionName: 'currentRound',
        blockNumber: BigInt(block),
      })
      // What takes more than GraphQL's Int is no round, but a bad answer.
      if (round > LAST_ROUND) throw new RangeError(`round ${round}`)
      return Number(round)
    } catch {
      throw new ApiError('UPSTREAM_UNAVAILABLE', "The chain's RPC does not tell the current round; try again soon")
    }
  }
}
