import { useMemo } from 'preact/hooks'
import type { Counting } from '../../api/rules/proposal-count.ts'
import { amountText, countText, percentText, shareOf, shortAmount } from '../amounts.ts'
import { drawnTokens } from '../charts/drawn.ts'
import { StepLine } from '../charts/step-line.tsx'
import type { VotingSystem } from '../generated/proposal.ts'
import { day, localClock, localTime } from '../moments.ts'
import { Address, Amount, When } from '../parts/figures.tsx'
import { choiceName, unitOf } from '../parts/proposals.tsx'
import { Table } from '../parts/table.tsx'
import { countedOf, decidedBy, type Standing, standingsOf, type ToldAbsentee, type ToldVote } from './counting.ts'
import { sharesBySize, smallestTurningAbsentees, smallestTurningVoters, type TurningSet } from './decisiveness.ts'
import { electorateName } from './result.tsx'

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

/** The count as it stood after each vote, and after which one it was decided. */
export function WhenDecided({
  system,
  counting,
  quorum,
  votes,
  isOpen,
}: {
  system: VotingSystem
  counting: Counting
  quorum: bigint
  votes: readonly ToldVote[]
  isOpen: boolean
}) {
  const standings = useMemo(() => standingsOf(counting, votes), [counting, votes])
  const decided = decidedBy(standings)
  const last = standings.at(-1)
  if (last === undefined) return <p class="empty">Nobody voted.</p>
  const unit = unitOf(system)
  const choices = system === 'TREASURY' ? (['FOR', 'AGAINST', 'ABSTAIN'] as const) : (['FOR', 'AGAINST'] as const)
  const sides = { FOR: 'for', AGAINST: 'against', ABSTAIN: 'abstain' } as const
  const first = standings[0] ?? last
  const isLong = last.at - first.at > 3 * 86_400
  // Several votes of one second are one step of a line.
  const steps = standings.filter(({ at }, index) => standings[index + 1]?.at !== at)
  const verdict = last.passes ? 'passing' : 'failing'
  const quorumAt = standings.find(({ quorumReached }) => quorumReached)
  const summary = [
    decided === undefined
      ? `It ${isOpen ? 'is' : 'was'} ${verdict} from the beginning on.`
      : `It ${isOpen ? 'is' : 'was'} ${verdict} since ${localTime(isoOf(decided.at))}.`,
    quorumAt === undefined
      ? 'The quorum was never reached.'
      : `The quorum was first reached at ${localTime(isoOf(quorumAt.at))}.`,
  ].join(' ')
  return (
    <>
      <p>
        {decided === undefined ? (
          <>No vote changed where it stood: {verdict} all along.</>
        ) : (
          <>
            {isOpen ? 'As it stands, it is' : 'It was'} {verdict} {isOpen ? 'since' : 'for good from'}{' '}
            <When at={isoOf(decided.at)} />, with the vote of <Address of={decided.voter} />.
          </>
        )}
      </p>
      <StepLine
        label="Counted votes over time"
        summary={summary}
        height={220}
        series={choices.map((choice) => ({
          name: choiceName(choice, system),
          kind: sides[choice],
          points: steps.map(({ at, sums }) => ({ x: at, y: drawnTokens(sums[sides[choice]]) })),
        }))}
        formatX={(x) => (isLong ? day(isoOf(x)).replace(/ \d{4}$/, '') : localClock(isoOf(x)))}
        formatY={(y) => shortAmount(BigInt(Math.trunc(y)) * 10n ** 18n)}
        levels={[{ y: drawnTokens(quorum), name: `quorum ${shortAmount(quorum)}` }]}
        marks={decided === undefined ? [] : [{ x: decided.at, name: isOpen ? `${verdict} since` : 'decided' }]}
        tell={(x) => <Telling standing={steps.find(({ at }) => at === x)} system={system} unit={unit} />}
        table={<Standings standings={standings} system={system} />}
      />
      <p class="note">
        Counted anew after each vote by the functions that the API counts with, each vote with the weight it has in the
        end. What was cast by then is what would have counted, had voting ended there; the quorum is that of{' '}
        {electorateName(system)}.
      </p>
    </>
  )
}

function Telling({ standing, system, unit }: { standing: Standing | undefined; system: VotingSystem; unit: string }) {
  if (standing === undefined) return null
  const { at, sums, passes, quorumReached } = standing
  return (
    <>
      {localTime(isoOf(at))}: {choiceName('FOR', system).toLowerCase()} {amountText(sums.for)},{' '}
      {choiceName('AGAINST', system).toLowerCase()} {amountText(sums.against)} {unit}; quorum{' '}
      {quorumReached ? 'reached' : 'not reached'}, {passes ? 'passing' : 'failing'}
    </>
  )
}

