import { useMemo } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { VoteChoice } from '../../api/rules/proposal.ts'
import type { Counting } from '../../api/rules/proposal-count.ts'
import { type Changes, recount } from '../../api/rules/recount.ts'
import { countText } from '../amounts.ts'
import { useAnswer } from '../ask.ts'
import type { VotingSystem } from '../generated/proposal.ts'
import { ProposalRecountDocument } from '../generated/proposal-recount.ts'
import { Address, Amount } from '../parts/figures.tsx'
import { Answered, CopyButton, Refused } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { choiceName, unitOf } from '../parts/proposals.tsx'
import { Table } from '../parts/table.tsx'
import { WhenOpen } from '../parts/when-open.tsx'
import { problemAt } from '../problems.ts'
import {
  changesOf,
  isAnything,
  NOTHING,
  partsOfPercent,
  percentOfParts,
  queryOf,
  recountFile,
  recountInput,
  withChoice,
} from './changes.ts'
import type { ToldAbsentee, ToldProposal, ToldVote } from './counting.ts'
import { type Figures, Meters, supportName } from './result.tsx'
import { ChoiceMark } from './votes.tsx'

/** Servers on the way may refuse longer addresses. */
const LONGEST_LINK = 7_000

interface Result extends Figures {
  turns: boolean
  passed: boolean | null
}

/** The proposal counted anew under conditions of the reader's own: hypothetical, and the same for whoever has the link. */
export default function WhatIf({
  proposal,
  counting,
  votes,
  absentees,
  rounds,
}: {
  proposal: ToldProposal
  counting: Counting
  votes: readonly ToldVote[]
  absentees: readonly ToldAbsentee[]
  /** Rounds whose stake can be taken; undefined where there are none. */
  rounds: { first: number; last: number } | undefined
}) {
  const { path, query, route } = useLocation()
  const { system } = proposal
  const changes = changesOf(query, system)
  const set = (next: Partial<Changes>) => route(placeWith(path, query, queryOf({ ...changes, ...next })), true)
  const isChanged = isAnything(changes)
  return (
    <div class="what-if">
      <div class="columns halves">
        <fieldset class="levers">
          <legend class="unseen">Hypothetical conditions</legend>
          <PartLever
            name="Quorum"
            real={partsOf(counting.rule.quorum)}
            value={changes.quorum}
            onChange={(quorum) => set({ quorum })}
          />
          <PartLever
            name={`Support, of ${supportName(system)}`}
            real={partsOf(counting.rule.support)}
            value={changes.support}
            onChange={(support) => set({ support })}
          />
          <label>
            <input
              type="checkbox"
              checked={changes.strict ?? counting.rule.strict}
              onChange={({ currentTarget: { checked } }) =>
                set({ strict: checked === counting.rule.strict ? null : checked })
              }
            />{' '}
            support must be more than that: a tie fails
          </label>
          {system !== 'ARAGON' && (
            <>
              <label>
                <input
                  type="checkbox"
                  checked={changes.overrides ?? counting.rule.overrides}
                  onChange={({ currentTarget: { checked } }) =>
                    set({ overrides: checked === counting.rule.overrides ? null : checked })
                  }
                />{' '}
                delegators’ votes are taken off their transcoder’s
              </label>
              {system === 'POLL' && (
                <label>
                  <input
                    type="checkbox"
                    checked={changes.ofActiveStake ?? false}
                    onChange={({ currentTarget: { checked } }) => set({ ofActiveStake: checked ? true : null })}
                  />{' '}
                  the quorum is of the active set’s stake, as the public explorer has it, not of all (LIP-16)
                </label>
              )}
              {rounds !== undefined && (
                <RoundLever rounds={rounds} value={changes.round} onChange={(round) => set({ round })} />
              )}
            </>
          )}
          {location.href.length > LONGEST_LINK && (
            <p class="note">This changes so many voters that the page’s address is too long for some servers.</p>
          )}
          <p class="trouble-foot">
            <button type="button" disabled={!isChanged} onClick={() => set(NOTHING)}>
              As it was
            </button>
            <CopyButton text={() => `${location.href.split('#')[0]}#what-if`}>Copy the link to this</CopyButton>
            <a href={recountFile(proposal.id, changes, 'csv')} download>
              CSV
            </a>
            <a href={recountFile(proposal.id, changes, 'json')} download>
              JSON
            </a>
          </p>
        </fieldset>
        <div class="hypothesis" role="status">
          {changes.round === null && canCountHere(changes, absentees, votes) ? (
            <CountedHere proposal={proposal} counting={counting} changes={changes} />
          ) : (
            <CountedThere proposal={proposal} counting={counting} changes={changes} />
          )}
        </div>
      </div>
      <WhenOpen
        summary="Hypothetical: drop voters, turn them, let absentees vote"
        isOpen={changes.without.length + changes.choices.length > 0}
      >
        <Voters system={system} votes={votes} absentees={absentees} changes={changes} onChange={set} />
      </WhenOpen>
    </div>
  )
}

