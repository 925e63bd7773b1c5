import { expect, test } from 'vitest'
import { type LagSample, lagPoints, withSample } from '../../web/pages/lag-samples.ts'

const sample = (at: number, lag: bigint | null): LagSample => ({ at, lag: new Map([['a', lag]]) })

test('an answer that was kept is not taken twice, and the oldest go', () => {
  const two = withSample([sample(1, 3n)], sample(2, null))
  expect(withSample(two, sample(2, 9n))).toBe(two)
  let all: readonly LagSample[] = []
  for (let at = 0; at < 1_000; at++) all = withSample(all, sample(at, 0n))
  expect([all.length, all[0]?.at, all.at(-1)?.at]).toEqual([720, 280, 999])
})

test('what is not known is not drawn, neither as nothing nor as anything else', () => {
  expect(lagPoints([sample(1, 3n), sample(2, null), sample(3, 0n)], 'a')).toEqual([
    { x: 1, y: 3 },
    { x: 3, y: 0 },
  ])
  expect(lagPoints([sample(1, 3n)], 'b')).toEqual([])
})
