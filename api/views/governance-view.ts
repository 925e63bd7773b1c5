import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TokenBalance } from '../facts/aragon.ts'
import { ApiError } from '../facts/errors.ts'
import type { Facts } from '../facts/facts.ts'
import type { RoundFacts } from '../facts/stake.ts'
import type { TreasuryTransfer, VaultPayment } from '../facts/treasury.ts'
import { type Absentee, absentees, type Eligible, type Turnout, turnout } from '../rules/absentees.ts'
import { aragonEndDate, canExecute } from '../rules/aragon-tally.ts'
import { aragonRule, type CountingRule, pollRule, treasuryRule } from '../rules/counting-rule.ts'
import { governorElector } from '../rules/governor-tally.ts'
import type { LogPosition } from '../rules/log.ts'
import { pollElector, pollElectorOf } from '../rules/poll-tally.ts'
import type { AragonVote, Poll, TreasuryProposal, TreasuryProposalEvent, VoteCast } from '../rules/proposal.ts'
import {
  type AragonCounting,
  aragonCounting,
  aragonFigures,
  type Choice,
  type Counting,
  choicesOf,
  countWithBallots,
  pollCounting,
  pollCountingBy,
  type StakeMoment,
  treasuryCounting,
} from '../rules/proposal-count.ts'
import { type Changes, type Recounted, recount } from '../rules/recount.ts'
import type { CountedVote, Elector } from '../rules/tally.ts'
import { queuedOperation } from '../rules/timelock.ts'
import { isActiveTranscoder, isRegisteredTranscoder, type Stake } from '../rules/voting-power.ts'
import type { ChainView } from './chain-view.ts'
import type { CountedProposal } from './indexed-chain.ts'
import { exact, inexactTotal, refuseInexact, type StakeView } from './stake-view.ts'

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

/** The id of a proposal among those of all chains and voting systems. */
export function globalId(proposal: ProposalInView): string {
  switch (proposal.system) {
    case 'TREASURY':
      return `treasury:${proposal.proposalId}`
    case 'POLL':
      return `poll:${proposal.id}`
    case 'ARAGON':
      return `aragon:${proposal.app}:${proposal.voteId}`
  }
}

/** The proposals and polls of one chain as one request sees them. */
export class GovernanceView {
  #proposals: ProposalInView[] | undefined
  #roundNow: Promise<number> | undefined
  readonly #counts = new Map<ProposalInView, Promise<CountedProposal>>()
  readonly #polls = new Map<Poll, PollStakes>()

  constructor(readonly chainView: ChainView) {}

  /** Everything ever proposed on the chain. */
  proposals(): ProposalInView[] {
    this.#proposals ??= this.#allProposals()
    return this.#proposals
  }

  /** A proposal counted as of now. */
  count(proposal: ProposalInView): Promise<CountedProposal> {
    this.chainView.noteProposal(globalId(proposal))
    if (proposal.system === 'TREASURY') this.chainView.noteRound(proposal.snapshotRound + 1)
    let count = this.#counts.get(proposal)
    if (count === undefined) {
      count = this.#count(proposal)
      this.#counts.set(proposal, count)
    }
    return count
  }

