import type { Transaction } from './block-log.ts'
import { type ChainSize, poolSizeOf } from './chain-size.ts'
import type { Chance } from './random.ts'
import { isRegistered, type Lock, type StakeAccount, type StakeModel } from './stake-model.ts'

const LPT = 10n ** 18n
/** What can be minted in a round, of the active stake. */
const INFLATION = 3n
const INFLATION_DIVISOR = 10_000n
/** Half of all holders are there after this part of all rounds. */
const RUSH = 1 / 40
/** How likely transcoders reward in a round, in turn: seven of ten on average. */
const DILIGENCE = [0.95, 0.95, 0.5, 0.95, 0.05, 0.95, 0.95, 0.5, 0.95, 0.25]

/** Who holds stake on a made-up chain, and what they do with it. */
export class Holders {
  /** The transcoders first. */
  readonly all: readonly StakeAccount[]
  readonly transcoders: readonly StakeAccount[]
  readonly #size: ChainSize
  readonly #firstRound: number
  readonly #stake: StakeModel
  readonly #chance: Chance
  readonly #diligence = new Map<StakeAccount, number>()
  readonly #joinRounds: number[]

  constructor(size: ChainSize, firstRound: number, stake: StakeModel, addresses: readonly string[], chance: Chance) {
    this.#size = size
    this.#firstRound = firstRound
    this.#stake = stake
    this.#chance = chance
    this.all = addresses.map((address) => stake.account(address))
    this.transcoders = this.all.slice(0, size.transcoders)
    for (const [index, transcoder] of this.transcoders.entries()) {
      this.#diligence.set(transcoder, DILIGENCE[index % DILIGENCE.length] ?? 0)
    }
    this.#joinRounds = this.all.map((_, index) => this.#joinRound(index))
  }

