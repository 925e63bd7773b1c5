import type { Moment, Stake } from '../../api/rules/voting-power.ts'

/** A cumulative reward factor of 1. */
export const ONE = 10n ** 27n

/** The moment at which a round begins. */
export const startOf = (round: number): Moment => ({ round, block: null })

/** A stake of 10 wei claimed in round 5, of an account and delegate of these names; `fields` are what matters to a test. */
export function stake(account: string, delegate: string | null, fields: Partial<Stake> = {}): Stake {
  return {
    account,
    delegate,
    bondedAmount: 10n,
    lastClaimRound: 5,
    startFactor: ONE,
    delegatedAmount: 0n,
    activationRound: 0,
    deactivationRound: 0,
    inPool: false,
    lastRewardRound: 0,
    cumulativeRewardFactor: 0n,
    cumulativeRewards: 0n,
    isBondExact: true,
    isDelegationExact: true,
    ...fields,
  }
}
