import { useId, useReducer } from 'preact/hooks'
import { countText, percentText } from '../amounts.ts'
import type { Choice, VotingSystem } from '../generated/proposal.ts'
import { Address, Amount, When } from '../parts/figures.tsx'
import { choiceName, unitOf } from '../parts/proposals.tsx'
import { type Column, type Order, Table } from '../parts/table.tsx'
import { allWeighed } from '../weights.ts'
import type { ToldVote, VoteAsTold } from './counting.ts'
import { flatRows, nestedRows, type VoteRow } from './nesting.ts'

/** How style.css names a choice. */
export const CHOICE_KINDS = { FOR: 'for', AGAINST: 'against', ABSTAIN: 'abstain' } as const

/** A choice by its word and its mark. */
export function ChoiceMark({ choice, system }: { choice: Choice; system: VotingSystem }) {
  return <span class={`choice ${CHOICE_KINDS[choice]}`}>{choiceName(choice, system)}</span>
}

/** What of the votes is shown, as the page's address has it. */
export interface VotesShown {
  isNested: boolean
  choice: Choice | undefined
  order: Order | undefined
  filter: string
}

/** Every vote: as cast, or under the transcoder whose weight it was taken from. */
export function Votes({
  system,
  votes: told,
  total,
  shown,
  onShow,
}: {
  system: VotingSystem
  votes: readonly VoteAsTold[]
  total: number
  shown: VotesShown
  onShow: (next: Partial<Record<'view' | 'choice' | 'sort' | 'filter', string>>, isTyping?: boolean) => void
}) {
  const weighed = allWeighed(told)
  // Who voted for what is known without what it weighs; none of these figures is shown then.
  const votes = weighed ?? told.map((vote) => ({ ...vote, weight: '0', countedWeight: '0' }))
  const { choice, order, filter } = shown
  const isNested = shown.isNested && weighed !== undefined
  const isShown = (vote: ToldVote) => choice === undefined || vote.choice === choice
  const rows = isNested
    ? nestedRows(votes, isShown)
    : flatRows(votes).filter(({ vote }) => vote !== null && isShown(vote))
  const cast = votes.reduce((sum, { countedWeight }) => sum + BigInt(countedWeight), 0n)
  const choices: Choice[] = system === 'TREASURY' ? ['FOR', 'AGAINST', 'ABSTAIN'] : ['FOR', 'AGAINST']
  return (
    <Table
      caption="Votes"
      columns={columnsOf(system, cast, isNested, rows).filter(
        ({ name }) => weighed !== undefined || !WEIGHTS.has(name),
      )}
      rows={rows}
      keyOf={({ key }) => key}
      order={isNested ? undefined : order}
      onOrder={
        isNested ? undefined : ({ column, descending }) => onShow({ sort: `${column}.${descending ? 'desc' : 'asc'}` })
      }
      filter={filter}
      onFilter={(text) => onShow({ filter: text }, filter !== '')}
      filterName="Voter or reason"
      total={total}
      tools={
        <>
          <label>
            Choice{' '}
            <select value={choice ?? ''} onChange={(event) => onShow({ choice: event.currentTarget.value })}>
              <option value="">All</option>
              {choices.map((one) => (
                <option key={one} value={one}>
                  {choiceName(one, system)}
                </option>
              ))}
            </select>
          </label>
          {weighed === undefined && <span class="refused not-exact">what each weighs is not known exactly</span>}
          {system !== 'ARAGON' && weighed !== undefined && (
            <label>
              <input
                type="checkbox"
                checked={isNested}
                onChange={(event) => onShow({ view: event.currentTarget.checked ? 'nested' : '' })}
              />{' '}
              delegators under their transcoder
            </label>
          )}
        </>
      }
    />
  )
}

/** Columns of what votes weigh. */
const WEIGHTS = new Set(['Cast', 'Taken off', 'Counted', 'Share'])

