import { ApiError } from '../facts/errors.ts'
import { integer } from '../rules/integer.ts'
import { hasChoice, type Verdict } from '../rules/proposal-count.ts'
import type { Changes } from '../rules/recount.ts'
import { globalId, type ProposalInView } from '../views/governance-view.ts'
import type { Context } from './context.ts'
import { type AllFields, given } from './field-rules.ts'
import type {
  AbsenteeResolvers,
  BallotResolvers,
  Outcome,
  ProposalResolvers,
  Recount,
  RecountedResolvers,
  RuleResolvers,
  Tally,
  TurnoutResolvers,
} from './generated/resolvers.ts'
import { figure } from './limits.ts'
import { compareKeys, type ListOrder, pageOf, pageSize } from './pagination.ts'
import type { BallotParent, VoteParent } from './parents.ts'

/** The most voters that a recount may be given in one list. */
const MAX_VOTERS = 1000
const MILLION = 1_000_000

/** What every proposal tells of how it was counted, who was missing, and what would have been. */
export const countingFields: Pick<Required<ProposalResolvers>, 'rule' | 'absentees' | 'turnout' | 'recount'> = {
  rule: (proposal) => proposal.view.rule(proposal),
  absentees: async (proposal, { first, after }) =>
    pageOf(await proposal.view.absentees(proposal), absenteeOrder, first, after),
  turnout: (proposal) => proposal.view.turnout(proposal),
  recount: (proposal, { with: asked }) => proposal.view.recount(proposal, changesOf(proposal, asked)),
}

const Rule: AllFields<RuleResolvers> = {
  ...given('quorum', 'support', 'strict', 'overrides', 'source'),
  quorumChoices: ({ quorumChoices }) => [...quorumChoices],
}

const Absentee: AllFields<AbsenteeResolvers> = {
  ...given('account', 'power', 'counts'),
}

const Turnout: AllFields<TurnoutResolvers> = {
  ...given('voters', 'cast', 'electorate', 'absent', 'percent'),
}

const Recounted: AllFields<RecountedResolvers> = {
  tally: tallyOf,
  outcome: outcomeOf,
  turns: ({ turns }) => turns,
}

const Ballot: AllFields<BallotResolvers> = {
  ...given('proposal', 'power'),
  vote: ({ vote }) => vote(),
  representedBy: ({ representedBy }) => representedBy(),
  choice: async ({ vote, representedBy }) => ((await vote()) ?? (await representedBy()))?.ballot.choice ?? null,
}

/** Resolvers of the types that these are made of. */
export const countingTypes = { Rule, Absentee, Turnout, Recounted, Ballot }

/** The sums and what they are measured against, of a count or a hypothetical one. */
export function tallyOf({ sums, electorate, quorum, final }: Verdict): Tally {
  return { ...sums, electorate, quorum, final }
}

/** What follows from a count or a hypothetical one. */
export function outcomeOf({ passed, quorumReached, supportReached, explanation }: Verdict): Outcome {
  return { passed, quorumReached, supportReached, explanation }
}

/** One voter's vote; null where it did not vote. */
export async function findVote(proposal: ProposalInView, voter: string): Promise<VoteParent | null> {
  const votes = await proposal.view.votes(proposal)
  const vote = votes.find(({ ballot }) => ballot.voter === voter)
  return vote === undefined ? null : { ...vote, system: proposal.system }
}

/** How an account was counted on every proposal it had power in or voted on, newest first, for Account.ballots. */
export async function accountBallots(
  address: string,
  first: number | null | undefined,
  after: string | null | undefined,
  { governance }: Context,
) {
  pageSize(first)
  const uncounted: string[] = []
  const proposals = governance.flatMap((view) => view.proposals())
  const found = await Promise.all(
    proposals.map(async (proposal) => {
      try {
        return await ballotOf(proposal, address)
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 'NOT_EXACT') throw error
        uncounted.push(globalId(proposal))
        return null
      }
    }),
  )
  const ballots = found.filter((ballot) => ballot !== null)
  const newestFirst = ballots.sort((a, b) => compareKeys(ballotKey(b), ballotKey(a)))
  return { ...pageOf(newestFirst, ballotOrder, first, after), uncounted: uncounted.sort() }
}

