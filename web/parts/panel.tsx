import type { ComponentChildren } from 'preact'
import { useEffect, useReducer } from 'preact/hooks'
import { countText } from '../amounts.ts'
import type { Asked, DifferenceMark } from '../ask.ts'
import { HEADINGS, kindOf, type Problem } from '../problems.ts'

/** Where the same as a panel shows can be had otherwise. */
export interface Sources {
  csv?: string | undefined
  json?: string | undefined
  /** GraphQL, opened in the editor and as a line of curl. */
  query?: { document: unknown; variables: object } | undefined
  /** A page that proves or compares it. */
  check?: string | undefined
}

/**
 * A part of a page: what it shows, or in words why it does not. `children` draws an answer's data; a problem of all of the
 * answer takes its place, while older data stays with the problem above it.
 */
export function Panel<Data>({
  title,
  id,
  asked,
  empty,
  sources,
  lead,
  rows = 4,
  hypothetical,
  children,
}: {
  title: ComponentChildren
  id: string
  asked?: Asked<Data> | undefined
  /** Why there is nothing, where there is nothing. */
  empty?: ((data: Data) => ComponentChildren | false) | undefined
  sources?: Sources
  lead?: ComponentChildren
  /** How many lines the grey shape has while nothing is there. */
  rows?: number
  hypothetical?: boolean
  children: ComponentChildren | ((data: Data) => ComponentChildren)
}) {
  return (
    <section
      id={id}
      class={hypothetical === true ? 'panel hypothetical' : 'panel'}
      aria-labelledby={`${id}-title`}
      aria-busy={asked?.asking === true && asked.answer === undefined}
    >
      <div class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {lead !== undefined && <p class="lead">{lead}</p>}
      </div>
      {asked === undefined ? (
        (children as ComponentChildren)
      ) : (
        <Answered asked={asked} empty={empty} rows={rows}>
          {children as (data: Data) => ComponentChildren}
        </Answered>
      )}
      {sources !== undefined && <SourceLinks id={id} sources={sources} />}
    </section>
  )
}

/** The data of an answer, or what there is to say instead of it. */
export function Answered<Data>({
  asked,
  empty,
  rows = 4,
  children,
}: {
  asked: Asked<Data>
  empty?: ((data: Data) => ComponentChildren | false) | undefined
  rows?: number
  children: (data: Data) => ComponentChildren
}) {
  const { answer, asking, againAt, again } = asked
  if (answer === undefined) return <Skeleton rows={rows} />
  const whole = answer.problems.find(({ path }) => path === undefined)
  const { data } = answer
  if (data === null) {
    const problem = whole ?? answer.problems[0] ?? { code: 'UNREACHABLE', message: 'The API answered nothing' }
    return <Trouble problem={problem} againAt={againAt} asking={asking} again={again} />
  }
  const nothing = empty?.(data) ?? false
  return (
    <>
      {whole !== undefined && <Trouble problem={whole} againAt={againAt} asking={asking} again={again} old />}
      {answer.differences.length > 0 && <Differing differences={answer.differences} />}
      <div class={asking ? 'refreshing' : 'refreshed'}>
        {nothing === false ? children(data) : <Empty>{nothing}</Empty>}
      </div>
    </>
  )
}

/** That the contracts tell some of what follows otherwise. */
function Differing({ differences }: { differences: readonly DifferenceMark[] }) {
  const of = [...new Set(differences.map(({ round, proposal }) => (round === null ? proposal : `round ${round}`)))]
  return (
    <div class="trouble not-exact" role="status">
      <p>
        <strong>The contracts tell otherwise.</strong> This depends on {of.join(', ')}, of which{' '}
        {countText(differences.length)} values differ. <a href="/chains#verification">Both figures of each</a>
      </p>
    </div>
  )
}

