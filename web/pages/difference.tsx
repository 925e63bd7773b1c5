import './difference.css'
import { useMemo } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import { countText, shareOf } from '../amounts.ts'
import { prefetch } from '../ask.ts'
import { SnapshotDocument } from '../generated/snapshot.ts'
import { Change } from '../parts/change.tsx'
import { Address, Amount, labels } from '../parts/figures.tsx'
import { NoSuchRound } from '../parts/no-such-round.tsx'
import { orderOf, orderText } from '../parts/order.ts'
import { PageHead } from '../parts/page.tsx'
import { CopyButton, Panel, Skeleton, Trouble } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { RoundSlider, useRoundSpan } from '../parts/round-slider.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { roundsOf, snapshotVariables } from '../places.ts'
import { problemAt } from '../problems.ts'
import {
  type AccountDifference,
  type Became,
  differenceCsv,
  differenceOf,
  type SnapshotDifference,
} from './stake-difference.ts'
import { type Holder, useWholeSnapshot, type WholeSnapshot } from './whole-snapshot.ts'

/** What changed between two rounds: who gained and lost stake, who changed delegate, who came and who went. */
export function Difference() {
  const { params } = useRoute()
  const rounds = roundsOf(params.round)
  if (rounds !== undefined) return <Between {...rounds} />
  return (
    <>
      <PageHead title="Difference of two rounds" tab="Difference of two rounds" />
      <p class="empty">
        <code>{params.round}</code> are no two rounds: they stand like <a href="/snapshots/61...84">61...84</a>.
      </p>
    </>
  )
}

function Between({ from, to }: { from: number; to: number }) {
  const { query, route, path } = useLocation()
  const { network } = query
  const span = useRoundSpan(network)
  const before = useWholeSnapshot(from, network)
  const after = useWholeSnapshot(to, network)
  const choose = (rounds: string, replace: boolean) => route(placeWith(`/snapshots/${rounds}`, query, {}), replace)
  const set = (changes: Record<string, string>) => route(placeWith(path, query, changes), true)
  const near = (round: number) => prefetch(SnapshotDocument, snapshotVariables(round, network))
  const missing = [before, after].flatMap(({ asked: { answer } }) =>
    answer?.data?.stakeSnapshot === null ? (problemAt(answer.problems, 'stakeSnapshot') ?? []) : [],
  )
  const [refused] = missing
  return (
    <>
      <PageHead
        title={`What changed from round ${countText(from)} to ${countText(to)}`}
        tab={`Rounds ${from} to ${to}: what changed`}
      >
        <p class="lead">
          Who gained and lost stake, who changed delegate, who came and who went. Rewards are in it: whoever did nothing
          gained what its stake earned.
        </p>
        <p class="kicker">
          <a href={placeWith(`/snapshots/${from}`, network === undefined ? {} : { network }, {})}>
            All of round {countText(from)}
          </a>
          <a href={placeWith(`/snapshots/${to}`, network === undefined ? {} : { network }, {})}>
            All of round {countText(to)}
          </a>
          <a href={placeWith(`/snapshots/${to}...${from}`, query, {})}>The other way round</a>
        </p>
      </PageHead>
      <div class="columns halves">
        <RoundSlider
          name="From round"
          round={from}
          network={network}
          begun={before.asked.answer?.data?.round?.initializedAt.timestamp}
          onChoose={(round, replace) => choose(`${round}...${to}`, replace)}
          onNear={near}
        />
        <RoundSlider
          name="To round"
          round={to}
          network={network}
          begun={after.asked.answer?.data?.round?.initializedAt.timestamp}
          onChoose={(round, replace) => choose(`${from}...${round}`, replace)}
          onNear={near}
        />
      </div>
      {refused !== undefined ? (
        <NoSuchRound problem={refused} span={span} query={network === undefined ? {} : { network }} />
      ) : (
        <Joined before={before} after={after} from={from} to={to} query={query} set={set} />
      )}
    </>
  )
}

