import { useEffect, useReducer, useRef } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { countText } from '../amounts.ts'
import { type Asked, useAnswer } from '../ask.ts'
import { FrameDocument, type FrameQuery } from '../generated/frame.ts'
import { fromNow } from '../moments.ts'
import { digits, When } from './figures.tsx'
import { isVerify } from './place.ts'
import { turnTheme } from './theme.ts'

const PLACES = [
  { href: '/proposals', name: 'Proposals' },
  { href: '/rounds', name: 'Rounds' },
  { href: '/snapshots', name: 'Stake' },
  { href: '/treasury', name: 'Treasury' },
  { href: '/allocations', name: 'Allocation' },
  { href: '/rules', name: 'Rules' },
  { href: '/data', name: 'Data' },
]

/** What is on top of every page: where to go, what to look for, the round, and how it looks. */
export function Header() {
  const { path } = useLocation()
  const frame = useAnswer(FrameDocument, {})
  const round = frame.answer?.data?.rounds.nodes[0]?.number
  return (
    <header class="site-head">
      <div class="site-head-row">
        <a class="brand" href="/">
          <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
            <rect width="32" height="32" rx="7" />
            <path d="M8 9h4v14H8zM14 15h4v8h-4zM20 11h4v12h-4z" />
            <path class="rule" d="M6 13.5h20" />
          </svg>
          <span>
            Livepeer <b>governance</b>
          </span>
        </a>
        <Search />
        <RoundClock frame={frame} />
        <div class="switches">
          <button
            type="button"
            class="icon"
            aria-pressed={digits.value === 'ALL'}
            title="Show all 18 digits of every amount"
            onClick={() => {
              digits.value = digits.value === 'ALL' ? 2 : 'ALL'
            }}
          >
            <span aria-hidden="true">.00…</span>
            <span class="unseen">All 18 digits</span>
          </button>
          <button type="button" class="icon" title="Light or dark" onClick={turnTheme}>
            <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
              <path d="M10 2a8 8 0 1 0 0 16zM10 2a8 8 0 0 1 0 16" fill="currentColor" />
              <circle cx="10" cy="10" r="7.2" fill="none" stroke="currentColor" stroke-width="1.6" />
            </svg>
            <span class="unseen">Light or dark</span>
          </button>
        </div>
      </div>
      <nav aria-label="Pages">
        <ul>
          {PLACES.map(({ href, name }) => {
            const needsRound = href === '/snapshots'
            return (
              <li key={href}>
                <a
                  href={needsRound ? `${href}/${round ?? 0}` : href}
                  aria-current={path === href || path.startsWith(`${href}/`) ? 'page' : undefined}
                >
                  {name}
                </a>
              </li>
            )
          })}
        </ul>
      </nav>
    </header>
  )
}

/** When the round began, and when the next may; from how long the last one took. */
function RoundClock({ frame }: { frame: Asked<FrameQuery> }) {
  const [latest, before] = frame.answer?.data?.rounds.nodes ?? []
  const [, tick] = useReducer((count: number) => count + 1, 0)
  useEffect(() => {
    const timer = setInterval(() => tick(undefined as never), 30_000)
    return () => clearInterval(timer)
  }, [])
  if (latest === undefined) return <p class="clock" />
  const began = latest.initializedAt.timestamp
  const length = before === undefined ? undefined : Date.parse(began) - Date.parse(before.initializedAt.timestamp)
  const next = length === undefined ? undefined : new Date(Date.parse(began) + length)
  // Of a recorded chain, and of one that nobody goes on with, the estimate means nothing.
  const isOld = next !== undefined && length !== undefined && Date.now() - next.getTime() > 30 * length
  return (
    <p class="clock">
      <a href={`/snapshots/${latest.number}`}>
        round <b>{countText(latest.number)}</b>
      </a>{' '}
      <span class="unit">
        began <When at={began} brief />
        {next !== undefined &&
          !isOld &&
          (next.getTime() > Date.now() ? ` · next ${fromNow(next.toISOString())}` : ' · next is due')}
      </span>
    </p>
  )
}

/** Finds addresses, rounds, ids of proposals, and words in proposals. "/" goes there. */
function Search() {
  const { route } = useLocation()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      if (event.key !== '/' || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.nodeName))
        return
      event.preventDefault()
      field.current?.focus()
    }
    addEventListener('keydown', focus)
    return () => removeEventListener('keydown', focus)
  }, [])
  return (
    <search>
      <form
        action="/proposals"
        onSubmit={(event) => {
          event.preventDefault()
          const place = placeOf(field.current?.value ?? '')
          if (place === undefined) return
          if (isVerify(location.pathname)) location.assign(place)
          else route(place)
        }}
      >
        <label>
          <span class="unseen">Search: an address, a round, a proposal’s id, or words</span>
          <input ref={field} type="search" name="q" placeholder="Address, round, proposal, words" autocomplete="off" />
        </label>
        <span class="key-hint" aria-hidden="true">
          /
        </span>
      </form>
    </search>
  )
}

/** The page that is looked for; none of nothing. */
function placeOf(text: string): string | undefined {
  const wanted = text.trim()
  if (wanted === '') return undefined
  if (/^0x[0-9a-f]{40}$/i.test(wanted)) return `/accounts/${wanted.toLowerCase()}`
  if (/^\d{1,9}$/.test(wanted)) return `/snapshots/${Number(wanted)}`
  if (/^\d{30,78}$/.test(wanted)) return `/proposals/treasury:${wanted}`
  if (/^(treasury:\d+|poll:0x[0-9a-f]{40}|aragon:0x[0-9a-f]{40}:\d+)$/i.test(wanted)) {
    return `/proposals/${wanted.toLowerCase()}`
  }
  return `/proposals?q=${encodeURIComponent(wanted)}`
}
