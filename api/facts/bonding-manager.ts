import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import {
  BaseError,
  createPublicClient,
  encodeFunctionData,
  type Hex,
  HttpRequestError,
  isAddress,
  parseAbi,
  RpcRequestError,
  TimeoutError,
} from 'viem'
import type { ToldStake } from '../rules/voting-power.ts'
import { tellsNoState } from '../verification/node.ts'
import { ApiError } from './errors.ts'
import { rpcTransport } from './rpc.ts'

const ABI = parseAbi([
  'function getDelegator(address delegator) view returns (uint256 bondedAmount, uint256 fees, address delegateAddress, uint256 delegatedAmount, uint256 startRound, uint256 lastClaimRound, uint256 nextUnbondingLockId)',
  'function pendingStake(address delegator, uint256 endRound) view returns (uint256)',
  'function isRegisteredTranscoder(address transcoder) view returns (bool)',
])

/** Accounts that are asked about at a time, and how many may wait for that: some lists of 1,000. */
const ASKED_AT_A_TIME = 100
const MAY_WAIT = 5_000
/** Calls in one request of JSON-RPC: what those who sell access to archive nodes take at the least. */
const CALLS_IN_A_BATCH = 100
/** An archive node may take its time; with all tries it stays below what one request of a client may take. */
const TIMEOUT_MS = 5_000
const RETRIES = 2
const RETRY_DELAY_MS = 300
/** Answers that are kept, by block and account, and how long that there was none. */
const KEPT = 50_000
const ASKED_AGAIN_MS = 60_000

/** The end of a block at which the contract is asked. */
export interface AskedBlock {
  block: number
  /** Null where it is not known. */
  blockHash: string | null
  /** Whether no reorganisation changes it. */
  isFinal: boolean
}

/**
 * BondingManager of Ethereum L1, asked at blocks of the past for what its events do not tell. Answers about blocks that are
 * final, or told by their hash, are kept, for a minute those that tell nothing. Null stands for what a node does not tell: no archive has the state, or what
 * answers is no such contract. UPSTREAM_UNAVAILABLE where it may well tell later.
 */
export class BondingManager {
  readonly #kept = new LRUCache<string, Promise<ToldStake | boolean | null>>({ max: KEPT })
  readonly #asking = pLimit(ASKED_AT_A_TIME)
  readonly #client: ReturnType<typeof rpcClient>

  constructor(
    rpcUrl: string,
    private readonly address: string,
  ) {
    if (!isAddress(address, { strict: false })) throw new TypeError(`BondingManager at ${address}`)
    this.#client = rpcClient(rpcUrl)
  }

  /** An account's bond, and its stake with rewards up to a round: the current one then, or one before. */
  delegator(account: string, endRound: number, at: AskedBlock): Promise<ToldStake | null> {
    return this.#once(`${account} ${endRound}`, at, () => this.#askDelegator(account, endRound, at))
  }

