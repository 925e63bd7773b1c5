import { describe, expect, test } from 'vitest'
import { dealOf, isSameDeal, seatsCases, tokensText, weiOfTokens } from '../../web/pages/allocation-deal.ts'

const stakes = (...all: [string, bigint][]) => all.map(([transcoder, stake]) => ({ transcoder, stake }))
const THREE = stakes(['0xb', 3n], ['0xa', 5n], ['0xc', 1n], ['0xd', 0n])

test('rounding is told: what is dealt, what is left, who got a wei of it', () => {
  expect(dealOf(THREE, 10n, 25)).toEqual({
    totalStake: 9n,
    left: 1n,
    shares: [
      { transcoder: '0xa', stake: 5n, tokens: 6n, floor: 5n, remainder: 5n, gotOneMore: true },
      { transcoder: '0xb', stake: 3n, tokens: 3n, floor: 3n, remainder: 3n, gotOneMore: false },
      { transcoder: '0xc', stake: 1n, tokens: 1n, floor: 1n, remainder: 1n, gotOneMore: false },
    ],
    unseated: [],
  })
})

test('who is active and not seated is told, most first, nobody without stake among them', () => {
  const { shares, unseated } = dealOf([...THREE, ...stakes(['0x9', 1n])], 10n, 1)
  expect(shares.map(({ transcoder }) => transcoder)).toEqual(['0xa'])
  expect(unseated).toEqual(stakes(['0xb', 3n], ['0x9', 1n], ['0xc', 1n]))
  expect(dealOf([], 10n, 25)).toEqual({ totalStake: 0n, shares: [], left: 0n, unseated: [] })
})

test('other numbers of seats, each once and in order', () => {
  expect(seatsCases(THREE, 90n, [25, 1, 2, 25])).toEqual([
    { seats: 1, seated: 1, stake: 5n, largest: 90n, smallest: 90n, half: 1, gini: '0.000000' },
    { seats: 2, seated: 2, stake: 8n, largest: 56n, smallest: 34n, half: 1, gini: '0.122222' },
    { seats: 25, seated: 3, stake: 9n, largest: 50n, smallest: 10n, half: 1, gini: '0.296296' },
  ])
})

test('a deal that differs by a wei, in who or in how many is not the same', () => {
  const deal = dealOf(THREE, 10n, 25)
  const told = {
    totalStake: String(deal.totalStake),
    shares: deal.shares.map(({ transcoder, stake, tokens }) => ({
      ...{ transcoder, stake: String(stake), tokens: String(tokens) },
    })),
  }
  expect(isSameDeal(deal, told)).toBe(true)
  const [first, ...rest] = told.shares
  if (first === undefined) throw new Error('nobody is dealt anything')
  expect(isSameDeal(deal, { ...told, shares: [{ ...first, tokens: '7' }, ...rest] })).toBe(false)
  expect(isSameDeal(deal, { ...told, shares: [{ ...first, transcoder: '0xe' }, ...rest] })).toBe(false)
  expect(isSameDeal(deal, { ...told, shares: [...told.shares, first] })).toBe(false)
  expect(isSameDeal(deal, { ...told, totalStake: '8' })).toBe(false)
})

describe('a supply as people write it', () => {
  test.each([
    ['100', 100n * 10n ** 18n],
    [' 0.5 ', 5n * 10n ** 17n],
    ['1.000000000000000001', 10n ** 18n + 1n],
    ['0', 0n],
  ])('%s', (text, wei) => {
    expect(weiOfTokens(text)).toBe(wei)
    expect(weiOfTokens(tokensText(wei))).toBe(wei)
  })
  test.each(['', '-1', '1e3', '1,000', '1.0000000000000000001', '0x10', '.'])('%j is none', (text) => {
    expect(weiOfTokens(text)).toBeUndefined()
  })
  test('without needless zeros', () => {
    expect([tokensText(100n * 10n ** 18n), tokensText(10n ** 17n), tokensText(1n)]).toEqual([
      ...['100', '0.1', '0.000000000000000001'],
    ])
  })
})
