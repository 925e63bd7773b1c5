import { percentText, shareOf } from '../amounts.ts'
import { Amount } from '../parts/figures.tsx'

/** A part of a bar: how much, and what it is. */
export interface Part {
  name: string
  amount: bigint
  /** As style.css names it: for, against, abstain, absent, other … */
  kind: string
  href?: string
}

/**
 * One bar made of parts of a whole. Its figures are read out and stand in the legend; a mark shows where a threshold lies.
 */
export function SplitBar({
  label,
  parts,
  whole,
  mark,
  legend,
}: {
  label: string
  parts: readonly Part[]
  whole: bigint
  mark?: { at: bigint; name: string } | undefined
  /** Whether the parts are listed with their amounts below. */
  legend?: boolean
}) {
  const told = parts.map(({ name, amount }) => `${name} ${percentText(amount, whole)}`).join(', ')
  let from = 0n
  return (
    <div class="split">
      <svg
        class="split-bar"
        viewBox="0 0 1000 24"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${told}${mark === undefined ? '' : `; ${mark.name} at ${percentText(mark.at, whole)}`}`}
      >
        <rect class="track" width="1000" height="24" />
        {parts.map(({ name, amount, kind }) => {
          const x = shareOf(from, whole) * 1000
          from += amount
          if (amount === 0n) return null
          const width = Math.max(shareOf(from, whole) * 1000 - x, 1.5)
          return <rect key={name} class={`part ${kind}`} x={x} width={width} height="24" />
        })}
        {mark !== undefined && (
          <line class="mark" x1={shareOf(mark.at, whole) * 1000} x2={shareOf(mark.at, whole) * 1000} y1="-4" y2="28" />
        )}
      </svg>
      {legend === true && (
        <ul class="legend">
          {parts.map(({ name, amount, kind, href }) => (
            <li key={name}>
              <span class={`key ${kind}`} aria-hidden="true" />
              {href === undefined ? name : <a href={href}>{name}</a>} <Amount wei={amount} />{' '}
              <span class="unit">{percentText(amount, whole)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
