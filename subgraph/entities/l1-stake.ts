import { Address, BigInt, Bytes, ethereum } from '@graphprotocol/graph-ts'
import { BondingManagerL1 } from '../generated/BondingManager/BondingManagerL1'
import { DelegatorPosition, Protocol, TranscoderPool, TranscoderPosition } from '../generated/schema'
import { protocolId } from '../ids'
import { insertPosition } from '../protocol/sorted-doubly-ll'
import { NO_END } from './changing-state'
import { protocolOnL1 } from './l1-poll-clock'
import { saveTotals, setPendingActivation } from './protocol'
import { StakePositions } from './stake-positions'
import { contradictPendingActivation, isActivationPending } from './transcoder-pool'
import { createUntoldStake, isToldAt, isUntold, removeUntoldStake, tellUntoldStake } from './untold-stake'

/**
 * The stake that BondingManager of Ethereum L1 keeps, during one event: positions, pool and totals, written by save().
 * The active set of the next round is the first numActiveTranscoders of the pool under V1, all of it since Streamflow;
 * who came into it or left it is found by comparing what it was before the event.
 */
export class L1Stake {
  readonly protocol: Protocol
  readonly positions: StakePositions
  readonly pool: TranscoderPool
  private members: Bytes[]
  private stakes: BigInt[]
  private activeBefore: Bytes[]
  private block: i32

  constructor(event: ethereum.Event) {
    const protocol = protocolOnL1(event)
    const pool = getOrCreateTranscoderPool()
    this.protocol = protocol
    this.positions = new StakePositions(event, protocol)
    this.pool = pool
    this.members = pool.members
    this.stakes = pool.stakes
    this.activeBefore = firstActive(pool, pool.members)
    this.block = event.block.number.toI32()
  }

  /** The pool's members in its order. */
  poolMembers(): Bytes[] {
    return this.members
  }

  /** Those of them that are active in the next round, in the same order. */
  activeMembers(): Bytes[] {
    return firstActive(this.pool, this.members)
  }

  /** V1: how many members are active, from the first; 0 where nothing tells it, then all are. */
  setNumActiveTranscoders(number: i32): void {
    if (number == 0) this.pool.unset('numActiveTranscoders')
    else this.pool.numActiveTranscoders = number
  }

  /** More stake, wei, for a delegate; what its announced activation waits for, if there is one. */
  increase(delegate: Bytes, amount: BigInt): void {
    const transcoder = this.positions.transcoder(delegate)
    if (!this.isTold(transcoder)) this.setStake(transcoder, transcoder.delegatedAmount + amount)
    if (isActivationPending(delegate, this.protocol)) this.join(transcoder)
  }

  /** Less stake, wei, for a delegate. */
  decrease(delegate: Bytes, amount: BigInt): void {
    const transcoder = this.positions.transcoder(delegate)
    if (this.isTold(transcoder)) return
    if (transcoder.delegatedAmount >= amount) {
      this.setStake(transcoder, transcoder.delegatedAmount - amount)
    } else if (!isUntold(transcoder)) {
      this.contradict(transcoder, `${amount} taken away of ${transcoder.delegatedAmount} delegated`)
    }
  }

  /** A bond or unbond of the launch changed a delegate's stake by what no event told. */
  changeUntold(delegate: Bytes): void {
    const transcoder = this.positions.transcoder(delegate)
    const isContradicted = !transcoder.exact && !isUntold(transcoder)
    if (!isContradicted && !isToldAt(transcoder, this.block)) createUntoldStake(transcoder)
  }

  /** A contract told the stake, wei, as it is at this place in the block. */
  tell(transcoder: TranscoderPosition, stake: BigInt): void {
    if (isUntold(transcoder)) {
      removeUntoldStake(transcoder.id)
      transcoder.exact = true
    }
    if (transcoder.delegatedAmount != stake) this.setStake(transcoder, stake)
  }

  /** Into the pool, with the stake delegated to it. */
  join(transcoder: TranscoderPosition): void {
    transcoder.inPool = true
    this.place(transcoder)
    setPendingActivation(this.protocol, null)
  }

  /** Out of the pool, resigned or evicted; that it is not in it contradicts the event of this name. */
  leave(address: Bytes, eventName: string): TranscoderPosition {
    const transcoder = this.positions.transcoder(address)
    if (!transcoder.inPool) {
      this.contradict(transcoder, `${eventName} of one not in the pool`)
      return transcoder
    }
    transcoder.inPool = false
    this.takeOut(transcoder.id)
    return transcoder
  }

  /** V1: puts the members that a contract told to be active in the coming round before all others, most stake first. */
  putFirst(active: Bytes[]): void {
    const members: Bytes[] = []
    const stakes: BigInt[] = []
    // From the last on: equals keep their order.
    for (let i = active.length - 1; i >= 0; i--) {
      const stake = this.takeOut(active[i])
      const place = insertPosition(stakes, stake)
      insertAt<Bytes>(members, place, active[i])
      insertAt<BigInt>(stakes, place, stake)
    }
    this.members = members.concat(this.members)
    this.stakes = stakes.concat(this.stakes)
    this.setNumActiveTranscoders(active.length)
  }

