import { expect, test } from 'vitest'
import { type Stake, votingPower } from '../../api/rules/voting-power.ts'
import { votingPowerHistory } from '../../api/rules/voting-power-history.ts'
import { ONE, stake, startOf } from './stakes.ts'

/** A stake from a round on. */
type Period = Stake & { fromRound: number }

function period(account: string, delegate: string, fromRound: number, fields: Partial<Stake> = {}): Period {
  return { ...stake(account, delegate, { bondedAmount: 100n, lastClaimRound: 1, ...fields }), fromRound }
}

/** The history of an account whose stake and whose delegates' stakes are these, checkpointed from a round on. */
function historyOf(account: string, periods: readonly Period[], from: number, to: number, checkpointedFrom = Infinity) {
  const at = (who: string, round: number) =>
    periods.findLast((candidate) => candidate.account === who && candidate.fromRound <= round)
  const changes = periods.flatMap(({ fromRound, activationRound, deactivationRound }) => [
    fromRound,
    activationRound,
    deactivationRound,
  ])
  return votingPowerHistory(from, to, [...changes, checkpointedFrom], (round) => {
    const own = at(account, round)
    const delegate = own?.delegate ? at(own.delegate, round) : undefined
    return votingPower(account, startOf(round), own, delegate, round >= checkpointedFrom)
  })
}

const PERIODS = [
  period('0xa', '0xt', 3),
  period('0xa', '0xu', 9),
  period('0xt', '0xt', 2, { delegatedAmount: 200n }),
  period('0xt', '0xt', 5, { delegatedAmount: 300n }),
  period('0xt', '0xt', 7, { lastRewardRound: 6, cumulativeRewardFactor: ONE * 2n }),
  period('0xu', '0xu', 4, { delegatedAmount: 1n }),
]

test('one entry where the account or its delegate changed what the account has', () => {
  const history = historyOf('0xa', PERIODS, 2, 20, 12)
  expect(history.map(({ round, votes, delegate, checkpointed }) => [round, votes, delegate, checkpointed])).toEqual([
    [3, 100n, '0xt', false],
    // Round 5 changed the delegate alone, round 7 brought rewards.
    [7, 200n, '0xt', false],
    [9, 100n, '0xu', false],
    [12, 100n, '0xu', true],
  ])
})

test('nothing is carried in, and both ends are inclusive', () => {
  const rounds = (from: number, to: number) => historyOf('0xa', PERIODS, from, to).map(({ round }) => round)
  expect(rounds(4, 8)).toEqual([7])
  expect(rounds(7, 9)).toEqual([7, 9])
  expect(rounds(10, 20)).toEqual([])
})

test('the end of a membership in the active set is a change of its own', () => {
  const member = period('0xt', '0xt', 2, { activationRound: 4, deactivationRound: 6, delegatedAmount: 5n })
  expect(historyOf('0xt', [member], 1, 20).map(({ round, isActive }) => [round, isActive])).toEqual([
    [2, false],
    [4, true],
    [6, false],
  ])
})
