import { describe, expect, test } from 'vitest'
import { drawnTokens, powerOfTen, shareCurve, weiOf } from '../../web/charts/drawn.ts'
import { orderOf, orderText } from '../../web/parts/order.ts'

const LPT = 10n ** 18n

describe('amounts as lengths', () => {
  test.each([
    [0n, 0],
    [LPT, 1],
    [-LPT / 2n, -0.5],
    [95_356_173859355111851325n, 95_356.173859],
  ])('%s wei are drawn as tokens', (wei, tokens) => expect(drawnTokens(wei)).toBe(tokens))

  test('an axis label is wei again', () => expect(weiOf(250_000)).toBe(250_000n * LPT))

  test.each([
    [1n, -18],
    [LPT, 0],
    [1_000n * LPT, 3],
    [10n ** 40n, 22],
    [0n, -18],
  ])('%s wei are a power of ten', (wei, power) => expect(powerOfTen(wei)).toBe(power))

  test('between two powers, however many digits', () => {
    expect(powerOfTen(2n * 10n ** 60n)).toBeCloseTo(42 + Math.log10(2), 9)
  })
})

describe('the curve of what the largest have', () => {
  test('goes from nothing to all', () => {
    expect(shareCurve([6n, 3n, 1n])).toEqual([
      { count: 0, share: 0 },
      { count: 1, share: 0.6 },
      { count: 2, share: 0.9 },
      { count: 3, share: 1 },
    ])
  })

  test('of nothing there is none', () => expect([shareCurve([]), shareCurve([0n, 0n])]).toEqual([[], []]))

  test('of many, the largest and the last are there and the others thinned', () => {
    const points = shareCurve(Array.from({ length: 5_000 }, () => LPT))
    expect(points.length).toBeLessThan(520)
    expect(points.slice(0, 101).map(({ count }) => count)).toEqual(Array.from({ length: 101 }, (_, index) => index))
    expect(points.at(-1)).toEqual({ count: 5_000, share: 1 })
  })
})

describe('an order in an address', () => {
  const columns = [{ name: 'Votes' }, { name: 'Own stake' }]
  test.each([
    ['-own-stake', { column: 'Own stake', descending: true }],
    ['votes', { column: 'Votes', descending: false }],
    ['nothing', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (text, order) => {
    expect(orderOf(text, columns)).toEqual(order)
    if (order !== undefined) expect(orderText(order)).toBe(text)
  })
})