  /** Streamflow has begun, if it had not before: with an empty pool, which everybody has to join again. */
  beginStreamflow(firstRound: i32): void {
    if (this.pool.streamflowRound != 0) return
    this.pool.streamflowRound = firstRound
    for (let i = 0; i < this.members.length; i++) this.positions.transcoder(this.members[i]).inPool = false
    this.members = []
    this.stakes = []
    this.setNumActiveTranscoders(0)
    this.protocol.activeSetTold = true
  }

  /** Whoever's announced activation has no cause comes into the pool all the same, as that is what was announced. */
  joinWithoutCause(): void {
    const transcoder = contradictPendingActivation(this.positions, this.protocol)
    if (transcoder != null) this.join(transcoder)
  }

  /** The event cannot be true of this account: what a contract tells later does not make up for it. */
  contradict(position: TranscoderPosition, message: string): void {
    removeUntoldStake(position.id)
    this.positions.contradictTranscoder(position, message)
  }

  /** The same of two delegates: the owner's stake was moved to or from them by an event never seen. */
  contradictDelegates(owner: DelegatorPosition, told: Bytes): void {
    const known = owner.delegate
    if (known) removeUntoldStake(known)
    removeUntoldStake(told)
    this.positions.contradictDelegates(owner, told)
  }

  /** Writes everything, with what the changes mean for the active set of the next round. */
  save(): void {
    const active = this.activeMembers()
    const nextRound = this.protocol.currentRound + 1
    for (let i = 0; i < this.activeBefore.length; i++) {
      if (includes(active, this.activeBefore[i])) continue
      this.positions.transcoder(this.activeBefore[i]).deactivationRound = nextRound
    }
    for (let i = 0; i < active.length; i++) {
      if (includes(this.activeBefore, active[i])) continue
      const transcoder = this.positions.transcoder(active[i])
      transcoder.activationRound = nextRound
      transcoder.deactivationRound = NO_END
    }
    let total = BigInt.zero()
    for (let i = 0; i < active.length; i++) total += this.stakes[i]
    this.protocol.nextRoundTotalActiveStake = total
    this.pool.members = this.members
    this.pool.stakes = this.stakes
    this.positions.save()
    this.pool.save()
    saveTotals(this.protocol)
  }

  /**
   * Whether the stake has been taken as a contract has it at the end of this block, so that changes within the block are
   * in it already. That is how a stake not told before becomes known when it changes by an amount that is.
   */
  private isTold(transcoder: TranscoderPosition): boolean {
    if (isToldAt(transcoder, this.block)) return true
    const bondingManager = this.pool.bondingManager
    if (!bondingManager || !isUntold(transcoder)) return false
    const contract = BondingManagerL1.bind(Address.fromBytes(bondingManager))
    const answer = contract.try_getDelegator(Address.fromBytes(transcoder.id))
    if (answer.reverted) return false
    tellUntoldStake(transcoder, this.block)
    this.setStake(transcoder, answer.value.getDelegatedAmount())
    return true
  }

  private setStake(transcoder: TranscoderPosition, stake: BigInt): void {
    this.protocol.totalStake += stake - transcoder.delegatedAmount
    transcoder.delegatedAmount = stake
    if (transcoder.inPool) this.place(transcoder)
  }

  private place(transcoder: TranscoderPosition): void {
    this.takeOut(transcoder.id)
    const place = insertPosition(this.stakes, transcoder.delegatedAmount)
    insertAt<Bytes>(this.members, place, transcoder.id)
    insertAt<BigInt>(this.stakes, place, transcoder.delegatedAmount)
  }

  /** Its stake in the pool, wei; 0 for one that is not in it. */
  private takeOut(transcoder: Bytes): BigInt {
    for (let i = 0; i < this.members.length; i++) {
      if (this.members[i] != transcoder) continue
      this.members.splice(i, 1)
      return this.stakes.splice(i, 1)[0]
    }
    return BigInt.zero()
  }
}

/** The stake right before an event of BondingManager, whose address is known from then on. */
export function stakeBefore(event: ethereum.Event): L1Stake {
  const stake = new L1Stake(event)
  stake.pool.bondingManager = event.address
  return stake
}

/** The same for an event that V1 had not: Streamflow has begun. */
export function streamflowStakeBefore(event: ethereum.Event): L1Stake {
  const stake = stakeBefore(event)
  stake.beginStreamflow(stake.protocol.currentRound + 1)
  return stake
}

function getOrCreateTranscoderPool(): TranscoderPool {
  const stored = TranscoderPool.load(protocolId())
  if (stored != null) return stored
  const pool = new TranscoderPool(protocolId())
  pool.members = []
  pool.stakes = []
  return pool
}

function firstActive(pool: TranscoderPool, members: Bytes[]): Bytes[] {
  return pool.numActiveTranscoders == 0 ? members.slice(0) : members.slice(0, pool.numActiveTranscoders)
}

function includes(list: Bytes[], item: Bytes): boolean {
  for (let i = 0; i < list.length; i++) {
    if (list[i] == item) return true
  }
  return false
}

function insertAt<T>(list: T[], place: i32, item: T): void {
  list.push(item)
  for (let i = list.length - 1; i > place; i--) list[i] = list[i - 1]
  list[place] = item
}