function columnsOf(system: VotingSystem, cast: bigint, isNested: boolean, rows: readonly VoteRow[]): Column<VoteRow>[] {
  const unit = unitOf(system)
  // A filter keeps a transcoder and those under it together.
  const textOf = (row: VoteRow) =>
    `${row.account} ${row.vote?.reason ?? ''} ${isNested ? (row.vote?.overrides ?? '') : ''}`
  const groups = new Map<string, string>()
  if (isNested) {
    for (const row of rows) {
      const head = row.depth === 0 ? row.account : (row.vote?.overrides ?? row.account)
      groups.set(head, `${groups.get(head) ?? ''} ${textOf(row)}`)
    }
  }
  const hasReasons = rows.some(({ vote }) => vote !== null && vote.reason !== null)
  return [
    {
      name: 'Voter',
      text: (row) =>
        isNested ? (groups.get(row.depth === 0 ? row.account : (row.vote?.overrides ?? '')) ?? '') : textOf(row),
      by: ({ account }) => account,
      cell: ({ account, vote, depth, takers }) =>
        depth === 1 ? (
          <span class="nested">
            <span aria-hidden="true">↳ </span>
            <Address of={account} />
          </span>
        ) : (
          <>
            <Address of={account} />
            {vote === null && <span class="unit"> did not vote; {countText(takers)} of its delegators did</span>}
          </>
        ),
    },
    {
      name: 'Choice',
      by: ({ vote }) => vote?.choice ?? '',
      cell: ({ vote }) =>
        vote === null ? (
          <span class="unit">none</span>
        ) : (
          <>
            <ChoiceMark choice={vote.choice} system={system} />
            {vote.earlier.length > 0 && <Earlier vote={vote} system={system} />}
          </>
        ),
    },
    {
      name: 'Cast',
      about: 'The voter’s own power, as the voting system read it',
      number: true,
      minor: true,
      by: ({ vote }) => BigInt(vote?.weight ?? 0),
      cell: ({ vote }) => (vote === null ? '–' : <Amount wei={vote.weight} unit={unit} bare />),
    },
    ...(system === 'ARAGON'
      ? []
      : [
          {
            name: 'Taken off',
            about: 'What its delegators that voted themselves took from its weight',
            number: true,
            minor: true,
            by: ({ taken }: VoteRow) => taken,
            cell: ({ taken, takers, vote }: VoteRow) =>
              taken === 0n ? (
                '–'
              ) : (
                <span title={`by ${countText(takers)} of its delegators`}>
                  {vote === null ? '' : '− '}
                  <Amount wei={taken} unit={unit} bare />
                </span>
              ),
          },
        ]),
    {
      name: 'Counted',
      about: 'What went into the tally: cast, less what was taken off',
      number: true,
      unit,
      by: ({ vote }) => BigInt(vote?.countedWeight ?? 0),
      cell: ({ vote }) => (vote === null ? '–' : <Amount wei={vote.countedWeight} unit={unit} bare />),
    },
    {
      name: 'Share',
      about: 'Counted, of all that was counted',
      number: true,
      minor: true,
      cell: ({ vote }) => (vote === null ? '–' : percentText(BigInt(vote.countedWeight), cast)),
    },
    {
      name: 'When',
      minor: true,
      by: ({ vote }) => vote?.castAt.timestamp ?? '',
      cell: ({ vote }) => (vote === null ? '–' : <When at={vote.castAt.timestamp} round={vote.castAt.round} brief />),
    },
    ...(hasReasons
      ? [
          {
            name: 'Reason',
            wide: true,
            minor: true,
            cell: ({ vote }: VoteRow) => (vote === null || vote.reason === null ? '–' : <Reason text={vote.reason} />),
          },
        ]
      : []),
  ]
}

/** A reason as its voter wrote it: a line, and all of it at a click. */
function Reason({ text }: { text: string }) {
  const id = useId()
  if (text.length <= 60 && !text.includes('\n')) {
    return (
      <bdi class="reason" dir="auto">
        {text}
      </bdi>
    )
  }
  return (
    <>
      <button type="button" class="link reason" popovertarget={id}>
        <bdi dir="auto">{Array.from(text.slice(0, 120)).slice(0, 55).join('')}…</bdi>
      </button>
      <div id={id} popover="auto" class="exact prose">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
        <p class="as-written" dir="auto" tabIndex={0}>
          {text}
        </p>
      </div>
    </>
  )
}

/** What the same voter sent before. */
function Earlier({ vote: { earlier }, system }: { vote: ToldVote; system: VotingSystem }) {
  const id = useId()
  // What few open is not drawn for all.
  const [wasOpened, open] = useReducer(() => true, false)
  return (
    <>
      {' '}
      <button type="button" class="link earlier" popovertarget={id}>
        {countText(earlier.length)} before
      </button>
      <div id={id} popover="auto" class="exact" onBeforeToggle={() => open(undefined as never)}>
        {wasOpened && (
          <>
            <p>Sent before the choice that counts, oldest first:</p>
            <ol class="earlier-votes">
              {earlier.map(({ choice, rawChoice, castAt }) => (
                <li key={`${castAt.block} ${castAt.logIndex}`}>
                  {choice === null ? (
                    <>{rawChoice}, which is no choice</>
                  ) : (
                    <ChoiceMark choice={choice} system={system} />
                  )}{' '}
                  <span class="unit">
                    <When at={castAt.timestamp} brief />
                  </span>
                </li>
              ))}
            </ol>
          </>
        )}
      </div>
    </>
  )
}