/**
 * Whether the browser knows what all those chosen for could vote with. Of who took part in no way it does not; nor of an
 * absentee whose power is told as nothing, from whom more may have been taken than it had.
 */
function canCountHere(
  { choices }: Changes,
  absentees: readonly Pick<ToldAbsentee, 'account' | 'power'>[],
  votes: readonly Pick<ToldVote, 'voter'>[],
): boolean {
  if (choices.length === 0) return true
  const known = new Set([
    ...votes.map(({ voter }) => voter),
    ...absentees.filter(({ power }) => power !== '0').map(({ account }) => account),
  ])
  return choices.every(({ voter }) => known.has(voter))
}

function partsOf({ numerator, denominator }: { numerator: bigint; denominator: bigint }): number {
  return Number((numerator * 1_000_000n) / denominator)
}

function CountedHere({
  proposal,
  counting,
  changes,
}: {
  proposal: ToldProposal
  counting: Counting
  changes: Changes
}) {
  const { outcome } = proposal
  const recounted = useMemo(
    () => recount(counting, changes, { passed: outcome?.passed ?? null }),
    [counting, JSON.stringify(changes), outcome?.passed],
  )
  const { sums, electorate, quorum, final, passed, quorumReached, supportReached, turns } = recounted
  const result: Result = {
    system: proposal.system,
    tally: {
      for: String(sums.for),
      against: String(sums.against),
      abstain: String(sums.abstain),
      electorate: String(electorate),
      quorum: String(quorum),
      final,
    },
    outcome: { quorumReached, supportReached },
    rule: ruleOf(counting, changes),
    passed,
    turns,
  }
  return (
    <Hypothesis
      result={result}
      isChanged={isAnything(changes)}
      proposal={proposal}
      by="Counted in this browser by the API’s own rules."
    />
  )
}

/** By the API: stake of another round is not at hand here, nor what somebody had that took no part. */
function CountedThere({
  proposal,
  counting,
  changes,
}: {
  proposal: ToldProposal
  counting: Counting
  changes: Changes
}) {
  const asked = useAnswer(ProposalRecountDocument, { id: proposal.id, with: recountInput(changes) })
  return (
    <Answered asked={asked}>
      {(data) => {
        const recounted = data.proposal?.recount
        if (!recounted) {
          return (
            <p>
              Hypothetical: <Refused problem={problemAt(asked.answer?.problems ?? [], 'proposal', 'recount')} />{' '}
              {problemAt(asked.answer?.problems ?? [], 'proposal', 'recount')?.message}
            </p>
          )
        }
        const { tally, outcome, turns } = recounted
        const { system } = proposal
        const result = { system, tally, outcome, rule: ruleOf(counting, changes), passed: outcome.passed, turns }
        return (
          <Hypothesis
            result={result}
            isChanged
            proposal={proposal}
            by="Counted by the API, which has the stake for it."
          />
        )
      }}
    </Answered>
  )
}

