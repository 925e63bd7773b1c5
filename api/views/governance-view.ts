import { ApiError } from '../facts/errors.ts'
import type { Facts } from '../facts/facts.ts'
import type { RoundFacts } from '../facts/stake.ts'
import type { VaultPayment } from '../facts/treasury.ts'
import { aragonEndDate, canExecute } from '../rules/aragon-tally.ts'
import type { LogPosition } from '../rules/log.ts'
import type { AragonVote, Poll, TreasuryProposal, TreasuryProposalEvent, VoteCast } from '../rules/proposal.ts'
import { type AragonTerms, countAragonVote, countPoll, countTreasuryProposal } from '../rules/proposal-count.ts'
import { queuedOperation } from '../rules/timelock.ts'
import type { Stake } from '../rules/voting-power.ts'
import type { ChainView } from './chain-view.ts'
import type { CountedProposal } from './indexed-chain.ts'
import { inexactTotal, refuseInexact } from './stake-view.ts'

/** A treasury proposal, and through what it is counted; timelockEnd is the last of its events where only its timelock told it. */
export type TreasuryProposalInView = TreasuryProposal & {
  view: GovernanceView
  timelockEnd: TreasuryProposalEvent | null
}
/** A poll, and through what it is counted. */
export type PollInView = Poll & { view: GovernanceView }
/** An Aragon vote, and through what it is counted. */
export type AragonVoteInView = AragonVote & { view: GovernanceView }
/** A proposal of any voting system. */
export type ProposalInView = TreasuryProposalInView | PollInView | AragonVoteInView

/** The proposals and polls of one chain as one request sees them. */
export class GovernanceView {
  #proposals: ProposalInView[] | undefined
  #roundNow: Promise<number> | undefined
  readonly #counts = new Map<ProposalInView, Promise<CountedProposal>>()

  constructor(readonly chainView: ChainView) {}

  /** Everything ever proposed on the chain. */
  proposals(): ProposalInView[] {
    this.#proposals ??= this.#allProposals()
    return this.#proposals
  }

  /** A proposal counted as of now. */
  count(proposal: ProposalInView): Promise<CountedProposal> {
    let count = this.#counts.get(proposal)
    if (count === undefined) {
      count = this.#count(proposal)
      this.#counts.set(proposal, count)
    }
    return count
  }

  /** What an account voted on. */
  proposalsVotedBy(voter: string): ProposalInView[] {
    const ids = this.chainView.facts.governance.votedOn(voter)
    return this.proposals().filter(({ id }) => ids.has(id))
  }

  /** The last valid choice of an account on a proposal; undefined where it has none. */
  lastValidCast({ id }: ProposalInView, voter: string): VoteCast | undefined {
    const casts = this.chainView.facts.governance.casts(id)
    return casts.findLast((cast) => cast.valid && cast.voter === voter)
  }

  /** The round it is; see FactsSource.roundAt. */
  roundNow(): Promise<number> {
    this.#roundNow ??= this.chainView.chain.source.roundAt(this.chainView.facts)
    return this.#roundNow
  }

