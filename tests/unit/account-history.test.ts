import { describe, expect, test } from 'vitest'
import { heldAt, movesOf } from '../../web/pages/account-history.ts'
import { attendanceOf, type BallotNode, whereOf } from '../../web/pages/attendance.ts'

const A = `0x${'a'.repeat(40)}`
const B = `0x${'b'.repeat(40)}`

describe('the history of an account', () => {
  const history = [
    { round: 5, delegate: null },
    { round: 7, delegate: A },
    { round: 8, delegate: A },
    { round: 12, delegate: B },
    { round: 15, delegate: null },
  ]

  test('tells each change of delegate, coming and going included', () => {
    expect(movesOf(history)).toEqual([
      { round: 7, from: null, to: A },
      { round: 12, from: A, to: B },
      { round: 15, from: B, to: null },
    ])
  })

  test.each([
    [4, undefined],
    [5, history[0]],
    [11, history[2]],
    [99, history[4]],
  ])('at round %i the last change by then holds', (round, held) => expect(heldAt(history, round)).toBe(held))
})

function ballot(
  of: Partial<Omit<BallotNode, 'proposal'>> & {
    system?: 'TREASURY' | 'ARAGON'
    state?: 'ACTIVE' | 'CANCELED' | 'EXECUTED' | null
  },
): BallotNode {
  const { system = 'TREASURY', state = 'EXECUTED', ...rest } = of
  return {
    power: '10',
    choice: null,
    vote: null,
    representedBy: null,
    ...rest,
    proposal: { id: 'treasury:1', system, title: 'One', state, createdAt: { timestamp: '2026-01-01T00:00:00Z' } },
  }
}

const VOTE: NonNullable<BallotNode['vote']> = {
  choice: 'FOR',
  weight: '10',
  countedWeight: '10',
  overrides: null,
  castAt: { timestamp: '2026-01-01T00:00:00Z' },
}
const BY: NonNullable<BallotNode['representedBy']> = { voter: A, choice: 'AGAINST' }

describe('attendance', () => {
  test.each([
    ['ITSELF', ballot({ vote: VOTE })],
    ['ITSELF', ballot({ vote: VOTE, state: 'ACTIVE' })],
    ['REPRESENTED', ballot({ representedBy: BY })],
    ['NOWHERE', ballot({})],
    ['NOWHERE', ballot({ state: null })],
    ['OPEN', ballot({ state: 'ACTIVE' })],
    ['CANCELED', ballot({ state: 'CANCELED' })],
  ])('%s', (where, of) => expect(whereOf(of)).toBe(where))

  test('counts what is closed, weighs it by power, and adds no LPT to TDT', () => {
    expect(
      attendanceOf(
        [
          ballot({ vote: VOTE, power: '1000000000000000000001' }),
          ballot({ representedBy: BY, power: '20' }),
          ballot({ power: '300' }),
          ballot({ power: '7', system: 'ARAGON' }),
          ballot({ power: '50', state: 'ACTIVE' }),
          ballot({ power: '60', state: 'CANCELED', vote: VOTE }),
        ],
        (system) => (system === 'ARAGON' ? 'TDT' : 'LPT'),
      ),
    ).toEqual({
      closed: 4,
      itself: 1,
      represented: 1,
      nowhere: 2,
      spoken: [
        { unit: 'LPT', spoken: 1_000_000_000_000_000_000_021n, power: 1_000_000_000_000_000_000_321n },
        { unit: 'TDT', spoken: 0n, power: 7n },
      ],
    })
  })

  test('of nothing there is none', () => {
    expect(attendanceOf([], () => 'LPT')).toEqual({ closed: 0, itself: 0, represented: 0, nowhere: 0, spoken: [] })
  })
})
