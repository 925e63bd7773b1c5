// What the API tells of a proposal, as the rules count it: so that a browser counts with the very functions the API does.

import type { CountingRule } from '../../api/rules/counting-rule.ts'
import { type Counting, count, type Verdict } from '../../api/rules/proposal-count.ts'
import type { CountedVote, Elector, Sums, WeightedVote } from '../../api/rules/tally.ts'
import type { ProposalQuery } from '../generated/proposal.ts'
import type { ProposalAbsenteesQuery } from '../generated/proposal-absentees.ts'
import type { ProposalVotesQuery } from '../generated/proposal-votes.ts'
import type { Weighed } from '../weights.ts'

/** A proposal as the API tells it. */
export type ToldProposal = NonNullable<ProposalQuery['proposal']>
/** A vote as the API tells it, its weights null where they cannot be told. */
export type VoteAsTold = NonNullable<NonNullable<ProposalVotesQuery['proposal']>['votes']>['nodes'][number]
/** A vote with its weights. */
export type ToldVote = Weighed<VoteAsTold>
/** Somebody who did not vote, as the API tells it. */
export type ToldAbsentee = NonNullable<NonNullable<ProposalAbsenteesQuery['proposal']>['absentees']>['nodes'][number]

/** What of a proposal its count is made of. */
export type CountedProposal = Pick<ToldProposal, 'system' | 'state'> & {
  tally: Pick<NonNullable<ToldProposal['tally']>, 'electorate' | 'final'> | null
  rule: Omit<NonNullable<ToldProposal['rule']>, 'source'> | null
  timeline: readonly Pick<ToldProposal['timeline'][number], 'kind' | 'timestamp'>[]
  /** Of a poll. */
  participation?: { activeStake: string } | null
  snapshotRound?: number
  lastRound?: number
  startDate?: string
  endDate?: string | null
}

/** Longer than anything is open: where an Aragon vote ends beyond what a date can tell. */
const NO_END = 2n ** 64n - 1n

/** Unix seconds of a time. */
function secondsOf(iso: string): bigint {
  return BigInt(Math.trunc(Date.parse(iso) / 1000))
}

/**
 * All that a proposal is counted from, as the API counts it; undefined where its state, rule or electorate cannot be told.
 * `headTime` is that of the indexed head of its chain, by which an Aragon vote is open or over. Explanations of such a
 * count name no moment: they are not to be shown.
 */
export function countingOf(
  proposal: CountedProposal,
  votes: readonly Pick<ToldVote, 'voter' | 'choice' | 'weight' | 'overrides'>[],
  absentees: readonly Pick<ToldAbsentee, 'account' | 'power'>[],
  headTime: string,
): Counting | undefined {
  const { system, state, tally, rule: told, timeline } = proposal
  if (state === null || tally === null || told === null) return undefined
  const fixed = {
    rule: ruleOf(told),
    votes: votes.map(({ voter, choice, weight }): WeightedVote => ({ voter, choice, weight: BigInt(weight) })),
    electorOf: electorsOf(votes, absentees),
    electorate: BigInt(tally.electorate),
    moment: '',
  }
  const happened = (kind: 'EXECUTED' | 'QUEUED' | 'CANCELED') => timeline.find((event) => event.kind === kind)
  switch (system) {
    case 'TREASURY': {
      const { snapshotRound = 0, lastRound = 0 } = proposal
      const kinds = ['QUEUED', 'EXECUTED', 'CANCELED'] as const
      const events = kinds.filter((kind) => happened(kind) !== undefined).map((kind) => ({ kind }))
      // The governor's round is the clock's, which no answer tells: the state tells on which side of both ends it is.
      const round = !tally.final ? snapshotRound : state === 'ACTIVE' ? lastRound : lastRound + 1
      return { system, ...fixed, snapshotRound, lastRound, events, round }
    }
    case 'POLL': {
      const totalActiveStake = BigInt(proposal.participation?.activeStake ?? 0)
      const stake = { totalStake: fixed.electorate, totalActiveStake, electorateIs: 'all stake' as const }
      return { system, ...fixed, ...stake, isOpen: state === 'ACTIVE' }
    }
    case 'ARAGON': {
      const startDate = secondsOf(proposal.startDate ?? headTime)
      const voteTime = proposal.endDate ? secondsOf(proposal.endDate) - startDate : NO_END
      const executed = happened('EXECUTED')?.timestamp ?? null
      const executedAt = executed === null ? null : secondsOf(executed)
      return { system, ...fixed, startDate, voteTime, executedAt, triedAt: null, now: secondsOf(headTime) }
    }
  }
}

function ruleOf({ quorum, support, quorumChoices, strict, overrides }: NonNullable<CountedProposal['rule']>) {
  const part = ({ numerator, denominator }: typeof quorum) => ({
    numerator: BigInt(numerator),
    denominator: BigInt(denominator),
  })
  return {
    quorum: part(quorum),
    support: part(support),
    quorumChoices,
    strict,
    overrides,
    source: '',
  } satisfies CountingRule
}