/** How an account was counted; null where it neither had power nor voted. */
async function ballotOf(proposal: ProposalInView, address: string): Promise<BallotParent | null> {
  const cast = proposal.view.lastValidCast(proposal, address)
  const { power: own, transcoder } = await proposal.view.elector(proposal, address)
  const power = cast?.weight ?? own
  if (cast === undefined && power === 0n) return null
  const vote = () => (cast === undefined ? Promise.resolve(null) : findVote(proposal, address))
  const representedBy = () =>
    cast !== undefined || transcoder === null ? Promise.resolve(null) : findVote(proposal, transcoder)
  return { proposal, power, vote, representedBy }
}

/**
 * What a recount is asked to change. BAD_USER_INPUT for what the proposal's voting system does not have or cannot be, and
 * for a voter given twice; LIMIT_EXCEEDED for too many voters.
 */
export function changesOf({ system }: ProposalInView, asked: Recount): Changes {
  const without = asked.without ?? []
  const choices = asked.choices ?? []
  for (const [name, list] of Object.entries({ without, choices })) {
    if (list.length > MAX_VOTERS) {
      throw new ApiError('LIMIT_EXCEEDED', `${name} has ${figure(list.length)} voters; at most ${figure(MAX_VOTERS)}`)
    }
  }
  const seen = new Set<string>()
  for (const voter of [...without, ...choices.map((one) => one.voter)]) {
    if (seen.has(voter)) {
      throw new ApiError('BAD_USER_INPUT', `${voter} is given twice; give each voter once, in without or in choices`)
    }
    seen.add(voter)
  }
  const unknown = choices.find(({ choice }) => !hasChoice(system, choice))
  if (unknown !== undefined) {
    throw new ApiError(
      'BAD_USER_INPUT',
      `${unknown.voter} cannot choose ${unknown.choice} here: only treasury proposals have it; others have FOR and AGAINST`,
    )
  }
  if (system !== 'POLL' && asked.ofActiveStake === true) {
    throw new ApiError('BAD_USER_INPUT', 'ofActiveStake is of polls only; the quorum of others is of no other whole')
  }
  return {
    round: asked.round ?? null,
    quorum: partsPerMillion('quorumPartsPerMillion', asked.quorumPartsPerMillion),
    support: partsPerMillion('supportPartsPerMillion', asked.supportPartsPerMillion),
    strict: asked.strict ?? null,
    overrides: asked.overrides ?? null,
    ofActiveStake: asked.ofActiveStake ?? null,
    without,
    choices,
  }
}

function partsPerMillion(name: string, parts: number | null | undefined): number | null {
  if (parts === null || parts === undefined) return null
  if (parts >= 0 && parts <= MILLION) return parts
  throw new ApiError('BAD_USER_INPUT', `${name} is ${parts}; it must be from 0 to ${figure(MILLION)}`)
}

/** Most power first, then lower address. */
const absenteeOrder: ListOrder<{ account: string; power: bigint }> = {
  form: /^\d{1,100} 0x[0-9a-f]{40}$/,
  keyOf: ({ power, account }) => `${power} ${account}`,
  isAfter: ({ power, account }, key) => {
    const [keyPower = '', keyAccount = ''] = key.split(' ')
    const limit = integer(keyPower)
    return power === limit ? account > keyAccount : power < limit
  },
}

/** By when the proposal was made, across chains. */
function ballotKey({ proposal }: BallotParent): string {
  return `${proposal.createdAt.timestamp} ${globalId(proposal)}`
}

const ballotOrder: ListOrder<BallotParent> = {
  form: /^\d{1,15} \S{1,150}$/,
  keyOf: ballotKey,
  isAfter: (ballot, key) => compareKeys(ballotKey(ballot), key) < 0,
}
