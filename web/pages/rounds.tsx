import './rounds.css'
import { useMemo } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { countText, percentText, shortAmount } from '../amounts.ts'
import { ask, useAnswer } from '../ask.ts'
import { drawnTokens, weiOf } from '../charts/drawn.ts'
import { type Series, StepLine } from '../charts/step-line.tsx'
import { ActiveSetsDocument, type ActiveSetsQuery } from '../generated/active-sets.ts'
import { RoundsDocument, type RoundsQuery } from '../generated/rounds.ts'
import { useAllPages } from '../parts/all-pages.ts'
import { Amount, When } from '../parts/figures.tsx'
import { orderOf, orderText } from '../parts/order.ts'
import { PageHead } from '../parts/page.tsx'
import { Panel, Refused, Trouble } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { useRoundSpan } from '../parts/round-slider.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { roundOf, roundsVariables } from '../places.ts'
import { UNREACHABLE } from '../problems.ts'
import { everAndAlways, type Turnover, turnoverOf } from './turnover.ts'

type RoundNode = RoundsQuery['rounds']['nodes'][number]
type SetNode = ActiveSetsQuery['rounds']['nodes'][number]

const NOTHING = { code: UNREACHABLE, message: 'The API answered nothing' }
/** Active sets are large: fewer rounds a page, and only asked for by themselves where there are not too many. */
const SETS = 250
const LATEST = { column: 'Round', descending: true }

/** All rounds of all chains: how much is bonded, how concentrated it is, who comes into the active set. */
export function Rounds() {
  const { query, route, path } = useLocation()
  const span = useRoundSpan(query.network)
  const variables = roundsVariables(query)
  const asked = useAnswer(RoundsDocument, variables)
  const { nodes, isWhole, problem } = useAllPages<RoundNode>(
    JSON.stringify(variables),
    asked.answer?.data?.rounds,
    async (after) => {
      const { data, problems } = await ask(RoundsDocument, roundsVariables(query, after))
      return data?.rounds ?? problems[0] ?? NOTHING
    },
  )
  const set = (changes: Record<string, string>) => route(placeWith(path, query, changes), true)
  const from = roundOf(query.from)
  const to = roundOf(query.to)
  const shown = useMemo(
    () => nodes.filter(({ number }) => number >= (from ?? 0) && number <= (to ?? Number.POSITIVE_INFINITY)),
    [nodes, from, to],
  )
  const borders = useMemo(
    () =>
      shown.flatMap(({ number, network }, index) => {
        const before = shown[index - 1]
        return before === undefined || before.network === network ? [] : [{ x: number, name: `from here ${network}` }]
      }),
    [shown],
  )
  const sources = { query: { document: RoundsDocument, variables } }
  const empty = () =>
    isWhole &&
    shown.length === 0 &&
    (nodes.length === 0
      ? 'No round is indexed: these chains have no stake.'
      : 'No round was initialised in this range.')
  return (
    <>
      <PageHead title="All rounds" tab="Rounds">
        <p class="lead">
          How much is bonded, whether power is concentrating, and whether the active set is a closed shop: at the start
          of every round that somebody initialised.
        </p>
      </PageHead>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          From round{' '}
          <input
            type="number"
            class="round-field"
            min={span?.first}
            max={span?.last}
            placeholder={span === undefined ? '' : String(span.first)}
            value={query.from ?? ''}
            onInput={(event) => set({ from: event.currentTarget.value })}
          />
        </label>
        <label>
          To round{' '}
          <input
            type="number"
            class="round-field"
            min={span?.first}
            max={span?.last}
            placeholder={span === undefined ? '' : String(span.last - 1)}
            value={query.to ?? ''}
            onInput={(event) => set({ to: event.currentTarget.value })}
          />
        </label>
        {(from !== undefined || to !== undefined) && (
          <button type="button" onClick={() => set({ from: '', to: '' })}>
            All rounds
          </button>
        )}
        {span !== undefined && from === undefined && span.last - span.first > 60 && (
          <button type="button" onClick={() => set({ from: String(span.last - 50), to: '' })}>
            The latest 50
          </button>
        )}
        <label class="tick">
          <input
            type="checkbox"
            checked={variables.holders}
            onChange={(event) => set({ holders: event.currentTarget.checked ? '1' : '' })}
          />{' '}
          everybody’s concentration too (takes longer)
        </label>
      </form>
      {problem !== undefined && <Trouble problem={problem} />}
      {!isWhole && nodes.length > 0 && problem === undefined && (
        <p class="unit" role="status">
          {countText(nodes.length)} rounds at hand, later ones follow…
        </p>
      )}
      <Panel id="stake" title="How much is bonded?" asked={asked} rows={8} empty={empty} sources={sources}>
        {() => <StakePlot rounds={shown} borders={borders} />}
      </Panel>
      <div class="columns halves">
        <Panel
          id="nakamoto"
          title="How few decide?"
          lead="The least number of active transcoders that together have a third, a half, or the quorum."
          asked={asked}
          rows={8}
          empty={empty}
        >
          {() => <NakamotoPlot rounds={shown} borders={borders} />}
        </Panel>
        <Panel
          id="gini"
          title="Is power concentrating?"
          lead="Gini coefficient: 0 where all have the same, 1 where one has all."
          asked={asked}
          rows={8}
          empty={empty}
        >
          {() => <GiniPlot rounds={shown} borders={borders} />}
        </Panel>
      </div>
      <ActiveSets query={query} set={set} rounds={shown} isWhole={isWhole} borders={borders} />
      <Panel
        id="rounds"
        title={`${countText(shown.length)} rounds`}
        asked={asked}
        rows={16}
        empty={empty}
        sources={sources}
      >
        {() => <RoundTable rounds={shown} query={query} set={set} />}
      </Panel>
    </>
  )
}

