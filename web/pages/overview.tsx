import { countText, percentText, sumOf } from '../amounts.ts'
import { type Asked, useAnswer } from '../ask.ts'
import { SplitBar } from '../charts/bars.tsx'
import { TurnoutBars } from '../charts/turnout-bars.tsx'
import { OverviewDocument, type OverviewQuery, type ProposalRowFragment } from '../generated/overview.ts'
import { Change } from '../parts/change.tsx'
import { Address, Amount, Count, When } from '../parts/figures.tsx'
import { Later } from '../parts/later.tsx'
import { PageHead } from '../parts/page.tsx'
import { Panel, Refused } from '../parts/panel.tsx'
import { CastBar, Closing, Margin, StateBadge, SYSTEM_NAMES } from '../parts/proposals.tsx'
import { problemAt } from '../problems.ts'
import { movesOf } from './moves.ts'

const QUERY = { document: OverviewDocument, variables: {} }

/** Who decides, what is open, what became of the last: the first thing that anybody sees. */
export function Overview() {
  const asked = useAnswer(OverviewDocument, {})
  const problems = asked.answer?.problems ?? []
  const open = asked.answer?.data?.open
  return (
    <>
      <PageHead title="Every vote of Livepeer, as the chain counts it" tab="Livepeer governance">
        <p class="lead">
          Treasury proposals, polls and the TranscoderDAO’s Aragon votes as one history: who voted, who was overridden,
          who was absent, and why it passed or failed. Every figure is exact to the wei.
        </p>
      </PageHead>
      <div class="columns wide-narrow">
        <div>
          {open !== undefined && open !== null && open.totalCount > 0 && (
            <Panel id="open" title="Open now" asked={asked} sources={{ query: QUERY }}>
              {(data) => <OpenProposals proposals={data.open?.nodes ?? []} />}
            </Panel>
          )}
          <Panel
            id="latest"
            title="Latest outcomes"
            asked={asked}
            rows={12}
            empty={({ latest }) =>
              latest !== null &&
              latest.totalCount === 0 &&
              'No proposal, poll or Aragon vote was made on the chains indexed.'
            }
            sources={{ csv: '/proposals.csv', json: '/proposals.json', query: QUERY }}
          >
            {({ latest }) =>
              latest === null ? (
                <Refused problem={problemAt(problems, 'latest')} />
              ) : (
                <>
                  <ul class="proposal-list">
                    {latest.nodes
                      .filter(({ state }) => state !== 'ACTIVE' && state !== 'PENDING')
                      .slice(0, 8)
                      .map((proposal) => (
                        <ProposalItem key={proposal.id} proposal={proposal} />
                      ))}
                  </ul>
                  <p>
                    <a href="/proposals">All {countText(latest.totalCount)} proposals</a>
                  </p>
                </>
              )
            }
          </Panel>
        </div>
        <div>
          <Panel
            id="stake"
            title="Who decides"
            asked={asked}
            rows={8}
            empty={({ round }) =>
              round === null &&
              problemAt(problems, 'round') === undefined &&
              'No round is indexed: these chains have no stake.'
            }
            sources={{ query: QUERY }}
          >
            {({ round }) =>
              round === null ? <Refused problem={problemAt(problems, 'round')} /> : <Deciders round={round} />
            }
          </Panel>
          <Panel
            id="turnout"
            title="Do people vote?"
            lead="Turnout of the latest proposals: what was cast, of who could have."
            asked={asked}
            rows={5}
            empty={({ latest }) => (latest?.totalCount ?? 0) === 0 && 'Nothing was voted on yet.'}
          >
            {({ latest }) => <TurnoutBars proposals={latest?.nodes ?? []} />}
          </Panel>
          <Panel
            id="treasuries"
            title="What votes can spend"
            asked={asked}
            rows={2}
            empty={({ treasuries }) => treasuries.length === 0 && 'No treasury and no vault is indexed.'}
          >
            {({ treasuries }) => (
              <ul class="facts">
                {treasuries.map(({ address, network, balance }, index) => (
                  <li key={address}>
                    <a href={`/treasury#${address}`}>{network}</a>
                    {balance === null ? (
                      <Refused problem={problemAt(problems, 'treasuries', index, 'balance')} />
                    ) : (
                      <Amount wei={balance} />
                    )}
                  </li>
                ))}
              </ul>
            )}
          </Panel>
          <Moves asked={asked} />
        </div>
      </div>
    </>
  )
}

function OpenProposals({ proposals }: { proposals: readonly ProposalRowFragment[] }) {
  return (
    <ul class="proposal-list open">
      {proposals.map((proposal) => (
        <ProposalItem key={proposal.id} proposal={proposal} />
      ))}
    </ul>
  )
}

