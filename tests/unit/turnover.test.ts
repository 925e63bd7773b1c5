import { describe, expect, test } from 'vitest'
import { everAndAlways, turnoverOf } from '../../web/pages/turnover.ts'

const sets = [
  { number: 5, accounts: ['a', 'b', 'c'] },
  { number: 6, accounts: ['c', 'a', 'b'] },
  // Nobody initialised 7.
  { number: 8, accounts: ['a', 'd', 'e', 'f'] },
  { number: 9, accounts: [] },
]

describe('the turnover of the active set', () => {
  test('is who entered and who left since the round before in the list', () => {
    expect(turnoverOf(sets)).toEqual([
      { number: 5, size: 3, entered: 0, left: 0 },
      { number: 6, size: 3, entered: 0, left: 0 },
      { number: 8, size: 4, entered: 3, left: 2 },
      { number: 9, size: 0, entered: 0, left: 4 },
    ])
  })

  test.each([
    { of: sets, ever: 6, always: 0 },
    { of: sets.slice(0, 3), ever: 6, always: 1 },
    { of: [], ever: 0, always: 0 },
  ])('$ever were ever active and $always always', ({ of, ever, always }) => {
    expect(everAndAlways(of)).toEqual({ ever, always })
  })
})
