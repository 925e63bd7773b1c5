import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { GraphQLClient } from 'graphql-request'
import {
  decodeAbiParameters,
  encodeAbiParameters,
  type Hex,
  keccak256,
  parseAbiParameters,
  stringToHex,
  toEventSelector,
  zeroHash,
} from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startStack } from '../../stack/stack.ts'
import { compareBallots, compareCounting, compareWhatIf } from './counting-truth.ts'
import { compareExplorer } from './explorer-truth.ts'
import { compareGovernance, compareTimeline, type GovernanceTruth, timelineBlocks } from './governance-truth.ts'
import { type LivepeerTruth, readTruth, traceFile } from './livepeer-truth.ts'
import { asOf, serveFacts } from './serve.ts'
import { serveAlone, serveShared } from './shared-chains.ts'

describe.each([
  ['small', serveAlone],
  ['medium', serveShared],
])('proposals and polls of the %s trace, through the HTTP API', (name, serveTrace) => {
  const truth = readTruth<GovernanceTruth & LivepeerTruth>(`livepeer/${name}`)
  let stack: Awaited<ReturnType<typeof serveTrace>>

  beforeAll(async () => {
    stack = await serveTrace(`livepeer/${name}`)
  })
  afterAll(() => stack?.close())

  test('equal the contracts at the end', async () => {
    const { compared, differences } = await compareGovernance(stack.url, truth)
    console.log(`livepeer/${name}: ${compared} values of proposals, polls and votes compared`)
    expect(differences).toEqual([])
    const counting = await compareCounting(stack.url)
    console.log(`livepeer/${name}: ${counting.compared} values of rules, turnouts and recounts compared`)
    expect(counting.differences).toEqual([])
    const explorer = await compareExplorer(stack.url)
    console.log(`livepeer/${name}: ${explorer.compared} counts of the explorer compared`)
    expect(explorer.differences).toEqual([])
    expect(explorer.compared).toBeGreaterThan(10)
    expect(compared).toBeGreaterThan(50)
  })

  test('equal the contracts at every point of the timelines', async () => {
    const [chain] = stack.followed
    if (chain === undefined) throw new Error('no chain')
    let compared = 0
    for (const [index, block] of timelineBlocks(truth).entries()) {
      const server = await serveFacts([asOf(chain, { block })])
      try {
        for (const comparison of [
          await compareTimeline(server.url, truth, block),
          await compareCounting(server.url),
          // Asks much, and so not at every point.
          ...(index % 8 === 0 ? [await compareExplorer(server.url)] : []),
        ]) {
          compared += comparison.compared
          expect(comparison.differences).toEqual([])
        }
      } finally {
        await server.close()
      }
    }
    console.log(`livepeer/${name}: ${compared} values of states, tallies, turnouts and recounts over time compared`)
    expect(compared).toBeGreaterThan(100)
  })

  test('who was missing, and how every account was counted, equal the contracts', async () => {
    const { compared, differences } = await compareBallots(stack.url, truth)
    console.log(`livepeer/${name}: ${compared} values of absentees and ballots compared`)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(50)
  })

  test('what would have been is what the votes say', async () => {
    const { compared, differences } = await compareWhatIf(stack.url)
    console.log(`livepeer/${name}: ${compared} values of hypothetical counts compared`)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(30)
  })

  test('have a time for every step, and say where it is estimated', async () => {
    const api = new GraphQLClient(`${stack.url}/graphql`)
    const { proposals, rounds } = await api.request<{
      proposals: { nodes: { system: string; createdAt: { timestamp: string }; timeline: TimelineStep[] }[] }
      rounds: { nodes: { number: number; initializedAt: { timestamp: string } }[] }
    }>(`{ proposals { nodes { system createdAt { timestamp } timeline { kind round timestamp estimated } } }
      rounds(first: 1000) { nodes { number initializedAt { timestamp } } } }`)
    const begun = new Map(rounds.nodes.map(({ number, initializedAt }) => [number, initializedAt.timestamp]))
    const byClock = proposals.nodes.flatMap(({ system, timeline }) =>
      timeline.filter(({ kind }) => kind.startsWith('VOTING_')).map((step) => ({ system, ...step })),
    )
    for (const { system, kind, round, timestamp, estimated } of byClock) {
      if (system === 'POLL') expect([kind, estimated]).toEqual([kind, kind === 'VOTING_CLOSED'])
      else expect([round, estimated]).toEqual([round, !begun.has(round ?? 0)])
      if (system === 'TREASURY' && !estimated) expect(timestamp).toBe(begun.get(round ?? 0))
    }
    for (const { createdAt, timeline } of proposals.nodes) {
      expect(timeline[0]).toMatchObject({ kind: 'CREATED', timestamp: createdAt.timestamp, estimated: false })
      const times = timeline.map(({ timestamp }) => timestamp)
      expect(times).toEqual(times.toSorted())
    }
    expect(byClock.some(({ estimated }) => !estimated)).toBe(true)
  })

  test('moved what their calls transfer, once they are executed', async () => {
    const { proposals } = await new GraphQLClient(`${stack.url}/graphql`).request<{
      proposals: {
        nodes: {
          state: string
          actions: { calldata: Hex }[]
          transfers: { from: string; to: string; amount: string; proposal: { id: string } }[]
          id: string
        }[]
      }
    }>(`{ proposals(first: 1000, filter: { system: [TREASURY] }) { nodes { id state
      ... on TreasuryProposal { actions { calldata } transfers { from to amount proposal { id } } } } } }`)
    const [treasury] = new Set(proposals.nodes.flatMap(({ transfers }) => transfers.map(({ from }) => from)))
    for (const { id, state, actions, transfers } of proposals.nodes) {
      const called = actions.flatMap(({ calldata }) => {
        if (!calldata.startsWith('0xa9059cbb')) return []
        const [to, amount] = decodeAbiParameters(parseAbiParameters('address, uint256'), `0x${calldata.slice(10)}`)
        return [{ from: treasury, to: to.toLowerCase(), amount: String(amount), proposal: { id } }]
      })
      expect(transfers).toEqual(state === 'EXECUTED' ? called : [])
    }
    expect(proposals.nodes.some(({ transfers }) => transfers.length > 1)).toBe(true)
  })

  test('fail on one wei', async () => {
    const wrong = structuredClone(truth)
    const [proposal] = Object.values(wrong.proposals)
    const [poll] = Object.values(wrong.polls)
    const [voter] = Object.values(poll?.final.voters ?? {})
    if (proposal === undefined || voter === undefined) throw new Error('nothing to falsify')
    proposal.finalVotes.against = String(BigInt(proposal.finalVotes.against) - 1n)
    voter.weight = String(BigInt(voter.weight) + 1n)
    const { differences } = await compareGovernance(stack.url, wrong)
    // The tally, the counted weights behind it, and the voter's own.
    expect(differences).toHaveLength(3)
  })

  test('a page goes on where the one before ended, though the chain went on meanwhile', async () => {
    const [chain] = stack.followed
    if (chain === undefined) throw new Error('no chain')
    const blocks = timelineBlocks(truth)
    const before = await serveFacts([asOf(chain, { block: blocks[Math.floor(blocks.length / 2)] ?? 0 })])
    try {
      const [earlier, now] = [before, stack].map(({ url }) => new GraphQLClient(`${url}/graphql`))
      if (earlier === undefined || now === undefined) throw new Error('no API')
      const page = `pageInfo { endCursor } nodes { ${LISTED} }`
      for (const orderBy of ['CREATED_ASC', 'ENDS_ASC', 'ENDS_DESC']) {
        const whole = (await list(now, `orderBy: ${orderBy}`, 1000)).map(({ id }) => id)
        const known = (await list(earlier, `orderBy: ${orderBy}`, 1000)).map(({ id }) => id)
        expect(known.length).toBeGreaterThan(0)
        for (let first = 1; first <= known.length; first++) {
          const { proposals } = await earlier.request<{ proposals: { pageInfo: { endCursor: string } } }>(
            `{ proposals(orderBy: ${orderBy}, first: ${first}) { ${page} } }`,
          )
          const after = `orderBy: ${orderBy}, after: "${proposals.pageInfo.endCursor}"`
          const { proposals: rest } = await now.request<{ proposals: { nodes: Listed[] } }>(
            `{ proposals(${after}) { ${page} } }`,
          )
          expect(rest.nodes.map(({ id }) => id)).toEqual(whole.slice(whole.indexOf(known[first - 1] ?? '') + 1))
        }
      }
    } finally {
      await before.close()
    }
  })

  test('page through in every order without a gap, and filters agree with the list', async () => {
    const api = new GraphQLClient(`${stack.url}/graphql`)
    const all = await list(api, '', 1000)
    expect(all).toHaveLength(Object.keys(truth.proposals).length + Object.keys(truth.polls).length)
    const time = (node: Listed) => Date.parse(node.createdAt.timestamp)
    expect(all).toEqual(all.toSorted((a, b) => time(b) - time(a)))
    for (const orderBy of ['CREATED_ASC', 'CREATED_DESC', 'ENDS_ASC', 'ENDS_DESC']) {
      const whole = await list(api, `orderBy: ${orderBy}`, 1000)
      expect(whole.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort())
      expect(await list(api, `orderBy: ${orderBy}`, 1)).toEqual(whole)
      const ends = whole.map(endBlock)
      expect(ends).toEqual(
        orderBy.startsWith('ENDS') ? ends.toSorted((a, b) => (orderBy === 'ENDS_ASC' ? a - b : b - a)) : ends,
      )
    }
    for (const state of new Set(all.map((node) => node.state))) {
      const expected = all.filter((node) => node.state === state)
      expect(await list(api, `filter: { state: [${state}] }`, 2)).toEqual(expected)
    }
    const [first] = all
    if (first === undefined) return
    expect(await list(api, `filter: { proposer: "${first.proposer.toUpperCase().replace('0X', '0x')}" }`, 10)).toEqual(
      all.filter(({ proposer }) => proposer === first.proposer),
    )
    expect(await list(api, `filter: { createdAfter: "${first.createdAt.timestamp}" }`, 10)).toEqual([first])
    expect(await list(api, `filter: { createdBefore: "2001-01-01" }`, 10)).toEqual([])
    expect(await list(api, 'filter: { search: "TREASURY grant", system: [TREASURY] }', 10)).toEqual(
      all.filter(({ description }) => description?.toLowerCase().includes('treasury grant')),
    )
    const [voter] = Object.values(truth.proposals).flatMap(({ hasVoted }) => hasVoted)
    const voted = await list(api, `filter: { voter: "${voter}" }`, 10)
    const { account } = await api.request<{
      account: { votes: { nodes: { proposal: Listed; vote: { voter: string } }[] } }
    }>(`{ account(address: "${voter}") { votes(first: 1000) { nodes { proposal { ${LISTED} } vote { voter } } } } }`)
    expect(account.votes.nodes.map(({ proposal }) => proposal.id).sort()).toEqual(voted.map(({ id }) => id).sort())
    expect(new Set(account.votes.nodes.map(({ vote }) => vote.voter))).toEqual(new Set([voter]))
  })
})

