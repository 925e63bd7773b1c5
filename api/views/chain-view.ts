import { setImmediate as nextTurn } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { ApiError } from '../facts/errors.ts'
import type { Facts } from '../facts/facts.ts'
import type { ChainState, FactsSource } from '../facts/followed-chain.ts'
import type { RoundFacts } from '../facts/stake.ts'
import type { Count } from '../rules/proposal-count.ts'
import { allocateTokens, type TokenAllocation } from '../rules/token-allocation.ts'
import {
  byVotes,
  isActiveTranscoder,
  l1VotingPower,
  type Stake,
  type VotingPower,
  votingPower,
} from '../rules/voting-power.ts'
import { votingPowerHistory } from '../rules/voting-power-history.ts'
import { StakeSnapshot } from './stake-snapshot.ts'

/** How many accounts are worked out before other requests have their turn: a millisecond's worth or two. */
const ACCOUNTS_A_TURN = 500

/** One indexed chain, for as long as the server runs. */
export interface IndexedChain {
  source: FactsSource
  snapshots: LRUCache<string, StakeSnapshot, () => Promise<StakeSnapshot>>
  /** Counts of proposals that nothing changes any more. */
  counts: LRUCache<string, CountedProposal>
}

/** A proposal's count. */
export interface CountedProposal {
  count: Count
  /** Polls: active stake at the moment the poll is counted by, wei; else 0. */
  totalActiveStake: bigint
}

/** Holders in all snapshots that are kept: some fifty of Livepeer's, in as many megabytes. */
const KEPT_HOLDERS = 250_000