/** Grey lines of about the size of what is to come; not a digit among them. */
export function Skeleton({ rows }: { rows: number }) {
  const [late, wait] = useReducer(() => true, false)
  useEffect(() => {
    const timer = setTimeout(wait, 2_000, undefined)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div class="skeleton">
      {Array.from({ length: rows }, (_, index) => `line ${index}`).map((line) => (
        <span key={line} />
      ))}
      <p role="status">{late ? 'Still asking…' : ''}</p>
    </div>
  )
}

/** That there is nothing, and why. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}

/** A problem in a sentence, with what can be done; counts down to the next attempt where there will be one. */
export function Trouble({
  problem,
  againAt,
  asking,
  again,
  old,
}: {
  problem: Problem
  againAt?: number | undefined
  asking?: boolean
  again?: () => void
  /** Whether what was there before is still shown below. */
  old?: boolean
}) {
  const kind = kindOf(problem)
  const seconds = useSecondsTo(againAt)
  return (
    <div class={`trouble ${kind.toLowerCase().replace('_', '-')}`} role={kind === 'FAULT' ? 'alert' : 'status'}>
      <p>
        <strong>{HEADINGS[kind]}.</strong> {problem.message}.{old === true && ' What was there before stands below.'}
      </p>
      {kind === 'REORGED' && <p>The blocks that this was read from are gone; it is asked anew.</p>}
      {kind === 'NOT_EXACT' && (
        <p>
          No figure is shown that may be wrong. <a href="/chains">Where each chain stands, and what contradicts</a>
        </p>
      )}
      <p class="trouble-foot">
        <code>{problem.code}</code>
        {asking === true && <span>asking…</span>}
        {asking !== true && seconds !== undefined && <span>again in {seconds} s</span>}
        {again !== undefined && (kind === 'FAULT' || kind === 'DOWN' || kind === 'LIMIT') && (
          <button type="button" onClick={again}>
            Try again
          </button>
        )}
      </p>
    </div>
  )
}

/** In the place of a figure that cannot be told: why, in a word and in the title. */
export function Refused({ problem }: { problem: Problem | undefined }) {
  if (problem === undefined) return <span class="refused">not there</span>
  const kind = kindOf(problem)
  return (
    <span class={`refused ${kind.toLowerCase().replace('_', '-')}`} title={problem.message}>
      {HEADINGS[kind].toLowerCase()}
    </span>
  )
}

/** Whole seconds until a moment, counted down; undefined without one. */
function useSecondsTo(moment: number | undefined): number | undefined {
  const [, tick] = useReducer((count: number) => count + 1, 0)
  useEffect(() => {
    if (moment === undefined) return
    const timer = setInterval(() => tick(undefined as never), 1_000)
    return () => clearInterval(timer)
  }, [moment])
  return moment === undefined ? undefined : Math.max(0, Math.ceil((moment - Date.now()) / 1_000))
}

function SourceLinks({ id, sources: { csv, json, query, check } }: { id: string; sources: Sources }) {
  return (
    <footer class="sources">
      {csv !== undefined && (
        <a href={csv} download>
          CSV
        </a>
      )}
      {json !== undefined && (
        <a href={json} download>
          JSON
        </a>
      )}
      {query !== undefined && <a href={editorUrl(query)}>Query</a>}
      {query !== undefined && <CopyButton text={() => curlLine(query)}>Copy curl</CopyButton>}
      {check !== undefined && <a href={check}>Check</a>}
      <a href={`#${id}`}>Link to this</a>
    </footer>
  )
}

/** The editor with a query filled in. */
function editorUrl({ document, variables }: { document: unknown; variables: object }): string {
  const search = new URLSearchParams({ query: String(document).trim(), variables: JSON.stringify(variables, null, 2) })
  return `/editor?${search}`
}

function curlLine({ document, variables }: { document: unknown; variables: object }): string {
  const body = JSON.stringify({ query: String(document).replace(/\s+/g, ' ').trim(), variables })
  return `curl -s ${location.origin}/graphql -H 'content-type: application/json' -d '${body.replaceAll("'", "'\\''")}'`
}

/** Copies a text, and says that it did. */
export function CopyButton({ text, children }: { text: () => string; children: ComponentChildren }) {
  const [done, setDone] = useReducer((_: boolean, next: boolean) => next, false)
  const copy = async () => {
    await navigator.clipboard.writeText(text())
    setDone(true)
    setTimeout(setDone, 1_500, false)
  }
  return (
    <button type="button" class="link" onClick={() => void copy().catch(() => setDone(false))}>
      {done ? 'Copied' : children}
    </button>
  )
}
