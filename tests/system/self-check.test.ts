import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GraphQLClient } from 'graphql-request'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { blockReorged } from '../../api/facts/errors.ts'
import type { Chain, FactsSource } from '../../api/facts/followed-chain.ts'
import type { ApiServer } from '../../api/server.ts'
import { recordedContracts } from '../../stack/chain-plan.ts'
import { waitFor } from '../../stack/processes.ts'
import { RecordedChain, type RecordedChainServer, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { readTrace } from '../../stack/trace.ts'
import { cli, startCli } from './cli-command.ts'
import type { GovernanceTruth } from './governance-truth.ts'
import { type LivepeerTruth, readTruth } from './livepeer-truth.ts'
import { type Manner, type Providers, serveProviders } from './providers.ts'
import { livepeerContracts } from './recorded-contracts.ts'
import { asOf, serve, serveFacts } from './serve.ts'
import { makeFolder, SMALL_TRACE, writeTraceWithout } from './stack-command.ts'

/** The last three rounds that were initialised: 28 never was. */
const ROUNDS = [29, 27, 26]
const HOLDER = '0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc'
/** A bond in round 27 that no later event tells of. */
const LEFT_OUT = { block: 1370, logIndex: 3 }

const folder = makeFolder()
const truth = readTruth<LivepeerTruth & GovernanceTruth>('livepeer/small')
const proposals = [
  ...Object.keys(truth.proposals).map((id) => `treasury:${id}`),
  ...Object.keys(truth.polls).map((address) => `poll:${address}`),
]
const [treasury = ''] = proposals

let rpc: RecordedChainServer
let stack: Stack
let providers: Providers
let contracts: Record<'right' | 'wrong' | 'turning' | 'holed', RecordedChain>
beforeAll(async () => {
  const trace = await readTrace(SMALL_TRACE)
  const holed = await readTrace(writeTraceWithout(folder, 'holes.jsonl.gz', LEFT_OUT))
  rpc = await serveRecordedChains(
    new Map([
      ['whole', new RecordedChain(trace)],
      ['holed', new RecordedChain(holed)],
    ]),
  )
  const networksFile = join(folder, 'networks.json')
  writeFileSync(networksFile, JSON.stringify({ whole: recordedContracts(trace), holed: recordedContracts(holed) }))
  const rpcUrls = { whole: `${rpc.url}/whole`, holed: `${rpc.url}/holed` }
  const wrong = structuredClone(truth)
  const votes = wrong.votesAtRoundStart.accounts[HOLDER]?.votes ?? []
  votes[27] = String(BigInt(votes[27] ?? 0) + 1n)
  const [{ finalVotes } = { finalVotes: { for: '0' } }] = Object.values(wrong.proposals)
  finalVotes.for = String(BigInt(finalVotes.for) + 1n)
  const right = livepeerContracts(trace, truth)
  contracts = {
    ...{ right, wrong: livepeerContracts(trace, wrong), turning: right },
    holed: livepeerContracts(holed, truth),
  }
  providers = await serveProviders(contracts)
  stack = await startStack({ networksFile, networks: ['whole', 'holed'], rpcUrls, dataDir: join(folder, 'data') })
  await stack.ready
})
afterAll(async () => {
  await stack?.stop()
  await rpc?.close()
  providers?.close()
  rmSync(folder, { recursive: true })
})

interface Verification {
  off: string | null
  lastRound: number | null
  rounds: number
  proposals: number
  pending: number
  comparedValues: number
  differenceCount: number
  differences: {
    round: number | null
    proposal: string | null
    what: string
    where: string
    contract: string
    api: string
  }[]
  uncheckedCount: number
  unchecked: { round: number | null; proposal: string | null; what: string; reason: string }[]
}

const lines: string[] = []

/** An API over one of the chains that compares itself with contracts, once it has compared all there is. */
async function checked<Answer>(
  network: string,
  provider: string | undefined,
  look: (server: ApiServer, verification: Verification) => Promise<Answer>,
): Promise<Answer> {
  const chain = stack.chains.find((candidate) => candidate.network === network)
  if (chain === undefined) throw new Error(`there is no ${network}`)
  const { rpcUrl: _, ...rest } = chain
  const asked: Chain = { ...rest, roundLength: truth.meta.roundLength }
  lines.length = 0
  const log = (line: string) => void lines.push(line)
  const server = await serve([provider === undefined ? asked : { ...asked, rpcUrl: `${providers.url}/${provider}` }], {
    verification: { lookMs: 50, retryMs: 100_000 },
    log,
  })
  try {
    return await look(server, await verificationOf(server))
  } finally {
    await server.close()
  }
}

async function verificationOf(server: ApiServer): Promise<Verification> {
  const isOver = ({ off, pending, rounds, proposals: over, uncheckedCount }: Verification) =>
    off !== null || (pending === 0 && rounds + over + uncheckedCount > 0)
  const found = await waitFor(async () => {
    const told = await statusOf(server)
    return isOver(told) ? told : undefined
  }, AbortSignal.timeout(20_000))
  return found
}

async function statusOf(server: ApiServer): Promise<Verification> {
  const [chain] = (await (await fetch(`${server.url}/status`)).json()) as { verification: Verification }[]
  if (chain === undefined) throw new Error('there is no chain')
  return chain.verification
}

async function ask(server: ApiServer, query: string) {
  const client = new GraphQLClient(`${server.url}/graphql`, { errorPolicy: 'all' })
  const { extensions, headers } = await client.rawRequest<unknown>(query)
  const { differences } = (extensions ?? {}) as { differences?: object[] }
  return { differences, cacheControl: (headers as Headers).get('cache-control') }
}

async function metric(server: ApiServer, name: string): Promise<number | undefined> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const [, value] = new RegExp(`^livepeer_api_${name}\\{network="\\w+"\\} (\\d+)$`, 'm').exec(text) ?? []
  return value === undefined ? undefined : Number(value)
}

