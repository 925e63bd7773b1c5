import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import { GraphQLClient } from 'graphql-request'
import { formatUnits, getAddress } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FactsSource } from '../../api/facts/followed-chain.ts'
import type { ApiServer } from '../../api/server.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import type { L1Truth } from './l1-truth.ts'
import { type LivepeerTruth, readTruth, traceFile } from './livepeer-truth.ts'
import { asOf, serveFacts } from './serve.ts'

interface Scores {
  score: { address: string; score: string }[]
}

type Dump = Parameters<typeof StandardMerkleTree.load<[string, string]>>[0]

interface Question {
  options?: unknown
  network?: unknown
  snapshot?: unknown
  addresses?: unknown
}

/** Of the recorded chains, both of them. */
const RECORDED = '31337'
const HEAD = 1499
const livepeer = readTruth<LivepeerTruth>('livepeer/small')
const onL1 = readTruth<L1Truth>('livepeer-l1/small').rounds.find(({ round }) => round === 12)
const ACCOUNTS = Object.keys(livepeer.votesAtRoundStart.accounts)
const stranger = (index: number) => `0x${(index + 1).toString(16).padStart(40, '9')}`

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ traces: ['livepeer/small', 'livepeer-l1/small'].map(traceFile) })
  await stack.ready
}, 240_000)
afterAll(() => stack?.stop())

