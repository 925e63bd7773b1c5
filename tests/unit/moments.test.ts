import { describe, expect, test, vi } from 'vitest'

vi.hoisted(() => {
  // Read when the formats are made; half hours and summer time are what goes wrong.
  process.env.TZ = 'Australia/Adelaide'
})
const { briefly, day, fromNow, localTime, shortAge, utcTime } = await import('../../web/moments.ts')

const NOW = Date.parse('2026-11-27T08:14:00Z')
const SECOND = 1
const MINUTE = 60
const HOUR = 3_600
const DAY = 86_400
const after = (seconds: number) => new Date(NOW + seconds * 1000).toISOString()

test.each([
  ['2026-11-27T08:14:59Z', '27 Nov 2026, 18:44 (UTC+10:30)', '08:14 UTC', '27 Nov 2026'],
  ['2026-06-30T23:59:59Z', '1 Jul 2026, 09:29 (UTC+9:30)', '23:59 UTC', '30 Jun 2026'],
  ['2019-01-01T00:00:00Z', '1 Jan 2019, 10:30 (UTC+10:30)', '00:00 UTC', '1 Jan 2019'],
])('%s', (iso, local, utc, date) => {
  expect([localTime(iso), utcTime(iso), day(iso)]).toEqual([local, utc, date])
})

describe('how far away, in whole units, cut off', () => {
  test.each([
    [0, 'in 0 seconds'],
    [SECOND, 'in 1 second'],
    [-SECOND, '1 second ago'],
    [59, 'in 59 seconds'],
    [MINUTE, 'in 1 minute'],
    [-(2 * MINUTE - 1), '1 minute ago'],
    [HOUR - 1, 'in 59 minutes'],
    [-HOUR, '1 hour ago'],
    [DAY - 1, 'in 23 hours'],
    [-5 * DAY, '5 days ago'],
    [400 * DAY, 'in 1 year'],
    [-61 * DAY, '2 months ago'],
  ])('%s s: %s', (seconds, text) => {
    expect(fromNow(after(seconds), NOW)).toBe(text)
  })

  test('a part of a second is none', () => {
    expect(fromNow(new Date(NOW - 999).toISOString(), NOW)).toBe('in 0 seconds')
  })
})

test('what is far away is told by its day', () => {
  expect(briefly(after(-44 * DAY), NOW)).toBe('1 month ago')
  expect(briefly(after(-45 * DAY), NOW)).toBe('13 Oct 2026')
  expect(briefly(after(45 * DAY), NOW)).toBe('11 Jan 2027')
})

test.each([
  [0, '0 s'],
  [0.9, '0 s'],
  [89.9, '89 s'],
  [90, '1 min'],
  [5_399, '89 min'],
  [5_400, '1 h'],
  [129_599, '35 h'],
  [129_600, '1 d'],
  [100_000_000, '1,157 d'],
])('an age of %s s is %s', (seconds, text) => {
  expect(shortAge(seconds)).toBe(text)
})
