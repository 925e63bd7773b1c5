import './proof.css'
import { useEffect, useReducer, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { countText } from '../amounts.ts'
import { ask, useAnswer } from '../ask.ts'
import { fetchFile, filePath } from '../files.ts'
import { FrameDocument } from '../generated/frame.ts'
import { ProofRootDocument } from '../generated/proof.ts'
import { Check } from '../parts/check.tsx'
import { Address, Amount, Hash } from '../parts/figures.tsx'
import { PageHead } from '../parts/page.tsx'
import { CopyButton, Panel, Skeleton, Trouble } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import type { Problem } from '../problems.ts'
import {
  type Checked,
  checkProof,
  differencesOf,
  readProof,
  solidityOf,
  type VotesProof,
} from '../proof/merkle-proof.ts'
import { PathDrawing } from '../proof/path-drawing.tsx'

/** A proof as it was fetched: its text, and what it says. */
type Given = { text: string; proof: VotesProof } | { problem: Problem }

/** That an account had so many votes at a round: proved by hashes, which are recomputed here. */
export function Proof() {
  const { query, route, path } = useLocation()
  const round = /^\d{1,9}$/.test(query.round ?? '') ? query.round : undefined
  const account = /^0x[0-9a-f]{40}$/i.test(query.account ?? '') ? query.account?.toLowerCase() : undefined
  return (
    <>
      <PageHead title="Proof of votes" tab="Proof">
        <p class="lead">
          All votes of a round make one Merkle tree, and its root is one hash. With a dozen hashes anybody, a contract
          too, can tell that an account had its votes in it. Each of them is recomputed here, in this browser.
        </p>
      </PageHead>
      <Ask
        round={query.round}
        account={query.account}
        network={query.network}
        onAsk={(changes) => route(placeWith(path, query, changes))}
      />
      {round !== undefined && account !== undefined ? (
        <OfAccount
          key={`${round} ${account} ${query.network}`}
          round={round}
          account={account}
          network={query.network}
        />
      ) : (
        (query.round !== undefined || query.account !== undefined) && (
          <p class="trouble not-there" role="status">
            {round === undefined && 'A round is a whole number. '}
            {account === undefined && 'An account is 0x and 40 hex digits.'}
          </p>
        )
      )}
      <Pasted />
    </>
  )
}

function Ask({
  round,
  account,
  network,
  onAsk,
}: {
  round: string | undefined
  account: string | undefined
  network: string | undefined
  onAsk: (changes: Record<string, string>) => void
}) {
  const latest = useAnswer(FrameDocument, {}).answer?.data?.rounds.nodes[0]?.number
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault()
        const fields = new FormData(event.currentTarget)
        onAsk({ round: String(fields.get('round') ?? '').trim(), account: String(fields.get('account') ?? '').trim() })
      }}
    >
      <label>
        Round{' '}
        <input
          name="round"
          inputMode="numeric"
          size={8}
          required
          defaultValue={round ?? (latest === undefined ? '' : String(latest))}
          key={`${round} ${latest}`}
        />
      </label>
      <label class="account-field">
        Account{' '}
        <input
          name="account"
          size={46}
          required
          placeholder="0x…"
          defaultValue={account ?? ''}
          key={account}
          spellcheck={false}
        />
      </label>
      <button type="submit">Prove it</button>
      {(round ?? latest) !== undefined && (
        <p class="note">
          Who had votes:{' '}
          <a href={`/snapshots/${round ?? latest}${network === undefined ? '' : `?network=${network}`}`}>
            everybody’s stake at the round
          </a>
          .
        </p>
      )}
    </form>
  )
}

function pathOf(round: string | number, account: string, network: string | undefined): string {
  return filePath(`/snapshots/${round}/proof/${account}.json`, { network })
}

async function fetchProof(path: string, signal?: AbortSignal): Promise<Given> {
  const file = await fetchFile(path, signal === undefined ? {} : { signal })
  if ('problem' in file) return file
  const proof = readProof(file.text)
  if (!('account' in proof)) {
    return { problem: { code: 'UNREACHABLE', message: `What the API gives is no proof: ${proof.join('; ')}` } }
  }
  return { text: file.text, proof }
}