/** A copy of the small trace with another header and other logs in its blocks, served and asked. */
async function withTrace(
  change: (header: Header) => object,
  logsOf: (logs: Log[], block: number) => Log[],
  ask: (api: GraphQLClient) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'changed-trace-'))
  const [first = '{}', ...lines] = gunzipSync(readFileSync(traceFile('livepeer/small')))
    .toString()
    .trimEnd()
    .split('\n')
  const blocks = lines.map((line) => JSON.parse(line) as { number: number; logs: Log[] })
  const changed = [
    change(JSON.parse(first)),
    ...blocks.map((block) => ({ ...block, logs: logsOf(block.logs, block.number) })),
  ]
  writeFileSync(join(folder, 'trace.jsonl.gz'), gzipSync(changed.map((line) => JSON.stringify(line)).join('\n')))
  const stack = await startStack({ traces: [join(folder, 'trace.jsonl.gz')] })
  try {
    await stack.ready
    await ask(new GraphQLClient(`${stack.url}/graphql`))
  } finally {
    await stack.stop()
    rmSync(folder, { recursive: true })
  }
}

interface Header {
  contracts: Record<string, string>
  parameters: object
}

interface Log {
  address: string
  topics: string[]
  data: string
  transactionHash: string
  logIndex: number
}

test('a trace cut in the middle is answered as the whole one was at that block', async () => {
  const truth = readTruth<GovernanceTruth>('livepeer/small')
  const [poll] = Object.values(truth.polls)
  const cut = (poll?.endBlock ?? 0) - 3
  await withTrace(
    (header) => ({ ...header, lastBlock: cut }),
    (logs) => logs,
    async (api) => {
      const { status, proposal } = await api.request<{ status: { block: string }[]; proposal: { state: string } }>(
        `{ status { block } proposal(id: "poll:${Object.keys(truth.polls)[0]}") { state } }`,
      )
      expect([status[0]?.block, proposal.state]).toEqual([String(cut), 'ACTIVE'])
    },
  )
})

