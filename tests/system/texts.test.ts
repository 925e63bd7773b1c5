import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parse } from 'csv-parse/sync'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HeldFacts } from '../../api/facts/facts.ts'
import type { FactsSource } from '../../api/facts/followed-chain.ts'
import { type Lists, Names } from '../../api/facts/series.ts'
import type { ApiServer } from '../../api/server.ts'
import { FOLLOWED_WELL, NO_FACTS } from '../no-facts.ts'
import { serveFacts } from './serve.ts'

const ACCOUNT = `0x${'a'.repeat(40)}`
const poll = (index: number) => `0x${index.toString(16).padStart(40, 'b')}`
const hash = (index: number) => `0x${index.toString(16).padStart(64, '1')}`
const log = (index: number) => {
  return {
    round: 1,
    block: 60 + index,
    logIndex: 0,
    timestamp: String(1_700_000_000 + index),
    transactionHash: hash(index),
  }
}

/** The texts of polls, of which a gateway has the first two. */
const POLL_TEXTS = [
  '# Straße to the treasury',
  '{"text":"# Half \\ud83d of a treasury"}',
  '# Never to be had',
  '# Slow',
]
const DESCRIPTIONS = ['# Treasury grant', '', '\u3164', '# Grant']

/** A chain with proposals and polls of these texts, and a poll whose bytes are no CID. */
async function madeUpSource(): Promise<FactsSource> {
  const cids = await Promise.all(POLL_TEXTS.map(cidOf))
  const lists: Lists = {
    ...NO_FACTS,
    rounds: [
      { number: 1, totalActiveStake: '1', totalStake: '1', activeSetTold: true, blockHash: hash(0), ...log(-10) },
    ],
    treasuryProposals: DESCRIPTIONS.map((description, index) => ({
      id: hash(100 + index),
      proposer: { id: ACCOUNT },
      proposalId: String(index),
      ...{ targets: [ACCOUNT], values: ['0'], calldatas: ['0x'], description, descriptionHash: null },
      ...{ snapshotRound: 5, lastRound: 9, ...log(index) },
    })),
    polls: [...cids, 'no CID'].map((text, index) => ({
      id: poll(index),
      proposer: { id: ACCOUNT },
      proposal: `0x${Buffer.from(text).toString('hex')}`,
      ...{ endBlock: '1000', quorum: '333300', quota: '500000', ...log(10 + index) },
    })),
  }
  const held = new HeldFacts(new Names())
  held.addFinal(lists, 99)
  const head = {
    block: 99,
    blockHash: hash(99),
    timestamp: 1_700_000_100,
    deployment: 'made up',
    hasIndexingErrors: false,
  }
  const totals = {
    nextRoundTotalActiveStake: 1n,
    totalStake: 2n,
    roundsManager: null,
    ownBlocksEndPolls: false,
    l1: null,
  }
  const facts = held.asOf(head, totals)
  const state = {
    ...FOLLOWED_WELL,
    ...{ head, firstRound: 1, currentRound: 1, isL1: false, facts: held.count },
    chainHead: { block: 99, timestamp: null, synced: true },
  }
  const chain = { network: 'made-up', roundLength: 50, lptAddresses: [], facts, state }
  return { ...chain, factsAt: async () => facts, roundAt: async () => 1 }
}

async function cidOf(text: string): Promise<string> {
  return CID.createV1(0x55, await sha256.digest(Buffer.from(text))).toString()
}

let api: ApiServer
let withoutGateway: ApiServer
let closeGateways: () => Promise<void>

