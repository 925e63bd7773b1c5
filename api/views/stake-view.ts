import { setImmediate as nextTurn } from 'node:timers/promises'
import { ApiError } from '../facts/errors.ts'
import type { Facts, Head } from '../facts/facts.ts'
import { type Concentration, concentration, concentrationInOrder } from '../rules/concentration.ts'
import { treasuryRule } from '../rules/counting-rule.ts'
import { governorQuorum } from '../rules/governor-tally.ts'
import { allocateTokens, type TokenAllocation } from '../rules/token-allocation.ts'
import {
  byVotes,
  isActiveTranscoder,
  isRegisteredTranscoder,
  l1VotingPower,
  type Moment,
  type Stake,
  type VotingPower,
  votingPower,
} from '../rules/voting-power.ts'
import { HolderStakes } from './holder-stakes.ts'
import { checkpointedFrom, type IndexedChain, roundOf } from './indexed-chain.ts'
import { StakeSnapshot } from './stake-snapshot.ts'

/** How many accounts are worked out before other requests have their turn: a millisecond's worth or two. */
const ACCOUNTS_A_TURN = 500

/** Totals at a moment, wei, each NOT_EXACT where it depends on a stake that is not exact. */
export interface MomentTotals {
  totalActiveStake: bigint | ApiError
  totalStake: bigint | ApiError
  /** Hash of the block that fixed them; undefined while none did. */
  finalSince: string | undefined
}

/** What everybody on one chain had at one moment: the start of a round, or the end of a block. */
export class StakeView {
  /** Stakes of delegates at the moment: thousands have the same hundred. */
  readonly #delegates = new Map<string, Stake | undefined>()
  /** What began to be so by the start of this round counts; at the end of a block, all that its facts have. */
  readonly #until: number

  /** `facts` are those of the block, or of a round's reader; `readAt` is the head that the request reads the chain at. */
  constructor(
    private readonly chain: IndexedChain,
    private readonly facts: Facts,
    readonly moment: Moment,
    private readonly readAt: Head,
  ) {
    this.#until = moment.block === null ? moment.round : Infinity
  }

  /** The chain's name in the networks file. */
  get network(): string {
    return this.chain.source.network
  }

  /**
   * Whether what is told of the moment stays as it is. A round's start is fixed by its own NewRound, and as a
   * reorganisation could undo that one, by the one after it too; a block once it is deeper than reorganisations reach.
   */
  get isFinal(): boolean {
    const { round, block } = this.moment
    return block === null ? round < this.facts.currentRound : block <= this.facts.mark
  }

  /**
   * Whether no reorganisation changes that any more, and no event that is yet to come: of a round, where the NewRound after
   * it is as deep as that. What rewards a claim in the round of a block has shows at that one's end only: not of blocks.
   */
  get isSettled(): boolean {
    const { round, block } = this.moment
    return block === null && (this.facts.stake.roundFrom(round + 1)?.block ?? Infinity) <= this.facts.mark
  }

  /**
   * The block that fixed the moment: the one asked, or that of the NewRound of the round or of the next that somebody
   * initialised; null while that is yet to come. A block asked by its number has no hash here.
   */
  get fixedBy(): { block: number; blockHash: string | null } | null {
    const { round, block } = this.moment
    if (block !== null) return { block, blockHash: null }
    const fixed = this.facts.stake.roundFrom(round)
    return fixed === undefined ? null : { block: fixed.initializedAt.block, blockHash: fixed.blockHash }
  }

  /** Where everything is indexed up to, as far as the request sees it. */
  get head(): Head {
    return this.readAt
  }

  /** Voting power of one account; NOT_EXACT for an inexact stake, and for a delegator on Ethereum L1. */
  votingPower(account: string): VotingPower {
    return this.#powerOf(account, this.facts.stake.at(account, this.#until))
  }