test('a poll is over after its end where nothing happened since, without a length of rounds too', async () => {
  const truth = readTruth<GovernanceTruth>('livepeer/small')
  const [[address, poll] = ['', undefined]] = Object.entries(truth.polls)
  const end = poll?.endBlock ?? 0
  await withTrace(
    (header) => ({ ...header, parameters: {}, lastBlock: end + 1 }),
    (logs, block) => (block <= end ? logs : []),
    async (api) => {
      const { proposal } = await api.request<{ proposal: object }>(
        `{ proposal(id: "poll:${address}") { state tally { for against final } } }`,
      )
      const { yes, no } = poll?.final ?? {}
      expect(proposal).toEqual({ state: 'SUCCEEDED', tally: { for: yes, against: no, final: true } })
    },
  )
})

test('what the timelock carries out by itself is executed, and votes count alike without BondingVotes', async () => {
  const truth = readTruth<GovernanceTruth>('livepeer/small')
  const proposalExecuted = toEventSelector('ProposalExecuted(uint256)')
  await withTrace(
    ({ contracts: { BondingVotes: _, ...contracts }, ...header }) => ({ ...header, contracts }),
    (logs) => logs.filter(({ topics }) => topics[0] !== proposalExecuted),
    async (api) => {
      const { proposals } = await api.request<{ proposals: { nodes: object[] } }>(
        `{ proposals(filter: { system: [TREASURY] }, orderBy: CREATED_ASC) {
          nodes { state tally { for against abstain } timeline { kind at { block } } } } }`,
      )
      const [executed, defeated] = Object.values(truth.proposals)
        .toSorted((a, b) => a.snapshot - b.snapshot)
        .map(({ finalVotes }) => finalVotes)
      expect(proposals.nodes).toMatchObject([
        { state: 'EXECUTED', tally: executed },
        { state: 'DEFEATED', tally: defeated },
      ])
      expect(proposals.nodes[0]).toMatchObject({
        timeline: [
          { kind: 'CREATED' },
          { kind: 'VOTING_OPENED' },
          { kind: 'VOTING_CLOSED' },
          { kind: 'QUEUED', at: { block: '1090' } },
          { kind: 'EXECUTED', at: { block: '1102' } },
        ],
      })
    },
  )
})