/** A proposal in three lines: what, how it stands, by how much. */
function ProposalItem({ proposal }: { proposal: ProposalRowFragment }) {
  const { id, title, system, state, turnout, network } = proposal
  const isOpen = state === 'ACTIVE' || state === 'PENDING'
  return (
    <li>
      <p class="item-head">
        <StateBadge state={state} />
        <a href={`/proposals/${id}`}>{title}</a>
      </p>
      <CastBar proposal={proposal} />
      <p class="item-foot">
        <Margin proposal={proposal} />
        <span class="unit">
          {turnout !== null && (
            <>
              <Count of={turnout.voters} one="voter" /> ·{' '}
            </>
          )}
          {SYSTEM_NAMES[system]} on {network} · {isOpen ? 'closes' : 'closed'} <Closing proposal={proposal} />
        </span>
      </p>
    </li>
  )
}

type Round = NonNullable<OverviewQuery['round']>

/** The active set as one bar, each transcoder a part of it. */
function Deciders({ round }: { round: Round }) {
  const { number, network, initializedAt, totalActiveStake, totalStake, activeTranscoders, concentration } = round
  const set = activeTranscoders ?? []
  const sum = sumOf(set.map(({ votes }) => BigInt(votes)))
  const half = concentration?.nakamoto50
  return (
    <>
      <dl class="key-figures">
        <div>
          <dt>Active stake</dt>
          <dd>
            {totalActiveStake === null ? <Refused problem={undefined} /> : <Amount wei={totalActiveStake} copies />}
          </dd>
        </div>
        <div>
          <dt>All stake</dt>
          <dd>{totalStake === null ? <Refused problem={undefined} /> : <Amount wei={totalStake} copies />}</dd>
        </div>
      </dl>
      {set.length > 0 && (
        <SplitBar
          label={`Active stake of round ${number} by transcoder`}
          whole={sum}
          parts={set.map(({ account, votes }, index) => ({
            name: account,
            amount: BigInt(votes),
            kind:
              half !== undefined && index < half
                ? `half ${index % 2 === 0 ? 'even' : 'odd'}`
                : index % 2 === 0
                  ? 'even'
                  : 'odd',
          }))}
        />
      )}
      {concentration !== null && concentration.count > 0 && (
        <p>
          <b>{concentration.nakamoto50}</b> of {concentration.count} active transcoders together have more than half of
          the votes, {concentration.nakamoto33} more than a third
          {concentration.nakamotoQuorum !== null && <>; {concentration.nakamotoQuorum} reach the quorum alone</>}. The
          largest has {percentText(BigInt(set[0]?.votes ?? 0), sum)} of the active stake.
        </p>
      )}
      <p class="unit">
        At the start of <a href={`/snapshots/${number}`}>round {countText(number)}</a> on {network}, begun{' '}
        <When at={initializedAt.timestamp} />
      </p>
    </>
  )
}

/** How many transcoders whose votes changed are listed. */
const MOST_MOVES = 6

/** What moved in the active set with the last round. */
function Moves({ asked }: { asked: Asked<OverviewQuery> }) {
  const [after, before] = asked.answer?.data?.moves.nodes ?? []
  const isTold = before !== undefined && after !== undefined && before.network === after.network
  return (
    <Panel
      id="moves"
      title="What moved"
      lead={
        isTold
          ? `Votes of the active set, from round ${countText(before.number)} to ${countText(after.number)}.`
          : undefined
      }
      asked={asked}
      rows={6}
      empty={() => !isTold && 'There are no two rounds yet to compare.'}
      sources={{ query: QUERY }}
    >
      {() => {
        const moves = movesOf(before?.activeTranscoders ?? [], after?.activeTranscoders ?? [])
        const changed = moves.filter(({ became }) => became === 'CHANGED')
        const listed = [...moves.filter(({ became }) => became !== 'CHANGED'), ...changed.slice(0, MOST_MOVES)]
        return (
          <Later rows={6}>
            {listed.length === 0 && <p>Nobody’s votes changed.</p>}
            <ul class="facts">
              {listed.map(({ account, by, became }) => (
                <li key={account}>
                  <Address of={account} />
                  {by === null ? (
                    <span class="unit">{became === 'ENTERED' ? 'entered the active set' : 'left the active set'}</span>
                  ) : (
                    <Change by={by} unit="LPT" />
                  )}
                </li>
              ))}
            </ul>
            <p>
              <a href={`/snapshots/${before?.number}...${after?.number}`}>Everything that changed between them</a>
            </p>
          </Later>
        )
      }}
    </Panel>
  )
}
