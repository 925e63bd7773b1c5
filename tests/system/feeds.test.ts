import { request } from 'node:http'
import ical from 'node-ical'
import { SaxesParser } from 'saxes'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HeldFacts } from '../../api/facts/facts.ts'
import type { FactsSource } from '../../api/facts/followed-chain.ts'
import { type Lists, Names } from '../../api/facts/series.ts'
import type { ApiServer } from '../../api/server.ts'
import { FOLLOWED_WELL, NO_FACTS } from '../no-facts.ts'
import { serveFacts } from './serve.ts'

const ACCOUNT = `0x${'a'.repeat(40)}`
const APP = `0x${'c'.repeat(40)}`
const START = 1_700_000_000
const poll = (index: number) => `0x${index.toString(16).padStart(40, 'b')}`
const hash = (index: number) => `0x${index.toString(16).padStart(64, '1')}`
const iso = (seconds: number) => new Date(seconds * 1000).toISOString()

/** A round has 50 blocks of 100 seconds. */
const timeOf = (block: number) => START + block * 100
const log = (block: number) => {
  const round = Math.floor(block / 50)
  return { round, block, logIndex: 0, timestamp: String(timeOf(block)), transactionHash: hash(block) }
}

/** What XML, HTML and iCalendar would take for their own; U+FFFE is a character to nobody. */
const HOSTILE =
  '`</title><script>alert(1)</script>` & &amp;lt; ]]> \\\\, a;b,c "q" \'x\' \uFFFE\uD800\u0007 BEGIN:VEVENT é😀'
const LONG = `${'ß€😀,;'.repeat(30)} end`

const cast = (proposal: number, choice: string, block: number) => ({
  ...{ proposal: { id: hash(proposal) }, voter: { id: ACCOUNT }, choice, valid: true, weight: '10', reason: null },
  ...log(block),
})

/** What Aragon votes are counted by. */
const SETTINGS = {
  ...{ supportRequired: '500000000000000000', minAcceptQuorum: '100000000000000000' },
  ...{ voteTime: '5000', votingPower: '100' },
}
const UNTOLD = { supportRequired: null, minAcceptQuorum: null, voteTime: null, votingPower: null }

interface MadeUp {
  block?: number
  /** A round that nobody initialised, where rounds have taken longer. */
  skipped?: number
  descriptions?: readonly string[]
  polls?: number
}

/** A chain with proposals and polls in every state. */
function madeUpSource({ block = 620, skipped, descriptions = [HOSTILE, LONG], polls = 2 }: MadeUp = {}): FactsSource {
  const currentRound = Math.floor(block / 50)
  const rounds = Array.from({ length: currentRound }, (_, index) => index + 1).filter((round) => round !== skipped)
  const proposals: [created: number, snapshotRound: number, lastRound: number][] = [
    [60, 2, 4],
    [70, 3, 6],
    [80, 5, 9],
    [90, 3, 5],
    [510, 10, 20],
    [520, 10, 2_147_483_646],
  ]
  const upTo = <Fact extends { block: number }>(facts: Fact[]) => facts.filter((fact) => fact.block <= block)
  const lists: Lists = {
    ...NO_FACTS,
    rounds: rounds.map((number) => ({
      number,
      ...{ totalActiveStake: '100', totalStake: '100', activeSetTold: true, blockHash: hash(number) },
      ...log(number * 50),
      ...(skipped !== undefined && number === 1 ? { timestamp: String(START - 20_000) } : {}),
    })),
    treasuryProposals: upTo(
      proposals.map(([created, snapshotRound, lastRound], index) => ({
        id: hash(10_000 + index),
        proposer: { id: ACCOUNT },
        proposalId: String(index),
        ...{ targets: [ACCOUNT], values: ['0'], calldatas: ['0x'], descriptionHash: null },
        ...{ description: `# ${descriptions[index] ?? `Proposal of index ${index}`}`, snapshotRound, lastRound },
        ...log(created),
      })),
    ),
    treasuryProposalEvents: upTo([
      { proposal: { id: hash(10_002) }, kind: 'CANCELED' as const, ...log(110) },
      { proposal: { id: hash(10_001) }, kind: 'CANCELED' as const, ...log(210) },
      { proposal: { id: hash(10_000) }, kind: 'QUEUED' as const, ...log(260) },
      { proposal: { id: hash(10_000) }, kind: 'EXECUTED' as const, ...log(310) },
    ]),
    voteCasts: upTo([cast(10_000, '1', 160), cast(10_003, '0', 260)]),
    polls: upTo(
      Array.from({ length: polls }, (_, index) => ({
        id: poll(index),
        proposer: { id: ACCOUNT },
        proposal: '0x00',
        ...{ endBlock: index % 2 === 0 ? '300' : '1000', quorum: '333300', quota: '500000', ...log(100 + index) },
      })),
    ),
    aragonVotes: upTo(
      [130, 600, 610].map((created, index) => ({
        id: hash(20_000 + index),
        proposer: { id: ACCOUNT },
        voteId: String(index),
        app: { id: APP, token: null, vault: null },
        ...{ metadata: '', snapshotBlock: created - 1, script: null },
        ...(index === 2 ? UNTOLD : SETTINGS),
        ...log(created),
      })),
    ),
  }
  const held = new HeldFacts(new Names())
  held.addFinal(lists, block)
  const head = {
    block,
    blockHash: hash(block),
    timestamp: timeOf(block),
    deployment: 'made up',
    hasIndexingErrors: false,
  }
  const stake = { nextRoundTotalActiveStake: 100n, totalStake: 100n }
  const facts = held.asOf(head, { ...stake, roundsManager: null, ownBlocksEndPolls: false, l1: null })
  const state = {
    ...FOLLOWED_WELL,
    ...{ head, firstRound: 1, currentRound, isL1: false, facts: held.count },
    chainHead: { block, timestamp: null, synced: true },
  }
  const chain = { network: 'made-up', roundLength: 50, lptAddresses: [], facts, state }
  return { ...chain, factsAt: async () => facts, roundAt: async () => currentRound }
}

