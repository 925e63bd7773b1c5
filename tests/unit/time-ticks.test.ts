import { expect, test } from 'vitest'
import { timeTicks } from '../../web/charts/time-ticks.ts'

const at = (iso: string) => Date.parse(iso)

test.each([
  ['2023-11-14T23:13:44Z', '2023-11-15T11:23:00Z', ['15 Nov', '03:00', '06:00', '09:00']],
  ['2026-11-27T20:01:00Z', '2026-11-27T20:09:30Z', ['20:02', '20:04', '20:06', '20:08']],
  ['2026-11-20T12:00:00Z', '2026-12-20T12:00:00Z', ['26 Nov', '3 Dec', '10 Dec', '17 Dec']],
  ['2019-07-24T00:00:00Z', '2019-09-22T00:00:00Z', ['Aug 2019', 'Sept 2019']],
  ['2018-06-01T00:00:00Z', '2026-11-27T00:00:00Z', ['2020', '2022', '2024', '2026']],
  ['2026-11-27T20:00:00Z', '2026-11-27T20:00:00Z', []],
])('from %s to %s', (from, to, labels) => {
  const ticks = timeTicks(at(from), at(to))
  expect(ticks.map(({ label }) => label)).toEqual(labels)
  for (const { x } of ticks) expect(x >= at(from) && x <= at(to)).toBe(true)
})

test('a tick stands where it says', () => {
  expect(timeTicks(at('2018-06-01T00:00:00Z'), at('2026-11-27T00:00:00Z'))[0]).toEqual({
    x: at('2020-01-01T00:00:00Z'),
    label: '2020',
  })
})
