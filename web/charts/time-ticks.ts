/** Moments to mark on an axis of time: whole minutes, hours, days, months or years of UTC. */

/** A mark on an axis. */
export interface Tick {
  x: number
  label: string
}

const MINUTE = 60_000
const DAY = 1_440 * MINUTE
/** Lengths of even steps, ms. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * MINUTE)
const DAYS = [1, 2, 4, 7].map((days) => days * DAY)
/** Steps of months, whose length is not even. */
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120]

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
const MONTH = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric', timeZone: 'UTC' })

/** About so many moments between two, ms since 1970, both included; none where they are the same. */
export function timeTicks(from: number, to: number, count = 5): Tick[] {
  if (!(to > from)) return []
  const wanted = (to - from) / count
  const even = [...STEPS, ...DAYS].find((step) => step >= wanted)
  if (even === undefined) return monthTicks(from, to, wanted)
  const ticks: Tick[] = []
  for (let x = Math.ceil(from / even) * even; x <= to; x += even) {
    // Midnight says which day begins.
    ticks.push({ x, label: x % DAY === 0 ? DATE.format(x) : CLOCK.format(x) })
  }
  return ticks
}

function monthTicks(from: number, to: number, wanted: number): Tick[] {
  const step = MONTHS.find((months) => months * 30.4 * DAY >= wanted) ?? 120
  const start = new Date(from)
  const first = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / step) * step
  const ticks: Tick[] = []
  for (let month = first; ; month += step) {
    const x = Date.UTC(Math.floor(month / 12), month % 12, 1)
    if (x > to) return ticks
    if (x >= from) ticks.push({ x, label: step % 12 === 0 ? String(month / 12) : MONTH.format(x) })
  }
}
