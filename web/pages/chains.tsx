import './chains.css'
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { countText } from '../amounts.ts'
import { type Answer, useAnswer } from '../ask.ts'
import { StepLine } from '../charts/step-line.tsx'
import {
  ChainsDocument,
  type ChainsQuery,
  type ContradictionAbout,
  type UncheckedReason,
  type VerificationOff,
} from '../generated/chains.ts'
import { shortAge } from '../moments.ts'
import { Address, Hash, When } from '../parts/figures.tsx'
import { PageHead } from '../parts/page.tsx'
import { CopyButton, Panel } from '../parts/panel.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { type LagSample, lagPoints, withSample } from './lag-samples.ts'

type Chain = ChainsQuery['status'][number]
type Contradiction = Chain['contradictions'][number]
type Verified = Chain['verification']
type Difference = Verified['differences'][number]
type UncheckedPart = Verified['unchecked'][number]

const QUERY = { document: ChainsDocument, variables: {} }
const REFRESH_MS = 5_000

/** Kept while the tab is open, also while other pages of it are looked at. */
const samples = signal<readonly LagSample[]>([])

/** Where the index of each chain stands, and what of it is not exact. */
export function Chains() {
  const asked = useAnswer(ChainsDocument, {}, REFRESH_MS)
  const { answer } = asked
  useEffect(() => {
    if (answer?.data) samples.value = withSample(samples.value, sampleOf(answer.receivedAt, answer.data.status))
  }, [answer])
  return (
    <>
      <PageHead title="Chains" tab="Chains">
        <p class="lead">
          Every figure of every page is as of one block of each chain: these. Asked anew every few seconds while you
          look.
        </p>
      </PageHead>
      {(answer?.data ?? null) === null && (
        <Panel id="status" title="Chains" asked={asked} rows={10}>
          {() => null}
        </Panel>
      )}
      <div class="chains">
        {answer?.data?.status.map((chain) => (
          <Panel key={chain.network} id={chain.network} title={chain.network} lead={<Standing chain={chain} />}>
            <Facts chain={chain} />
          </Panel>
        ))}
      </div>
      {answer?.data && (
        <>
          <Panel
            id="lag"
            title="Is it catching up?"
            lead="How many blocks each index was behind its chain’s head, since this tab looked first."
            sources={{ json: '/status', query: QUERY }}
          >
            <Lag chains={answer.data.status} />
          </Panel>
          <Verification chains={answer.data.status} />
          <Contradictions answer={answer} chains={answer.data.status} />
        </>
      )}
      <Service />
    </>
  )
}

function sampleOf(at: number, chains: readonly Chain[]): LagSample {
  return {
    at,
    lag: new Map(chains.map(({ network, lagBlocks }) => [network, lagBlocks === null ? null : BigInt(lagBlocks)])),
  }
}

/** In a sentence, the worst first. */
function Standing({ chain }: { chain: Chain }) {
  const { error, trouble, hasIndexingErrors, synced, stale, headBlock, block, contradictionCount } = chain
  if (error !== null)
    return <Tone tone="bad">Its index does not answer: {error}. What stands here is as last known.</Tone>
  if (trouble !== null)
    return <Tone tone="bad">It is kept from going on: {trouble}. All up to this block is answered.</Tone>
  if (hasIndexingErrors) return <Tone tone="bad">graph-node met an error in a handler and stopped here.</Tone>
  const { differenceCount } = chain.verification
  if (differenceCount > 0) {
    return (
      <Tone tone="bad">
        The contracts tell {countText(differenceCount)} values otherwise: <a href="#verification">these</a>.
      </Tone>
    )
  }
  const contradicted =
    contradictionCount > 0 && ` ${countText(contradictionCount)} events contradict those before them.`
  if (headBlock === null)
    return <Tone tone="warned">Nobody tells the chain’s head: it is not known whether this is all.{contradicted}</Tone>
  if (!synced) {
    return (
      <Tone tone="warned">
        It is behind: block {countText(BigInt(block))} of {countText(BigInt(headBlock))}
        {stale && '. Rounds and proposals up to there are answered; “now” means that block'}.{contradicted}
      </Tone>
    )
  }
  if (contradicted !== false) return <Tone tone="warned">Caught up, but not all of it is exact:{contradicted}</Tone>
  return <Tone tone="good">Caught up with the chain, and all of it is exact.</Tone>
}