const servers: ApiServer[] = []
async function serve(madeUp: MadeUp = {}): Promise<string> {
  const server = await serveFacts([madeUpSource(madeUp)])
  servers.push(server)
  return server.url
}

let url: string
beforeAll(async () => {
  url = await serve()
})
afterAll(() => Promise.all(servers.map((server) => server.close())))

async function textOf(path: string, from = url): Promise<string> {
  const response = await fetch(`${from}${path}`)
  expect(response.status).toBe(200)
  return new TextDecoder('utf-8', { fatal: true }).decode(await response.arrayBuffer())
}

/** Every title as GraphQL has it. */
async function titles(from = url): Promise<Map<string, string>> {
  const query = encodeURIComponent('{ proposals(first: 1000) { nodes { id title } } }')
  const { data } = JSON.parse(await textOf(`/graphql?query=${query}`, from)) as {
    data: { proposals: { nodes: { id: string; title: string }[] } }
  }
  return new Map(data.proposals.nodes.map(({ id, title }) => [id, title]))
}

interface XmlElement {
  name: string
  attributes: Record<string, string>
  text: string
  children: XmlElement[]
}

/** A document of XML, read strictly: what is not well-formed, or no character of XML, is an error. */
function xmlOf(text: string): XmlElement {
  const root: XmlElement = { name: '', attributes: {}, text: '', children: [] }
  const open = [root]
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ uri, local, attributes }) => {
    const values = Object.entries(attributes).map(([name, { value }]) => [name, value])
    const element = { name: `{${uri}}${local}`, attributes: Object.fromEntries(values), text: '', children: [] }
    open.at(-1)?.children.push(element)
    open.push(element)
  })
  const add = (more: string) => {
    const element = open.at(-1)
    if (element !== undefined) element.text += more
  }
  parser.on('text', add)
  parser.on('cdata', add)
  parser.on('closetag', () => open.pop())
  parser.write(text).close()
  const [document] = root.children
  if (document === undefined) throw new Error('an empty document')
  return document
}

const ATOM = '{http://www.w3.org/2005/Atom}'
const childrenOf = ({ children }: XmlElement, name: string) =>
  children.filter((child) => child.name === `${ATOM}${name}`)
const childOf = (element: XmlElement, name: string) => childrenOf(element, name)[0]

interface Told {
  id: string
  title: string
  content: string
  time: string
  author: string
  tags: string[]
}