  /** Whether Voting.executeVote would go through as of the indexed head's time, by the vote's own rule. */
  async canExecute(vote: AragonVoteInView): Promise<boolean> {
    const { count } = await this.count(vote)
    const figures = { ...aragonTerms(vote), yea: count.sums.for, nay: count.sums.against }
    return canExecute(figures, this.#now())
  }

  /** What an Aragon vote's script made vaults pay, in the order of logs; less what a vote executed within it paid. */
  payments({ id, execution }: AragonVoteInView): VaultPayment[] {
    if (execution === null) return []
    const payments = this.chainView.facts.treasury.payments(execution.at.transactionHash)
    return payments.filter(({ at }) => voteThatDid(at, this.proposals())?.id === id)
  }

  /** The proposal whose execution made a log, null where none did. */
  proposalThatDid(log: LogPosition): ProposalInView | null {
    const proposals = this.proposals()
    const vote = voteThatDid(log, proposals)
    if (vote !== undefined) return vote
    const executions = proposals.flatMap((proposal) => {
      if (proposal.system !== 'TREASURY') return []
      const events = proposal.events.filter(({ kind }) => kind === 'EXECUTED')
      return events
        .filter(({ at }) => at.transactionHash === log.transactionHash)
        .map((event) => ({ proposal, logIndex: event.at.logIndex, isTimelocks: event === proposal.timelockEnd }))
    })
    executions.sort((a, b) => a.logIndex - b.logIndex)
    // The governor announces an execution before its effects, the timelock by itself tells of each call after it.
    const found =
      executions.find(({ isTimelocks, logIndex }) => isTimelocks && logIndex > log.logIndex) ??
      executions.findLast(({ isTimelocks, logIndex }) => !isTimelocks && logIndex <= log.logIndex)
    return found?.proposal ?? null
  }

  /** Unix time at which a round began: that of its NewRound, else estimated from how long rounds have taken; never before any. */
  roundTime(number: number): { seconds: number; estimated: boolean } {
    const { stake, lastRound } = this.chainView.facts
    const round = stake.roundFrom(number)
    if (round?.number === number) return { seconds: round.initializedAt.timestamp, estimated: false }
    if (lastRound === undefined) return { seconds: Infinity, estimated: true }
    const { round: from, time, secondsPerRound } = roundPace(stake.rounds[0], lastRound)
    return { seconds: Math.floor(time + (number - from) * secondsPerRound), estimated: true }
  }

  /**
   * Unix time at which voting on a proposal ends. Known where the round after its last one is initialised; else, and for
   * polls, estimated from how long rounds and L1 blocks have taken.
   */
  endTime(proposal: ProposalInView): number {
    if (proposal.system === 'ARAGON') return aragonClosingTime(proposal)
    const { stake, lastRound } = this.chainView.facts
    const { roundLength } = this.chainView.chain.source
    const pace = roundPace(stake.rounds[0], lastRound)
    if (roundLength !== undefined) {
      // Blocks alone give the order here, so all times come from one line through them.
      const end = proposal.system === 'POLL' ? Number(proposal.endBlock) + 1 : (proposal.lastRound + 1) * roundLength
      return Math.floor(pace.time + (end / roundLength - pace.round) * pace.secondsPerRound)
    }
    if (proposal.system === 'POLL') return proposal.createdAt.timestamp + POLL_PERIOD_SECONDS
    const next = stake.roundFrom(proposal.lastRound + 1)
    return next?.initializedAt.timestamp ?? this.roundTime(proposal.lastRound + 1).seconds
  }

  /** Unix time of the indexed head; UPSTREAM_UNAVAILABLE where it is not known. */
  #now(): bigint {
    const { timestamp } = this.chainView.facts.head
    if (timestamp === null) throw new ApiError('UPSTREAM_UNAVAILABLE', 'The time of the indexed block is not known yet')
    return BigInt(timestamp)
  }

  #allProposals(): ProposalInView[] {
    const { governance, aragon } = this.chainView.facts
    return [
      ...governance.treasuryProposals().map((proposal) => this.#withItsEnd(proposal)),
      ...governance.polls().map((poll) => ({ ...poll, view: this })),
      ...aragon.votes().map((vote) => ({ ...vote, view: this })),
    ]
  }

