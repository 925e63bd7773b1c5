// How a poll is counted (LIP-16): by stake at its end block. Pure: stake and sums in, what follows out.

import type { CountingRule, Part } from './counting-rule.ts'
import { castWeight, type Elector, type Sums } from './tally.ts'
import { isRegisteredTranscoder, pendingStake, type Stake, type VotingPower } from './voting-power.ts'

/**
 * What an account votes with, from everybody's stake at one moment of a round: a registered transcoder with its total
 * stake; anybody else with its own stake with rewards, a delegator of an unregistered delegate too.
 */
export function pollElector(account: string, stakeOf: (account: string) => Stake | undefined, round: number): Elector {
  const stake = stakeOf(account)
  if (stake === undefined) return { power: 0n, transcoder: null }
  if (isRegisteredTranscoder(stake)) return { power: stake.delegatedAmount, transcoder: null }
  const delegate = stake.delegate ? stakeOf(stake.delegate) : undefined
  const transcoder = isRegisteredTranscoder(delegate) ? (delegate?.account ?? null) : null
  return { power: pendingStake(stake, delegate, round), transcoder }
}

/** The same from an account's voting power at that moment, on Ethereum L1 where stake of delegators is told alone. */
export function pollElectorOf({ isTranscoder, votes, stake, delegate }: VotingPower): Elector {
  if (isTranscoder) return { power: votes, transcoder: null }
  // Who delegates to no registered transcoder has no votes.
  return { power: stake ?? 0n, transcoder: votes > 0n ? delegate : null }
}

/** Least cast stake that reaches the quorum: its part of the electorate, rounded up, as LIP-16 wants not less. */
export function pollQuorum(electorate: bigint, { numerator, denominator }: Part): bigint {
  return (electorate * numerator + denominator - 1n) / denominator
}

/** Cast stake is not below the quorum's part of all stake. */
export function isPollQuorumReached(sums: Sums, electorate: bigint, quorum: Part): boolean {
  return castWeight(sums) >= pollQuorum(electorate, quorum)
}

/**
 * Yes is strictly more than the quota's part of cast stake: a tie fails. By a rule that is not strict, which LIP-16 does
 * not have, it need not be more.
 */
export function isPollQuotaReached(sums: Sums, { support, strict }: Pick<CountingRule, 'support' | 'strict'>): boolean {
  const yes = sums.for * support.denominator
  const quota = castWeight(sums) * support.numerator
  return strict ? yes > quota : yes >= quota
}

/** A part of a whole in percent with four decimals, rounded down, for reading; "0" of nothing. */
export function percent(part: bigint, whole: bigint): string {
  if (whole === 0n) return '0'
  const scaled = (part * 1_000_000n) / whole
  const sign = scaled < 0n ? '-' : ''
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(5, '0')
  return `${sign}${digits.slice(0, -4)}.${digits.slice(-4)}`.replace(/\.?0+$/, '')
}
