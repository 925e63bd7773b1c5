// How a poll is counted (LIP-16): by stake at its end block. Pure: votes and stake in, tally out.

import type { CountedVote, Sums } from './governor-tally.ts'
import { isRegisteredTranscoder, pendingStake, type Stake } from './voting-power.ts'

/** 100 % in a poll's quorum and quota. */
const PERC_DIVISOR = 1_000_000n

/** A voter's last valid choice: 0 is yes, 1 is no. */
export interface PollVote {
  voter: string
  support: 'FOR' | 'AGAINST'
}

/**
 * Counts a poll from everybody's stake at one moment of a round: a registered transcoder has its total stake less that of
 * its delegators that voted themselves, whenever and whatever they voted; anybody else its own stake with rewards, a
 * delegator of an unregistered delegate too. Nobody's stake moves by voting, so the order does not matter.
 */
export function pollTally(
  votes: readonly PollVote[],
  stakeOf: (account: string) => Stake | undefined,
  round: number,
): { sums: Sums; counted: Map<string, CountedVote> } {
  const counted = new Map<string, CountedVote>()
  for (const { voter } of votes) {
    const stake = stakeOf(voter)
    const delegate = stake?.delegate ? stakeOf(stake.delegate) : undefined
    const isTranscoder = isRegisteredTranscoder(stake)
    const weight =
      stake === undefined ? 0n : isTranscoder ? stake.delegatedAmount : pendingStake(stake, delegate, round)
    const overrides = !isTranscoder && isRegisteredTranscoder(delegate) ? (delegate?.account ?? null) : null
    counted.set(voter, { weight, countedWeight: weight, overrides })
  }
  for (const { weight, overrides } of counted.values()) {
    const transcoder = overrides === null ? undefined : counted.get(overrides)
    if (transcoder !== undefined) transcoder.countedWeight -= weight
  }
  const sums: Sums = { for: 0n, against: 0n, abstain: 0n }
  for (const { voter, support } of votes) {
    sums[support === 'FOR' ? 'for' : 'against'] += counted.get(voter)?.countedWeight ?? 0n
  }
  return { sums, counted }
}

/** Least cast stake that reaches the quorum: ⌈electorate · quorum / 10^6⌉, as LIP-16 wants not less than its part. */
export function pollQuorum(electorate: bigint, quorum: bigint): bigint {
  return (electorate * quorum + PERC_DIVISOR - 1n) / PERC_DIVISOR
}

/** Cast stake is not below the quorum's part of all stake. */
export function isPollQuorumReached(sums: Sums, electorate: bigint, quorum: bigint): boolean {
  return sums.for + sums.against >= pollQuorum(electorate, quorum)
}

/** Yes is strictly more than the quota's part of cast stake: a tie fails. */
export function isPollQuotaReached(sums: Sums, quota: bigint): boolean {
  return sums.for * PERC_DIVISOR > (sums.for + sums.against) * quota
}

/** A part of a whole in percent with four decimals, rounded down, for reading; "0" of nothing. */
export function percent(part: bigint, whole: bigint): string {
  if (whole === 0n) return '0'
  const scaled = (part * 1_000_000n) / whole
  const sign = scaled < 0n ? '-' : ''
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(5, '0')
  return `${sign}${digits.slice(0, -4)}.${digits.slice(-4)}`.replace(/\.?0+$/, '')
}
