import { describe, expect, test } from 'vitest'
import { differenceCsv, differenceOf } from '../../web/pages/stake-difference.ts'

const of = (letter: string) => `0x${letter.repeat(40)}`
const [A, B, C, D, E, F] = ['a', 'b', 'c', 'd', 'e', 'f'].map(of) as [string, string, string, string, string, string]
const holder = (account: string, stake: bigint, delegate: string | null) => ({ account, stake, delegate })
const stakeOf = ({ stake }: { stake: bigint }) => stake

// Amounts that a float would not keep apart.
const LARGE = 95_356_173_859_355_111_851_325n

describe('the difference of two snapshots', () => {
  const before = [holder(A, LARGE, A), holder(B, 100n, A), holder(C, 50n, A), holder(D, 7n, B), holder(F, 0n, F)]
  const after = [holder(A, LARGE + 1n, A), holder(B, 60n, C), holder(C, 50n, C), holder(E, 30n, null), holder(F, 0n, F)]
  const difference = differenceOf(before, after, stakeOf)

  test('tells of every account what became of it, the largest change first', () => {
    expect(difference.rows).toEqual([
      {
        account: B,
        became: 'LOST',
        before: 100n,
        after: 60n,
        by: -40n,
        delegateBefore: A,
        delegateAfter: C,
        moved: true,
      },
      {
        account: E,
        became: 'CAME',
        before: 0n,
        after: 30n,
        by: 30n,
        delegateBefore: null,
        delegateAfter: null,
        moved: false,
      },
      {
        account: D,
        became: 'WENT',
        before: 7n,
        after: 0n,
        by: -7n,
        delegateBefore: B,
        delegateAfter: null,
        moved: false,
      },
      {
        account: A,
        became: 'GAINED',
        before: LARGE,
        after: LARGE + 1n,
        by: 1n,
        delegateBefore: A,
        delegateAfter: A,
        moved: false,
      },
      { account: C, became: 'KEPT', before: 50n, after: 50n, by: 0n, delegateBefore: A, delegateAfter: C, moved: true },
      { account: F, became: 'KEPT', before: 0n, after: 0n, by: 0n, delegateBefore: F, delegateAfter: F, moved: false },
    ])
  })

  test('sums to the difference of the totals, to the wei', () => {
    const { gained, lost, counts } = difference
    expect({ before: difference.before, after: difference.after, gained, lost, counts }).toEqual({
      before: LARGE + 157n,
      after: LARGE + 141n,
      gained: 31n,
      lost: 47n,
      counts: { CAME: 1, WENT: 1, GAINED: 1, LOST: 1, KEPT: 2, MOVED: 2 },
    })
    expect(gained - lost).toBe(difference.after - difference.before)
  })

  test('turned round it is the same with the other sign', () => {
    const back = differenceOf(after, before, stakeOf)
    expect({ gained: back.gained, lost: back.lost, before: back.before, after: back.after }).toEqual({
      gained: difference.lost,
      lost: difference.gained,
      before: difference.after,
      after: difference.before,
    })
    const byAccount = new Map(difference.rows.map(({ account, by }) => [account, by]))
    expect(back.rows.every(({ account, by }) => by === -(byAccount.get(account) ?? 1n))).toBe(true)
  })

  test('of a round and itself nothing changed', () => {
    const { gained, lost, counts } = differenceOf(before, before, stakeOf)
    expect({ gained, lost, counts }).toEqual({
      gained: 0n,
      lost: 0n,
      counts: { CAME: 0, WENT: 0, GAINED: 0, LOST: 0, KEPT: 5, MOVED: 0 },
    })
  })

  test('as CSV it has exact wei', () => {
    expect(differenceCsv(difference.rows.slice(0, 4))).toBe(
      [
        'account,became,before,after,by,delegateBefore,delegateAfter',
        `${B},LOST,100,60,-40,${A},${C}`,
        `${E},CAME,0,30,30,,`,
        `${D},WENT,7,0,-7,${B},`,
        `${A},GAINED,${LARGE},${LARGE + 1n},1,${A},${A}`,
        '',
      ].join('\n'),
    )
  })
})
