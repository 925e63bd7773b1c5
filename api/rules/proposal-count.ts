// What a proposal's votes come to: the rule of its voting system over recorded facts. Pure.

import {
  type AragonFigures,
  aragonQuorum,
  aragonState,
  canExecute,
  isAragonQuorumReached,
  isDecidedEarly,
  isSupportReached,
  isVoteOpen,
} from './aragon-tally.ts'
import { type CountingRule, type Part, pollRule, treasuryRule } from './counting-rule.ts'
import { governorQuorum, governorState, isGovernorQuorumReached, isQuotaReached, quotaVotes } from './governor-tally.ts'
import { byPlace } from './log.ts'
import { isPollQuorumReached, isPollQuotaReached, percent, pollElector, pollQuorum } from './poll-tally.ts'
import type { Poll, System, TreasuryProposal, VoteCast, VoteChoice } from './proposal.ts'
import { type CountedVote, castWeight, type Elector, type Sums, tally, type WeightedVote } from './tally.ts'
import type { Stake } from './voting-power.ts'

/** States of proposals of all voting systems; see ProposalState in schema.graphql. */
export type State = 'PENDING' | 'ACTIVE' | 'CANCELED' | 'DEFEATED' | 'SUCCEEDED' | 'QUEUED' | 'EXPIRED' | 'EXECUTED'

/** A voter's choice that counts. */
export interface Choice {
  voter: string
  choice: VoteChoice
  cast: VoteCast
  /** What the same voter sent before. */
  earlier: VoteCast[]
}

/** A voter's choice that counts and what it came to. */
export interface Ballot extends Choice, CountedVote {}

/** What a count comes to; amounts are wei. */
export interface Verdict {
  state: State
  sums: Sums
  electorate: bigint
  quorum: bigint
  final: boolean
  passed: boolean | null
  quorumReached: boolean
  supportReached: boolean
  explanation: string
}

/** A proposal counted. */
export interface Count extends Verdict {
  /** By when the choice that counts was cast. */
  ballots: Ballot[]
}

/** What the numbers sent mean: 0, 1 and so on. */
const CHOICES: Record<System, readonly VoteChoice[]> = {
  TREASURY: ['AGAINST', 'FOR', 'ABSTAIN'],
  POLL: ['FOR', 'AGAINST'],
  ARAGON: ['AGAINST', 'FOR'],
}

/** What a number sent means; null where it is no choice. */
export function choiceOf(system: System, choice: bigint): VoteChoice | null {
  return CHOICES[system].find((_, number) => BigInt(number) === choice) ?? null
}

/** Whether a voting system has a choice. */
export function hasChoice(system: System, choice: VoteChoice): boolean {
  return CHOICES[system].includes(choice)
}

/**
 * Each voter's last valid choice with what it sent before, by when that choice was cast. Casts are in the order of logs.
 */
export function choicesOf(system: System, casts: readonly VoteCast[]): Choice[] {
  const byVoter = new Map<string, VoteCast[]>()
  for (const cast of casts) {
    const sent = byVoter.get(cast.voter)
    if (sent === undefined) byVoter.set(cast.voter, [cast])
    else sent.push(cast)
  }
  return [...byVoter]
    .flatMap(([voter, sent]) => {
      const last = sent.findLastIndex(({ valid }) => valid)
      const cast = sent[last]
      const choice = cast === undefined ? null : choiceOf(system, cast.choice)
      return cast === undefined || choice === null ? [] : [{ voter, choice, cast, earlier: sent.slice(0, last) }]
    })
    .sort((a, b) => byPlace(a.cast.at, b.cast.at))
}

/** All that a proposal of any voting system is counted from; amounts are wei. */
interface CountedFrom {
  rule: CountingRule
  votes: readonly WeightedVote[]
  /** What an account could vote with, whether it did or not. */
  electorOf: (account: string) => Elector
  electorate: bigint
  /** When stake or balances were what they count with, in words. */
  moment: string
}

/** All that a treasury proposal is counted from. */
export interface TreasuryCounting extends CountedFrom, Pick<TreasuryProposal, 'snapshotRound' | 'lastRound'> {
  system: 'TREASURY'
  events: readonly { kind: 'QUEUED' | 'EXECUTED' | 'CANCELED' }[]
  /** The round it is. */
  round: number
}

/** All that a poll is counted from. */
export interface PollCounting extends CountedFrom {
  system: 'POLL'
  isOpen: boolean
  totalStake: bigint
  totalActiveStake: bigint
  /** Whose stake the electorate is: everybody's by LIP-16, active transcoders' as the public explorer has it. */
  electorateIs: 'all stake' | 'active stake'
}

/** All that an Aragon vote is counted from. */
export interface AragonCounting extends CountedFrom, Pick<AragonFigures, 'startDate' | 'voteTime'> {
  system: 'ARAGON'
  /** Unix second it is. */
  now: bigint
  /** Unix second at which it was executed; null where it was not. */
  executedAt: bigint | null
  /** Unix second at which it would have been, could it have been then; null where nobody tried, or it was. */
  triedAt: bigint | null
}

