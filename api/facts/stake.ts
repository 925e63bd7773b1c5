import { integer } from '../rules/integer.ts'
import type { LogPosition } from '../rules/log.ts'
import { isActiveTranscoder, type Stake } from '../rules/voting-power.ts'
import { ALL, type EntityOf, logPosition, type Names, series, type Timelines } from './series.ts'
import type { Since, Version } from './timeline.ts'

/** What an account has as a delegator, from one change to the next. */
type Bond = Version & Pick<Stake, 'delegate' | 'bondedAmount' | 'lastClaimRound'> & { exact: boolean }

/** What it has as a delegate, from one change to the next. */
type Delegation = Version &
  Omit<Stake, 'account' | 'delegate' | 'bondedAmount' | 'lastClaimRound' | 'startFactor' | `is${string}`> & {
    exact: boolean
  }

/** The first BondingVotes event about an account: its block and the last round initialised then. */
export interface FirstCheckpoint extends Since {
  round: number
}

/** An initialised round. */
export interface RoundFacts extends Since {
  number: number
  totalActiveStake: bigint
  totalStake: bigint
  /** False where nothing told who is active in it (Ethereum L1 under V1). */
  activeSetTold: boolean
  blockHash: string
  initializedAt: LogPosition
}

/** An event that contradicted the state. */
export interface ContradictionFacts extends Since {
  message: string
  account: string
  about: 'DELEGATOR' | 'TRANSCODER' | 'ROUND' | 'PROPOSAL'
  at: LogPosition
}

/** A delegate that from a block on was not exact. */
interface InexactDelegate extends Since {
  account: string
}

/** What an account had at the start of each round of a span. */
export interface StakeSpan extends Stake {
  fromRound: number
  /** The first round at whose start it had something else; null while it is the last span of those asked for. */
  untilRound: number | null
}

/** 0x and 40 hex digits: what ids of positions and pools begin with. */
const ADDRESS_LENGTH = 42

/** What an account never seen has. */
const NO_BOND = { delegate: null, bondedAmount: 0n, lastClaimRound: 0, exact: true }
const NO_DELEGATION = {
  delegatedAmount: 0n,
  inPool: false,
  activationRound: 0,
  deactivationRound: 0,
  lastRewardRound: 0,
  cumulativeRewardFactor: 0n,
  cumulativeRewards: 0n,
  exact: true,
}

/** Facts of stake: by account, but rounds and contradictions, which are one list each. */
export const stakeSeries = {
  bonds: series('delegatorPositions', (position, names): [string, Bond] => [
    accountIn(position, names),
    bondOf(position, names),
  ]),
  delegations: series('transcoderPositions', (position, names): [string, Delegation] => [
    accountIn(position, names),
    delegationOf(position),
  ]),
  inexact: series('transcoderPositions', (position, names): [string, InexactDelegate] | undefined =>
    position.exact ? undefined : [ALL, { account: accountIn(position, names), block: position.fromBlock }],
  ),
  /** Rounds whose earnings pool a claim wrote to, by transcoder. */
  initialised: series('earningsPools', (pool, names) => [
    accountIn(pool, names),
    { round: pool.round, block: pool.block },
  ]),
  checkpoints: series('accounts', (account, names): [string, FirstCheckpoint] => [
    names.of(account.id),
    { block: account.firstCheckpointBlock ?? 0, round: account.firstCheckpointRound ?? 0 },
  ]),
  rounds: series('rounds', (round) => [ALL, roundFacts(round)]),
  contradictions: series('contradictions', (contradiction): [string, ContradictionFacts] => {
    const { message, account, about, block } = contradiction
    return [ALL, { message, account, about, block, at: logPosition(contradiction) }]
  }),
}

function accountIn({ id }: { id: string }, names: Names): string {
  return names.of(id.slice(0, ADDRESS_LENGTH))
}

function bondOf(position: EntityOf<'delegatorPositions'>, names: Names): Bond {
  const { fromBlock: block, fromRound, delegate, bondedAmount, lastClaimRound, exact } = position
  const to = delegate ? names.of(delegate.id) : null
  return { block, fromRound, delegate: to, bondedAmount: integer(bondedAmount), lastClaimRound, exact }
}

function delegationOf(position: EntityOf<'transcoderPositions'>): Delegation {
  const { fromBlock: block, fromRound, inPool, activationRound, deactivationRound, lastRewardRound, exact } = position
  return {
    block,
    fromRound,
    delegatedAmount: integer(position.delegatedAmount),
    inPool,
    activationRound,
    deactivationRound,
    lastRewardRound,
    cumulativeRewardFactor: integer(position.cumulativeRewardFactor),
    cumulativeRewards: integer(position.cumulativeRewards),
    exact,
  }
}