beforeAll(async () => {
  const known = new Map(await Promise.all(POLL_TEXTS.map(async (text) => [await cidOf(text), text] as const)))
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const [, gateway, cid = ''] = /^\/(\w+)\/ipfs\/(\w+)/.exec(request.url ?? '') ?? []
    const text = known.get(cid)
    if (gateway === 'broken') response.setHeader('content-type', 'text/html').end('<h1>treasury</h1>')
    else if (text === '# Never to be had') response.writeHead(404).end()
    // Longer than an answer waits for a text, and a search does not.
    else setTimeout(() => response.end(text), text === '# Slow' ? 20_000 : 500)
  }
  const gateways = createServer(answer)
  await new Promise<void>((resolve) => gateways.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(gateways.address() as AddressInfo).port}`
  closeGateways = () =>
    new Promise((resolve) => {
      gateways.close(() => resolve())
      gateways.closeAllConnections()
    })
  api = await serveFacts([await madeUpSource()], { ipfsGateways: [`${base}/broken`, `${base}/right`] })
  withoutGateway = await serveFacts([await madeUpSource()])
})

afterAll(async () => {
  await Promise.all([api?.close(), withoutGateway?.close()])
  await closeGateways?.()
})

async function ask<T>(url: string, query: string, variables: object = {}): Promise<T> {
  return JSON.parse(await textOf(url, { query, variables })) as T
}

/** The text of an answer, which must be UTF-8 without half a character. */
async function textOf(url: string, body: object): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = new TextDecoder('utf-8', { fatal: true }).decode(await response.arrayBuffer())
  JSON.parse(text, (_, part: unknown) => {
    if (typeof part === 'string') expect(part.isWellFormed()).toBe(true)
    return part
  })
  return text
}

const SEARCH = `query ($search: String!, $system: [VotingSystem!], $state: [ProposalState!]) {
  proposals(filter: { search: $search, system: $system, state: $state }, orderBy: CREATED_ASC) {
    totalCount textsMissing nodes { id } } }`

interface Found {
  data: { proposals: { totalCount: number; textsMissing: string[]; nodes: { id: string }[] } }
}

async function search(url: string, search: string, more: object = {}) {
  const { data } = await ask<Found>(url, SEARCH, { search, ...more })
  const { nodes, totalCount, textsMissing } = data.proposals
  expect(totalCount).toBe(nodes.length)
  return { found: nodes.map(({ id }) => id), textsMissing }
}

const [FIRST, SECOND, NEVER, SLOW] = [0, 1, 2, 3].map((index) => `poll:${poll(index)}`) as [
  string,
  string,
  string,
  string,
]

describe('a search', () => {
  test('waits for the texts of polls, and names those that cannot be had in time', async () => {
    const start = performance.now()
    expect(await search(api.url, 'TREASURY')).toEqual({
      found: ['treasury:0', FIRST, SECOND],
      textsMissing: [NEVER, SLOW],
    })
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  test.each<[string, { search: string; system?: string[]; state?: string[] }, object]>([
    ['of another spelling', { search: 'STRASSE' }, { found: [FIRST], textsMissing: [NEVER, SLOW] }],
    [
      'of systems whose texts are on the chain',
      { search: 'grant', system: ['TREASURY'] },
      { found: ['treasury:0', 'treasury:3'], textsMissing: [] },
    ],
    [
      'of what no poll can be',
      { search: 'grant', state: ['PENDING'] },
      { found: ['treasury:0', 'treasury:3'], textsMissing: [] },
    ],
    ['of what polls are', { search: 'grant', state: ['ACTIVE'] }, { found: [], textsMissing: [NEVER, SLOW] }],
    [
      'of nothing',
      { search: '' },
      {
        found: [0, 1, 2, 3].map((id) => `treasury:${id}`).concat(FIRST, SECOND, NEVER, SLOW, `poll:${poll(4)}`),
        textsMissing: [],
      },
    ],
  ])('%s', async (_, { search: needle, ...more }, expected) => {
    expect(await search(api.url, needle, more)).toEqual(expected)
  })

  test('without a gateway names all polls that have a text', async () => {
    expect(await search(withoutGateway.url, 'treasury')).toEqual({
      found: ['treasury:0'],
      textsMissing: [FIRST, SECOND, NEVER, SLOW],
    })
  })
})

test('a text is shown by its title, in files alike, and a blank one is none', async () => {
  interface Listed {
    data: { proposals: { nodes: { id: string; title: string; description: string | null }[] } }
  }
  const query = '{ proposals(orderBy: CREATED_ASC) { nodes { id title description } } }'
  const { data } = await ask<Listed>(api.url, query)
  const expected = [
    ['Treasury grant', '# Treasury grant'],
    ['Proposal 1', null],
    ['Proposal 2', '\u3164'],
    ['Grant', '# Grant'],
    ['Straße to the treasury', '# Straße to the treasury'],
    ['Half \uFFFD of a treasury', '# Half \uFFFD of a treasury'],
    [`Poll ${poll(2)}`, null],
    [`Poll ${poll(3)}`, null],
    [`Poll ${poll(4)}`, null],
  ]
  expect(data.proposals.nodes.map(({ title, description }) => [title, description])).toEqual(expected)
  const titles = expected.map(([title]) => title)
  const file = async (format: string) => {
    const response = await fetch(`${api.url}/proposals.${format}`)
    return new TextDecoder('utf-8', { fatal: true }).decode(await response.arrayBuffer())
  }
  const csv = parse(await file('csv'), { columns: true, comment: '# ', comment_no_infix: true }) as { title: string }[]
  expect(csv.map(({ title }) => title)).toEqual(titles)
  const { rows } = JSON.parse(await file('json')) as { rows: { title: string }[] }
  expect(rows.map(({ title }) => title)).toEqual(titles)
  const lines = (await file('ndjson')).trimEnd().split('\n').slice(1)
  expect(lines.map((line) => (JSON.parse(line) as { title: string }).title)).toEqual(titles)
})

test.each([
  ['an operation', { query: 'query A { __typename } query B { __typename }', operationName: '\uD83D' }],
  ['an id', { query: 'query ($id: ID!) { proposal(id: $id) { id } }', variables: { id: '\uD83D' } }],
  [
    'a field of an input',
    {
      query: 'query ($filter: ProposalFilter) { proposals(filter: $filter) { totalCount } }',
      variables: { filter: { '\uD83D': 1 } },
    },
  ],
])('half a character of a request is not repeated: %s', async (_, body) => {
  expect(JSON.parse(await textOf(api.url, body))).toHaveProperty('errors')
})

test('half a character in a path is refused', async () => {
  const response = await fetch(`${api.url}/proposals/%ED%A0%BD/votes.csv`)
  expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'BAD_USER_INPUT' } }])
})