/** Runs `body` over an API of the whole chain that does not compare itself. */
async function withPlainApi(body: (url: string) => Promise<void>): Promise<void> {
  await checked('whole', undefined, ({ url }) => body(url))
}

/** How many values there are to compare, by the files that anybody can read. */
async function expectedValues(server: ApiServer): Promise<number> {
  const rowsOf = async (path: string) => {
    const text = await (await fetch(`${server.url}${path}`)).text()
    return text.trim().split('\n').length - 1
  }
  // The block's hash and total active stake, told and summed; votes and delegate of each holder.
  const ofRounds = ROUNDS.map(async (round) => 3 + 2 * (await rowsOf(`/snapshots/${round}.ndjson`)))
  // The block's hash and seven figures of a treasury proposal, two of a poll; two values of each voter.
  const ofProposals = proposals.map(async (id) => {
    return (id.startsWith('treasury:') ? 8 : 3) + 2 * (await rowsOf(`/proposals/${id}/votes.ndjson`))
  })
  const counts = await Promise.all([...ofRounds, ...ofProposals])
  return counts.reduce((sum, count) => sum + count, 0)
}

const WHOLE = { off: null, lastRound: 29, rounds: 3, proposals: 3, pending: 0 }
const DIFFERS_IN_27 = { round: 27, proposal: null, what: 'votes', where: HOLDER }
const DIFFERS_IN_PROPOSAL = { round: null, proposal: treasury, what: 'for', where: treasury }

test('everything agrees, and it is told how much was compared', async () => {
  await checked('whole', 'right/fine', async (server, verification) => {
    const comparedValues = await expectedValues(server)
    const none = { differenceCount: 0, differences: [], uncheckedCount: 0, unchecked: [] }
    expect(verification).toEqual({ ...WHOLE, comparedValues, ...none })
    console.log(
      `livepeer/small: ${comparedValues} values of a running API and of recorded contracts compared by itself`,
    )
    expect(comparedValues).toBeGreaterThan(100)
    expect(await metric(server, 'verified_values_total')).toBe(comparedValues)
    expect(await metric(server, 'differences')).toBe(0)
    expect(await metric(server, 'unverified')).toBe(0)
    expect(await metric(server, 'verification_pending')).toBe(0)
    expect(await metric(server, 'verified_round')).toBe(29)
    expect(await ask(server, '{ stakeSnapshot(round: 27) { totalActiveStake } }')).toEqual({
      differences: undefined,
      cacheControl: 'max-age=86400, public',
    })
    expect(lines).toEqual([])
  })
})

