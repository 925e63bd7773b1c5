import type { ComponentChildren } from 'preact'
import { countText, percentText, sumOf, tellingAmount } from '../amounts.ts'
import { type Part, SplitBar } from '../charts/bars.tsx'
import { Meter } from '../charts/meter.tsx'
import type { VotingSystem } from '../generated/proposal.ts'
import { Amount, When } from '../parts/figures.tsx'
import { Refused } from '../parts/panel.tsx'
import { choiceName, partsOf, quorumWeight, unitOf } from '../parts/proposals.tsx'
import { type Problem, problemAt } from '../problems.ts'
import type { ToldProposal, ToldVote } from './counting.ts'

/** What a tally's quorum is measured against, in words. */
export function electorateName(system: VotingSystem): string {
  return { TREASURY: 'the active stake', POLL: 'all stake', ARAGON: 'all voting power' }[system]
}

/** What support is measured against, in words. */
export function supportName(system: VotingSystem): string {
  return { TREASURY: 'for and against', POLL: 'all that was cast', ARAGON: 'all that was cast' }[system]
}

/** When stake or balances were what they count with. */
export function Moment({ proposal }: { proposal: ToldProposal }) {
  if ('snapshotRound' in proposal) {
    const round = proposal.snapshotRound + 1
    return (
      <>
        stake at the start of <a href={`/snapshots/${round}`}>round {countText(round)}</a>
      </>
    )
  }
  if ('endBlock' in proposal) {
    const isOver = proposal.tally?.final !== false
    return isOver ? (
      <>stake at the end of L1 block {countText(BigInt(proposal.endBlock))}</>
    ) : (
      <>stake as it is now; what counts is that of L1 block {countText(BigInt(proposal.endBlock))}</>
    )
  }
  return <>balances at the end of block {countText(BigInt(proposal.snapshotBlock))}</>
}

/** Until when a tally can still change, in words; undefined where it cannot. */
function openUntil(proposal: ToldProposal): ComponentChildren {
  if (proposal.state !== 'ACTIVE' && proposal.state !== 'PENDING') return undefined
  if ('lastRound' in proposal) return <>can still change until the end of round {countText(proposal.lastRound)}</>
  if ('endBlock' in proposal) return <>can still change until L1 block {countText(BigInt(proposal.endBlock))}</>
  return (
    <>
      can still change until <When at={proposal.endDate} />
    </>
  )
}

/** Sums, and whether they pass, by the rule: of what was, and of what would have been. */
export interface Figures {
  system: VotingSystem
  tally: NonNullable<ToldProposal['tally']>
  outcome: Pick<NonNullable<ToldProposal['outcome']>, 'quorumReached' | 'supportReached'>
  rule: Pick<NonNullable<ToldProposal['rule']>, 'quorum' | 'support' | 'quorumChoices' | 'strict'>
}

/** Quorum and support, each with its figures and what they are of. */
export function Meters({ figures, isOpen, until }: { figures: Figures; isOpen: boolean; until?: ComponentChildren }) {
  const { system, tally, outcome, rule } = figures
  const unit = unitOf(system)
  const electorate = BigInt(tally.electorate)
  const forQuorum = quorumWeight(figures) ?? 0n
  const all = partsOf(tally, system)
  const names = rule.quorumChoices.map((choice) => choiceName(choice, system))
  const quorumParts = all.filter(({ name }) => names.includes(name))
  const [yes, no] = [BigInt(tally.for), BigInt(tally.against)]
  const decisive = yes + no
  const word = choiceName('FOR', system)
  const partText = ({ numerator, denominator }: Figures['rule']['quorum']) =>
    percentText(BigInt(numerator), BigInt(denominator), 4).replace(/\.?0+ %$/, ' %')
  return (
    <>
      <Meter
        name="Quorum"
        isReached={outcome.quorumReached}
        isOpen={isOpen}
        parts={quorumParts}
        whole={electorate}
        wholeName={electorateName(system)}
        mark={{ at: BigInt(tally.quorum), name: 'the quorum' }}
      >
        <p>
          {names.join(' + ')} <Amount wei={forQuorum} unit={unit} /> of <Amount wei={electorate} unit={unit} />.{' '}
          {system === 'ARAGON' ? 'More than' : 'At least'} {partText(rule.quorum)} needed:{' '}
          <Amount wei={tally.quorum} unit={unit} />
          {outcome.quorumReached ? (
            '.'
          ) : (
            <>
              , {tellingAmount(BigInt(tally.quorum) - forQuorum)} {unit} more than there is.
            </>
          )}{' '}
          {system === 'ARAGON' && 'Nays do not count for it.'}
        </p>
      </Meter>
      <Meter
        name="Support"
        isReached={outcome.supportReached}
        isOpen={isOpen}
        parts={[{ name: word, amount: yes, kind: 'for' }]}
        whole={decisive}
        wholeName={supportName(system)}
        mark={{
          at: (decisive * BigInt(rule.support.numerator)) / BigInt(rule.support.denominator),
          name: 'what is needed',
        }}
      >
        <p>
          {word} <Amount wei={yes} unit={unit} />, {choiceName('AGAINST', system).toLowerCase()}{' '}
          <Amount wei={no} unit={unit} />. {rule.strict ? 'More than' : 'At least'} {partText(rule.support)} needed
          {rule.strict ? ': just as much is not enough.' : '.'}
          {system === 'TREASURY' && tally.abstain !== '0' && ' Abstain counts for the quorum only.'}
        </p>
      </Meter>
      {until !== undefined && isOpen && <p class="note">Dashed: {until}.</p>}
    </>
  )
}

