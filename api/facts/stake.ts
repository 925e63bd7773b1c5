import { integer } from '../rules/integer.ts'
import type { LogPosition } from '../rules/log.ts'
import type { Stake } from '../rules/voting-power.ts'
import { type EntityOf, type ListReaders, logPosition, type Names } from './lists.ts'
import { append, countWhile, type FactsByKey, type Since, Timeline, type Version } from './timeline.ts'

/** What an account has as a delegator, from one change to the next. Amounts are wei. */
interface Bond extends Version {
  /** Null when nothing is bonded. */
  delegate: string | null
  bondedAmount: bigint
  lastClaimRound: number
  exact: boolean
}

/** What an account has as a delegate, from one change to the next; see Stake. */
interface Delegation extends Version {
  delegatedAmount: bigint
  inPool: boolean
  activationRound: number
  deactivationRound: number
  lastRewardRound: number
  cumulativeRewardFactor: bigint
  cumulativeRewards: bigint
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
  /** Contradictions met before it began. */
  contradictions: number
  blockHash: string
  initializedAt: LogPosition
}

/** An event that contradicted the state. */
export interface ContradictionFacts extends Since {
  message: string
  account: string
  at: LogPosition
}

/** What is held of stake: by account, but rounds and contradictions, which are one list each. */
export interface StakeLayer {
  bonds: FactsByKey<Bond>
  delegations: FactsByKey<Delegation>
  /** Rounds whose earnings pool a claim wrote to, by transcoder. */
  initialised: FactsByKey<Since & { round: number }>
  checkpoints: FactsByKey<FirstCheckpoint>
  rounds: FactsByKey<RoundFacts>
  contradictions: FactsByKey<ContradictionFacts>
}

/** Nothing of stake. */
export function newStakeLayer(): StakeLayer {
  return {
    bonds: new Map(),
    delegations: new Map(),
    initialised: new Map(),
    checkpoints: new Map(),
    rounds: new Map(),
    contradictions: new Map(),
  }
}

/** The key of what is one list. */
const ALL = ''
/** 0x and 40 hex digits: what ids of positions and pools begin with. */
const ADDRESS_LENGTH = 42

/** How lists about stake are read. */
export const stakeLists: ListReaders<
  'stakePositions' | 'earningsPools' | 'accounts' | 'rounds' | 'contradictions',
  StakeLayer
> = {
  stakePositions: {
    blockOf: ({ fromBlock }) => fromBlock,
    hold: (position, layer, below, names) => {
      const account = names.of(position.id.slice(0, ADDRESS_LENGTH))
      const bond = bondOf(position, names)
      const delegation = delegationOf(position)
      // A position has both; most changes are of one of them.
      const isNewBond = !isSame(bond, lastHeld(account, layer.bonds, below?.bonds) ?? NO_BOND)
      const isNewDelegation = !isSame(
        delegation,
        lastHeld(account, layer.delegations, below?.delegations) ?? NO_DELEGATION,
      )
      if (isNewBond) append(layer.bonds, account, bond)
      if (isNewDelegation) append(layer.delegations, account, delegation)
      return Number(isNewBond) + Number(isNewDelegation)
    },
  },
  earningsPools: {
    blockOf: ({ block }) => block,
    hold: ({ id, round, block }, layer, _, names) =>
      append(layer.initialised, names.of(id.slice(0, ADDRESS_LENGTH)), { round, block }),
  },
  accounts: {
    blockOf: ({ firstCheckpointBlock }) => firstCheckpointBlock ?? 0,
    hold: ({ id, firstCheckpointRound, firstCheckpointBlock }, layer, _, names) =>
      append(layer.checkpoints, names.of(id), { block: firstCheckpointBlock ?? 0, round: firstCheckpointRound ?? 0 }),
  },
  rounds: {
    blockOf: ({ block }) => block,
    hold: (round, layer) => append(layer.rounds, ALL, roundFacts(round)),
  },
  contradictions: {
    blockOf: ({ block }) => block,
    hold: (contradiction, layer) => {
      const { message, account, block } = contradiction
      return append(layer.contradictions, ALL, { message, account, block, at: logPosition(contradiction) })
    },
  },
}

function bondOf(position: EntityOf<'stakePositions'>, names: Names): Bond {
  return {
    block: position.fromBlock,
    fromRound: position.fromRound,
    delegate: position.delegate ? names.of(position.delegate.id) : null,
    bondedAmount: integer(position.bondedAmount),
    lastClaimRound: position.lastClaimRound,
    exact: position.exact,
  }
}

function delegationOf(position: EntityOf<'stakePositions'>): Delegation {
  return {
    block: position.fromBlock,
    fromRound: position.fromRound,
    delegatedAmount: integer(position.delegatedAmount),
    inPool: position.inPool,
    activationRound: position.activationRound,
    deactivationRound: position.deactivationRound,
    lastRewardRound: position.lastRewardRound,
    cumulativeRewardFactor: integer(position.cumulativeRewardFactor),
    cumulativeRewards: integer(position.cumulativeRewards),
    exact: position.exact,
  }
}

function roundFacts(round: EntityOf<'rounds'>): RoundFacts {
  return {
    number: round.number,
    totalActiveStake: integer(round.totalActiveStake),
    totalStake: integer(round.totalStake),
    contradictions: round.contradictions,
    blockHash: round.blockHash,
    block: round.block,
    initializedAt: logPosition({ ...round, round: round.number }),
  }
}

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

