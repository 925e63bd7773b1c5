import { bisector, extent, ticks } from 'd3-array'
import { area, curveStepAfter, line } from 'd3-shape'
import type { ComponentChildren } from 'preact'
import { useReducer } from 'preact/hooks'
import { useWidth } from './width.ts'

/** A point of a series: where, and how much; amounts may be floats here, as they are only drawn. */
export interface Point {
  x: number
  y: number
}

/** Something that holds until the next point. */
export interface Series {
  name: string
  /** As style.css names it. */
  kind: string
  points: readonly Point[]
  filled?: boolean
  /** From here on it can still change: dashed. */
  openFrom?: number
}

const LEFT = 56
const BOTTOM = 24
const TOP = 10

/**
 * Steps over rounds or time, with a table of the same for whoever does not see them. Arrow keys and the pointer go
 * through its moments, which are then told in words.
 */
export function StepLine({
  label,
  summary,
  series,
  height = 200,
  formatX,
  formatY,
  tell,
  marks = [],
  levels = [],
  marksX,
  table,
}: {
  label: string
  /** What is to be seen, in a sentence. */
  summary: string
  series: readonly Series[]
  height?: number
  formatX: (x: number) => string
  formatY: (y: number) => string
  /** What holds at x, in words with exact figures. */
  tell: (x: number) => ComponentChildren
  /** Moments with a name. */
  marks?: readonly { x: number; name: string }[]
  /** Amounts with a name. */
  levels?: readonly { y: number; name: string }[]
  /** What stands along the axis, where that is not simply numbers. */
  marksX?: readonly { x: number; label: string }[]
  /** The same as a table. */
  table: ComponentChildren
}) {
  const [isOpen, setOpen] = useReducer((was: boolean, next: boolean) => was || next, false)
  const all = series.flatMap(({ points }) => points)
  const xs = [...new Set(all.map(({ x }) => x))].sort((a, b) => a - b)
  const [at, setAt] = useReducer((_: number | undefined, next: number | undefined) => next, undefined)
  const [x0 = 0, x1 = 1] = extent([...xs, ...marks.map(({ x }) => x)])
  const top = Math.max(...all.map(({ y }) => y), ...levels.map(({ y }) => y), 0) || 1
  const [drawing, width] = useWidth<SVGSVGElement>()
  const right = width - 12
  const base = height - BOTTOM
  const toX = (x: number) => LEFT + (x1 === x0 ? 0.5 : (x - x0) / (x1 - x0)) * (right - LEFT)
  const toY = (y: number) => base - (y / top) * (base - TOP)
  const steps = line<Point>()
    .x(({ x }) => toX(x))
    .y(({ y }) => toY(y))
    .curve(curveStepAfter)
  const fill = area<Point>()
    .x(({ x }) => toX(x))
    .y0(base)
    .y1(({ y }) => toY(y))
    .curve(curveStepAfter)
  const nearest = bisector((x: number) => x).center
  const move = (event: KeyboardEvent) => {
    const index = at === undefined ? xs.length : xs.indexOf(at)
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -xs.length, End: xs.length }[event.key]
    if (by === undefined) return
    event.preventDefault()
    setAt(xs[Math.min(xs.length - 1, Math.max(0, index + by))])
  }
  const point = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect()
    const x = x0 + ((((event.clientX - box.left) / box.width) * width - LEFT) / (right - LEFT)) * (x1 - x0)
    setAt(xs[nearest(xs, x)])
  }
  return (
    <figure class="chart">
      <svg
        ref={drawing}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${label}. ${summary}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys go through it
        tabIndex={0}
        onKeyDown={move}
        onPointerMove={point}
        onPointerLeave={() => setAt(undefined)}
      >
        {ticks(0, top, 4).map((y) => (
          <g key={y} class="tick">
            <line x1={LEFT} x2={right} y1={toY(y)} y2={toY(y)} />
            <text x={LEFT - 8} y={toY(y) + 4} text-anchor="end">
              {formatY(y)}
            </text>
          </g>
        ))}
        {(
          marksX ??
          ticks(x0, x1, Math.min(6, Math.floor(width / 90)))
            .filter((x) => Number.isInteger(x) || x1 - x0 < 6)
            .map((x) => ({ x, label: formatX(x) }))
        ).map(({ x, label: text }) => (
          <text key={x} class="tick" x={toX(x)} y={height - 6} text-anchor="middle">
            {text}
          </text>
        ))}
        {series.map(({ name, kind, points, filled, openFrom }) => {
          const closed = openFrom === undefined ? points : points.filter(({ x }) => x <= openFrom)
          const open = openFrom === undefined ? [] : points.filter(({ x }) => x >= openFrom)
          return (
            <g key={name} class={`series ${kind}`}>
              {filled === true && <path class="area" d={fill(points as Point[]) ?? ''} />}
              <path class="line" d={steps(closed as Point[]) ?? ''} />
              {open.length > 0 && <path class="line open" d={steps(open as Point[]) ?? ''} />}
            </g>
          )
        })}
        {levels.map(({ y, name }) => (
          <g key={name} class="level">
            <line x1={LEFT} x2={right} y1={toY(y)} y2={toY(y)} />
            <text x={right} y={toY(y) - 4} text-anchor="end">
              {name}
            </text>
          </g>
        ))}
        {apart(marks, toX, right).map(({ x, name }) => (
          <g key={`${x} ${name}`} class="moment">
            <line x1={toX(x)} x2={toX(x)} y1={TOP} y2={base} />
            <text x={toX(x) + 4} y={TOP + 8}>
              {name}
            </text>
          </g>
        ))}
        {at !== undefined && <line class="cursor" x1={toX(at)} x2={toX(at)} y1={TOP} y2={base} />}
      </svg>
      <figcaption>
        <ul class="legend">
          {series.map(({ name, kind }) => (
            <li key={name}>
              <span class={`key ${kind}`} aria-hidden="true" />
              {name}
            </li>
          ))}
        </ul>
        <output aria-live="polite">{at === undefined ? summary : tell(at)}</output>
        <details onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>The same as a table</summary>
          {isOpen && table}
        </details>
      </figcaption>
    </figure>
  )
}

/** Room that a character of a mark's name takes. */
const CHARACTER = 6.6

/** Marks from left to right; without a name where it would run into the next one's, or off the drawing. */
function apart(
  marks: readonly { x: number; name: string }[],
  toX: (x: number) => number,
  right: number,
): { x: number; name: string }[] {
  const sorted = [...marks].sort((a, b) => a.x - b.x)
  return sorted.map(({ x, name }, index) => {
    const next = sorted[index + 1]
    const end = next === undefined ? right + CHARACTER : toX(next.x)
    return { x, name: toX(x) + 4 + name.length * CHARACTER > end ? '' : name }
  })
}
