import { GraphQLClient } from 'graphql-request'
import type { VoteChoice } from '../../api/rules/proposal.ts'
import { type Changes, recount } from '../../api/rules/recount.ts'
import type { Sums } from '../../api/rules/tally.ts'
import { ProposalDocument, type ProposalQuery } from '../../web/generated/proposal.ts'
import { ProposalAbsenteesDocument, type ProposalAbsenteesQuery } from '../../web/generated/proposal-absentees.ts'
import type { ProposalRecountQuery } from '../../web/generated/proposal-recount.ts'
import { ProposalVotesDocument, type ProposalVotesQuery } from '../../web/generated/proposal-votes.ts'
import { NOTHING, recountInput } from '../../web/proposal/changes.ts'
import { countedOf, countingOf, standingsOf } from '../../web/proposal/counting.ts'
import { allWeighed } from '../../web/weights.ts'
import { Comparer, type Comparison } from './livepeer-truth.ts'

/**
 * Compares how the explorer counts every proposal in the browser, from what its page asks, with how the API does: as it
 * was, and under other conditions.
 */
export async function compareExplorer(url: string): Promise<Comparison> {
  const api = new GraphQLClient(`${url}/graphql`)
  const result = new Comparer()
  const { proposals } = await api.request<{ proposals: { nodes: { id: string }[] } }>(
    '{ proposals(first: 1000) { nodes { id } } }',
  )
  for (const { id } of proposals.nodes) {
    const { proposal, status } = await api.request<ProposalQuery>(String(ProposalDocument), { id })
    const asked = await api.request<ProposalVotesQuery>(String(ProposalVotesDocument), { id })
    const missing = await api.request<ProposalAbsenteesQuery>(String(ProposalAbsenteesDocument), { id })
    const votes = allWeighed(asked.proposal?.votes?.nodes ?? [])
    const absentees = missing.proposal?.absentees?.nodes
    const chain = status.find(({ network }) => network === proposal?.network)
    if (!proposal || !votes || !absentees || chain === undefined) throw new Error(`${id} is not whole`)
    const counting = countingOf(proposal, votes, absentees, chain.timestamp)
    if (counting === undefined || proposal.outcome === null) throw new Error(`${id} cannot be counted`)
    result.equal(
      `${id} votes in the browser`,
      votes.map(({ voter, countedWeight, overrides }) => ({ voter, countedWeight, overrides })),
      countedOf(counting).map(({ voter, countedWeight, overrides }) => ({
        voter,
        countedWeight: String(countedWeight),
        overrides: counting.rule.overrides ? overrides : null,
      })),
    )
    const { sums } = recount(counting, NOTHING, { passed: null })
    if (votes.length > 0)
      result.equal(`${id} stands in the end`, textOf(sums), textOf(standingsOf(counting, votes).at(-1)?.sums))
    const conditions = conditionsOf(proposal.system, votes, absentees)
    const there = await recounts(api, id, conditions)
    for (const [index, [name, changes]] of conditions.entries()) {
      const here = recount(counting, changes, { passed: proposal.outcome.passed })
      const { tally, outcome, turns } = there[index] ?? {}
      result.equal(
        `${id} ${name} in the browser`,
        {
          ...tally,
          passed: outcome?.passed,
          quorumReached: outcome?.quorumReached,
          supportReached: outcome?.supportReached,
          turns,
        },
        {
          for: String(here.sums.for),
          against: String(here.sums.against),
          abstain: String(here.sums.abstain),
          electorate: String(here.electorate),
          quorum: String(here.quorum),
          final: here.final,
          passed: here.passed,
          quorumReached: here.quorumReached,
          supportReached: here.supportReached,
          turns: here.turns,
        },
      )
    }
  }
  return result
}

type Recounted = NonNullable<NonNullable<ProposalRecountQuery['proposal']>['recount']>

/** All conditions of a proposal in one request. */
async function recounts(
  api: GraphQLClient,
  id: string,
  conditions: readonly [string, Changes][],
): Promise<(Recounted | undefined)[]> {
  const fields = conditions.map(
    (_, index) => `c${index}: recount(with: $c${index}) {
    tally { for against abstain electorate quorum final } outcome { passed quorumReached supportReached } turns }`,
  )
  const given = conditions.map((_, index) => `$c${index}: Recount!`)
  const { proposal } = await api.request<{ proposal: Record<string, Recounted> }>(
    `query ($id: ID!, ${given.join(', ')}) { proposal(id: $id) { ${fields.join('\n')} } }`,
    { id, ...Object.fromEntries(conditions.map(([, changes], index) => [`c${index}`, recountInput(changes)])) },
  )
  return conditions.map((_, index) => proposal[`c${index}`])
}

/** Nothing, and one or all of what can be otherwise. */
function conditionsOf(
  system: 'TREASURY' | 'POLL' | 'ARAGON',
  votes: readonly { voter: string; choice: VoteChoice }[],
  absentees: readonly { account: string; power: string }[],
): [string, Changes][] {
  const other = (choice: VoteChoice): VoteChoice => (choice === 'FOR' ? 'AGAINST' : 'FOR')
  const without = votes.filter((_, index) => index % 3 === 0).map(({ voter }) => voter)
  const turned = votes
    .filter((_, index) => index % 3 === 1)
    .map(({ voter, choice }) => ({ voter, choice: other(choice) }))
  // Of one whose power is told as nothing the browser asks the API.
  const too = absentees
    .filter(({ power }) => power !== '0')
    .map(({ account }) => ({ voter: account, choice: 'FOR' as const }))
  const parts = { quorum: 123_457, support: 654_321 }
  const overrides = system === 'ARAGON' ? null : false
  const ofActiveStake = system === 'POLL' ? true : null
  return [
    ['as it was', NOTHING],
    ['by another quorum', { ...NOTHING, quorum: parts.quorum }],
    ['by no quorum', { ...NOTHING, quorum: 0 }],
    ['by other support', { ...NOTHING, support: parts.support }],
    ['strict', { ...NOTHING, strict: true }],
    ['not strict', { ...NOTHING, strict: false }],
    ['without overrides', { ...NOTHING, overrides }],
    ['of active stake', { ...NOTHING, ofActiveStake }],
    ['without some', { ...NOTHING, without }],
    ['with some turned', { ...NOTHING, choices: turned }],
    ['with absentees', { ...NOTHING, choices: too }],
    [
      'with all of that',
      { round: null, ...parts, strict: true, overrides, ofActiveStake, without, choices: [...turned, ...too] },
    ],
  ]
}

function textOf(sums: Sums | undefined): string {
  return `for ${sums?.for}, against ${sums?.against}, abstain ${sums?.abstain}`
}
