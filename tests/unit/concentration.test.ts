import { expect, test } from 'vitest'
import { concentration } from '../../api/rules/concentration.ts'
import { mulberry32 } from '../bench/random.ts'

const nothing = {
  nakamoto33: 0,
  nakamoto50: 0,
  gini: '0.000000',
  top1: '0.000000',
  top5: '0.000000',
  top10: '0.000000',
}

test.each([
  ['nobody', [], null, { ...nothing, count: 0, total: 0n, nakamotoQuorum: null }],
  ['nobody with anything', [0n, 0n], 1n, { ...nothing, count: 2, total: 0n, nakamotoQuorum: null }],
  [
    'one',
    [7n],
    2n,
    {
      ...{ count: 1, total: 7n, nakamoto33: 1, nakamoto50: 1, nakamotoQuorum: 1 },
      ...{ gini: '0.000000', top1: '1.000000', top5: '1.000000', top10: '1.000000' },
    },
  ],
  [
    // A third and a half exactly are not more than that; a quorum is reached by what equals it.
    'equals',
    [5n, 5n, 5n, 5n, 5n, 5n],
    15n,
    {
      ...{ count: 6, total: 30n, nakamoto33: 3, nakamoto50: 4, nakamotoQuorum: 3 },
      ...{ gini: '0.000000', top1: '0.166666', top5: '0.833333', top10: '1.000000' },
    },
  ],
  [
    // Ascending 1, 2, 3, 10: (-3·1 - 1·2 + 1·3 + 3·10) / (4·16) = 28/64.
    'unequals in any order',
    [2n, 10n, 1n, 3n],
    13n,
    {
      ...{ count: 4, total: 16n, nakamoto33: 1, nakamoto50: 1, nakamotoQuorum: 2 },
      ...{ gini: '0.437500', top1: '0.625000', top5: '1.000000', top10: '1.000000' },
    },
  ],
  [
    'a quorum that all together do not reach',
    [1n, 2n],
    4n,
    {
      ...{ count: 2, total: 3n, nakamoto33: 1, nakamoto50: 1, nakamotoQuorum: null },
      ...{ gini: '0.166666', top1: '0.666666', top5: '1.000000', top10: '1.000000' },
    },
  ],
])('the concentration of %s', (_, amounts, quorum, expected) => {
  expect(concentration(amounts, quorum)).toEqual(expected)
})

test('one wei of amounts beyond what a float tells turns the count', () => {
  const half = 10n ** 27n
  expect(concentration([half, half - 1n, 1n], null).nakamoto50).toBe(2)
  expect(concentration([half + 1n, half - 1n, 1n], null).nakamoto50).toBe(1)
})

test("the Gini coefficient is the definition's, to the last digit told", () => {
  const random = mulberry32(7)
  for (let run = 0; run < 200; run++) {
    const count = 1 + Math.floor(random() * 40)
    const amounts = Array.from({ length: count }, () => BigInt(Math.floor(random() * (run % 2 === 0 ? 5 : 1e15))))
    const ascending = amounts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    const whole = BigInt(count) * amounts.reduce((sum, amount) => sum + amount, 0n)
    const weighted = ascending.map((amount, index) => BigInt(2 * (index + 1) - count - 1) * amount)
    const millionths = whole === 0n ? 0n : (weighted.reduce((sum, part) => sum + part, 0n) * 1_000_000n) / whole
    expect([amounts, concentration(amounts, null).gini]).toEqual([amounts, `0.${String(millionths).padStart(6, '0')}`])
  }
})
