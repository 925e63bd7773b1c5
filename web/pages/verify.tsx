import './verify.css'
import { useEffect, useReducer, useRef, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { Compared } from '../../api/verification/comparison.ts'
import { countText } from '../amounts.ts'
import { useAnswer } from '../ask.ts'
import { VerifyDocument } from '../generated/verify.ts'
import { Check, Tick } from '../parts/check.tsx'
import { Address, Hash } from '../parts/figures.tsx'
import { PageHead } from '../parts/page.tsx'
import { Panel } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { type Column, Table } from '../parts/table.tsx'
import { callsFor, type Subject, whyNotAsked } from '../verify/calls.ts'
import type { Ended, VerifiedChain } from '../verify/run.ts'

/** Where the address of the node is kept: in this browser, nowhere else. */
const KEPT = 'livepeer-governance.rpc'
const SAMPLES = ['20', '100', 'all'] as const

/** A verification under way or over. */
interface Run {
  line: string
  what: string
  done: number
  total: number
  compared: readonly Compared[]
  ended: Ended | undefined
}

const BEGUN: Run = { line: 'Loading what compares…', what: '', done: 0, total: 0, compared: [], ended: undefined }

/** Every figure of a round or of a proposal, against what a node of the reader's own choice answers. */
export function Verify() {
  const { query, route, path } = useLocation()
  const asked = useAnswer(VerifyDocument, {})
  const chains = asked.answer?.data?.status ?? []
  const [rpc, setRpc] = useKeptRpc()
  const subject: Subject = query.proposal === undefined ? { kind: 'ROUND' } : { kind: 'PROPOSAL', id: query.proposal }
  const latest = chains.find(({ round }) => round !== null)?.round
  const round = query.round ?? (latest === null || latest === undefined ? '' : String(latest))
  const sample = SAMPLES.find((name) => name === query.sample) ?? '20'
  const { run, start, stop } = useRun(chains)
  const isRunning = run !== undefined && run.ended === undefined
  const fault = rpc.trim() === '' ? undefined : whyNotAsked(rpc.trim())
  const isAskable =
    rpc.trim() !== '' &&
    fault === undefined &&
    (subject.kind === 'ROUND' ? /^\d{1,9}$/.test(round) : subject.id.trim() !== '')
  const set = (changes: Record<string, string>) => route(placeWith(path, query, changes), true)
  return (
    <>
      <PageHead title="Check it yourself" tab="Verify">
        <p class="lead">
          The API derives every figure from events. Here each of them is compared with what the contracts themselves
          answer, at a node that you choose. The comparing is done by this browser.
        </p>
      </PageHead>
      <Panel id="ask" title="What, and against which node">
        <form
          class="filters verify-form"
          onSubmit={(event) => {
            event.preventDefault()
            if (!isAskable) return
            start(
              subject.kind === 'PROPOSAL'
                ? { proposal: subject.id.trim() }
                : {
                    round,
                    network: query.network,
                    holders: sample === 'all' ? Number.POSITIVE_INFINITY : Number(sample),
                  },
              rpc.trim(),
            )
          }}
        >
          <label>
            Compare
            <select
              value={subject.kind}
              onChange={(event) =>
                set(
                  event.currentTarget.value === 'ROUND'
                    ? { proposal: '', round }
                    : { round: '', proposal: 'treasury:' },
                )
              }
            >
              <option value="ROUND">everybody’s stake at a round</option>
              <option value="PROPOSAL">the count of a proposal</option>
            </select>
          </label>
          {subject.kind === 'ROUND' ? (
            <>
              <label>
                Round
                <input
                  inputMode="numeric"
                  size={8}
                  value={round}
                  onInput={(event) => set({ round: event.currentTarget.value.trim() })}
                />
              </label>
              <label>
                Holders asked about
                <select value={sample} onChange={(event) => set({ sample: event.currentTarget.value })}>
                  <option value="20">20, spread evenly</option>
                  <option value="100">100, spread evenly</option>
                  <option value="all">all of them</option>
                </select>
              </label>
            </>
          ) : (
            <label class="rpc-field">
              Proposal’s id
              <input
                value={subject.id}
                spellcheck={false}
                onInput={(event) => set({ proposal: event.currentTarget.value.trim() || 'treasury:' })}
              />
            </label>
          )}
          <label class="rpc-field">
            Address of the node (JSON-RPC)
            <input
              type="url"
              placeholder="https://… or http://127.0.0.1:8545"
              spellcheck={false}
              autocomplete="off"
              value={rpc}
              aria-invalid={fault !== undefined}
              aria-describedby="rpc-note"
              onInput={(event) => setRpc(event.currentTarget.value)}
            />
          </label>
          {isRunning ? (
            <button type="button" onClick={stop}>
              Stop
            </button>
          ) : (
            <button type="submit" disabled={!isAskable || chains.length === 0}>
              Compare
            </button>
          )}
        </form>
        {fault !== undefined && (
          <p class="trouble" role="status">
            {fault}.
          </p>
        )}
        <p class="note" id="rpc-note">
          The node must be of the chain that is compared, and must let pages of other sites ask it (CORS, header{' '}
          <code>Access-Control-Allow-Origin</code>); from an https page only https or your own machine can be asked. Its
          address stays in this browser and is sent to nobody but the node: not to this API either.
        </p>
        <details>
          <summary>What the node will be asked</summary>
          <ul class="calls">
            {callsFor(subject).map(({ contract, functions }) => (
              <li key={contract}>
                <b>{contract}</b>
                <ul>
                  {functions.map((name) => (
                    <li key={name}>
                      <code>{name}</code>
                    </li>
                  ))}
                </ul>
              </li>
            ))}
          </ul>
          <p class="note">
            Up to 100 calls go in one request, fewer where the node takes fewer. Nothing is written and nothing is
            signed.
          </p>
        </details>
        <details>
          <summary>What cannot be compared</summary>
          <ul class="calls">
            <li>
              What only events tell: which choice a poll’s voter made, reasons, texts, and when something was. Contracts
              keep no record of them.
            </li>
            <li>Stake at a round whose first block a node has no state of any more: an archive node has.</li>
            <li>
              Votes before BondingVotes was there: the contract answers 0, the API what it would have answered by the
              same rule.
            </li>
            <li>
              What is estimated, such as when voting will close, and shares and concentration, which no contract tells.
            </li>
            <li>Recordings: their contracts are on no chain.</li>
          </ul>
        </details>
      </Panel>
      {run !== undefined && <Outcome run={run} />}
    </>
  )
}

/** The address that this browser kept. */
function useKeptRpc(): [string, (url: string) => void] {
  const [rpc, setRpc] = useState(() => {
    try {
      return localStorage.getItem(KEPT) ?? ''
    } catch {
      return ''
    }
  })
  return [
    rpc,
    (url) => {
      setRpc(url)
      try {
        if (url.trim() === '') localStorage.removeItem(KEPT)
        else localStorage.setItem(KEPT, url.trim())
      } catch {
        // It holds as long as the page then.
      }
    },
  ]
}

type Question = Parameters<typeof import('../verify/run.ts').verify>[0]

function useRun(chains: readonly VerifiedChain[]) {
  const [run, setRun] = useState<Run | undefined>(undefined)
  const [, render] = useReducer((count: number) => count + 1, 0)
  const current = useRef(0)
  useEffect(
    () => () => {
      current.current = -1
    },
    [],
  )
  const stop = () => {
    current.current += 1
    setRun(undefined)
    render(undefined as never)
  }
  const start = async (question: Question, rpc: string) => {
    current.current += 1
    const mine = current.current
    // Many values come at once: they are shown with the next step.
    const compared: Compared[] = []
    const step = (changes: Partial<Run>) => {
      if (current.current !== mine) return
      setRun((before) => ({ ...(before ?? BEGUN), ...changes, compared: [...compared] }))
    }
    setRun(BEGUN)
    try {
      const { verify } = await import('../verify/run.ts')
      const ended = await verify(question, rpc, chains, {
        begin: (line) => step({ line }),
        advance: (what, done, total) => {
          // Whoever stopped it wants no more calls made.
          if (current.current !== mine) throw new Error('stopped')
          step({ what, done, total })
        },
        compared: (one) => compared.push(one),
      })
      step({ ended })
    } catch (error) {
      step({ ended: { refusal: error instanceof Error ? error.message : String(error) } })
    }
  }
  return { run, start: (question: Question, rpc: string) => void start(question, rpc), stop }
}

const COLUMNS: readonly Column<Compared>[] = [
  {
    name: 'Same',
    cell: ({ contract, api }) => <Tick holds={contract === api} />,
  },
  { name: 'What', cell: ({ what }) => <span class="kind">{what}</span>, text: ({ what }) => what },
  {
    name: 'Of',
    cell: ({ where }) => (/^0x[0-9a-f]{40}$/.test(where) ? <Address of={where} /> : <span class="of">{where}</span>),
    text: ({ where }) => where,
  },
  { name: 'The contract answers', number: true, cell: ({ contract }) => <Value of={contract} /> },
  { name: 'The API says', number: true, cell: ({ api }) => <Value of={api} /> },
]

/** As it was told: an integer of wei or rounds, a word, an address. */
function Value({ of }: { of: string }) {
  return <span class="told">{/^0x[0-9a-f]{40,}$/.test(of) ? <Hash of={of} /> : of}</span>
}

function Outcome({ run }: { run: Run }) {
  const { query, route, path } = useLocation()
  const { line, what, done, total, compared, ended } = run
  const differing = compared.filter(({ contract, api }) => contract !== api)
  const same = compared.filter(({ contract, api }) => contract === api)
  const comparison = ended !== undefined && 'comparison' in ended ? ended.comparison : undefined
  const title =
    ended === undefined
      ? 'Comparing…'
      : comparison === undefined
        ? 'Not compared'
        : !comparison.hasFigures
          ? 'No figure could be compared'
          : differing.length === 0
            ? `All ${countText(compared.length)} values agree`
            : `${countText(differing.length)} of ${countText(compared.length)} values differ`
  return (
    <Panel id="outcome" title={title} lead={ended === undefined || line !== BEGUN.line ? line : undefined}>
      <div role="status">
        {ended === undefined && (
          <p>
            <progress max={Math.max(total, 1)} value={done} aria-label="Accounts asked about" />{' '}
            {total > 0 && `${what}: ${countText(done)} of ${countText(total)} accounts asked about`}
          </p>
        )}
        {ended !== undefined && 'refusal' in ended && (
          <div class="trouble fault">
            <p>
              <strong>It could not be compared.</strong> {ended.refusal}.
            </p>
            <p>
              Where the node does not answer at all: is its address right, does it run, and does it let pages of other
              sites ask it?
            </p>
          </div>
        )}
      </div>
      {comparison !== undefined && (
        <ul class="kinds">
          {[...comparison.counts].map(([kind, count]) => {
            const wrong = differing.filter((one) => one.what === kind).length
            return (
              <Check key={kind} holds={wrong === 0}>
                {kind}: {countText(count)} compared{wrong > 0 && `, ${countText(wrong)} differ`}
              </Check>
            )
          })}
          {[...comparison.notes, ...comparison.unchecked.map(({ why }) => why)].map((note) => (
            <li key={note} class="note">
              Not compared: {note}.
            </li>
          ))}
        </ul>
      )}
      {compared.length > 0 && (
        <Table
          caption="Every value that was compared, differences first"
          columns={COLUMNS}
          rows={[...differing, ...same]}
          keyOf={({ what: kind, where }) => `${kind} ${where}`}
          filter={query.q ?? ''}
          onFilter={(q) => route(placeWith(path, query, { q }), true)}
          filterName="Kind or account"
        />
      )}
    </Panel>
  )
}
