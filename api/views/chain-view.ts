import { ApiError } from '../facts/errors.ts'
import type { Facts } from '../facts/facts.ts'
import type { ChainState } from '../facts/followed-chain.ts'
import type { VotingPower } from '../rules/voting-power.ts'
import { votingPowerHistory } from '../rules/voting-power-history.ts'
import { checkpointedFrom, type IndexedChain, roundOf } from './indexed-chain.ts'
import { StakeView } from './stake-view.ts'
import type { VerifiedDifference } from './verification-record.ts'

/** From the first indexed round, 0 before any, to the last initialised one. */
export interface RoundRange {
  firstRound: number
  currentRound: number
  isL1: boolean
}

/** One chain as one request sees it: everything as of the block that was the latest when it first looked. */
export class ChainView {
  #facts: Facts | ApiError | undefined
  #isAsked = false
  readonly #blocks = new Map<number, Promise<StakeView>>()
  readonly #rounds = new Set<number>()
  readonly #proposals = new Set<string>()

  constructor(readonly chain: IndexedChain) {}

  /** The chain's name in the networks file. */
  get network(): string {
    return this.chain.source.network
  }

  /** The chain's id (EIP-155); undefined where nobody told. */
  get chainId(): number | undefined {
    return this.chain.source.chainId
  }

  /** The facts this request reads; UPSTREAM_UNAVAILABLE, with the network's name, where there are none. */
  get facts(): Facts {
    this.#isAsked = true
    this.#facts ??= this.chain.source.facts
    if (this.#facts instanceof ApiError) throw this.#facts
    return this.#facts
  }

  /** The rounds it can tell of, without asking anything of it; null where there are no facts. */
  get range(): RoundRange | null {
    const { head, firstRound, currentRound, isL1 } = this.chain.source.state
    if (this.#facts instanceof ApiError || (head === undefined && this.#facts === undefined)) return null
    const { firstRound: first, currentRound: current } = this.#facts ?? { firstRound, currentRound }
    return { firstRound: first, currentRound: current, isL1 }
  }

  /** Where the chain stands: at the block that this request reads it at, where it can be read. */
  get state(): ChainState {
    const { state } = this.chain.source
    try {
      const { head, firstRound, currentRound, stake } = this.facts
      return { ...state, head, firstRound, currentRound, contradictions: stake.contradictions.length }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return { ...state, error }
    }
  }

  /**
   * Names the index that this request reads and the rounds it has, without asking anything of it: of the same one what was
   * settled is so for ever. Undefined where there are no facts.
   */
  get index(): string | undefined {
    try {
      this.#facts ??= this.chain.source.facts
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
    if (this.#facts === undefined || this.#facts instanceof ApiError) return undefined
    const { generation, firstRound, currentRound } = this.#facts
    // What is answered without a warning may want one later.
    const { revision } = this.chain.verification
    return `${this.network} ${generation} ${firstRound} ${currentRound} ${revision}`
  }

  /** Tells this request that something was asked of this chain, though it was answered before. */
  noteAsked(): void {
    this.#isAsked = true
  }

  /** Tells that something of the answer depends on everybody's stake at the start of a round. */
  noteRound(round: number): void {
    this.#rounds.add(round)
  }

  /** Tells that something of the answer is what a proposal came to, by its id among those of all chains. */
  noteProposal(id: string): void {
    this.#proposals.add(id)
  }

  /** What the contracts tell otherwise of that which the answer depends on. */
  get differences(): VerifiedDifference[] {
    const { verification } = this.chain
    return [
      ...[...this.#rounds].flatMap((round) => verification.differencesOf({ round, proposal: null })),
      ...[...this.#proposals].flatMap((proposal) => verification.differencesOf({ round: null, proposal })),
    ]
  }

  /** Whether anything was asked of this chain. */
  get isAsked(): boolean {
    return this.#isAsked
  }

  /** Reads everything at an earlier block, or nothing where it cannot be read at it; nothing may have been asked yet. */
  async pinAt(pin: { block: number; hash: string }): Promise<void> {
    try {
      this.#facts = await this.chain.source.factsAt(pin)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.#facts = error
    }
  }

  /** The facts, if the round is one that can be asked: from the first indexed to the current one + 1. */
  factsFor(round: number): Facts {
    const { facts } = this
    const { firstRound, currentRound } = facts
    if (firstRound === 0) throw new ApiError('ROUND_NOT_INDEXED', 'No round is indexed yet; try again later')
    const range = `rounds ${firstRound} to ${currentRound + 1} can be asked`
    if (round < firstRound) throw new ApiError('ROUND_NOT_INDEXED', `Round ${round} is before the first one: ${range}`)
    if (round > currentRound + 1) throw new ApiError('ROUND_IN_FUTURE', `Round ${round} is yet to come: ${range}`)
    return facts
  }

  /** The round that stands for "now": the one after the last initialised. */
  get nextRound(): number {
    return this.facts.currentRound + 1
  }

  /** Everybody's stake at the start of a round; errors as factsFor. */
  atRound(round: number): StakeView {
    this.factsFor(round)
    return this.#stakeAtRound(round)
  }

  /**
   * Everybody's stake at the end of a block, from that of the first initialised round to the indexed head; else
   * BLOCK_NOT_INDEXED or BLOCK_IN_FUTURE. UPSTREAM_UNAVAILABLE where the chain is to tell its round and does not.
   */
  atBlock(block: bigint): Promise<StakeView> {
    const number = this.#knownBlock(block)
    let view = this.#blocks.get(number)
    if (view === undefined) {
      view = this.#stakeAtBlock(number)
      this.#blocks.set(number, view)
    }
    return view
  }

  /** The rounds in which an account's voting power changed, ascending. */
  votingPowerHistory(account: string, fromRound: number, toRound: number): VotingPower[] {
    const changes = [...this.facts.stake.changes(account), this.checkpointedFrom(account)]
    return votingPowerHistory(fromRound, toRound, changes, (round) => this.#stakeAtRound(round).votingPower(account))
  }

  /** First round at whose start an account was checkpointed; see checkpointedFrom of indexed-chain.ts. */
  checkpointedFrom(account: string): number {
    return checkpointedFrom(this.chain, this.facts, account)
  }

  /** The round of a log; see roundOf of indexed-chain.ts. */
  roundOf(log: { block: number; round: number }): number {
    return roundOf(this.chain, log)
  }

  /** A block's number, where everything about its end is indexed; see atBlock. */
  #knownBlock(block: bigint): number {
    const { stake, head } = this.facts
    const [first] = stake.rounds
    if (first === undefined) throw new ApiError('BLOCK_NOT_INDEXED', 'No round is indexed yet; try again later')
    const range = `blocks ${first.block} to ${head.block} of ${this.network} can be asked`
    if (block < BigInt(first.block))
      throw new ApiError('BLOCK_NOT_INDEXED', `Block ${block} is before the first one: ${range}`)
    if (block > BigInt(head.block)) throw new ApiError('BLOCK_IN_FUTURE', `Block ${block} is not indexed yet: ${range}`)
    return Number(block)
  }

  async #stakeAtBlock(block: number): Promise<StakeView> {
    const { facts } = this
    const then = block === facts.head.block ? facts : facts.asOf({ block, blockHash: null, timestamp: null })
    const round = await this.chain.source.roundAt(then)
    return new StakeView(this.chain, then, { round, block }, facts.head)
  }

  /** Also of a round before the first, to compare with. */
  #stakeAtRound(round: number): StakeView {
    this.noteRound(round)
    return new StakeView(this.chain, this.facts, { round, block: null }, this.facts.head)
  }
}
