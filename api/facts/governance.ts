import { integer } from '../rules/integer.ts'
import type { Poll, PollClosing, TreasuryProposal, TreasuryProposalEvent, VoteCast } from '../rules/proposal.ts'
import { type EntityOf, type ListReaders, logPosition, type Names } from './lists.ts'
import { append, type FactsByKey, type Since, Timeline } from './timeline.ts'

/** A quorum numerator of the governor, per 10^6, and the position it was set at. */
export interface QuorumNumerator extends Since {
  value: bigint
  round: number
  logIndex: number
}

/** A log, held by its block. */
type Held<Fact> = Fact & Since

/** What is held of treasury proposals, polls and votes: each of one list, by proposal, or by operation of the timelock. */
export interface GovernanceLayer {
  treasuryProposals: FactsByKey<Held<TreasuryProposal>>
  proposalEvents: FactsByKey<Held<TreasuryProposalEvent>>
  timelockEnds: FactsByKey<Held<TreasuryProposalEvent>>
  numerators: FactsByKey<QuorumNumerator>
  polls: FactsByKey<Held<Poll>>
  closings: FactsByKey<Since & { closing: PollClosing }>
  casts: FactsByKey<Held<VoteCast>>
  /** Proposals on which a voter has a choice that counts; a vote may be of a later block than is asked for. */
  votedOn: Map<string, Set<string>>
}

/** Nothing of governance. */
export function newGovernanceLayer(): GovernanceLayer {
  return {
    treasuryProposals: new Map(),
    proposalEvents: new Map(),
    timelockEnds: new Map(),
    numerators: new Map(),
    polls: new Map(),
    closings: new Map(),
    casts: new Map(),
    votedOn: new Map(),
  }
}

const ALL = ''

/** How lists about governance are read. */
export const governanceLists: ListReaders<
  | 'treasuryProposals'
  | 'treasuryProposalEvents'
  | 'timelockEvents'
  | 'governorSettingChanges'
  | 'polls'
  | 'closings'
  | 'voteCasts',
  GovernanceLayer
> = {
  treasuryProposals: {
    blockOf: ({ block }) => block,
    hold: (proposal, layer, _, names) => append(layer.treasuryProposals, ALL, treasuryProposal(proposal, names)),
  },
  treasuryProposalEvents: {
    blockOf: ({ block }) => block,
    hold: (event, layer) => append(layer.proposalEvents, event.proposal.id, happened(event.kind, event)),
  },
  timelockEvents: {
    blockOf: ({ block }) => block,
    hold: (event, layer) => {
      const kind = event.kind === 'CANCELED' ? 'CANCELED' : 'EXECUTED'
      return append(layer.timelockEnds, event.operation, happened(kind, event))
    },
  },
  governorSettingChanges: {
    blockOf: ({ block }) => block,
    hold: ({ newValue, round, block, logIndex }, layer) =>
      append(layer.numerators, ALL, { value: integer(newValue), round, block, logIndex }),
  },
  polls: {
    blockOf: ({ block }) => block,
    hold: (poll, layer, _, names) => append(layer.polls, ALL, openPoll(poll, names)),
  },
  closings: {
    // The event that told so came in the block after.
    blockOf: ({ closingBlock }) => (closingBlock ?? 0) + 1,
    hold: (poll, layer) => append(layer.closings, poll.id, pollClosing(poll)),
  },
  voteCasts: {
    blockOf: ({ block }) => block,
    hold: (cast, layer, _, names) => {
      const voter = names.of(cast.voter.id)
      const proposal = names.of(cast.proposal.id)
      if (cast.valid) layer.votedOn.set(voter, (layer.votedOn.get(voter) ?? new Set()).add(proposal))
      return append(layer.casts, proposal, {
        voter,
        choice: integer(cast.choice),
        valid: cast.valid,
        weight: typeof cast.weight === 'string' ? integer(cast.weight) : null,
        reason: cast.reason ?? null,
        at: logPosition(cast),
        block: cast.block,
      })
    },
  },
}

