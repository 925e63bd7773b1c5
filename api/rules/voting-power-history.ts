import type { VotingPower } from './voting-power.ts'

/**
 * One voting power per round, fromRound to toRound inclusive, in which anything but the round differs from the round
 * before; ascending. `changes` are the rounds in which something may have changed, in any order and often more than
 * did; `powerAt` gives the voting power at the start of a round.
 */
export function votingPowerHistory(
  fromRound: number,
  toRound: number,
  changes: Iterable<number>,
  powerAt: (round: number) => VotingPower,
): VotingPower[] {
  const rounds = [...new Set(changes)].filter((round) => fromRound <= round && round <= toRound).sort((a, b) => a - b)
  const history: VotingPower[] = []
  let before: VotingPower | undefined
  for (const round of rounds) {
    // Between two rounds in which something changed there is nothing but the first of them.
    before ??= powerAt(round - 1)
    const now = powerAt(round)
    if (!sameButRound(before, now)) history.push(now)
    before = now
  }
  return history
}

function sameButRound(a: VotingPower, b: VotingPower): boolean {
  return (Object.keys(a) as (keyof VotingPower)[]).every((field) => field === 'round' || a[field] === b[field])
}
