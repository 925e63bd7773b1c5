import type { ComponentChildren } from 'preact'
import { ErrorBoundary, lazy, useLocation } from 'preact-iso'
import { countText, tellingAmount } from '../amounts.ts'
import { useAnswer } from '../ask.ts'
import { type Choice, ProposalDocument, type ProposalQuery } from '../generated/proposal.ts'
import { ProposalAbsenteesDocument } from '../generated/proposal-absentees.ts'
import { ProposalVotesDocument } from '../generated/proposal-votes.ts'
import { type AskedPages, useAskedPages } from '../parts/all-pages.ts'
import { Address, When } from '../parts/figures.tsx'
import { PageHead } from '../parts/page.tsx'
import { Empty, Panel, Refused, Skeleton, Trouble } from '../parts/panel.tsx'
import { placeWith } from '../parts/place.ts'
import { Closing, choiceName, quorumWeight, StateBadge, SYSTEM_NAMES, unitOf } from '../parts/proposals.tsx'
import type { Order } from '../parts/table.tsx'
import { proposalVariables } from '../places.ts'
import { type Problem, problemAt } from '../problems.ts'
import { Absent } from '../proposal/absent.tsx'
import type { ToldProposal } from '../proposal/counting.ts'
import { Actions, Facts, InvalidVotes, Timeline } from '../proposal/events.tsx'
import { MyStake } from '../proposal/my-stake.tsx'
import { Electorate, Result } from '../proposal/result.tsx'
import { ProposalText } from '../proposal/text.tsx'
import { Votes } from '../proposal/votes.tsx'
import { allWeighed } from '../weights.ts'
import './proposal.css'

const Analysis = lazy(() => import('../proposal/analysis.tsx'))

/** One proposal: how it was counted, by whom, without whom, and what if not. */
export function Proposal({ params }: { params: Readonly<Record<string, string>> }) {
  const variables = proposalVariables({ params })
  const asked = useAnswer(ProposalDocument, variables)
  const { answer } = asked
  const problems = answer?.problems ?? []
  if (answer === undefined || answer.data === null || answer.data.proposal === null) {
    const problem = problemAt(problems, 'proposal') ?? problems[0]
    const isNone = answer !== undefined && answer.data !== null && problem === undefined
    return (
      <>
        <PageHead title={isNone ? 'There is no such proposal' : 'Proposal'} tab="Proposal" />
        {problem !== undefined && <Trouble problem={problem} {...asked} />}
        {answer === undefined && <Skeleton rows={12} />}
        {answer !== undefined && (
          <p>
            <code class="bytes">{variables.id}</code> is none of <a href="/proposals">all proposals</a> that can be told
            of now.
          </p>
        )}
      </>
    )
  }
  return <Told proposal={answer.data.proposal} status={answer.data.status} asked={asked} variables={variables} />
}