function Tone({ tone, children }: { tone: 'good' | 'warned' | 'bad'; children: ComponentChildren }) {
  return <span class={`tone ${tone}`}>{children}</span>
}

function Facts({ chain }: { chain: Chain }) {
  const { chainId, block, blockHash, timestamp, headBlock, lagBlocks, lagSeconds, ageSeconds, checked } = chain
  const { firstRound, round, contracts, stale, synced, hasIndexingErrors, contradictionCount, network } = chain
  return (
    <>
      <dl class="chain-facts">
        <Fact name="Block" about="Everything up to here is indexed">
          <b>{countText(BigInt(block))}</b>
        </Fact>
        <Fact name="Its hash" about="With it anybody can tell whether it is the same chain">
          {blockHash === null ? 'not known' : <Hash of={blockHash} />}{' '}
          {blockHash !== null && <CopyButton text={() => blockHash}>Copy</CopyButton>}
        </Fact>
        <Fact name="Its time">
          <When at={timestamp} />
        </Fact>
        <Fact name="Chain’s head" about="The latest block that graph-node knows of">
          {headBlock === null ? 'not known' : countText(BigInt(headBlock))}
        </Fact>
        <Fact name="Behind">
          {lagBlocks === null ? 'not known' : `${countText(BigInt(lagBlocks))} blocks`}
          {lagSeconds !== null && `, ${shortAge(lagSeconds)}`}
        </Fact>
        <Fact name="Caught up" about="Stale is more than 50 blocks or 60 seconds behind">
          {synced ? 'yes' : 'no'}
          {stale && ', stale'}
        </Fact>
        <Fact name="Index answered">{ageSeconds === null ? 'never' : `${shortAge(ageSeconds)} before`}</Fact>
        <Fact
          name="Still on the chain"
          about="Whether the chain was asked if the blocks that were read are still on it"
        >
          {checked ? 'checked' : 'nobody could be asked'}
        </Fact>
        <Fact name="Rounds" about="The first and the last initialised round that are indexed">
          {firstRound === null || round === null ? (
            'none: this chain has no stake'
          ) : (
            <>
              <a href={`/snapshots/${firstRound}?network=${network}`}>{countText(firstRound)}</a> to{' '}
              <a href={`/snapshots/${round}?network=${network}`}>{countText(round)}</a>
            </>
          )}
        </Fact>
        <Fact name="Errors in handlers">{hasIndexingErrors ? 'yes: it stopped' : 'none'}</Fact>
        <Fact name="Contradictions">
          {contradictionCount === 0 ? 'none' : <a href="#contradictions">{countText(contradictionCount)}</a>}
        </Fact>
        <Fact name="Chain id" about="EIP-155">
          {chainId === null ? 'not known' : String(chainId)}
        </Fact>
      </dl>
      <details>
        <summary>{countText(contracts.length)} contracts</summary>
        {contracts.length === 0 ? (
          <p class="note">Where they are nobody told: this index was there already.</p>
        ) : (
          <ul class="facts">
            {contracts.map(({ name, address }) => (
              <li key={name}>
                {name} <Hash of={address} />
              </li>
            ))}
          </ul>
        )}
      </details>
    </>
  )
}

