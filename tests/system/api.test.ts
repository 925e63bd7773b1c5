import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FollowedChain } from '../../api/facts/followed-chain.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import type { GovernanceTruth } from './governance-truth.ts'
import { readTruth, traceFile } from './livepeer-truth.ts'
import { serveFacts } from './serve.ts'

interface Answer {
  data?: Record<string, unknown> | null
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[]
  extensions?: { cost?: number }
}

const ACCOUNT = '0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc'
const TRANSCODER = '0xa0ee7a142d267c1f36714e4a8f75612f20a79720'
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
    [`{ votingPower(account: "${ACCOUNT}", block: 249) { votes } }`, 'BLOCK_NOT_INDEXED', 'blocks 250 to 1499'],
    [`{ votingPower(account: "${ACCOUNT}", block: -1) { votes } }`, 'BLOCK_NOT_INDEXED', 'blocks 250 to 1499'],
    [`{ votingPower(account: "${ACCOUNT}", block: 1500) { votes } }`, 'BLOCK_IN_FUTURE', 'blocks 250 to 1499'],
    [`{ votingPowers(accounts: [], block: "${2n ** 256n}") { votes } }`, 'BLOCK_IN_FUTURE', 'blocks 250 to 1499'],
    [
      `{ votingPower(account: "${ACCOUNT}") { votes } }`,
      'BAD_USER_INPUT',
      'Neither round and block given; give exactly',
    ],
    [`{ votingPower(account: "${ACCOUNT}", round: null) { votes } }`, 'BAD_USER_INPUT', 'Neither round and block'],
    [
      `{ votingPower(account: "${ACCOUNT}", round: 9, block: 458) { votes } }`,
      'BAD_USER_INPUT',
      'Both round and block',
    ],
    ['{ votingPowers(accounts: []) { votes } }', 'BAD_USER_INPUT', 'Neither round and block'],
    ['{ stakeSnapshot { round } }', 'BAD_USER_INPUT', 'Neither round and block'],
    ['{ stakeSnapshot(round: 9, block: 458) { round } }', 'BAD_USER_INPUT', 'Both round and block'],
    [
      `{ account(address: "${ACCOUNT}") { votingPower(round: 9, block: 458) { votes } } }`,
      'BAD_USER_INPUT',
      'Both round and block',
    ],
    [
      `{ account(address: "${ACCOUNT}") { delegators(round: 9, block: 458) { totalCount } } }`,
      'BAD_USER_INPUT',
      'Both round and block',
    ],
    [
      `{ account(address: "${ACCOUNT}") { delegators(block: 1500) { totalCount } } }`,
      'BLOCK_IN_FUTURE',
      'blocks 250 to 1499',
    ],
    ['{ roundAt { number } }', 'BAD_USER_INPUT', 'Neither time and block given; give exactly one'],
    ['{ roundAt(block: 458, time: "2024-01-01") { number } }', 'BAD_USER_INPUT', 'Both time and block'],
    ['{ roundAt(block: 1500) { number } }', 'BLOCK_IN_FUTURE', 'blocks up to 1499'],
    ['{ roundAt(time: "9999-12-31") { number } }', 'BLOCK_IN_FUTURE', 'times up to 20'],
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