function Told({
  proposal,
  status,
  asked,
  variables,
}: {
  proposal: ToldProposal
  status: ProposalQuery['status']
  asked: ReturnType<typeof useAnswer<ProposalQuery, { id: string }>>
  variables: { id: string }
}) {
  const { id, system } = proposal
  const { path, query, route } = useLocation()
  const problems = asked.answer?.problems ?? []
  const votes = useAskedPages(ProposalVotesDocument, variables, ({ proposal }) => proposal?.votes)
  const absentees = useAskedPages(ProposalAbsenteesDocument, variables, ({ proposal }) => proposal?.absentees)
  const chain = status.find(({ network }) => network === proposal.network)
  const show = (changes: Record<string, string | undefined>, isTyping = false) => {
    const given = Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
    route(placeWith(path, query, Object.fromEntries(given)), isTyping)
  }
  // What is made of weights is made of all of them or not at all.
  const weighed = votes.isWhole ? allWeighed(votes.nodes) : undefined
  const hasOverrides = votes.nodes.some(({ overrides }) => overrides !== null)
  const electorate = proposal.tally === null ? undefined : BigInt(proposal.tally.electorate)
  const description = proposal.description ?? ''
  const own = { document: ProposalDocument, variables }
  const hasActions = 'actions' in proposal || 'payments' in proposal
  return (
    <>
      <Head proposal={proposal} problems={problems} />
      <nav class="on-this-page" aria-label="On this page">
        <ul>
          {[
            ['result', 'Result'],
            ...(description === '' ? [] : [['text', 'Text']]),
            ...(hasActions ? [['actions', 'actions' in proposal ? 'Actions' : 'Payments']] : []),
            ['votes', 'Votes'],
            ['absent', 'Absent'],
            ...(hasOverrides ? [['overrides', 'Overrides']] : []),
            ...(votes.total > 0 ? [['decided', 'Decided']] : []),
            ['what-if', 'What if'],
          ].map(([anchor, name]) => (
            <li key={anchor}>
              <a href={`#${anchor}`}>{name}</a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="columns wide-narrow">
        <div>
          <Panel
            id="result"
            title="Result"
            asked={asked}
            sources={{
              csv: `/proposals/${id}/recount.csv`,
              json: `/proposals/${id}/recount.json`,
              query: own,
              check: `/verify?proposal=${encodeURIComponent(id)}`,
            }}
          >
            {() => <Result proposal={proposal} problems={problems} />}
          </Panel>
          <Panel id="electorate" title="Who could have voted" asked={asked} sources={{ query: own }}>
            {() => <Electorate proposal={proposal} votes={weighed} problems={problems} />}
          </Panel>
          {description !== '' && (
            <Panel id="text" title="What is proposed" sources={{ query: own }}>
              <ProposalText source={description} />
            </Panel>
          )}
          {hasActions && (
            <Panel
              id="actions"
              title={'actions' in proposal ? 'What it does' : 'What it paid'}
              lead={'actions' in proposal ? 'The calls that carrying it out makes, in order.' : undefined}
              sources={{ query: own }}
            >
              <Actions proposal={proposal} />
            </Panel>
          )}
        </div>
        <div>
          <Panel id="my-stake" title="How was my stake counted?">
            <MyStake proposal={proposal} />
          </Panel>
          <Panel id="timeline" title="Timeline" sources={{ query: own }}>
            <Timeline proposal={proposal} />
          </Panel>
          <Panel id="facts" title="Facts" sources={{ query: own }}>
            <Facts proposal={proposal} />
          </Panel>
        </div>
      </div>
      <Panel
        id="votes"
        title={votes.total === 0 ? 'Votes' : `${countText(votes.total)} ${votes.total === 1 ? 'vote' : 'votes'}`}
        lead={
          system === 'ARAGON'
            ? 'Each holder’s last choice, with what it held at the snapshot.'
            : 'Each voter’s last choice. A delegator that votes takes its own stake off its transcoder’s weight: cast less what was taken is what counted.'
        }
        asked={votes.asked}
        rows={10}
        empty={() => votes.total === 0 && votes.isWhole && 'Nobody voted with a choice that counts.'}
        sources={{
          csv: `/proposals/${id}/votes.csv`,
          json: `/proposals/${id}/votes.json`,
          query: { document: ProposalVotesDocument, variables },
        }}
      >
        {(data) =>
          data.proposal?.votes ? (
            <>
              <Missing pages={votes} />
              <Votes
                system={system}
                votes={votes.nodes}
                total={votes.total}
                shown={{
                  isNested: query.view === 'nested' && system !== 'ARAGON',
                  choice: choiceIn(query.choice),
                  order: orderIn(query.sort),
                  filter: query.filter ?? '',
                }}
                onShow={show}
              />
            </>
          ) : (
            <NotTold pages={votes} part="votes" />
          )
        }
      </Panel>
      <InvalidVotes proposal={proposal} />
      <Panel
        id="absent"
        title={absentees.total === 0 ? 'Absent' : `${countText(absentees.total)} absent`}
        lead={
          system === 'ARAGON'
            ? 'Holders of the voting token that did not vote.'
            : 'Registered transcoders that did not vote, and what each would have added. A delegator that did not vote is not absent: its transcoder speaks for it.'
        }
        asked={absentees.asked}
        rows={6}
        empty={() => absentees.total === 0 && absentees.isWhole && 'Everybody who could add weight voted.'}
        sources={{
          csv: `/proposals/${id}/absentees.csv`,
          json: `/proposals/${id}/absentees.json`,
          query: { document: ProposalAbsenteesDocument, variables },
        }}
      >
        {(data) =>
          data.proposal?.absentees ? (
            <>
              <Missing pages={absentees} />
              <Absent
                system={system}
                absentees={absentees.nodes}
                total={absentees.total}
                electorate={electorate}
                order={orderIn(query.absentSort)}
                filter={query.absentFilter ?? ''}
                onShow={show}
              />
            </>
          ) : (
            <NotTold pages={absentees} part="absentees" />
          )
        }
      </Panel>
      <ErrorBoundary>
        <Analysis
          proposal={proposal}
          problems={problems}
          chain={chain}
          votes={weighed}
          absentees={absentees.isWhole ? absentees.nodes : undefined}
        />
      </ErrorBoundary>
    </>
  )
}

function choiceIn(text: string | undefined): Choice | undefined {
  return (['FOR', 'AGAINST', 'ABSTAIN'] as const).find((choice) => choice === text)
}

/** 'Counted.desc' as an order. */
function orderIn(text: string | undefined): Order | undefined {
  const match = /^(.+)\.(asc|desc)$/.exec(text ?? '')
  return match?.[1] === undefined ? undefined : { column: match[1], descending: match[2] === 'desc' }
}

/** Rows that could not be had, and why. */
function Missing({ pages: { problem, isWhole } }: { pages: AskedPages<unknown, unknown> }) {
  if (problem !== undefined) return <Trouble problem={problem} old />
  return isWhole ? null : <p class="note">The rest is on its way …</p>
}

function NotTold({ pages: { asked }, part }: { pages: AskedPages<unknown, unknown>; part: string }) {
  const problem = problemAt(asked.answer?.problems ?? [], 'proposal', part)
  return problem === undefined ? <Empty>Not there.</Empty> : <Trouble problem={problem} />
}

/** What, where, by whom, until when, and why it stands as it does. */
function Head({ proposal, problems }: { proposal: ToldProposal; problems: readonly Problem[] }) {
  const { title, state, system, network, proposer, createdAt } = proposal
  const isOpen = state === 'ACTIVE' || state === 'PENDING'
  const opens = proposal.timeline.find(({ kind }) => kind === 'VOTING_OPENED')
  return (
    <PageHead
      title={<bdi class={/\S{31}/.test(title) ? 'unbroken' : undefined}>{title}</bdi>}
      tab={title}
      kicker={
        <>
          {state === null ? (
            <Refused problem={problemAt(problems, 'proposal', 'state')} />
          ) : (
            <StateBadge state={state} />
          )}
          <span>
            <a href={`/proposals?system=${system}`}>{SYSTEM_NAMES[system]}</a> on {network}
          </span>
        </>
      }
    >
      <p class="why">
        <Why proposal={proposal} />
      </p>
      <p class="unit head-facts">
        <span>
          by <Address of={proposer} />
        </span>
        <span>
          made <When at={createdAt.timestamp} round={createdAt.round} />
        </span>
        {opens !== undefined && state === 'PENDING' && (
          <span>
            voting opens <When at={opens.timestamp} round={opens.round} estimated={opens.estimated} brief />
          </span>
        )}
        <span>
          voting {isOpen ? 'closes' : 'closed'} <Closing proposal={proposal} />
        </span>
      </p>
    </PageHead>
  )
}

/** In a sentence, why the proposal is in its state. */
function Why({ proposal }: { proposal: ToldProposal }): ComponentChildren {
  const { state, outcome, tally, rule, system } = proposal
  if (outcome === null || tally === null || rule === null || state === null) {
    return 'What it came to is not known exactly.'
  }
  const { quorumReached, supportReached } = outcome
  const unit = unitOf(system)
  const missing = BigInt(tally.quorum) - (quorumWeight({ tally, rule }) ?? 0n)
  const short = `${tellingAmount(missing)} ${unit} short of the quorum`
  const yes = choiceName('FOR', system).toLowerCase()
  const failing = [
    ...(quorumReached ? [] : [`it is ${short}`]),
    ...(supportReached ? [] : [`too few of those who voted were ${system === 'TREASURY' ? 'for it' : yes}`]),
  ].join(', and ')
  switch (state) {
    case 'CANCELED':
      return 'Withdrawn: whatever was cast does not matter.'
    case 'PENDING':
      return 'Voting is yet to open.'
    case 'ACTIVE':
      return failing === ''
        ? 'Voting is open. As it stands it passes: quorum and support are reached.'
        : `Voting is open. As it stands it fails: ${failing}.`
    case 'DEFEATED':
      return `It failed: ${failing.replace('it is', 'it was')}.`
    case 'SUCCEEDED':
      return `It passed: quorum and support were reached.${system === 'POLL' ? '' : ' Nobody carried it out yet.'}`
    case 'QUEUED':
      return 'It passed: quorum and support were reached. It waits in the timelock.'
    case 'EXPIRED':
      return 'It passed, but nobody carried it out in time.'
    case 'EXECUTED':
      return 'It passed, as quorum and support were reached, and was carried out.'
  }
}
