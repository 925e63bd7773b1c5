import { useEffect, useReducer, useRef } from 'preact/hooks'
import { ErrorBoundary, LocationProvider, lazy, Route, Router, useLocation } from 'preact-iso'
import { Overview } from './pages/overview.tsx'
import { ExactPopover } from './parts/exact-popover.tsx'
import { Freshness } from './parts/freshness.tsx'
import { Header } from './parts/header.tsx'
import { isVerify } from './parts/place.ts'
import { PATHS } from './places.ts'

const Proposals = lazy(() => import('./pages/proposals.tsx').then(({ Proposals }) => Proposals))
const Proposal = lazy(() => import('./pages/proposal.tsx').then(({ Proposal }) => Proposal))
const Snapshot = lazy(() => import('./pages/snapshot.tsx').then(({ Snapshot }) => Snapshot))
const Difference = lazy(() => import('./pages/difference.tsx').then(({ Difference }) => Difference))
const Rounds = lazy(() => import('./pages/rounds.tsx').then(({ Rounds }) => Rounds))
const Account = lazy(() => import('./pages/account.tsx').then(({ Account }) => Account))
const Treasury = lazy(() => import('./pages/treasury.tsx').then(({ Treasury }) => Treasury))
const Allocation = lazy(() => import('./pages/allocation.tsx').then(({ Allocation }) => Allocation))
const Proof = lazy(() => import('./pages/proof.tsx').then(({ Proof }) => Proof))
const Verify = lazy(() => import('./pages/verify.tsx').then(({ Verify }) => Verify))
const Data = lazy(() => import('./pages/data.tsx').then(({ Data }) => Data))
const Chains = lazy(() => import('./pages/chains.tsx').then(({ Chains }) => Chains))
const Rules = lazy(() => import('./pages/rules.tsx').then(({ Rules }) => Rules))

/**
 * Paths that this page changes to by itself; files, the editor and GraphQL are the server's. /verify is not among them, and
 * from it no other is: it alone may ask other servers, which the policy it is sent with says for as long as it stays.
 */
const OWN_PATHS =
  /^\/($|[?#]|(?:proposals|snapshots|rounds|accounts|treasury|allocations|proof|data|chains|rules)(?![\w.])(?!.*\.(?:csv|json|ndjson|parquet|atom|ics)(?:$|[?#])))/

/** The explorer: the frame, and in it the page that the address names. */
export function App() {
  return (
    <LocationProvider scope={isVerify(location.pathname) ? /^\/verify\/?(?:$|[?#])/ : OWN_PATHS}>
      <Frame />
    </LocationProvider>
  )
}

function Frame() {
  const main = useRef<HTMLElement>(null)
  const [fault, setFault] = useReducer((_: Error | undefined, next: Error | undefined) => next, undefined)
  const { path } = useLocation()
  useEffect(() => setFault(undefined), [path])
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <Header />
      <Freshness />
      <main id="main" ref={main} tabIndex={-1}>
        {fault !== undefined && <Broken error={fault} />}
        <ErrorBoundary onError={setFault}>
          <Router
            onRouteChange={() => {
              // Who slides through rounds stays where the hand is.
              if (document.activeElement?.closest('.round-slider') !== null) return
              // A reader by ear is told of the new page where it begins.
              main.current?.focus({ preventScroll: true })
            }}
          >
            <Route path={PATHS.overview} component={Overview} />
            <Route path={PATHS.proposals} component={Proposals} />
            <Route path={PATHS.snapshot} component={RoundOrDifference} />
            <Route path={PATHS.latestSnapshot} component={Snapshot} />
            <Route path={PATHS.proposal} component={Proposal} />
            <Route path={PATHS.rounds} component={Rounds} />
            <Route path={PATHS.account} component={Account} />
            <Route path={PATHS.treasury} component={Treasury} />
            <Route path={PATHS.allocation} component={Allocation} />
            <Route path={PATHS.allocations} component={Allocation} />
            <Route path={PATHS.proof} component={Proof} />
            <Route path={PATHS.verify} component={Verify} />
            <Route path={PATHS.data} component={Data} />
            <Route path={PATHS.chains} component={Chains} />
            <Route path={PATHS.rules} component={Rules} />
            <Route default component={NotThere} />
          </Router>
        </ErrorBoundary>
      </main>
      <Footer />
      <ExactPopover />
    </>
  )
}

/** `61` is a round, `61...84` what changed between two; the router has no pattern for the latter. */
function RoundOrDifference({ params }: { params: Readonly<Record<string, string>> }) {
  return (params.round ?? '').includes('...') ? <Difference /> : <Snapshot />
}

function NotThere() {
  const { path } = useLocation()
  useEffect(() => {
    document.title = 'Not there · Livepeer governance'
  }, [])
  return (
    <>
      <h1>There is no such page</h1>
      <p>
        Nothing is at <code>{path}</code>. <a href="/">The overview</a> and <a href="/proposals">all proposals</a> are.
      </p>
    </>
  )
}

function Broken({ error }: { error: Error }) {
  return (
    <div class="trouble fault" role="alert">
      <p>
        <strong>This page broke.</strong> {error.message || 'Nothing says why'}. The others, and all files, are still
        there.
      </p>
      <p class="trouble-foot">
        <button type="button" onClick={() => location.reload()}>
          Load it anew
        </button>
      </p>
    </div>
  )
}

function Footer() {
  return (
    <footer class="page-foot">
      <p>
        Derived from events alone, as the contracts themselves would answer. Figures are cut off, never rounded up; a
        click on one tells all 18 digits.
      </p>
      <ul>
        <li>
          <a href="/rules">How it is counted</a>
        </li>
        <li>
          <a href="/data">Files and feeds</a>
        </li>
        <li>
          <a href="/chains">Chains</a>
        </li>
        <li>
          <a href="/editor">GraphQL editor</a>
        </li>
        <li>
          <a href="/verify">Check it yourself</a>
        </li>
      </ul>
    </footer>
  )
}
