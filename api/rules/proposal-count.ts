// What a proposal's votes come to: the rule of its voting system over recorded facts. Pure.

import {
  type AragonFigures,
  aragonQuorum,
  aragonState,
  isAragonQuorumReached,
  isDecidedEarly,
  isSupportReached,
  isVoteOpen,
  PCT_BASE,
} from './aragon-tally.ts'
import {
  type CountedVote,
  type GovernorVote,
  governorQuorum,
  governorState,
  governorTally,
  isGovernorQuorumReached,
  isQuotaReached,
  QUOTA,
  quotaVotes,
  type Sums,
} from './governor-tally.ts'
import { byPlace } from './log.ts'
import { isPollQuorumReached, isPollQuotaReached, percent, pollQuorum, pollTally } from './poll-tally.ts'
import type { Poll, System, TreasuryProposal, VoteCast } from './proposal.ts'
import type { Stake } from './voting-power.ts'

/** States of proposals of all voting systems; see ProposalState in schema.graphql. */
export type State = 'PENDING' | 'ACTIVE' | 'CANCELED' | 'DEFEATED' | 'SUCCEEDED' | 'QUEUED' | 'EXPIRED' | 'EXECUTED'
/** What a voter can choose; FOR is yes. */
export type VoteChoice = 'FOR' | 'AGAINST' | 'ABSTAIN'

/** A voter's choice that counts and what it came to. */
export interface Ballot extends CountedVote {
  voter: string
  choice: VoteChoice
  cast: VoteCast
  /** What the same voter sent before. */
  earlier: VoteCast[]
}