function atomOf(text: string): { feed: XmlElement; entries: Told[] } {
  const feed = xmlOf(text)
  expect(feed.name).toBe(`${ATOM}feed`)
  const entries = childrenOf(feed, 'entry').map((entry) => {
    // Blanks around a text mean nothing (RFC 4287, 3.1.1.1).
    const textOfChild = (name: string) => childOf(entry, name)?.text.trim() ?? ''
    for (const name of ['title', 'content']) expect(childOf(entry, name)?.attributes.type).toBe('text')
    expect(textOfChild('published')).toBe(textOfChild('updated'))
    return {
      id: textOfChild('id'),
      title: textOfChild('title'),
      content: textOfChild('content'),
      time: textOfChild('updated'),
      author: childrenOf(entry, 'author').flatMap((author) => childrenOf(author, 'name'))[0]?.text ?? '',
      tags: childrenOf(entry, 'category').map(({ attributes }) => attributes.term ?? ''),
    }
  })
  return { feed, entries }
}

interface JsonFeed {
  version: string
  title: string
  items: (Record<'id' | 'title' | 'content_text' | 'date_published', string> & {
    tags: string[]
    authors: { name: string }[]
  })[]
}

const POLLS = [0, 1].map((index) => `poll:${poll(index)}`) as [string, string]
const [OVER, OPEN] = POLLS
const vote = (index: number) => `aragon:${APP}:${index}`

/** Every state change that has come about, newest first: block of its time, proposal, kind, what its title begins with. */
const CHANGES: [block: number, id: string, kind: string, headline: string][] = [
  [610, vote(2), 'VOTING_OPENED', 'Voting opened'],
  [610, vote(2), 'CREATED', 'Proposed'],
  [600, vote(1), 'VOTING_OPENED', 'Voting opened'],
  [600, vote(1), 'CREATED', 'Proposed'],
  [550, 'treasury:5', 'VOTING_OPENED', 'Voting opened'],
  [550, 'treasury:4', 'VOTING_OPENED', 'Voting opened'],
  [520, 'treasury:5', 'CREATED', 'Proposed'],
  [510, 'treasury:4', 'CREATED', 'Proposed'],
  [310, 'treasury:0', 'EXECUTED', 'Executed'],
  [301, OVER, 'VOTING_CLOSED', 'Voting closed, not passed'],
  [300, 'treasury:3', 'VOTING_CLOSED', 'Voting closed, not passed'],
  [260, 'treasury:0', 'QUEUED', 'Queued'],
  [250, 'treasury:0', 'VOTING_CLOSED', 'Voting closed, passed'],
  [210, 'treasury:1', 'CANCELED', 'Canceled'],
  [200, 'treasury:3', 'VOTING_OPENED', 'Voting opened'],
  [200, 'treasury:1', 'VOTING_OPENED', 'Voting opened'],
  [180, vote(0), 'VOTING_CLOSED', 'Voting closed, not passed'],
  [150, 'treasury:0', 'VOTING_OPENED', 'Voting opened'],
  [130, vote(0), 'VOTING_OPENED', 'Voting opened'],
  [130, vote(0), 'CREATED', 'Proposed'],
  [110, 'treasury:2', 'CANCELED', 'Canceled'],
  [101, OPEN, 'VOTING_OPENED', 'Voting opened'],
  [101, OPEN, 'CREATED', 'Proposed'],
  [100, OVER, 'VOTING_OPENED', 'Voting opened'],
  [100, OVER, 'CREATED', 'Proposed'],
  [90, 'treasury:3', 'CREATED', 'Proposed'],
  [80, 'treasury:2', 'CREATED', 'Proposed'],
  [70, 'treasury:1', 'CREATED', 'Proposed'],
  [60, 'treasury:0', 'CREATED', 'Proposed'],
]

const idOf = (id: string, kind: string) => `tag:livepeer-governance,2026:${id}:${kind}`

