import { ClientError, GraphQLClient } from 'graphql-request'
import { TurnoutsDocument } from './generated/queries.ts'

// A dashboard's panel of the latest ten proposals: npx tsx examples/turnout.ts http://127.0.0.1:4000
const [url = 'http://127.0.0.1:4000'] = process.argv.slice(2)
const api = new GraphQLClient(`${url}/graphql`)
const WIDTH = 20n

try {
  const { proposals } = await api.request(TurnoutsDocument)
  for (const { title, state, turnout, tally } of proposals.nodes) {
    // What cannot be told is null, and its error is thrown; so this is for the types.
    if (!turnout || !tally) continue
    const cast = barOf(turnout.cast, turnout.electorate)
    const absent = barOf(turnout.absent, turnout.electorate)
    const bar = `${'█'.repeat(cast)}${'░'.repeat(absent)}`.padEnd(Number(WIDTH))
    console.log(`${bar} ${turnout.percent} % ${turnout.voters} voted, quorum ${tally.quorum} wei: ${title} (${state})`)
  }
} catch (error) {
  if (!(error instanceof ClientError)) throw error
  for (const { message, extensions } of error.response.errors ?? []) console.error(`${extensions?.code}: ${message}`)
  process.exitCode = 1
}

/** How long the bar of a part is; more than the whole is cut off. */
function barOf(part: string, whole: string): number {
  if (BigInt(whole) === 0n) return 0
  const length = (BigInt(part) * WIDTH) / BigInt(whole)
  return Number(length < WIDTH ? length : WIDTH)
}