function Fact({ name, about, children }: { name: string; about?: string; children: ComponentChildren }) {
  return (
    <div>
      <dt title={about}>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

const KINDS = ['first', 'second', 'third']

/** Lag by the clock of this browser; nothing is drawn until there are two looks. */
function Lag({ chains }: { chains: readonly Chain[] }) {
  const all = samples.value
  const [first] = all
  const last = all.at(-1)
  if (first === undefined || last === undefined || all.length < 2) {
    return <p class="note">The line begins with the second look, in a few seconds.</p>
  }
  const series = chains
    .map(({ network }, index) => ({
      name: network,
      kind: KINDS[index % KINDS.length] ?? 'first',
      points: lagPoints(all, network),
    }))
    .filter(({ points }) => points.length > 0)
  if (series.length === 0)
    return <p class="note">Nobody tells any chain’s head: how far behind they are is not known.</p>
  const seconds = (at: number) => Math.round((at - last.at) / 1000)
  const told = chains
    .map(({ network }) => {
      const lag = last.lag.get(network)
      return `${network} ${lag === null || lag === undefined ? 'not known' : countText(lag)}`
    })
    .join(', ')
  const worst = Math.max(...series.flatMap(({ points }) => points.map(({ y }) => y)))
  const lagAt = (at: number, network: string) => all.find((sample) => sample.at === at)?.lag.get(network)
  return (
    <StepLine
      label="Blocks behind"
      summary={`Blocks behind now: ${told}; at most ${countText(worst)} in ${countText(all.length)} looks over ${shortAge(-seconds(first.at))}.`}
      series={series}
      height={150}
      levels={worst > 30 ? [{ y: 50, name: 'stale from here on' }] : []}
      formatX={(at) => `${seconds(at)} s`}
      formatY={countText}
      tell={(at) =>
        `${shortAge(-seconds(at))} ago: ${chains
          .map(({ network }) => {
            const lag = lagAt(at, network)
            return `${network} ${lag === null || lag === undefined ? 'not known' : `${countText(lag)} behind`}`
          })
          .join(', ')}`
      }
      marksX={[first.at, last.at].map((x) => ({ x, label: x === last.at ? 'now' : `${shortAge(-seconds(x))} ago` }))}
      table={
        <Table
          caption="Blocks behind at each look"
          columns={[
            { name: 'When', cell: ({ at }) => new Date(at).toLocaleTimeString('en-GB') },
            ...chains.map(
              ({ network }): Column<LagSample> => ({
                name: network,
                number: true,
                cell: ({ lag }) => {
                  const blocks = lag.get(network)
                  return blocks === null || blocks === undefined ? 'not known' : countText(blocks)
                },
              }),
            ),
          ]}
          rows={[...all].reverse()}
          keyOf={({ at }) => String(at)}
        />
      }
    />
  )
}

/** What is refused from an event on, by what it is about. */
const NOT_EXACT: Readonly<Record<ContradictionAbout, string>> = {
  DELEGATOR: 'The account’s own stake and votes, and where it is a transcoder what its delegators have.',
  TRANSCODER:
    'Stake delegated to the account and its place in the pool; totals of rounds that it is active in; counts of polls, which take part of all stake.',
  ROUND: 'The totals of all later rounds.',
  PROPOSAL: 'Nothing: the proposal was told anew, and what was told first counts.',
}

interface Row extends Contradiction {
  network: string
}

const COLUMNS: readonly Column<Row>[] = [
  { name: 'What the event says, and what was expected', wide: true, cell: ({ message }) => message },
  { name: 'Not exact from there on', wide: true, cell: ({ about }) => NOT_EXACT[about] },
  {
    name: 'Account',
    cell: ({ account, about }) =>
      about === 'DELEGATOR' || about === 'TRANSCODER' ? <Address of={account} /> : <Hash of={account} />,
  },
  {
    name: 'Event',
    cell: ({ network, at }) => (
      <>
        {network}, block {countText(BigInt(at.block))}, log {countText(at.logIndex)}
        <br />
        <Hash of={at.transactionHash} />
      </>
    ),
  },
  { name: 'When', minor: true, cell: ({ at }) => <When at={at.timestamp} round={at.round} brief /> },
]

function Contradictions({ answer, chains }: { answer: Answer<ChainsQuery>; chains: readonly Chain[] }) {
  const rows = chains.flatMap(({ network, contradictions }) => contradictions.map((one) => ({ ...one, network })))
  const total = chains.reduce((sum, { contradictionCount }) => sum + contradictionCount, 0)
  return (
    <Panel
      id="contradictions"
      title={total === 0 ? 'No contradictions' : `${countText(total)} contradictions`}
      lead={
        <>
          An event that cannot follow from those before it. What depends on it is refused as “not known exactly”, and
          nothing else is.{rows.length < total && ` The first ${countText(rows.length)} are listed.`}
        </>
      }
      sources={{ query: QUERY }}
    >
      {answer.problems.map(({ message }) => (
        <p key={message} class="trouble">
          {message}.
        </p>
      ))}
      {total === 0 ? (
        <p class="empty">Every event of every chain follows from those before it: no figure is refused for that.</p>
      ) : (
        <Table
          caption="Contradictions"
          columns={COLUMNS}
          rows={rows}
          keyOf={({ network, at, about, account }) => `${network} ${at.block} ${at.logIndex} ${about} ${account}`}
          total={total}
        />
      )}
    </Panel>
  )
}

/** Why nothing of a chain is compared. */
const OFF: Readonly<Record<VerificationOff, string>> = {
  TURNED_OFF: 'it is turned off here',
  NO_RPC: 'no node of it is known here, as of a recording',
  NO_CONTRACTS: 'nobody told where its contracts are',
}

/** Why something could not be compared. */
const UNCHECKED: Readonly<Record<UncheckedReason, string>> = {
  NO_CONTRACT: 'No such contract is there.',
  NO_STATE: 'The node has no state of that block.',
  NO_ANSWER: 'The node does not answer, or not what can be read.',
  OTHER_CHAIN: 'The node is of another chain or branch.',
  NO_FIGURE: 'The API does not tell the figure itself.',
}

/** In a few words, what comparing a chain came to; what is not known is never called fine. */
function comparedText({ off, comparedValues, differenceCount, uncheckedCount }: Verified): string {
  if (off !== null) return 'not compared'
  const differing = differenceCount === 0 ? 'none differs' : `${countText(differenceCount)} differ`
  const unchecked = uncheckedCount === 0 ? '' : `, ${countText(uncheckedCount)} unchecked`
  return `${comparedValues === 0 ? 'nothing yet' : `${countText(comparedValues)} values, ${differing}`}${unchecked}`
}

type OfChain<One> = One & { network: string }

/** A round or a proposal with its chain, and where it is shown. */
function SubjectLink({ of: { network, round, proposal } }: { of: OfChain<Pick<Difference, 'round' | 'proposal'>> }) {
  const path = round === null ? `/proposals/${proposal}` : `/snapshots/${round}?network=${network}`
  return (
    <a href={path}>
      {network}, {round === null ? `${proposal?.slice(0, 18)}…` : `round ${countText(round)}`}
    </a>
  )
}

const DIFFERENCE_COLUMNS: readonly Column<OfChain<Difference>>[] = [
  { name: 'Of', cell: (one) => <SubjectLink of={one} /> },
  { name: 'What', cell: ({ what }) => what },
  {
    name: 'Whose',
    cell: ({ where }) => (/^0x[0-9a-f]{40}$/.test(where) ? <Address of={where} /> : 'its own'),
  },
  { name: 'The contract answers', number: true, cell: ({ contract }) => contract },
  { name: 'The API says', number: true, cell: ({ api }) => api },
]

const UNCHECKED_COLUMNS: readonly Column<OfChain<UncheckedPart>>[] = [
  { name: 'Of', cell: (one) => <SubjectLink of={one} /> },
  { name: 'What', cell: ({ what, round, proposal }) => (what === (proposal ?? `round ${round}`) ? 'all of it' : what) },
  { name: 'Why', wide: true, cell: ({ reason }) => UNCHECKED[reason] },
]

/** What comparing each chain with its contracts has shown: what differs first, then what is not known to agree. */
function Verification({ chains }: { chains: readonly Chain[] }) {
  const of = <One,>(parts: (verified: Verified) => readonly One[]): OfChain<One>[] =>
    chains.flatMap(({ network, verification }) => parts(verification).map((one) => ({ ...one, network })))
  const differences = of((verified) => verified.differences)
  const unchecked = of((verified) => verified.unchecked)
  const differing = chains.reduce((sum, { verification }) => sum + verification.differenceCount, 0)
  const untold = chains.reduce((sum, { verification }) => sum + verification.uncheckedCount, 0)
  return (
    <Panel
      id="verification"
      title={differing === 0 ? 'Does it agree with the contracts?' : `${countText(differing)} values differ`}
      lead={
        <>
          Each round once it began, and each proposal once it is over, is compared with the contracts’ own answers. A
          difference is shown with every answer that depends on it. <a href="/verify">Check it yourself</a>
        </>
      }
      sources={{ json: '/status', query: QUERY }}
    >
      <ul class="verified">
        {chains.map(({ network, verification }) => (
          <li key={network}>
            <Agreement network={network} verified={verification} />
          </li>
        ))}
      </ul>
      {differences.length > 0 && (
        <Table
          caption="What the contracts tell otherwise"
          columns={DIFFERENCE_COLUMNS}
          rows={differences}
          keyOf={({ network, round, proposal, what, where }) => `${network} ${round} ${proposal} ${what} ${where}`}
          total={differing}
        />
      )}
      {unchecked.length > 0 && (
        <Table
          caption="What could not be compared"
          columns={UNCHECKED_COLUMNS}
          rows={unchecked}
          keyOf={({ network, round, proposal, what }) => `${network} ${round} ${proposal} ${what}`}
          total={untold}
        />
      )}
    </Panel>
  )
}

/** One chain in a sentence. */
function Agreement({ network, verified }: { network: string; verified: Verified }) {
  const { off, comparedValues, rounds, proposals, lastRound, pending, differenceCount, uncheckedCount } = verified
  const isKnown = off === null && uncheckedCount === 0 && comparedValues > 0
  return (
    <Tone tone={differenceCount > 0 ? 'bad' : isKnown ? 'good' : 'warned'}>
      {network}: {comparedText(verified)}
      {off !== null && `, ${OFF[off]}`}
      {comparedValues > 0 && `; ${countText(rounds)} rounds and ${countText(proposals)} proposals`}
      {lastRound !== null && `, the last round is ${countText(lastRound)}`}
      {pending > 0 && `; ${countText(pending)} are yet to be compared`}.
    </Tone>
  )
}

/** What answers here, and where those who run it look. */
function Service() {
  const [ready, setReady] = useState<string>('asking…')
  useEffect(() => {
    let over = false
    void fetch('/ready')
      .then(async (response) => `${(await response.text()).trim()}, ${response.status}`)
      .catch(() => 'it does not answer')
      .then((text) => {
        if (!over) setReady(text)
      })
    return () => {
      over = true
    }
  }, [])
  return (
    <Panel id="service" title="What answers here">
      <p class="note">
        A subgraph in graph-node records what the contracts’ events say; this API holds those facts in memory, follows
        each index by the second, and computes stake, votes and outcomes from them. It keeps no secrets, takes no
        accounts and changes nothing. Answers about the past are final and may be kept; those about now say as of which
        block they are, in <code>extensions.chains</code> and in the header <code>Chain-Status</code>.
      </p>
      <ul class="facts service">
        <li>
          <a href="/ready">/ready</a> <span>{ready}</span>
        </li>
        <li>
          <a href="/status">/status</a> <span class="unit">each chain as JSON</span>
        </li>
        <li>
          <a href="/health">/health</a> <span class="unit">whether it is up at all</span>
        </li>
        <li>
          <a href="/metrics">/metrics</a> <span class="unit">requests, errors, memory and lag, for Prometheus</span>
        </li>
        <li>
          <a href="/schema.graphql">/schema.graphql</a> <span class="unit">every field, with its meaning and unit</span>
        </li>
        <li>
          <a href="/openapi.json">/openapi.json</a>{' '}
          <span class="unit">
            every path; as a page on <a href="/data">Data</a>
          </span>
        </li>
      </ul>
    </Panel>
  )
}