  /** What happens to stake in a round, in any order after it has begun. */
  transactions(round: number): Transaction[] {
    const others = Array.from({ length: this.#size.stakeTransactions }, () => () => this.#transact()?.address)
    const rewards = this.transcoders.map((transcoder) => () => this.#reward(transcoder))
    return [...this.#firstBonds(round), ...rewards, ...others]
  }

  /** Nothing where it is not active: it may have left and come back, and then waits for the next round. */
  #reward(transcoder: StakeAccount): string | undefined {
    const { currentTotal } = this.#stake
    const isDue = this.#stake.isActive(transcoder) && this.#chance.share() < (this.#diligence.get(transcoder) ?? 0)
    if (isDue) this.#stake.reward(transcoder, (currentTotal * INFLATION) / INFLATION_DIVISOR)
    return transcoder.address
  }

  /** The first transcoders come at once, the last ones, who have to evict others, and all delegators over time. */
  #joinRound(index: number): number {
    const { accounts, transcoders, rounds } = this.#size
    const poolSize = poolSizeOf(this.#size)
    if (index < poolSize) return this.#firstRound
    const spread = (share: number) => this.#firstRound + 1 + Math.floor(share * (rounds - 1))
    if (index < transcoders) return spread((index + 1 - poolSize) / (transcoders + 1 - poolSize))
    const place = (index - transcoders) / (accounts - transcoders)
    return spread(place < 0.5 ? place * 2 * RUSH : RUSH + (place - 0.5) * 2 * (1 - RUSH))
  }

  #firstBonds(round: number): Transaction[] {
    const joining = this.all.filter((_, index) => this.#joinRounds[index] === round)
    return joining.map((holder) => () => {
      if (this.#isTranscoder(holder)) this.#becomeTranscoder(holder)
      else this.#stake.bond(holder, this.#someDelegate(), this.#amount())
      return holder.address
    })
  }

  /** Bonds to itself with enough to find room in the pool, mostly, and sets its commission. */
  #becomeTranscoder(holder: StakeAccount): void {
    const missing = this.#stake.entryStake() - holder.delegated
    this.#stake.bond(holder, holder, (missing > 0n && this.#chance.below(5) > 0 ? missing : 0n) + 100n * this.#amount())
    this.#updateCommission(holder)
  }

  #updateCommission(transcoder: StakeAccount): void {
    const mayUpdate = !this.#stake.isActive(transcoder) || transcoder.lastReward === this.#stake.round
    if (!isRegistered(transcoder) || !mayUpdate) return
    this.#stake.updateTranscoder(transcoder, BigInt(this.#chance.below(400_001)), BigInt(this.#chance.below(1_000_001)))
  }

  /** Somebody does something with its stake, or nothing where nobody is found who can. */
  #transact(): StakeAccount | undefined {
    const kinds = [
      ...times(6, this.#claim),
      ...times(5, this.#bondMore),
      ...times(4, this.#moveDelegate),
      ...times(4, this.#unbondPart),
      ...times(3, this.#unbondAll),
      ...times(4, this.#rebond),
      ...times(4, this.#withdraw),
      ...times(1, this.#transferBond),
      ...times(1, this.#changePool),
    ]
    return this.#chance.oneOf(kinds).call(this)
  }

  #claim(): StakeAccount | undefined {
    const holder = this.#someone(({ bonded, lastClaim }) => bonded > 0n && lastClaim < this.#stake.round)
    if (holder === undefined) return undefined
    this.#stake.claimEarnings(holder)
    return holder
  }

  #bondMore(): StakeAccount | undefined {
    const holder = this.#someone(hasJoined)
    if (holder === undefined) return undefined
    this.#stake.bond(holder, holder.delegate ?? this.#someDelegate(), this.#amount())
    return holder
  }

  #moveDelegate(): StakeAccount | undefined {
    const delegate = this.#someDelegate()
    const holder = this.#someone((one) => one.bonded > 0n && !isRegistered(one) && one.delegate !== delegate)
    if (holder === undefined) return undefined
    // Most move what they have and add nothing.
    this.#stake.bond(holder, delegate, this.#chance.below(4) === 0 ? this.#amount() : 0n)
    return holder
  }

  #unbondPart(): StakeAccount | undefined {
    const holder = this.#someone((one) => this.#stake.isBonded(one) && one.bonded > 100n)
    if (holder === undefined) return undefined
    this.#stake.unbond(holder, (this.#stake.claimedStake(holder) * BigInt(1 + this.#chance.below(60))) / 100n)
    return holder
  }

  #unbondAll(): StakeAccount | undefined {
    const holder = this.#someone((one) => this.#stake.isBonded(one) && !this.#isTranscoder(one))
    if (holder === undefined) return undefined
    this.#stake.unbond(holder, this.#stake.claimedStake(holder))
    return holder
  }

  #rebond(): StakeAccount | undefined {
    const holder = this.#someone(({ locks }) => locks.size > 0)
    if (holder === undefined) return undefined
    const [id = 0] = holder.locks.keys()
    this.#stake.rebond(holder, id, this.#someDelegate())
    return holder
  }

  #withdraw(): StakeAccount | undefined {
    const isDue = ([, { withdrawRound }]: readonly [number, Readonly<Lock>]) => withdrawRound <= this.#stake.round
    const holder = this.#someone(({ locks }) => [...locks].some(isDue))
    if (holder === undefined) return undefined
    const [id] = [...holder.locks].find(isDue) ?? [0]
    this.#stake.withdrawStake(holder, id)
    return holder
  }

  #transferBond(): StakeAccount | undefined {
    const receiver = this.#someone(hasJoined)
    if (receiver === undefined) return undefined
    const holder = this.#someone((one) => this.#stake.isBonded(one) && one.bonded > 100n && one !== receiver)
    if (holder === undefined) return undefined
    // All that a transcoder has would make it resign, which happens often enough.
    const parts = BigInt((isRegistered(holder) ? 2 : 1) + this.#chance.below(4))
    this.#stake.transferBond(holder, receiver, this.#stake.claimedStake(holder) / parts)
    return holder
  }

  /** A transcoder resigns, comes back, pushes into a full pool or sets its commission. */
  #changePool(): StakeAccount | undefined {
    const stake = this.#stake
    const transcoder = this.#chance.oneOf(this.transcoders)
    if (!hasJoined(transcoder)) return undefined
    const [id] = transcoder.locks.keys()
    if (!isRegistered(transcoder)) {
      if (transcoder.bonded === 0n && id !== undefined) stake.rebond(transcoder, id, transcoder)
      else this.#becomeTranscoder(transcoder)
    } else if (!stake.isInPool(transcoder)) {
      if (transcoder.delegated > stake.entryStake()) this.#updateCommission(transcoder)
      else this.#becomeTranscoder(transcoder)
    } else if (this.#chance.below(8) > 0) this.#updateCommission(transcoder)
    else if (stake.isBonded(transcoder)) stake.unbond(transcoder, stake.claimedStake(transcoder))
    return transcoder
  }

  #isTranscoder(holder: StakeAccount): boolean {
    return this.#diligence.has(holder)
  }

  /** Mostly a registered transcoder, the first ones more often; now and then somebody who is none. */
  #someDelegate(): StakeAccount {
    if (this.#chance.below(50) === 0) return this.#chance.oneOf(this.all)
    const registered = this.transcoders.filter(isRegistered)
    return registered[Math.floor(this.#chance.share() ** 2 * registered.length)] ?? this.#chance.oneOf(this.transcoders)
  }

  /** A holder that fits, undefined where there is none. */
  #someone(fits: (holder: StakeAccount) => boolean): StakeAccount | undefined {
    const start = this.#chance.below(this.all.length)
    return this.all.slice(start).find(fits) ?? this.all.slice(0, start).find(fits)
  }

  /** Between 1 and 9,000 LPT, small ones as often as large ones, to the wei. */
  #amount(): bigint {
    const lpt = BigInt((1 + this.#chance.below(9)) * 10 ** this.#chance.below(4))
    return lpt * LPT + BigInt(this.#chance.below(2 ** 30)) * BigInt(this.#chance.below(2 ** 29))
  }
}

function hasJoined({ lastClaim }: StakeAccount): boolean {
  return lastClaim > 0
}

function times<Item>(count: number, item: Item): Item[] {
  return Array.from({ length: count }, () => item)
}
