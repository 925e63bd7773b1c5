import { Agent, request } from 'node:http'
import { StackError } from '../../stack/processes.ts'
import { cannon, percentile } from './load.ts'
import { mulberry32 } from './random.ts'

/** What can be asked about a chain that has come so far. */
export interface Askable {
  accounts: readonly string[]
  transcoders: readonly string[]
  firstRound: number
  lastRound: number
}

/** A kind of request. */
export interface Kind {
  name: string
  /** Whether all are the same: for ever, or until there is a new head, which makes one that was never asked. */
  isOne?: 'for ever' | 'per head'
  /** Whether its throughput is measured too. */
  throughput?: boolean
  body: (askable: Askable, random: () => number) => { query: string; variables?: object }
}

const FIELDS = 'account round votes delegate isTranscoder isActive stake bondedAmount delegatedStake checkpointed'
const BATCH = 1000
/** Known bodies in a row after which there are no others: of a short chain's rounds there are few. */
const MOST_IN_VAIN = 200

/** The yardstick, then what is measured by it. */
export const KINDS: readonly Kind[] = [
  { name: '__typename', isOne: 'for ever', throughput: true, body: () => ({ query: '{ __typename }' }) },
  {
    name: 'votingPower',
    throughput: true,
    body: (askable, random) => ({
      query: `query ($account: Address!, $round: Int!) { votingPower(account: $account, round: $round) { ${FIELDS} } }`,
      variables: { account: oneOf(askable.accounts, random), round: someRound(askable, random) },
    }),
  },
  {
    name: 'votingPowers of 1,000',
    body: (askable, random) => ({
      query: `query ($accounts: [Address!]!, $round: Int!) { votingPowers(accounts: $accounts, round: $round) { ${FIELDS} } }`,
      variables: { accounts: batch(askable.accounts, random), round: someRound(askable, random) },
    }),
  },
  {
    name: 'stakeSnapshot, first 1,000 holders',
    body: (askable, random) => ({
      query: `query ($round: Int!) { stakeSnapshot(round: $round) {
        totalActiveStake totalStake holders(first: 1000) { totalCount nodes { ${FIELDS} } } } }`,
      variables: { round: someRound(askable, random) },
    }),
  },
  {
    name: 'votingPowerHistory of a transcoder',
    // Nearly all of it: there are too few transcoders for so many requests that differ.
    body: ({ transcoders, firstRound, lastRound }, random) => ({
      query: `query ($address: Address!, $toRound: Int!) { account(address: $address) {
        votingPowerHistory(toRound: $toRound, first: 100) { totalCount nodes { ${FIELDS} } } } }`,
      variables: {
        address: oneOf(transcoders, random),
        toRound: lastRound - Math.floor((random() * (lastRound - firstRound)) / 10),
      },
    }),
  },
  {
    name: 'proposals(first: 50) with tallies',
    isOne: 'per head',
    body: () => ({
      query: `{ proposals(first: 50) { totalCount nodes {
        id title state tally { for against abstain electorate quorum final } outcome { passed } } } }`,
    }),
  },
]

/** Whose concentration is asked for. */
export const CONCENTRATED = ['ACTIVE_TRANSCODERS', 'HOLDERS'] as const

/** Bodies that ask for the concentration of every round there is: pages from both ends of the list. */
export function concentrationBodies(of: (typeof CONCENTRATED)[number], { firstRound, lastRound }: Askable): string[] {
  const rounds = lastRound - firstRound + 1
  const body = (first: number, descending: boolean) =>
    JSON.stringify({
      query: `{ rounds(first: ${first}, descending: ${descending}) { nodes {
        number concentration(of: ${of}) { nakamoto33 nakamoto50 nakamotoQuorum gini top10 } } } }`,
    })
  if (rounds > 2 * BATCH) throw new StackError(`${rounds} rounds are more than two pages`)
  return rounds <= BATCH ? [body(rounds, false)] : [body(BATCH, false), body(rounds - BATCH, true)]
}

/** How long requests took one after the other, milliseconds. */
export interface Times {
  requests: number
  p50: number
  p99: number
}

/** Bodies of a kind without end, none of them a known one unless all are the same; what is new is then known. */
export function* newBodies(kind: Kind, askable: Askable, known: Set<string>, seed: number): Generator<string> {
  const random = mulberry32(seed)
  for (let inVain = 0; inVain < MOST_IN_VAIN; inVain++) {
    const body = JSON.stringify(kind.body(askable, random))
    if (kind.isOne === undefined && known.has(body)) continue
    known.add(body)
    inVain = 0
    yield body
  }
}

/** The same bodies over and over. */
export function* repeatedly(bodies: readonly string[]): Generator<string> {
  while (bodies.length > 0) yield* bodies
}

/** Asks one after the other for some time; `before` is done before each and does not count. */
export async function askInTurn(
  url: string,
  bodies: Iterable<string>,
  seconds: number,
  before: () => Promise<void> = async () => {},
): Promise<{ times: Times; asked: string[] }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times: number[] = []
  const asked: string[] = []
  const end = performance.now() + seconds * 1000
  try {
    for (const body of bodies) {
      await before()
      const start = performance.now()
      await ask(url, body, agent)
      times.push(performance.now() - start)
      asked.push(body)
      if (performance.now() > end) break
    }
  } finally {
    agent.destroy()
  }
  times.sort((a, b) => a - b)
  return { times: { requests: times.length, p50: percentile(times, 0.5), p99: percentile(times, 0.99) }, asked }
}

/** Requests a second, 20 at a time, each one different as long as there are different ones. */
export async function throughput(url: string, kind: Kind, askable: Askable, seconds: number): Promise<number> {
  const random = mulberry32(20)
  const next = () => JSON.stringify(kind.body(askable, random))
  const { times, elapsed } = await cannon(url, next, { connections: 20, duration: seconds })
  return times.length / elapsed
}

/** Asks once, by itself. Fails on an answer with an error. */
export function ask(url: string, body: string, agent?: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const sent = request(`${url}/graphql`, { method: 'POST', headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        const isRight = text.startsWith('{"data":{') && !text.includes('"errors":')
        if (isRight) resolve()
        else reject(new StackError(`the API answered ${text.slice(0, 300)}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

function someRound({ firstRound, lastRound }: Askable, random: () => number): number {
  return firstRound + Math.floor(random() * (lastRound - firstRound + 1))
}

function oneOf(items: readonly string[], random: () => number): string {
  return items[Math.floor(random() * items.length)] ?? ''
}

/** So many of all accounts, from a place on, those in front again after the last; made-up ones where there are too few. */
function batch(accounts: readonly string[], random: () => number): string[] {
  const start = Math.floor(random() * accounts.length)
  const all = [...accounts.slice(start), ...accounts.slice(0, start)].slice(0, BATCH)
  const missing = Array.from({ length: BATCH - all.length }, (_, index) => `0x${index.toString(16).padStart(40, 'f')}`)
  return [...all, ...missing]
}