function roundFacts(round: EntityOf<'rounds'>): RoundFacts {
  const { number, totalActiveStake, totalStake, activeSetTold, blockHash, block } = round
  return {
    number,
    totalActiveStake: integer(totalActiveStake),
    totalStake: integer(totalStake),
    activeSetTold,
    blockHash,
    block,
    initializedAt: logPosition({ ...round, round: number }),
  }
}

/** Everything about stake and rounds as of the end of a block. */
export class StakeFacts {
  /** The rounds that somebody initialised, ascending. */
  readonly rounds: readonly RoundFacts[]
  /** The events that contradicted the state, in order. */
  readonly contradictions: readonly ContradictionFacts[]

  constructor(private readonly facts: Timelines<typeof stakeSeries>) {
    this.rounds = facts.rounds.all(ALL)
    this.contradictions = facts.contradictions.all(ALL)
  }

  /**
   * An account's stake at the start of a round; as it stands at the end of the block for Infinity, and for any round that
   * is yet to begin then. Undefined for an account never seen. `other` is what it had at another moment by these same facts,
   * where that is known: a factor that is the same is not looked up again.
   */
  at(account: string, round: number, other?: Stake): Stake | undefined {
    const bond = this.facts.bonds.last(account, 'fromRound', round)
    const delegation = this.facts.delegations.last(account, 'fromRound', round)
    if (bond === undefined && delegation === undefined) return undefined
    const { delegate, bondedAmount, lastClaimRound, exact } = bond ?? NO_BOND
    const delegated = delegation ?? NO_DELEGATION
    const isSameClaim = delegate === other?.delegate && lastClaimRound === other.lastClaimRound
    return {
      account,
      delegate,
      bondedAmount,
      lastClaimRound,
      startFactor: delegate === null ? 0n : isSameClaim ? other.startFactor : this.#factor(delegate, lastClaimRound),
      delegatedAmount: delegated.delegatedAmount,
      activationRound: delegated.activationRound,
      deactivationRound: delegated.deactivationRound,
      inPool: delegated.inPool,
      lastRewardRound: delegated.lastRewardRound,
      cumulativeRewardFactor: delegated.cumulativeRewardFactor,
      cumulativeRewards: delegated.cumulativeRewards,
      isBondExact: exact,
      isDelegationExact: delegated.exact,
    }
  }

  /** The stakes at a moment, see at(), of all accounts ever seen. */
  *allAt(round: number): Generator<Stake> {
    for (const account of new Set([...this.facts.bonds.keys(), ...this.facts.delegations.keys()])) {
      const stake = this.at(account, round)
      if (stake !== undefined) yield stake
    }
  }

  /** The stakes at a moment, see at(), of all that ever were delegated to. */
  *delegatesAt(round: number): Generator<Stake> {
    for (const account of this.facts.delegations.keys()) {
      const stake = this.at(account, round)
      if (stake !== undefined) yield stake
    }
  }

  /**
   * Whether the stake of everybody who is active in a round, as of its start, is exact, and so its sum. A total depends on
   * what is delegated to those it sums and on their place in the pool, not on what their delegators claimed.
   */
  isActiveStakeExact(round: number): boolean {
    return this.#isExact(round, (delegation) => isActiveTranscoder(delegation, round))
  }

  /** Whether the stake delegated to everybody at a moment, see at(), is exact, and so its sum. */
  isAllStakeExact(round: number): boolean {
    return this.#isExact(round, () => true)
  }