test('one wei is found, told wherever it is looked, and only what depends on it carries a warning', async () => {
  await checked('whole', 'wrong/fine', async (server, verification) => {
    const { differences, ...told } = verification
    expect(told).toEqual({
      ...WHOLE,
      comparedValues: await expectedValues(server),
      ...{ differenceCount: 2, uncheckedCount: 0, unchecked: [] },
    })
    expect(differences).toMatchObject([DIFFERS_IN_27, DIFFERS_IN_PROPOSAL])
    for (const { contract, api } of differences) expect(BigInt(contract)).toBe(BigInt(api) + 1n)
    expect(await metric(server, 'differences')).toBe(2)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(/^whole: round 27 DIFFERS: votes of 0x9965\w+: the contract answers \d+, the API \d+$/)

    const warned = async (query: string) => {
      const answer = await ask(server, query)
      // What carries a warning is not kept for a day.
      expect(answer.cacheControl).toBe('max-age=5, public')
      return answer.differences
    }
    const inRound = [{ network: 'whole', ...DIFFERS_IN_27, contract: expect.any(String), api: expect.any(String) }]
    const inProposal = [{ ...inRound[0], ...DIFFERS_IN_PROPOSAL }]
    expect(await warned('{ stakeSnapshot(round: 27) { holders(first: 500) { nodes { votes } } } }')).toEqual(inRound)
    expect(await warned('{ round(number: 27) { totalActiveStake } }')).toEqual(inRound)
    expect(await warned(`{ votingPower(account: "${HOLDER}", round: 27) { votes } }`)).toEqual(inRound)
    expect(await warned(`{ proposal(id: "${treasury}") { tally { for } } }`)).toEqual(inProposal)
    expect((await ask(server, '{ stakeSnapshot(round: 26) { totalActiveStake } }')).differences).toBeUndefined()
    expect((await ask(server, `{ proposal(id: "${proposals[1]}") { state } }`)).differences).toBeUndefined()
    expect((await ask(server, '{ status { block } }')).differences).toBeUndefined()
  })
})

test('an event that was left out is found', async () => {
  await checked('holed', 'holed/fine', async (_server, { differences, unchecked, rounds }) => {
    expect([rounds, unchecked]).toEqual([3, []])
    expect(differences.map(({ round, what }) => `${round} ${what}`).sort()).toEqual([
      '29 sum over the active set',
      '29 total active stake',
      '29 votes',
    ])
    const [total] = differences.filter(({ what }) => what === 'total active stake')
    expect(BigInt(total?.contract ?? 0) - BigInt(total?.api ?? 0)).toBe(807997858303655713965n)
  })
})

test.each<[Manner, string]>([
  ['busy', 'NO_ANSWER'],
  ['garbled', 'NO_ANSWER'],
  ['pruned', 'NO_STATE'],
  ['behind', 'NO_STATE'],
  ['other', 'OTHER_CHAIN'],
])('of a provider that is %s it is said that nothing could be compared', async (manner, reason) => {
  await checked('whole', `right/${manner}`, async (server, verification) => {
    expect(verification).toEqual({
      ...{ off: null, pending: 0, differenceCount: 0, differences: [] },
      ...{ comparedValues: 0, lastRound: null, rounds: 0, proposals: 0 },
      uncheckedCount: 6,
      unchecked: [
        ...ROUNDS.map((round) => ({ round, proposal: null, what: `round ${round}`, reason })),
        ...proposals.map(() => ({ round: null, proposal: expect.any(String), what: expect.any(String), reason })),
      ],
    })
    expect(await metric(server, 'unverified')).toBe(6)
    expect(await metric(server, 'differences')).toBe(0)
    expect(lines.filter((line) => line.includes('could not be compared: '))).toHaveLength(6)
    if (manner === 'busy') expect(lines[0]).toContain('slow down, please')
    expect((await ask(server, '{ stakeSnapshot(round: 27) { totalActiveStake } }')).differences).toBeUndefined()
  })
})

