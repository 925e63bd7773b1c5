import DataLoader from 'dataloader'
import { ApiError } from '../facts/errors.ts'
import { currentRound } from '../facts/rounds-manager.ts'
import type {
  AragonVoteFacts,
  LogPosition,
  Moment,
  PinnedSubgraph,
  PollFacts,
  RecordedStake,
  RoundFacts,
  TreasuryProposalFacts,
  VaultPayment,
  VoteCastFacts,
} from '../facts/subgraph.ts'
import { aragonEndDate, canExecute } from '../rules/aragon-tally.ts'
import {
  type AragonTerms,
  type Count,
  countAragonVote,
  countPoll,
  countTreasuryProposal,
} from '../rules/proposal-count.ts'
import { timelockOperationId } from '../texts/proposal-actions.ts'
import { type ChainView, refuseInexact } from './chain-view.ts'

/** A treasury proposal, and through what it is counted. */
export type TreasuryProposalInView = TreasuryProposalFacts & { view: GovernanceView }
/** A poll, and through what it is counted. */
export type PollInView = PollFacts & { view: GovernanceView }
/** An Aragon vote, and through what it is counted. */
export type AragonVoteInView = AragonVoteFacts & { view: GovernanceView }
/** A proposal of any voting system. */
export type ProposalFacts = TreasuryProposalInView | PollInView | AragonVoteInView

/** A proposal's count with the facts it came from. */
export interface CountedProposal {
  count: Count
  casts: VoteCastFacts[]
  /** Polls: active stake at the moment the poll is counted by, wei; else 0. */
  totalActiveStake: bigint
}

/** The proposals and polls of one chain as one request sees them. */
export class GovernanceView {
  #proposals: Promise<ProposalFacts[]> | undefined
  #settings: ReturnType<PinnedSubgraph['governanceSettings']> | undefined
  #roundNow: Promise<number> | undefined
  readonly #counts = new DataLoader<ProposalFacts, CountedProposal>((proposals) => this.#countAll(proposals))

  constructor(readonly chainView: ChainView) {}

  /** Everything ever proposed on the chain. */
  proposals(): Promise<ProposalFacts[]> {
    this.#proposals ??= this.#fetchProposals()
    return this.#proposals
  }

  /** A proposal counted as of now; those asked for at one time are fetched together. */
  count(proposal: ProposalFacts): Promise<CountedProposal> {
    return this.#counts.load(proposal)
  }

  /** What an account voted on. */
  async proposalsVotedBy(voter: string): Promise<ProposalFacts[]> {
    const pinned = await this.chainView.pinned()
    const [voted, proposals] = await Promise.all([pinned.proposalsVotedBy(voter), this.proposals()])
    const ids = new Set(voted)
    return proposals.filter(({ id }) => ids.has(id))
  }

  /**
   * The round it is: by arithmetic where the chain's own blocks drive rounds, else what RoundsManager.currentRound()
   * answers at the indexed block where there is an RPC, else the last initialised one.
   */
  roundNow(): Promise<number> {
    this.#roundNow ??= this.#fetchRoundNow()
    return this.#roundNow
  }

  /** Whether Voting.executeVote would go through as of the indexed head's time, by the vote's own rule. */
  async canExecute(vote: AragonVoteInView): Promise<boolean> {
    const { count } = await this.count(vote)
    const figures = { ...aragonTerms(vote), yea: count.sums.for, nay: count.sums.against }
    return canExecute(figures, await this.#now())
  }

  /** What an Aragon vote's script made vaults pay, in the order of logs; less what a vote executed within it paid. */
  async payments({ id, execution }: AragonVoteInView): Promise<VaultPayment[]> {
    if (execution === null) return []
    const proposals = await this.proposals()
    const payments = await (await this.chainView.pinned()).payments(execution.at.block)
    return payments.filter(({ at }) => voteThatDid(at, proposals)?.id === id)
  }

  /** The proposal whose execution made a log, null where none did. */
  async proposalThatDid(log: LogPosition): Promise<ProposalFacts | null> {
    const proposals = await this.proposals()
    const vote = voteThatDid(log, proposals)
    if (vote !== undefined) return vote
    // The governor announces an execution before its effects.
    let found: { proposal: ProposalFacts; logIndex: number } | null = null
    for (const proposal of proposals) {
      if (proposal.system !== 'TREASURY') continue
      for (const { kind, at } of proposal.events) {
        if (kind !== 'EXECUTED' || at.transactionHash !== log.transactionHash || at.logIndex > log.logIndex) continue
        if (found === null || at.logIndex > found.logIndex) found = { proposal, logIndex: at.logIndex }
      }
    }
    return found?.proposal ?? null
  }

  /** Unix time of the indexed head; UPSTREAM_UNAVAILABLE where it is not known. */
  async #now(): Promise<bigint> {
    const { timestamp } = (await this.chainView.pinned()).head
    if (timestamp === 0) throw new ApiError('UPSTREAM_UNAVAILABLE', 'The time of the indexed block is not known yet')
    return BigInt(timestamp)
  }

