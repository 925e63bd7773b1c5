import { signal } from '@preact/signals'
import { blo } from 'blo'
import type { ComponentChildren } from 'preact'
import { amountText, countText, type Digits, decimal, percentText } from '../amounts.ts'
import { briefly, localTime, utcTime } from '../moments.ts'

/** How many digits amounts show, for the whole page: cut off, or all 18. */
export const digits = signal<Digits>(2)

/** An amount of wei. What is shown is cut off, never rounded up; all digits are a click away, and in the title. */
export function Amount({
  wei,
  unit = 'LPT',
  bare,
  copies,
}: {
  wei: string | bigint
  unit?: string
  /** The unit stands elsewhere, as in a column's head. */
  bare?: boolean
  copies?: boolean
}) {
  const amount = BigInt(wei)
  const exact = `${decimal(amount)} ${unit}`.trim()
  const text = (
    <data value={String(amount)} class="amount" title={exact} data-unit={unit}>
      {amountText(amount, digits.value)}
      {unit !== '' && bare !== true && <span class="unit"> {unit}</span>}
    </data>
  )
  if (copies !== true) return text
  return (
    <button type="button" class="amount-button" aria-haspopup="dialog">
      {text}
      <span class="unseen">, all digits</span>
    </button>
  )
}

/** A part of a whole in percent, cut off; `of` names the whole. */
export function Percent({ part, whole, of }: { part: string | bigint; whole: string | bigint; of?: string }) {
  const text = percentText(BigInt(part), BigInt(whole))
  return (
    <span class="percent" title={of === undefined ? undefined : `of ${of}`}>
      {text}
      {of !== undefined && <span class="unit"> of {of}</span>}
    </span>
  )
}

/** A number of things. */
export function Count({ of, one, many }: { of: number; one?: string; many?: string }) {
  return (
    <span class="count">
      {countText(of)}
      {one !== undefined && <span class="unit"> {of === 1 ? one : (many ?? `${one}s`)}</span>}
    </span>
  )
}

/** Names that the reader gave to addresses, kept in this browser only. */
export const labels = signal<Readonly<Record<string, string>>>({})

const LABELS = 'livepeer-governance.labels'

/** Reads them; a browser that keeps nothing, or kept what is none, has none. */
export function loadLabels(): void {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(LABELS) ?? '{}')
    if (typeof kept !== 'object' || kept === null) return
    labels.value = Object.fromEntries(
      Object.entries(kept).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    )
  } catch {
    labels.value = {}
  }
}

/** Gives a name to an address, or takes it away where it is blank. */
export function setLabel(address: string, name: string): void {
  const { [address]: _, ...others } = labels.value
  labels.value = name.trim() === '' ? others : { ...others, [address]: name.trim().slice(0, 60) }
  try {
    localStorage.setItem(LABELS, JSON.stringify(labels.value))
  } catch {
    // The name holds as long as the page then.
  }
}

/** An account: its picture, its name where the reader gave it one, and the whole address, shortened by style only. */
export function Address({ of, to }: { of: string; to?: string }) {
  const label = labels.value[of]
  return (
    <a class="address" href={to ?? `/accounts/${of}`}>
      <img class="identicon" src={blo(of as `0x${string}`)} alt="" width="16" height="16" loading="lazy" />
      {label !== undefined && <span class="label">{label} </span>}
      <span class="hex" title={of}>
        {of.slice(0, 8)}
        <span class="hex-middle">{of.slice(8, -6)}</span>
        {of.slice(-6)}
      </span>
    </a>
  )
}

/** A hash or other long bytes: whole in the page, shortened by style only. */
export function Hash({ of }: { of: string }) {
  return (
    <span class="hex" title={of}>
      {of.slice(0, 10)}
      {of.length > 24 ? <span class="hex-middle">{of.slice(10, -8)}</span> : of.slice(10, -8)}
      {of.length > 18 ? of.slice(-8) : ''}
    </span>
  )
}

/** A time: the reader's own with its offset, UTC, the round where there is one; marked where it is estimated. */
export function When({
  at,
  round,
  estimated,
  brief,
}: {
  at: string | null
  round?: number | null
  estimated?: boolean
  brief?: boolean
}) {
  const inRound = round !== null && round !== undefined && <span class="round"> · round {countText(round)}</span>
  if (at === null) return <span class="when">not known when{inRound}</span>
  const whole = `${localTime(at)} · ${utcTime(at)}`
  const time = (
    <time datetime={at} title={whole}>
      {brief === true ? briefly(at) : whole}
    </time>
  )
  // Tables have many: what needs no frame has none.
  if (estimated !== true) {
    return (
      <>
        {time}
        {inRound}
      </>
    )
  }
  return (
    <span class="when">
      <abbr title="estimated from how long rounds and blocks have taken">about </abbr>
      {time}
      {inRound}
    </span>
  )
}

/** A word about what stands beside it. */
export function Note({ children }: { children: ComponentChildren }) {
  return <p class="note">{children}</p>
}