describe('the feeds', () => {
  test('have every state change that has come about, newest first, strangers’ titles as text', async () => {
    const known = await titles()
    const { feed, entries } = atomOf(await textOf('/proposals.atom'))
    const expected = CHANGES.map(([block, id, kind, headline]) => ({
      id: idOf(id, kind),
      title: `${headline}: ${known.get(id)?.replaceAll('\uFFFE', '\uFFFD')}`,
      time: iso(timeOf(block)),
      author: ACCOUNT,
      tags: [id.startsWith('poll') ? 'POLL' : id.startsWith('aragon') ? 'ARAGON' : 'TREASURY', kind],
    }))
    expect(entries.map(({ content, ...entry }) => entry)).toEqual(expected)
    const hostile = known.get('treasury:0') ?? ''
    for (const part of ['<script>', '&lt;', ']]>', '\\', 'BEGIN:VEVENT', '\uFFFE', '😀'])
      expect(hostile).toContain(part)
    expect(childOf(feed, 'updated')?.text).toBe(iso(timeOf(610)))
    expect(childOf(feed, 'id')?.text).toBe('tag:livepeer-governance,2026:proposals')
    expect(childrenOf(feed, 'link').map(({ attributes }) => attributes)).toMatchObject([
      { rel: 'self', href: 'proposals.atom' },
    ])
    const closed = entries.find(({ id }) => id === idOf('treasury:0', 'VOTING_CLOSED'))
    expect(closed?.content).toBe(
      `Treasury proposal treasury:0 on made-up, by ${ACCOUNT}. For 10, against 0, abstain 0 wei. Quorum of 0 wei reached, support reached. Round 5.`,
    )
    const poll = entries.find(({ id }) => id === idOf(OVER, 'VOTING_CLOSED'))
    expect(poll?.content).toMatch(/The time is estimated\.$/)

    const json = JSON.parse(await textOf('/proposals.feed.json')) as JsonFeed
    expect(json).toEqual({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'Livepeer governance: proposals',
      items: entries.map(({ id, title, content, time, author, tags }) => ({
        ...{ id, title, content_text: content, date_published: time, authors: [{ name: author }], tags },
      })),
    })
  })

  test('lead to the votes of each proposal', async () => {
    const { feed } = atomOf(await textOf('/proposals.atom'))
    const links = childrenOf(feed, 'entry').flatMap((entry) =>
      childrenOf(entry, 'link').map(({ attributes }) => attributes.href),
    )
    expect(links).toHaveLength(CHANGES.length)
    for (const link of new Set(links)) {
      const { status, headers } = await fetch(new URL(link ?? '', `${url}/proposals.atom`))
      // Of one vote nothing told the settings.
      expect([status, headers.get('content-type')]).toEqual(
        link?.includes(vote(2)) ? [422, 'application/json; charset=utf-8'] : [200, 'text/csv; charset=utf-8'],
      )
    }
  })

  test('keep an entry’s id while texts and estimates change, and as the chain goes on', async () => {
    const ids = async (from: string) => atomOf(await textOf('/proposals.atom', from)).entries.map(({ id }) => id)
    const now = await ids(url)
    expect(await ids(await serve({ descriptions: ['Another', 'text'] }))).toEqual(now)
    // Nobody initialised the round in which voting opened: when it did is estimated, and not after it was seen to be so.
    const estimated = atomOf(await textOf('/proposals.atom', await serve({ block: 560, skipped: 11 }))).entries
    const opened = estimated.filter(({ tags }) => tags[1] === 'VOTING_OPENED').slice(0, 2)
    expect(opened.map(({ id }) => id)).toEqual(['treasury:5', 'treasury:4'].map((id) => idOf(id, 'VOTING_OPENED')))
    for (const { content, time } of opened) {
      expect(content).toContain('estimated')
      expect(time).toBe(iso(timeOf(560)))
    }
    const then = await ids(await serve({ block: 255 }))
    expect(then).toEqual(now.slice(-then.length))
    expect(then).toHaveLength(17)
  })

  test('have the newest 200 entries', async () => {
    const many = await serve({ polls: 150 })
    const { entries } = atomOf(await textOf('/proposals.atom', many))
    expect(entries).toHaveLength(200)
    expect(new Set(entries.map(({ id }) => id)).size).toBe(200)
    expect(entries.map(({ time }) => time)).toEqual(
      entries
        .map(({ time }) => time)
        .sort()
        .reverse(),
    )
    const json = JSON.parse(await textOf('/proposals.feed.json', many)) as JsonFeed
    expect(json.items).toHaveLength(200)
  })

  test('of a chain without proposals are empty', async () => {
    const nothing = await serve({ block: 55 })
    const { feed, entries } = atomOf(await textOf('/proposals.atom?network=made-up', nothing))
    expect([entries, childOf(feed, 'title')?.text]).toEqual([[], 'Livepeer governance: proposals on made-up'])
    expect(JSON.parse(await textOf('/proposals.feed.json', nothing))).toMatchObject({ items: [] })
    expect(Object.values(ical.sync.parseICS(await textOf('/proposals.ics', nothing))).filter(isEvent)).toEqual([])
  })
})

const isEvent = (component: unknown): component is ical.VEvent => (component as { type?: string }).type === 'VEVENT'

