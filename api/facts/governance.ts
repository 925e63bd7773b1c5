import { integer } from '../rules/integer.ts'
import type { LogPosition } from '../rules/log.ts'
import type { Poll, PollClosing, TreasuryProposal, TreasuryProposalEvent, VoteCast } from '../rules/proposal.ts'
import type { ScheduledCall } from '../rules/timelock.ts'
import { ALL, type EntityOf, logPosition, type Names, series, type Timelines } from './series.ts'
import type { Since } from './timeline.ts'

/** A quorum numerator of the governor, per 10^6, and the position it was set at. */
export interface QuorumNumerator extends Since {
  value: bigint
  round: number
  logIndex: number
}

/** What happened to an operation of the timelock. */
interface TimelockEvent extends Since {
  kind: 'SCHEDULED' | 'EXECUTED' | 'CANCELED'
  at: LogPosition
}

/** Facts of treasury proposals and polls: each of one list, or by proposal. */
export const governanceSeries = {
  treasuryProposals: series('treasuryProposals', (proposal, names) => [ALL, treasuryProposal(proposal, names)]),
  proposalEvents: series('treasuryProposalEvents', (event) => [event.proposal.id, happened(event.kind, event)]),
  /** By operation. */
  timelockEvents: series('timelockEvents', (event): [string, TimelockEvent & Since] => {
    return [event.operation, { kind: event.kind, at: logPosition(event), block: event.block }]
  }),
  /** By transaction. */
  scheduledCalls: series('scheduledCalls', (call, names) => [call.transactionHash, scheduledCall(call, names)]),
  numerators: series('governorSettingChanges', ({ newValue, round, block, logIndex }): [string, QuorumNumerator] => [
    ALL,
    { value: integer(newValue), round, block, logIndex },
  ]),
  polls: series('polls', (poll, names) => [ALL, openPoll(poll, names)]),
  closings: series('closings', (poll) => [poll.id, pollClosing(poll)]),
  casts: series('voteCasts', (cast, names) => [names.of(cast.proposal.id), voteCast(cast, names)]),
  /** Choices that may count, by voter. */
  votedOn: series('voteCasts', ({ proposal, voter, valid, block }, names) => [
    valid ? names.of(voter.id) : NOBODY,
    { proposal: names.of(proposal.id), block },
  ]),
}

const NOBODY = ''

function treasuryProposal(proposal: EntityOf<'treasuryProposals'>, names: Names): TreasuryProposal & Since {
  const { targets, calldatas, description, descriptionHash, snapshotRound, lastRound, block } = proposal
  return {
    system: 'TREASURY',
    id: names.of(proposal.id),
    proposer: names.of(proposal.proposer.id),
    createdAt: logPosition(proposal),
    proposalId: integer(proposal.proposalId),
    targets,
    values: proposal.values.map(integer),
    calldatas,
    description,
    descriptionHash: descriptionHash ?? null,
    snapshotRound,
    lastRound,
    events: [],
    block,
  }
}

function happened(
  kind: TreasuryProposalEvent['kind'],
  log: EntityOf<'treasuryProposalEvents'>,
): TreasuryProposalEvent & Since {
  return { kind, at: logPosition(log), block: log.block }
}

function scheduledCall(call: EntityOf<'scheduledCalls'>, names: Names): ScheduledCall & Since {
  return {
    operation: call.operation,
    index: integer(call.index ?? '0'),
    target: names.of(call.target ?? '0x'),
    value: integer(call.value ?? '0'),
    data: call.data ?? '0x',
    at: logPosition(call),
    block: call.block,
  }
}

function openPoll(poll: EntityOf<'polls'>, names: Names): Poll & Since {
  return {
    system: 'POLL',
    id: names.of(poll.id),
    proposer: names.of(poll.proposer.id),
    createdAt: logPosition(poll),
    proposal: poll.proposal,
    endBlock: integer(poll.endBlock),
    quorum: integer(poll.quorum),
    quota: integer(poll.quota),
    closing: null,
    block: poll.block,
  }
}

function pollClosing(poll: EntityOf<'closings'>): Since & { closing: PollClosing } {
  const block = poll.closingBlock ?? 0
  const closing = {
    block,
    round: poll.closingRound ?? 0,
    totalStake: integer(poll.closingTotalStake ?? '0'),
    totalActiveStake: integer(poll.closingTotalActiveStake ?? '0'),
    isTold: poll.untoldFromBlock === 0,
  }
  return { block: block + 1, closing }
}

function voteCast(cast: EntityOf<'voteCasts'>, names: Names): VoteCast & Since {
  return {
    voter: names.of(cast.voter.id),
    choice: integer(cast.choice),
    valid: cast.valid,
    weight: typeof cast.weight === 'string' ? integer(cast.weight) : null,
    reason: cast.reason ?? null,
    at: logPosition(cast),
    block: cast.block,
  }
}

/** Everything about treasury proposals, polls and what was voted on them and Aragon votes, as of the end of a block. */
export class GovernanceFacts {
  constructor(private readonly facts: Timelines<typeof governanceSeries>) {}

  /** All treasury proposals, in the order they were made. */
  treasuryProposals(): TreasuryProposal[] {
    const { treasuryProposals, proposalEvents } = this.facts
    return treasuryProposals.all(ALL).map((proposal) => ({ ...proposal, events: proposalEvents.all(proposal.id) }))
  }

  /** All polls, in the order they were made. */
  polls(): Poll[] {
    const { polls, closings } = this.facts
    return polls.all(ALL).map((poll) => ({ ...poll, closing: closings.last(poll.id)?.closing ?? null }))
  }

  /** The calls that a transaction put into the timelock, in the order of logs. */
  scheduledCalls(transactionHash: string): ScheduledCall[] {
    return this.facts.scheduledCalls.all(transactionHash)
  }

  /** How an operation of the timelock ended, at its last log; null while it waits, again after it was canceled too. */
  timelockEnd(operation: string): TreasuryProposalEvent | null {
    const last = this.facts.timelockEvents.last(operation)
    return last === undefined || last.kind === 'SCHEDULED' ? null : { kind: last.kind, at: last.at }
  }

  /** The governor's quorum numerators in the order they were set. */
  quorumNumerators(): QuorumNumerator[] {
    return this.facts.numerators.all(ALL)
  }

  /** All that voters sent on a proposal, by its entity's id, in the order of logs. */
  casts(proposal: string): VoteCast[] {
    return this.facts.casts.all(proposal)
  }

  /** Entity ids of the proposals an account has a choice on. */
  votedOn(voter: string): ReadonlySet<string> {
    return new Set(this.facts.votedOn.all(voter).map(({ proposal }) => proposal))
  }
}