function treasuryProposal(proposal: EntityOf<'treasuryProposals'>, names: Names): Held<TreasuryProposal> {
  return {
    system: 'TREASURY',
    id: names.of(proposal.id),
    proposer: names.of(proposal.proposer.id),
    createdAt: logPosition(proposal),
    proposalId: integer(proposal.proposalId),
    targets: proposal.targets,
    values: proposal.values.map(integer),
    calldatas: proposal.calldatas,
    description: proposal.description,
    snapshotRound: proposal.snapshotRound,
    lastRound: proposal.lastRound,
    events: [],
    block: proposal.block,
  }
}

function happened(
  kind: TreasuryProposalEvent['kind'],
  log: EntityOf<'treasuryProposalEvents' | 'timelockEvents'>,
): Held<TreasuryProposalEvent> {
  return { kind, at: logPosition(log), block: log.block }
}

function openPoll(poll: EntityOf<'polls'>, names: Names): Held<Poll> {
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
  return {
    block: block + 1,
    closing: {
      block,
      round: poll.closingRound ?? 0,
      totalStake: integer(poll.closingTotalStake ?? '0'),
      totalActiveStake: integer(poll.closingTotalActiveStake ?? '0'),
      contradictions: poll.closingContradictions,
    },
  }
}

/** Everything about treasury proposals, polls and what was voted on them and Aragon votes, as of the end of a block. */
export class GovernanceFacts {
  readonly #casts: Timeline<Held<VoteCast>>
  readonly #votedOn: readonly ReadonlyMap<string, ReadonlySet<string>>[]
  readonly #timelockEnds: Timeline<Held<TreasuryProposalEvent>>
  readonly #proposals: Timeline<Held<TreasuryProposal>>
  readonly #proposalEvents: Timeline<Held<TreasuryProposalEvent>>
  readonly #polls: Timeline<Held<Poll>>
  readonly #closings: Timeline<Since & { closing: PollClosing }>
  readonly #numerators: Timeline<QuorumNumerator>

  constructor(final: GovernanceLayer, tail: GovernanceLayer, mark: number, block: number) {
    this.#casts = new Timeline(final.casts, tail.casts, mark, block)
    this.#votedOn = [final.votedOn, tail.votedOn]
    this.#timelockEnds = new Timeline(final.timelockEnds, tail.timelockEnds, mark, block)
    this.#proposals = new Timeline(final.treasuryProposals, tail.treasuryProposals, mark, block)
    this.#proposalEvents = new Timeline(final.proposalEvents, tail.proposalEvents, mark, block)
    this.#polls = new Timeline(final.polls, tail.polls, mark, block)
    this.#closings = new Timeline(final.closings, tail.closings, mark, block)
    this.#numerators = new Timeline(final.numerators, tail.numerators, mark, block)
  }

  /** All treasury proposals, in the order they were made. */
  treasuryProposals(): TreasuryProposal[] {
    return this.#proposals.all(ALL).map((proposal) => ({ ...proposal, events: this.#proposalEvents.all(proposal.id) }))
  }

  /** All polls, in the order they were made. */
  polls(): Poll[] {
    return this.#polls.all(ALL).map((poll) => ({ ...poll, closing: this.#closings.last(poll.id)?.closing ?? null }))
  }

  /** How an operation of the timelock ended, at its last log; null while it did not. */
  timelockEnd(operation: string): TreasuryProposalEvent | null {
    return this.#timelockEnds.last(operation) ?? null
  }

  /** The governor's quorum numerators in the order they were set. */
  quorumNumerators(): QuorumNumerator[] {
    return this.#numerators.all(ALL)
  }

  /** All that voters sent on a proposal, by its entity's id, in the order of logs. */
  casts(proposal: string): VoteCast[] {
    return this.#casts.all(proposal)
  }

  /** Entity ids of the proposals an account has a choice on. */
  votedOn(voter: string): string[] {
    const proposals = new Set(this.#votedOn.flatMap((voted) => [...(voted.get(voter) ?? [])]))
    return [...proposals].filter((id) => this.casts(id).some((cast) => cast.valid && cast.voter === voter))
  }
}
