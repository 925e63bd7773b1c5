import './snapshot.css'
import { useMemo, useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import { concentration } from '../../api/rules/concentration.ts'
import { compareAmounts, countText, percentText, sumOf } from '../amounts.ts'
import { ask, prefetch } from '../ask.ts'
import { SplitBar } from '../charts/bars.tsx'
import { ConcentrationCurve } from '../charts/concentration-curve.tsx'
import { LongTail } from '../charts/long-tail.tsx'
import { MerkleRootDocument } from '../generated/merkle-root.ts'
import { SnapshotDocument, type SnapshotQuery } from '../generated/snapshot.ts'
import { Address, Amount, Count, Hash, labels, Note, Percent, When } from '../parts/figures.tsx'
import { NoSuchRound } from '../parts/no-such-round.tsx'
import { orderOf, orderText } from '../parts/order.ts'
import { PageHead } from '../parts/page.tsx'
import { Panel, Refused, Trouble } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { Role } from '../parts/role.tsx'
import { RoundSlider, useRoundSpan } from '../parts/round-slider.tsx'
import type { RoundSpan } from '../parts/round-span.ts'
import { type Column, Table } from '../parts/table.tsx'
import { roundOf, snapshotVariables } from '../places.ts'
import { type Problem, problemAt } from '../problems.ts'
import { type Holder, useWholeSnapshot, type WholeSnapshot } from './whole-snapshot.ts'

const MOST: Order = { column: 'Votes', descending: true }
type Order = { column: string; descending: boolean }

/** Everybody's stake at the start of a round: the latest one where the address names none. */
export function Snapshot() {
  const { query, route, path } = useLocation()
  const { params } = useRoute()
  const network = query.network
  const span = useRoundSpan(network)
  const isLatest = params.round === undefined
  const round = isLatest ? (span === undefined ? undefined : span.last - 1) : roundOf(params.round)
  const whole = useWholeSnapshot(round, network)
  const { asked } = whole
  const data = asked.answer?.data
  const problems = asked.answer?.problems ?? []
  const refused = data?.stakeSnapshot === null ? problemAt(problems, 'stakeSnapshot') : undefined
  const begun = data?.round?.initializedAt.timestamp
  const choose = (next: number, replace: boolean) => route(placeWith(`/snapshots/${next}`, query, {}), replace)
  const set = (changes: Record<string, string>, replace = true) => route(placeWith(path, query, changes), replace)
  const wrong = !isLatest && round === undefined
  return (
    <>
      <PageHead
        title={round === undefined ? 'Stake at a round' : `Stake at round ${countText(round)}`}
        tab={round === undefined ? 'Stake at a round' : `Stake at round ${round}`}
      >
        <p class="lead">
          What everybody had when the round began, and so what they can vote with in it. What changes in a round counts
          from the next one.
        </p>
      </PageHead>
      {round !== undefined && (
        <RoundSlider
          round={round}
          network={network}
          begun={begun}
          onChoose={choose}
          onNear={(near) => prefetch(SnapshotDocument, snapshotVariables(near, network))}
        />
      )}
      {wrong && (
        <p class="empty">
          <code>{params.round}</code> is no round: rounds are whole numbers, such as{' '}
          <a href={`/snapshots/${span?.last ?? 0}`}>{span?.last ?? 0}</a>.
        </p>
      )}
      {refused !== undefined && <NoSuchRound problem={refused} span={span} query={query} />}
      {!wrong && refused === undefined && (
        <Found whole={whole} round={round ?? 0} network={network} query={query} set={set} span={span} />
      )}
    </>
  )
}

function Found({
  whole,
  round,
  network,
  query,
  set,
  span,
}: {
  whole: WholeSnapshot
  round: number
  network: string | undefined
  query: Readonly<Record<string, string>>
  set: (changes: Record<string, string>, replace?: boolean) => void
  span: RoundSpan | undefined
}) {
  const { asked, variables, holders } = whole
  const problems = asked.answer?.problems ?? []
  const file = (name: string) => `/snapshots/${round}${name}${network === undefined ? '' : `?network=${network}`}`
  const sources = { query: { document: SnapshotDocument, variables } }
  const files = whole.transcodersOnly ? {} : { csv: file('.csv'), json: file('.json') }
  const active = useMemo(
    () => holders.filter(({ isActive }) => isActive).sort((a, b) => compareAmounts(b.votes, a.votes)),
    [holders],
  )
  const check = `/verify?round=${round}${network === undefined ? '' : `&network=${network}`}`
  return (
    <>
      <Panel id="totals" title="All together" asked={asked} rows={3} sources={{ ...sources, ...files, check }}>
        {(data) => <Totals data={data} whole={whole} problems={problems} isNow={round === span?.last} />}
      </Panel>
      <div class="columns halves">
        <Panel
          id="largest"
          title="Who can decide"
          lead="The active set by votes, the largest first; only its stake counts for a treasury proposal’s quorum."
          asked={asked}
          rows={10}
          empty={() => active.length === 0 && whole.isWhole && 'Nobody was active in this round.'}
        >
          {({ stakeSnapshot }) => (
            <Largest
              active={active}
              total={BigInt(stakeSnapshot?.totalActiveStake ?? sumOf(active.map(({ votes }) => votes)))}
              top={Number(query.top ?? '5')}
              onTop={(top) => set({ top: top === 5 ? '' : String(top) })}
            />
          )}
        </Panel>
        <Panel
          id="concentration"
          title="How concentrated"
          lead="Lorenz curves, largest first: the further above the dashed line, the fewer have the most."
          asked={asked}
          rows={10}
          empty={() => active.length === 0 && whole.isWhole && 'Where nobody has anything, nothing is concentrated.'}
        >
          {(data) => <Curves data={data} whole={whole} active={active} />}
        </Panel>
      </div>
      <Panel
        id="holders"
        title={whole.transcodersOnly ? 'All transcoders' : 'Everybody'}
        asked={asked}
        rows={16}
        empty={({ stakeSnapshot }) =>
          stakeSnapshot?.holders?.totalCount === 0 && 'Nobody had stake or votes when this round began.'
        }
        sources={{ ...sources, ...files, check }}
      >
        {() => <Everybody whole={whole} query={query} set={set} round={round} network={network} />}
      </Panel>
      {!whole.transcodersOnly && (
        <Panel
          id="tail"
          title="The long tail"
          lead="Own stake of each account, from the most to the least. Each line is many times the one below."
          asked={asked}
          rows={6}
        >
          {() => <Tail holders={holders} />}
        </Panel>
      )}
      <div class="columns halves">
        {!whole.transcodersOnly && (
          <Panel id="root" title="Merkle root and files">
            <Note>
              The root of all (address, votes) proves to a contract what an account could vote with. It takes a moment
              to work out.
            </Note>
            <MerkleRoot key={`${round} ${network}`} round={round} network={network} />
            <ul class="file-links">
              {['.csv', '.json', '.ndjson', '/tree.json', '/scores.json'].map((name) => (
                <li key={name}>
                  <a href={file(name)} download>
                    {name.replace(/^\//, '')}
                  </a>
                </li>
              ))}
              <li>
                <a href={`/proof?round=${round}${network === undefined ? '' : `&network=${network}`}`}>
                  prove one account’s votes
                </a>
              </li>
              <li>
                <a href={check}>compare with the contracts</a>
              </li>
            </ul>
          </Panel>
        )}
        <Panel id="difference" title="What changed since?">
          <Note>Who gained and lost stake, changed delegate, came or went between this round and another.</Note>
          <OtherRound round={round} network={network} span={span} />
        </Panel>
      </div>
    </>
  )
}

function Totals({
  data: { stakeSnapshot, round },
  whole,
  problems,
  isNow,
}: {
  data: SnapshotQuery
  whole: WholeSnapshot
  problems: readonly Problem[]
  isNow: boolean
}) {
  if (stakeSnapshot === null) return <Refused problem={problemAt(problems, 'stakeSnapshot')} />
  const { totalActiveStake, totalStake, network } = stakeSnapshot
  const { holders, totalCount, isWhole } = whole
  const transcoders = holders.filter(({ isTranscoder }) => isTranscoder)
  return (
    <>
      <dl class="key-figures">
        <div>
          <dt>Active stake</dt>
          <dd>
            {totalActiveStake === null ? (
              <Refused problem={problemAt(problems, 'stakeSnapshot', 'totalActiveStake')} />
            ) : (
              <Amount wei={totalActiveStake} copies />
            )}
          </dd>
        </div>
        <div>
          <dt>All stake</dt>
          <dd>
            {totalStake === null ? (
              <Refused problem={problemAt(problems, 'stakeSnapshot', 'totalStake')} />
            ) : (
              <Amount wei={totalStake} copies />
            )}
          </dd>
        </div>
        {totalActiveStake !== null && totalStake !== null && BigInt(totalStake) > 0n && (
          <div>
            <dt>Active of all stake</dt>
            <dd>
              <Percent part={totalActiveStake} whole={totalStake} />
            </dd>
          </div>
        )}
        {totalCount !== undefined && (
          <div>
            <dt>{whole.transcodersOnly ? 'Transcoders' : 'Accounts with stake'}</dt>
            <dd>
              <Count of={totalCount} />
            </dd>
          </div>
        )}
        {isWhole && (
          <div>
            <dt>Active of transcoders</dt>
            <dd>
              {countText(transcoders.filter(({ isActive }) => isActive).length)}
              <span class="unit"> of {countText(transcoders.length)}</span>
            </dd>
          </div>
        )}
      </dl>
      <p class="unit">
        {round !== null ? (
          <>
            Fixed on {network} by block {countText(BigInt(round.initializedAt.block))},{' '}
            <When at={round.initializedAt.timestamp} />, in transaction{' '}
            <Hash of={round.initializedAt.transactionHash} />
          </>
        ) : isNow ? (
          `On ${network}, as things stand now: the next round is yet to begin, and all of this can still change.`
        ) : (
          `Nobody initialised this round on ${network}. It is answered all the same: its stake is what the last round before left.`
        )}
      </p>
    </>
  )
}

const TOPS = [3, 5, 10, 20, 50]

/** The largest of the active set as a bar, and the rest. */
function Largest({
  active,
  total,
  top,
  onTop,
}: {
  active: readonly Holder[]
  total: bigint
  top: number
  onTop: (top: number) => void
}) {
  const most = active.slice(0, TOPS.includes(top) ? top : 5)
  const rest = total - sumOf(most.map(({ votes }) => votes))
  return (
    <>
      <SplitBar
        label="Active stake"
        whole={total}
        mark={{ at: total / 2n, name: 'half' }}
        parts={[
          ...most.map(({ account, votes }, index) => ({
            name: account,
            amount: votes,
            kind: `half ${index % 2 === 0 ? 'even' : 'odd'}`,
          })),
          { name: 'the rest', amount: rest, kind: 'even' },
        ]}
      />
      <p class="unit">
        <label>
          The largest{' '}
          <select value={String(most.length)} onChange={(event) => onTop(Number(event.currentTarget.value))}>
            {TOPS.filter((count) => count === most.length || count <= active.length).map((count) => (
              <option key={count} value={String(count)}>
                {count}
              </option>
            ))}
            {!TOPS.includes(most.length) && <option value={String(most.length)}>{most.length}</option>}
          </select>
        </label>{' '}
        of {countText(active.length)} have {percentText(total - rest, total)} of the active stake.
      </p>
      <ol class="ranked">
        {most.map(({ account, votes }, index) => (
          <li key={account}>
            <span class="unit">{index + 1}</span>
            <Address of={account} />
            <Amount wei={votes} />
            <Percent part={votes} whole={total} />
          </li>
        ))}
        {rest > 0n && (
          <li>
            <span />
            <span>
              {active.length - most.length === 1 ? 'the last' : `the other ${countText(active.length - most.length)}`}
            </span>
            <Amount wei={rest} />
            <Percent part={rest} whole={total} />
          </li>
        )}
      </ol>
    </>
  )
}

function Curves({
  data: { round },
  whole: { holders, isWhole, transcodersOnly },
  active,
}: {
  data: SnapshotQuery
  whole: WholeSnapshot
  active: readonly Holder[]
}) {
  const own = useMemo(
    () =>
      holders
        .flatMap(({ stake }) => (stake === undefined || stake === 0n ? [] : [stake]))
        .sort((a, b) => compareAmounts(b, a)),
    [holders],
  )
  // Worked out here, as nobody initialised some rounds; only the quorum of a round is the API's to tell.
  const known = useMemo(
    () =>
      isWhole && active.length > 0
        ? concentration(
            active.map(({ votes }) => votes),
            null,
          )
        : undefined,
    [active, isWhole],
  )
  const quorum = round?.concentration?.nakamotoQuorum ?? undefined
  const marks =
    known === undefined
      ? []
      : [
          { count: known.nakamoto33, name: 'more than a third' },
          { count: known.nakamoto50, name: 'more than a half' },
          ...(quorum === undefined ? [] : [{ count: quorum, name: 'the quorum' }]),
        ]
  return (
    <>
      <ConcentrationCurve
        label="Concentration of stake"
        curves={[
          {
            name: 'active set, by votes',
            kind: 'first',
            one: 'active transcoders',
            mostFirst: active.map(({ votes }) => votes),
            marks: joined(marks),
          },
          ...(isWhole && !transcodersOnly
            ? [{ name: 'everybody, by own stake', kind: 'second', one: 'accounts', mostFirst: own }]
            : []),
        ]}
      />
      {known !== undefined && (
        <p>
          Nakamoto: <b>{known.nakamoto33}</b> transcoders together have more than a third of the votes,{' '}
          <b>{known.nakamoto50}</b> more than a half
          {quorum !== undefined && (
            <>
              , <b>{quorum}</b> {quorum === 1 ? 'reaches' : 'reach'} the quorum
            </>
          )}
          . Gini {known.gini} (0: all the same, 1: one has all).
        </p>
      )}
    </>
  )
}

/** Marks at one place are one. */
function joined(marks: readonly { count: number; name: string }[]): { count: number; name: string }[] {
  const counts = [...new Set(marks.map(({ count }) => count))]
  return counts.map((count) => ({
    count,
    name: marks
      .filter((mark) => mark.count === count)
      .map(({ name }) => name)
      .join(', '),
  }))
}

function Tail({ holders }: { holders: readonly Holder[] }) {
  const mostFirst = useMemo(
    () =>
      holders
        .flatMap(({ account, stake }) =>
          stake === undefined || stake === 0n ? [] : [{ name: account, amount: stake }],
        )
        .sort((a, b) => compareAmounts(b.amount, a.amount)),
    [holders],
  )
  return <LongTail label="Own stake of each account" mostFirst={mostFirst} unit="LPT" />
}

interface Ranked extends Holder {
  rank: number
}

/** Columns of the table of holders; what they have of their own where it is known. */
function columnsOf(knowsOwn: boolean, round: number, network: string | undefined): readonly Column<Ranked>[] {
  const there = `?round=${round}${network === undefined ? '' : `&network=${network}`}`
  const nameOf = (account: string | null) => (account === null ? '' : `${account} ${labels.value[account] ?? ''}`)
  return [
    {
      name: 'No.',
      about: 'By votes',
      number: true,
      by: ({ rank }) => rank,
      cell: ({ rank }) => countText(rank),
      minor: true,
    },
    {
      name: 'Account',
      by: ({ account }) => account,
      text: ({ account }) => nameOf(account),
      cell: ({ account }) => <Address of={account} to={`/accounts/${account}${there}`} />,
    },
    {
      name: 'Votes',
      about: 'What its vote weighs: a transcoder’s, all stake delegated to it; a delegator’s, its own stake',
      number: true,
      by: ({ votes }) => votes,
      cell: ({ votes }) => <Amount wei={votes} unit="" />,
    },
    ...(knowsOwn
      ? [
          {
            name: 'Own stake',
            about: 'With rewards up to the round',
            number: true,
            by: ({ stake }: Ranked) => stake ?? 0n,
            cell: ({ stake }: Ranked) =>
              stake === undefined ? <Refused problem={undefined} /> : <Amount wei={stake} unit="" />,
          },
        ]
      : []),
    {
      name: 'Delegated',
      about: 'All stake delegated to it, its own included',
      number: true,
      minor: true,
      by: ({ delegatedStake }) => delegatedStake,
      cell: ({ delegatedStake }) => (delegatedStake === 0n ? '–' : <Amount wei={delegatedStake} unit="" />),
    },
    {
      name: 'Role',
      by: ({ isActive, isTranscoder }) => (isActive ? 2 : isTranscoder ? 1 : 0),
      cell: (holder) => <Role of={holder} />,
    },
    {
      name: 'Delegate',
      by: ({ delegate }) => delegate ?? '',
      text: ({ delegate }) => nameOf(delegate),
      cell: ({ account, delegate }) =>
        delegate === null ? (
          <span class="unit">none</span>
        ) : delegate === account ? (
          <span class="unit">itself</span>
        ) : (
          <Address of={delegate} to={`/accounts/${delegate}${there}`} />
        ),
    },
  ]
}

function Everybody({
  whole,
  query,
  set,
  round,
  network,
}: {
  whole: WholeSnapshot
  query: Readonly<Record<string, string>>
  set: (changes: Record<string, string>, replace?: boolean) => void
  round: number
  network: string | undefined
}) {
  const { holders, totalCount, isWhole, problem, transcodersOnly } = whole
  const onlyTranscoders = transcodersOnly || query.transcoders === '1'
  const rows = useMemo(
    () =>
      holders
        .map((holder, index) => ({ ...holder, rank: index + 1 }))
        .filter(({ isTranscoder }) => !onlyTranscoders || isTranscoder),
    [holders, onlyTranscoders],
  )
  const names = labels.value
  const columns = useMemo(() => columnsOf(!transcodersOnly, round, network), [transcodersOnly, round, network, names])
  return (
    <>
      {transcodersOnly && (
        <p class="trouble not-exact">
          On Ethereum L1 claims left no event, so what delegators had cannot be told exactly. Only transcoders are
          shown, by the stake delegated to them, which is exact.
        </p>
      )}
      {!isWhole && problem === undefined && totalCount !== undefined && (
        <p class="unit" role="status">
          {countText(holders.length)} of {countText(totalCount)} accounts at hand, the others follow…
          <progress class="progress" value={holders.length} max={totalCount} aria-label="Accounts at hand" />
        </p>
      )}
      {problem !== undefined && <Trouble problem={problem} />}
      <Table
        caption={`Stake at the start of round ${round}, in LPT`}
        columns={columns}
        rows={rows}
        keyOf={({ account }) => account}
        order={orderOf(query.sort, columns) ?? MOST}
        onOrder={(order) => set({ sort: orderText(order) })}
        filter={query.filter}
        onFilter={(filter) => set({ filter })}
        filterName="Address or delegate"
        total={isWhole || onlyTranscoders ? undefined : totalCount}
        tools={
          !transcodersOnly && (
            <label>
              <input
                type="checkbox"
                checked={onlyTranscoders}
                onChange={(event) => set({ transcoders: event.currentTarget.checked ? '1' : '' })}
              />{' '}
              transcoders only
            </label>
          )
        }
      />
    </>
  )
}

/** Worked out on a click only: all holders are hashed for it. */
function MerkleRoot({ round, network }: { round: number; network: string | undefined }) {
  const [state, setState] = useState<{ root?: string; problem?: Problem; asking?: boolean }>({})
  const work = async () => {
    setState({ asking: true })
    const { data, problems } = await ask(MerkleRootDocument, { round, ...(network === undefined ? {} : { network }) })
    const root = data?.stakeSnapshot?.merkleRoot
    const [problem] = problems
    setState(root === null || root === undefined ? (problem === undefined ? {} : { problem }) : { root })
  }
  if (state.root !== undefined) {
    return (
      <p>
        <code class="whole-hash">{state.root}</code>
      </p>
    )
  }
  return (
    <>
      {state.problem !== undefined && <Trouble problem={state.problem} />}
      <p>
        <button type="button" disabled={state.asking === true} onClick={() => void work()}>
          {state.asking === true ? 'Working it out…' : 'Work out the root'}
        </button>
      </p>
    </>
  )
}

/** Leads to the difference to another round. */
function OtherRound({
  round,
  network,
  span,
}: {
  round: number
  network: string | undefined
  span: RoundSpan | undefined
}) {
  const { route } = useLocation()
  const [other, setOther] = useState<number | undefined>(undefined)
  const first = span?.first ?? 0
  const last = span?.last ?? round
  const value = other ?? (round < last ? last : Math.max(first, round - 10))
  return (
    <form
      class="two-rounds"
      onSubmit={(event) => {
        event.preventDefault()
        const [from, to] = value < round ? [value, round] : [round, value]
        route(placeWith(`/snapshots/${from}...${to}`, network === undefined ? {} : { network }, {}))
      }}
    >
      <label>
        The other round
        <input
          type="number"
          min={first}
          max={last}
          value={value}
          onInput={(event) => setOther(event.currentTarget.valueAsNumber)}
        />
      </label>
      <button type="submit" disabled={!Number.isInteger(value)}>
        Show the difference
      </button>
    </form>
  )
}