test('a proposal with a description that cannot be stored as it is is what the timelock made of it', async () => {
  // All are queued in one transaction and then left to the timelock, of which the governor says nothing.
  const proposals = [
    { name: 'waiting', text: stringToHex('# Waiting\0') },
    { name: 'executed', text: stringToHex('# Executed\0 by anybody') },
    { name: 'not UTF-8', text: '0x2320496e76616c6964ff' },
    { name: 'canceled', text: stringToHex('# Canceled\0') },
    { name: 'scheduled again', text: stringToHex('# Scheduled\0 again') },
  ] as const
  const recorded = executedProposal()
  const copies = proposals.map(({ name, text }) => ({ name, ...recorded.copy(text) }))
  let scheduled: Log | undefined

  /** What a run of the recorded proposal's logs is for one of the copies. */
  const logsFor = ({ name, operation, renamed }: (typeof copies)[number], run: Log[]): Log[] => {
    const logs = run.map(renamed).filter(({ topics }) => topics[0] !== EXECUTED)
    const [first] = logs.filter(({ topics }) => topics[0] === CALL_EXECUTED)
    if (first === undefined || name === 'executed' || name === 'not UTF-8') return logs
    const isFirstCall = first.topics[2] === zeroHash
    if (name === 'waiting' || !isFirstCall) return []
    const canceled = { ...first, topics: [CANCELLED, operation], data: '0x' }
    const again = { ...first, topics: [CALL_SCHEDULED, operation, zeroHash], data: scheduled?.data ?? '0x' }
    return name === 'canceled' ? [canceled] : [canceled, again]
  }

  await withTrace(
    (header) => header,
    (logs) => {
      const changed: Log[] = []
      let run: Log[] = []
      const endRun = () => {
        const [call] = run.filter(({ topics }) => topics[0] === CALL_SCHEDULED)
        scheduled ??= call
        // Somebody else schedules the same call, without the governor.
        if (call !== undefined) changed.push({ ...call, topics: [CALL_SCHEDULED, `0x${'f'.repeat(64)}`, zeroHash] })
        for (const copy of copies) changed.push(...logsFor(copy, run))
        run = []
      }
      for (const log of logs) {
        if (recorded.hasPartIn(log)) run.push(log)
        else {
          endRun()
          changed.push(log)
        }
      }
      endRun()
      return changed.map((log, logIndex) => ({ ...log, logIndex }))
    },
    async (api) => {
      const { proposals: found, treasuries } = await api.request<{
        proposals: { nodes: { id: string }[] }
        treasuries: { transfers: { nodes: { proposal: { id: string } | null }[] } }[]
      }>(`{ proposals(filter: { system: [TREASURY] }) { nodes {
          id state description timeline { kind } ... on TreasuryProposal { proposalIdVerified } } }
        treasuries { transfers(first: 1000) { nodes { proposal { id } } } } }`)
      const steps = ['CREATED', 'VOTING_OPENED', 'VOTING_CLOSED', 'QUEUED']
      const expected = [
        { state: 'QUEUED', description: '# Waiting', kinds: steps },
        { state: 'EXECUTED', description: '# Executed by anybody', kinds: [...steps, 'EXECUTED'] },
        { state: 'EXECUTED', description: '# Invalid\uFFFD', kinds: [...steps, 'EXECUTED'] },
        { state: 'CANCELED', description: '# Canceled', kinds: [...steps, 'CANCELED'] },
        { state: 'QUEUED', description: '# Scheduled again', kinds: steps },
      ]
      const byId = new Map(found.nodes.map((proposal) => [proposal.id, proposal]))
      expect(copies.map(({ id }) => byId.get(`treasury:${id}`))).toEqual(
        expected.map(({ state, description, kinds }, index) => {
          const timeline = kinds.map((kind) => ({ kind }))
          return { id: `treasury:${copies[index]?.id}`, state, description, timeline, proposalIdVerified: true }
        }),
      )
      // What it paid is told before each of its calls.
      const paidBy = treasuries.flatMap(({ transfers }) => transfers.nodes.map(({ proposal }) => proposal?.id))
      expect(paidBy.filter((id) => id !== undefined)).toEqual(Array(3).fill(`treasury:${copies[1]?.id}`))
    },
  )
})