describe('a recount of what cannot be', () => {
  const { proposals, polls } = readTruth<GovernanceTruth>('livepeer/small')
  const ids = {
    treasury: `treasury:${Object.keys(proposals)[0]}`,
    poll: `poll:${Object.keys(polls)[0]}`,
  }
  const other = `0x${'9'.repeat(40)}`
  const many = (count: number) => [...Array(count).keys()].map((index) => `0x${index.toString(16).padStart(40, '0')}`)

  test.each<[keyof typeof ids, object, string, string]>([
    ['treasury', { round: 4 }, 'BAD_USER_INPUT', 'round is 4; rounds 5 to 30 can be asked'],
    ['treasury', { round: -1 }, 'BAD_USER_INPUT', 'rounds 5 to 30 can be asked'],
    ['poll', { round: 31 }, 'BAD_USER_INPUT', 'round is 31; rounds 5 to 30 can be asked'],
    [
      'poll',
      { quorumPartsPerMillion: -1 },
      'BAD_USER_INPUT',
      'quorumPartsPerMillion is -1; it must be from 0 to 1,000,000',
    ],
    ['treasury', { supportPartsPerMillion: 1_000_001 }, 'BAD_USER_INPUT', 'it must be from 0 to 1,000,000'],
    ['poll', { choices: [{ voter: ACCOUNT, choice: 'ABSTAIN' }] }, 'BAD_USER_INPUT', 'others have FOR and AGAINST'],
    ['poll', { choices: [{ voter: ACCOUNT, choice: 'MAYBE' }] }, 'BAD_USER_INPUT', 'does not exist in "Choice" enum'],
    [
      'treasury',
      { without: [ACCOUNT, other, ACCOUNT.toUpperCase().replace('X', 'x')] },
      'BAD_USER_INPUT',
      'given twice',
    ],
    [
      'treasury',
      { choices: [ACCOUNT, ACCOUNT].map((voter) => ({ voter, choice: 'FOR' })) },
      'BAD_USER_INPUT',
      'give each voter once',
    ],
    ['poll', { without: [ACCOUNT], choices: [{ voter: ACCOUNT, choice: 'FOR' }] }, 'BAD_USER_INPUT', 'given twice'],
    ['treasury', { without: many(1001) }, 'LIMIT_EXCEEDED', 'without has 1,001 voters; at most 1,000'],
  ])('%s, %.60j', async (kind, changes, code, message) => {
    const { data, errors } = await ask(
      'query ($id: ID!, $changes: Recount!) { proposal(id: $id) { id recount(with: $changes) { turns } } }',
      { id: ids[kind], changes },
    )
    expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code }])
    expect(errors?.[0]?.message).toContain(message)
    // What GraphQL itself refuses is about the whole request, all else about the recount alone.
    if (message.includes('enum')) return
    expect([data, errors?.[0]?.path]).toEqual([{ proposal: { id: ids[kind], recount: null } }, ['proposal', 'recount']])
  })

  test('a thousand voters are taken, and told in the cost', async () => {
    const query = 'query ($id: ID!, $changes: Recount!) { proposal(id: $id) { recount(with: $changes) { turns } } }'
    const costs = []
    for (const without of [[], many(1000)]) {
      const { errors, extensions } = await ask(query, { id: ids.treasury, changes: { without } })
      expect(errors).toBeUndefined()
      costs.push(extensions?.cost)
    }
    expect(costs).toEqual([503, 10_503])
  })

  test.each([
    [`proposal(id: "${ids.poll}") { absentees(first: 0) { totalCount } }`, 'first is 0; it must be from 1 to 1,000'],
    [`proposal(id: "${ids.poll}") { absentees(after: "x") { totalCount } }`, 'endCursor'],
    [`account(address: "${ACCOUNT}") { ballots(first: 1001) { totalCount } }`, 'from 1 to 1,000'],
    [`account(address: "${ACCOUNT}") { ballots(after: "x") { totalCount } }`, 'endCursor'],
  ])('so is a page of %s', async (field, message) => {
    const { errors } = await ask(`{ ${field} }`)
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT'])
    expect(errors?.[0]?.message).toContain(message)
  })

  test('absentees page through without a gap', async () => {
    for (const id of Object.values(ids)) {
      const page = async (first: number, after: string | null) => {
        const { data } = await ask(
          `query ($first: Int, $after: String) { proposal(id: "${id}") { absentees(first: $first, after: $after) {
            nodes { account power } totalCount pageInfo { hasNextPage endCursor } } } }`,
          { first, after },
        )
        const { proposal } = data as { proposal: { absentees: Page & { nodes: object[]; totalCount: number } } }
        return proposal.absentees
      }
      const whole = await page(1000, null)
      const nodes: object[] = []
      for (let after: string | null = null, more = true; more; ) {
        const { nodes: some, pageInfo } = await page(1, after)
        nodes.push(...some)
        after = pageInfo.endCursor
        more = pageInfo.hasNextPage
      }
      expect(nodes).toEqual(whole.nodes)
      expect(nodes).toHaveLength(whole.totalCount)
    }
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
      ballots { nodes { power } pageInfo { hasNextPage endCursor } totalCount }
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
      ballots: none,
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

test('a block or a time becomes a round', async () => {
  const { data } = await ask(
    '{ rounds(first: 1000, descending: false) { nodes { number initializedAt { block timestamp } } } }',
  )
  const rounds = data?.rounds as { nodes: { number: number; initializedAt: { block: string; timestamp: string } }[] }
  let before: number | null = null
  for (const { number, initializedAt } of rounds.nodes) {
    const { block, timestamp } = initializedAt
    const secondBefore = new Date(Date.parse(timestamp) - 1000).toISOString()
    const { data: found } = await ask(`{
      block: roundAt(block: ${block}) { number initializedAt { block } }
      blockBefore: roundAt(block: ${Number(block) - 1}) { number }
      time: roundAt(time: "${timestamp}") { number }
      secondBefore: roundAt(time: "${secondBefore}") { number }
    }`)
    const earlier = before === null ? null : { number: before }
    expect(found).toEqual({
      block: { number, initializedAt: { block } },
      blockBefore: earlier,
      time: { number },
      secondBefore: earlier,
    })
    before = number
  }
  expect((await ask('{ roundAt(block: 1499) { number } }')).data).toEqual({ roundAt: { number: before } })
})

test('at the head a block is what things are now, but for the round that stake is asked in', async () => {
  const power = 'account votes delegate isTranscoder bondedAmount delegatedStake checkpointed'
  const { data } = await ask(
    `query ($account: Address!, $transcoder: Address!) {
      now: account(address: $account) { votingPower { round block ${power} } delegators { nodes { ${power} } } }
      head: account(address: $account) {
        votingPower(block: 1499) { round block ${power} }
        delegators(block: 1499) { nodes { ${power} } }
      }
      past: account(address: $transcoder) { delegators(block: 480, first: 1000) { nodes { ${power} } } }
      snapshot: stakeSnapshot(block: 480) { holders(first: 1000) { nodes { ${power} } } }
    }`,
    { account: ACCOUNT, transcoder: TRANSCODER },
  )
  const { now, head, past, snapshot } = data as Record<'now' | 'head' | 'past', Delegated> & {
    snapshot: { holders: { nodes: { delegate: string | null }[] } }
  }
  expect(head).toEqual({ ...now, votingPower: { ...now.votingPower, round: 29, block: '1499' } })
  expect(now.votingPower).toMatchObject({ round: 30, block: null })
  expect(past.delegators.nodes.length).toBeGreaterThan(1)
  expect(past.delegators.nodes).toEqual(snapshot.holders.nodes.filter(({ delegate }) => delegate === TRANSCODER))
})

interface Delegated {
  votingPower: Record<string, unknown>
  delegators: { nodes: unknown[] }
}

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

describe('over HTTP', () => {
  const get = (query: string, headers: Record<string, string> = {}) =>
    fetch(`${stack.url}/graphql?query=${encodeURIComponent(query)}`, { headers })

  test('a plain GET is answered as a POST is, with a persisted query too', async () => {
    const query = '{ status { network block } }'
    const { data } = await ask(query)
    expect(data).toBeTruthy()
    expect(((await (await get(query)).json()) as Answer).data).toEqual(data)
    const sha256Hash = createHash('sha256').update(query).digest('hex')
    const extensions = encodeURIComponent(JSON.stringify({ persistedQuery: { version: 1, sha256Hash } }))
    const persisted = async (more: string) =>
      (await (await fetch(`${stack.url}/graphql?extensions=${extensions}${more}`)).json()) as Answer
    expect((await persisted('')).errors?.[0]?.extensions.code).toBe('PERSISTED_QUERY_NOT_FOUND')
    expect((await persisted(`&query=${encodeURIComponent(query)}`)).data).toEqual(data)
    expect((await persisted('')).data).toEqual(data)
  })

  test.each([
    ['{ votingPower(account: "0x12", round: 9) { votes } }', 'no-store'],
    ['{ votingPower(account: "$", round: 9) { votes } }', 'max-age=86400, public'],
    ['{ stakeSnapshot(round: 28) { merkleRoot holders { nodes { account votes } } } }', 'max-age=86400, public'],
    [
      '{ round(number: 9) { activeTranscoders { votes } } tokenAllocation(round: 9) { shares { tokens } } }',
      'max-age=86400, public',
    ],
    ['{ votingPower(account: "$", block: 458) { votes } roundAt(block: 458) { number } }', 'max-age=86400, public'],
    ['{ stakeSnapshot(block: 1249) { totalStake } roundAt(time: "2001-01-01") { number } }', 'max-age=5, public'],
    ['{ votingPowers(accounts: ["$"], block: 1249) { votes } }', 'max-age=86400, public'],
    // 250 blocks behind the head, at 1499, a reorganisation may still reach.
    ['{ votingPowers(accounts: ["$"], block: 1250) { votes } }', 'max-age=5, public'],
    ['{ stakeSnapshot(block: 1499) { totalStake } }', 'max-age=5, public'],
    // The start of the last round could be undone with its block, the next one is yet to come.
    ['{ stakeSnapshot(round: 29) { totalStake } }', 'max-age=5, public'],
    ['{ stakeSnapshot(round: 30) { totalStake } }', 'max-age=5, public'],
    ['{ status { block } stakeSnapshot(round: 9) { totalStake } }', 'max-age=5, public'],
    ['{ proposals { totalCount } }', 'max-age=5, public'],
    ['{ account(address: "$") { votingPower(round: 9) { votes } } }', 'max-age=5, public'],
  ])('%s may be cached: %s', async (query, expected) => {
    expect((await get(query.replaceAll('$', ACCOUNT))).headers.get('cache-control')).toBe(expected)
  })

  test('sites may ask, after a preflight, and read what headers say', async () => {
    const headers = { origin: 'https://dashboard.example', 'access-control-request-method': 'POST' }
    const preflight = await fetch(`${stack.url}/graphql`, {
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-headers': 'content-type' },
    })
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([204, 'content-type'])
    const answer = await get('{ status { block } }', headers)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    const exposed = answer.headers.get('access-control-expose-headers')?.split(',')
    expect(exposed).toEqual(expect.arrayContaining(['Chain-Status', 'RateLimit', 'RateLimit-Policy', 'Retry-After']))
  })

  test('long answers are compressed', async () => {
    const query = '{ rounds { nodes { number network totalStake totalActiveStake } } }'
    const answer = await get(query, { 'accept-encoding': 'gzip' })
    expect(answer.headers.get('content-encoding')).toBe('gzip')
    expect(((await answer.json()) as Answer).data).toEqual((await ask(query)).data)
  })

  test('the schema is served as it is committed', async () => {
    const answer = await fetch(`${stack.url}/schema.graphql`)
    expect(answer.headers.get('content-type')).toContain('text/plain')
    expect(await answer.text()).toBe(readFileSync('api/schema.graphql', 'utf8'))
  })
})

describe('the example clients', () => {
  const run = promisify(execFile)

  test('in TypeScript', async () => {
    const client = (...args: string[]) =>
      run(process.execPath, ['--import', 'tsx', 'examples/client.ts', stack.url, ...args])
    const { data } = await ask('{ stakeSnapshot(round: 9) { holders(first: 1000) { nodes { votes } } } }')
    const { stakeSnapshot } = data as { stakeSnapshot: { holders: { nodes: { votes: string }[] } } }
    const { nodes } = stakeSnapshot.holders
    const votes = nodes.reduce((total, node) => total + BigInt(node.votes), 0n)
    expect((await client('9')).stdout).toBe(`round 9: ${nodes.length} holders with ${votes} votes together\n`)
    expect((await client()).stdout).toMatch(/^round 29: /)
    await expect(client('99')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('ROUND_IN_FUTURE: ') })
  })

  test("a dashboard's turnout panel and an auditor's absentees", async () => {
    const example = async (file: string, ...args: string[]) =>
      (await run(process.execPath, ['--import', 'tsx', `examples/${file}`, stack.url, ...args])).stdout
    const { data } = await ask(`{ proposals(first: 10) { nodes { id title turnout { percent }
      absentees(first: 1000) { nodes { account power counts } } } } }`)
    const { nodes } = (data as { proposals: { nodes: Missing[] } }).proposals
    const panel = await example('turnout.ts')
    expect(panel.trimEnd().split('\n')).toHaveLength(nodes.length)
    for (const [index, { title, turnout }] of nodes.entries()) {
      expect(panel.split('\n')[index]).toContain(`${turnout.percent} % `)
      expect(panel.split('\n')[index]).toContain(title)
    }
    for (const { id, absentees } of nodes) {
      const [first = '', ...lines] = (await example('absentees.ts', id)).trimEnd().split('\n')
      expect(first).toContain(`${absentees.nodes.length} did not vote`)
      expect(lines).toHaveLength(absentees.nodes.length + 2)
      expect(lines.slice(-2).every((line) => / by all of them would (not )?have turned it$/.test(line))).toBe(true)
      for (const [index, { account, power }] of absentees.nodes.entries()) {
        expect(lines[index]).toMatch(new RegExp(`^${account} ${power}\\b`))
      }
    }
    await expect(example('absentees.ts', 'poll:1')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('BAD_USER_INPUT: '),
    })
  })

  test('with curl', async () => {
    const { stdout } = await run('sh', ['examples/curl.sh', stack.url, '9'])
    const [byGet = '', byPost = ''] = stdout.split('\n')
    const { data } = await ask('{ round(number: 9) { number totalActiveStake } status { network block stale } }')
    expect((JSON.parse(byGet) as Answer).data).toEqual(data)
    expect((JSON.parse(byPost) as Answer).data?.round).toMatchObject({ number: 9 })
  })

  test("and the editor's, a query for each job", async () => {
    const page = await (await fetch(`${stack.url}/editor`)).text()
    const [, examples = '[]'] = /^const examples = (.*)$/m.exec(page) ?? []
    const tabs = JSON.parse(examples) as { query: string; variables?: string }[]
    expect(tabs.map(({ query }) => /^query (\w+)/m.exec(query)?.[1])).toEqual([
      'Dashboard',
      'Turnout',
      'Audit',
      'Absentees',
      'Snapshot',
      'TranscoderDAO',
    ])
    for (const { query, variables = '{}' } of tabs) {
      const { data, errors } = await ask(query, JSON.parse(variables.replace('$round', '29')))
      expect(errors).toBeUndefined()
      expect(data).toBeTruthy()
    }
  })
})