function ruleOf({ rule }: Counting, { quorum, support, strict }: Changes): Figures['rule'] {
  const part = ({ numerator, denominator }: typeof rule.quorum, changed: number | null) =>
    changed === null
      ? { numerator: String(numerator), denominator: String(denominator) }
      : { numerator: String(changed), denominator: '1000000' }
  return {
    quorum: part(rule.quorum, quorum),
    support: part(rule.support, support),
    quorumChoices: [...rule.quorumChoices],
    strict: strict ?? rule.strict,
  }
}

function Hypothesis({
  result,
  isChanged,
  by,
  proposal: { state, outcome: real },
}: {
  result: Result
  isChanged: boolean
  by: string
  proposal: ToldProposal
}) {
  const { passed, outcome: reached } = result
  const isOpen = state === 'PENDING' || state === 'ACTIVE'
  const stands = reached.quorumReached && reached.supportReached
  // While voting is open nothing has passed or failed: what it would come to, were it over now, is compared.
  const turns = isOpen ? stands !== (real?.quorumReached === true && real.supportReached) : result.turns
  const outcome = isOpen
    ? `as it stands it would ${stands ? 'pass' : 'fail'}`
    : passed === true
      ? 'it would have passed'
      : 'it would not have passed'
  return (
    <>
      <h3>
        {isChanged ? 'Hypothetical: ' : 'Hypothetical, with nothing changed: '}
        {isChanged ? outcome : 'as it is'}
      </h3>
      {isChanged && (
        <p class={turns ? 'turns' : 'unit'}>
          {turns ? (
            <b>That turns {isOpen ? 'where it stands' : 'the outcome'}.</b>
          ) : isOpen ? (
            'It stands where it does without that.'
          ) : (
            'The outcome stays what it was.'
          )}
        </p>
      )}
      {state === 'CANCELED' && <p class="note">It was withdrawn, and so passes under no conditions.</p>}
      <Meters figures={result} isOpen={isOpen} />
      <p class="unit">{by}</p>
    </>
  )
}

/** A percentage, by slider and by number; null where it is as it was. */
function PartLever({
  name,
  real,
  value,
  onChange,
}: {
  name: string
  real: number
  value: number | null
  onChange: (value: number | null) => void
}) {
  const parts = value ?? real
  const changeTo = (next: number | null) => onChange(next === null || next === real ? null : next)
  return (
    <div class="lever">
      <label class="lever-name">
        <span>
          {name} <span class="unit">(was {percentOfParts(real)} %)</span>
        </span>
        <input
          type="range"
          min="0"
          max="1000000"
          step="100"
          value={parts}
          aria-valuetext={`${percentOfParts(parts)} %`}
          onInput={(event) => changeTo(Number(event.currentTarget.value))}
        />
      </label>
      <label class="lever-number">
        <span class="unseen">{name} in percent</span>
        <input
          type="text"
          inputMode="decimal"
          size={7}
          value={percentOfParts(parts)}
          onChange={(event) => {
            const typed = partsOfPercent(event.currentTarget.value)
            if (typed === null) event.currentTarget.value = percentOfParts(parts)
            else changeTo(typed)
          }}
        />{' '}
        %
      </label>
    </div>
  )
}

function RoundLever({
  rounds: { first, last },
  value,
  onChange,
}: {
  rounds: { first: number; last: number }
  value: number | null
  onChange: (value: number | null) => void
}) {
  return (
    <div class="lever">
      <label class="lever-name">
        <span>
          Stake at the start of round{' '}
          <span class="unit">
            ({countText(first)} to {countText(last)}; blank: its own moment)
          </span>
        </span>
        <input
          type="range"
          min={first}
          max={last}
          value={value ?? last}
          onInput={(event) => onChange(Number(event.currentTarget.value))}
        />
      </label>
      <label class="lever-number">
        <span class="unseen">Round</span>
        <input
          type="number"
          min={first}
          max={last}
          value={value ?? ''}
          onChange={(event) => {
            const text = event.currentTarget.value
            onChange(text === '' ? null : Math.min(last, Math.max(first, Math.trunc(Number(text)))))
          }}
        />
      </label>
    </div>
  )
}