const [CREATED, EXECUTED, CALL_SCHEDULED, CALL_EXECUTED, CANCELLED] = [
  'ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)',
  'ProposalExecuted(uint256)',
  'CallScheduled(bytes32,uint256,address,uint256,bytes,bytes32,uint256)',
  'CallExecuted(bytes32,uint256,address,uint256,bytes)',
  'Cancelled(bytes32)',
].map((event) => toEventSelector(event)) as [Hex, Hex, Hex, Hex, Hex]

/** ProposalCreated's, with the description as bytes, which are encoded as a string is. */
const PARAMETERS = parseAbiParameters(
  'uint256, address, address[], uint256[], string[], bytes[], uint256, uint256, bytes',
)
const CONTENT = parseAbiParameters('address[], uint256[], bytes[], bytes32')
const OPERATION = parseAbiParameters('address[], uint256[], bytes[], bytes32, bytes32')

/** The small trace's proposal that is executed: which logs are about it, and the same ones about a copy with another text. */
function executedProposal() {
  const lines = gunzipSync(readFileSync(traceFile('livepeer/small')))
    .toString()
    .split('\n')
  const logs = lines
    .filter((line) => line.includes(CREATED))
    .flatMap((line) => (JSON.parse(line) as { logs: Log[] }).logs)
  const created = logs.find(({ topics }) => topics[0] === CREATED)
  if (created === undefined) throw new Error('no proposal')
  const parts = decodeAbiParameters(PARAMETERS, created.data as Hex)
  const [proposalId, proposer, targets, values, signatures, calldatas, voteStart, voteEnd, description] = parts
  const idsOf = (text: Hex) => {
    const salt = keccak256(text)
    return {
      id: BigInt(keccak256(encodeAbiParameters(CONTENT, [targets, values, calldatas, salt]))),
      operation: keccak256(encodeAbiParameters(OPERATION, [targets, values, calldatas, zeroHash, salt])),
    }
  }
  const before = idsOf(description)
  if (before.id !== proposalId) throw new Error('not the id of its parts')
  const hex = (id: bigint) => id.toString(16).padStart(64, '0')
  const copy = (text: Hex) => {
    const after = idsOf(text)
    const renamed = (log: Log): Log => {
      if (log.topics[0] === CREATED) {
        const changed = [after.id, proposer, targets, values, signatures, calldatas, voteStart, voteEnd, text] as const
        return { ...log, data: encodeAbiParameters(PARAMETERS, changed) }
      }
      return JSON.parse(
        JSON.stringify(log).replaceAll(hex(before.id), hex(after.id)).replaceAll(before.operation, after.operation),
      ) as Log
    }
    return { ...after, renamed }
  }
  const hasPartIn = ({ topics, data }: Log) => topics[1] === before.operation || data.includes(hex(before.id))
  return { copy, hasPartIn }
}