/** All that a proposal is counted from. */
export type Counting = TreasuryCounting | PollCounting | AragonCounting

/** When stake counts, and what the totals are then; wei. */
export interface StakeMoment {
  /** Livepeer round at that moment. */
  round: number
  totalStake: bigint
  totalActiveStake: bigint
  moment: string
}

/**
 * A treasury proposal in a round, to be counted. The electorate is the active stake; numerator that of the quorum. A vote
 * has the weight the governor told, or where `weightOf` is given, that.
 */
export function treasuryCounting(
  proposal: Pick<TreasuryProposal, 'snapshotRound' | 'lastRound'> & Pick<TreasuryCounting, 'events'>,
  choices: readonly Choice[],
  electorOf: CountedFrom['electorOf'],
  at: { electorate: bigint; numerator: bigint; round: number; moment: string },
  weightOf = ({ cast }: Choice) => cast.weight ?? 0n,
): TreasuryCounting {
  const { snapshotRound, lastRound, events } = proposal
  const { electorate, numerator, round, moment } = at
  const votes = choices.map((choice) => ({ voter: choice.voter, choice: choice.choice, weight: weightOf(choice) }))
  const rule = treasuryRule(numerator)
  return { system: 'TREASURY', rule, votes, electorOf, electorate, moment, snapshotRound, lastRound, events, round }
}

/** A poll to be counted by everybody's stake at one moment. */
export function pollCounting(
  poll: Pick<Poll, 'quorum' | 'quota'>,
  choices: readonly Choice[],
  stakeOf: (account: string) => Stake | undefined,
  at: StakeMoment & { isOpen: boolean },
): PollCounting {
  return pollCountingBy(poll, choices, (account) => pollElector(account, stakeOf, at.round), at)
}

/** The same by what accounts could vote with at that moment. */
export function pollCountingBy(
  poll: Pick<Poll, 'quorum' | 'quota'>,
  choices: readonly Choice[],
  electorOf: CountedFrom['electorOf'],
  at: StakeMoment & { isOpen: boolean },
): PollCounting {
  const votes = choices.map(({ voter, choice }) => ({ voter, choice, weight: electorOf(voter).power }))
  const { totalStake, totalActiveStake, isOpen, moment } = at
  const electorate = { electorate: totalStake, electorateIs: 'all stake' as const, totalStake, totalActiveStake }
  return { system: 'POLL', rule: pollRule(poll), votes, electorOf, ...electorate, moment, isOpen }
}

/** The same poll with its quorum measured against the stake of active transcoders, as the public explorer has it. */
export function ofActiveStake(counting: PollCounting): PollCounting {
  return { ...counting, electorate: counting.totalActiveStake, electorateIs: 'active stake' }
}

/** An Aragon vote to be counted; the weights are the balances at the snapshot that the votes told. */
export function aragonCounting(
  fixed: Omit<AragonCounting, 'system' | 'votes' | 'moment' | 'triedAt'>,
  choices: readonly Choice[],
): AragonCounting {
  const votes = choices.map(({ voter, choice, cast }) => ({ voter, choice, weight: cast.weight ?? 0n }))
  return { system: 'ARAGON', ...fixed, votes, moment: 'at the snapshot', triedAt: null }
}

/** Counts a proposal: the one way for what was and for what would have been. */
export function count(counting: Counting): Verdict & { counted: ReadonlyMap<string, CountedVote> } {
  const { rule, votes, electorOf, electorate } = counting
  const { sums, counted } = tally(votes, rule.overrides ? (voter) => electorOf(voter).transcoder : () => null)
  return { sums, electorate, ...verdictOf(counting, sums), counted }
}

/** Counts a proposal, with what each voter's choice came to. */
export function countWithBallots(counting: Counting, choices: readonly Choice[]): Count {
  const { counted, ...verdict } = count(counting)
  const nothing = { weight: 0n, countedWeight: 0n, overrides: null }
  return { ...verdict, ballots: choices.map((choice) => ({ ...choice, ...(counted.get(choice.voter) ?? nothing) })) }
}

type Concluded = Omit<Verdict, 'sums' | 'electorate'>

function verdictOf(counting: Counting, sums: Sums): Concluded {
  switch (counting.system) {
    case 'TREASURY':
      return treasuryVerdict(counting, sums)
    case 'POLL':
      return pollVerdict(counting, sums)
    case 'ARAGON':
      return aragonVerdict(counting, sums)
  }
}