type Borders = readonly { x: number; name: string }[]

/** Where the figures of a plot stand one by one. */
function SeeTable() {
  return (
    <p>
      Every round with its figures stands in the <a href="#rounds">table of rounds</a>, and links to its snapshot.
    </p>
  )
}

function pointsOf(rounds: readonly RoundNode[], of: (round: RoundNode) => number | undefined): Series['points'] {
  return rounds.flatMap((round) => {
    const y = of(round)
    return y === undefined ? [] : [{ x: round.number, y }]
  })
}

function tokens(wei: string | null): number | undefined {
  return wei === null ? undefined : drawnTokens(BigInt(wei))
}

function StakePlot({ rounds, borders }: { rounds: readonly RoundNode[]; borders: Borders }) {
  const [first] = rounds
  const last = rounds.at(-1)
  const at = useMemo(() => new Map(rounds.map((round) => [round.number, round])), [rounds])
  const total = (round: RoundNode | undefined) =>
    round?.totalStake ? shortAmount(BigInt(round.totalStake)) : 'unknown'
  return (
    <StepLine
      label="Stake by round"
      summary={`All stake went from ${total(first)} LPT in round ${first?.number} to ${total(last)} in round ${last?.number}.`}
      series={[
        { name: 'all stake', kind: 'second', points: pointsOf(rounds, ({ totalStake }) => tokens(totalStake)) },
        {
          name: 'active stake',
          kind: 'first',
          filled: true,
          points: pointsOf(rounds, ({ totalActiveStake }) => tokens(totalActiveStake)),
        },
      ]}
      height={240}
      formatX={countText}
      formatY={(y) => shortAmount(weiOf(y))}
      marks={borders}
      tell={(x) => {
        const round = at.get(x)
        return (
          <>
            <a href={`/snapshots/${x}`}>Round {countText(x)}</a>: active{' '}
            {round?.totalActiveStake ? <Amount wei={round.totalActiveStake} /> : 'not known exactly'} of{' '}
            {round?.totalStake ? <Amount wei={round.totalStake} /> : 'not known exactly'}
          </>
        )
      }}
      table={<SeeTable />}
    />
  )
}