test('a provider that takes three calls at a time is asked for no more', async () => {
  providers.batches.length = 0
  await checked('whole', 'right/few', async (server, { comparedValues, uncheckedCount, differenceCount }) => {
    expect({ comparedValues, uncheckedCount, differenceCount }).toEqual({
      ...{ comparedValues: await expectedValues(server), uncheckedCount: 0, differenceCount: 0 },
    })
    const tooMany = providers.batches.filter((size) => size > 3)
    expect(tooMany.length).toBeGreaterThan(0)
    expect(tooMany.length).toBeLessThan(8)
  })
})

test('where there is nobody to ask it says so', async () => {
  await checked('whole', undefined, async (server, { off, comparedValues }) => {
    expect([off, comparedValues]).toEqual(['NO_RPC', 0])
    expect(await metric(server, 'differences')).toBeUndefined()
  })
})

describe('an audit', () => {
  const output = join(folder, 'audit.ndjson')
  const argsOf = (manner: string, ...args: string[]) => [
    ...[
      'audit',
      '--rpc',
      `${providers.url}/${manner}`,
      '--networks-file',
      join(folder, 'networks.json'),
      '--all',
      ...args,
    ],
  ]
  const readLines = (file: string) => {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  test('compares all rounds and proposals, and goes on where it was interrupted to the same report', async () => {
    await withPlainApi(async (url) => {
      const whole = await cli(url, ...argsOf('right/fine', '--output', output))
      expect([whole.stderr, whole.code]).toEqual(['', 0])
      const [plan = {}, ...lines] = readLines(output)
      const sums = lines.pop()?.sums as Record<string, number>
      expect(plan).toMatchObject({ network: 'whole', fromRound: 5, toRound: 28, every: 1 })
      expect(new Set(plan.proposals as string[])).toEqual(new Set(proposals))
      expect(lines.map(({ subject }) => subject)).toEqual([
        ...Array.from({ length: 24 }, (_, index) => String(5 + index)),
        ...(plan.proposals as string[]),
      ])
      expect(sums).toEqual({ subjects: 27, compared: expect.any(Number), differences: 0, unchecked: 0 })
      expect(sums.compared).toBeGreaterThan(1500)
      expect(whole.stdout).toMatch(
        new RegExp(`\\n${sums.compared} values compared, 0 differ, 0 could not be compared\\n$`),
      )
      console.log(`livepeer/small: ${sums.compared} values of an audit and of recorded contracts compared`)

      const again = join(folder, 'again.ndjson')
      const part = `${again}.part`
      const { child, ended } = startCli(url, argsOf('right/slow', '--output', again))
      await waitFor(() => (existsSync(part) && readLines(part).length > 4) || undefined, AbortSignal.timeout(30_000))
      child.kill('SIGKILL')
      expect([(await ended).code, existsSync(again)]).toEqual([null, false])
      const done = readLines(part).length
      appendFileSync(part, '{"subject":"12","comp')
      const other = await cli(url, ...argsOf('right/fine', '--output', again, '--every', '2'))
      expect([other.code, other.stderr]).toEqual([
        1,
        expect.stringContaining('is of an audit that was asked for otherwise'),
      ])
      providers.batches.length = 0
      expect((await cli(url, ...argsOf('right/fine', '--output', again))).code).toBe(0)
      expect(readFileSync(again, 'utf8')).toBe(readFileSync(output, 'utf8'))
      // It did not begin anew.
      expect(done).toBeLessThan(28)
      expect([existsSync(part), providers.batches.length > 0]).toEqual([false, true])
    })
  })

  test('tells one wei, what a node has no state of, and that nobody answers, by its exit code', async () => {
    await withPlainApi(async (url) => {
      const wrong = await cli(url, ...argsOf('wrong/fine', '--from', '26', '--to', '27', '--figures', 'votes'))
      expect([wrong.code, wrong.stdout.match(/^DIFFERENCE .*$/gm)]).toEqual([
        1,
        [expect.stringMatching(/^DIFFERENCE {4}round 27: votes of 0x9965\w+: the contract answers \d+, the API \d+$/)],
      ])
      const pruned = await cli(url, ...argsOf('right/pruned', '--from', '26', '--to', '27'))
      expect([pruned.code, pruned.stdout]).toEqual([
        3,
        expect.stringMatching(/^unchecked {5}NO_STATE: round 26: stake by/m),
      ])
      const busy = await cli(url, ...argsOf('right/busy', '--from', '26', '--output', join(folder, 'busy.ndjson')))
      expect([busy.code, busy.stderr]).toEqual([
        1,
        expect.stringContaining('slow down, please; the same command again'),
      ])
      expect((await cli(url, ...argsOf('right/other', '--from', '26'))).code).toBe(2)
      expect((await cli(url, ...argsOf('right/fine', '--to', '29'))).stderr).toContain('rounds 5 to 28 can')
    })
  })
})

/** An API over a chain of which a test tells how far it is, and what contracts it has. */
async function withTurningChain(
  { block = 1499, retryMs = 100_000 }: { block?: number; retryMs?: number },
  body: (chain: { block: number; isReorganised: boolean }, server: ApiServer) => Promise<void>,
): Promise<void> {
  const followed = stack.followed.find(({ network }) => network === 'whole')
  if (followed === undefined) throw new Error('there is no whole')
  const chain = { block, isReorganised: false }
  const { roundLength } = truth.meta
  const now = () => (chain.block === 1499 ? followed : asOf(followed, { block: chain.block }))
  const source: FactsSource = {
    ...{ network: 'whole', roundLength, lptAddresses: [], contracts: followed.contracts },
    rpcUrl: `${providers.url}/turning/fine`,
    get facts() {
      return now().facts
    },
    get state() {
      return { ...now().state, chainHead: { block: chain.block, timestamp: null, synced: true } }
    },
    factsAt: async () => {
      if (chain.isReorganised) throw blockReorged()
      return now().facts
    },
    roundAt: async ({ head }) => Math.floor(head.block / roundLength),
  }
  lines.length = 0
  const log = (line: string) => void lines.push(line)
  const server = await serveFacts([source], { verification: { lookMs: 50, retryMs }, log })
  try {
    await body(chain, server)
  } finally {
    await server.close()
  }
}

/** Waits until the status is so. */
function until(server: ApiServer, isSo: (verification: Verification) => boolean): Promise<Verification> {
  return waitFor(async () => {
    const told = await statusOf(server)
    return isSo(told) ? told : undefined
  }, AbortSignal.timeout(20_000))
}

test('each round is compared once it began, each proposal once it is over', async () => {
  contracts.turning = contracts.right
  await withTurningChain({ block: 1449 }, async (chain, server) => {
    const before = await until(server, ({ pending, rounds }) => pending === 0 && rounds > 0)
    expect(before).toMatchObject({ lastRound: 27, rounds: 3, proposals: 2, differenceCount: 0, uncheckedCount: 0 })
    chain.block = 1499
    const after = await until(server, ({ lastRound, proposals }) => lastRound === 29 && proposals === 3)
    expect(after).toMatchObject({ rounds: 4, proposals: 3, differenceCount: 0, uncheckedCount: 0 })
  })
})

test('what differs is compared anew until it agrees', async () => {
  contracts.turning = contracts.wrong
  await withTurningChain({ retryMs: 300 }, async (_chain, server) => {
    await until(server, ({ differenceCount }) => differenceCount === 2)
    contracts.turning = contracts.right
    await until(server, ({ differenceCount }) => differenceCount === 0)
    expect(lines.slice(-2)).toEqual([
      'whole: round 27 agrees with the contracts now',
      `whole: ${treasury} agrees with the contracts now`,
    ])
  })
})

test('what was compared on a branch that lost is compared anew', async () => {
  contracts.turning = contracts.wrong
  await withTurningChain({}, async (chain, server) => {
    const { comparedValues } = await until(server, ({ pending, rounds }) => pending === 0 && rounds === 3)
    contracts.turning = contracts.right
    await sleep(300)
    expect(await statusOf(server)).toMatchObject({ differenceCount: 2, comparedValues })
    expect(await metric(server, 'verified_values_total')).toBe(comparedValues)
    chain.isReorganised = true
    await until(server, ({ differenceCount }) => differenceCount === 0)
    chain.isReorganised = false
    const after = await until(server, ({ pending, rounds, proposals }) => pending === 0 && rounds + proposals === 6)
    expect(after).toMatchObject({ comparedValues, uncheckedCount: 0 })
    expect(await metric(server, 'verified_values_total')).toBeGreaterThanOrEqual(2 * comparedValues)
  })
})
