import { useEffect, useMemo } from 'preact/hooks'
import { ErrorBoundary, lazy, useLocation } from 'preact-iso'
import { recount } from '../../api/rules/recount.ts'
import type { ProposalQuery } from '../generated/proposal.ts'
import { ProposalVotesDocument } from '../generated/proposal-votes.ts'
import { Later } from '../parts/later.tsx'
import { Empty, Panel, Refused, Skeleton } from '../parts/panel.tsx'
import { type Problem, problemAt } from '../problems.ts'
import { changesOf, isAnything, NOTHING } from './changes.ts'
import { countingOf, type ToldAbsentee, type ToldProposal, type ToldVote } from './counting.ts'
import { HowDecisive, WhenDecided } from './decided.tsx'
import { Overrides } from './overrides.tsx'

const WhatIf = lazy(() => import('./what-if.tsx'))

/** What the browser counts by itself, with the API's own rules, once it has all votes. */
export default function Analysis({
  proposal,
  problems,
  chain,
  votes,
  absentees,
}: {
  proposal: ToldProposal
  problems: readonly Problem[]
  /** Where its chain stands. */
  chain: ProposalQuery['status'][number] | undefined
  /** All of them; undefined while they are not at hand. */
  votes: readonly ToldVote[] | undefined
  absentees: readonly ToldAbsentee[] | undefined
}) {
  const { system } = proposal
  const { query } = useLocation()
  const counting = useMemo(
    () =>
      votes === undefined || chain === undefined
        ? undefined
        : countingOf(proposal, votes, absentees ?? [], chain.timestamp),
    [proposal, votes, absentees, chain?.timestamp],
  )
  const turns = useMemo(
    () =>
      counting === undefined
        ? undefined
        : recount(counting, { ...NOTHING, overrides: false }, { passed: proposal.outcome?.passed ?? null }).turns,
    [counting, proposal.outcome?.passed],
  )
  const isCounted = counting !== undefined
  // What an address points at is drawn later than the browser looks for it.
  useEffect(() => {
    if (isCounted && location.hash !== '') document.getElementById(location.hash.slice(1))?.scrollIntoView()
  }, [isCounted])
  const isOpen = proposal.state === 'ACTIVE' || proposal.state === 'PENDING'
  const voted = votes ?? []
  const sources = {
    csv: `/proposals/${proposal.id}/votes.csv`,
    json: `/proposals/${proposal.id}/votes.json`,
    query: { document: ProposalVotesDocument, variables: { id: proposal.id } },
  }
  return (
    <>
      {voted.some(({ overrides }) => overrides !== null) && (
        <Panel
          id="overrides"
          title="Who overrode whom"
          lead="A transcoder votes with all stake behind it, less that of its delegators that vote themselves."
          sources={sources}
        >
          <Later rows={10}>
            <Overrides system={system} votes={voted} turns={isOpen ? undefined : turns} />
          </Later>
        </Panel>
      )}
      {isCounted && proposal.tally !== null && voted.length > 0 && (
        <Panel id="decided" title={isOpen ? 'How it came to stand so' : 'When was it decided?'} sources={sources}>
          <Later rows={6}>
            <WhenDecided
              system={system}
              counting={counting}
              quorum={BigInt(proposal.tally.quorum)}
              votes={voted}
              isOpen={isOpen}
            />
          </Later>
        </Panel>
      )}
      {isCounted && proposal.state !== 'CANCELED' && (
        <Panel
          id="decisive"
          title={isOpen ? 'How few could turn it?' : 'How few decided it?'}
          lead={`The fewest accounts that ${isOpen ? 'could turn it as it stands' : 'could have turned the outcome'} by doing otherwise.`}
          sources={sources}
        >
          <Later rows={6}>
            <HowDecisive system={system} counting={counting} absentees={absentees} />
          </Later>
        </Panel>
      )}
      <Panel
        id="what-if"
        title={isAnything(changesOf(query, system)) ? 'What if … (hypothetical, changed)' : 'What if … (hypothetical)'}
        lead="Counts it anew under other conditions. Nothing of this happened; the page’s address keeps what you set."
        hypothetical
      >
        {isCounted ? (
          <ErrorBoundary>
            <Later rows={8}>
              <WhatIf
                proposal={proposal}
                counting={counting}
                votes={voted}
                absentees={absentees ?? []}
                rounds={
                  chain?.firstRound && chain.round ? { first: chain.firstRound, last: chain.round + 1 } : undefined
                }
              />
            </Later>
          </ErrorBoundary>
        ) : (
          <Waiting proposal={proposal} problems={problems} />
        )}
      </Panel>
    </>
  )
}

/** Why nothing can be counted yet, or at all. */
function Waiting({ proposal, problems }: { proposal: ToldProposal; problems: readonly Problem[] }) {
  const missing = (['tally', 'rule', 'state'] as const).find((part) => proposal[part] === null)
  if (missing === undefined) return <Skeleton rows={4} />
  const problem = problemAt(problems, 'proposal', missing)
  if (problem === undefined) return <Empty>Not there.</Empty>
  return (
    <p>
      What it came to is <Refused problem={problem} />, and so is what it would have come to.
    </p>
  )
}