function NakamotoPlot({ rounds, borders }: { rounds: readonly RoundNode[]; borders: Borders }) {
  const at = useMemo(() => new Map(rounds.map((round) => [round.number, round])), [rounds])
  const last = rounds.findLast(({ concentration }) => concentration !== null)?.concentration
  return (
    <StepLine
      label="Nakamoto coefficients by round"
      summary={
        last === null || last === undefined
          ? 'Not known exactly in these rounds.'
          : `At last ${last.nakamoto33} for a third, ${last.nakamoto50} for a half${last.nakamotoQuorum === null ? '' : `, ${last.nakamotoQuorum} for the quorum`}, of ${last.count}.`
      }
      series={[
        {
          name: 'more than a half',
          kind: 'first',
          points: pointsOf(rounds, ({ concentration }) => concentration?.nakamoto50),
        },
        {
          name: 'more than a third',
          kind: 'second',
          points: pointsOf(rounds, ({ concentration }) => concentration?.nakamoto33),
        },
        {
          name: 'the quorum',
          kind: 'third dotted',
          points: pointsOf(rounds, ({ concentration }) => concentration?.nakamotoQuorum ?? undefined),
        },
      ]}
      formatX={countText}
      formatY={(y) => (Number.isInteger(y) ? countText(y) : '')}
      marks={borders}
      tell={(x) => {
        const of = at.get(x)?.concentration
        return of === null || of === undefined
          ? `Round ${countText(x)}: not known exactly`
          : `Round ${countText(x)}: ${of.nakamoto33} for a third, ${of.nakamoto50} for a half, ${of.nakamotoQuorum ?? 'none'} for the quorum, of ${of.count} active`
      }}
      table={<SeeTable />}
    />
  )
}

function GiniPlot({ rounds, borders }: { rounds: readonly RoundNode[]; borders: Borders }) {
  const at = useMemo(() => new Map(rounds.map((round) => [round.number, round])), [rounds])
  const last = rounds.findLast(({ concentration }) => concentration !== null)?.concentration
  const hasHolders = rounds.some(({ holders }) => holders !== null && holders !== undefined)
  return (
    <StepLine
      label="Gini coefficient by round"
      summary={last === null || last === undefined ? 'Not known exactly in these rounds.' : `At last ${last.gini}.`}
      series={[
        {
          name: 'active set, by votes',
          kind: 'first',
          points: pointsOf(rounds, ({ concentration }) =>
            concentration === null ? undefined : Number(concentration.gini),
          ),
        },
        ...(hasHolders
          ? [
              {
                name: 'everybody, by own stake',
                kind: 'second',
                points: pointsOf(rounds, ({ holders }) =>
                  holders === null || holders === undefined ? undefined : Number(holders.gini),
                ),
              },
            ]
          : []),
      ]}
      formatX={countText}
      formatY={(y) => y.toFixed(2)}
      marks={borders}
      tell={(x) => {
        const round = at.get(x)
        return `Round ${countText(x)}: ${round?.concentration?.gini ?? 'not known exactly'}${round?.holders ? `, everybody ${round.holders.gini}` : ''}`
      }}
      table={<SeeTable />}
    />
  )
}

/** Size and turnover of the active set. */
function ActiveSets({
  query,
  set,
  rounds,
  isWhole,
  borders,
}: {
  query: Readonly<Record<string, string>>
  set: (changes: Record<string, string>) => void
  rounds: readonly RoundNode[]
  isWhole: boolean
  borders: Borders
}) {
  const wanted = query.turnover === '1' || (isWhole && rounds.length > 0 && rounds.length <= SETS)
  const variables = { first: SETS, ...(query.network === undefined ? {} : { network: query.network }) }
  const asked = useAnswer(ActiveSetsDocument, wanted ? variables : null)
  const pages = useAllPages<SetNode>(JSON.stringify(variables), asked.answer?.data?.rounds, async (after) => {
    const { data, problems } = await ask(ActiveSetsDocument, { ...variables, after })
    return data?.rounds ?? problems[0] ?? NOTHING
  })
  const sizes = pointsOf(rounds, ({ concentration }) => concentration?.count)
  const [first, last] = [rounds[0]?.number ?? 0, rounds.at(-1)?.number ?? 0]
  const sets = useMemo(
    () =>
      pages.nodes.flatMap(({ number, activeTranscoders }) =>
        activeTranscoders === null || number < first || number > last
          ? []
          : [{ number, accounts: activeTranscoders.map(({ account }) => account) }],
      ),
    [pages.nodes, first, last],
  )
  const turnover = useMemo(() => new Map(turnoverOf(sets).map((of) => [of.number, of])), [sets])
  const { ever, always } = useMemo(() => everAndAlways(sets), [sets])
  const changes = (of: (turnover: Turnover) => number): Series['points'] =>
    [...turnover.values()].map((one) => ({ x: one.number, y: of(one) }))
  if (rounds.length === 0) return null
  return (
    <Panel
      id="active-set"
      title="Is it a closed shop?"
      lead="How many transcoders are active, and how many entered or left since the round before."
    >
      {!wanted && (
        <p>
          <button type="button" onClick={() => set({ turnover: '1' })}>
            Ask for all active sets, to see who entered and left
          </button>
        </p>
      )}
      {pages.problem !== undefined && <Trouble problem={pages.problem} />}
      {wanted && !pages.isWhole && pages.problem === undefined && (
        <p class="unit" role="status">
          {countText(pages.nodes.length)} active sets at hand, later ones follow…
        </p>
      )}
      <StepLine
        label="Active set by round"
        summary={
          sets.length === 0
            ? `At last ${sizes.at(-1)?.y ?? 0} are active.`
            : `${countText(ever)} accounts were active in these rounds, ${countText(always)} of them in all.`
        }
        series={[
          { name: 'active', kind: 'first', points: sizes, filled: true },
          ...(turnover.size === 0
            ? []
            : [
                { name: 'entered', kind: 'for', points: changes(({ entered }) => entered) },
                { name: 'left', kind: 'against', points: changes(({ left }) => left) },
              ]),
        ]}
        formatX={countText}
        formatY={(y) => (Number.isInteger(y) ? countText(y) : '')}
        marks={borders}
        tell={(x) => {
          const of = turnover.get(x)
          const size = of?.size ?? sizes.find((point) => point.x === x)?.y
          return `Round ${countText(x)}: ${size ?? 'unknown'} active${of === undefined ? '' : `, ${of.entered} entered, ${of.left} left`}`
        }}
        table={<SeeTable />}
      />
    </Panel>
  )
}