  /**
   * Each voter's choice that counts and what it came to, by when it was cast. Of a poll on Ethereum L1 that cannot be counted
   * what was sent is told all the same: counting it takes a contract's answer.
   */
  async votes(proposal: ProposalInView): Promise<CountedChoice[]> {
    try {
      const { count } = await this.count(proposal)
      return count.ballots.map((ballot) => ({ ballot, counted: ballot }))
    } catch (error) {
      const isUncounted = error instanceof ApiError && proposal.system === 'POLL' && this.#isL1
      if (!isUncounted) throw error
      return this.#choices(proposal).map((ballot) => ({ ballot, counted: error }))
    }
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

  /** Whether voting on a proposal has ended for sure, as far as the facts tell it by themselves. */
  isOver(proposal: ProposalInView): boolean {
    const { head, currentRound } = this.chainView.facts
    switch (proposal.system) {
      case 'TREASURY':
        return proposal.lastRound < currentRound || proposal.events.some(({ kind }) => kind === 'CANCELED')
      case 'POLL':
        return proposal.closing !== null || (this.#endsByOwnBlocks && BigInt(head.block) > proposal.endBlock)
      case 'ARAGON':
        return head.timestamp !== null && aragonClosingTime(proposal) <= head.timestamp
    }
  }

  /** The round it is; see FactsSource.roundAt. */
  roundNow(): Promise<number> {
    this.#roundNow ??= this.chainView.chain.source.roundAt(this.chainView.facts)
    return this.#roundNow
  }

  /** Whether Voting.executeVote would go through as of the indexed head's time, by the vote's own rule. */
  async canExecute(vote: AragonVoteInView): Promise<boolean> {
    const { count } = await this.count(vote)
    return canExecute(aragonFigures(this.#aragonCounting(vote, []), count.sums), this.#now())
  }

  /** What a proposal is counted by; NOT_EXACT for an Aragon vote whose settings nothing told. */
  rule(proposal: ProposalInView): CountingRule {
    switch (proposal.system) {
      case 'TREASURY':
        return treasuryRule(this.#quorumNumerator(proposal))
      case 'POLL':
        return pollRule(proposal)
      case 'ARAGON':
        return aragonRule(aragonSettings(proposal))
    }
  }

  /** Who could have added weight to a proposal and did not, most first, then lower address. */
  async absentees(proposal: ProposalInView): Promise<readonly Absentee[]> {
    const counted = await this.count(proposal)
    const known = ABSENTEES.get(counted)
    if (known !== undefined) return known
    const eligible = await this.#eligible(proposal)
    const absent = absentees(eligible, counted.count.ballots)
    ABSENTEES.set(counted, absent)
    await nextTurn()
    return absent
  }

  /** How much of a proposal's electorate voted. */
  async turnout(proposal: ProposalInView): Promise<Turnout> {
    const absent = await this.absentees(proposal)
    const { count } = await this.count(proposal)
    return turnout(count, absent)
  }

  /**
   * A proposal counted anew under other conditions, which changes nothing. BAD_USER_INPUT for a round that its chain's stake
   * cannot be told of, or for an Aragon vote; NOT_EXACT where the proposal itself, or stake in that round, cannot be told.
   */
  async recount(proposal: ProposalInView, changes: Changes): Promise<Recounted> {
    const { count: real } = await this.count(proposal)
    const choices = this.#choices(proposal)
    const counting =
      changes.round === null
        ? await this.#counting(proposal, choices, changes)
        : await this.#countingInRound(proposal, choices, changes.round, changes)
    const recounted = recount(counting, changes, real)
    await nextTurn()
    return recounted
  }

  /**
   * An account's own power over a proposal, voted with or not, and the transcoder it is part of: by stake for a treasury
   * proposal, whether BondingVotes knew the account or not. NOT_EXACT where it cannot be told.
   */
  async elector(proposal: ProposalInView, account: string): Promise<Elector> {
    switch (proposal.system) {
      case 'TREASURY': {
        const round = proposal.snapshotRound + 1
        return governorElector(account, (other) => exactStake(this.chainView.facts, other, round))
      }
      case 'POLL': {
        const { stakeOf, onL1, at } = await this.#pollStakes(proposal)
        return onL1 === null ? pollElector(account, stakeOf, at.round) : pollElectorOf(await onL1.toldPower(account))
      }
      case 'ARAGON':
        return { power: this.#balances(proposal).of(account), transcoder: null }
    }
  }

  /** What an Aragon vote's script made vaults pay, in the order of logs; less what a vote executed within it paid. */
  payments({ id, execution }: AragonVoteInView): VaultPayment[] {
    if (execution === null) return []
    const payments = this.chainView.facts.treasury.payments(execution.at.transactionHash)
    return payments.filter(({ at }) => voteThatDid(at, this.proposals())?.id === id)
  }

  /** LPT that a treasury proposal's execution moved out of treasuries or into them, in the order of logs. */
  transfersBy({ id, events }: TreasuryProposalInView): TreasuryTransfer[] {
    const executions = new Set(events.filter(({ kind }) => kind === 'EXECUTED').map(({ at }) => at.transactionHash))
    if (executions.size === 0) return []
    const { treasury } = this.chainView.facts
    return treasury
      .treasuries()
      .flatMap((address) => treasury.transfers(address))
      .filter(({ at }) => executions.has(at.transactionHash) && this.proposalThatDid(at)?.id === id)
      .sort((a, b) => a.at.block - b.at.block || a.at.logIndex - b.at.logIndex)
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
    if (proposal.system === 'POLL' && this.#isL1) return timeOfBlock(Number(proposal.endBlock) + 1, stake.rounds)
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
    const choices = this.#choices(proposal)
    const counting = await this.#counting(proposal, choices)
    const count = countWithBallots(counting, choices)
    const totalActiveStake = counting.system === 'POLL' ? counting.totalActiveStake : 0n
    return { count, totalActiveStake }
  }

  #choices({ system, id }: ProposalInView): Choice[] {
    return choicesOf(system, this.chainView.facts.governance.casts(id))
  }

  /** All that a proposal is counted from as of now. */
  async #counting(
    proposal: ProposalInView,
    choices: readonly Choice[],
    changes: Pick<Changes, 'choices'> = { choices: [] },
  ): Promise<Counting> {
    switch (proposal.system) {
      case 'ARAGON':
        return this.#aragonCounting(proposal, choices)
      case 'TREASURY':
        return this.#treasuryCounting(proposal, choices, await this.roundNow())
      case 'POLL': {
        const { stakeOf, onL1, at } = await this.#pollStakes(proposal)
        if (onL1 === null) return pollCounting(proposal, choices, stakeOf, at)
        return pollCountingBy(proposal, choices, await electorsOnL1(onL1, [...choices, ...changes.choices]), at)
      }
    }
  }

  /** The same by stake at the start of another round. */
  async #countingInRound(
    proposal: ProposalInView,
    choices: readonly Choice[],
    round: number,
    changes: Pick<Changes, 'choices'>,
  ): Promise<Counting> {
    if (proposal.system === 'ARAGON') {
      throw new ApiError('BAD_USER_INPUT', `round is ${round}; an Aragon vote counts balances, not stake: leave it out`)
    }
    const { firstRound, currentRound } = this.chainView.facts
    if (firstRound === 0 || round < firstRound || round > currentRound + 1) {
      const right = `rounds ${firstRound} to ${currentRound + 1} can be asked`
      throw new ApiError('BAD_USER_INPUT', `round is ${round}; ${firstRound === 0 ? 'none is indexed yet' : right}`)
    }
    const { totalActiveStake, totalStake, finalSince } = this.chainView.atRound(round).totals()
    const moment = `at the start of round ${round}${finalSince === undefined ? ' as it would be now' : ''}`
    if (proposal.system === 'POLL') {
      const { at, onL1 } = await this.#pollStakes(proposal)
      const then = { isOpen: at.isOpen, round, moment, totalActiveStake: exact(totalActiveStake) }
      if (onL1 === null) {
        return pollCounting(proposal, choices, this.#stakesAt(round), { ...then, totalStake: exact(totalStake) })
      }
      const stakes = this.chainView.atRound(round)
      const electorOf = await electorsOnL1(stakes, [...choices, ...changes.choices])
      return pollCountingBy(proposal, choices, electorOf, { ...then, totalStake: await stakes.toldTotalStake() })
    }
    const electorOf = this.#governorElectors(proposal, round)
    const at = { electorate: exact(totalActiveStake), numerator: this.#quorumNumerator(proposal), moment }
    return treasuryCounting(
      proposal,
      choices,
      electorOf,
      { ...at, round: await this.roundNow() },
      ({ voter }) => electorOf(voter).power,
    )
  }

  #treasuryCounting(proposal: TreasuryProposalInView, choices: readonly Choice[], round: number): Counting {
    const { facts } = this.chainView
    const { snapshotRound } = proposal
    const fixed = facts.stake.roundFrom(snapshotRound + 1)
    if (!facts.stake.isActiveStakeExact(fixed?.number ?? facts.currentRound + 1)) throw inexactTotal()
    const electorate = fixed?.totalActiveStake ?? facts.totals.nextRoundTotalActiveStake
    const moment = `at the start of round ${snapshotRound + 1}${round > snapshotRound ? '' : ' as it would be now'}`
    const electorOf = this.#governorElectors(proposal, snapshotRound + 1)
    const numerator = this.#quorumNumerator(proposal)
    return treasuryCounting(proposal, choices, electorOf, { electorate, numerator, round, moment })
  }

  /** The governor keeps a checkpoint per round, written in the round of the change (_updateQuorumNumerator). */
  #quorumNumerator({ snapshotRound }: TreasuryProposal): bigint {
    const numerators = this.chainView.facts.governance.quorumNumerators()
    return numerators.findLast((set) => this.chainView.roundOf(set) <= snapshotRound)?.value ?? 0n
  }

  /** What the governor lets accounts vote with on a proposal, by stake at the start of a round. */
  #governorElectors(proposal: TreasuryProposal, round: number): (account: string) => Elector {
    const isKnown = this.#knownToBondingVotes(proposal, round)
    const stakeOf = this.#stakesAt(round)
    const stakeAt = (account: string) => (isKnown(account) ? stakeOf(account) : undefined)
    return (account) => governorElector(account, stakeAt)
  }

  /**
   * Whether BondingVotes knew an account: it does only from its first checkpoint on. Of another round than the proposal's
   * own those count too whom it knew at the snapshot, as stake is older than BondingVotes.
   */
  #knownToBondingVotes({ id, snapshotRound }: TreasuryProposal, round: number): (account: string) => boolean {
    const { stake, governance } = this.chainView.facts
    // Power comes from checkpoints: a voter that has power and no checkpoint tells that BondingVotes is not indexed.
    const areIndexed = governance
      .casts(id)
      .every(({ voter, weight }) => weight === 0n || stake.checkpoint(voter) !== null)
    const known = Math.max(round, snapshotRound + 1)
    return (account) => !areIndexed || this.chainView.checkpointedFrom(account) <= known
  }

  /** Stakes at the start of a round, each read once: many have the same delegate. */
  #stakesAt(round: number, facts: Facts = this.chainView.facts): (account: string) => Stake | undefined {
    const stakes = new Map<string, Stake | undefined>()
    return (account) => {
      if (!stakes.has(account)) stakes.set(account, exactStake(facts, account, round))
      return stakes.get(account)
    }
  }

  /** What a poll is counted by: stake at its end, or while it is open as of now. */
  async #pollStakes(poll: Poll): Promise<PollStakes> {
    const known = this.#polls.get(poll)
    if (known !== undefined) return known
    const round = await this.roundNow()
    const { facts } = this.chainView
    const { head, totals, lastRound } = facts
    const { roundLength } = this.chainView.chain.source
    const { closing, endBlock } = poll
    if (closing?.isTold === false) {
      throw new ApiError(
        'NOT_EXACT',
        `Which block was the last one before L1 block ${endBlock} ended the poll is not known: RoundsManager did not tell the L1 block number while stake changed`,
      )
    }
    const isOpen = closing === null && !(this.#endsByOwnBlocks && BigInt(head.block) > endBlock)
    const at = {
      isOpen,
      round:
        roundLength === undefined
          ? (closing?.round ?? round)
          : Math.floor(Math.min(head.block, Number(endBlock)) / roundLength),
      totalStake: closing?.totalStake ?? totals.totalStake,
      totalActiveStake: closing?.totalActiveStake ?? lastRound?.totalActiveStake ?? 0n,
      moment: isOpen ? 'now' : `at L1 block ${endBlock}`,
    }
    const then = closing === null ? facts : facts.asOf({ ...NOT_ASKED, block: closing.block })
    const onL1 = this.#isL1 ? await this.chainView.atBlock(isOpen ? BigInt(head.block) : endBlock) : null
    if (onL1 !== null) at.totalStake = await onL1.toldTotalStake()
    else if (!then.stake.isAllStakeExact(Infinity)) throw inexactTotal()
    const stakes = { facts: then, stakeOf: this.#stakesAt(Infinity, then), onL1, at }
    this.#polls.set(poll, stakes)
    return stakes
  }

  /** Whether polls end at blocks of the chain's own number. */
  get #endsByOwnBlocks(): boolean {
    const isOwn = this.chainView.chain.source.roundLength !== undefined
    return isOwn || this.chainView.facts.totals.ownBlocksEndPolls || this.#isL1
  }

  get #isL1(): boolean {
    return this.chainView.facts.totals.l1 !== null
  }

