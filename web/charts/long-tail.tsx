import { useReducer } from 'preact/hooks'
import { amountText, countText, decimal } from '../amounts.ts'
import { powerOfTen } from './drawn.ts'
import { useWidth } from './width.ts'

const LEFT = 70
const RIGHT = 8
const TOP = 10
const BOTTOM = 24
const HEIGHT = 220

/**
 * Amounts sorted from the largest, on a scale where each line is a hundred times the one below: how long the tail is. All
 * of them are one shape, however many.
 */
export function LongTail({
  label,
  mostFirst,
  unit,
}: {
  label: string
  /** With who has it; nothing of nobody. */
  mostFirst: readonly { name: string; amount: bigint }[]
  unit: string
}) {
  const [drawing, width] = useWidth<SVGSVGElement>()
  const [at, setAt] = useReducer((_: number | undefined, next: number | undefined) => next, undefined)
  const powers = mostFirst.map(({ amount }) => powerOfTen(amount))
  const top = Math.ceil(Math.max(...powers.slice(0, 1), 0)) || 1
  const bottom = Math.min(-1, Math.floor(powers.at(-1) ?? 0))
  const right = width - RIGHT
  const base = HEIGHT - BOTTOM
  const count = mostFirst.length
  const slot = (right - LEFT) / Math.max(1, count)
  const toY = (power: number) => base - ((power - bottom) / (top - bottom)) * (base - TOP)
  // Gaps between bars only where there is room to see them.
  const gap = slot > 4 ? 1 : 0
  const shape = powers
    .map((power, index) => {
      const x = LEFT + index * slot
      const y = Math.min(toY(power), base - 1).toFixed(1)
      return `M${x.toFixed(2)},${base}V${y}H${(x + slot - gap).toFixed(2)}V${base}Z`
    })
    .join('')
  const step = Math.max(1, Math.ceil((top - bottom) / 6))
  const lines = Array.from({ length: Math.floor((top - bottom) / step) + 1 }, (_, index) => top - index * step)
  const whole = mostFirst.filter(({ amount }) => amount >= 10n ** 18n).length
  const summary = `${countText(whole)} of ${countText(count)} have one ${unit} or more.`
  const shown = at === undefined ? undefined : mostFirst[at]
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -count, End: count }[event.key]
    if (by === undefined) return
    event.preventDefault()
    setAt(Math.min(count - 1, Math.max(0, (at ?? -1) + by)))
  }
  const point = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect()
    const index = Math.floor((((event.clientX - box.left) / box.width) * width - LEFT) / slot)
    setAt(Math.min(count - 1, Math.max(0, index)))
  }
  return (
    <figure class="chart">
      <svg
        ref={drawing}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={`${label}. ${summary}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys go through it
        tabIndex={0}
        onKeyDown={move}
        onPointerMove={point}
        onPointerLeave={() => setAt(undefined)}
      >
        {lines.map((power) => (
          <g key={power} class="tick">
            <line x1={LEFT} x2={right} y1={toY(power)} y2={toY(power)} />
            <text x={LEFT - 8} y={toY(power) + 4} text-anchor="end">
              {tenTo(power)}
            </text>
          </g>
        ))}
        <path class="tail" d={shape} />
        {at !== undefined && (
          <rect class="tail-at" x={LEFT + at * slot} width={Math.max(slot - gap, 1.5)} y={TOP} height={base - TOP} />
        )}
        <text x={LEFT} y={HEIGHT - 6}>
          1st
        </text>
        <text x={right} y={HEIGHT - 6} text-anchor="end">
          {countText(count)}.
        </text>
      </svg>
      <figcaption>
        <output aria-live="polite">
          {shown === undefined || at === undefined
            ? summary
            : `${countText(at + 1)}. of ${countText(count)}: ${amountText(shown.amount)} ${unit}, ${shown.name}`}
        </output>
      </figcaption>
    </figure>
  )
}

/** A power of ten as a plain number: '1', '10,000', '0.01'. */
function tenTo(power: number): string {
  if (power >= 6) return `${amountText(10n ** BigInt(power + 12), 0)} M`
  if (power >= 0) return amountText(10n ** BigInt(power + 18), 0)
  if (power < -6) return `1e${power}`
  return decimal(10n ** BigInt(power + 18)).replace(/0+$/, '')
}
