import { expect, test } from 'vitest'
import { allocateTokens } from '../../api/rules/token-allocation.ts'

const stakes = (...all: [string, bigint][]) => all.map(([transcoder, stake]) => ({ transcoder, stake }))
const dealt = (all: ReturnType<typeof stakes>, supply: bigint, seats = 25) =>
  allocateTokens(all, supply, seats).shares.map(({ transcoder, tokens }) => [transcoder, tokens])

test('the largest remainder gets what rounding leaves', () => {
  // 10 · 5/9 = 5.55…, 10 · 3/9 = 3.33…, 10 · 1/9 = 1.11…: one wei is left.
  expect(dealt(stakes(['0xc', 1n], ['0xb', 3n], ['0xa', 5n]), 10n)).toEqual([
    ['0xa', 6n],
    ['0xb', 3n],
    ['0xc', 1n],
  ])
})

test('equal remainders go to the lower address first', () => {
  expect(dealt(stakes(['0xb', 1n], ['0xc', 1n], ['0xa', 1n]), 5n)).toEqual([
    ['0xa', 2n],
    ['0xb', 2n],
    ['0xc', 1n],
  ])
})

test('seats go to those with most stake, a tie at the cut to the lower address', () => {
  const { shares, totalStake } = allocateTokens(stakes(['0xd', 4n], ['0xc', 4n], ['0xa', 1n], ['0xb', 9n]), 100n, 2)
  expect(totalStake).toBe(13n)
  expect(shares.map(({ transcoder }) => transcoder)).toEqual(['0xb', '0xc'])
})

test('fewer are seated when fewer are active, and nobody without stake', () => {
  expect(dealt(stakes(['0xa', 2n], ['0xb', 0n]), 7n)).toEqual([['0xa', 7n]])
  expect(allocateTokens(stakes(['0xb', 0n]), 7n, 25)).toEqual({ totalStake: 0n, shares: [] })
  expect(allocateTokens([], 7n, 25)).toEqual({ totalStake: 0n, shares: [] })
})

test('the sum is exactly the supply and nobody is a wei away from its part, for any stakes', () => {
  let seed = 1n
  const random = () => {
    seed = (seed * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n
    return seed
  }
  for (let run = 0; run < 200; run++) {
    const all = Array.from({ length: Number(random() % 30n) + 1 }, (_, index) => ({
      transcoder: `0x${index.toString(16).padStart(40, '0')}`,
      stake: random() * (random() % 1000n) + 1n,
    }))
    const supply = random() % 10n ** 20n
    const { shares, totalStake } = allocateTokens(all, supply, 25)
    expect(shares.reduce((sum, { tokens }) => sum + tokens, 0n)).toBe(supply)
    for (const { stake, tokens } of shares) {
      const floor = (supply * stake) / totalStake
      expect(tokens === floor || tokens === floor + 1n).toBe(true)
    }
  }
})