/** Voting periods: proposal, blocks of start and end, status. */
const PERIODS: [id: string, start: number, end: number | null, status: string][] = [
  [vote(2), 610, null, 'TENTATIVE'],
  [vote(1), 600, 650, 'CONFIRMED'],
  ['treasury:5', 550, null, 'TENTATIVE'],
  ['treasury:4', 550, 1050, 'TENTATIVE'],
  [vote(0), 130, 180, 'CONFIRMED'],
  [OPEN, 101, 1001, 'TENTATIVE'],
  [OVER, 100, 301, 'TENTATIVE'],
  ['treasury:3', 200, 300, 'CONFIRMED'],
  ['treasury:1', 200, 210, 'CANCELLED'],
  ['treasury:0', 150, 250, 'CONFIRMED'],
]

describe('the calendar', () => {
  test('has the voting period of every proposal that could be voted on', async () => {
    const text = await textOf('/proposals.ics')
    const known = await titles()
    const events = Object.values(ical.sync.parseICS(text)).filter(isEvent)
    expect(
      events.map(({ uid, start, end, status, summary }) => ({
        uid,
        start: start.toISOString(),
        end: end?.toISOString(),
        status,
        summary,
      })),
    ).toEqual(
      PERIODS.map(([id, start, end, status]) => ({
        uid: `${id}@livepeer-governance`,
        start: iso(timeOf(start)),
        // Without an end it is a moment.
        end: iso(timeOf(end ?? start)),
        status,
        summary: known.get(id)?.replaceAll('\uFFFE', '\uFFFD'),
      })),
    )
    expect(text.match(/^DTEND/gm)).toHaveLength(PERIODS.filter(([, , end]) => end !== null).length)
    expect(text.match(/^DT(START|END|STAMP):\d{8}T\d{6}Z\r$/gm)).toHaveLength(text.match(/^DT/gm)?.length ?? 0)
  })

  test('has lines that end with CR LF and are no longer than 75 octets', async () => {
    const text = await textOf('/proposals.ics')
    const lines = text.split('\r\n')
    expect(lines.pop()).toBe('')
    expect(lines.filter((line) => /[\r\n]/.test(line) || Buffer.byteLength(line) > 75)).toEqual([])
    expect(lines.filter((line) => line.startsWith(' ')).length).toBeGreaterThan(5)
    expect(lines.filter((line) => line === 'BEGIN:VEVENT')).toHaveLength(PERIODS.length)
  })

  test('says when a period was worked out last, and not again after its end', async () => {
    const stamps = (text: string) => text.match(/^DTSTAMP:.*$/gm)
    const [now, later] = [await textOf('/proposals.ics'), await textOf('/proposals.ics', await serve({ block: 660 }))]
    const changed = stamps(now)?.map((stamp, index) => stamp !== stamps(later)?.[index])
    const isOver = PERIODS.map(([, , end]) => end !== null && end <= 600)
    expect(changed).toEqual(isOver.map((over) => !over))
  })
})

/** Node's fetch turns caching off where it is given If-None-Match. */
function status(path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${url}${path}`, { headers }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end()
  })
}

test.each([
  ['atom', 'application/atom+xml; charset=utf-8'],
  ['feed.json', 'application/feed+json; charset=utf-8'],
  ['ics', 'text/calendar; charset=utf-8'],
])('/proposals.%s is cached and refused as /proposals.csv', async (feed, type) => {
  const [told, table] = await Promise.all(
    [`/proposals.${feed}`, '/proposals.csv'].map((path) => fetch(`${url}${path}`)),
  )
  const kept = ['cache-control', 'accept-ranges', 'access-control-allow-origin', 'access-control-expose-headers']
  for (const name of kept) expect([name, told?.headers.get(name)]).toEqual([name, table?.headers.get(name)])
  expect(told?.headers.get('content-type')).toBe(type)
  expect(told?.headers.get('cache-control')).toBe('public, max-age=5, no-transform')
  const etag = told?.headers.get('etag') ?? ''
  expect(etag).toMatch(/^"[\w-]{43}"$/)
  expect(await status(`/proposals.${feed}`, { 'if-none-match': etag })).toBe(304)
  expect(await status(`/proposals.${feed}`, { range: 'bytes=0-9' })).toBe(206)
  for (const wrong of ['?network=nowhere', '?first=1']) {
    const refused = await fetch(`${url}/proposals.${feed}${wrong}`)
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: 'BAD_USER_INPUT' } }])
  }
})