/** The proof that the API gives. */
function OfAccount({ round, account, network }: { round: string; account: string; network: string | undefined }) {
  const [given, setGiven] = useState<Given | undefined>(undefined)
  const [attempt, again] = useReducer((count: number) => count + 1, 0)
  const path = pathOf(round, account, network)
  useEffect(() => {
    const end = new AbortController()
    fetchProof(path, end.signal).then(setGiven, () => {})
    return () => end.abort()
  }, [path, attempt])
  const title = `Round ${countText(Number(round))}`
  if (given === undefined || 'problem' in given) {
    return (
      <Panel id="proof" title={title}>
        {given === undefined ? (
          <Skeleton rows={8} />
        ) : (
          <Trouble problem={given.problem} again={() => again(undefined as never)} />
        )}
      </Panel>
    )
  }
  const { proof, text } = given
  const checked = checkProof(proof)
  return (
    <Panel
      id="proof"
      title={checked.faults.length === 0 ? 'Proved' : 'Not proved'}
      lead={`At the start of round ${countText(Number(round))}${proof.network === undefined ? '' : ` on ${proof.network}`}.`}
      sources={{ json: path, check: `/verify?round=${round}` }}
    >
      <dl class="key-figures">
        <div>
          <dt>Account</dt>
          <dd>
            <Address of={account} />
          </dd>
        </div>
        <div>
          <dt>Votes</dt>
          <dd>
            <Amount wei={proof.votes} copies />
          </dd>
        </div>
        <div>
          <dt>Levels</dt>
          <dd>{countText(proof.proof.length)}</dd>
        </div>
      </dl>
      <Recomputed proof={proof} checked={checked} />
      <RootByGraphQL round={Number(round)} network={proof.network} root={checked.root} />
      <h3>For a contract</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <pre class="code" tabIndex={0}>
        <code>{solidityOf(proof)}</code>
      </pre>
      <p class="trouble-foot">
        <CopyButton text={() => solidityOf(proof)}>Copy Solidity</CopyButton>
        <CopyButton text={() => text.trim()}>Copy JSON</CopyButton>
      </p>
    </Panel>
  )
}

/** Each hash, ticked, beside the path drawn. */
function Recomputed({ proof, checked }: { proof: VotesProof; checked: Checked }) {
  return (
    <div class="columns wide-narrow proof">
      <ol class="steps">
        <li>
          <p>
            <b>Leaf</b> <span class="unit">keccak256 of keccak256 of account and votes</span>
          </p>
          <Step holds={proof.leaf === undefined || proof.leaf === checked.leaf} hash={checked.leaf} />
        </li>
        {checked.steps.map(({ sibling, isFirst, result }, index) => (
          <li key={`${sibling} ${result}`}>
            <p>
              <span class="unit">
                {index + 1}. with <Hash of={sibling} /> {isFirst ? 'behind it' : 'before it'}
              </span>
            </p>
            {index < checked.steps.length - 1 ? (
              <p class="step-hash">
                <Hash of={result} />
              </p>
            ) : (
              <Step holds={result === proof.root} hash={result} name="Root" />
            )}
          </li>
        ))}
        {checked.steps.length === 0 && (
          <li>
            <Step holds={checked.leaf === proof.root} hash={checked.leaf} name="Root" />
          </li>
        )}
        {checked.faults.map((fault) => (
          <li key={fault} class="fault">
            <Check holds={false}>{fault}.</Check>
          </li>
        ))}
      </ol>
      <div>
        <PathDrawing checked={checked} />
      </div>
    </div>
  )
}

function Step({ holds, hash, name }: { holds: boolean; hash: string; name?: string }) {
  return (
    <div class="step-hash">
      <ul>
        <Check holds={holds}>
          {name !== undefined && <b>{name} </b>}
          <Hash of={hash} /> {holds ? 'is what the proof names' : 'is not what the proof names'}
        </Check>
      </ul>
    </div>
  )
}