  /** The timelock may be told to carry out or drop a queued proposal by others than the governor, which then says nothing. */
  #withItsEnd(proposal: TreasuryProposal): TreasuryProposalInView {
    const { governance } = this.chainView.facts
    const queued = proposal.events.at(-1)
    const operation =
      queued?.kind === 'QUEUED'
        ? queuedOperation(proposal, queued.at, governance.scheduledCalls(queued.at.transactionHash))
        : null
    const timelockEnd = operation === null ? null : governance.timelockEnd(operation)
    const events = timelockEnd === null ? proposal.events : [...proposal.events, timelockEnd]
    return { ...proposal, events, timelockEnd, view: this }
  }

  /** What nothing changes any more is kept: a page of old proposals has thousands of votes. */
  async #count(proposal: ProposalInView): Promise<CountedProposal> {
    if (!this.#isSettled(proposal)) return this.#countNow(proposal)
    const { counts } = this.chainView.chain
    // What was settled once may still be queued and executed.
    const events = proposal.system === 'TREASURY' ? proposal.events.length : 0
    const key = `${this.chainView.facts.head.deployment} ${proposal.id} ${events}`
    const counted = counts.get(key) ?? (await this.#countNow(proposal))
    counts.set(key, counted)
    return counted
  }

  /** Whether voting is over and all that happened to it so far happened in blocks that are final. */
  #isSettled(proposal: ProposalInView): boolean {
    const { mark, head, stake } = this.chainView.facts
    const isFinal = (block: number | undefined) => block !== undefined && block <= Math.min(mark, head.block)
    if (proposal.system === 'ARAGON') return isFinal(proposal.execution?.at.block)
    if (proposal.system === 'POLL') return proposal.closing !== null && isFinal(proposal.closing.block + 1)
    const last = proposal.events.at(-1)
    return isFinal(stake.roundFrom(proposal.lastRound + 1)?.block) && (last === undefined || isFinal(last.at.block))
  }

  async #countNow(proposal: ProposalInView): Promise<CountedProposal> {
    const { facts } = this.chainView
    const casts = facts.governance.casts(proposal.id)
    switch (proposal.system) {
      case 'ARAGON':
        return { count: countAragonVote(aragonTerms(proposal), casts, this.#now()), casts, totalActiveStake: 0n }
      case 'TREASURY':
        return this.#countTreasuryProposal(proposal, casts, await this.roundNow())
      case 'POLL':
        return this.#countPoll(proposal, casts, await this.roundNow())
    }
  }

  #countTreasuryProposal(proposal: TreasuryProposal, casts: VoteCast[], round: number): CountedProposal {
    const { facts } = this.chainView
    const { snapshotRound } = proposal
    const fixed = facts.stake.roundFrom(snapshotRound + 1)
    if (!facts.stake.isActiveStakeExact(fixed?.number ?? facts.currentRound + 1)) throw inexactTotal()
    const electorate = fixed?.totalActiveStake ?? facts.totals.nextRoundTotalActiveStake
    const stakeAt = (account: string) => exactStake(facts, account, snapshotRound + 1)
    // Power comes from checkpoints: a voter that has power and no checkpoint tells that BondingVotes is not indexed.
    const areIndexed = casts.every(({ voter, weight }) => weight === 0n || facts.stake.checkpoint(voter) !== null)
    // BondingVotes knows an account only from its first checkpoint on.
    const delegateAt = (account: string): string | null => {
      const isKnown = !areIndexed || this.chainView.checkpointedFrom(account) <= snapshotRound + 1
      return isKnown ? (stakeAt(account)?.delegate ?? null) : null
    }
    // The governor keeps a checkpoint per round, written in the round of the change (_updateQuorumNumerator).
    const numerators = facts.governance.quorumNumerators()
    const numerator = numerators.findLast((set) => this.chainView.roundOf(set) <= snapshotRound)?.value ?? 0n
    const count = countTreasuryProposal(proposal, casts, delegateAt, { electorate, numerator, round })
    return { count, casts, totalActiveStake: electorate }
  }

  #countPoll(poll: Poll, casts: VoteCast[], round: number): CountedProposal {
    const { facts } = this.chainView
    const { head, totals, lastRound } = facts
    const { roundLength } = this.chainView.chain.source
    if (poll.closing?.isTold === false) {
      throw new ApiError(
        'NOT_EXACT',
        `Which block was the last one before L1 block ${poll.endBlock} ended the poll is not known: RoundsManager did not tell the L1 block number while stake changed`,
      )
    }
    const isOver = (roundLength !== undefined || totals.ownBlocksEndPolls) && BigInt(head.block) > poll.endBlock
    const moment = {
      isOpen: poll.closing === null && !isOver,
      round:
        roundLength === undefined
          ? (poll.closing?.round ?? round)
          : Math.floor(Math.min(head.block, Number(poll.endBlock)) / roundLength),
      totalStake: poll.closing?.totalStake ?? totals.totalStake,
      totalActiveStake: poll.closing?.totalActiveStake ?? lastRound?.totalActiveStake ?? 0n,
    }
    const then = poll.closing === null ? facts : facts.asOf({ ...NOT_ASKED, block: poll.closing.block })
    if (!then.stake.isAllStakeExact(Infinity)) throw inexactTotal()
    const count = countPoll(poll, casts, (account) => exactStake(then, account, Infinity), moment)
    return { count, casts, totalActiveStake: moment.totalActiveStake }
  }
}

/** Of a moment that only stakes are read at. */
const NOT_ASKED = { blockHash: null, timestamp: null }

/** An account's stake at the start of a round, or for Infinity at the end of the facts' block; NOT_EXACT after a contradiction. */
function exactStake({ stake }: Facts, account: string, round: number): Stake | undefined {
  const found = stake.at(account, round)
  refuseInexact(found)
  return found
}

/** The Aragon vote whose execution made a log: of executions within one another the innermost, which ends first. */
function voteThatDid(log: LogPosition, proposals: readonly ProposalInView[]): AragonVoteInView | undefined {
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
function aragonTerms(vote: AragonVote): AragonTerms {
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
export function aragonClosingTime({ createdAt, voteTime, execution }: AragonVote): number {
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