function roundColumns(hasHolders: boolean): readonly Column<RoundNode>[] {
  const amount = (wei: string | null) => (wei === null ? <Refused problem={undefined} /> : <Amount wei={wei} unit="" />)
  const count = (
    name: string,
    about: string,
    of: (round: RoundNode) => number | string | null | undefined,
  ): Column<RoundNode> => ({
    name,
    about,
    number: true,
    minor: true,
    by: (round) => Number(of(round) ?? -1),
    cell: (round) => of(round) ?? '–',
  })
  return [
    {
      name: 'Round',
      number: true,
      by: ({ number }) => number,
      cell: ({ number }) => <a href={`/snapshots/${number}`}>{countText(number)}</a>,
    },
    { name: 'Chain', by: ({ network }) => network, cell: ({ network }) => network, minor: true },
    {
      name: 'Began',
      by: ({ initializedAt }) => initializedAt.timestamp,
      cell: ({ initializedAt }) => <When at={initializedAt.timestamp} brief />,
      minor: true,
    },
    {
      name: 'Active stake',
      number: true,
      by: ({ totalActiveStake }) => BigInt(totalActiveStake ?? 0),
      cell: ({ totalActiveStake }) => amount(totalActiveStake),
    },
    {
      name: 'All stake',
      number: true,
      by: ({ totalStake }) => BigInt(totalStake ?? 0),
      cell: ({ totalStake }) => amount(totalStake),
    },
    {
      name: 'Active of all',
      number: true,
      minor: true,
      cell: ({ totalActiveStake, totalStake }) =>
        totalActiveStake === null || totalStake === null
          ? '–'
          : percentText(BigInt(totalActiveStake), BigInt(totalStake)),
    },
    count('Active', 'How many transcoders were active', ({ concentration }) => concentration?.count),
    count('1/3', 'How few have more than a third of the votes', ({ concentration }) => concentration?.nakamoto33),
    count('1/2', 'How few have more than a half of the votes', ({ concentration }) => concentration?.nakamoto50),
    count('Quorum', 'How few reach the governor’s quorum', ({ concentration }) => concentration?.nakamotoQuorum),
    count('Gini', 'Of the active set, by votes', ({ concentration }) => concentration?.gini),
    ...(hasHolders ? [count('Gini of all', 'Of everybody, by own stake', ({ holders }) => holders?.gini)] : []),
  ]
}

function RoundTable({
  rounds,
  query,
  set,
}: {
  rounds: readonly RoundNode[]
  query: Readonly<Record<string, string>>
  set: (changes: Record<string, string>) => void
}) {
  const hasHolders = rounds.some(({ holders }) => holders !== null && holders !== undefined)
  const columns = useMemo(() => roundColumns(hasHolders), [hasHolders])
  return (
    <Table
      caption="Rounds, stake in LPT"
      columns={columns}
      rows={rounds}
      keyOf={({ number }) => String(number)}
      order={orderOf(query.sort, columns) ?? LATEST}
      onOrder={(order) => set({ sort: orderText(order) })}
    />
  )
}
