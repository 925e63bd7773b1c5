// Stake as BondingManager and BondingVotes keep it (livepeer/protocol, branch delta), for chains that are made up. Written
// from the contracts alone and sharing nothing with the mappings and the API, so that it can tell when they are wrong.

/** Nobody. */
export const ZERO_ADDRESS = `0x${'0'.repeat(40)}`
/** The round of "never", as a transcoder in the pool has for its deactivation (BondingManager.MAX_FUTURE_ROUND). */
const NEVER = Number.MAX_SAFE_INTEGER
/** 100 % of PreciseMathUtils. */
const PRECISE = 10n ** 27n
/** 100 % of MathUtils: reward cuts. */
const MILLION = 1_000_000n

/** A parameter of an event: an integer, text (hex for addresses and bytes), or a list of them. */
export type Parameter = bigint | string | readonly Parameter[]

/** Takes an event: the contract's name, the event's, and all parameters in the order of the ABI. */
export type Emit = (contract: string, event: string, parameters: readonly Parameter[]) => void

/** Stake that was unbonded and is not withdrawn, wei. */
export interface Lock {
  amount: bigint
  withdrawRound: number
}

/** An account, and the transcoder it may be. Wei; round 0 is never. */
interface Account {
  readonly address: string
  bonded: bigint
  delegate: Account | null
  /** By all its delegators. */
  delegated: bigint
  lastClaim: number
  startRound: number
  nextLock: number
  readonly locks: Map<number, Lock>
  /** Parts per million. */
  rewardCut: bigint
  lastReward: number
  /** Its own rewards not claimed yet (cumulativeRewards). */
  own: bigint
  /** Cumulative reward factors by round. */
  readonly factors: Map<number, bigint>
  /** Total stake by round (earningsPoolPerRound.totalStake), of the rounds that can still be asked for. */
  readonly stakes: Map<number, bigint>
  stakeUpdateRound: number
  activationRound: number
  deactivationRound: number
  /** What BondingVotes knows. */
  checkpoint: { bonded: bigint; delegate: string; votes: bigint; lastClaim: number }
}

/** An account as others see it. */
export type StakeAccount = Readonly<Omit<Account, 'delegate' | 'locks'>> & {
  readonly delegate: StakeAccount | null
  readonly locks: ReadonlyMap<number, Readonly<Lock>>
}

/** What the model is set up with. */
export interface StakeRules {
  numActiveTranscoders: number
  /** Rounds. */
  unbondingPeriod: number
  /** Part of rewards that goes to the treasury, of 10^27. */
  treasuryCut: bigint
  minter: string
  treasury: string
}

/** All stake. Each transaction emits its events in the order the contracts do, and throws where they would revert. */
export class StakeModel {
  /** The last round begun. */
  round = 0
  /** Stake of this round's active set, wei. */
  currentTotal = 0n
  /** Stake of the pool, that is of the next round's active set, wei. */
  nextTotal = 0n
  /** All stake delegated to anyone, wei. */
  totalStake = 0n
  readonly #accounts = new Map<string, Account>()
  readonly #pool = new Set<Account>()

  constructor(
    private readonly emit: Emit,
    private readonly rules: StakeRules,
  ) {}

  /** An account, with zeros where it is new. */
  account(address: string): StakeAccount {
    return this.#account(address)
  }

  /** The pool's lowest stake where it is full: who wants in needs more. 0 where there is room. */
  entryStake(): bigint {
    return this.#isPoolFull() ? this.#lowest().delegated : 0n
  }

  isInPool({ address }: StakeAccount): boolean {
    return this.#pool.has(this.#account(address))
  }

  /** BondingManager.isActiveTranscoder in this round. */
  isActive({ activationRound, deactivationRound }: StakeAccount): boolean {
    return activationRound <= this.round && this.round < deactivationRound
  }

  /** BondingManager.delegatorStatus is Bonded: it may unbond. */
  isBonded({ bonded, startRound }: StakeAccount): boolean {
    return bonded > 0n && startRound <= this.round
  }

  /** What it has bonded once it claimed, as every transaction of its own does first, wei. */
  claimedStake(account: StakeAccount): bigint {
    return account.lastClaim < this.round ? this.pendingStake(account) : account.bonded
  }

  /** BondingManager.pendingStake in a round that nobody need have begun, wei. */
  pendingStake(account: StakeAccount, round = this.round): bigint {
    const { bonded, delegate, lastClaim } = account
    if (delegate === null) return bonded
    let stake = bonded
    if (lastClaim < round) {
      const written = factorOf(delegate, round)
      const end = written === 0n && delegate.lastReward < round ? factorOf(delegate, delegate.lastReward) : written
      stake = mul(bonded, orOne(end), orOne(factorOf(delegate, lastClaim)))
    }
    return delegate === account ? stake + account.own : stake
  }

