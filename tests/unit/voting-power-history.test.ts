import { expect, test } from 'vitest'
import { votingPower } from '../../api/rules/voting-power.ts'
import { type StakePeriod, votingPowerHistory } from '../../api/rules/voting-power-history.ts'
import { ONE, stake } from './stakes.ts'

const NO_END = 2147483647

function period(account: string, delegate: string, fields: Partial<StakePeriod>): StakePeriod {
  return {
    ...stake(account, delegate, { bondedAmount: 100n, lastClaimRound: 1 }),
    fromRound: 2,
    untilRound: NO_END,
    ...fields,
  }
}

/** The rule of Arbitrum, for an account that is checkpointed from a round on. */
const powerOf =
  (account: string, checkpointedFrom: number) =>
  (round: number, stake: StakePeriod | undefined, delegate: StakePeriod | undefined) =>
    votingPower(account, round, stake, delegate, round >= checkpointedFrom)

const own = [period('0xa', '0xt', { fromRound: 3, untilRound: 9 }), period('0xa', '0xu', { fromRound: 9 })]
const delegates = new Map([
  [
    '0xt',
    [
      period('0xt', '0xt', { fromRound: 2, untilRound: 5, delegatedAmount: 200n }),
      period('0xt', '0xt', { fromRound: 5, untilRound: 7, delegatedAmount: 300n }),
      period('0xt', '0xt', { fromRound: 7, lastRewardRound: 6, cumulativeRewardFactor: ONE * 2n }),
    ],
  ],
  ['0xu', [period('0xu', '0xu', { fromRound: 4, delegatedAmount: 1n })]],
])

test('one entry where the account or its delegate changed what the account has', () => {
  const history = votingPowerHistory(2, 20, own, delegates, 12, powerOf('0xa', 12))
  expect(history.map(({ round, votes, delegate, checkpointed }) => [round, votes, delegate, checkpointed])).toEqual([
    [3, 100n, '0xt', false],
    // Round 5 changed the delegate alone, round 7 brought rewards.
    [7, 200n, '0xt', false],
    [9, 100n, '0xu', false],
    [12, 100n, '0xu', true],
  ])
})

test('nothing is carried in, and both ends are inclusive', () => {
  const rounds = (from: number, to: number) =>
    votingPowerHistory(from, to, own, delegates, Infinity, powerOf('0xa', Infinity)).map(({ round }) => round)
  expect(rounds(4, 8)).toEqual([7])
  expect(rounds(7, 9)).toEqual([7, 9])
  expect(rounds(10, 20)).toEqual([])
})

test('the end of a membership in the active set is a change of its own', () => {
  const member = [period('0xt', '0xt', { fromRound: 2, activationRound: 4, deactivationRound: 6, delegatedAmount: 5n })]
  const history = votingPowerHistory(1, 20, member, new Map([['0xt', member]]), Infinity, powerOf('0xt', Infinity))
  expect(history.map(({ round, isActive }) => [round, isActive])).toEqual([
    [2, false],
    [4, true],
    [6, false],
  ])
})