/** A proposal counted; amounts are wei. */
export interface Count {
  state: State
  sums: Sums
  electorate: bigint
  quorum: bigint
  final: boolean
  passed: boolean | null
  quorumReached: boolean
  supportReached: boolean
  explanation: string
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

/**
 * Each voter's last valid choice with what it sent before, by when that choice was cast. Casts are in the order of logs.
 */
export function ballotsOf(system: System, casts: readonly VoteCast[]): Omit<Ballot, keyof CountedVote>[] {
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

/**
 * Counts a treasury proposal in a round. `delegateAt` is BondingVotes.delegatedAt at the snapshot; electorate the active
 * stake at the start of snapshotRound + 1, as things stand where that is yet to come; numerator that of the quorum.
 */
export function countTreasuryProposal(
  proposal: Pick<TreasuryProposal, 'snapshotRound' | 'lastRound' | 'events'>,
  casts: readonly VoteCast[],
  delegateAt: (account: string) => string | null,
  { electorate, numerator, round }: { electorate: bigint; numerator: bigint; round: number },
): Count {
  const ballots = ballotsOf('TREASURY', casts)
  const votes = ballots.map(
    ({ voter, choice, cast }): GovernorVote => ({ voter, support: choice, weight: cast.weight ?? 0n }),
  )
  const { sums, counted } = governorTally(votes, delegateAt)
  const quorum = governorQuorum(electorate, numerator)
  const quorumReached = isGovernorQuorumReached(sums, quorum)
  const supportReached = isQuotaReached(sums)
  const happened = (kind: 'QUEUED' | 'EXECUTED' | 'CANCELED') => proposal.events.some((event) => event.kind === kind)
  const state = governorState(
    {
      snapshotRound: proposal.snapshotRound,
      lastRound: proposal.lastRound,
      executed: happened('EXECUTED'),
      canceled: happened('CANCELED'),
      queued: happened('QUEUED'),
    },
    round,
    quorumReached && supportReached,
  )
  const final = round > proposal.snapshotRound
  const { for: yes, against, abstain } = sums
  return {
    state,
    sums,
    electorate,
    quorum,
    final,
    passed: passed(state),
    quorumReached,
    supportReached,
    explanation: [
      `Quorum ${reached(quorumReached)}: for ${yes} + against ${against} + abstain ${abstain} = ${yes + against + abstain} wei,`,
      `at least ${quorum} wei needed, ${percent(numerator, 1_000_000n)} % of the active stake of ${electorate} wei at the start`,
      `of round ${proposal.snapshotRound + 1}${final ? '' : ' as it would be now'}, rounded down (LivepeerGovernor.quorum, LIP-89).`,
      `Support ${reached(supportReached)}: for ${yes} wei, at least ${quotaVotes(sums)} wei needed,`,
      `${percent(QUOTA, 1_000_000n)} % of for and against, rounded down (GovernorCountingOverridable._voteSucceeded).`,
    ].join(' '),
    ballots: withCounts(ballots, counted),
  }
}

/** The stake a poll is counted by: that at its end block, or while it is open that of now; wei. */
export interface PollMoment {
  isOpen: boolean
  /** Livepeer round at that moment. */
  round: number
  totalStake: bigint
  totalActiveStake: bigint
}

/** Counts a poll by stake at one moment. */
export function countPoll(
  poll: Pick<Poll, 'quorum' | 'quota' | 'endBlock'>,
  casts: readonly VoteCast[],
  stakeOf: (account: string) => Stake | undefined,
  moment: PollMoment,
): Count {
  const ballots = ballotsOf('POLL', casts)
  const votes = ballots.map(({ voter, choice }) => ({
    voter,
    support: choice === 'FOR' ? ('FOR' as const) : ('AGAINST' as const),
  }))
  const { sums, counted } = pollTally(votes, stakeOf, moment.round)
  const electorate = moment.totalStake
  const quorumReached = isPollQuorumReached(sums, electorate, poll.quorum)
  const supportReached = isPollQuotaReached(sums, poll.quota)
  const state = moment.isOpen ? 'ACTIVE' : quorumReached && supportReached ? 'SUCCEEDED' : 'DEFEATED'
  const cast = sums.for + sums.against
  return {
    state,
    sums,
    electorate,
    quorum: pollQuorum(electorate, poll.quorum),
    final: !moment.isOpen,
    passed: passed(state),
    quorumReached,
    supportReached,
    explanation: [
      `Quorum ${reached(quorumReached)}: yes ${sums.for} + no ${sums.against} = ${cast} wei,`,
      `at least ${pollQuorum(electorate, poll.quorum)} wei needed, ${percent(poll.quorum, 1_000_000n)} % of all stake of`,
      `${electorate} wei ${moment.isOpen ? 'now' : `at L1 block ${poll.endBlock}`}, rounded up (LIP-16; ${percent(cast, electorate)} % of`,
      `all stake, ${percent(cast, moment.totalActiveStake)} % of active stake).`,
      `Support ${reached(supportReached)}: yes ${sums.for} wei, more than ${percent(poll.quota, 1_000_000n)} % of cast stake`,
      `needed, a tie fails (LIP-16).`,
    ].join(' '),
    ballots: withCounts(ballots, counted),
  }
}

/** An Aragon vote's fixed figures; see AragonFigures. */
export type AragonTerms = Omit<AragonFigures, 'yea' | 'nay'>

/** Counts an Aragon vote at a Unix second: each voter's last choice with its balance at the snapshot. */
export function countAragonVote(terms: AragonTerms, casts: readonly VoteCast[], now: bigint): Count {
  const ballots = ballotsOf('ARAGON', casts)
  const sums: Sums = { for: 0n, against: 0n, abstain: 0n }
  const counted = new Map<string, CountedVote>()
  for (const { voter, choice, cast } of ballots) {
    const weight = cast.weight ?? 0n
    counted.set(voter, { weight, countedWeight: weight, overrides: null })
    sums[choice === 'FOR' ? 'for' : 'against'] += weight
  }
  const vote: AragonFigures = { ...terms, yea: sums.for, nay: sums.against }
  const quorumReached = isAragonQuorumReached(vote)
  const supportReached = isSupportReached(vote)
  const state = aragonState(vote, now)
  const cast = sums.for + sums.against
  const { votingPower, supportRequired, minAcceptQuorum } = terms
  return {
    state,
    sums,
    electorate: votingPower,
    quorum: aragonQuorum(vote),
    final: true,
    passed: passed(state),
    quorumReached,
    supportReached,
    explanation: [
      `Support ${reached(supportReached)}: yea ${sums.for} of ${cast} wei cast, more than`,
      `${percent(supportRequired, PCT_BASE)} % needed, rounded down to 18 digits, a tie fails.`,
      `Quorum ${reached(quorumReached)}: yea ${sums.for} of the voting power of ${votingPower} wei, more than`,
      `${percent(minAcceptQuorum, PCT_BASE)} % needed, nays do not count for it.`,
      `Over ${percent(supportRequired, PCT_BASE)} % of all voting power are yea, which decides it before its end:`,
      `${isDecidedEarly(vote) ? 'yes' : 'no'}. ${isVoteOpen(vote, now) ? 'Open' : 'Closed'}`,
      `(Aragon Voting._canExecute, _isValuePct).`,
    ].join(' '),
    ballots: withCounts(ballots, counted),
  }
}

function withCounts(
  ballots: readonly Omit<Ballot, keyof CountedVote>[],
  counted: ReadonlyMap<string, CountedVote>,
): Ballot[] {
  return ballots.map((ballot) => ({
    ...ballot,
    ...(counted.get(ballot.voter) ?? { weight: 0n, countedWeight: 0n, overrides: null }),
  }))
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