  #aragonCounting(vote: AragonVoteInView, choices: readonly Choice[]): AragonCounting {
    const { votingPower: electorate, voteTime, execution, createdAt } = vote
    const settings = aragonSettings(vote)
    if (electorate === null || voteTime === null) throw unknownSettings(vote)
    let balances: AragonBalances | undefined
    const fixed = {
      rule: aragonRule(settings),
      electorOf: (account: string) => {
        balances ??= this.#balances(vote)
        return { power: balances.of(account), transcoder: null }
      },
      electorate,
      voteTime,
      startDate: BigInt(createdAt.timestamp),
      executedAt: execution === null ? null : BigInt(execution.at.timestamp),
      now: this.#now(),
    }
    return aragonCounting(fixed, choices)
  }

  /** Balances of an Aragon vote's token at its snapshot; NOT_EXACT where its transfers are not indexed. */
  #balances({ token, voteId, snapshotBlock }: AragonVote): AragonBalances {
    if (token === null) throw new ApiError('NOT_EXACT', `The voting token of vote ${voteId} is not indexed`)
    const { aragon } = this.chainView.facts.asOf({ ...NOT_ASKED, block: snapshotBlock })
    return { holders: () => aragon.tokenHolders(token), of: (account) => aragon.tokenBalance(token, account) }
  }

  /** Whose vote on a proposal is looked for: transcoders registered at its moment with votes; Aragon: holders. */
  async #eligible(proposal: ProposalInView): Promise<Eligible[]> {
    switch (proposal.system) {
      case 'TREASURY': {
        const round = proposal.snapshotRound + 1
        const isKnown = this.#knownToBondingVotes(proposal, round)
        return transcodersIn(this.chainView.facts, round)
          .filter(({ account }) => isKnown(account))
          .map((stake) => ({ ...eligible(stake), counts: isActiveTranscoder(stake, round) }))
      }
      case 'POLL': {
        const { facts, onL1 } = await this.#pollStakes(proposal)
        if (onL1 === null) return transcodersIn(facts, Infinity).map(eligible)
        const { holders } = await onL1.snapshot()
        return holders
          .filter(({ isTranscoder, votes }) => isTranscoder && votes > 0n)
          .map(({ account, votes }) => ({ account, power: votes, counts: true }))
      }
      case 'ARAGON':
        return this.#balances(proposal)
          .holders()
          .map(({ holder: account, balance: power }) => ({ account, power, counts: true }))
    }
  }
}

