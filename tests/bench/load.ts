import autocannon from 'autocannon'
import { StackError } from '../../stack/processes.ts'
import { Bystanders, cpuBetween, usageBelow } from './process-usage.ts'
import { mulberry32 } from './random.ts'

/** What a load may ask about. */
export interface Facts {
  /** Addresses that occur in the recording's events. */
  accounts: readonly string[]
  /** 1,000 addresses: those of the recording, filled up with made-up ones. */
  thousand: readonly string[]
  /** Rounds that can be asked. */
  rounds: readonly number[]
  /** Ids of all proposals and polls. */
  proposals: readonly string[]
}

/** One kind of request to measure. To measure another one, add it to LOADS. */
export interface Load {
  name: string
  /** What varies between requests, and what caches still see. */
  varies: string
  /** Whether it is measured with the API's limits off as well. */
  showsLimits?: boolean
  /** How many requests are under way at a time; each is measured by itself. */
  connections: readonly number[]
  /** How many requests, where each body must be asked only once; else as many as fit in the duration. */
  amount?: (facts: Facts) => number
  /** Body of the request of this number, counted from 0 over the whole load; `random` gives 0 to 1. */
  body: (facts: Facts, number: number, random: () => number) => { query: string; variables: object }
}

const FIELDS = 'account round votes delegate isTranscoder isActive stake bondedAmount delegatedStake checkpointed'
const SNAPSHOT = `query ($round: Int!) {
  stakeSnapshot(round: $round) { totalActiveStake totalStake holders(first: 1000) { totalCount nodes { ${FIELDS} } } }
}`
const VOTES = 'votes(first: 1000) { totalCount nodes { voter choice weight countedWeight overrides } }'
// Fewer than the API keeps snapshots of.
const WARM_ROUNDS = 10

/** What is measured, in this order. */
export const LOADS: readonly Load[] = [
  {
    name: 'votingPower',
    varies: 'account of the recording and round at random',
    showsLimits: true,
    connections: [1, 10],
    body: ({ accounts, rounds }, _, random) => ({
      query: `query ($account: Address!, $round: Int!) { votingPower(account: $account, round: $round) { ${FIELDS} } }`,
      variables: { account: pick(accounts, random), round: pick(rounds, random) },
    }),
  },
  {
    name: 'votingPowers of 1,000',
    varies: 'order of the accounts and round at random',
    connections: [1, 10],
    body: ({ thousand, rounds }, _, random) => ({
      query: `query ($accounts: [Address!]!, $round: Int!) { votingPowers(accounts: $accounts, round: $round) { ${FIELDS} } }`,
      variables: { accounts: shuffled(thousand, random), round: pick(rounds, random) },
    }),
  },
  {
    name: 'stakeSnapshot, cold',
    varies: 'each round asked once: nothing is cached',
    connections: [1],
    amount: ({ rounds }) => rounds.length,
    body: ({ rounds }, number) => ({ query: SNAPSHOT, variables: { round: rounds[number % rounds.length] } }),
  },
  {
    name: 'stakeSnapshot, warm',
    varies: `${WARM_ROUNDS} rounds in turn, all in the API's cache`,
    showsLimits: true,
    connections: [1, 10],
    body: ({ rounds }, number) => ({
      query: SNAPSHOT,
      variables: { round: rounds[number % Math.min(WARM_ROUNDS, rounds.length)] },
    }),
  },
  {
    name: 'proposals, first 50',
    varies: 'nothing: each answer is counted anew',
    connections: [1, 10],
    body: () => ({
      query: `{ proposals(first: 50) { totalCount nodes {
        id title state tally { for against abstain electorate quorum final } outcome { passed } } } }`,
      variables: {},
    }),
  },
  {
    name: 'proposal with its votes',
    varies: 'proposal or poll at random',
    connections: [1, 10],
    body: ({ proposals }, _, random) => ({
      query: `query ($id: ID!) { proposal(id: $id) { id state tally { for against abstain quorum } ${VOTES} } }`,
      variables: { id: pick(proposals, random) },
    }),
  },
]

/** What one load of one number of connections came to. Times in milliseconds. */
export interface LoadResult {
  name: string
  varies: string
  connections: number
  requests: number
  p50: number
  p99: number
  perSecond: number
  /** Mean size of an answer, bytes. */
  answerBytes: number
  /** Processor milliseconds per request by program; `load` is the load tool in this process. */
  cpuPerRequest: Record<string, number>
  /** Share of the machine that something else used meanwhile. */
  bystanders: number
}

/** Puts a load on an API, after a short one that is not counted; fails on the first answer with an error. */
export async function measureLoad(
  load: Load,
  connections: number,
  target: { url: string; pid: number },
  facts: Facts,
  seconds: number,
): Promise<LoadResult> {
  const random = mulberry32(connections)
  let number = 0
  const next = () => JSON.stringify(load.body(facts, number++, random))
  // What is asked only once cannot be warmed up.
  if (!load.amount) await cannon(target.url, next, { connections, duration: Math.min(2, seconds) })
  const before = usageBelow(target.pid)
  const ownBefore = process.cpuUsage()
  const bystanders = new Bystanders()
  const limit = load.amount ? { amount: load.amount(facts) } : { duration: seconds }
  const { times, bytes, elapsed } = await cannon(target.url, next, { connections, ...limit })
  const own = process.cpuUsage(ownBefore)
  const cpu = { ...cpuBetween(before, usageBelow(target.pid)), load: (own.user + own.system) / 1e6 }
  times.sort((a, b) => a - b)
  return {
    name: load.name,
    varies: load.varies,
    connections,
    requests: times.length,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    perSecond: times.length / elapsed,
    answerBytes: bytes / times.length,
    bystanders: bystanders.share(),
    cpuPerRequest: Object.fromEntries(
      Object.entries(cpu).map(([program, used]) => [program, (used * 1000) / times.length]),
    ),
  }
}

/** Puts a load on an API for some seconds or requests; fails on the first answer with an error. Times in milliseconds. */
export async function cannon(
  url: string,
  nextBody: () => string,
  limits: { connections: number; duration?: number; amount?: number },
): Promise<{ times: number[]; bytes: number; elapsed: number }> {
  const times: number[] = []
  let bytes = 0
  let wrongAnswer: string | undefined
  const start = performance.now()
  let last = start
  await new Promise<void>((resolve, reject) => {
    const instance = autocannon(
      {
        url: `${url}/graphql`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        timeout: 60,
        ...limits,
        requests: [{ setupRequest: (request) => ({ ...request, body: nextBody() }) }],
        verifyBody: (body) => {
          const text = String(body)
          const isRight = text.startsWith('{"data":{') && !text.includes('"errors":')
          if (!isRight) wrongAnswer ??= text.slice(0, 300)
          return isRight
        },
      },
      (error: Error | null, result) => {
        if (error) reject(error)
        else if (wrongAnswer !== undefined) reject(new StackError(`the API answered ${wrongAnswer}`))
        else if (result.errors > 0) reject(new StackError(`${result.errors} requests got no answer`))
        else resolve()
      },
    )
    // The tool's own histogram counts whole milliseconds.
    instance.on('response', (_, __, size, milliseconds) => {
      times.push(milliseconds)
      bytes += size
      last = performance.now()
    })
  })
  return { times, bytes, elapsed: (last - start) / 1000 }
}

/** The value below which this share of sorted values lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new StackError('there is nothing to ask about in this recording')
  return item
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item): [number, Item] => [random(), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)
}
