import './round-slider.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import { countText } from '../amounts.ts'
import { ask, useAnswer } from '../ask.ts'
import { FrameDocument } from '../generated/frame.ts'
import { RoundAtDocument } from '../generated/round-at.ts'
import { day } from '../moments.ts'
import { useKnownRounds } from './known-rounds.ts'
import { gapsOf, networkAt, type RoundSpan, spanOf } from './round-span.ts'

/** How long a slider must rest before the round is asked for. */
const REST_MS = 120
const PAGE = 10

/** The rounds that can be asked, by the frame's answer; undefined while there is none, or no round. */
export function useRoundSpan(network: string | undefined): RoundSpan | undefined {
  const { answer } = useAnswer(FrameDocument, {})
  const data = answer?.data
  return spanOf(data?.status ?? [], data?.rounds.nodes[0]?.network, network)
}

/**
 * Chooses a round among all that can be asked: by sliding, by number or by day. Sliding calls `onChoose` once it rests,
 * to take the place of the entry in the browser's history; a typed round is a new one.
 */
export function RoundSlider({
  name = 'Round',
  round,
  network,
  begun,
  onChoose,
  onNear,
}: {
  /** What the round is of the page, where it has several. */
  name?: string
  round: number
  /** The chain, where only one is to be shown. */
  network?: string | undefined
  /** When the round began, where that is known. */
  begun?: string | undefined
  onChoose: (round: number, replace: boolean) => void
  /** Called with rounds that will likely be chosen next. */
  onNear?: (round: number) => void
}) {
  const span = useRoundSpan(network)
  const rounds = useKnownRounds(network)
  const [slid, setSlid] = useState<number | undefined>(undefined)
  const [said, say] = useState('')
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => {
    setSlid(undefined)
    if (span === undefined) return
    for (const near of [round - 1, round + 1]) if (near >= span.first && near <= span.last) onNear?.(near)
  }, [round, span?.first, span?.last])
  useEffect(() => () => clearTimeout(timer.current), [])
  if (span === undefined) return <div class="round-slider" />

  const within = (wanted: number) => Math.min(span.last, Math.max(span.first, wanted))
  const shown = slid ?? round
  const slide = (wanted: number) => {
    say('')
    setSlid(within(wanted))
    clearTimeout(timer.current)
    timer.current = setTimeout(onChoose, REST_MS, within(wanted), true)
  }
  const choose = (wanted: number) => {
    clearTimeout(timer.current)
    say(wanted === within(wanted) ? '' : `Rounds ${span.first} to ${span.last} can be asked.`)
    onChoose(within(wanted), false)
  }
  const chooseDay = async (wanted: string) => {
    if (wanted === '') return
    const network_ = network === undefined ? {} : { network }
    const { data, problems } = await ask(RoundAtDocument, { time: `${wanted}T23:59:59Z`, ...network_ })
    const isAhead = problems.some(({ code }) => code === 'BLOCK_IN_FUTURE')
    if (isAhead) {
      say('That day is not over on the chain; the latest round is shown.')
      return onChoose(span.last - 1, false)
    }
    const found = data?.roundAt?.number
    if (found === undefined) say(problems[0]?.message ?? 'No round had begun by the end of that day.')
    else choose(found)
  }
  const keys: Readonly<Record<string, number>> = { PageUp: PAGE, PageDown: -PAGE }
  const initialised =
    rounds === undefined ? undefined : !gapsOf(rounds, span).some(([a, b]) => a <= shown && shown <= b)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would box it
    <div class="round-slider" role="group" aria-label={name}>
      <div class="round-track">
        <input
          type="range"
          aria-label={name}
          aria-valuetext={`round ${shown}${shown === span.last ? ', as things stand now' : ''}`}
          min={span.first}
          max={span.last}
          value={within(shown)}
          onInput={(event) => slide(event.currentTarget.valueAsNumber)}
          onKeyDown={(event) => {
            const by = keys[event.key]
            if (by === undefined) return
            event.preventDefault()
            slide(shown + by)
          }}
        />
        <Track span={span} rounds={rounds} />
      </div>
      <div class="round-fields">
        <button
          type="button"
          aria-label="One round earlier"
          disabled={shown <= span.first}
          onClick={() => slide(shown - 1)}
        >
          ‹
        </button>
        <label>
          {name}{' '}
          <input
            type="number"
            min={span.first}
            max={span.last}
            value={shown}
            onChange={(event) => {
              const wanted = event.currentTarget.valueAsNumber
              if (Number.isInteger(wanted)) choose(wanted)
            }}
          />
        </label>
        <button
          type="button"
          aria-label="One round later"
          disabled={shown >= span.last}
          onClick={() => slide(shown + 1)}
        >
          ›
        </button>
        <label title="The last round begun by the end of this day, UTC">
          Day{' '}
          <input
            type="date"
            value={begun === undefined || slid !== undefined ? '' : begun.slice(0, 10)}
            onChange={(event) => void chooseDay(event.currentTarget.value)}
          />
        </label>
        <button type="button" disabled={shown === span.last} onClick={() => choose(span.last)}>
          Now
        </button>
        <output>
          {said !== '' ? (
            said
          ) : (
            <>
              {shown === within(shown) && networkAt(span, shown)}
              {shown === span.last
                ? ' · as things stand now'
                : initialised === false
                  ? ' · nobody initialised it'
                  : begun !== undefined && slid === undefined
                    ? ` · began ${day(begun)}`
                    : ''}
            </>
          )}
        </output>
      </div>
    </div>
  )
}

/** What lies along the slider: rounds nobody initialised, and where one chain ends and the other begins. */
function Track({ span, rounds }: { span: RoundSpan; rounds: readonly number[] | undefined }) {
  const { first, last, border } = span
  const gaps = rounds === undefined ? [] : gapsOf(rounds, span)
  const count = gaps.reduce((sum, [from, to]) => sum + to - from + 1, 0)
  const width = Math.max(1, last - first)
  const at = (round: number) => ((round - first) / width) * 1000
  return (
    <>
      <svg class="round-marks" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
        {gaps.map(([from, to]) => (
          <rect key={from} class="gap" x={at(from) - 1.5} width={Math.max(3, at(to) - at(from) + 3)} y="0" height="6" />
        ))}
        {border !== undefined && (
          <line class="border" x1={at(border.at - 0.5)} x2={at(border.at - 0.5)} y1="0" y2="10" />
        )}
      </svg>
      <p class="round-ends unit">
        <span>{countText(first)}</span>
        <span class="round-told">
          {border !== undefined && `${border.before} to ${border.at - 1}, then ${span.network}`}
          {border !== undefined && count > 0 && ' · '}
          {count > 0 && (
            <>
              <span class="key gap" aria-hidden="true" />
              {countText(count)} {count === 1 ? 'round' : 'rounds'} nobody initialised
            </>
          )}
        </span>
        <span>{countText(last)}</span>
      </p>
    </>
  )
}
