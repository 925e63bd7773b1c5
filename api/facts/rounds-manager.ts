import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { createPublicClient, isAddress, parseAbi } from 'viem'
import { ApiError } from './errors.ts'
import type { Head } from './facts.ts'
import { rpcTransport } from './rpc.ts'

const LAST_ROUND = 2_147_483_647n

const ABI = parseAbi(['function currentRound() view returns (uint256)'])

/** Blocks that are asked about at a time, and how many may wait for that. */
const ASKED_AT_A_TIME = 8
const MAY_WAIT = 200

/** RoundsManager.currentRound(): the round by the clock, initialised or not. What it was at a block is asked once. */
export class RoundClock {
  readonly #rounds = new LRUCache<string, Promise<number>>({ max: 10_000 })
  readonly #asking = pLimit(ASKED_AT_A_TIME)

  constructor(private readonly rpcUrl: string) {}

  /**
   * The round at a block, kept where that is final or told by its hash. UPSTREAM_UNAVAILABLE where the chain's RPC does not
   * answer, or is asked too much: what depends on the round must not be guessed.
   */
  at(roundsManager: string, { block, blockHash }: Pick<Head, 'block' | 'blockHash'>, mark: number): Promise<number> {
    const name = block <= mark ? block : blockHash
    if (name === null) return this.#ask(roundsManager, block)
    const key = `${roundsManager} ${name}`
    const known = this.#rounds.get(key)
    if (known !== undefined) return known
    const round = this.#ask(roundsManager, block)
    this.#rounds.set(key, round)
    round.catch(() => this.#rounds.delete(key))
    return round
  }

  #ask(roundsManager: string, block: number): Promise<number> {
    if (this.#asking.pendingCount < MAY_WAIT) return this.#asking(() => this.#call(roundsManager, block))
    return Promise.reject(
      new ApiError('UPSTREAM_UNAVAILABLE', "The chain's RPC is asked for the rounds of too many blocks at once"),
    )
  }

  async #call(roundsManager: string, block: number): Promise<number> {
    try {
      if (!isAddress(roundsManager)) throw new TypeError('RoundsManager has no address')
      // A node that has not seen the block yet, or wants to be asked less often, may tell a moment later.
      const client = createPublicClient({
        transport: rpcTransport(this.rpcUrl, { timeout: 1500, retryCount: 2, retryDelay: 100 }),
      })
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