  /**
   * Unix time at which voting on each proposal ends. Known where the round after its last one is initialised; else, and
   * for polls, estimated from how long rounds and L1 blocks have taken.
   */
  async endTimes(proposals: readonly ProposalFacts[]): Promise<Map<ProposalFacts, number>> {
    const pinned = await this.chainView.pinned()
    const { firstRound, currentRound: lastRound } = pinned.head
    const { roundLength } = this.chainView.chain
    const treasury = proposals.flatMap((proposal) => (proposal.system === 'TREASURY' ? [proposal.lastRound + 1] : []))
    const rounds = await pinned.roundsFrom([firstRound, lastRound, ...treasury])
    const pace = roundPace(rounds.get(firstRound), rounds.get(lastRound))
    const endOf = (proposal: ProposalFacts): number => {
      if (proposal.system === 'ARAGON') return aragonClosingTime(proposal)
      if (roundLength !== undefined) {
        // Blocks alone give the order here, so all times come from one line through them.
        const end = proposal.system === 'POLL' ? Number(proposal.endBlock) + 1 : (proposal.lastRound + 1) * roundLength
        return pace.time + (end / roundLength - pace.round) * pace.secondsPerRound
      }
      if (proposal.system === 'POLL') return proposal.createdAt.timestamp + POLL_PERIOD_SECONDS
      const next = rounds.get(proposal.lastRound + 1)
      if (next !== undefined) return next.initializedAt.timestamp
      return pace.time + (proposal.lastRound + 1 - pace.round) * pace.secondsPerRound
    }
    return new Map(proposals.map((proposal) => [proposal, Math.floor(endOf(proposal))]))
  }