/** Whether it passed and why, as a list of what had to be. */
export function Result({ proposal, problems }: { proposal: ToldProposal; problems: readonly Problem[] }) {
  const { tally, outcome, rule, system } = proposal
  if (tally === null || outcome === null || rule === null) {
    const [name] = (['tally', 'outcome', 'rule'] as const).filter((part) => proposal[part] === null)
    return (
      <p>
        What it came to: <Refused problem={problemAt(problems, 'proposal', name ?? 'tally')} />. Texts, times and votes
        stand below as far as they are known.
      </p>
    )
  }
  const until = openUntil(proposal)
  return (
    <>
      <Meters figures={{ system, tally, outcome, rule }} isOpen={until !== undefined} until={until} />
      <details class="explanation">
        <summary>The rule with every digit, and where it is written down</summary>
        <p>{outcome.explanation}</p>
        <p class="unit">Source: {rule.source}</p>
      </details>
    </>
  )
}

/** Who the electorate is made of, as one bar. */
export function Electorate({
  proposal,
  votes,
  problems,
}: {
  proposal: ToldProposal
  /** All of them; undefined while they are not at hand. */
  votes: readonly ToldVote[] | undefined
  problems: readonly Problem[]
}) {
  const { turnout, system } = proposal
  if (turnout === null) return <Refused problem={problemAt(problems, 'proposal', 'turnout')} />
  const [cast, electorate, absent] = [BigInt(turnout.cast), BigInt(turnout.electorate), BigInt(turnout.absent)]
  const rest = electorate - cast - absent
  const whole = rest < 0n ? cast + absent : electorate
  const parts = [
    ...castParts(system, cast, votes),
    { name: 'did not vote', amount: absent, kind: 'absent', href: '#absent' },
    ...(rest > 0n ? [{ name: 'nobody can vote with', amount: rest, kind: 'unheld' }] : []),
  ]
  return (
    <>
      <SplitBar label="Electorate" parts={parts} whole={whole} />
      <ul class="legend">
        {parts.map(({ name, amount, kind, href }) => (
          <li key={name}>
            <span class={`key ${kind}`} aria-hidden="true" />
            {href === undefined ? name : <a href={href}>{name}</a>} <Amount wei={amount} unit={unitOf(system)} />{' '}
            <span class="unit">{percentText(amount, electorate)}</span>
          </li>
        ))}
      </ul>
      <p class="note">
        Percent of {electorateName(system)}, <Amount wei={electorate} unit={unitOf(system)} />:{' '}
        <Moment proposal={proposal} />.
        {rest < 0n && (
          <>
            {' '}
            <Amount wei={-rest} unit={unitOf(system)} /> more was cast or absent than the electorate has: those who vote
            from outside the active set are not part of it, but count.
          </>
        )}
      </p>
    </>
  )
}

/** What was cast: by delegators for themselves, and by the others. */
function castParts(
  system: VotingSystem,
  cast: bigint,
  votes: readonly ToldVote[] | undefined,
): (Part & { href?: string })[] {
  if (system === 'ARAGON') return [{ name: 'voted', amount: cast, kind: 'through', href: '#votes' }]
  if (votes === undefined) return [{ name: 'cast', amount: cast, kind: 'through', href: '#votes' }]
  const own = sumOf(
    votes.filter(({ overrides }) => overrides !== null).map(({ countedWeight }) => BigInt(countedWeight)),
  )
  const others = system === 'POLL' ? 'transcoders, and who has none' : 'transcoders'
  return [
    { name: `${others}, with the stake behind them`, amount: cast - own, kind: 'through', href: '#votes' },
    { name: 'delegators that voted themselves', amount: own, kind: 'itself', href: '#overrides' },
  ]
}