/** The root once more, as GraphQL tells it: on demand, as the tree of a large round takes the API some time. */
function RootByGraphQL({ round, network, root }: { round: number; network: string | undefined; root: string }) {
  const [told, setTold] = useState<{ root: string | null; problem: Problem | undefined } | 'ASKING' | undefined>()
  const variables = network === undefined ? { round } : { round, network }
  const look = async () => {
    setTold('ASKING')
    const { data, problems } = await ask(ProofRootDocument, variables)
    setTold({ root: data?.stakeSnapshot?.merkleRoot ?? null, problem: problems[0] })
  }
  if (told === undefined || told === 'ASKING') {
    return (
      <p>
        <button type="button" disabled={told === 'ASKING'} onClick={() => void look()}>
          {told === 'ASKING' ? 'Asking…' : 'Is it the root that stakeSnapshot tells?'}
        </button>
      </p>
    )
  }
  if (told.root === null) {
    return (
      <Trouble problem={told.problem ?? { code: 'NOT_FOUND', message: 'It tells no root' }} again={() => void look()} />
    )
  }
  return (
    <ul>
      <Check holds={told.root === root}>
        <code>stakeSnapshot.merkleRoot</code> is <Hash of={told.root} />
        {told.root === root ? ', the same' : ', another one'}
      </Check>
    </ul>
  )
}

/** Somebody else's proof. */
function Pasted() {
  const [text, setText] = useState('')
  const read = text.trim() === '' ? undefined : readProof(text)
  const isProof = read !== undefined && 'account' in read
  const checked = isProof ? checkProof(read) : undefined
  return (
    <Panel
      id="check"
      title="Check somebody else’s proof"
      lead="Paste it as JSON, as the file of the API has it. It is checked here and sent nowhere."
    >
      <label class="pasted">
        <span class="unseen">A proof as JSON</span>
        <textarea
          rows={6}
          spellcheck={false}
          placeholder={'{ "round": 61, "value": ["0x…", "944…900"], "root": "0x…", "proof": ["0x…", "0x…"] }'}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <div role="status">
        {read !== undefined && !isProof && (
          <ul>
            {read.map((fault) => (
              <Check key={fault} holds={false}>
                {fault}.
              </Check>
            ))}
          </ul>
        )}
        {isProof && checked !== undefined && (
          <ul>
            {checked.faults.length === 0 ? (
              <Check holds>
                It holds: <Address of={read.account} /> has <Amount wei={read.votes} /> in the tree of the root{' '}
                <Hash of={read.root} />. Whether that is the root of a round is another question.
              </Check>
            ) : (
              checked.faults.map((fault) => (
                <Check key={fault} holds={false}>
                  {fault}.
                </Check>
              ))
            )}
          </ul>
        )}
      </div>
      {isProof && checked !== undefined && (
        <>
          <AgainstOurs key={text} theirs={read} />
          <details>
            <summary>Each of its hashes</summary>
            <Recomputed proof={read} checked={checked} />
          </details>
        </>
      )}
    </Panel>
  )
}

/** Where it says which round it is of: in what it differs from the API's own. */
function AgainstOurs({ theirs }: { theirs: VotesProof }) {
  const [ours, setOurs] = useState<Given | 'ASKING' | undefined>(undefined)
  const { round, account, network } = theirs
  if (round === undefined) return <p class="note">It does not say of which round it is.</p>
  if (ours === undefined || ours === 'ASKING') {
    const look = async () => {
      setOurs('ASKING')
      setOurs(await fetchProof(pathOf(round, account, network)))
    }
    return (
      <p>
        <button type="button" disabled={ours === 'ASKING'} onClick={() => void look().catch(() => setOurs(undefined))}>
          {ours === 'ASKING' ? 'Asking…' : `Compare with round ${countText(round)} here`}
        </button>
      </p>
    )
  }
  if ('problem' in ours) return <Trouble problem={ours.problem} />
  const differences = differencesOf(theirs, ours.proof)
  return (
    <ul>
      {differences.length === 0 ? (
        <Check holds>It is the proof of round {countText(round)}, hash by hash.</Check>
      ) : (
        differences.map((difference) => (
          <Check key={difference} holds={false}>
            {difference}.
          </Check>
        ))
      )}
    </ul>
  )
}