/** A voter's choice that counts, and what it came to or why that cannot be told. */
export interface CountedChoice {
  ballot: Choice
  counted: CountedVote | ApiError
}

/** What a poll is counted by. */
interface PollStakes {
  facts: Facts
  stakeOf: (account: string) => Stake | undefined
  /** On Ethereum L1 what delegators had is asked of a contract. */
  onL1: StakeView | null
  at: StakeMoment & { isOpen: boolean }
}

/** Who had what of an Aragon vote's token at its snapshot, wei. */
interface AragonBalances {
  holders: () => TokenBalance[]
  of: (account: string) => bigint
}

/** Those missing from counts that are kept, so that they are looked for once. */
const ABSENTEES = new WeakMap<CountedProposal, readonly Absentee[]>()

/** What some voters could vote with on a poll of Ethereum L1; errors as StakeView.toldPower. */
async function electorsOnL1(
  stakes: StakeView,
  voters: readonly { voter: string }[],
): Promise<(account: string) => Elector> {
  const accounts = new Set(voters.map(({ voter }) => voter))
  const powers = await Promise.all([...accounts].map((account) => stakes.toldPower(account)))
  const electors = new Map(powers.map((power) => [power.account, pollElectorOf(power)]))
  return (account) => electors.get(account) ?? { power: 0n, transcoder: null }
}

