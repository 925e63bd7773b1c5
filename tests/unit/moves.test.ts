import { expect, test } from 'vitest'
import { movesOf } from '../../web/pages/moves.ts'

const set = (...votes: [string, bigint][]) => votes.map(([account, amount]) => ({ account, votes: String(amount) }))

test('who entered and left the active set, then who has other votes, most first', () => {
  const before = set(['a', 10n], ['b', 2n ** 70n], ['c', 5n], ['d', 7n], ['e', 1n])
  const after = set(['b', 2n ** 70n - 1n], ['a', 15n], ['c', 5n], ['e', 0n], ['f', 9n])
  expect(movesOf(before, after)).toEqual([
    { account: 'f', by: null, became: 'ENTERED' },
    { account: 'd', by: null, became: 'LEFT' },
    { account: 'a', by: 5n, became: 'CHANGED' },
    { account: 'b', by: -1n, became: 'CHANGED' },
    { account: 'e', by: -1n, became: 'CHANGED' },
  ])
})

test('nothing where nothing moved', () => {
  expect(movesOf(set(['a', 1n]), set(['a', 1n]))).toEqual([])
  expect(movesOf([], [])).toEqual([])
})