  /** Whether an account is a registered transcoder (BondingManager.isRegisteredTranscoder). */
  isRegisteredTranscoder(account: string, at: AskedBlock): Promise<boolean | null> {
    return this.#once(account, at, async () => {
      const data = encodeFunctionData({ abi: ABI, functionName: 'isRegisteredTranscoder', args: [account as Hex] })
      const [word, ...more] = wordsOf(await this.#call(data, at))
      return more.length === 0 && (word === 0n || word === 1n) ? word === 1n : null
    })
  }

  async #askDelegator(account: string, endRound: number, at: AskedBlock): Promise<ToldStake | null> {
    const args = [account as Hex, BigInt(endRound)] as const
    const [delegatorAnswer, pendingAnswer] = await Promise.all([
      this.#call(encodeFunctionData({ abi: ABI, functionName: 'getDelegator', args: [args[0]] }), at),
      this.#call(encodeFunctionData({ abi: ABI, functionName: 'pendingStake', args }), at),
    ])
    const words = wordsOf(delegatorAnswer)
    const [bondedAmount, , delegate, delegatedAmount, , lastClaimRound, launchsLastClaimRound] = words
    if (words.length !== 7 || bondedAmount === undefined || delegate === undefined || delegatedAmount === undefined)
      return null
    if (delegate >= 2n ** 160n) return null
    const told = { delegate: `0x${delegate.toString(16).padStart(40, '0')}`, bondedAmount, delegatedAmount }
    if (pendingAnswer === REVERTED) {
      // V1 refuses to tell what was claimed already; until August 2018 the last claim was the last of the seven.
      const isClaimed = [lastClaimRound, launchsLastClaimRound].some((round) => (round ?? 0n) >= endRound)
      return isClaimed ? { ...told, pendingStake: bondedAmount } : null
    }
    const [pendingStake, ...more] = wordsOf(pendingAnswer)
    return pendingStake === undefined || more.length > 0 ? null : { ...told, pendingStake }
  }

  /** Forgets all that was told: the chain is another one than was thought. */
  forget(): void {
    this.#kept.clear()
  }

  /** Asks but once for what stays so. */
  #once<Told extends ToldStake | boolean | null>(
    what: string,
    at: AskedBlock,
    ask: () => Promise<Told>,
  ): Promise<Told> {
    const name = at.isFinal ? at.block : at.blockHash
    if (name === null) return this.#ask(ask)
    const key = `${name} ${what}`
    const known = this.#kept.get(key) as Promise<Told> | undefined
    if (known !== undefined) return known
    const told = this.#ask(ask)
    this.#kept.set(key, told)
    told.then(
      // Another node may be put in its place.
      (answer) => answer ?? this.#kept.set(key, told, { ttl: ASKED_AGAIN_MS }),
      () => this.#kept.delete(key),
    )
    return told
  }

  #ask<Told>(ask: () => Promise<Told>): Promise<Told> {
    if (this.#asking.pendingCount < MAY_WAIT) return this.#asking(ask)
    return Promise.reject(
      new ApiError('UPSTREAM_UNAVAILABLE', "Ethereum L1's RPC is asked about too many accounts at once"),
    )
  }

  /** What a call answered; REVERTED where it did, null where nothing can be made of the answer. */
  async #call(data: Hex, { block, blockHash, isFinal }: AskedBlock): Promise<unknown> {
    // A number says nothing of the branch that others read; a final block has but one.
    const at = isFinal || blockHash === null ? (`0x${block.toString(16)}` as const) : { blockHash: blockHash as Hex }
    try {
      return await this.#client.request({ method: 'eth_call', params: [{ to: this.address as Hex, data }, at] })
    } catch (error) {
      return outcomeOf(error)
    }
  }
}

/** Stands for the revert of a call. */
const REVERTED = Symbol('reverted')

function rpcClient(rpcUrl: string) {
  const batch = { batchSize: CALLS_IN_A_BATCH }
  return createPublicClient({
    transport: rpcTransport(rpcUrl, { batch, timeout: TIMEOUT_MS, retryCount: RETRIES, retryDelay: RETRY_DELAY_MS }),
  })
}

/** The words of an answer; none where it is no whole number of them. */
function wordsOf(answer: unknown): bigint[] {
  if (typeof answer !== 'string' || !/^0x([\da-f]{64})+$/i.test(answer)) return []
  return (answer.slice(2).match(/.{64}/g) ?? []).map((word) => BigInt(`0x${word}`))
}

/** JSON-RPC's codes of a server that is out of breath. */
const PASSING_CODES = [429, -32005, -32007, -32603]

/** REVERTED, or null where a node has said what stays so; UPSTREAM_UNAVAILABLE where it may tell later. */
function outcomeOf(error: unknown): typeof REVERTED | null {
  const told = error instanceof BaseError ? error.walk((cause) => cause instanceof RpcRequestError) : null
  if (told instanceof RpcRequestError) {
    const words = `${told.details} ${String(told.data ?? '')}`
    if (told.code === 3 || /revert/i.test(words)) return REVERTED
    if (tellsNoState(error)) return null
    const isBusy = (told.status ?? 0) >= 429 || /too many requests|rate limit|timed? ?out/i.test(words)
    if (!isBusy && !PASSING_CODES.includes(told.code)) return null
  } else if (!isOfTransport(error)) return null
  throw new ApiError('UPSTREAM_UNAVAILABLE', "Ethereum L1's RPC does not tell what an account had; try again soon")
}

/** Whether nobody answered, or one that is no node of JSON-RPC; not where the answer cannot be read. */
function isOfTransport(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false
  if (error.walk((cause) => cause instanceof TimeoutError) !== null) return true
  const failure = error.walk((cause) => cause instanceof HttpRequestError)
  if (!(failure instanceof HttpRequestError)) return false
  const isUnread = failure.cause instanceof SyntaxError || /^Expected \d+ responses/.test(String(failure.details))
  return failure.status !== undefined || !isUnread
}