function lastHeld<Fact>(key: string, layer: FactsByKey<Fact>, below: FactsByKey<Fact> | undefined): Fact | undefined {
  return (layer.get(key) ?? below?.get(key))?.at(-1)
}

/** Whether two states are the same, whenever they began. */
function isSame<State extends object>(state: State, other: Partial<State>): boolean {
  return (Object.keys(state) as (keyof State)[]).every(
    (field) => field === 'block' || field === 'fromRound' || state[field] === other[field],
  )
}

/** Everything about stake and rounds as of the end of a block. */
export class StakeFacts {
  readonly #bonds: Timeline<Bond>
  readonly #delegations: Timeline<Delegation>
  readonly #later: Timeline<Delegation>
  readonly #initialised: Timeline<Since & { round: number }>
  readonly #checkpoints: Timeline<FirstCheckpoint>
  /** The rounds that somebody initialised, ascending. */
  readonly rounds: readonly RoundFacts[]
  /** The events that contradicted the state, in order. */
  readonly contradictions: readonly ContradictionFacts[]

  constructor(final: StakeLayer, tail: StakeLayer, mark: number, block: number) {
    this.#bonds = new Timeline(final.bonds, tail.bonds, mark, block)
    this.#delegations = new Timeline(final.delegations, tail.delegations, mark, block)
    this.#later = new Timeline(final.delegations, tail.delegations, mark, Infinity)
    this.#initialised = new Timeline(final.initialised, tail.initialised, mark, Infinity)
    this.#checkpoints = new Timeline(final.checkpoints, tail.checkpoints, mark, block)
    this.rounds = new Timeline(final.rounds, tail.rounds, mark, block).all(ALL)
    this.contradictions = new Timeline(final.contradictions, tail.contradictions, mark, block).all(ALL)
  }

  /**
   * An account's stake at the start of a round; as it stands at the end of the block for Infinity, and for any round that
   * is yet to begin then. Undefined for an account never seen.
   */
  at(account: string, round: number): Stake | undefined {
    const isBefore = ({ fromRound }: Version) => fromRound <= round
    const bond = this.#bonds.last(account, isBefore)
    const delegation = this.#delegations.last(account, isBefore)
    if (bond === undefined && delegation === undefined) return undefined
    const { delegate, bondedAmount, lastClaimRound, exact } = bond ?? NO_BOND
    const delegated = delegation ?? NO_DELEGATION
    return {
      account,
      delegate,
      bondedAmount,
      lastClaimRound,
      startFactor: delegate === null ? 0n : this.#factor(delegate, lastClaimRound),
      delegatedAmount: delegated.delegatedAmount,
      activationRound: delegated.activationRound,
      deactivationRound: delegated.deactivationRound,
      inPool: delegated.inPool,
      lastRewardRound: delegated.lastRewardRound,
      cumulativeRewardFactor: delegated.cumulativeRewardFactor,
      cumulativeRewards: delegated.cumulativeRewards,
      exact: exact && delegated.exact,
    }
  }

  /** The stakes at a moment, see at(), of all accounts ever seen. */
  *allAt(round: number): Generator<Stake> {
    const seen = new Set([...this.#bonds.keys(), ...this.#delegations.keys()])
    for (const account of seen) {
      const stake = this.at(account, round)
      if (stake !== undefined) yield stake
    }
  }

  /** The stakes at a moment, see at(), of all that ever were delegated to. */
  *delegatesAt(round: number): Generator<Stake> {
    for (const account of this.#delegations.keys()) {
      const stake = this.at(account, round)
      if (stake !== undefined) yield stake
    }
  }

  /** The first checkpoint of an account; null where BondingVotes did not name it yet. */
  checkpoint(account: string): FirstCheckpoint | null {
    return this.#checkpoints.last(account) ?? null
  }

  /** Rounds at whose start an account, or whoever it delegated to, may have had something else than at the one before. */
  *changes(account: string): Generator<number> {
    const delegates = new Set<string>()
    for (const { fromRound, delegate } of this.#bonds.all(account)) {
      yield fromRound
      if (delegate !== null) delegates.add(delegate)
    }
    // A membership in the active set can begin or end in a round that no change of stake falls into.
    for (const { fromRound, activationRound, deactivationRound } of this.#delegations.all(account)) {
      yield fromRound
      yield activationRound
      yield deactivationRound
    }
    for (const delegate of delegates) {
      for (const { fromRound } of this.#bonds.all(delegate)) yield fromRound
      for (const { fromRound } of this.#delegations.all(delegate)) yield fromRound
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
    const isBefore = ({ lastRewardRound }: Delegation) => lastRewardRound <= round
    const rewarded = this.#delegations.last(delegate, isBefore)
    if (rewarded === undefined || rewarded.lastRewardRound === round) return rewarded?.cumulativeRewardFactor ?? 0n
    const isWritten =
      this.#initialised.last(delegate, (pool) => pool.round <= round)?.round === round ||
      this.#later.last(delegate, isBefore)?.lastRewardRound === round
    return isWritten ? rewarded.cumulativeRewardFactor : 0n
  }
}

/** The place of the first round that is not before a number. */
function indexOfRound(rounds: readonly RoundFacts[], number: number): number {
  return countWhile(rounds, (round) => round.number < number)
}
