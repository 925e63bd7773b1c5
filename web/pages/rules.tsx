import type { ComponentChildren } from 'preact'
import { countText, percentText } from '../amounts.ts'
import { useAnswer } from '../ask.ts'
import { SplitBar } from '../charts/bars.tsx'
import { RulesDocument, type RulesQuery } from '../generated/rules.ts'
import { Address, Amount } from '../parts/figures.tsx'
import { PageHead } from '../parts/page.tsx'
import { Panel } from '../parts/panel.tsx'
import { choiceName } from '../parts/proposals.tsx'
import { isWeighed, type Weighed } from '../weights.ts'
import './rules.css'

/** How power, overrides and outcomes are counted, with where each rule is written down. */
export function Rules() {
  const asked = useAnswer(RulesDocument, {})
  return (
    <>
      <PageHead title="How votes are counted" tab="Rules">
        <p class="lead">
          Livepeer has three voting systems. Two count stake, one counts tokens; each has its own quorum, its own
          majority and its own idea of a tie. This page says what each does, and in which contract or proposal that is
          written.
        </p>
      </PageHead>
      <Panel id="systems" title="Three systems side by side">
        <Systems />
      </Panel>
      <Panel
        id="power"
        title="Voting power"
        lead="What an account can vote with is that of one moment. What moves after it changes nothing."
      >
        <Power />
      </Panel>
      <Panel
        id="overrides"
        title="Overrides: how a delegator takes back its vote"
        lead="A transcoder votes with all stake behind it. A delegator that votes itself takes its own stake off that."
        asked={asked}
        rows={6}
        sources={{ query: { document: RulesDocument, variables: {} } }}
      >
        {(data) => <Example data={data} />}
      </Panel>
      <Panel
        id="outcome"
        title="Quorum and support"
        lead="Both have to be reached. They are measured against different wholes."
      >
        <ul class="points">
          <li>
            <b>Quorum</b> asks whether enough took part. It is a part of the electorate, which is more than those who
            voted: in a treasury proposal the stake of the active set, in a poll all stake, in an Aragon vote all
            tokens.
          </li>
          <li>
            <b>Support</b> (the contracts say quota) asks whether enough of those who took part were for it. Who
            abstains on a treasury proposal helps the quorum and is no part of support.
          </li>
          <li>
            <b>Rounding</b> is the contracts’ own. The governor rounds the quorum down, LIP-16 asks for not less than
            its part, which rounds up, and Aragon rounds the share of yeas down to 18 digits and wants more than the
            minimum. A single wei decides.
          </li>
          <li>
            <b>Absent</b> is who could have added weight and did not: a registered transcoder, or a holder of the voting
            token. A delegator that did not vote is not absent; its transcoder speaks for it, where that one votes.
          </li>
        </ul>
      </Panel>
      <Panel id="glossary" title="The protocol’s words">
        <dl class="glossary">
          {GLOSSARY.map(([word, meaning]) => (
            <div key={word}>
              <dt>{word}</dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
      </Panel>
    </>
  )
}

const LIPS = 'https://github.com/livepeer/LIPs/blob/master/LIPs'

/** A source on the web; it leads away from here. */
function Source({ href, children }: { href: string; children: ComponentChildren }) {
  return (
    <a href={href} rel="noopener noreferrer">
      {children}
    </a>
  )
}

const ROWS: readonly [string, ComponentChildren, ComponentChildren, ComponentChildren][] = [
  [
    'Decides on',
    'What the treasury pays, and settings of the protocol',
    'What the network should do; nothing follows by itself',
    'What the TranscoderDAO’s vault pays, and its settings',
  ],
  [
    'Who can vote',
    'Everybody with stake behind a registered transcoder',
    'Everybody with stake',
    'Holders of the voting token (TDT)',
  ],
  [
    'Power',
    <>
      A transcoder: all stake delegated to it. Its delegator: its own stake with rewards.{' '}
      <code>BondingVotes.getVotesAndDelegateAtRoundStart</code>
    </>,
    <>
      A registered transcoder: all stake delegated to it. Anybody else: its own stake with rewards.{' '}
      <code>BondingManager.pendingStake</code>
    </>,
    <>
      Its tokens. <code>MiniMeToken.balanceOfAt</code>
    </>,
  ],
  [
    'As of',
    'The end of the snapshot round, so the start of the next, in which voting opens',
    'The end of the poll: stake moves until then',
    'The end of the block before the vote was made',
  ],
  [
    'Electorate',
    'Active stake: that of the active set at the start of the round after the snapshot',
    'All stake, of whomever it is delegated to',
    'All tokens there were',
  ],
  [
    'Quorum',
    <>
      33.33 % unless a vote changed it, rounded down. For, against and abstain count.{' '}
      <code>GovernorVotesQuorumFraction.quorum</code>
    </>,
    <>
      33.33 %, not less. Yes and no count. <code>PollCreator.QUORUM</code>
    </>,
    <>
      More than the app’s minimum. Only yeas count. <code>Voting._isValuePct</code>
    </>,
  ],
  [
    'Support',
    <>
      At least 50 % of for and against. <code>GovernorCountingOverridable._voteSucceeded</code>
    </>,
    <>
      More than 50 % of what was cast. <code>PollCreator.QUOTA</code>
    </>,
    <>
      More than what the app asks of what was cast. <code>Voting._canExecute</code>
    </>,
  ],
  ['A tie', 'passes', 'fails', 'fails'],
  ['0 of 0', 'support is reached, the quorum is not', 'fails', 'fails'],
  [
    'Overrides',
    <>
      Yes. <code>GovernorCountingOverridable._handleVoteOverrides</code>
    </>,
    'Yes, counted off the chain by the same idea (LIP-16)',
    'None: nobody delegates',
  ],
  ['A vote can be changed', 'no', 'yes, the last valid choice counts', 'yes, while it is open'],
  [
    'Closes',
    'After a number of rounds',
    'After a number of L1 blocks; those in the last one count',
    'After a time, or when it is executed: so many yeas that no others matter can be carried out at once',
  ],
  ['Then', 'Queued in a timelock, and carried out by anybody', 'Nothing', 'Carried out by anybody who may'],
  [
    'Written down in',
    <>
      <Source href={`${LIPS}/LIP-89.md`}>LIP-89</Source>, LivepeerGovernor, GovernorCountingOverridable, BondingVotes
    </>,
    <>
      <Source href={`${LIPS}/LIP-16.md`}>LIP-16</Source>, PollCreator, Poll
    </>,
    <>
      <Source href="https://github.com/aragon/aragon-apps/blob/master/apps/voting/contracts/Voting.sol">
        Voting.sol
      </Source>
      , MiniMeToken
    </>,
  ],
]

function Systems() {
  const heads = [
    ['Treasury', 'TREASURY'],
    ['Poll', 'POLL'],
    ['Aragon vote', 'ARAGON'],
  ] as const
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <div class="table-scroll" role="group" tabIndex={0} aria-label="Three systems side by side">
      <table class="systems">
        <caption class="unseen">The rules of the three voting systems</caption>
        <thead>
          <tr>
            <td />
            {heads.map(([name, system]) => (
              <th key={system} scope="col">
                <a href={`/proposals?system=${system}`}>{name}</a>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ROWS.map(([name, ...cells]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {cells.map((cell, index) => (
                <td key={heads[index]?.[1]} data-system={heads[index]?.[0]}>
                  <div>{cell}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Power() {
  return (
    <div class="columns halves">
      <ul class="points">
        <li>
          <b>A registered transcoder</b> is bonded to itself. It votes with all stake delegated to it, its own included,
          active or not.
        </li>
        <li>
          <b>A delegator</b> votes with its own stake. Rewards its transcoder called for are in it, claimed or not.
        </li>
        <li>
          <b>Whose delegate is not registered</b> has no power on a treasury proposal, but its own stake in a poll.
        </li>
      </ul>
      <ul class="points">
        <li>
          <b>What changes in a round counts from the next one.</b> A treasury proposal reads the start of a round,
          whoever bonds in it meanwhile.
        </li>
        <li>
          <b>The active set</b> are the transcoders with most stake that do the work of a round. The governor’s
          electorate is theirs alone; who votes from outside it counts all the same, so that more can be cast than there
          is.
        </li>
        <li>
          <b>Everybody’s power at any round</b> is on <a href="/rounds">its page</a>.
        </li>
      </ul>
    </div>
  )
}

type Proposal = NonNullable<NonNullable<RulesQuery['proposals']>['nodes']>[number]
type Vote = Weighed<NonNullable<Proposal['votes']>['nodes'][number]>

interface Override {
  proposal: Proposal
  transcoder: Vote
  takers: Vote[]
}

/** The override that shows most: of few delegators, one of them against its transcoder, and of a good part. */
function bestOverride(proposals: readonly Proposal[]): Override | undefined {
  const found = proposals.flatMap((proposal) => {
    const votes = (proposal.votes?.nodes ?? []).filter(isWeighed)
    return votes.flatMap((transcoder): Override[] => {
      const takers = votes.filter(({ overrides, weight }) => overrides === transcoder.voter && BigInt(weight) > 0n)
      return takers.length === 0 || transcoder.weight === '0' ? [] : [{ proposal, transcoder, takers }]
    })
  })
  const worth = ({ transcoder, takers }: Override): number => {
    const part = Number(
      (takers.reduce((sum, { weight }) => sum + BigInt(weight), 0n) * 1000n) / BigInt(transcoder.weight),
    )
    const differs = takers.some(({ choice }) => choice !== transcoder.choice && choice !== 'ABSTAIN')
    return (differs ? 1000 : 0) + (takers.length <= 3 ? 500 : 0) + (part > 100 && part < 700 ? 400 : 0) + takers.length
  }
  return found.sort((a, b) => worth(b) - worth(a))[0]
}

function Example({ data }: { data: RulesQuery }) {
  const found = bestOverride(data.proposals?.nodes ?? [])
  const steps = (
    <ul class="points">
      <li>It does not matter who votes first, nor what either chooses.</li>
      <li>
        Where the transcoder does not vote at all, the delegator’s vote counts just the same; nothing is taken off.
      </li>
      <li>Nobody’s stake is counted twice, whoever votes.</li>
    </ul>
  )
  if (found === undefined) {
    return (
      <>
        <p>No delegator of the chains indexed has voted beside its transcoder yet; so there is no example to draw.</p>
        {steps}
      </>
    )
  }
  const { proposal, transcoder, takers } = found
  const { system } = proposal
  const whole = BigInt(transcoder.weight)
  const taken = takers.reduce((sum, { weight }) => sum + BigInt(weight), 0n)
  const kinds = { FOR: 'for', AGAINST: 'against', ABSTAIN: 'abstain' } as const
  return (
    <>
      <p>
        An example with real votes, of <a href={`/proposals/${proposal.id}?view=nested#votes`}>{proposal.title}</a>:
      </p>
      <ol class="example">
        <li>
          <p>
            <Address of={transcoder.voter} /> is a transcoder. With all stake behind it, it casts{' '}
            <Amount wei={transcoder.weight} /> <b>{choiceName(transcoder.choice, system)}</b>.
          </p>
          <SplitBar
            label="Cast by the transcoder"
            whole={whole}
            parts={[{ name: choiceName(transcoder.choice, system), amount: whole, kind: kinds[transcoder.choice] }]}
          />
        </li>
        <li>
          <p>
            {takers.length === 1 ? 'One of its delegators votes' : `${countText(takers.length)} of its delegators vote`}{' '}
            themselves:
          </p>
          <ul class="facts">
            {takers.map((taker) => (
              <li key={taker.voter}>
                <Address of={taker.voter} />
                <span>
                  <Amount wei={taker.weight} /> <b>{choiceName(taker.choice, system)}</b>
                </span>
              </li>
            ))}
          </ul>
        </li>
        <li>
          <p>
            That is taken off: <Amount wei={transcoder.weight} /> less <Amount wei={taken} /> is{' '}
            <Amount wei={transcoder.countedWeight} />, which is what counts of the transcoder’s vote (
            {percentText(BigInt(transcoder.countedWeight), whole)}).
          </p>
          <SplitBar
            label="What counts in the end"
            whole={whole}
            legend
            parts={[
              {
                name: `its transcoder, ${choiceName(transcoder.choice, system)}`,
                amount: BigInt(transcoder.countedWeight),
                kind: kinds[transcoder.choice],
              },
              ...takers.map((taker) => ({
                name: `${taker.voter.slice(0, 8)}…${taker.voter.slice(-6)}, ${choiceName(taker.choice, system)}`,
                amount: BigInt(taker.weight),
                kind: `${kinds[taker.choice]} taken`,
              })),
            ]}
          />
        </li>
      </ol>
      {steps}
    </>
  )
}

const GLOSSARY: readonly [string, string][] = [
  ['Absent', 'Could have added weight and did not vote.'],
  ['Active set', 'The transcoders with most stake, chosen anew each round, that do its work and earn its rewards.'],
  ['Bonded amount', 'Stake as of an account’s last claim, without the rewards since.'],
  ['Checkpoint', 'What BondingVotes wrote down of an account when its stake changed, to be looked up later.'],
  ['Counted', 'What of a vote’s weight went into the tally: cast, less what delegators took off.'],
  ['Delegate', 'Whom an account’s stake is behind. A transcoder is its own delegate.'],
  ['Delegator', 'Who has stake, which is behind a delegate.'],
  ['Electorate', 'What a quorum is a part of; in each system something else.'],
  ['LIP', 'Livepeer improvement proposal: where a rule was proposed and is written down.'],
  ['LPT', 'The Livepeer token, which is staked. One is 10^18 wei.'],
  ['Override', 'A delegator’s vote that is taken off its transcoder’s weight.'],
  ['Pending stake', 'Stake with the rewards that were not claimed yet.'],
  ['Quorum', 'How much must take part.'],
  ['Quota, support', 'How much of that must be for it.'],
  ['Registered', 'Bonded to itself, and so a transcoder.'],
  [
    'Round',
    'The protocol’s clock: a number of L1 blocks, about a day. It begins by arithmetic, and is initialised by a transaction.',
  ],
  ['Snapshot', 'The moment whose stake or balances a vote counts with.'],
  ['Stake', 'LPT that is bonded, with its rewards.'],
  ['Tally', 'The sums of what was counted.'],
  ['TDT', 'The TranscoderDAO’s voting token on Ethereum L1.'],
  ['Timelock', 'Where a proposal that passed waits before it can be carried out.'],
  ['Transcoder', 'A node of the network that others delegate stake to; elsewhere called orchestrator.'],
  ['Turnout', 'What was cast, of the electorate.'],
  ['Wei', 'The smallest unit: nothing here is rounded to anything larger before it is compared.'],
]