interface Row {
  account: string
  choice: VoteChoice | null
  weight: bigint
}

/** Everybody who voted or could have, and what each is taken to do. */
function Voters({
  system,
  votes,
  absentees,
  changes,
  onChange,
}: {
  system: VotingSystem
  votes: readonly ToldVote[]
  absentees: readonly ToldAbsentee[]
  changes: Changes
  onChange: (changes: Changes) => void
}) {
  const { path, query, route } = useLocation()
  const rows = useMemo(
    (): Row[] => [
      ...votes.map(({ voter, choice, countedWeight }) => ({ account: voter, choice, weight: BigInt(countedWeight) })),
      ...absentees.map(({ account, power }) => ({ account, choice: null, weight: BigInt(power) })),
    ],
    [votes, absentees],
  )
  const sorted = useMemo(
    () => [...rows].sort((a, b) => (a.weight > b.weight ? -1 : a.weight < b.weight ? 1 : 0)),
    [rows],
  )
  const without = new Set(changes.without)
  const chosen = new Map(changes.choices.map(({ voter, choice }) => [voter, choice]))
  const strangers = [...without, ...chosen.keys()].filter((voter) => !rows.some(({ account }) => account === voter))
  const choices: VoteChoice[] = system === 'TREASURY' ? ['FOR', 'AGAINST', 'ABSTAIN'] : ['FOR', 'AGAINST']
  const filter = query.who ?? ''
  return (
    <div class="voters">
      <Table<Row>
        caption="Hypothetical choices"
        rows={sorted}
        keyOf={({ account }) => account}
        filter={filter}
        onFilter={(who) => route(placeWith(path, query, { who }), true)}
        filterName="Account"
        tools={
          changes.without.length + changes.choices.length > 0 && (
            <button type="button" class="link" onClick={() => onChange({ ...changes, without: [], choices: [] })}>
              All as they were ({countText(changes.without.length + changes.choices.length)} are not)
            </button>
          )
        }
        columns={[
          { name: 'Account', text: ({ account }) => account, cell: ({ account }) => <Address of={account} /> },
          {
            name: 'Was',
            cell: ({ choice }) =>
              choice === null ? <span class="unit">absent</span> : <ChoiceMark choice={choice} system={system} />,
          },
          {
            name: 'Weight',
            about: 'What was counted of it, or what its vote would have added',
            number: true,
            minor: true,
            cell: ({ weight }) => <Amount wei={weight} unit={unitOf(system)} />,
          },
          {
            name: 'What if',
            cell: ({ account, choice }) => {
              const value = without.has(account) ? 'NONE' : (chosen.get(account) ?? 'AS_IT_WAS')
              return (
                <select
                  class={value === 'AS_IT_WAS' ? undefined : 'changed'}
                  aria-label={`What if ${account}`}
                  value={value}
                  onChange={({ currentTarget }) =>
                    onChange(withChoice(changes, account, currentTarget.value as VoteChoice | 'NONE' | 'AS_IT_WAS'))
                  }
                >
                  <option value="AS_IT_WAS">as it was</option>
                  {choices
                    .filter((one) => one !== choice)
                    .map((one) => (
                      <option key={one} value={one}>
                        {choiceName(one, system)}
                      </option>
                    ))}
                  {choice !== null && <option value="NONE">did not vote</option>}
                </select>
              )
            },
          },
        ]}
      />
      {strangers.length > 0 && (
        <p class="note">
          {countText(strangers.length)} {strangers.length === 1 ? 'account' : 'accounts'} that the page’s address names
          {strangers.length === 1 ? ' stands' : ' stand'} in neither list: the API knows what{' '}
          {strangers.length === 1 ? 'it' : 'they'} could have voted with.
        </p>
      )}
    </div>
  )
}