  /** Voting power at the start of the next round, wei; right before NewRound, of the one that begins (BondingVotes). */
  votes(account: StakeAccount): bigint {
    const { bonded, delegate, delegated, lastClaim } = account
    if (delegate === null || bonded === 0n) return 0n
    if (delegate === account) return delegated
    if (!isRegistered(delegate)) return 0n
    if (delegate.lastReward < lastClaim) return bonded
    return mul(bonded, orOne(factorOf(delegate, delegate.lastReward)), orOne(factorOf(delegate, lastClaim)))
  }

  /** RoundsManager.initializeRound. */
  beginRound(round: number, blockHash: string): void {
    require(round > this.round, 'the round is over')
    this.round = round
    this.currentTotal = this.nextTotal
    this.emit('RoundsManager', 'NewRound', [BigInt(round), blockHash])
  }

  /** BondingManager.bond: more stake, another delegate, or both. */
  bond(from: StakeAccount, to: StakeAccount, amount: bigint): void {
    const owner = this.#account(from.address)
    const delegate = this.#account(to.address)
    this.#claim(owner)
    const old = owner.delegate
    let moved = amount
    if (owner.bonded === 0n) owner.startRound = this.round + 1
    else if (old !== null && old !== delegate) {
      require(old !== owner, 'a registered transcoder cannot delegate to others')
      owner.startRound = this.round + 1
      moved += owner.bonded
      this.#decrease(old, owner.bonded)
      this.#checkpoint(old)
    }
    require(moved > 0n, 'nothing is delegated')
    this.#initialise(delegate)
    owner.delegate = delegate
    owner.bonded += amount
    this.#increase(delegate, moved)
    if (delegate !== owner) this.#checkpoint(delegate)
    const { address, bonded } = owner
    this.#bondingEvent('Bond', [delegate.address, old?.address ?? ZERO_ADDRESS, address, amount, bonded])
    this.#checkpoint(owner)
  }

