import { describe, expect, test } from 'vitest'
import { absentees, type Eligible, turnout } from '../../api/rules/absentees.ts'
import { governorElector } from '../../api/rules/governor-tally.ts'
import { tally, type WeightedVote } from '../../api/rules/tally.ts'
import { stake } from './stakes.ts'

/** Transcoders t of 100 wei with delegators d and e, u of 40 wei with delegator f, and v of 40 wei outside the active set. */
const TRANSCODERS: Eligible[] = [
  { account: 't', power: 100n, counts: true },
  { account: 'v', power: 40n, counts: false },
  { account: 'u', power: 40n, counts: true },
]
const delegates: Record<string, string> = { t: 't', u: 'u', v: 'v', d: 't', e: 't', f: 'u' }
const stakeAt = (account: string) => stake(account, delegates[account] ?? null)
const counted = (votes: WeightedVote[]) =>
  [...tally(votes, (voter) => governorElector(voter, stakeAt).transcoder).counted].map(([voter, vote]) => ({
    voter,
    ...vote,
  }))
const vote = (voter: string, weight: bigint): WeightedVote => ({ voter, choice: 'FOR', weight })

describe('who was missing', () => {
  test.each<[string, WeightedVote[], [string, bigint][]]>([
    [
      'nobody voted: most power first, then lower address',
      [],
      [
        ['t', 100n],
        ['u', 40n],
        ['v', 40n],
      ],
    ],
    ['all transcoders voted', [vote('t', 100n), vote('u', 40n), vote('v', 40n)], []],
    [
      'its delegators voted themselves: what is left of it',
      [vote('d', 30n), vote('e', 50n)],
      [
        ['u', 40n],
        ['v', 40n],
        ['t', 20n],
      ],
    ],
    [
      'its delegators have all of it: nothing, but it is missing all the same',
      [vote('f', 40n), vote('t', 100n)],
      [
        ['v', 40n],
        ['u', 0n],
      ],
    ],
    [
      'its delegators have more than it has: never below nothing',
      [vote('d', 60n), vote('e', 41n), vote('u', 40n), vote('v', 40n)],
      [['t', 0n]],
    ],
    [
      'a delegator that did not vote is nobody of its own: its transcoder stands for it',
      [vote('u', 40n), vote('v', 40n)],
      [['t', 100n]],
    ],
    ['a voter with no power did vote', [vote('v', 0n), vote('d', 0n), vote('u', 40n)], [['t', 100n]]],
  ])('%s', (_, votes, absent) => {
    expect(absentees(TRANSCODERS, counted(votes)).map(({ account, power }) => [account, power])).toEqual(absent)
  })

  test('keeps whether it is in the electorate', () => {
    expect(absentees(TRANSCODERS, []).map(({ account, counts }) => [account, counts])).toEqual([
      ['t', true],
      ['u', true],
      ['v', false],
    ])
  })
})

describe('turnout', () => {
  const sums = { for: 60n, against: 30n, abstain: 10n }

  test('leaves those outside the electorate out of what was absent, and rounds down', () => {
    expect(turnout({ sums, electorate: 300n, ballots: [1, 2, 3] }, TRANSCODERS)).toEqual({
      voters: 3,
      cast: 100n,
      electorate: 300n,
      absent: 140n,
      percent: '33.3333',
    })
  })

  test('of no electorate is 0', () => {
    const nothing = { for: 0n, against: 0n, abstain: 0n }
    expect(turnout({ sums: nothing, electorate: 0n, ballots: [] }, [])).toEqual({
      voters: 0,
      cast: 0n,
      electorate: 0n,
      absent: 0n,
      percent: '0',
    })
  })
})