  /** The active set of the round with its voting powers, most votes first. */
  activeTranscoders(): VotingPower[] {
    return this.#activeStakes()
      .map((stake) => this.#powerOf(stake.account, stake))
      .sort(byVotes)
  }

  /** Who delegates to an account, most votes first. */
  delegators(account: string): VotingPower[] {
    const delegators: VotingPower[] = []
    for (const stake of this.facts.stake.allAt(this.#until)) {
      if (stake.delegate === account) delegators.push(this.#powerOf(stake.account, stake))
    }
    return delegators.sort(byVotes)
  }

  /** Everybody. What is over and final is kept, by the block that made it so. */
  snapshot(): Promise<StakeSnapshot> {
    const { deployment, blockHash, block: readAt } = this.readAt
    const { round, block } = this.moment
    const totals = this.totals()
    const asked = block === null ? round : `block ${block}`
    const fixedBy = block !== null && this.isFinal ? block : (totals.finalSince ?? blockHash ?? readAt)
    const key = `${this.network} ${deployment} ${asked} ${fixedBy}`
    return this.chain.snapshots.forceFetch(key, { context: () => this.#newSnapshot(key, totals) })
  }

  /** How few hold how much: votes of the active set, or own stake of everybody; NOT_EXACT for the latter on Ethereum L1. */
  concentration(of: 'ACTIVE_TRANSCODERS' | 'HOLDERS'): Promise<Concentration> {
    const { deployment, blockHash, block } = this.readAt
    const { round, block: asked } = this.moment
    const fixedBy = this.totals().finalSince ?? blockHash ?? block
    const key = `${deployment} ${round} ${asked} ${of} ${fixedBy}`
    return this.chain.concentrations.forceFetch(key, {
      context: async () => {
        const inOrder = of === 'HOLDERS' && asked === null && this.isFinal ? await this.#holderStakes() : undefined
        return inOrder === undefined
          ? concentration(this.#amounts(of), this.#quorum())
          : concentrationInOrder(inOrder, this.#quorum())
      },
    })
  }

  /**
   * A supply dealt to the active transcoders of the round, wei of the token; BAD_USER_INPUT where there is nothing to deal
   * or nobody to deal to, NO_ACTIVE_TRANSCODERS where none has stake.
   */
  tokenAllocation(supply: bigint, seats: number): TokenAllocation {
    if (supply < 0n) throw new ApiError('BAD_USER_INPUT', `supply is ${supply}; it must be 0 or more, in wei`)
    if (seats < 1) throw new ApiError('BAD_USER_INPUT', `seats is ${seats}; it must be 1 or more`)
    const stakes = this.#activeStakes().map((stake) => {
      if (!stake.isDelegationExact) throw inexactStake(stake)
      return { transcoder: stake.account, stake: stake.delegatedAmount }
    })
    const allocation = allocateTokens(stakes, supply, seats)
    if (allocation.totalStake === 0n) {
      throw new ApiError(
        'NO_ACTIVE_TRANSCODERS',
        `No transcoder with stake is active in round ${this.moment.round}; ask for another`,
      )
    }
    return allocation
  }

  /**
   * The totals of a round, initialised or not: those its own or the next NewRound fixed, else as they stand now; of a block,
   * as they stood for the round to come; wei. finalSince is the hash of the block that fixed them.
   */
  totals(): MomentTotals {
    const { totals, stake } = this.facts
    const { round, block } = this.moment
    const fixed = block === null ? stake.roundFrom(round) : undefined
    const at = fixed?.number ?? (block === null ? round : this.facts.currentRound + 1)
    const activeStake = () => fixed?.totalActiveStake ?? totals.nextRoundTotalActiveStake
    const allStake = () => fixed?.totalStake ?? totals.totalStake
    const isTold = this.#isActiveSetTold()
    return {
      totalActiveStake: !isTold ? untoldActiveSet() : stake.isActiveStakeExact(at) ? activeStake() : inexactTotal(),
      totalStake: stake.isAllStakeExact(at) ? allStake() : inexactTotal(),
      finalSince: fixed?.blockHash,
    }
  }

  /** Of a round that is yet to begin, as of the last one. */
  #isActiveSetTold(): boolean {
    const { stake, lastRound } = this.facts
    return (stake.roundFrom(this.moment.round) ?? lastRound)?.activeSetTold ?? true
  }

  /** What a concentration is of, wei. */
  #amounts(of: 'ACTIVE_TRANSCODERS' | 'HOLDERS'): bigint[] {
    if (of === 'ACTIVE_TRANSCODERS')
      return this.#activeStakes().map((stake) => this.#powerOf(stake.account, stake).votes)
    if (this.facts.totals.l1 !== null) throw notExactOnL1('What delegators had')
    return [...this.facts.stake.allAt(this.#until)].flatMap((holder) => {
      const stake = this.#powerOf(holder.account, holder).stake ?? 0n
      return stake > 0n ? [stake] : []
    })
  }

  /**
   * Everybody's own stake at the start of a final round, most first, from that at the round asked last; undefined where it
   * cannot be told. #amounts() without an order, which says why.
   */
  async #holderStakes(): Promise<bigint[] | undefined> {
    const { facts, chain } = this
    const { round } = this.moment
    if (facts.totals.l1 !== null) return undefined
    if (!chain.holderStakes?.tells(round, facts)) chain.holderStakes = await HolderStakes.at(facts, round)
    return chain.holderStakes.mostFirstAt(round)
  }

  /** LivepeerGovernor.quorum of the round before, wei; null before there was a governor. */
  #quorum(): bigint | null {
    // The governor keeps a checkpoint per round, written in the round of the change (_updateQuorumNumerator).
    const before = this.facts.governance
      .quorumNumerators()
      .findLast((set) => roundOf(this.chain, set) < this.moment.round)
    return before === undefined
      ? null
      : governorQuorum(exact(this.totals().totalActiveStake), treasuryRule(before.value).quorum)
  }

  /** The stakes of the active set of the round. */
  #activeStakes(): Stake[] {
    if (!this.#isActiveSetTold()) throw untoldActiveSet()
    return [...this.facts.stake.activeAt(this.#until, this.moment.round)]
  }

  async #newSnapshot(key: string, { totalActiveStake, totalStake }: MomentTotals): Promise<StakeSnapshot> {
    const { stake, totals } = this.facts
    const isL1 = totals.l1 !== null
    const powers: VotingPower[] = []
    const snapshotOf = (holders: VotingPower[] | ApiError) =>
      new StakeSnapshot(key, this.moment, totalActiveStake, totalStake, holders, !isL1)
    let count = 0
    for (const holder of isL1 ? stake.delegatesAt(this.#until) : stake.allAt(this.#until)) {
      const isHolder = isL1
        ? this.#l1PowerOf(holder.account, holder)?.isTranscoder
        : holder.bondedAmount > 0n || !holder.isBondExact
      try {
        if (isHolder) powers.push(this.#powerOf(holder.account, holder))
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        return snapshotOf(error)
      }
      count += 1
      if (count % ACCOUNTS_A_TURN === 0) await nextTurn()
    }
    return snapshotOf(powers)
  }

  #delegateOf({ delegate }: Stake): Stake | undefined {
    if (delegate === null) return undefined
    if (!this.#delegates.has(delegate)) this.#delegates.set(delegate, this.facts.stake.at(delegate, this.#until))
    return this.#delegates.get(delegate)
  }

  /** By the rule of the chain. */
  #powerOf(account: string, stake: Stake | undefined): VotingPower {
    refuseInexact(stake)
    if (this.facts.totals.l1 === null) {
      const delegate = stake === undefined ? undefined : this.#delegateOf(stake)
      refuseInexact(delegate)
      return votingPower(account, this.moment, stake, delegate, this.#isCheckpointed(account))
    }
    if (!this.#isActiveSetTold()) throw untoldActiveSet()
    const power = this.#l1PowerOf(account, stake)
    if (power === undefined) throw notExactOnL1(`The stake of ${account}, a delegator,`)
    return power
  }

  /** Undefined for who is not told exactly. */
  #l1PowerOf(account: string, stake: Stake | undefined): VotingPower | undefined {
    const { l1 } = this.facts.totals
    const { round, block } = this.moment
    const streamflowRound = l1?.streamflowRound ?? Infinity
    const isStreamflow = round >= streamflowRound
    // Nothing tells in which block of the round before it Streamflow began to know who is not in V1's pool.
    const isUnclear = block !== null && round === streamflowRound - 1 && stake?.inPool === false
    if (isUnclear && isRegisteredTranscoder(stake)) return undefined
    const power = l1VotingPower(account, this.moment, stake, isStreamflow)
    if (block === null || isStreamflow || power === undefined) return power
    // Of V1 the active set is fixed with the round: who leaves its part of the pool and comes back stays active.
    const atStart = this.facts.stake.at(account, round)
    return { ...power, isActive: atStart !== undefined && isActiveTranscoder(atStart, round) }
  }

  #isCheckpointed(account: string): boolean {
    const { round, block } = this.moment
    if (block !== null) return this.facts.stake.checkpoint(account) !== null
    return checkpointedFrom(this.chain, this.facts, account) <= round
  }
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
  if (stake !== undefined && !(stake.isBondExact && stake.isDelegationExact)) throw inexactStake(stake)
}

function inexactStake({ account }: Stake): ApiError {
  return new ApiError(
    'NOT_EXACT',
    `The stake of ${account} is not known exactly: an event contradicts it, see status { contradictions }, or a bond of 2018 on Ethereum L1 told no amount`,
  )
}

/** NOT_EXACT for a sum of stakes of which an event contradicted one. */
export function inexactTotal(): ApiError {
  return new ApiError(
    'NOT_EXACT',
    'An event contradicts a stake in this total, see status { contradictions }, or a bond of 2018 on Ethereum L1 told no amount',
  )
}

function untoldActiveSet(): ApiError {
  return new ApiError(
    'NOT_EXACT',
    'Who is active in this round of Ethereum L1 is not known: BondingManager did not tell numActiveTranscoders when it began',
  )
}

/** What can be told, or is refused. */
export function exact(total: bigint | ApiError): bigint {
  if (total instanceof ApiError) throw total
  return total
}