  /** BondingManager.unbond; gives the lock's id. */
  unbond(from: StakeAccount, amount: bigint): number {
    const owner = this.#account(from.address)
    require(this.isBonded(owner), 'not bonded')
    this.#claim(owner)
    const { delegate } = owner
    require(delegate !== null && amount > 0n && amount <= owner.bonded, 'not so much is bonded')
    const id = owner.nextLock++
    const withdrawRound = this.round + this.rules.unbondingPeriod
    owner.locks.set(id, { amount, withdrawRound })
    owner.bonded -= amount
    if (owner.bonded === 0n) {
      owner.delegate = null
      owner.startRound = 0
      if (this.#pool.has(owner)) this.#leavePool(owner)
    }
    this.#decrease(delegate, amount)
    if (delegate !== owner) this.#checkpoint(delegate)
    this.#bondingEvent('Unbond', [delegate.address, owner.address, BigInt(id), amount, BigInt(withdrawRound)])
    this.#checkpoint(owner)
    return id
  }

  /** BondingManager.rebond, and rebondFromUnbonded for who has nothing bonded: then to the delegate given. */
  rebond(from: StakeAccount, id: number, to: StakeAccount): void {
    const owner = this.#account(from.address)
    this.#claim(owner)
    if (owner.bonded === 0n) {
      owner.startRound = this.round + 1
      owner.delegate = this.#account(to.address)
      this.#initialise(owner.delegate)
    }
    this.#rebond(owner, id)
  }

  /** BondingManager.transferBond: part of a bond becomes another account's; gives the lock the receiver had in between. */
  transferBond(from: StakeAccount, to: StakeAccount, amount: bigint): void {
    const sender = this.#account(from.address)
    const receiver = this.#account(to.address)
    const delegate = sender.delegate
    const id = this.unbond(sender, amount)
    const lock = sender.locks.get(id)
    require(lock !== undefined && delegate !== null, 'nothing was unbonded')
    sender.locks.delete(id)
    const newId = receiver.nextLock++
    receiver.locks.set(newId, lock)
    this.#bondingEvent('TransferBond', [sender.address, receiver.address, BigInt(id), BigInt(newId), amount])
    this.#claim(receiver)
    if (receiver.bonded === 0n) {
      receiver.startRound = this.round + 1
      receiver.delegate = delegate
    }
    this.#rebond(receiver, newId)
  }

  /** BondingManager.withdrawStake. */
  withdrawStake(from: StakeAccount, id: number): void {
    const owner = this.#account(from.address)
    const lock = this.#takeLock(owner, id)
    require(lock.withdrawRound <= this.round, 'too early to withdraw')
    this.#bondingEvent('WithdrawStake', [owner.address, BigInt(id), lock.amount, BigInt(lock.withdrawRound)])
  }

  /** BondingManager.claimEarnings. */
  claimEarnings(from: StakeAccount): void {
    const owner = this.#account(from.address)
    this.#claim(owner)
    this.#checkpoint(owner)
  }

  /** BondingManager.transcoder: sets the commission, and joins the pool where the stake is enough. */
  updateTranscoder(from: StakeAccount, rewardCut: bigint, feeShare: bigint): void {
    const transcoder = this.#account(from.address)
    require(isRegistered(transcoder), 'not registered')
    require(!this.isActive(transcoder) || transcoder.lastReward === this.round, 'it has to reward first')
    if (!this.#pool.has(transcoder)) this.#tryToJoin(transcoder, transcoder.delegated)
    transcoder.rewardCut = rewardCut
    this.#bondingEvent('TranscoderUpdate', [transcoder.address, rewardCut, feeShare])
  }

  /** BondingManager.reward, of what all active transcoders can mint together in this round. */
  reward(from: StakeAccount, mintable: bigint): void {
    const transcoder = this.#account(from.address)
    const { round } = this
    const { factors, stakes, rewardCut, own, lastReward } = transcoder
    require(this.isActive(transcoder) && lastReward < round, 'it is not active or has rewarded')
    if (transcoder.stakeUpdateRound < round) stakes.set(round, stakes.get(transcoder.stakeUpdateRound) ?? 0n)
    const total = stakes.get(round) ?? 0n
    const amount = this.#mint(transcoder, (mintable * total) / this.currentTotal)
    const commission = (amount * rewardCut) / MILLION
    const shared = amount - commission
    const factor = orOne(factorOf(transcoder, lastReward))
    transcoder.own = own + mul(shared, own, total) + commission
    factors.set(round, factor + mul(factor, shared, total))
    this.#increase(transcoder, amount)
    transcoder.lastReward = round
    this.#bondingEvent('Reward', [transcoder.address, amount])
    this.#checkpoint(transcoder)
  }

  #account(address: string): Account {
    const known = this.#accounts.get(address)
    if (known !== undefined) return known
    const account: Account = {
      address,
      bonded: 0n,
      delegate: null,
      delegated: 0n,
      lastClaim: 0,
      startRound: 0,
      nextLock: 0,
      locks: new Map(),
      rewardCut: 0n,
      lastReward: 0,
      own: 0n,
      factors: new Map(),
      stakes: new Map(),
      stakeUpdateRound: 0,
      activationRound: 0,
      deactivationRound: 0,
      checkpoint: { bonded: 0n, delegate: ZERO_ADDRESS, votes: 0n, lastClaim: 0 },
    }
    this.#accounts.set(address, account)
    return account
  }

  /** _autoClaimEarnings: once a round, before whatever the owner's transaction does. */
  #claim(owner: Account): void {
    const { round } = this
    if (owner.lastClaim >= round) return
    const { delegate, lastClaim, address } = owner
    const rewards = this.pendingStake(owner) - owner.bonded
    if (delegate !== null) this.#initialise(delegate)
    if (delegate === owner) owner.own = 0n
    owner.bonded += rewards
    owner.lastClaim = round
    const rounds = [BigInt(lastClaim + 1), BigInt(round)]
    this.#bondingEvent('EarningsClaimed', [delegate?.address ?? ZERO_ADDRESS, address, rewards, 0n, ...rounds])
  }