interface TimelineStep {
  kind: string
  round: number | null
  timestamp: string
  estimated: boolean
}

const LISTED = `id state proposer description createdAt { timestamp } ... on Poll { endBlock } ... on TreasuryProposal { lastRound }`

interface Listed {
  id: string
  state: string
  proposer: string
  description: string | null
  createdAt: { timestamp: string }
  endBlock?: string
  lastRound?: number
}

/** Last block to vote in; a round is 50 blocks in the traces. */
function endBlock({ endBlock: block, lastRound }: Listed): number {
  return block === undefined ? ((lastRound ?? 0) + 1) * 50 - 1 : Number(block)
}

/** The whole list, asked in pages. */
async function list(api: GraphQLClient, how: string, first: number): Promise<Listed[]> {
  const nodes: Listed[] = []
  for (let after: string | null = null, more = true; more; ) {
    const {
      proposals,
    }: { proposals: { nodes: Listed[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } } =
      await api.request(
        `query ($after: String) { proposals(first: ${first}, after: $after${how === '' ? '' : `, ${how}`}) {
          nodes { ${LISTED} } pageInfo { hasNextPage endCursor } } }`,
        { after },
      )
    nodes.push(...proposals.nodes)
    after = proposals.pageInfo.endCursor
    more = proposals.pageInfo.hasNextPage
  }
  return nodes
}