  /** The timelock may be told to carry out or drop a queued proposal by others than the governor, which then says nothing. */
  async #fetchProposals(): Promise<ProposalFacts[]> {
    const pinned = await this.chainView.pinned()
    const proposals = await pinned.proposals()
    const inTimelock = new Map<unknown, string>()
    for (const proposal of proposals) {
      if (proposal.system === 'TREASURY' && proposal.events.at(-1)?.kind === 'QUEUED') {
        inTimelock.set(proposal, timelockOperationId(proposal))
      }
    }
    const ends = await pinned.timelockEnds([...inTimelock.values()])
    return proposals.map((proposal): ProposalFacts => {
      const end = ends.get(inTimelock.get(proposal) ?? '')
      if (proposal.system !== 'TREASURY' || end === undefined) return { ...proposal, view: this }
      return { ...proposal, events: [...proposal.events, end], view: this }
    })
  }

  async #fetchRoundNow(): Promise<number> {
    const { head } = await this.chainView.pinned()
    const { roundLength, rpcUrl } = this.chainView.chain
    if (roundLength !== undefined) return Math.floor(head.block / roundLength)
    const { roundsManager } = await this.#settingsNow()
    if (rpcUrl === undefined || roundsManager === null) return head.currentRound
    return currentRound(rpcUrl, roundsManager, head.block)
  }

  async #settingsNow(): ReturnType<PinnedSubgraph['governanceSettings']> {
    this.#settings ??= this.chainView.pinned().then((pinned) => pinned.governanceSettings())
    return this.#settings
  }

  async #countAll(proposals: readonly ProposalFacts[]): Promise<(CountedProposal | Error)[]> {
    const pinned = await this.chainView.pinned()
    const byStake = proposals.filter((proposal) => proposal.system !== 'ARAGON')
    const [casts, state] = await Promise.all([
      pinned.voteCasts(proposals.map(({ id }) => id)),
      byStake.length === 0 ? null : this.#governanceState(byStake),
    ])
    const moments = byStake.map((proposal): Moment => {
      const accounts = new Set(casts.get(proposal.id)?.map(({ voter }) => voter))
      return proposal.system === 'TREASURY'
        ? { accounts, round: proposal.snapshotRound + 1 }
        : { accounts, block: proposal.closing?.block ?? pinned.head.block }
    })
    const stakes = await withDelegates(moments, pinned)
    const stakesOf = new Map<ProposalFacts, Map<string, RecordedStake>>(
      byStake.map((proposal, index) => [proposal, stakes[index] ?? new Map()]),
    )
    const now = byStake.length === proposals.length ? 0n : await this.#now()
    return proposals.map((proposal) => {
      const sent = casts.get(proposal.id) ?? []
      try {
        if (proposal.system === 'ARAGON') {
          return { count: countAragonVote(aragonTerms(proposal), sent, now), casts: sent, totalActiveStake: 0n }
        }
        const known = stakesOf.get(proposal) ?? new Map<string, RecordedStake>()
        for (const stake of known.values()) refuseInexact(stake)
        if (state === null) throw new TypeError('counted by stake without a state')
        return proposal.system === 'TREASURY'
          ? this.#countTreasuryProposal(proposal, sent, known, state)
          : this.#countPoll(proposal, sent, known, state)
      } catch (error) {
        return error as Error
      }
    })
  }

  /** What treasury proposals and polls are counted with, beside stakes. */
  async #governanceState(proposals: readonly (TreasuryProposalInView | PollInView)[]): Promise<GovernanceState> {
    const pinned = await this.chainView.pinned()
    const [round, settings, rounds] = await Promise.all([
      this.roundNow(),
      this.#settingsNow(),
      pinned.roundsFrom(
        proposals.flatMap((proposal) => (proposal.system === 'TREASURY' ? [proposal.snapshotRound + 1] : [])),
      ),
    ])
    return { pinned, round, settings, rounds }
  }

  #countTreasuryProposal(
    proposal: TreasuryProposalFacts,
    casts: VoteCastFacts[],
    stakes: ReadonlyMap<string, RecordedStake>,
    { round, rounds, settings, pinned }: GovernanceState,
  ): CountedProposal {
    const { snapshotRound } = proposal
    const totals = rounds.get(snapshotRound + 1)
    refuseInexactTotal(totals?.contradictions ?? pinned.head.contradictions)
    const electorate = totals?.totalActiveStake ?? pinned.head.nextRoundTotalActiveStake
    // Power comes from checkpoints: a voter that has power and no checkpoint tells that BondingVotes is not indexed.
    const areIndexed = casts.every(({ voter, weight }) => weight === 0n || stakes.get(voter)?.firstCheckpoint)
    // BondingVotes knows an account only from its first checkpoint on.
    const delegateAt = (account: string): string | null => {
      const stake = stakes.get(account)
      if (stake === undefined) return null
      if (!areIndexed) return stake.delegate
      return this.chainView.checkpointedFrom(stake.firstCheckpoint) <= snapshotRound + 1 ? stake.delegate : null
    }
    // The governor keeps a checkpoint per round, written in the round of the change (_updateQuorumNumerator).
    const numerator = settings.numerators.findLast((set) => this.chainView.roundOf(set) <= snapshotRound)?.value ?? 0n
    const count = countTreasuryProposal(proposal, casts, delegateAt, { electorate, numerator, round })
    return { count, casts, totalActiveStake: electorate }
  }

  #countPoll(
    poll: PollFacts,
    casts: VoteCastFacts[],
    stakes: ReadonlyMap<string, RecordedStake>,
    { round, settings, pinned }: GovernanceState,
  ): CountedProposal {
    const { roundLength } = this.chainView.chain
    refuseInexactTotal(poll.closing?.contradictions ?? pinned.head.contradictions)
    const isOver =
      (roundLength !== undefined || settings.ownBlocksEndPolls) && BigInt(pinned.head.block) > poll.endBlock
    const moment = {
      isOpen: poll.closing === null && !isOver,
      round:
        roundLength === undefined
          ? (poll.closing?.round ?? round)
          : Math.floor(Math.min(pinned.head.block, Number(poll.endBlock)) / roundLength),
      totalStake: poll.closing?.totalStake ?? pinned.head.totalStake,
      totalActiveStake: poll.closing?.totalActiveStake ?? settings.currentRoundTotalActiveStake,
    }
    const count = countPoll(poll, casts, (account) => stakes.get(account), moment)
    return { count, casts, totalActiveStake: moment.totalActiveStake }
  }
}

