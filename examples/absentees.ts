import { ClientError, GraphQLClient } from 'graphql-request'
import { AbsenteesDocument, type AbsenteesQuery, type ChoiceOf, WithVotesDocument } from './generated/queries.ts'

type Absentees = NonNullable<NonNullable<AbsenteesQuery['proposal']>['absentees']>

// Who was missing, and whether they together would have turned it: npx tsx examples/absentees.ts http://127.0.0.1:4000 ID
const [url = 'http://127.0.0.1:4000', id = ''] = process.argv.slice(2)
const api = new GraphQLClient(`${url}/graphql`)

try {
  const { title, nodes } = await absenteesOf(id)
  console.log(`${title}: ${nodes.length} did not vote`)
  for (const { account, power, counts } of nodes) {
    console.log(`${account} ${power}${counts ? '' : ' not in the electorate'}`)
  }
  for (const choice of ['FOR', 'AGAINST'] as const) {
    // Hypothetical: it is counted anew, nothing is changed.
    const choices: ChoiceOf[] = nodes.slice(0, 1000).map(({ account: voter }) => ({ voter, choice }))
    const { proposal } = await api.request(WithVotesDocument, { id, choices })
    console.log(`${choice} by all of them would ${proposal?.recount?.turns ? '' : 'not '}have turned it`)
  }
} catch (error) {
  if (!(error instanceof ClientError)) throw error
  for (const { message, extensions } of error.response.errors ?? []) console.error(`${extensions?.code}: ${message}`)
  process.exitCode = 1
}

/** All absentees of a proposal, page by page. */
async function absenteesOf(proposalId: string): Promise<{ title: string; nodes: Absentees['nodes'] }> {
  const nodes: Absentees['nodes'] = []
  let title = ''
  for (let after: string | null = null, more = true; more; ) {
    const page: AbsenteesQuery = await api.request(AbsenteesDocument, { id: proposalId, after })
    const absentees = page.proposal?.absentees
    if (!page.proposal || !absentees) throw new Error(`There is no proposal ${proposalId}`)
    title = page.proposal.title
    nodes.push(...absentees.nodes)
    after = absentees.pageInfo.endCursor ?? null
    more = absentees.pageInfo.hasNextPage
  }
  return { title, nodes }
}