function Joined({
  before,
  after,
  from,
  to,
  query,
  set,
}: {
  before: WholeSnapshot
  after: WholeSnapshot
  from: number
  to: number
  query: Readonly<Record<string, string>>
  set: (changes: Record<string, string>) => void
}) {
  const transcodersOnly = before.transcodersOnly || after.transcodersOnly
  const byVotes = transcodersOnly || query.by === 'votes'
  const isWhole = before.isWhole && after.isWhole
  const difference = useMemo(() => {
    if (!isWhole) return undefined
    const compared = (holders: readonly Holder[]) =>
      transcodersOnly ? holders.filter(({ isTranscoder }) => isTranscoder) : holders
    return differenceOf(compared(before.holders), compared(after.holders), ({ votes, stake }) =>
      byVotes ? votes : (stake ?? 0n),
    )
  }, [before.holders, after.holders, isWhole, byVotes, transcodersOnly])
  const failed = [before, after].find(
    ({ problem, asked }) => problem !== undefined || (asked.answer !== undefined && asked.answer.data === null),
  )
  const problem = failed?.problem ?? failed?.asked.answer?.problems[0]
  const what = byVotes ? 'votes' : 'own stake'
  return (
    <>
      {transcodersOnly ? (
        <p class="trouble not-exact">
          On Ethereum L1 what delegators had cannot be told exactly. Only transcoders are compared, by the stake
          delegated to them, which is exact; one that came may have been a delegator before.
        </p>
      ) : (
        <form class="filters" onSubmit={(event) => event.preventDefault()}>
          <label>
            Compared by{' '}
            <select value={byVotes ? 'votes' : ''} onChange={(event) => set({ by: event.currentTarget.value })}>
              <option value="">own stake, with rewards</option>
              <option value="votes">votes</option>
            </select>
          </label>
        </form>
      )}
      {problem !== undefined && <Trouble problem={problem} />}
      {difference === undefined ? (
        problem === undefined && <Progress before={before} after={after} />
      ) : (
        <>
          <Panel
            id="net"
            title="All together"
            sources={{ query: { document: SnapshotDocument, variables: after.variables } }}
          >
            <Net difference={difference} before={before} after={after} what={what} />
          </Panel>
          <Panel
            id="most"
            title="Who moved most"
            lead={`The largest changes of ${what}: lost to the left, gained to the right.`}
          >
            <Bars rows={difference.rows.filter(({ by }) => by !== 0n).slice(0, 20)} />
          </Panel>
          <Panel id="accounts" title="Every account">
            <Accounts difference={difference} from={from} to={to} query={query} set={set} what={what} />
          </Panel>
        </>
      )}
    </>
  )
}

function Progress({ before, after }: { before: WholeSnapshot; after: WholeSnapshot }) {
  const all = (before.totalCount ?? 0) + (after.totalCount ?? 0)
  const here = before.holders.length + after.holders.length
  return (
    <>
      {before.totalCount !== undefined && after.totalCount !== undefined && (
        <p class="unit" role="status">
          {countText(here)} of {countText(all)} accounts at hand, the others follow…
        </p>
      )}
      <Skeleton rows={12} />
    </>
  )
}

function Net({
  difference: { before: sumBefore, after: sumAfter, gained, lost, counts },
  before,
  after,
  what,
}: {
  difference: SnapshotDifference
  before: WholeSnapshot
  after: WholeSnapshot
  what: string
}) {
  const totals = [before, after].map(({ asked }) => asked.answer?.data?.stakeSnapshot?.totalStake ?? undefined)
  const [allBefore, allAfter] = totals
  return (
    <>
      <dl class="key-figures">
        <div>
          <dt>Gained</dt>
          <dd>
            <Amount wei={gained} copies />
          </dd>
        </div>
        <div>
          <dt>Lost</dt>
          <dd>
            <Amount wei={lost} copies />
          </dd>
        </div>
        <div>
          <dt>Net</dt>
          <dd>
            <Change by={sumAfter - sumBefore} unit="LPT" />
          </dd>
        </div>
        <div>
          <dt>Came</dt>
          <dd>{countText(counts.CAME)}</dd>
        </div>
        <div>
          <dt>Went</dt>
          <dd>{countText(counts.WENT)}</dd>
        </div>
        <div>
          <dt>Changed delegate</dt>
          <dd>{countText(counts.MOVED)}</dd>
        </div>
      </dl>
      <p class="unit">
        All accounts together had <Amount wei={sumBefore} /> of {what} and then <Amount wei={sumAfter} />: the net is
        what was gained less what was lost, to the wei.{' '}
        {allBefore !== undefined && allAfter !== undefined && (
          <>
            All stake delegated changed by <Change by={BigInt(allAfter) - BigInt(allBefore)} unit="LPT" />.
          </>
        )}
      </p>
    </>
  )
}