function treasuryVerdict(counting: TreasuryCounting, sums: Sums): Concluded {
  const { rule, electorate, moment, snapshotRound, lastRound, events, round } = counting
  const quorum = governorQuorum(electorate, rule.quorum)
  const quorumReached = isGovernorQuorumReached(sums, quorum)
  const supportReached = isQuotaReached(sums, rule)
  const happened = (kind: 'QUEUED' | 'EXECUTED' | 'CANCELED') => events.some((event) => event.kind === kind)
  const state = governorState(
    {
      snapshotRound,
      lastRound,
      executed: happened('EXECUTED'),
      canceled: happened('CANCELED'),
      queued: happened('QUEUED'),
    },
    round,
    quorumReached && supportReached,
  )
  const { for: yes, against, abstain } = sums
  return {
    state,
    quorum,
    final: round > snapshotRound,
    passed: passed(state),
    quorumReached,
    supportReached,
    explanation: [
      `Quorum ${reached(quorumReached)}: for ${yes} + against ${against} + abstain ${abstain} = ${castWeight(sums)} wei,`,
      `at least ${quorum} wei needed, ${percentOf(rule.quorum)} % of the active stake of ${electorate} wei ${moment},`,
      'rounded down (LivepeerGovernor.quorum, LIP-89).',
      `Support ${reached(supportReached)}: for ${yes} wei, ${rule.strict ? 'more than' : 'at least'} ${quotaVotes(sums, rule.support)} wei needed,`,
      `${percentOf(rule.support)} % of for and against, rounded down (GovernorCountingOverridable._voteSucceeded).`,
    ].join(' '),
  }
}

function pollVerdict(counting: PollCounting, sums: Sums): Concluded {
  const { rule, electorate, electorateIs, totalStake, totalActiveStake, moment, isOpen } = counting
  const quorum = pollQuorum(electorate, rule.quorum)
  const quorumReached = isPollQuorumReached(sums, electorate, rule.quorum)
  const supportReached = isPollQuotaReached(sums, rule)
  const state = isOpen ? 'ACTIVE' : quorumReached && supportReached ? 'SUCCEEDED' : 'DEFEATED'
  const cast = castWeight(sums)
  return {
    state,
    quorum,
    final: !isOpen,
    passed: passed(state),
    quorumReached,
    supportReached,
    explanation: [
      `Quorum ${reached(quorumReached)}: yes ${sums.for} + no ${sums.against} = ${cast} wei,`,
      `at least ${quorum} wei needed, ${percentOf(rule.quorum)} % of ${electorateIs} of`,
      `${electorate} wei ${moment}, rounded up (LIP-16; ${percent(cast, totalStake)} % of`,
      `all stake, ${percent(cast, totalActiveStake)} % of active stake).`,
      `Support ${reached(supportReached)}: yes ${sums.for} wei, ${needed(rule)} of cast stake needed,`,
      `a tie ${rule.strict ? 'fails' : 'passes'} (LIP-16).`,
    ].join(' '),
  }
}

/** The figures of an Aragon vote with these sums, as Voting has them. */
export function aragonFigures(counting: AragonCounting, sums: Sums): AragonFigures {
  const { rule, electorate: votingPower, startDate, voteTime, executedAt, triedAt } = counting
  const vote = {
    yea: sums.for,
    nay: sums.against,
    votingPower,
    supportRequired: rule.support.numerator,
    minAcceptQuorum: rule.quorum.numerator,
    strict: rule.strict,
    startDate,
    voteTime,
    executed: executedAt !== null,
  }
  return { ...vote, executed: vote.executed || (triedAt !== null && canExecute(vote, triedAt)) }
}

function aragonVerdict(counting: AragonCounting, sums: Sums): Concluded {
  const vote = aragonFigures(counting, sums)
  const { rule, now } = counting
  const quorumReached = isAragonQuorumReached(vote)
  const supportReached = isSupportReached(vote)
  const state = aragonState(vote, now)
  return {
    state,
    quorum: aragonQuorum(vote),
    final: true,
    passed: passed(state),
    quorumReached,
    supportReached,
    explanation: [
      `Support ${reached(supportReached)}: yea ${sums.for} of ${castWeight(sums)} wei cast, ${needed(rule)}`,
      `needed, rounded down to 18 digits, a tie ${rule.strict ? 'fails' : 'passes'}.`,
      `Quorum ${reached(quorumReached)}: yea ${sums.for} of the voting power of ${vote.votingPower} wei, more than`,
      `${percentOf(rule.quorum)} % needed, nays do not count for it.`,
      `${rule.strict ? 'Over' : 'At least'} ${percentOf(rule.support)} % of all voting power are yea, which decides it before its end:`,
      `${isDecidedEarly(vote) ? 'yes' : 'no'}. ${isVoteOpen(vote, now) ? 'Open' : 'Closed'}`,
      `(Aragon Voting._canExecute, _isValuePct).`,
    ].join(' '),
  }
}

function percentOf({ numerator, denominator }: Part): string {
  return percent(numerator, denominator)
}

function needed({ support, strict }: CountingRule): string {
  return `${strict ? 'more than' : 'at least'} ${percentOf(support)} %`
}

/** Null while it is not decided. */
function passed(state: State): boolean | null {
  return state === 'PENDING' || state === 'ACTIVE'
    ? null
    : state === 'SUCCEEDED' || state === 'QUEUED' || state === 'EXECUTED'
}

function reached(is: boolean): string {
  return is ? 'reached' : 'not reached'
}
