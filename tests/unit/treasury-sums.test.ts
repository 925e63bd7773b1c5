import { expect, test } from 'vitest'
import { incomeOf, isUnbroken, momentsOf, partiesOf, sumsOf, type Transfer } from '../../web/pages/treasury-sums.ts'

const TREASURY = '0xt'
const GRANT = { id: 'treasury:1', title: 'A grant' }

/** Transfers a minute apart, each of: who, to whom, how much, in which round, by which proposal. */
function transfers(
  ...all: readonly [from: string, to: string, amount: bigint, round?: number | null, proposal?: typeof GRANT][]
): Transfer[] {
  let balance = 0n
  return all.map(([from, to, amount, round = 1, proposal], index) => {
    balance += (to === TREASURY ? amount : 0n) - (from === TREASURY ? amount : 0n)
    const time = new Date(Date.UTC(2023, 10, 14, 23, 58 + index)).toISOString()
    const hash = `0x${index}`
    return {
      ...{ from, to, amount, round, time, hash, balanceAfter: balance, block: BigInt(index), logIndex: 0 },
      proposal: proposal ?? null,
    }
  })
}

test('sums are exact beyond what a float holds, and one to itself came and went', () => {
  const all = transfers(
    ['0xm', TREASURY, 12924508154249940417761n],
    [TREASURY, TREASURY, 5n],
    [TREASURY, '0xa', 189475090919526165696n],
  )
  expect(sumsOf(all, TREASURY)).toEqual({
    totalIn: 12924508154249940417766n,
    totalOut: 189475090919526165701n,
    countIn: 2,
    countOut: 2,
  })
  expect(sumsOf([], TREASURY)).toEqual({ totalIn: 0n, totalOut: 0n, countIn: 0, countOut: 0 })
})

test('a balance that does not follow from the one before it is seen, by one wei', () => {
  const all = transfers(['0xm', TREASURY, 10n], [TREASURY, '0xa', 4n], ['0xm', TREASURY, 1n])
  expect(isUnbroken(all, TREASURY)).toBe(true)
  const wrong = all.map((transfer, index) => (index === 1 ? { ...transfer, balanceAfter: 7n } : transfer))
  expect(isUnbroken(wrong, TREASURY)).toBe(false)
  expect(isUnbroken(all.slice(1), TREASURY)).toBe(false)
})

test('receivers and givers: most first, then by address, with the proposals that paid them', () => {
  const all = transfers(
    ['0xm', TREASURY, 100n],
    [TREASURY, '0xb', 4n, 1, GRANT],
    [TREASURY, '0xa', 6n],
    [TREASURY, '0xb', 2n, 2, GRANT],
    [TREASURY, '0xc', 7n],
  )
  expect(partiesOf(all, TREASURY, 'RECEIVERS')).toEqual([
    { account: '0xc', amount: 7n, count: 1, proposals: [] },
    { account: '0xa', amount: 6n, count: 1, proposals: [] },
    { account: '0xb', amount: 6n, count: 2, proposals: [GRANT] },
  ])
  expect(partiesOf(all, TREASURY, 'GIVERS')).toEqual([{ account: '0xm', amount: 100n, count: 1, proposals: [] }])
})

test('income is by round, or by day of UTC where there are none', () => {
  const byRound = transfers(
    ['0xm', TREASURY, 1n, 6],
    ['0xm', TREASURY, 2n, 6],
    [TREASURY, '0xa', 9n, 7],
    ['0xm', TREASURY, 4n, 9],
  )
  expect(incomeOf(byRound, TREASURY)).toEqual([
    { period: 6, amount: 3n, count: 2 },
    { period: 9, amount: 4n, count: 1 },
  ])
  const byDay = transfers(['0xm', TREASURY, 1n, null], ['0xm', TREASURY, 2n, null], ['0xm', TREASURY, 4n, null])
  expect(incomeOf(byDay, TREASURY)).toEqual([
    { period: '2023-11-14', amount: 3n, count: 2 },
    { period: '2023-11-15', amount: 4n, count: 1 },
  ])
})

test('a line is drawn by some of very many transfers: the first, the last and every payment among them', () => {
  const many = transfers(
    ...Array.from({ length: 5_000 }, (_, index): [string, string, bigint] =>
      index % 1_000 === 7 ? [TREASURY, '0xa', 1n] : ['0xm', TREASURY, 3n],
    ),
  )
  const moments = momentsOf(many, TREASURY)
  expect(moments.length).toBeLessThan(420)
  expect(moments[0]).toBe(many[0])
  expect(moments.at(-1)).toBe(many.at(-1))
  expect(moments.filter(({ from }) => from === TREASURY)).toHaveLength(5)
  expect(momentsOf([], TREASURY)).toEqual([])
})
