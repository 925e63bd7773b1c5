import { ClientError, GraphQLClient } from 'graphql-request'
import { HoldersDocument, type HoldersQuery, LatestRoundDocument } from './generated/queries.ts'

type Holders = NonNullable<NonNullable<HoldersQuery['stakeSnapshot']>['holders']>

// Run it with: npx tsx examples/client.ts http://127.0.0.1:4000 [round]
const [url = 'http://127.0.0.1:4000', wantedRound] = process.argv.slice(2)
const api = new GraphQLClient(`${url}/graphql`)

try {
  const { round: latest } = await api.request(LatestRoundDocument)
  const round = wantedRound === undefined ? latest?.number : Number(wantedRound)
  if (round === undefined) throw new Error('No round is initialised yet')
  const holders = await holdersAt(round)
  // Amounts are wei in decimal strings: BigInt keeps them exact where a number would not.
  const votes = holders.reduce((total, holder) => total + BigInt(holder.votes), 0n)
  console.log(`round ${round}: ${holders.length} holders with ${votes} votes together`)
} catch (error) {
  if (!(error instanceof ClientError)) throw error
  for (const { message, extensions } of error.response.errors ?? []) console.error(`${extensions?.code}: ${message}`)
  process.exitCode = 1
}

/** Everybody at the start of a round, page by page. */
async function holdersAt(round: number): Promise<Holders['nodes']> {
  const all: Holders['nodes'] = []
  for (let after: string | null = null, more = true; more; ) {
    const page: HoldersQuery = await api.request(HoldersDocument, { round, after })
    for (const { network, stale } of page.status) if (stale) console.error(`${network} is not up to date`)
    // What was refused is null, and its error is thrown; so this is for the types.
    const holders = page.stakeSnapshot?.holders
    if (!holders) throw new Error(`Nothing was told of round ${round}`)
    all.push(...holders.nodes)
    after = holders.pageInfo.endCursor ?? null
    more = holders.pageInfo.hasNextPage
  }
  return all
}