/** The transcoders registered at the start of a round, or at the end of the facts' block for Infinity, with votes; NOT_EXACT where one of the stakes is not. */
function transcodersIn({ stake }: Facts, round: number): Stake[] {
  return [...stake.delegatesAt(round)].filter((found) => {
    refuseInexact(found)
    return isRegisteredTranscoder(found) && found.delegatedAmount > 0n
  })
}

function eligible({ account, delegatedAmount }: Stake): Eligible {
  return { account, power: delegatedAmount, counts: true }
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

/** What an Aragon vote must reach; NOT_EXACT where neither events nor the contract nor the configuration told it. */
function aragonSettings(vote: AragonVote): { supportRequired: bigint; minAcceptQuorum: bigint } {
  const { supportRequired, minAcceptQuorum } = vote
  if (supportRequired === null || minAcceptQuorum === null) throw unknownSettings(vote)
  return { supportRequired, minAcceptQuorum }
}

function unknownSettings({ voteId, app }: AragonVote): ApiError {
  return new ApiError(
    'NOT_EXACT',
    `The settings or the voting power of vote ${voteId} of ${app} are not known: neither events nor the contract nor the configuration told them`,
  )
}

/** Unix time at which an Aragon vote is open no longer: its end, or its execution before it; its start where its settings are not known. */
export function aragonClosingTime({ createdAt, voteTime, execution }: AragonVote): number {
  const end = Number(aragonEndDate({ startDate: BigInt(createdAt.timestamp), voteTime: voteTime ?? 0n }))
  return execution === null ? end : Math.min(end, execution.at.timestamp)
}

/** L1's blocks before proof of stake, whose length varied. */
const BLOCK_SECONDS = 13

/** Unix time of a block whose own chain's rounds these are, estimated between the blocks of the NewRounds around it. */
function timeOfBlock(block: number, rounds: readonly RoundFacts[]): number {
  const place = rounds.findLastIndex(({ initializedAt }) => initializedAt.block <= block)
  const [before, after] = [rounds[place]?.initializedAt, rounds[place + 1]?.initializedAt]
  if (before === undefined) return Infinity
  const secondsPerBlock = after && (after.timestamp - before.timestamp) / (after.block - before.block)
  return Math.floor(before.timestamp + (block - before.block) * (secondsPerBlock ?? BLOCK_SECONDS))
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
