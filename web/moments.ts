/** Times as people read them, in their own zone with its offset, and in UTC. */

const LOCAL = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'shortOffset',
})
const LOCAL_TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const UTC_TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })
const UTC_DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'long' })

/** '27 Nov 2026, 09:14 (UTC+1)': the reader's own time. */
export function localTime(iso: string): string {
  const parts = LOCAL.formatToParts(new Date(iso))
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value ?? ''
  const zone = of('timeZoneName').replace('GMT', 'UTC')
  return `${of('day')} ${of('month')} ${of('year')}, ${of('hour')}:${of('minute')} (${zone})`
}

/** '09:14', the reader's own. */
export function localClock(iso: string): string {
  return LOCAL_TIME.format(new Date(iso))
}

/** '08:14 UTC'. */
export function utcTime(iso: string): string {
  return `${UTC_TIME.format(new Date(iso))} UTC`
}

/** '27 Nov 2026', as a day of UTC. */
export function day(iso: string): string {
  return UTC_DAY.format(new Date(iso))
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

/** 'in 5 hours', '3 minutes ago'; whole units, cut off. */
export function fromNow(iso: string, now = Date.now()): string {
  const seconds = Math.trunc((Date.parse(iso) - now) / 1000)
  const [unit, length] = UNITS.find(([, least]) => Math.abs(seconds) >= least) ?? (['second', 1] as const)
  return RELATIVE.format(Math.trunc(seconds / length) || 0, unit)
}

/** How far away it is, or where that says little, the day. */
export function briefly(iso: string, now = Date.now()): string {
  return Math.abs(Date.parse(iso) - now) < 45 * 86_400_000 ? fromNow(iso, now) : day(iso)
}

/** '3 s', '4 min', '2 h', '5 d': an age as short as a bar of facts needs it. */
export function shortAge(seconds: number): string {
  if (seconds < 90) return `${Math.trunc(seconds)} s`
  if (seconds < 5_400) return `${Math.trunc(seconds / 60)} min`
  if (seconds < 129_600) return `${Math.trunc(seconds / 3_600)} h`
  return `${Math.trunc(seconds / 86_400).toLocaleString('en')} d`
}