/** What treasury proposals and polls of one chain are counted with. */
interface GovernanceState {
  pinned: PinnedSubgraph
  /** The round it is. */
  round: number
  settings: Awaited<ReturnType<PinnedSubgraph['governanceSettings']>>
  /** The first initialised round not before the one after each snapshot. */
  rounds: ReadonlyMap<number, RoundFacts>
}

/** The Aragon vote whose execution made a log: of executions within one another the innermost, which ends first. */
function voteThatDid(log: LogPosition, proposals: readonly ProposalFacts[]): AragonVoteInView | undefined {
  let found: { vote: AragonVoteInView; end: number } | undefined
  for (const vote of proposals) {
    if (vote.system !== 'ARAGON' || vote.execution === null) continue
    const { firstLogIndex, at } = vote.execution
    const isItsDoing = at.block === log.block && firstLogIndex <= log.logIndex && log.logIndex < at.logIndex
    if (isItsDoing && (found === undefined || at.logIndex < found.end)) found = { vote, end: at.logIndex }
  }
  return found?.vote
}

/** An Aragon vote's fixed figures; NOT_EXACT where neither events nor the contract nor the configuration told one. */
function aragonTerms(vote: AragonVoteFacts): AragonTerms {
  const { votingPower, supportRequired, minAcceptQuorum, voteTime } = vote
  if (votingPower === null || supportRequired === null || minAcceptQuorum === null || voteTime === null) {
    throw new ApiError(
      'NOT_EXACT',
      `The settings or the voting power of vote ${vote.voteId} of ${vote.app} are not known: neither events nor the contract nor the configuration told them`,
    )
  }
  const startDate = BigInt(vote.createdAt.timestamp)
  return { votingPower, supportRequired, minAcceptQuorum, voteTime, startDate, executed: vote.execution !== null }
}

/** Unix time at which an Aragon vote is open no longer: its end, or its execution before it; its start where its settings are not known. */
export function aragonClosingTime({ createdAt, voteTime, execution }: AragonVoteFacts): number {
  const end = Number(aragonEndDate({ startDate: BigInt(createdAt.timestamp), voteTime: voteTime ?? 0n }))
  return execution === null ? end : Math.min(end, execution.at.timestamp)
}

/** How long a poll takes: 57,600 L1 blocks of 12 seconds (PollCreator.POLL_PERIOD). */
const POLL_PERIOD_SECONDS = 57_600 * 12
/** A round of 6,377 L1 blocks of 12 seconds, where the record is too short to tell. */
const ROUND_SECONDS = 6_377 * 12

/** A round, when it was initialised, and how long rounds have taken on average. */
function roundPace(
  first: RoundFacts | undefined,
  last: RoundFacts | undefined,
): { round: number; time: number; secondsPerRound: number } {
  if (first === undefined || last === undefined) return { round: 0, time: 0, secondsPerRound: ROUND_SECONDS }
  const { number: round, initializedAt } = last
  const rounds = round - first.number
  const seconds = initializedAt.timestamp - first.initializedAt.timestamp
  return { round, time: initializedAt.timestamp, secondsPerRound: rounds === 0 ? ROUND_SECONDS : seconds / rounds }
}

/** The stakes of each moment's accounts and of their delegates. */
async function withDelegates(
  moments: readonly Moment[],
  pinned: PinnedSubgraph,
): Promise<Map<string, RecordedStake>[]> {
  const stakes = await pinned.stakesAt(moments)
  const missing = moments.map((moment, index): Moment => {
    const known = stakes[index] ?? new Map<string, RecordedStake>()
    const delegates = [...known.values()].flatMap(({ delegate }) => (delegate === null ? [] : [delegate]))
    return { ...moment, accounts: new Set(delegates.filter((delegate) => !known.has(delegate))) }
  })
  const delegates = await pinned.stakesAt(missing)
  return stakes.map((known, index) => new Map([...known, ...(delegates[index] ?? [])]))
}

function refuseInexactTotal(contradictions: number): void {
  if (contradictions > 0) {
    throw new ApiError('NOT_EXACT', 'An event contradicts the stake behind this count; see status { contradictions }')
  }
}