function post(body: string | object, url = stack.url, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/snapshot/scores`, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

async function scores(question: Question, url = stack.url): Promise<Scores> {
  const response = await post({ options: {}, network: RECORDED, ...question }, url)
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
  return (await response.json()) as Scores
}

async function refusal(answer: Promise<Response>) {
  const response = await answer
  const body = (await response.json()) as { error: { code: string; message: string } }
  expect(Object.keys(body)).toEqual(['error'])
  expect(response.headers.get('cache-control')).toBe('no-store')
  return { status: response.status, retryAfter: response.headers.get('retry-after'), ...body.error }
}

function ask<Answer>(query: string): Promise<Answer> {
  return new GraphQLClient(`${stack.url}/graphql`).request<Answer>(query)
}

/** A score as a strategy takes it, whose decimals are 18. */
const asNumber = (score: string) => Number.parseFloat(formatUnits(BigInt(score), 18))

/** What a strategy makes of an answer that has each score under its address, in any spelling. */
function scoresByAddress({ score }: Scores): Record<string, number> {
  return Object.fromEntries(score.map((one) => [getAddress(one.address), asNumber(one.score)]))
}

describe('api-post', () => {
  test('gets what BondingVotes.getVotes answered at each block', async () => {
    let compared = 0
    for (const { block, accounts } of livepeer.rounds) {
      const addresses = Object.keys(accounts)
      const expected = Object.entries(accounts).map(([address, { votesNext }]) => ({ address, score: votesNext }))
      expect(await scores({ snapshot: block, addresses })).toEqual({ score: expected })
      compared += expected.length
    }
    console.log(`livepeer/small: ${compared} values of scores and recorded contracts compared`)
    expect(compared).toBeGreaterThan(300)
  })

  test('for all voters, a transcoder’s is less by what its delegators among them have', async () => {
    let less = 0
    for (const { block, accounts } of livepeer.rounds) {
      const voters = Object.keys(accounts).filter((_, index) => index % 3 !== 1)
      const expected = voters.map((address) => {
        const own = BigInt(accounts[address]?.votesNext ?? 0)
        const taken = voters
          .filter((voter) => voter !== address && accounts[voter]?.votesNextDelegate === address)
          .reduce((sum, voter) => sum + BigInt(accounts[voter]?.votesNext ?? 0), 0n)
        if (taken > 0n) less += 1
        return { address, score: String(own - taken) }
      })
      const options = { overrides: true }
      expect(await scores({ options, snapshot: block, addresses: voters })).toEqual({ score: expected })
    }
    expect(less).toBeGreaterThan(5)
  })

  test.each([500, 1000])('of %i addresses, in any spelling, unknown ones 0', async (count) => {
    const known = livepeer.rounds[4]?.accounts ?? {}
    const spelled = ACCOUNTS.map((account, index) =>
      index % 3 === 0 ? getAddress(account) : index % 3 === 1 ? `0x${account.slice(2).toUpperCase()}` : account,
    )
    const strangers = Array.from({ length: count - spelled.length }, (_, index) => stranger(index))
    const addresses = [...strangers, ...spelled]
    const started = performance.now()
    const { score } = await scores({ snapshot: livepeer.rounds[4]?.block, addresses })
    expect(performance.now() - started).toBeLessThan(5000)
    const votesOf = (address: string) => known[address.toLowerCase()]?.votesNext ?? '0'
    expect(score).toEqual(addresses.map((address) => ({ address, score: votesOf(address) })))
    // As the strategy reads them, and as the one does that looks each up by the spelling it asked with.
    const numbers = scoresByAddress({ score })
    for (const address of addresses) {
      expect(numbers[getAddress(address)]).toBe(asNumber(votesOf(address)))
      expect(score.find((one) => one.address === address)?.score).toBe(votesOf(address))
    }
    expect(score.filter((one) => one.score !== '0').length).toBeGreaterThan(9)
  })

  test('one account in two spellings has its score under both', async () => {
    const [account = ''] = ACCOUNTS
    const addresses = [account, getAddress(account), account]
    const { score } = await scores({ snapshot: 480, addresses })
    expect(score.map(({ address }) => address)).toEqual(addresses)
    expect(new Set(score.map((one) => one.score)).size).toBe(1)
  })

  test('latest is the indexed head', async () => {
    const { votingPowers } = await ask<{ votingPowers: { account: string; votes: string }[] }>(
      `{ votingPowers(accounts: ${JSON.stringify(ACCOUNTS)}, block: ${HEAD}) { account votes } }`,
    )
    const latest = await scores({ snapshot: 'latest', addresses: ACCOUNTS })
    expect(latest).toEqual({ score: votingPowers.map(({ account, votes }) => ({ address: account, score: votes })) })
    expect(await scores({ snapshot: HEAD, addresses: ACCOUNTS })).toEqual(latest)
    expect(await scores({ snapshot: 'latest', addresses: [] })).toEqual({ score: [] })
  })

  test('a block ahead of the index is asked again later, one before the first never', async () => {
    const ahead = await refusal(post({ network: RECORDED, snapshot: HEAD + 1, addresses: ACCOUNTS }))
    expect(ahead).toMatchObject({ status: 503, code: 'UPSTREAM_UNAVAILABLE', retryAfter: '2' })
    expect(ahead.message).toBe('Block 1500 of recorded is not indexed yet: the index is at block 1499; try again')
    const before = await refusal(post({ network: RECORDED, snapshot: 249, addresses: ACCOUNTS }))
    expect(before).toMatchObject({ status: 404, code: 'BLOCK_NOT_INDEXED', retryAfter: null })
    const [chain] = stack.followed
    if (chain === undefined) throw new Error('there is no chain')
    const entry = livepeer.rounds[4]
    const behind = await serveFacts([asOf(chain, { block: entry?.block ?? 0 })])
    const early = await serveFacts([asOf(chain, { block: 200 })])
    try {
      const expected = Object.entries(entry?.accounts ?? {}).map(([address, { votesNext }]) => ({
        ...{ address, score: votesNext },
      }))
      const addresses = expected.map(({ address }) => address)
      expect(await scores({ snapshot: entry?.block, addresses }, behind.url)).toEqual({ score: expected })
      expect(await scores({ snapshot: 'latest', addresses }, behind.url)).toEqual({ score: expected })
      const question = { network: RECORDED, snapshot: 459, addresses }
      expect(await refusal(post(question, behind.url))).toMatchObject({ status: 503, retryAfter: '2' })
      const unbegun = await refusal(post({ ...question, snapshot: 'latest' }, early.url))
      expect(unbegun).toMatchObject({ status: 503, code: 'UPSTREAM_UNAVAILABLE', retryAfter: '2' })
    } finally {
      await Promise.all([behind.close(), early.close()])
    }
  })
})

describe('the chain', () => {
  let server: ApiServer
  beforeAll(async () => {
    const [l2, l1] = stack.followed.map((chain) => asOf(chain, { block: chain.facts.head.block }))
    if (l2 === undefined || l1 === undefined) throw new Error('there are not two chains')
    const chains: FactsSource[] = [
      { ...l1, chainId: 1 },
      { ...l2, chainId: 42161 },
    ]
    server = await serveFacts(chains)
  })
  afterAll(() => server?.close())

  test('is the one of the network’s id', async () => {
    const addresses = ACCOUNTS
    const onArbitrum = await scores({ network: '42161', snapshot: 480, addresses }, server.url)
    expect(onArbitrum).toEqual(await scores({ snapshot: 480, addresses }))
    const transcoders = Object.entries(onL1?.transcoders ?? {}).filter(([, { registered }]) => registered)
    const expected = transcoders.map(([address, { totalStake }]) => ({ address, score: totalStake }))
    const question = { network: '1', snapshot: onL1?.block, addresses: expected.map(({ address }) => address) }
    expect(await scores(question, server.url)).toEqual({ score: expected })
    expect(expected.length).toBeGreaterThan(2)
  })

  test('that is none here is refused, and so is what a chain does not tell', async () => {
    const question = { network: '10', snapshot: 480, addresses: ACCOUNTS }
    const error = await refusal(post(question, server.url))
    expect(error).toMatchObject({ status: 400, code: 'BAD_USER_INPUT' })
    expect(error.message).toBe('No chain with the id 10 is indexed here; there are: 1, 42161')
    expect(await refusal(post({ ...question, network: '042161' }, server.url))).toMatchObject({ status: 400 })
    expect(await refusal(post({ ...question, network: '42161' }))).toMatchObject({ status: 400 })
    // Not 0: what a delegator has on Ethereum L1 cannot be told.
    const delegators = Object.entries(onL1?.accounts ?? {}).filter(([account, { delegate }]) => delegate !== account)
    const unknown = { network: '1', snapshot: onL1?.block, addresses: delegators.map(([account]) => account) }
    expect(await refusal(post(unknown, server.url))).toMatchObject({ status: 422, code: 'NOT_EXACT' })
  })
})

describe('a request that does not fit is refused with a word', () => {
  const right = { options: {}, network: RECORDED, snapshot: 480, addresses: [stranger(1)] }

  test.each([
    ['no JSON', '{"network":', 'cannot be read'],
    ['a list', '[]', 'the body does not fit'],
    ['text', '"latest"', 'cannot be read'],
    ['nothing', '', 'network does not fit'],
    ['a number of a network', JSON.stringify({ ...right, network: 31337 }), 'network does not fit'],
    ['a text of a block', JSON.stringify({ ...right, snapshot: '480' }), 'snapshot does not fit'],
    ['no address', JSON.stringify({ ...right, addresses: ['livepeer.eth'] }), 'addresses[0] does not fit'],
    ['too many', JSON.stringify({ ...right, addresses: Array(1001).fill(stranger(1)) }), '1,001 addresses'],
    ['an option that is none', JSON.stringify({ ...right, options: { overrides: 1 } }), 'options.overrides'],
  ])('%s', async (_, body, message) => {
    const error = await refusal(post(body))
    expect(error).toMatchObject({ status: 400, code: 'BAD_USER_INPUT' })
    expect(error.message).toContain(message)
  })

  test('another type, another character set, another method, a body over the limit', async () => {
    const text = JSON.stringify(right)
    for (const type of ['text/plain', 'application/json; charset=koi8-r']) {
      expect(await refusal(post(text, stack.url, { 'content-type': type }))).toMatchObject({
        ...{ status: 400, code: 'BAD_USER_INPUT' },
      })
    }
    const get = await refusal(fetch(`${stack.url}/snapshot/scores`))
    expect(get).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    const [within, beyond] = [1_048_576, 1_048_577].map((bytes) => text.padEnd(bytes)) as [string, string]
    expect((await post(within)).status).toBe(200)
    const error = await refusal(post(beyond))
    expect(error).toMatchObject({ status: 413, code: 'LIMIT_EXCEEDED' })
    expect(error.message).toContain('limit of 1,048,576 bytes exceeded: the body has 1,048,577')
  })

  test('too many requests of one client', async () => {
    const limits = { requestsPerMinute: 2 }
    const server = await serveFacts(stack.followed, { limits, trustProxy: 'loopback' })
    try {
      const client = { 'x-forwarded-for': '192.0.2.7' }
      const statuses = []
      for (let time = 0; time < 3; time++) statuses.push((await post(right, server.url, client)).status)
      expect(statuses).toEqual([200, 200, 429])
    } finally {
      await server.close()
    }
  })

  test('any site may read the answer', async () => {
    const answer = await post(right, stack.url, { origin: 'https://snapshot.example' })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
  })
})

describe.each(['9', '28', 'block-480', 'block-1499'])('of the snapshot %s', (moment) => {
  const holders = async () => {
    const [, block] = /^block-(\d+)$/.exec(moment) ?? []
    const at = block === undefined ? `round: ${moment}` : `block: ${block}`
    const { stakeSnapshot } = await ask<{
      stakeSnapshot: { merkleRoot: string; holders: { nodes: { account: string; votes: string }[] } }
    }>(`{ stakeSnapshot(${at}) { merkleRoot holders(first: 1000) { nodes { account votes } } } }`)
    const { merkleRoot, holders } = stakeSnapshot
    return { merkleRoot, withVotes: holders.nodes.filter(({ votes }) => votes !== '0') }
  }

  test('the tree is loaded by OpenZeppelin’s library, and every leaf proven', async () => {
    const { merkleRoot, withVotes } = await holders()
    const response = await fetch(`${stack.url}/snapshots/${moment}/tree.json`)
    const dump = (await response.json()) as Dump
    expect(Object.keys(dump)).toEqual(['format', 'leafEncoding', 'tree', 'values'])
    const tree = StandardMerkleTree.load(dump)
    expect(tree.root).toBe(merkleRoot)
    expect([...tree.entries()].map(([, leaf]) => leaf)).toEqual(withVotes.map(({ account, votes }) => [account, votes]))
    for (const [index, leaf] of tree.entries()) {
      expect(StandardMerkleTree.verify(merkleRoot, dump.leafEncoding, leaf, tree.getProof(index))).toBe(true)
    }
    expect(withVotes.length).toBeGreaterThan(9)
  })

  test('api-v2 reads the scores', async () => {
    const { withVotes } = await holders()
    const response = await fetch(`${stack.url}/snapshots/${moment}/scores.json`)
    const file = (await response.json()) as Scores
    expect(file).toEqual({ score: withVotes.map(({ account, votes }) => ({ address: account, score: votes })) })
    const asked = [...ACCOUNTS.map((account) => getAddress(account)), stranger(1)]
    const read = asked.map((address) => {
      const found = file.score.find((one) => one.address.toLowerCase() === address.toLowerCase())
      return asNumber(found?.score ?? '0')
    })
    const votes = new Map(withVotes.map(({ account, votes }) => [account, votes]))
    expect(read).toEqual(asked.map((address) => asNumber(votes.get(address.toLowerCase()) ?? '0')))
    expect(read.some((score) => score > 1)).toBe(true)
  })

  test('both are kept as long as it is, and in parts', async () => {
    const isFinal = moment !== 'block-1499'
    for (const file of ['tree', 'scores']) {
      const path = `${stack.url}/snapshots/${moment}/${file}.json`
      const { headers } = await fetch(path)
      expect(headers.get('cache-control')).toContain(isFinal ? 'immutable' : 'max-age=5')
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
      const part = await fetch(path, { headers: { range: 'bytes=0-4', 'if-range': headers.get('etag') ?? '' } })
      expect([part.status, await part.text()]).toEqual([206, file === 'tree' ? '{"for' : '{"sco'])
    }
  })
})

test.each([
  ['/snapshots/9/tree.csv', 404, 'NOT_FOUND'],
  ['/snapshots/9/scores.ndjson', 404, 'NOT_FOUND'],
  ['/snapshots/x/tree.json', 400, 'BAD_USER_INPUT'],
  ['/snapshots/9/tree.json?header=none', 400, 'BAD_USER_INPUT'],
  ['/snapshots/9/scores.json?all=1', 400, 'BAD_USER_INPUT'],
  ['/snapshots/31/scores.json', 404, 'ROUND_IN_FUTURE'],
  // Nobody had bonded before the first round.
  ['/snapshots/5/tree.json?network=recorded', 404, 'NOT_FOUND'],
  ['/snapshots/9/tree.json?network=recorded-2', 422, 'NOT_EXACT'],
  ['/snapshots/9/scores.json?network=recorded-2', 422, 'NOT_EXACT'],
])('%s is refused', async (path, status, code) => {
  expect(await refusal(fetch(`${stack.url}${path}`))).toMatchObject({ status, code })
})

test('the scores of nobody are an empty list', async () => {
  const response = await fetch(`${stack.url}/snapshots/5/scores.json?network=recorded`)
  expect([response.status, await response.json()]).toEqual([200, { score: [] }])
})
