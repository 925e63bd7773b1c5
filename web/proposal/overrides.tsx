import { useReducer } from 'preact/hooks'
import { compareAmounts, countText } from '../amounts.ts'
import { SplitBar } from '../charts/bars.tsx'
import type { Choice, VotingSystem } from '../generated/proposal.ts'
import { Address, Amount } from '../parts/figures.tsx'
import { choiceName, unitOf } from '../parts/proposals.tsx'
import { Table } from '../parts/table.tsx'
import type { ToldVote } from './counting.ts'
import { nestedRows, type VoteRow } from './nesting.ts'
import { CHOICE_KINDS, ChoiceMark } from './votes.tsx'

/** So many transcoders are shown at first, those from whom most was taken. */
const SHOWN = 20

/** From whom weight was taken: cast = counted + taken, a bar for each transcoder. */
export function Overrides({
  system,
  votes,
  turns,
}: {
  system: VotingSystem
  votes: readonly ToldVote[]
  /** Whether the outcome would have been another one without; undefined where that cannot be told. */
  turns: boolean | undefined
}) {
  const heads = nestedRows(votes).filter(({ depth, takers }) => depth === 0 && takers > 0)
  const sorted = [...heads].sort((a, b) => compareAmounts(b.taken, a.taken))
  const [isWhole, showAll] = useReducer(() => true, false)
  const unit = unitOf(system)
  const taken = heads.filter(({ vote }) => vote !== null)
  const sum = taken.reduce((all, row) => all + row.taken, 0n)
  const most = taken.reduce((max, { vote }) => (BigInt(vote?.weight ?? 0) > max ? BigInt(vote?.weight ?? 0) : max), 0n)
  return (
    <>
      <p>
        {countText(heads.reduce((all, { takers }) => all + takers, 0))} delegators voted themselves.{' '}
        {sum > 0n && (
          <>
            <Amount wei={sum} unit={unit} /> was taken off {countText(taken.length)} transcoders that voted too.{' '}
          </>
        )}
        {turns === true && <b>Without that the outcome would have been the other one.</b>}
        {turns === false && 'Without that the outcome would have been the same.'}
      </p>
      <Table
        caption="Overrides, by transcoder"
        columns={[
          {
            name: 'Transcoder',
            cell: ({ account, vote }) => (
              <>
                <Address of={account} />
                <br />
                {vote === null ? (
                  <span class="unit">did not vote</span>
                ) : (
                  <ChoiceMark choice={vote.choice} system={system} />
                )}
              </>
            ),
          },
          {
            name: 'Cast = counted + taken',
            wide: true,
            cell: (row) => <TakenBar row={row} votes={votes} whole={most} system={system} />,
          },
          {
            name: 'Cast',
            number: true,
            minor: true,
            cell: ({ vote }) => (vote === null ? '–' : <Amount wei={vote.weight} unit={unit} bare />),
          },
          { name: 'Taken', number: true, cell: ({ taken: weight }) => <Amount wei={weight} unit={unit} bare /> },
          {
            name: 'Counted',
            number: true,
            unit,
            minor: true,
            cell: ({ vote }) => (vote === null ? '–' : <Amount wei={vote.countedWeight} unit={unit} bare />),
          },
          { name: 'Taken by', number: true, cell: ({ takers }) => countText(takers) },
        ]}
        rows={isWhole ? sorted : sorted.slice(0, SHOWN)}
        keyOf={({ key }) => key}
        total={heads.length}
      />
      {sorted.length > SHOWN && !isWhole && (
        <p>
          <button type="button" onClick={() => showAll(undefined as never)}>
            Show all {countText(sorted.length)}
          </button>
        </p>
      )}
    </>
  )
}

function TakenBar({
  row: { account, vote, taken },
  votes,
  whole,
  system,
}: {
  row: VoteRow
  votes: readonly ToldVote[]
  whole: bigint
  system: VotingSystem
}) {
  if (vote === null) return <span class="unit">it did not vote: there was nothing to take off</span>
  const by = (choice: Choice) =>
    votes
      .filter((one) => one.overrides === account && one.choice === choice)
      .reduce((sum, one) => sum + BigInt(one.weight), 0n)
  return (
    <SplitBar
      label={`Weight of ${account}`}
      whole={whole > taken ? whole : taken}
      parts={[
        {
          name: `counted ${choiceName(vote.choice, system)}`,
          amount: BigInt(vote.countedWeight),
          kind: CHOICE_KINDS[vote.choice],
        },
        ...(['FOR', 'AGAINST', 'ABSTAIN'] as const).map((choice) => ({
          name: `taken for ${choiceName(choice, system)}`,
          amount: by(choice),
          kind: `${CHOICE_KINDS[choice]} taken`,
        })),
      ]}
    />
  )
}
