import { percentText } from '../amounts.ts'
import { type Part, SplitBar } from '../charts/bars.tsx'
import type { Choice, ProposalRowFragment, ProposalState, VotingSystem } from '../generated/proposals.ts'
import { Amount, When } from './figures.tsx'

/** What proposals are called by, and what their parts are. */
export const SYSTEM_NAMES: Readonly<Record<VotingSystem, string>> = {
  TREASURY: 'Treasury',
  POLL: 'Poll',
  ARAGON: 'Aragon vote',
}

/** What a choice is called in each system. */
export function choiceName(choice: Choice, system: VotingSystem): string {
  if (choice === 'ABSTAIN') return 'Abstain'
  if (system === 'POLL') return choice === 'FOR' ? 'Yes' : 'No'
  if (system === 'ARAGON') return choice === 'FOR' ? 'Yea' : 'Nay'
  return choice === 'FOR' ? 'For' : 'Against'
}

/** The token that a system's votes are weighed by. */
export function unitOf(system: VotingSystem): string {
  return system === 'ARAGON' ? 'TDT' : 'LPT'
}

const STATE_NAMES: Readonly<Record<ProposalState, string>> = {
  PENDING: 'Pending',
  ACTIVE: 'Active',
  CANCELED: 'Canceled',
  DEFEATED: 'Defeated',
  SUCCEEDED: 'Succeeded',
  QUEUED: 'Queued',
  EXPIRED: 'Expired',
  EXECUTED: 'Executed',
}

/** All states, in the order of a proposal's life. */
export const STATES = Object.keys(STATE_NAMES) as ProposalState[]

/** Where a proposal stands, in a word and by its look. */
export function StateBadge({ state }: { state: ProposalState | null }) {
  if (state === null) return <span class="badge unknown">not known exactly</span>
  return <span class={`badge ${state.toLowerCase()}`}>{STATE_NAMES[state]}</span>
}

/** The name of a state. */
export function stateName(state: ProposalState): string {
  return STATE_NAMES[state]
}

type Tally = NonNullable<ProposalRowFragment['tally']>

/** What was cast, as parts. */
export function partsOf(tally: Tally, system: VotingSystem): Part[] {
  const part = (choice: Choice, amount: string, kind: string) => ({
    name: choiceName(choice, system),
    amount: BigInt(amount),
    kind,
  })
  return [
    part('FOR', tally.for, 'for'),
    part('AGAINST', tally.against, 'against'),
    ...(system === 'TREASURY' ? [part('ABSTAIN', tally.abstain, 'abstain')] : []),
  ]
}

/** What counts for the quorum, by the rule's choices. */
export function quorumWeight({ tally, rule }: Pick<ProposalRowFragment, 'tally' | 'rule'>): bigint | undefined {
  if (tally === null || rule === null) return undefined
  const amounts = { FOR: tally.for, AGAINST: tally.against, ABSTAIN: tally.abstain }
  return rule.quorumChoices.reduce((sum, choice) => sum + BigInt(amounts[choice]), 0n)
}

/** For, against and abstain of all that was cast, in one line. */
export function CastBar({ proposal: { tally, system } }: { proposal: Pick<ProposalRowFragment, 'tally' | 'system'> }) {
  if (tally === null) return <span class="refused not-exact">not known exactly</span>
  const parts = partsOf(tally, system)
  const cast = parts.reduce((sum, { amount }) => sum + amount, 0n)
  if (cast === 0n) return <span class="unit">no weight cast</span>
  return <SplitBar label="Cast" parts={parts} whole={cast} />
}

/** Support and quorum in a line: '71.28 % for · quorum reached'. */
export function Margin({ proposal }: { proposal: ProposalRowFragment }) {
  const { tally, outcome, system } = proposal
  const weight = quorumWeight(proposal)
  if (tally === null || outcome === null || weight === undefined) return null
  const yes = BigInt(tally.for)
  const both = yes + BigInt(tally.against)
  const missing = BigInt(tally.quorum) - weight
  return (
    <span class="margin">
      {both === 0n ? 'nobody for or against' : `${percentText(yes, both)} ${choiceName('FOR', system).toLowerCase()}`} ·{' '}
      {outcome.quorumReached ? (
        'quorum reached'
      ) : (
        <>
          <Amount wei={missing} unit={unitOf(system)} /> short of the quorum
        </>
      )}
    </span>
  )
}

/** When voting closes or closed. */
export function Closing({ proposal: { timeline } }: { proposal: Pick<ProposalRowFragment, 'timeline'> }) {
  const closed = timeline.find(({ kind }) => kind === 'VOTING_CLOSED')
  if (closed === undefined) return null
  return <When at={closed.timestamp} round={closed.round} estimated={closed.estimated} brief />
}
