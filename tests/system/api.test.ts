import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServer } from '../../api/server.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { traceFile } from './livepeer-truth.ts'

interface Answer {
  data?: Record<string, unknown> | null
  errors?: { message: string; extensions: { code: string } }[]
}

const ACCOUNT = '0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc'
let stack: Stack

beforeAll(async () => {
  stack = await startStack({ traces: [traceFile('livepeer/small')] })
  await stack.ready
})
afterAll(() => stack?.stop())

async function ask(query: string, variables: Record<string, unknown> = {}, url = stack.url): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  return (await response.json()) as Answer
}

describe('bad input is answered with a code and what would be right', () => {
  test.each([
    ['{ votingPower(account: "0x12", round: 9) { votes } }', 'BAD_USER_INPUT', '0x and 40 hex digits'],
    [`{ votingPower(account: "${ACCOUNT}", round: 4) { votes } }`, 'ROUND_NOT_INDEXED', 'rounds 5 to 30 can be asked'],
    [`{ votingPower(account: "${ACCOUNT}", round: -1) { votes } }`, 'ROUND_NOT_INDEXED', 'rounds 5 to 30 can be asked'],
    [`{ votingPower(account: "${ACCOUNT}", round: 31) { votes } }`, 'ROUND_IN_FUTURE', 'rounds 5 to 30 can be asked'],
    ['{ stakeSnapshot(round: 31) { round } }', 'ROUND_IN_FUTURE', 'rounds 5 to 30'],
    ['{ round(number: 4) { number } }', 'ROUND_NOT_INDEXED', 'rounds 5 to 30'],
    ['{ round(number: 31) { number } }', 'ROUND_IN_FUTURE', 'rounds 5 to 30'],
    ['{ rounds(first: 0) { nodes { number } } }', 'BAD_USER_INPUT', 'from 1 to 1,000'],
    ['{ rounds(first: 1001) { nodes { number } } }', 'BAD_USER_INPUT', 'from 1 to 1,000'],
    ['{ rounds(first: null) { nodes { number } } }', 'BAD_USER_INPUT', 'from 1 to 1,000'],
    ['{ rounds(after: "x") { nodes { number } } }', 'BAD_USER_INPUT', 'endCursor'],
    ['{ stakeSnapshot(round: 9) { holders(after: "MTI") { totalCount } } }', 'BAD_USER_INPUT', 'endCursor'],
    [
      `{ account(address: "${ACCOUNT}") { votingPowerHistory(fromRound: 9, toRound: 8) { totalCount } } }`,
      'BAD_USER_INPUT',
      'fromRound 9 is after toRound 8',
    ],
    [
      `{ account(address: "${ACCOUNT}") { votingPowerHistory(toRound: 99) { totalCount } } }`,
      'ROUND_IN_FUTURE',
      'rounds 5 to 30',
    ],
    [
      `{ account(address: "${ACCOUNT}") { votingPowerHistory(fromRound: 99) { totalCount } } }`,
      'ROUND_IN_FUTURE',
      'rounds 5 to 30',
    ],
    [
      `{ account(address: "${ACCOUNT}") { votingPowerHistory(toRound: 4) { totalCount } } }`,
      'ROUND_NOT_INDEXED',
      'rounds 5 to 30',
    ],
    [
      `{ account(address: "${ACCOUNT}") { delegators(first: -5) { totalCount } } }`,
      'BAD_USER_INPUT',
      'from 1 to 1,000',
    ],
    ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED', 'nothing'],
    ['{', 'GRAPHQL_PARSE_FAILED', 'Syntax Error'],
  ])('%s', async (query, code, message) => {
    const { errors } = await ask(query)
    expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code }])
    expect(errors?.[0]?.message).toContain(message)
  })

  test('as a variable too', async () => {
    const query = 'query ($account: Address!) { votingPower(account: $account, round: 9) { votes } }'
    const { errors } = await ask(query, { account: 7 })
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
  })

  test.each([
    ['{ not JSON', 400, 'BAD_REQUEST', 'POST JSON'],
    [JSON.stringify({ query: `{ status { round } } #${'x'.repeat(2_000_000)}` }), 413, 'LIMIT_EXCEEDED', 'bytes'],
  ])('a body that cannot be read: %.20s', async (body, status, code, message) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${stack.url}/graphql`, { method: 'POST', headers, body })
    const { errors } = (await response.json()) as Answer
    expect([response.status, errors?.map(({ extensions }) => extensions)]).toEqual([status, [{ code }]])
    expect(errors?.[0]?.message).toContain(message)
  })

  test('more accounts than the limit', async () => {
    const query = 'query ($accounts: [Address!]!) { votingPowers(accounts: $accounts, round: 9) { votes } }'
    const { errors } = await ask(query, { accounts: Array(1001).fill(ACCOUNT) })
    expect(errors?.[0]?.extensions.code).toBe('LIMIT_EXCEEDED')
  })
})

describe('what is not there', () => {
  test('an account never seen has zeros, in any letter case', async () => {
    const unknown = `0x${'Ab'.repeat(20)}`
    const { data } = await ask(`{ account(address: "${unknown}") {
      address
      votingPower { round votes delegate isTranscoder isActive stake bondedAmount delegatedStake checkpointed }
      votingPowerHistory { nodes { round } pageInfo { hasNextPage endCursor } totalCount }
      delegators { nodes { account } pageInfo { hasNextPage endCursor } totalCount }
    } }`)
    const none = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null }, totalCount: 0 }
    expect(data?.account).toEqual({
      address: unknown.toLowerCase(),
      votingPower: {
        round: 30,
        votes: '0',
        delegate: null,
        isTranscoder: false,
        isActive: false,
        stake: '0',
        bondedAmount: '0',
        delegatedStake: '0',
        checkpointed: false,
      },
      votingPowerHistory: none,
      delegators: none,
    })
  })

  test('no accounts give no voting powers, the same account twice gives it twice', async () => {
    const { data } = await ask(`{
      none: votingPowers(accounts: [], round: 9) { votes }
      twice: votingPowers(accounts: ["${ACCOUNT}", "${ACCOUNT}"], round: 30) { account }
    }`)
    expect(data).toEqual({ none: [], twice: [{ account: ACCOUNT }, { account: ACCOUNT }] })
  })

  test('a round nobody initialised is null as a round and answered for stake; so is the one to come', async () => {
    const { data } = await ask(`{
      round28: round(number: 28) { number }
      round30: round(number: 30) { number }
      snapshot28: stakeSnapshot(round: 28) { totalActiveStake totalStake holders { totalCount } }
      snapshot29: stakeSnapshot(round: 29) { totalActiveStake totalStake holders { totalCount } }
    }`)
    expect(data).toMatchObject({ round28: null, round30: null })
    expect(data?.snapshot28).toEqual(data?.snapshot29)
  })
})

test('rounds page through in both directions without a gap', async () => {
  for (const descending of [true, false]) {
    const numbers: number[] = []
    for (let after: string | null = null, more = true; more; ) {
      const { data } = await ask(
        `query ($after: String) { rounds(first: 7, after: $after, descending: ${descending}) {
          nodes { number } pageInfo { hasNextPage endCursor } } }`,
        { after },
      )
      const page = data?.rounds as Page
      numbers.push(...page.nodes.map(({ number }) => number))
      after = page.pageInfo.endCursor
      more = page.pageInfo.hasNextPage
    }
    const initialised = [...Array(25).keys()].map((index) => index + 5).filter((number) => number !== 28)
    expect(numbers).toEqual(descending ? initialised.reverse() : initialised)
  }
})

test('thirty aliases in one document are answered', async () => {
  const aliases = [...Array(30).keys()].map(
    (index) => `a${index}: votingPower(account: "${ACCOUNT}", round: ${(index % 25) + 5}) { votes }`,
  )
  const { data, errors } = await ask(`{ ${aliases.join('\n')} }`)
  expect(errors).toBeUndefined()
  expect(Object.keys(data ?? {})).toHaveLength(30)
})

test('the editor and all it needs come from this server', async () => {
  const page = await (await fetch(`${stack.url}/`)).text()
  const urls = [...page.matchAll(/(?:src|href)="([^"]+)"/g)]
    .map(([, url]) => url ?? '')
    .filter((url) => url !== 'data:,')
  expect(urls).toHaveLength(4)
  for (const url of urls) {
    expect(url).toMatch(/^\/editor\//)
    const asset = await fetch(`${stack.url}${url}`)
    expect([asset.status, (await asset.text()).length > 10_000]).toEqual([200, true])
  }
})

test('an index that does not answer is said so, without a word on what is behind', async () => {
  const server = await createServer({
    chains: [{ network: 'recorded', subgraphUrl: 'http://127.0.0.1:9/subgraphs/name/secret' }],
    port: 0,
    isReady: () => false,
  })
  try {
    const { errors } = await ask('{ stakeSnapshot(round: 9) { round } }', {}, server.url)
    expect(errors?.map(({ message, extensions }) => ({ message, extensions }))).toEqual([
      { message: 'The index did not answer as expected; try again soon', extensions: { code: 'UPSTREAM_UNAVAILABLE' } },
    ])
    expect((await fetch(`${server.url}/ready`)).status).toBe(503)
  } finally {
    await server.close()
  }
})

interface Page {
  nodes: { number: number }[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}
