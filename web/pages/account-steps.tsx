import { useMemo } from 'preact/hooks'
import { countText, shortAmount } from '../amounts.ts'
import { drawnTokens, weiOf } from '../charts/drawn.ts'
import { StepLine } from '../charts/step-line.tsx'
import type { AccountHistoryQuery } from '../generated/account-history.ts'
import { Amount, labels } from '../parts/figures.tsx'
import { Refused } from '../parts/panel.tsx'
import { Role } from '../parts/role.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { heldAt, movesOf } from './account-history.ts'

/** What an account had from a round on, until the next one told. */
export type HistoryNode = NonNullable<AccountHistoryQuery['account']['votingPowerHistory']>['nodes'][number]

/** Votes and stake of one account round by round, up to the last that is there. */
export function Steps({
  history,
  last,
  round,
}: {
  history: readonly HistoryNode[]
  last: number
  round: number | undefined
}) {
  const moves = useMemo(() => movesOf(history), [history])
  const end = history.at(-1)
  if (end === undefined) return null
  const until = Math.max(last, end.round)
  const series = (of: (node: HistoryNode) => string | null) => {
    const points = history.flatMap((node) => {
      const amount = of(node)
      return amount === null ? [] : [{ x: node.round, y: drawnTokens(BigInt(amount)) }]
    })
    const [latest] = points.slice(-1)
    return latest === undefined ? [] : [...points, { x: until, y: latest.y }]
  }
  const isDelegate = history.some(({ delegatedStake }) => BigInt(delegatedStake) > 0n)
  const knowsOwn = history.some(({ stake }) => stake !== null)
  // Names only where they can be told apart.
  const named = moves.length <= 6
  return (
    <StepLine
      label="Power by round"
      summary={`${countText(history.length)} rounds changed it; ${moves.length === 0 ? 'it never had a delegate' : `its delegate changed ${countText(moves.length)} ${moves.length === 1 ? 'time' : 'times'}`}.`}
      series={[
        ...(isDelegate
          ? [
              {
                name: 'delegated to it',
                kind: 'third',
                points: series(({ delegatedStake }) => delegatedStake),
                filled: true,
              },
            ]
          : []),
        ...(knowsOwn ? [{ name: 'own stake', kind: 'first', points: series(({ stake }) => stake), filled: true }] : []),
        { name: 'votes', kind: 'second', points: series(({ votes }) => votes) },
      ]}
      formatX={countText}
      formatY={(y) => shortAmount(weiOf(y))}
      marks={[
        ...moves.map(({ round: x, to }) => ({
          x,
          name: named ? (to === null ? 'no delegate' : `to ${labels.value[to] ?? to.slice(0, 8)}`) : '',
        })),
        ...(round === undefined || round >= until || round < (history[0]?.round ?? 0)
          ? []
          : [{ x: round, name: `round ${round}` }]),
      ]}
      tell={(x) => {
        const held = heldAt(history, x)
        if (held === undefined) return `Round ${countText(x)}: nothing`
        return (
          <>
            Round {countText(x)}: votes <Amount wei={held.votes} />
            {held.stake !== null && (
              <>
                , own stake <Amount wei={held.stake} />
              </>
            )}
            {BigInt(held.delegatedStake) > 0n && (
              <>
                , delegated to it <Amount wei={held.delegatedStake} />
              </>
            )}
          </>
        )
      }}
      table={
        <Table
          caption="Power by round, in LPT"
          columns={HISTORY_COLUMNS}
          rows={[...history].reverse()}
          keyOf={({ round: of }) => String(of)}
        />
      }
    />
  )
}

const HISTORY_COLUMNS: readonly Column<HistoryNode>[] = [
  { name: 'From round', cell: ({ round }) => <a href={`/snapshots/${round}`}>{countText(round)}</a> },
  { name: 'Votes', number: true, cell: ({ votes }) => <Amount wei={votes} unit="" /> },
  {
    name: 'Own stake',
    number: true,
    cell: ({ stake }) => (stake === null ? <Refused problem={undefined} /> : <Amount wei={stake} unit="" />),
  },
  {
    name: 'Delegated',
    number: true,
    minor: true,
    cell: ({ delegatedStake }) => <Amount wei={delegatedStake} unit="" />,
  },
  {
    name: 'Delegate',
    cell: ({ delegate }) =>
      delegate === null ? (
        'none'
      ) : (
        <a href={`/accounts/${delegate}`}>{labels.value[delegate] ?? delegate.slice(0, 8)}</a>
      ),
  },
  { name: 'Role', cell: (node) => <Role of={node} />, minor: true },
]
