// The rules of the voting systems in figures. Pure.

import { PCT_BASE } from './aragon-tally.ts'
import type { AragonVote, Poll, VoteChoice } from './proposal.ts'

/** 100 % in the governor's and LIP-16's figures (MathUtils.PERC_DIVISOR). */
export const PERC_DIVISOR = 1_000_000n

/** LivepeerGovernor.quota(), 50 %, fixed when the governor was set up: no event carries it. */
const QUOTA = 500_000n

/** A part of a whole. */
export interface Part {
  numerator: bigint
  denominator: bigint
}

/** What a proposal is counted by; see Rule in schema.graphql for each field. */
export interface CountingRule {
  quorum: Part
  support: Part
  quorumChoices: readonly VoteChoice[]
  strict: boolean
  overrides: boolean
  source: string
}

/** The rule of a treasury proposal with the governor's quorum numerator of its snapshot, per 10^6. */
export function treasuryRule(numerator: bigint): CountingRule {
  return {
    quorum: { numerator, denominator: PERC_DIVISOR },
    support: { numerator: QUOTA, denominator: PERC_DIVISOR },
    quorumChoices: ['FOR', 'AGAINST', 'ABSTAIN'],
    strict: false,
    overrides: true,
    source: 'LIP-89; GovernorCountingOverridable._quorumReached and _voteSucceeded, LivepeerGovernor.quorum and quota',
  }
}

/** The rule of a poll, by what it was created with. */
export function pollRule({ quorum, quota }: Pick<Poll, 'quorum' | 'quota'>): CountingRule {
  return {
    quorum: { numerator: quorum, denominator: PERC_DIVISOR },
    support: { numerator: quota, denominator: PERC_DIVISOR },
    quorumChoices: ['FOR', 'AGAINST'],
    strict: true,
    overrides: true,
    source: 'LIP-16; PollCreator.QUORUM and QUOTA',
  }
}

/** The rule of an Aragon vote, by its own settings. */
export function aragonRule(
  settings: {
    [Name in 'supportRequired' | 'minAcceptQuorum']: NonNullable<AragonVote[Name]>
  },
): CountingRule {
  return {
    quorum: { numerator: settings.minAcceptQuorum, denominator: PCT_BASE },
    support: { numerator: settings.supportRequired, denominator: PCT_BASE },
    quorumChoices: ['FOR'],
    strict: true,
    overrides: false,
    source: 'Aragon Voting._canExecute and _isValuePct',
  }
}
