import './data.css'
import { useEffect, useMemo, useReducer, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { countText } from '../amounts.ts'
import { useAnswer } from '../ask.ts'
import { fetchFile } from '../files.ts'
import { FrameDocument } from '../generated/frame.ts'
import { Hash } from '../parts/figures.tsx'
import { PageHead } from '../parts/page.tsx'
import { CopyButton, Panel, Skeleton, Trouble } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import type { Problem } from '../problems.ts'
import {
  type ApiPath,
  addressOf,
  type FileFacts,
  factsOf,
  formatsOf,
  readPaths,
  rowsIn,
  sizeText,
} from './api-paths.ts'

/** What the parameters of paths are filled in with. */
type Values = Readonly<Record<string, string | undefined>>

/** What each kind of path is called and said of, in the order of the page. */
const KINDS: readonly { tag: string; id: string; title: string; lead: string }[] = [
  {
    tag: 'files',
    id: 'files',
    title: 'Files',
    lead: 'Tables and proofs. Amounts are wei as decimal text, exact; each file says in its first lines what it is of, as of which block. Files about what is past never change and may be kept for ever.',
  },
  {
    tag: 'histories',
    id: 'histories',
    title: 'The whole history',
    lead: 'What changed with every round, for DuckDB, pandas and the like; it sums to every round’s total active stake, to the wei. Made while it is sent, so that its size is not known before.',
  },
  {
    tag: 'feeds',
    id: 'feeds',
    title: 'Feeds',
    lead: 'What becomes of proposals, for feed readers and calendars: subscribe to the address.',
  },
  {
    tag: 'graphql',
    id: 'graphql',
    title: 'GraphQL',
    lead: 'All that can be asked, by GET or POST; answers say as of which block they are.',
  },
]

/** All files and feeds, and the same by command line and program. */
export function Data() {
  const { query, route, path } = useLocation()
  const described = useDescription()
  const latest = useAnswer(FrameDocument, {}).answer?.data?.rounds.nodes[0]?.number
  const round = query.round ?? (latest === undefined ? undefined : String(latest))
  const values: Values = {
    moment: round,
    round: round?.startsWith('block-') === true ? undefined : round,
    address: query.account,
    id: query.proposal,
  }
  const set = (changes: Record<string, string>) => route(placeWith(path, query, changes), true)
  return (
    <>
      <PageHead title="Files and feeds" tab="Data">
        <p class="lead">
          Everything these pages show can be had as a file, by one line of curl, by the command line or by GraphQL. No
          key, no account.
        </p>
      </PageHead>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Round, or block-N{' '}
          <input size={12} value={round ?? ''} onInput={(event) => set({ round: event.currentTarget.value.trim() })} />
        </label>
        <label class="value-field">
          Account{' '}
          <input
            value={query.account ?? ''}
            placeholder="0x…"
            spellcheck={false}
            onInput={(event) => set({ account: event.currentTarget.value.trim() })}
          />
        </label>
        <label class="value-field">
          Proposal’s id{' '}
          <input
            value={query.proposal ?? ''}
            placeholder="treasury:…, poll:0x…, aragon:0x…:1"
            spellcheck={false}
            onInput={(event) => set({ proposal: event.currentTarget.value.trim() })}
          />
        </label>
        <p class="note">Links and lines below are filled in with these; where one is blank, with an example.</p>
      </form>
      {described === undefined || 'problem' in described ? (
        <Panel id="paths" title="Files">
          {described === undefined ? <Skeleton rows={14} /> : <Trouble problem={described.problem} />}
        </Panel>
      ) : (
        KINDS.map(({ tag, id, title, lead }) => (
          <Panel key={id} id={id} title={title} lead={lead}>
            <ul class="paths">
              {described.paths
                .filter((one) => one.tag === tag)
                .map((one) => (
                  <PathItem key={one.path} one={one} values={values} />
                ))}
            </ul>
            {tag === 'graphql' && (
              <p>
                <a href="/editor">The query editor</a>, with every field explained, in the browser.
              </p>
            )}
          </Panel>
        ))
      )}
      <CommandLine values={values} />
      <Client />
    </>
  )
}

/** /openapi.json, read once. */
function useDescription(): { paths: readonly ApiPath[] } | { problem: Problem } | undefined {
  const [described, setDescribed] = useState<{ paths: readonly ApiPath[] } | { problem: Problem } | undefined>()
  useEffect(() => {
    const end = new AbortController()
    fetchFile('/openapi.json', { signal: end.signal })
      .then((file) => setDescribed('problem' in file ? file : { paths: readPaths(JSON.parse(file.text)) }))
      .catch(() => {})
    return () => end.abort()
  }, [])
  return described
}

function PathItem({ one, values }: { one: ApiPath; values: Values }) {
  const formats = useMemo(() => formatsOf(one), [one])
  const [format, setFormat] = useReducer((_: string | undefined, next: string | undefined) => next, formats?.values[0])
  const address = addressOf(one, { ...values, ...(formats === undefined ? {} : { [formats.parameter]: format }) })
  const curl = `curl --fail-with-body --compressed -O '${location.origin}${address}'`
  // To be asked something, not fetched.
  const isAsked = one.method === 'POST' || one.path === '/graphql'
  return (
    <li class="path-item">
      <h3>{one.about}</h3>
      <p class="path">
        <code>
          {one.method === 'POST' && 'POST '}
          {one.path}
        </code>
      </p>
      {!isAsked && (
        <p class="path-links">
          {formats === undefined ? (
            <a href={address}>{/\.\w+$/.exec(address)?.[0].slice(1).toUpperCase() ?? address}</a>
          ) : (
            formats.values.map((value) => (
              <a
                key={value}
                href={addressOf(one, { ...values, [formats.parameter]: value })}
                onPointerEnter={() => setFormat(value)}
                onFocus={() => setFormat(value)}
              >
                {value.toUpperCase()}
              </a>
            ))
          )}
          <CopyButton text={() => curl}>Copy curl</CopyButton>
          <CopyButton text={() => location.origin + address}>Copy address</CopyButton>
          <Look key={address} address={address} />
        </p>
      )}
      {one.parameters.length > 0 && <Parameters one={one} />}
    </li>
  )
}

function Parameters({ one }: { one: ApiPath }) {
  return (
    <details>
      <summary>
        {countText(one.parameters.length)} {one.parameters.length === 1 ? 'parameter' : 'parameters'}
        {one.types.length > 0 && <span class="unit"> · {one.types.join(', ')}</span>}
      </summary>
      <dl class="parameters">
        {one.parameters.map(({ name, place, about, values, usual, example }) => (
          <div key={name}>
            <dt>
              <code>{place === 'path' ? `{${name}}` : `?${name}=`}</code>
            </dt>
            <dd>
              {about}
              {values.length > 0 && <span class="unit"> · one of {values.join(', ')}</span>}
              {usual !== undefined && <span class="unit"> · {usual} where left out</span>}
              {values.length === 0 && example !== '' && <span class="unit"> · such as {example}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  )
}

type Looked = (FileFacts & { rows: number | undefined }) | { problem: Problem } | 'ASKING' | undefined

/** What is known of a file without having it: by HEAD, and of a CSV by its first lines. */
function Look({ address }: { address: string }) {
  const [looked, setLooked] = useState<Looked>(undefined)
  if (looked === undefined || looked === 'ASKING') {
    const look = async () => {
      setLooked('ASKING')
      setLooked(await lookAt(address))
    }
    return (
      <button type="button" class="link" disabled={looked === 'ASKING'} onClick={() => void look()}>
        {looked === 'ASKING' ? 'Asking…' : 'How large?'}
      </button>
    )
  }
  if ('problem' in looked) return <span class="refused">{looked.problem.message}</span>
  const { size, etag, rows, isFinal } = looked
  return (
    <span class="looked" role="status">
      {size === undefined ? 'size not known before' : sizeText(size)}
      {rows !== undefined && ` · ${countText(rows)} ${rows === 1 ? 'row' : 'rows'}`} ·{' '}
      {isFinal ? 'final, never changes' : 'can still change'}
      {etag !== undefined && (
        <>
          {' '}
          · ETag <Hash of={etag} />
        </>
      )}
    </span>
  )
}

async function lookAt(address: string): Promise<Looked> {
  const head = await fetchFile(address, { method: 'HEAD' })
  if ('problem' in head) {
    // Only an answer with a body says why.
    const whole = await fetchFile(address)
    return 'problem' in whole ? whole : head
  }
  const facts = factsOf(head.headers)
  // The same as CSV says in its first lines how many rows there are.
  const csv = address.replace(/\.(?:json|ndjson)$/, '.csv')
  const isTable = csv.endsWith('.csv') && head.headers.get('accept-ranges') === 'bytes'
  const beginning = isTable ? await fetchFile(csv, { headers: { range: 'bytes=0-2047' } }) : undefined
  const rows = beginning === undefined || 'problem' in beginning ? undefined : rowsIn(beginning.text)
  return { ...facts, rows }
}

/** What is to be run in the project's folder. */
function CommandLine({ values }: { values: Values }) {
  const round = values.round || 'ROUND'
  const id = values.id || 'ID'
  const address = values.address || 'ADDRESS'
  const lines: readonly [string, string][] = [
    [`snapshot ${round} --output snapshot.csv`, 'everybody’s stake; a download that broke off is resumed'],
    [`power ${address} ${round}`, 'one account’s'],
    [`allocation ${round} --format table`, 'voting tokens dealt'],
    ['proposals', 'all of them'],
    [`votes ${id}`, 'who voted'],
    [`absentees ${id}`, 'who did not'],
    [`recount ${id} --no-overrides`, 'what would have been'],
    ['history --output history.parquet', 'every round'],
    [`verify --round ${round} --rpc URL`, 'compare with the contracts; so does /verify'],
    ['watch', 'each change of a proposal once: printed, to a command or a signed webhook'],
  ]
  return (
    <Panel
      id="command-line"
      title="Command line"
      lead="In the project’s folder, against this API. To a terminal it writes tables, to a pipe CSV."
    >
      <p class="unit">
        <code>export LIVEPEER_GOVERNANCE_API={location.origin}</code>
      </p>
      <ul class="commands">
        {lines.map(([line, about]) => {
          const command = `npx livepeer-governance ${line}`
          return (
            <li key={line}>
              <code>{command}</code> <span class="unit">{about}</span>{' '}
              <CopyButton text={() => command}>Copy</CopyButton>
            </li>
          )
        })}
      </ul>
    </Panel>
  )
}

const CLIENT = `import { GraphQLClient } from 'graphql-request'
import { HoldersDocument } from './generated/queries.ts' // typed by graphql-codegen from /schema.graphql

const api = new GraphQLClient('ORIGIN/graphql')
const { stakeSnapshot } = await api.request(HoldersDocument, { round: 61 })
// Amounts are wei as decimal text: BigInt keeps them exact.
const votes = (stakeSnapshot?.holders?.nodes ?? []).reduce((sum, holder) => sum + BigInt(holder.votes), 0n)`

function Client() {
  const text = CLIENT.replace('ORIGIN', location.origin)
  return (
    <Panel
      id="client"
      title="From a program"
      lead="The schema is typed: documents checked against it give typed answers. The project’s examples/ has the whole of this."
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <pre class="code" tabIndex={0}>
        <code>{text}</code>
      </pre>
      <p class="trouble-foot">
        <CopyButton text={() => text}>Copy</CopyButton>
        <a href="/schema.graphql">The schema</a>
        <a href="/openapi.json">Every path, described</a>
        <a href="/chains#service">How the API is</a>
      </p>
    </Panel>
  )
}