  /** Whether the delegations that are counted at a moment are, and the order of rounds up to it. */
  #isExact(round: number, isCounted: (delegation: Delegation) => boolean): boolean {
    if (this.contradictions.some(({ about, at }) => about === 'ROUND' && at.round < round)) return false
    const accounts = new Set(this.facts.inexact.all(ALL).map(({ account }) => account))
    return [...accounts].every((account) => {
      const delegation = this.facts.delegations.last(account, 'fromRound', round)
      return delegation === undefined || delegation.exact || !isCounted(delegation)
    })
  }

  /** The stakes at a moment, see at(), of those that are active in a round as of then: most delegates are not. */
  *activeAt(moment: number, round: number): Generator<Stake> {
    for (const account of this.facts.delegations.keys()) {
      const delegation = this.facts.delegations.last(account, 'fromRound', moment)
      if (delegation === undefined || !isActiveTranscoder(delegation, round)) continue
      const stake = this.at(account, moment)
      if (stake !== undefined) yield stake
    }
  }

  /** All accounts of which a position is known, as of this block or later ones, by address. */
  accounts(): string[] {
    return [...new Set([...this.facts.bonds.keys(), ...this.facts.delegations.keys()])].sort()
  }

  /**
   * Whose stake changed in the block of a NewRound after it, and whose delegators' or by a reward: a contract, which tells
   * the end of a block, does not tell what they had at the start of the round there.
   */
  changedWithRound({ number, block }: Pick<RoundFacts, 'number' | 'block'>): Set<string> {
    const changed = new Set<string>()
    for (const account of this.facts.bonds.keys()) {
      const bond = this.facts.bonds.last(account, 'block', block)
      if (bond?.block !== block || bond.fromRound <= number) continue
      const before = this.facts.bonds.last(account, 'fromRound', number)
      for (const touched of [account, bond.delegate, before?.delegate]) if (touched) changed.add(touched)
    }
    for (const account of this.facts.delegations.keys()) {
      const delegation = this.facts.delegations.last(account, 'block', block)
      if (delegation?.block === block && delegation.lastRewardRound === number) changed.add(account)
    }
    return changed
  }

  /** Whether an event ever contradicted what an account has. */
  isContradicted(account: string): boolean {
    return this.contradictions.some((contradiction) => contradiction.account === account)
  }

  /** What an account had at the starts of rounds up to one, from each change of either of its positions to the next. */
  spans(account: string, toRound: number): Generator<StakeSpan> {
    return this.#spans(account, toRound, [...this.facts.bonds.all(account), ...this.facts.delegations.all(account)])
  }

  /** The same, from each change of what it has as a delegate to the next; nothing of who never was one. */
  delegateSpans(account: string, toRound: number): Generator<StakeSpan> {
    return this.#spans(account, toRound, this.facts.delegations.all(account))
  }

  *#spans(account: string, toRound: number, changes: readonly Version[]): Generator<StakeSpan> {
    const rounds = new Set(changes.map(({ fromRound }) => fromRound).filter((fromRound) => fromRound <= toRound))
    const starts = [...rounds].sort((a, b) => a - b)
    for (const [index, fromRound] of starts.entries()) {
      const stake = this.at(account, fromRound)
      if (stake !== undefined) yield { ...stake, fromRound, untilRound: starts[index + 1] ?? null }
    }
  }

  /** The first checkpoint of an account; null where BondingVotes did not name it yet. */
  checkpoint(account: string): FirstCheckpoint | null {
    return this.facts.checkpoints.last(account) ?? null
  }

  /** Rounds at whose start an account has another position than at that of the round before; one may come twice. */
  *ownChanges(account: string): Generator<number> {
    for (const { fromRound } of this.facts.bonds.all(account)) yield fromRound
    for (const { fromRound } of this.facts.delegations.all(account)) yield fromRound
  }

  /** Rounds at whose start an account, or whoever it delegated to, may have had something else than at the one before. */
  *changes(account: string): Generator<number> {
    const delegates = new Set<string>()
    for (const { fromRound, delegate } of this.facts.bonds.all(account)) {
      yield fromRound
      if (delegate !== null) delegates.add(delegate)
    }
    // A membership in the active set can begin or end in a round that no change of stake falls into.
    for (const { fromRound, activationRound, deactivationRound } of this.facts.delegations.all(account)) {
      yield fromRound
      yield activationRound
      yield deactivationRound
    }
    for (const delegate of delegates) {
      yield* this.ownChanges(delegate)
    }
  }

  /** The first initialised round that is not before a number: its NewRound fixed that one's start. Undefined before it. */
  roundFrom(number: number): RoundFacts | undefined {
    return this.rounds[indexOfRound(this.rounds, number)]
  }

  /** Up to `first` initialised rounds after (or, descending, before) a round's number, or from the end of the list. */
  roundsFrom(first: number, from: number | undefined, descending: boolean): RoundFacts[] {
    if (!descending) {
      const start = from === undefined ? 0 : indexOfRound(this.rounds, from + 1)
      return this.rounds.slice(start, start + first)
    }
    const end = from === undefined ? this.rounds.length : indexOfRound(this.rounds, from)
    return this.rounds.slice(Math.max(0, end - first), end).reverse()
  }

  /**
   * The cumulative reward factor of a delegate's pool of a round: that of the round's reward, or what a claim carried over
   * from the last reward before; 0 where nobody wrote to it. That somebody claimed before a reward of the same round is not
   * recorded, and taken to be so where the reward is yet to come as of this block: every bond and claim has written to the
   * pool, only rebonds before version 8 of BondingManager did not.
   */
  #factor(delegate: string, round: number): bigint {
    const { delegations, initialised } = this.facts
    const rewarded = delegations.last(delegate, 'lastRewardRound', round)
    if (rewarded === undefined || rewarded.lastRewardRound === round) return rewarded?.cumulativeRewardFactor ?? 0n
    const isWritten =
      initialised.asOf(Infinity).last(delegate, 'round', round)?.round === round ||
      delegations.asOf(Infinity).last(delegate, 'lastRewardRound', round)?.lastRewardRound === round
    return isWritten ? rewarded.cumulativeRewardFactor : 0n
  }
}

/** The place of the first round that is not before a number. */
function indexOfRound(rounds: readonly RoundFacts[], number: number): number {
  let low = 0
  let high = rounds.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((rounds[middle]?.number ?? Infinity) < number) low = middle + 1
    else high = middle
  }
  return low
}