function Standings({ standings, system }: { standings: readonly Standing[]; system: VotingSystem }) {
  return (
    <Table
      caption="The count after each vote"
      rows={standings}
      keyOf={({ at, voter }) => `${at} ${voter}`}
      columns={[
        { name: 'When', cell: ({ at }) => <When at={isoOf(at)} brief /> },
        { name: 'Vote of', cell: ({ voter }) => <Address of={voter} /> },
        { name: choiceName('FOR', system), number: true, cell: ({ sums }) => <Amount wei={sums.for} unit="" /> },
        {
          name: choiceName('AGAINST', system),
          number: true,
          cell: ({ sums }) => <Amount wei={sums.against} unit="" />,
        },
        { name: 'For the quorum', number: true, cell: ({ forQuorum }) => <Amount wei={forQuorum} unit="" /> },
        { name: 'Stood', cell: ({ passes }) => (passes ? 'passing' : 'failing') },
      ]}
    />
  )
}

/** How few could have turned it, and what the largest have together. */
export function HowDecisive({
  system,
  counting,
  absentees,
}: {
  system: VotingSystem
  counting: Counting
  /** All of them; undefined where they are not at hand. */
  absentees: readonly ToldAbsentee[] | undefined
}) {
  const voters = useMemo(() => smallestTurningVoters(counting), [counting])
  const absent = useMemo(
    () =>
      absentees === undefined
        ? undefined
        : smallestTurningAbsentees(
            counting,
            absentees.map(({ account, power }) => ({ account, power: BigInt(power) })),
          ),
    [counting, absentees],
  )
  const shares = useMemo(() => sharesBySize(countedOf(counting)), [counting])
  const { sums, total, half } = shares
  return (
    <>
      <div class="columns halves">
        <div>
          <h3>Voters who could have turned it</h3>
          {voters === null ? (
            <p>
              Not even all voters together, whatever they had chosen: too few voted to reach the quorum, or nobody
              voted.
            </p>
          ) : (
            <Turning set={voters} system={system} what="choosing the opposite" />
          )}
        </div>
        <div>
          <h3>Absentees who could have turned it</h3>
          {absent === undefined ? (
            <p class="unit">Not known.</p>
          ) : absent === null ? (
            <p>Not even all who did not vote, together and of one mind.</p>
          ) : (
            <Turning set={absent} system={system} what="voting" />
          )}
        </div>
      </div>
      {total > 0n && (
        <>
          <h3>What the largest voters have together</h3>
          <p>
            <b>{countText(half)}</b> of {countText(sums.length)} voters whose vote counted have more than half of{' '}
            <Amount wei={total} unit={unitOf(system)} /> cast; the largest has {percentText(sums[0] ?? 0n, total)}.
          </p>
          <StepLine
            label="Share of all that was counted, by the largest voters"
            summary={`${half} of ${sums.length} voters have more than half of all that was counted.`}
            height={160}
            series={[
              {
                name: 'the largest voters together, of all counted',
                kind: 'first',
                filled: true,
                points: [{ x: 0, y: 0 }, ...sums.map((sum, index) => ({ x: index + 1, y: shareOf(sum, total) * 100 }))],
              },
            ]}
            levels={[{ y: 50, name: 'half' }]}
            formatX={(x) => countText(x)}
            formatY={(y) => `${y} %`}
            tell={(x) => `The ${countText(x)} largest voters: ${percentText(sums[x - 1] ?? 0n, total)} of all counted`}
            table={
              <Table
                caption="Share of the largest voters"
                rows={sums}
                keyOf={String}
                columns={[
                  { name: 'Largest voters', number: true, cell: (_, index) => countText(index + 1) },
                  { name: 'Together', number: true, cell: (sum) => <Amount wei={sum} unit={unitOf(system)} /> },
                  { name: 'Of all counted', number: true, cell: (sum) => percentText(sum, total) },
                ]}
              />
            }
          />
        </>
      )}
    </>
  )
}

/** Longer sets are told by their number and their largest. */
const LISTED = 6

function Turning({ set: { choice, accounts }, system, what }: { set: TurningSet; system: VotingSystem; what: string }) {
  const [only] = accounts
  return (
    <>
      <p>
        <b>
          {countText(accounts.length)} {accounts.length === 1 ? 'account' : 'accounts'}
        </b>{' '}
        {what}, {choiceName(choice, system)}: no fewer could have.
      </p>
      {only !== undefined && (
        <ul class="facts">
          {accounts.slice(0, LISTED).map(({ account, weight }) => (
            <li key={account}>
              <Address of={account} />
              <Amount wei={weight} unit={unitOf(system)} />
            </li>
          ))}
          {accounts.length > LISTED && <li>and {countText(accounts.length - LISTED)} more</li>}
        </ul>
      )}
    </>
  )
}