/** Lost to the left, gained to the right, as long as the largest is long. */
function Bars({ rows }: { rows: readonly AccountDifference[] }) {
  if (rows.length === 0) return <p class="empty">Nobody gained or lost anything.</p>
  const size = (by: bigint) => (by < 0n ? -by : by)
  const most = rows.reduce((largest, { by }) => (size(by) > largest ? size(by) : largest), 0n)
  return (
    <ol class="both-ways">
      {rows.map(({ account, by, became }) => {
        const width = `${Math.max(shareOf(size(by), most) * 50, 0.4)}%`
        return (
          <li key={account}>
            <Address of={account} />
            <span class="both-ways-bar" aria-hidden="true">
              <span
                class={by < 0n ? 'lost' : 'gained'}
                style={by < 0n ? { width, right: '50%' } : { width, left: '50%' }}
              />
            </span>
            <span class="both-ways-figure">
              <Change by={by} />
              {(became === 'CAME' || became === 'WENT') && <span class="unit"> {became.toLowerCase()}</span>}
            </span>
          </li>
        )
      })}
    </ol>
  )
}

const BECAME: Readonly<Record<Became, string>> = {
  CAME: 'came',
  WENT: 'went',
  GAINED: 'gained',
  LOST: 'lost',
  KEPT: 'the same',
}

const MOST = { column: 'Change', descending: true }

function Accounts({
  difference: { rows, counts },
  from,
  to,
  query,
  set,
  what,
}: {
  difference: SnapshotDifference
  from: number
  to: number
  query: Readonly<Record<string, string>>
  set: (changes: Record<string, string>) => void
  what: string
}) {
  const only = (query.only ?? '').toUpperCase()
  const shown = useMemo(
    () => (only === '' ? rows : rows.filter(({ became, moved }) => (only === 'MOVED' ? moved : became === only))),
    [rows, only],
  )
  const columns: readonly Column<AccountDifference>[] = useMemo(() => {
    const nameOf = (account: string | null) => (account === null ? '' : `${account} ${labels.value[account] ?? ''}`)
    return [
      {
        name: 'Account',
        by: ({ account }) => account,
        text: ({ account }) => nameOf(account),
        cell: ({ account }) => <Address of={account} />,
      },
      {
        name: 'Became',
        by: ({ became }) => became,
        cell: ({ became, moved }) => `${BECAME[became]}${moved ? ', new delegate' : ''}`,
      },
      {
        name: 'Before',
        about: `At the start of round ${from}`,
        number: true,
        minor: true,
        by: ({ before }) => before,
        cell: ({ before }) => <Amount wei={before} unit="" />,
      },
      {
        name: 'After',
        about: `At the start of round ${to}`,
        number: true,
        minor: true,
        by: ({ after }) => after,
        cell: ({ after }) => <Amount wei={after} unit="" />,
      },
      { name: 'Change', number: true, by: ({ by }) => by, cell: ({ by }) => <Change by={by} /> },
      {
        name: 'Delegate',
        text: ({ delegateBefore, delegateAfter }) => `${nameOf(delegateBefore)} ${nameOf(delegateAfter)}`,
        cell: (row) => <Delegates of={row} />,
      },
    ]
  }, [from, to, labels.value])
  const options: readonly [string, string, number][] = [
    ['', 'all', rows.length],
    ['gained', 'gained', counts.GAINED],
    ['lost', 'lost', counts.LOST],
    ['came', 'came', counts.CAME],
    ['went', 'went', counts.WENT],
    ['kept', 'the same', counts.KEPT],
    ['moved', 'changed delegate', counts.MOVED],
  ]
  return (
    <Table
      caption={`Change of ${what} from round ${from} to ${to}, in LPT`}
      columns={columns}
      rows={shown}
      keyOf={({ account }) => account}
      order={orderOf(query.sort, columns) ?? (query.sort === undefined ? undefined : MOST)}
      onOrder={(order) => set({ sort: orderText(order) })}
      filter={query.filter}
      onFilter={(filter) => set({ filter })}
      filterName="Address or delegate"
      tools={
        <>
          <label>
            Only{' '}
            <select value={query.only ?? ''} onChange={(event) => set({ only: event.currentTarget.value })}>
              {options.map(([value, name, count]) => (
                <option key={value} value={value}>
                  {name} ({countText(count)})
                </option>
              ))}
            </select>
          </label>
          <CopyButton text={() => differenceCsv(shown)}>Copy as CSV, in wei</CopyButton>
        </>
      }
    />
  )
}

function Delegates({ of: { account, delegateBefore, delegateAfter, moved } }: { of: AccountDifference }) {
  const one = (delegate: string | null) =>
    delegate === null ? (
      <span class="unit">none</span>
    ) : delegate === account ? (
      <span class="unit">itself</span>
    ) : (
      <Address of={delegate} />
    )
  if (!moved) return one(delegateAfter ?? delegateBefore)
  return (
    <span class="delegates">
      {one(delegateBefore)} <span class="unit">to</span> {one(delegateAfter)}
    </span>
  )
}