  /** Carries a delegate's factor into this round's pool, which claims start from. */
  #initialise(delegate: Account): void {
    const { lastReward, factors } = delegate
    if (factors.has(this.round) || lastReward === 0 || lastReward >= this.round) return
    factors.set(this.round, factorOf(delegate, lastReward))
  }

  #rebond(owner: Account, id: number): void {
    const { amount } = this.#takeLock(owner, id)
    const { delegate } = owner
    require(delegate !== null, 'no delegate')
    owner.bonded += amount
    this.#increase(delegate, amount)
    if (delegate !== owner) this.#checkpoint(delegate)
    this.#bondingEvent('Rebond', [delegate.address, owner.address, BigInt(id), amount])
    this.#checkpoint(owner)
  }

  #takeLock(owner: Account, id: number): Lock {
    const lock = owner.locks.get(id)
    require(lock !== undefined, 'no such lock')
    owner.locks.delete(id)
    return lock
  }

  /** Newly minted LPT, less the treasury's part, which is announced; gives the rest. */
  #mint(transcoder: Account, minted: bigint): bigint {
    const { treasuryCut, minter, treasury } = this.rules
    const cut = mul(minted, treasuryCut, PRECISE)
    if (cut > 0n) {
      this.emit('LivepeerToken', 'Transfer', [minter, treasury, cut])
      this.#bondingEvent('TreasuryReward', [transcoder.address, treasury, cut])
    }
    return minted - cut
  }

  #increase(delegate: Account, amount: bigint): void {
    if (this.#pool.has(delegate)) this.#moveStake(delegate, amount)
    else if (isRegistered(delegate)) this.#tryToJoin(delegate, delegate.delegated + amount)
    delegate.delegated += amount
    this.totalStake += amount
  }

  #decrease(delegate: Account, amount: bigint): void {
    require(amount <= delegate.delegated, 'more is taken away than is delegated')
    if (this.#pool.has(delegate)) this.#moveStake(delegate, -amount)
    delegate.delegated -= amount
    this.totalStake -= amount
  }

  /** A change in the pool counts from the next round on; what holds in this one is written down before the first. */
  #moveStake(transcoder: Account, change: bigint): void {
    const { stakes, delegated } = transcoder
    const next = this.round + 1
    if (transcoder.stakeUpdateRound < this.round) stakes.set(this.round, delegated)
    this.#setNextStake(transcoder, delegated + change)
    transcoder.stakeUpdateRound = next
    this.nextTotal += change
  }

  /** Earlier rounds can be asked for no more, but for the last one written, which a transcoder that left may come from. */
  #setNextStake({ stakes, stakeUpdateRound }: Account, stake: bigint): void {
    for (const round of stakes.keys()) if (round < this.round && round !== stakeUpdateRound) stakes.delete(round)
    stakes.set(this.round + 1, stake)
  }

  /** _tryToJoinActiveSet: nothing happens where the pool is full of larger ones. */
  #tryToJoin(transcoder: Account, total: bigint): void {
    const next = this.round + 1
    if (this.#isPoolFull()) {
      const last = this.#lowest()
      if (total <= last.delegated) return
      this.#leavePool(last)
    }
    this.#pool.add(transcoder)
    this.nextTotal += total
    this.#setNextStake(transcoder, total)
    transcoder.stakeUpdateRound = next
    transcoder.activationRound = next
    transcoder.deactivationRound = NEVER
    this.#bondingEvent('TranscoderActivated', [transcoder.address, BigInt(next)])
  }

  #leavePool(transcoder: Account): void {
    const next = this.round + 1
    this.#pool.delete(transcoder)
    this.nextTotal -= transcoder.delegated
    transcoder.deactivationRound = next
    this.#bondingEvent('TranscoderDeactivated', [transcoder.address, BigInt(next)])
  }

  #isPoolFull(): boolean {
    return this.#pool.size >= this.rules.numActiveTranscoders
  }

  #lowest(): Account {
    let lowest: Account | undefined
    for (const member of this.#pool) if (lowest === undefined || member.delegated < lowest.delegated) lowest = member
    require(lowest !== undefined, 'the pool is empty')
    return lowest
  }

  /** BondingVotes.checkpointBondingState: tells what differs from its last checkpoint. */
  #checkpoint(account: Account): void {
    const { address, bonded, lastClaim, delegated, checkpoint: before } = account
    const delegate = account.delegate?.address ?? ZERO_ADDRESS
    const votes = delegate === address ? delegated : 0n
    account.checkpoint = { bonded, delegate, votes, lastClaim }
    const tell = (event: string, parameters: readonly Parameter[]) =>
      this.emit('BondingVotes', event, [address, ...parameters])
    if (before.delegate !== delegate) tell('DelegateChanged', [before.delegate, delegate])
    if (before.votes !== votes) tell('DelegateVotesChanged', [before.votes, votes])
    if (before.bonded !== bonded || before.lastClaim !== lastClaim) {
      const changes = [before.bonded, BigInt(before.lastClaim), bonded, BigInt(lastClaim)]
      tell('DelegatorBondedAmountChanged', changes)
    }
  }

  #bondingEvent(event: string, parameters: readonly Parameter[]): void {
    this.emit('BondingManager', event, parameters)
  }
}

/** BondingManager.isRegisteredTranscoder: bonded to itself. */
export function isRegistered(account: StakeAccount): boolean {
  return account.delegate === account && account.bonded > 0n
}

/** amount · numerator / denominator with each division rounded down (PreciseMathUtils.percOf). */
function mul(amount: bigint, numerator: bigint, denominator: bigint): bigint {
  return (amount * ((numerator * PRECISE) / denominator)) / PRECISE
}

function factorOf({ factors }: StakeAccount, round: number): bigint {
  return factors.get(round) ?? 0n
}

/** A factor that was never written counts as one. */
function orOne(factor: bigint): bigint {
  return factor === 0n ? PRECISE : factor
}

function require(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new Error(`the contracts would revert: ${otherwise}`)
}
