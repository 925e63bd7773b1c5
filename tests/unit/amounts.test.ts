import { describe, expect, test } from 'vitest'
import {
  amountText,
  compareAmounts,
  countText,
  decimal,
  percentText,
  shareOf,
  shortAmount,
  sumOf,
} from '../../web/amounts.ts'

const LPT = 10n ** 18n
/** More than a float holds, on either side of every edge. */
const AMOUNTS = [
  0n,
  1n,
  9n,
  LPT - 1n,
  LPT,
  LPT + 1n,
  5_000_000_000_000_000n,
  4_999_999_999_999_999n,
  999n * LPT + 999_999_999_999_999_999n,
  95_356_173_859_355_111_851_325n,
  2n ** 53n + 1n,
  2n ** 64n - 1n,
  123_456_789_012_345_678_901_234_567_890n,
  2n ** 256n - 1n,
].flatMap((wei) => (wei === 0n ? [wei] : [wei, -wei]))

test.each(AMOUNTS)('%s wei as a decimal is the same number again', (wei) => {
  expect(decimal(wei)).toMatch(/^-?(0|[1-9]\d*)\.\d{18}$/)
  expect(BigInt(decimal(wei).replace('.', ''))).toBe(wei)
})

test.each(AMOUNTS)('%s wei is cut off after as many digits as are wanted, never rounded', (wei) => {
  for (const digits of [0, 1, 2, 6, 17, 18]) {
    const [, exact = ''] = new RegExp(`^(-?\\d+\\.?\\d{${digits}})`).exec(decimal(wei)) ?? []
    const text = amountText(wei, digits)
    expect(text.replaceAll(',', ''), `${digits} digits`).toBe(exact.replace(/\.$/, ''))
    expect(text, 'thousands').toMatch(/^-?\d{1,3}(,\d{3})*(\.\d+)?$/)
  }
  expect(amountText(wei)).toBe(amountText(wei, 2))
  expect(amountText(wei, 'ALL').replaceAll(',', '')).toBe(decimal(wei))
})

test.each([
  [0n, '0'],
  [999n * LPT + 999_999_999_999_999_999n, '999.9'],
  [999_999n * LPT, '999.9K'],
  [95_356_173_859_355_111_851_325n, '95.3K'],
  [1_999_999n * LPT, '1.9M'],
  [10n ** 9n * LPT, '1B'],
])('%s wei in short is %s', (wei, text) => {
  expect(shortAmount(wei)).toBe(text)
})

test.each([
  [0, '0'],
  [999, '999'],
  [412_345_678, '412,345,678'],
  [2n ** 64n, '18,446,744,073,709,551,616'],
])('%s counted is %s', (count, text) => {
  expect(countText(count)).toBe(text)
})

describe('parts', () => {
  test.each<[bigint, bigint, number | undefined, string]>([
    [0n, 0n, undefined, '–'],
    [5n, 0n, undefined, '–'],
    [0n, 3n, undefined, '0.00 %'],
    [1n, 3n, undefined, '33.33 %'],
    [2n, 3n, undefined, '66.66 %'],
    [2n, 3n, 0, '66 %'],
    [2n, 3n, 6, '66.666666 %'],
    [3n, 3n, undefined, '100.00 %'],
    [40n, 3n, undefined, '1,333.33 %'],
    [-1n, 3n, undefined, '-33.33 %'],
    // One wei short of all, which a float takes for all.
    [10n ** 27n - 1n, 10n ** 27n, undefined, '99.99 %'],
    [1n, 10n ** 27n, undefined, '0.00 %'],
  ])('%s of %s to %s digits: %s', (part, whole, digits, text) => {
    expect(percentText(part, whole, digits)).toBe(text)
  })

  test.each<[bigint, bigint, number]>([
    [0n, 0n, 0],
    [1n, 0n, 0],
    [-1n, 5n, 0],
    [1n, -5n, 0],
    [1n, 3n, 0.333333],
    [10n ** 27n - 1n, 10n ** 27n, 0.999999],
    [5n, 5n, 1],
    [6n, 5n, 1],
  ])('%s of %s is drawn at %s', (part, whole, share) => {
    expect(shareOf(part, whole)).toBe(share)
  })
})

test('sums and comparisons are exact', () => {
  expect(sumOf([])).toBe(0n)
  expect(sumOf([2n ** 64n, 1n, -3n])).toBe(2n ** 64n - 2n)
  expect([2n ** 64n, 2n ** 64n - 1n, -1n, 0n].sort(compareAmounts)).toEqual([-1n, 0n, 2n ** 64n - 1n, 2n ** 64n])
  expect(compareAmounts(7n, 7n)).toBe(0)
})
