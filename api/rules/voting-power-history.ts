import type { Stake, VotingPower } from './voting-power.ts'

/** A stake with the rounds it holds at the start of: from fromRound to before untilRound. */
export interface StakePeriod extends Stake {
  fromRound: number
  untilRound: number
}

/**
 * One voting power per round, fromRound to toRound inclusive, in which anything but the round differs from the round
 * before; ascending. `own` are the account's periods, `delegates` those of everybody it delegated to, by address; both
 * ascending and reaching back to fromRound - 1. `checkpointedFrom` is the first round the account is checkpointed at,
 * `powerAt` the rule that makes a voting power of the account's and its delegate's stake at a round.
 */
export function votingPowerHistory(
  fromRound: number,
  toRound: number,
  own: readonly StakePeriod[],
  delegates: ReadonlyMap<string, readonly StakePeriod[]>,
  checkpointedFrom: number,
  powerAt: (round: number, stake: StakePeriod | undefined, delegate: StakePeriod | undefined) => VotingPower,
): VotingPower[] {
  const at = (round: number): VotingPower => {
    const stake = periodAt(own, round)
    const delegate = stake?.delegate ? periodAt(delegates.get(stake.delegate) ?? [], round) : undefined
    return powerAt(round, stake, delegate)
  }
  const candidates = new Set<number>([checkpointedFrom])
  for (const period of own) {
    // A membership in the active set can begin or end in a round that no change of stake falls into.
    for (const round of [period.fromRound, period.untilRound, period.activationRound, period.deactivationRound]) {
      candidates.add(round)
    }
  }
  for (const periods of delegates.values()) for (const period of periods) candidates.add(period.fromRound)
  return [...candidates]
    .filter((round) => fromRound <= round && round <= toRound)
    .sort((a, b) => a - b)
    .filter((round) => !sameButRound(at(round - 1), at(round)))
    .map(at)
}

/** The period that holds at the start of a round; periods are ascending and do not overlap. */
function periodAt(periods: readonly StakePeriod[], round: number): StakePeriod | undefined {
  let low = 0
  let high = periods.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((periods[middle]?.untilRound ?? Infinity) > round) high = middle
    else low = middle + 1
  }
  const period = periods[low]
  return period !== undefined && period.fromRound <= round ? period : undefined
}

function sameButRound(a: VotingPower, b: VotingPower): boolean {
  return (Object.keys(a) as (keyof VotingPower)[]).every((field) => field === 'round' || a[field] === b[field])
}
