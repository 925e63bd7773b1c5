import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Facts } from '../facts/facts.ts'
import { pendingStake, type Stake } from '../rules/voting-power.ts'

/** How many accounts are read before other requests have their turn: a few milliseconds' worth. */
const ACCOUNTS_A_TURN = 250

/** Somebody with what they had at the round looked at last. */
interface Holder {
  account: string
  stake: Stake | undefined
  delegate: Holder | undefined
  /** With rewards, wei. */
  amount: bigint
}

/**
 * What everybody on one chain of Arbitrum's rules had at the start of one round after the other. Of a round near the last
 * one looked at only those are read who changed between them, and hardly anybody changes place in the order.
 */
export class HolderStakes {
  #round: number
  readonly #holders = new Map<string, Holder>()
  /** Who changed between the start of the round before and that of this one. */
  readonly #changed = new Map<number, string[]>()
  /** Most first, as of the round looked at last. */
  #mostFirst: Holder[] = []

  private constructor(
    private readonly facts: Facts,
    round: number,
  ) {
    this.#round = round
  }

  /** Looks at a first round. */
  static async at(facts: Facts, round: number): Promise<HolderStakes> {
    const stakes = new HolderStakes(facts, round)
    for (const [index, account] of facts.stake.accounts().entries()) {
      for (const changed of facts.stake.ownChanges(account)) {
        const accounts = stakes.#changed.get(changed)
        if (accounts === undefined) stakes.#changed.set(changed, [account])
        else accounts.push(account)
      }
      stakes.#read(stakes.#holder(account), round)
      if (index % ACCOUNTS_A_TURN === ACCOUNTS_A_TURN - 1) await nextTurn()
    }
    stakes.#mostFirst = [...stakes.#holders.values()]
    return stakes
  }

  /** Whether it can look at a round as other facts tell it: of the same index, and the same block fixed its start. */
  tells(round: number, { stake, head }: Facts): boolean {
    const fixed = this.facts.stake.roundFrom(round)
    const isSame = fixed !== undefined && fixed.blockHash === stake.roundFrom(round)?.blockHash
    return isSame && head.deployment === this.facts.head.deployment
  }

  /** Stakes of all who have any at the start of a round, most first, wei; undefined where one of them is not exact. */
  mostFirstAt(round: number): bigint[] | undefined {
    this.#moveTo(round)
    for (const holder of this.#mostFirst) {
      const { stake, delegate } = holder
      if (stake !== undefined && !(stake.isBondExact && stake.isDelegationExact)) return undefined
      holder.amount = stake === undefined ? 0n : pendingStake(stake, delegate?.stake, round)
    }
    // What is nearly in order already takes the sort that V8 has little time.
    this.#mostFirst.sort((a, b) => (a.amount === b.amount ? 0 : a.amount > b.amount ? -1 : 1))
    const amounts: bigint[] = []
    for (const { amount } of this.#mostFirst) {
      if (amount === 0n) break
      amounts.push(amount)
    }
    return amounts
  }

  #moveTo(round: number): void {
    const [from, to] = round > this.#round ? [this.#round, round] : [round, this.#round]
    const accounts = new Set<string>()
    for (let changed = from + 1; changed <= to; changed++) {
      for (const account of this.#changed.get(changed) ?? []) accounts.add(account)
    }
    for (const account of accounts) this.#read(this.#holder(account), round)
    this.#round = round
  }

  #read(holder: Holder, round: number): void {
    holder.stake = this.facts.stake.at(holder.account, round, holder.stake)
    const delegate = holder.stake?.delegate ?? null
    holder.delegate = delegate === null ? undefined : this.#holder(delegate)
  }

  #holder(account: string): Holder {
    const known = this.#holders.get(account)
    if (known !== undefined) return known
    const holder: Holder = { account, stake: undefined, delegate: undefined, amount: 0n }
    this.#holders.set(account, holder)
    return holder
  }
}
