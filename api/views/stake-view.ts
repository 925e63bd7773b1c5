import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AskedBlock, BondingManager } from '../facts/bonding-manager.ts'
import { ApiError } from '../facts/errors.ts'
import type { Facts, Head } from '../facts/facts.ts'
import { type Concentration, concentration, concentrationInOrder } from '../rules/concentration.ts'
import { treasuryRule } from '../rules/counting-rule.ts'
import { governorQuorum } from '../rules/governor-tally.ts'
import { allocateTokens, type TokenAllocation } from '../rules/token-allocation.ts'
import {
  byVotes,
  isActiveTranscoder,
  isRegisteredOnL1,
  isRegisteredTranscoder,
  l1ToldVotingPower,
  l1VotingPower,
  type Moment,
  type Stake,
  type ToldStake,
  type VotingPower,
  votingPower,
} from '../rules/voting-power.ts'
import { HolderStakes } from './holder-stakes.ts'
import { checkpointedFrom, type IndexedChain, roundOf } from './indexed-chain.ts'
import { StakeSnapshot } from './stake-snapshot.ts'

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`

/** How many accounts are worked out before other requests have their turn: a millisecond's worth or two. */
const ACCOUNTS_A_TURN = 500

/** Totals at a moment, wei, each NOT_EXACT where it depends on a stake that is not exact. */
export interface MomentTotals {
  totalActiveStake: bigint | ApiError
  totalStake: bigint | ApiError
  /** Hash of the block that fixed them; undefined while none did. */
  finalSince: string | undefined
}

/** A voting power, and how to ask for what events do not tell of a transcoder of Ethereum L1 where it can be asked. */
export interface PowerInView extends VotingPower {
  readonly ownStake?: () => Promise<OwnStake>
}

/** What an account has bonded, without and with rewards, wei. */
export interface OwnStake {
  stake: bigint
  bondedAmount: bigint
}

/** What everybody on one chain had at one moment: the start of a round, or the end of a block. */
export class StakeView {
  /** Stakes of delegates at the moment: thousands have the same hundred. */
  readonly #delegates = new Map<string, Stake | undefined>()
  /** What began to be so by the start of this round counts; at the end of a block, all that its facts have. */
  readonly #until: number
  /** Whom the contract does not tell of as of the round's start. */
  #changedWithRound: Set<string> | undefined

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

  /**
   * The same, where on Ethereum L1 BondingManager is asked for what events do not tell, if there is an RPC to ask it by.
   * UPSTREAM_UNAVAILABLE where that may tell later.
   */
  toldPower(account: string): PowerInView | Promise<PowerInView> {
    const contract = this.#contract
    return contract === undefined ? this.votingPower(account) : this.#toldByContract(account, contract)
  }

  /** The same with a transcoder's own stake, null where that is not told. */
  async fullPower(account: string): Promise<VotingPower> {
    const { ownStake, ...power } = await this.toldPower(account)
    if (ownStake === undefined) return power
    return ownStake().then(
      (own) => ({ ...power, ...own, source: 'CONTRACT' }),
      (error: unknown) => {
        if (error instanceof ApiError && error.code === 'NOT_EXACT') return power
        throw error
      },
    )
  }

  /** The active set of the round with its voting powers, most votes first. */
  activeTranscoders(): PowerInView[] {
    return this.#activeStakes()
      .map((stake) => this.withOwnStake(this.#powerOf(stake.account, stake)))
      .sort(byVotes)
  }

  /** Who delegates to an account, most votes first; errors as toldPower. */
  async delegators(account: string): Promise<PowerInView[]> {
    const powers: (PowerInView | Promise<PowerInView>)[] = []
    for (const stake of this.facts.stake.allAt(this.#until)) {
      if (stake.delegate === account) powers.push(this.toldPower(stake.account))
    }
    return (await Promise.all(powers)).sort(byVotes)
  }

  /** A voting power of this moment with how to ask for what it does not tell. */
  withOwnStake(power: VotingPower): PowerInView {
    const contract = this.#contract
    if (power.stake !== null || contract === undefined) return power
    return { ...power, ownStake: () => this.#ownStake(power.account, contract) }
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

  /**
   * All stake, wei, also where bonds of 2018 told no amounts and BondingManager does; NOT_EXACT where that does not, or
   * after a contradiction.
   */
  async toldTotalStake(): Promise<bigint> {
    const { totalStake } = this.totals()
    const contract = this.#contract
    if (contract === undefined || !(totalStake instanceof ApiError)) return exact(totalStake)
    const { stake, totals } = this.facts
    const untold = [...stake.delegatesAt(this.#until)].filter(({ isDelegationExact }) => !isDelegationExact)
    const isDoubtful = stake.contradictions.some(({ about }) => about === 'ROUND')
    if (isDoubtful || untold.some(({ account }) => stake.isContradicted(account))) throw totalStake
    const told = await Promise.all(
      untold.map(async (delegate) => {
        const { delegatedAmount } = await this.#askDelegator(delegate, contract)
        return delegatedAmount - delegate.delegatedAmount
      }),
    )
    const known = this.moment.block === null ? stake.roundFrom(this.moment.round)?.totalStake : undefined
    return told.reduce((sum, more) => sum + more, known ?? totals.totalStake)
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
    const power = this.#knownOnL1(account, stake)
    if (power === undefined) throw untoldWithoutRpc(`The stake of ${account}, a delegator,`)
    return power
  }

  /** What events tell for certain; undefined for a delegator. */
  #knownOnL1(account: string, stake: Stake | undefined): VotingPower | undefined {
    refuseInexact(stake)
    if (!this.#isActiveSetTold()) throw untoldActiveSet()
    return this.#l1PowerOf(account, stake)
  }

  /** Who is asked for what events do not tell: nobody on Arbitrum, whose events tell everything. */
  get #contract(): BondingManager | undefined {
    return this.facts.totals.l1 === null ? undefined : this.chain.source.bondingManager
  }

  async #toldByContract(account: string, contract: BondingManager): Promise<PowerInView> {
    const stake = this.facts.stake.at(account, this.#until)
    // A contradiction leaves in doubt what else events told of the account; that they told no amount does not.
    const isUntold = stake !== undefined && !stake.isDelegationExact && !this.facts.stake.isContradicted(account)
    const power = isUntold ? undefined : this.#knownOnL1(account, stake)
    if (power !== undefined) return this.withOwnStake(power)
    if (stake === undefined || !this.#isActiveSetTold()) throw untoldActiveSet()
    const [told, isTranscoder, isDelegateTranscoder] = await Promise.all([
      this.#askDelegator(stake, contract),
      this.#isTranscoderOnL1(stake, contract),
      this.#isTranscoderOnL1(this.#delegateOf(stake), contract),
    ])
    const all = l1ToldVotingPower(account, this.moment, stake, told, { isTranscoder, isDelegateTranscoder })
    return { ...all, isActive: this.#isActiveOnL1(stake) }
  }

  async #ownStake(account: string, contract: BondingManager): Promise<OwnStake> {
    const stake = this.facts.stake.at(account, this.#until)
    if (stake === undefined) return { stake: 0n, bondedAmount: 0n }
    const { pendingStake, bondedAmount } = await this.#askDelegator(stake, contract)
    return { stake: pendingStake, bondedAmount }
  }

  /** NOT_EXACT where the node does not tell, or tells of another state than events do. */
  async #askDelegator(stake: Stake, contract: BondingManager): Promise<ToldStake> {
    const { at, endRound } = this.#askedAt(stake)
    const told = await contract.delegator(stake.account, endRound, at)
    if (told === null || !isOfSameState(told, stake)) throw untoldByContract(stake.account)
    return told
  }

  /** By events where they tell, else by the contract. */
  async #isTranscoderOnL1(stake: Stake | undefined, contract: BondingManager): Promise<boolean> {
    if (stake === undefined) return false
    const { round, block } = this.moment
    const isStreamflow = round >= this.#streamflowRound
    const isRegistered = isRegisteredOnL1(stake, isStreamflow)
    // Of who bonds to itself events tell the least that is left, and not since when in the round of the upgrade Streamflow's rule held.
    const mayBe = isStreamflow || (block !== null && round === this.#streamflowRound - 1)
    const isTold = isRegistered || stake.delegate !== stake.account || !mayBe
    if (isTold && !this.facts.stake.isContradicted(stake.account)) return isRegistered
    const told = await contract.isRegisteredTranscoder(stake.account, this.#askedAt(stake).at)
    if (told === null) throw untoldByContract(stake.account)
    return told
  }

  /**
   * Where the contract tells what an account had at this moment, with rewards up to which round: the end of the block, or of
   * that whose NewRound began the round, or where the account's stake changed in it afterwards, of the one before.
   */
  #askedAt({ account, delegate }: Stake): { at: AskedBlock; endRound: number } {
    const { stake, mark, head } = this.facts
    const { round, block } = this.moment
    const atBlock = (asked: number, blockHash: string | null) => ({ block: asked, blockHash, isFinal: asked <= mark })
    if (block !== null) return { at: atBlock(block, block === head.block ? head.blockHash : null), endRound: round }
    const fixed = stake.roundFrom(round)
    // As things stand now.
    if (fixed === undefined) return { at: atBlock(head.block, head.blockHash), endRound: this.facts.currentRound }
    this.#changedWithRound ??= stake.changedWithRound(fixed)
    const isChanged = [account, delegate].some((touched) => touched !== null && this.#changedWithRound?.has(touched))
    if (!isChanged) return { at: atBlock(fixed.block, fixed.blockHash), endRound: fixed.number }
    const [before] = stake.roundsFrom(1, fixed.number, true)
    return { at: atBlock(fixed.block - 1, null), endRound: before?.number ?? fixed.number - 1 }
  }

  get #streamflowRound(): number {
    return this.facts.totals.l1?.streamflowRound ?? Infinity
  }

  /** Undefined for who is not told exactly. */
  #l1PowerOf(account: string, stake: Stake | undefined): VotingPower | undefined {
    const { round, block } = this.moment
    const streamflowRound = this.#streamflowRound
    // Nothing tells in which block of the round before it Streamflow began to know who is not in V1's pool.
    const isUnclear = block !== null && round === streamflowRound - 1 && stake?.inPool === false
    if (isUnclear && isRegisteredTranscoder(stake)) return undefined
    const power = l1VotingPower(account, this.moment, stake, round >= streamflowRound)
    if (power === undefined || stake === undefined) return power
    return { ...power, isActive: this.#isActiveOnL1(stake) }
  }

  /** Of V1 the active set is fixed with the round: who leaves its part of the pool and comes back stays active. */
  #isActiveOnL1(stake: Stake): boolean {
    const { round, block } = this.moment
    const atStart = block === null || round >= this.#streamflowRound ? stake : this.facts.stake.at(stake.account, round)
    return atStart !== undefined && isActiveTranscoder(atStart, round)
  }

  #isCheckpointed(account: string): boolean {
    const { round, block } = this.moment
    if (block !== null) return this.facts.stake.checkpoint(account) !== null
    return checkpointedFrom(this.chain, this.facts, account) <= round
  }
}

/**
 * Whether what a contract told can be of the state that events told. Who unbonded all of a bond that events do not tell has
 * no delegate any more.
 */
function isOfSameState(told: ToldStake, stake: Stake): boolean {
  const isEnded = told.delegate === ZERO_ADDRESS && told.bondedAmount === 0n && stake.bondedAmount === 0n
  const hasDelegate = told.delegate === (stake.delegate ?? ZERO_ADDRESS)
  return (hasDelegate || isEnded) && (!stake.isDelegationExact || told.delegatedAmount === stake.delegatedAmount)
}

/** NOT_EXACT for what a delegator has on Ethereum L1, with what else there is to say. */
export function notExactOnL1(what: string, more = ''): ApiError {
  return new ApiError(
    'NOT_EXACT',
    `${what} on Ethereum L1 cannot be told exactly: claims left no event${more}; a transcoder's votes and delegatedStake can`,
  )
}

/** The same for what the contract would tell, where there is nobody to ask. */
export function untoldWithoutRpc(what: string): ApiError {
  return notExactOnL1(what, ', and there is no archive RPC of the chain here, which would tell')
}

/** NOT_EXACT for an account of Ethereum L1 where who is asked does not tell. */
function untoldByContract(account: string): ApiError {
  return notExactOnL1(`The stake of ${account}`, ', and the RPC of the chain does not tell; an archive node would')
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
export function exact<Told>(told: Told | ApiError): Told {
  if (told instanceof ApiError) throw told
  return told
}