/** A chain for a server. */
export function indexedChain(source: FactsSource): IndexedChain {
  const snapshots: IndexedChain['snapshots'] = new LRUCache({
    maxSize: KEPT_HOLDERS,
    sizeCalculation: ({ holders }) => holders.length + 1,
    // A snapshot pushed out while it is made is still waited for.
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context: make }) => make(),
  })
  return { source, snapshots, counts: new LRUCache({ max: 1000 }) }
}

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
  /** Stakes of delegates at the start of the round asked for last: thousands have the same hundred. */
  #delegates: { round: number; stakes: Map<string, Stake | undefined> } | undefined

  constructor(readonly chain: IndexedChain) {}

  /** The chain's name in the networks file. */
  get network(): string {
    return this.chain.source.network
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

  /**
   * Whether a round's answers stay as they are: its start is fixed by its own NewRound, and as a reorganisation could
   * undo that one, by the one after it too.
   */
  isFinal(round: number): boolean {
    return round < this.facts.currentRound
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

  /** Voting power of one account; NOT_EXACT for an inexact stake, and for a delegator on Ethereum L1. */
  votingPower(account: string, round: number): VotingPower {
    const { stake } = this.factsFor(round)
    return this.#powerOf(account, stake.at(account, round), round)
  }

  /** The active set of a round with its voting powers, most votes first. */
  activeTranscoders(round: number): VotingPower[] {
    return this.#activeStakes(round)
      .map((stake) => this.#powerOf(stake.account, stake, round))
      .sort(byVotes)
  }

  /** Who delegates to an account at the start of a round, most votes first. */
  delegators(account: string, round: number): VotingPower[] {
    const delegators: VotingPower[] = []
    for (const stake of this.factsFor(round).stake.allAt(round)) {
      if (stake.delegate === account) delegators.push(this.#powerOf(stake.account, stake, round))
    }
    return delegators.sort(byVotes)
  }

  /** The rounds in which an account's voting power changed, ascending. */
  votingPowerHistory(account: string, fromRound: number, toRound: number): VotingPower[] {
    const { stake } = this.facts
    const changes = [...stake.changes(account), this.checkpointedFrom(account)]
    return votingPowerHistory(fromRound, toRound, changes, (round) =>
      this.#powerOf(account, stake.at(account, round), round),
    )
  }

  /** Everybody at the start of a round. What is over and final is kept, by the block that made it so. */
  snapshot(round: number): Promise<StakeSnapshot> {
    const { head } = this.factsFor(round)
    const totals = this.totals(round)
    const fixedBy = totals.finalSince ?? head.blockHash ?? head.block
    const key = `${this.network} ${head.deployment} ${round} ${fixedBy}`
    return this.chain.snapshots.forceFetch(key, { context: () => this.#newSnapshot(key, round, totals) })
  }

  /**
   * The totals of a round, initialised or not: those its own or the next NewRound fixed, else as they stand now; wei.
   * finalSince is the hash of the block that fixed them. NOT_EXACT after a contradiction.
   */
  totals(round: number): { totalActiveStake: bigint; totalStake: bigint; finalSince: string | undefined } {
    const { totals, stake } = this.factsFor(round)
    const fixed = this.fixedBy(round)
    if (fixed !== null) return { ...exactTotals(fixed), finalSince: fixed.blockHash }
    const { nextRoundTotalActiveStake: totalActiveStake, totalStake } = totals
    const contradictions = stake.contradictions.length
    return { ...exactTotals({ contradictions, totalActiveStake, totalStake }), finalSince: undefined }
  }

  /**
   * The round whose NewRound fixed the start of this one: itself, or the next that somebody initialised. Null while that is
   * yet to come: until then the start can change.
   */
  fixedBy(round: number): RoundFacts | null {
    return this.factsFor(round).stake.roundFrom(round) ?? null
  }

  /**
   * A supply dealt to the active transcoders of a round, wei of the token; BAD_USER_INPUT where there is nothing to deal or
   * nobody to deal to, NO_ACTIVE_TRANSCODERS where none has stake.
   */
  tokenAllocation(round: number, supply: bigint, seats: number): TokenAllocation {
    if (supply < 0n) throw new ApiError('BAD_USER_INPUT', `supply is ${supply}; it must be 0 or more, in wei`)
    if (seats < 1) throw new ApiError('BAD_USER_INPUT', `seats is ${seats}; it must be 1 or more`)
    const stakes = this.#activeStakes(round).map((stake) => {
      refuseInexact(stake)
      return { transcoder: stake.account, stake: stake.delegatedAmount }
    })
    const allocation = allocateTokens(stakes, supply, seats)
    if (allocation.totalStake === 0n) {
      throw new ApiError(
        'NO_ACTIVE_TRANSCODERS',
        `No transcoder with stake is active in round ${round}; ask for another`,
      )
    }
    return allocation
  }

  /**
   * First round at whose start the account was checkpointed; Infinity without a checkpoint. BondingVotes writes them in
   * rounds that nobody initialised, too.
   */
  checkpointedFrom(account: string): number {
    const checkpoint = this.facts.stake.checkpoint(account)
    return checkpoint === null ? Infinity : this.roundOf(checkpoint) + 1
  }

  /** The round of a log: by its block where blocks tell the round, else the last one initialised then. */
  roundOf(log: { block: number; round: number }): number {
    const { roundLength } = this.chain.source
    return roundLength === undefined ? log.round : Math.floor(log.block / roundLength)
  }

  /** The stakes of the active set of a round. */
  #activeStakes(round: number): Stake[] {
    const stakes = this.factsFor(round).stake.delegatesAt(round)
    return [...stakes].filter((stake) => isActiveTranscoder(stake, round))
  }

  async #newSnapshot(
    key: string,
    round: number,
    { totalActiveStake, totalStake }: { totalActiveStake: bigint; totalStake: bigint },
  ): Promise<StakeSnapshot> {
    const { stake, totals } = this.factsFor(round)
    const { l1 } = totals
    const powers: VotingPower[] = []
    let count = 0
    for (const holder of l1 === null ? stake.allAt(round) : stake.delegatesAt(round)) {
      if (l1 === null) {
        if (holder.bondedAmount > 0n) powers.push(this.#powerOf(holder.account, holder, round))
      } else {
        const power = l1VotingPower(holder.account, round, holder, isStreamflow(l1, round))
        if (power?.isTranscoder) powers.push(this.#powerOf(holder.account, holder, round))
      }
      count += 1
      if (count % ACCOUNTS_A_TURN === 0) await nextTurn()
    }
    return new StakeSnapshot(key, round, totalActiveStake, totalStake, powers, l1 === null)
  }

  #delegateAt(delegate: string, round: number): Stake | undefined {
    if (this.#delegates?.round !== round) this.#delegates = { round, stakes: new Map() }
    const { stakes } = this.#delegates
    if (!stakes.has(delegate)) stakes.set(delegate, this.facts.stake.at(delegate, round))
    return stakes.get(delegate)
  }

  /** By the rule of the chain. */
  #powerOf(account: string, stake: Stake | undefined, round: number): VotingPower {
    const { l1 } = this.facts.totals
    refuseInexact(stake)
    if (l1 === null) {
      const delegate = stake?.delegate ? this.#delegateAt(stake.delegate, round) : undefined
      refuseInexact(delegate)
      return votingPower(account, round, stake, delegate, this.checkpointedFrom(account) <= round)
    }
    const power = l1VotingPower(account, round, stake, isStreamflow(l1, round))
    if (power === undefined) throw notExactOnL1(`The stake of ${account}, a delegator,`)
    return power
  }
}

/** Whether a round of Ethereum L1 began under Streamflow. */
function isStreamflow({ streamflowRound }: { streamflowRound: number | null }, round: number): boolean {
  return streamflowRound !== null && round >= streamflowRound
}

/** NOT_EXACT for what a delegator has on Ethereum L1. */
export function notExactOnL1(what: string): ApiError {
  return new ApiError(
    'NOT_EXACT',
    `${what} on Ethereum L1 cannot be told exactly: claims left no event; a transcoder's votes and delegatedStake can`,
  )
}

/** NOT_EXACT for a stake that an event contradicted. */
export function refuseInexact(stake: Stake | undefined): void {
  if (stake !== undefined && !stake.exact) {
    throw new ApiError(
      'NOT_EXACT',
      `The stake of ${stake.account} is not known exactly: an event contradicts it, see status { contradictions }, or a bond of 2018 on Ethereum L1 told no amount`,
    )
  }
}

/** Totals, unless an event contradicted the state they are the sum of. */
export function exactTotals(facts: Pick<RoundFacts, 'contradictions' | 'totalActiveStake' | 'totalStake'>): {
  totalActiveStake: bigint
  totalStake: bigint
} {
  if (facts.contradictions > 0) {
    throw new ApiError('NOT_EXACT', 'An event contradicts the stake behind this total; see status { contradictions }')
  }
  return { totalActiveStake: facts.totalActiveStake, totalStake: facts.totalStake }
}
