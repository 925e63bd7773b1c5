import { useReducer } from 'preact/hooks'
import { percentText, shareOf, sumOf } from '../amounts.ts'
import { shareCurve } from './drawn.ts'
import { useWidth } from './width.ts'

/** Amounts of some accounts, the largest first, as one curve. */
export interface CurveOf {
  name: string
  /** As style.css names it. */
  kind: string
  /** What one of them is called. */
  one: string
  mostFirst: readonly bigint[]
  /** How many together reach something, with its name. */
  marks?: readonly { count: number; name: string }[]
}

const LEFT = 44
const RIGHT = 12
const TOP = 12
const BOTTOM = 40
const HEIGHT = 300

/**
 * Lorenz curves, from the largest on: what part of all the largest so many of a hundred have. Where all had the same it
 * would be the straight line. Arrow keys and the pointer go along it.
 */
export function ConcentrationCurve({ label, curves }: { label: string; curves: readonly CurveOf[] }) {
  const [drawing, width] = useWidth<SVGSVGElement>()
  const [at, setAt] = useReducer((_: number | undefined, next: number | undefined) => next, undefined)
  const right = width - RIGHT
  const base = HEIGHT - BOTTOM
  const toX = (part: number) => LEFT + part * (right - LEFT)
  const toY = (share: number) => base - share * (base - TOP)
  const [main] = curves
  const count = main?.mostFirst.length ?? 0
  const told = curves
    .map(({ name, mostFirst }) => {
      const most = Math.max(1, Math.ceil(mostFirst.length / 10))
      return `${name}: the largest ${most} of ${mostFirst.length} have ${topText(mostFirst, most)}`
    })
    .join('; ')
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -count, End: count }[event.key]
    if (by === undefined) return
    event.preventDefault()
    setAt(Math.min(count, Math.max(1, (at ?? 0) + by)))
  }
  const point = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect()
    const part = (((event.clientX - box.left) / box.width) * width - LEFT) / (right - LEFT)
    setAt(Math.min(count, Math.max(1, Math.round(part * count))))
  }
  return (
    <figure class="chart">
      <svg
        ref={drawing}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={`${label}. ${told}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys go through it
        tabIndex={0}
        onKeyDown={move}
        onPointerMove={point}
        onPointerLeave={() => setAt(undefined)}
      >
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <g key={share} class="tick">
            <line x1={LEFT} x2={right} y1={toY(share)} y2={toY(share)} />
            <text x={LEFT - 8} y={toY(share) + 4} text-anchor="end">
              {share * 100} %
            </text>
            <text x={toX(share)} y={base + 18} text-anchor={share === 1 ? 'end' : 'middle'}>
              {share * 100} %
            </text>
          </g>
        ))}
        <text x={right} y={HEIGHT - 4} text-anchor="end">
          part of the accounts, largest first
        </text>
        <line class="even-line" x1={toX(0)} y1={toY(0)} x2={toX(1)} y2={toY(1)} />
        {curves.map(({ name, kind, mostFirst }) => {
          const points = shareCurve(mostFirst)
          const path = points
            .map(({ count: of, share }) => `${toX(of / mostFirst.length).toFixed(1)},${toY(share).toFixed(1)}`)
            .join(' ')
          return (
            <g key={name} class={`series ${kind}`}>
              <polyline class="line" points={path} />
            </g>
          )
        })}
        {curves.flatMap(({ mostFirst, marks = [] }) => {
          const total = sumOf(mostFirst)
          return marks
            .filter(({ count: of }) => of > 0 && of <= mostFirst.length)
            .map(({ count: of, name }) => {
              const x = toX(of / mostFirst.length)
              const y = toY(shareOf(sumOf(mostFirst.slice(0, of)), total))
              return (
                <g key={name} class="nakamoto">
                  <circle cx={x} cy={y} r="5" />
                  <text x={x + 10} y={y + 14}>
                    {of}: {name}
                  </text>
                </g>
              )
            })
        })}
        {at !== undefined && count > 0 && (
          <line class="cursor" x1={toX(at / count)} x2={toX(at / count)} y1={TOP} y2={base} />
        )}
      </svg>
      <figcaption>
        <ul class="legend">
          {curves.map(({ name, kind }) => (
            <li key={name}>
              <span class={`key ${kind}`} aria-hidden="true" />
              {name}
            </li>
          ))}
          <li>
            <span class="key even-line" aria-hidden="true" />
            if all had the same
          </li>
        </ul>
        <output aria-live="polite">
          {at === undefined || main === undefined
            ? `${told}.`
            : `The largest ${at} of ${count} ${main.one} have ${topText(main.mostFirst, at)}.`}
        </output>
        <details>
          <summary>The same as a table</summary>
          <table>
            <caption class="unseen">{label}</caption>
            <thead>
              <tr>
                <th scope="col">The largest</th>
                {curves.map(({ name }) => (
                  <th key={name} scope="col" class="number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {[1, 2, 3, 5, 10, 20, 50, 100, 1000]
                .filter((most) => curves.some(({ mostFirst }) => most <= mostFirst.length))
                .map((most) => (
                  <tr key={most}>
                    <th scope="row">{most}</th>
                    {curves.map(({ name, mostFirst }) => (
                      <td key={name} class="number">
                        {topText(mostFirst, most)}
                      </td>
                    ))}
                  </tr>
                ))}
            </tbody>
          </table>
        </details>
      </figcaption>
    </figure>
  )
}

function topText(mostFirst: readonly bigint[], count: number): string {
  return percentText(sumOf(mostFirst.slice(0, count)), sumOf(mostFirst))
}