/** What those who voted and those who did not could vote with; an absentee's power is told less what was taken from it. */
function electorsOf(
  votes: readonly Pick<ToldVote, 'voter' | 'weight' | 'overrides'>[],
  absentees: readonly Pick<ToldAbsentee, 'account' | 'power'>[],
): (account: string) => Elector {
  const electors = new Map<string, Elector>()
  const taken = new Map<string, bigint>()
  for (const { voter, weight, overrides } of votes) {
    electors.set(voter, { power: BigInt(weight), transcoder: overrides })
    if (overrides !== null) taken.set(overrides, (taken.get(overrides) ?? 0n) + BigInt(weight))
  }
  for (const { account, power } of absentees) {
    electors.set(account, { power: BigInt(power) + (taken.get(account) ?? 0n), transcoder: null })
  }
  return (account) => electors.get(account) ?? { power: 0n, transcoder: null }
}

/** The same when voting is over and nothing followed yet: whether it passes by then is what its votes alone decide. */
export function asClosed(counting: Counting): Counting {
  switch (counting.system) {
    case 'TREASURY':
      return { ...counting, events: [], round: counting.lastRound + 1 }
    case 'POLL':
      return { ...counting, isOpen: false }
    case 'ARAGON':
      return { ...counting, executedAt: null, triedAt: null, now: counting.startDate + counting.voteTime }
  }
}

/** What follows from sums alone, by the rule of the proposal. */
function verdictOf(counting: Counting, sums: Sums): Verdict {
  const votes: WeightedVote[] = [
    { voter: 'for', choice: 'FOR', weight: sums.for },
    { voter: 'against', choice: 'AGAINST', weight: sums.against },
    { voter: 'abstain', choice: 'ABSTAIN', weight: sums.abstain },
  ]
  return count({ ...counting, rule: { ...counting.rule, overrides: false }, votes })
}

/** Whether sums pass when voting is over. */
export function passes(counting: Counting, sums: Sums): boolean {
  return verdictOf(asClosed(counting), sums).passed === true
}

/** The weight that counts for the quorum, wei. */
function quorumWeightOf({ rule }: Pick<Counting, 'rule'>, sums: Sums): bigint {
  const amounts = { FOR: sums.for, AGAINST: sums.against, ABSTAIN: sums.abstain }
  return rule.quorumChoices.reduce((sum, choice) => sum + amounts[choice], 0n)
}

/** A count after one more vote. */
export interface Standing {
  /** Unix seconds. */
  at: number
  /** Whose vote it was, the last of those that came together. */
  voter: string
  sums: Sums
  /** What counts for the quorum, wei. */
  forQuorum: bigint
  quorumReached: boolean
  supportReached: boolean
  /** Whether it would pass, were voting over now. */
  passes: boolean
}

/** More votes than these are counted in groups of equal size: counting anew after each takes the square of their number. */
const MOST_COUNTS = 600

/**
 * The count as it stood after each vote, oldest first: of every voter the last valid choice by then, each vote with the
 * weight that it has in the end. An earlier choice counts until it is changed.
 */
export function standingsOf(
  counting: Counting,
  votes: readonly Pick<ToldVote, 'voter' | 'choice' | 'weight' | 'overrides' | 'castAt' | 'earlier'>[],
): Standing[] {
  const casts = votes
    .flatMap(({ voter, choice, castAt, earlier }) => [
      ...earlier.flatMap((sent) => (sent.choice === null ? [] : [{ voter, choice: sent.choice, at: sent.castAt }])),
      { voter, choice, at: castAt },
    ])
    .sort((a, b) => Number(BigInt(a.at.block) - BigInt(b.at.block)) || a.at.logIndex - b.at.logIndex)
  const closed = asClosed(counting)
  const step = Math.ceil(casts.length / MOST_COUNTS) || 1
  const standing = new Map<string, WeightedVote>()
  const standings: Standing[] = []
  for (const [index, { voter, choice, at }] of casts.entries()) {
    standing.set(voter, { voter, choice, weight: counting.electorOf(voter).power })
    if ((index + 1) % step !== 0 && index !== casts.length - 1) continue
    const { sums, quorumReached, supportReached, passed } = count({ ...closed, votes: [...standing.values()] })
    const forQuorum = quorumWeightOf(counting, sums)
    const seconds = Math.trunc(Date.parse(at.timestamp) / 1000)
    standings.push({
      at: seconds,
      voter,
      sums,
      forQuorum,
      quorumReached,
      supportReached,
      passes: passed === true,
    })
  }
  return standings
}

/** The vote after which it would have ended as it did, whatever came later; undefined where no vote changed anything. */
export function decidedBy(standings: readonly Standing[]): Standing | undefined {
  const last = standings.at(-1)
  if (last === undefined) return undefined
  const before = standings.findLastIndex((standing) => standing.passes !== last.passes)
  return before === -1 && !last.passes ? undefined : standings[before + 1]
}

/** A vote, and what it came to. */
export type Counted = WeightedVote & CountedVote

/** Every vote with what it came to. */
export function countedOf(counting: Counting): Counted[] {
  const { counted } = count(counting)
  return counting.votes.map((vote) => ({
    ...vote,
    ...(counted.get(vote.voter) ?? { countedWeight: 0n, overrides: null }),
  }))
}