test('the editor and all it needs come from this server', async () => {
  const page = await (await fetch(`${stack.url}/editor`)).text()
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

describe('one bad part never takes the rest', () => {
  test('a round in the future, an account of a chain that is not here, a figure that cannot be had', async () => {
    const { data, errors } = await ask(`{
      future: votingPower(account: "${ACCOUNT}", round: 999) { votes }
      nowhere: stakeSnapshot(round: 9, network: "nowhere") { totalStake }
      none: tokenAllocation(round: 9, supply: "-1") { totalStake }
      account(address: "${ACCOUNT}") { votingPower(round: 2) { votes } votes { totalCount } }
      proposals(filter: { state: [EXECUTED] }) { totalCount uncounted }
      round(number: 9) { number }
    }`)
    expect(data).toEqual({
      future: null,
      nowhere: null,
      none: null,
      account: { votingPower: null, votes: { totalCount: expect.any(Number) } },
      proposals: { totalCount: 1, uncounted: [] },
      round: { number: 9 },
    })
    const told = errors?.map(({ path, extensions }) => [path?.join('.'), extensions.code])
    expect(told?.sort()).toEqual([
      ['account.votingPower', 'ROUND_NOT_INDEXED'],
      ['future', 'ROUND_IN_FUTURE'],
      ['none', 'BAD_USER_INPUT'],
      ['nowhere', 'BAD_USER_INPUT'],
    ])
  })
})

test('an index that does not answer is said so, without a word on what is behind', async () => {
  const subgraphUrl = 'http://127.0.0.1:9/subgraphs/name/secret'
  const chain = new FollowedChain({ network: 'recorded', subgraphUrl }).start()
  const server = await serveFacts([chain])
  try {
    const { errors } = await ask('{ stakeSnapshot(round: 9) { round } }', {}, server.url)
    expect(errors?.map(({ message, extensions }) => ({ message, extensions }))).toEqual([
      {
        message: 'The index of recorded did not answer as expected; try again soon',
        extensions: { code: 'UPSTREAM_UNAVAILABLE' },
      },
    ])
    expect((await fetch(`${server.url}/ready`)).status).toBe(503)
  } finally {
    await server.close()
    await chain.close()
  }
})

interface Page {
  nodes: { number: number }[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

interface Missing {
  id: string
  title: string
  turnout: { percent: string }
  absentees: { nodes: { account: string; power: string }[] }
}
