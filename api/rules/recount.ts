// A proposal counted anew under other conditions: hypothetical, it changes nothing that was. Pure.

import { type CountingRule, type Part, PERC_DIVISOR } from './counting-rule.ts'
import { percent } from './poll-tally.ts'
import type { VoteChoice } from './proposal.ts'
import { type Counting, count, ofActiveStake, type Verdict } from './proposal-count.ts'
import type { CountedVote, WeightedVote } from './tally.ts'

/** What is to be otherwise than it was; null for what stays. Shares are parts per 10^6. */
export interface Changes {
  /** Stake at the start of this round; the counting that is changed is of that round already. */
  round: number | null
  quorum: number | null
  support: number | null
  strict: boolean | null
  overrides: boolean | null
  /** Of a poll: its quorum is measured against the stake of active transcoders, not all stake. */
  ofActiveStake: boolean | null
  /** As if these had not voted. */
  without: readonly string[]
  /** As if these had chosen so, whether they voted or not; nobody twice, nor among `without`. */
  choices: readonly { voter: string; choice: VoteChoice }[]
}

/** A hypothetical count. */
export interface Recounted extends Verdict {
  /** The votes that it counts, those as they were cast first. */
  votes: (WeightedVote & CountedVote)[]
  /** Whether it passes where it did not really, or the other way round. */
  turns: boolean
}

/** Counts a proposal under other conditions, and compares with what it really came to. */
export function recount(counting: Counting, changes: Changes, real: Pick<Verdict, 'passed'>): Recounted {
  const changed = changedCounting(counting, changes)
  const { counted, ...verdict } = count(changed)
  const votes = changed.votes.map((vote) => ({
    ...vote,
    ...(counted.get(vote.voter) ?? { countedWeight: 0n, overrides: null }),
  }))
  const hypothesis = hypothesisOf(changes)
  return {
    ...verdict,
    explanation: `${hypothesis}${verdict.explanation}`,
    votes,
    turns: (verdict.passed === true) !== (real.passed === true),
  }
}

/** What a proposal would be counted from. What followed from having passed, follows again where it would have passed. */
function changedCounting(counting: Counting, changes: Changes): Counting {
  const { rule, votes, electorOf } = counting
  const without = new Set(changes.without)
  const chosen = new Map(changes.choices.map(({ voter, choice }) => [voter, choice]))
  const voted = new Set(votes.map(({ voter }) => voter))
  const changed = {
    rule: changedRule(rule, changes),
    votes: [
      ...votes
        .filter(({ voter }) => !without.has(voter))
        .map((vote) => ({ ...vote, choice: chosen.get(vote.voter) ?? vote.choice })),
      ...changes.choices
        .filter(({ voter }) => !voted.has(voter))
        .map(({ voter, choice }) => ({ voter, choice, weight: electorOf(voter).power })),
    ],
  }
  switch (counting.system) {
    case 'TREASURY':
      return { ...counting, ...changed, events: counting.events.filter(({ kind }) => kind === 'CANCELED') }
    case 'POLL': {
      const poll = { ...counting, ...changed }
      return changes.ofActiveStake === true ? ofActiveStake(poll) : poll
    }
    case 'ARAGON':
      return { ...counting, ...changed, executedAt: null, triedAt: counting.executedAt }
  }
}

function changedRule(rule: CountingRule, changes: Changes): CountingRule {
  return {
    ...rule,
    quorum: changes.quorum === null ? rule.quorum : partOf(changes.quorum, rule.quorum),
    support: changes.support === null ? rule.support : partOf(changes.support, rule.support),
    strict: changes.strict ?? rule.strict,
    overrides: changes.overrides ?? rule.overrides,
  }
}

/** Parts per 10^6 as a part of what another one is of: all denominators are powers of ten from 10^6 on. */
function partOf(partsPerMillion: number, { denominator }: Part): Part {
  return { numerator: (BigInt(partsPerMillion) * denominator) / PERC_DIVISOR, denominator }
}

/** What was changed, in words; empty where nothing was. */
function hypothesisOf(changes: Changes): string {
  const { round, quorum, support, strict, overrides, ofActiveStake, without, choices } = changes
  const parts = [
    round === null ? [] : [`with stake at the start of round ${round}`],
    quorum === null ? [] : [`a quorum of ${percent(BigInt(quorum), PERC_DIVISOR)} %`],
    support === null ? [] : [`support of ${percent(BigInt(support), PERC_DIVISOR)} %`],
    strict === null ? [] : [strict ? 'a tie failing' : 'a tie passing'],
    overrides === null ? [] : [overrides ? "delegators' votes taken off" : "nobody's vote taken off anybody's"],
    ofActiveStake === null ? [] : [`a quorum of ${ofActiveStake ? 'active' : 'all'} stake`],
    without.length === 0 ? [] : [`without the votes of ${without.length}`],
    choices.length === 0 ? [] : [`${choices.length} choosing otherwise or too`],
  ].flat()
  return parts.length === 0 ? '' : `Hypothetical, ${parts.join(', ')}. `
}
