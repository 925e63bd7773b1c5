import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Chain } from '../../api/facts/followed-chain.ts'
import { planChains, recordedContracts } from '../../stack/chain-plan.ts'
import { GraphNode } from '../../stack/graph-node.ts'
import { Stalls } from '../../stack/indexing.ts'
import { probeLogRange } from '../../stack/log-range.ts'
import { checkRpc } from '../../stack/networks.ts'
import { waitFor } from '../../stack/processes.ts'
import { type RecordedChainServer, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { findMissingState, findObstacle, lookAtRpc, type RpcOfChain } from '../../stack/rpc-trouble.ts'
import { Run } from '../../stack/run.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { readTrace, type Trace } from '../../stack/trace.ts'
import { ARCHIVE_REFUSALS, type Fault, FaultyRpc, RANGE_REFUSALS, type Step } from './faulty-rpc.ts'
import { compareFollowed } from './followed-truth.ts'
import { readTruth } from './livepeer-truth.ts'
import { MovingChain, type ReplacedLogs } from './moving-chain.ts'
import { serve } from './serve.ts'
import { makeFolder, processesOf, SMALL_TRACE, StackCommand } from './stack-command.ts'

/** So that an answer that never comes, and what graph-node has not written yet, is not waited for long. */
const QUICK = {
  GRAPH_ETHEREUM_JSON_RPC_TIMEOUT: '3',
  GRAPH_STORE_WRITE_BATCH_DURATION: '1',
  GRAPH_SUBGRAPH_ERROR_RETRY_CEIL_SECS: '2',
}
const folder = makeFolder()
const temporary = makeFolder()
const lines: string[] = []
let trace: Trace
let chain: MovingChain
let server: RecordedChainServer
let rpc: FaultyRpc
let stack: Stack
let networksFile: string

beforeAll(async () => {
  trace = await readTrace(SMALL_TRACE)
  chain = new MovingChain(trace, 300)
  server = await serveRecordedChains(new Map([['moving', chain]]))
  rpc = await FaultyRpc.before(`${server.url}/moving`)
  networksFile = join(folder, 'networks.json')
  writeFileSync(networksFile, JSON.stringify({ moving: recordedContracts(trace) }))
  Object.assign(process.env, QUICK)
  rpc.turn({ kind: 'range', words: 'Infura by range', blocks: 100 }, { kind: 'no archive', words: 'reth' })
  stack = await startStack({
    networksFile,
    rpcUrls: { moving: rpc.url },
    dataDir: join(folder, 'data'),
    following: { intervalMs: 200 },
    stalledAfterMs: 2000,
    log: (line) => lines.push(line),
  })
  await stack.ready
  rpc.turn()
})
afterAll(async () => {
  for (const name of Object.keys(QUICK)) delete process.env[name]
  await stack?.stop()
  await rpc?.close()
  await server?.close()
  rmSync(folder, { recursive: true })
  rmSync(temporary, { recursive: true })
})

/** Waits until the API answers as of the chain's head, the very block. */
async function untilFollowed(): Promise<void> {
  const isThere = () => stack.followed[0]?.state.head?.blockHash === chain.block(chain.head)?.hash || undefined
  await waitFor(isThere, AbortSignal.timeout(60_000))
}

/** Waits for a line of the terminal that was not there before. */
async function line(pattern: RegExp, from: number): Promise<string> {
  const find = () => lines.slice(from).find((said) => pattern.test(said))
  return waitFor(find, AbortSignal.timeout(30_000)).catch((error: Error) => {
    throw new Error(`no line ${pattern} among:\n${lines.slice(from).join('\n')}`, { cause: error })
  })
}

async function get(path: string, url = stack.url): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}${path}`)
  return { status: response.status, text: await response.text() }
}

test('which ranges of blocks a provider refuses is found at the start, and what it said', () => {
  expect(lines).toContainEqual(
    expect.stringMatching(/^moving: the RPC gives logs of 100 blocks at a time \(of more: "range 100000 exceeds/),
  )
})

test('and that it keeps no state of the past, where a sync is yet to come to it', async () => {
  // By what graph-node tells when it is looked at first: so short a chain is soon past it.
  const [planned] = await planChains({ networks: ['moving'], networksFile, rpcUrls: { moving: rpc.url } })
  if (planned === undefined) throw new Error('no chain')
  rpc.turn({ kind: 'no archive', words: 'reth' })
  const said: string[] = []
  const run = new Run({ log: (told) => said.push(told) })
  const ports = { query: 0, admin: 0, status: 0, metrics: 0 }
  const stands = { latestBlock: 150, headBlock: 300, synced: false, fatalError: null, passingError: null }
  const current = { deployment: 'moving', ...stands }
  new Stalls(run, {}).note(
    { ...planned, ports, logFile: 'none', graphNode: new GraphNode(ports) },
    { current, pending: null },
  )
  await waitFor(() => said.length > 0 || undefined, AbortSignal.timeout(10_000))
  rpc.turn()
  const pruned =
    /^moving: the RPC at .* keeps no state of block 15\d, .* \("state at block #15\d is pruned"\); give .* --rpc$/
  expect(said).toEqual([expect.stringMatching(pruned)])
})

/** Every answer of an RPC's trouble: its line in the terminal, and what is told to anyone. */
const LASTING: [string, Fault[], RegExp, string][] = [
  [
    'no archive',
    [{ kind: 'no archive', words: 'geth' }],
    /^moving: indexing stands still at block 5\d\d of 700; .* keeps no state of block \d+, .*"missing trie node 5c.*give the RPC of an archive node with --rpc$/,
    'keeps no state of block',
  ],
  [
    'logs of some blocks only',
    [{ kind: 'range', words: 'dRPC', blocks: 5 }],
    /gives no logs of 100 blocks \("ranges over 5 blocks are not supported on freetier"\); set GRAPH_ETHEREUM_MAX_BLOCK_RANGE_SIZE/,
    'set GRAPH_ETHEREUM_MAX_BLOCK_RANGE_SIZE to fewer',
  ],
  [
    'too many requests',
    [{ kind: 'status', status: 429 }],
    /wants to be asked less often \("HTTP 429"\); .*a larger plan with --rpc$/,
    'wants to be asked less often',
  ],
  ['a key that is refused', [{ kind: 'status', status: 401 }], /refuses the key \("HTTP 401"\)/, 'refuses the key'],
  [
    'another chain',
    [{ kind: 'other chain', chainId: 5 }],
    /is of chain 5, not 31337; .*give the RPC of the chain that was indexed/,
    'is of chain 5, not 31337',
  ],
  [
    'another chain with the same id',
    [{ kind: 'other chain' }],
    /its first block is 0xabababab…, not 0x[0-9a-f]{8}…/,
    'is of another chain with id 31337',
  ],
]

describe('what lasts is said in the terminal, in status and by /ready, with what to set', () => {
  beforeAll(() => {
    rpc.turn(...(LASTING[0]?.[1] ?? []))
    chain.advanceTo(700)
  })

  test.each(LASTING)('%s', async (_, faults, said, told) => {
    const from = lines.length
    rpc.turn(...faults)
    expect(await line(said, from)).not.toContain('a-key')
    const ready = await get('/ready')
    expect(ready).toEqual({ status: 503, text: expect.stringMatching(/^not ready\nmoving: the RPC .*\n$/) })
    expect(ready.text).toContain(told)
    const [status] = JSON.parse((await get('/status')).text)
    expect(status).toMatchObject({ stale: true, synced: false, trouble: expect.stringContaining(told) })
    expect(status.trouble).not.toMatch(/127\.0\.0\.1|HTTP/)
    expect((await get('/metrics')).text).toMatch(/^livepeer_api_stale\{network="moving"\} 1$/m)
    expect((await get('/health')).status).toBe(200)
  })

  test('and that it goes on', async () => {
    const from = lines.length
    rpc.turn()
    await line(/^moving: indexing goes on$/, from)
    await untilFollowed()
    await waitFor(async () => (await get('/ready')).status === 200 || undefined, AbortSignal.timeout(10_000))
    const [status] = JSON.parse((await get('/status')).text)
    expect(status).toMatchObject({ block: '700', stale: false, synced: true, trouble: null, lagBlocks: '0' })
    expect((await get('/metrics')).text).toMatch(/^livepeer_api_stale\{network="moving"\} 0$/m)
  })

  test('a graph-node that does not answer', async () => {
    const from = lines.length
    const [gnd] = processesOf(folder).filter(({ command }) => command.includes('gnd dev'))
    if (gnd === undefined) throw new Error('there is no graph-node')
    process.kill(gnd.pid, 'SIGSTOP')
    try {
      await line(/^moving: graph-node does not answer; its log is .*graph-node\.log$/, from)
      expect(await get('/ready')).toEqual({ status: 503, text: expect.stringContaining('graph-node does not answer') })
    } finally {
      process.kill(gnd.pid, 'SIGCONT')
    }
    await line(/^moving: indexing goes on$/, from)
    await waitFor(async () => (await get('/ready')).status === 200 || undefined, AbortSignal.timeout(10_000))
  })

  test('a head that gets old by the clock where the chain never rests, and back by itself', async () => {
    const timestamp = chain.block(chain.head)?.timestamp ?? 0
    const maxHeadAgeSeconds = Math.floor(Date.now() / 1000) - timestamp + 3
    const config = stack.chains[0] as Chain
    const api = await serve([{ ...config, neverRests: true }], {}, { maxHeadAgeSeconds })
    rpc.turn({ kind: 'frozen', head: chain.head })
    try {
      expect(await get('/ready', api.url)).toEqual({ status: 200, text: 'ready\n' })
      chain.advance(20)
      const old = `moving: block 700, the last that is known, is older than ${maxHeadAgeSeconds} seconds by the clock`
      await waitFor(async () => (await get('/ready', api.url)).status === 503 || undefined, AbortSignal.timeout(20_000))
      expect((await get('/ready', api.url)).text).toBe(`not ready\n${old}\n`)
      expect((await get('/metrics', api.url)).text).toMatch(/^livepeer_api_stale\{network="moving"\} 1$/m)
      const { signal } = new AbortController()
      const { trouble } = await lookAtRpc({ ...asIndexed(), maxHeadAgeSeconds }, signal)
      expect(trouble?.line).toMatch(/tells no block newer than 700, which is \d+ s old by the clock; .*--rpc/)
      rpc.turn()
      await waitFor(async () => (await get('/ready', api.url)).status === 200 || undefined, AbortSignal.timeout(30_000))
    } finally {
      rpc.turn()
      await api.close()
    }
  })
})

/** The chain as its RPC is looked at. */
function asIndexed(): RpcOfChain {
  const addresses = Object.values(trace.header.contracts)
  return { network: 'moving', rpcUrl: rpc.url, chainId: 31337, addresses, patienceMs: 5000, maxHeadAgeSeconds: null }
}

describe('words of', () => {
  const { signal } = new AbortController()

  test.each(Object.entries(RANGE_REFUSALS))('%s for too many blocks', async (words, refusal) => {
    rpc.turn({ kind: 'range', words, blocks: 500 })
    const range = await probeLogRange(rpc.url, recordedContracts(trace), signal)
    expect(range).toMatchObject({ blocks: 500, refusal: expect.stringContaining(refusal(500).message.slice(0, 50)) })
    const obstacle = await findObstacle({ ...asIndexed(), logRange: 600 }, 1, chain.head, signal)
    expect(obstacle?.what).toContain('gives no logs of 600 blocks; set GRAPH_ETHEREUM_MAX_BLOCK_RANGE_SIZE')
  })

  test.each(Object.keys(ARCHIVE_REFUSALS))('%s for state that is not kept', async (words) => {
    rpc.turn({ kind: 'no archive', words })
    expect((await findMissingState(asIndexed(), 100, signal))?.what).toContain('it is no archive node')
    expect(await findMissingState(asIndexed(), chain.head, signal)).toBeUndefined()
  })
})

describe('what passes ends with the same answers', () => {
  const some = (fault: Fault): Fault => ({ share: 0.15, ...fault })
  const always = (faults: Fault[]): Step[] => [{ faults, requests: Number.POSITIVE_INFINITY }]
  test.each<[string, () => Step[], [number, ReplacedLogs][]]>([
    [
      'too many requests, and errors of the server',
      () =>
        always([
          some({ kind: 'limited' }),
          some({ kind: 'status', status: 429 }),
          some({ kind: 'status', status: 502 }),
          some({ kind: 'status', status: 500 }),
        ]),
      [],
    ],
    [
      'no answer, half of one, bytes that are others, null, and no batches',
      () =>
        always([
          { kind: 'hang', share: 0.05 },
          some({ kind: 'drop' }),
          some({ kind: 'cut' }),
          some({ kind: 'garble' }),
          some({ kind: 'null' }),
          { kind: 'no batches' },
        ]),
      [],
    ],
    [
      'a head that stands still, and a node that is behind, so that it goes back',
      () => [
        { faults: [{ kind: 'frozen', head: chain.head }], requests: 8 },
        { faults: [{ kind: 'behind', blocks: 20 }], requests: 8 },
      ],
      [],
    ],
    [
      'blocks that are replaced, while some requests fail',
      () => always([some({ kind: 'status', status: 503 }), some({ kind: 'drop' })]),
      [
        [1, 'same'],
        [13, 'later'],
        [50, 'same'],
      ],
    ],
  ])('%s', async (_, script, reorganisations) => {
    const steps = script()
    rpc.done.clear()
    rpc.play(steps)
    chain.advance(25)
    // graph-node asks for several blocks in one request where it can, but not always.
    const kinds = steps.flatMap(({ faults }) => faults.map(({ kind }) => kind)).filter((kind) => kind !== 'no batches')
    await waitFor(() => kinds.every((kind) => rpc.done.has(kind)) || undefined, AbortSignal.timeout(60_000))
    for (const [depth, logs] of reorganisations) {
      chain.reorganise(depth, logs)
      chain.advance(2)
      await sleep(500)
      chain.restore()
      chain.advance(8)
    }
    rpc.turn()
    chain.advance()
    await untilFollowed()
  })
})

test('all of it is what the contracts say', async () => {
  rpc.turn()
  chain.restore()
  chain.advanceTo(trace.lastBlock)
  await untilFollowed()
  const { compared, differences } = await compareFollowed(stack.followed[0], readTruth('livepeer/small'))
  expect(differences).toEqual([])
  console.log(`livepeer/small by a faulty RPC: ${compared} values of stake and governance compared`)
  expect(compared).toBeGreaterThan(3000)
})

describe('a start with the data there is', () => {
  beforeAll(() => stack.stop())

  /** A data dir of its own of which only is known what chain it is of. */
  const copyOfData = (name: string, known = readFileSync(join(folder, 'data/chains.json'), 'utf8')) => {
    const data = join(folder, name.replaceAll(' ', '-'))
    mkdirSync(data)
    writeFileSync(join(data, 'chains.json'), known)
    return data
  }

  const known = '0x[0-9a-f]{8}… on'
  test.concurrent.each<[string, Fault[], RegExp]>([
    [
      'an RPC of another chain',
      [{ kind: 'other chain', chainId: 5 }],
      new RegExp(
        `holds data of another chain named moving, chain 31337 from block ${known}, and the RPC is of chain 5 from block 0xabababab… on: give the RPC of that chain with --rpc, or choose another --data-dir$`,
      ),
    ],
    [
      'an RPC of another chain with the same id',
      [{ kind: 'other chain' }],
      new RegExp(`chain 31337 from block ${known}, and the RPC is of chain 31337 from block 0xabababab… on`),
    ],
  ])('%s: one clear line, exit code 1', async (name, faults, message) => {
    const data = copyOfData(name)
    const faulty = await FaultyRpc.before(`${server.url}/moving`)
    faulty.turn(...faults)
    const where = ['--network', 'moving', '--rpc', faulty.url, '--networks-file', networksFile, '--data-dir', data]
    const command = new StackCommand(temporary, ['--port', '0', ...where])
    expect(await command.exited).toBe(1)
    expect(command.stderr.trimEnd()).toMatch(message)
    expect(command.stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(command.stderr).not.toContain('a-key')
    await faulty.close()
  })

  test.concurrent.each<[string, Fault, RegExp]>([
    ['too many requests', { kind: 'status', status: 429 }, /^moving: the RPC at .* wants to be asked less often/],
    ['a key that is refused', { kind: 'status', status: 401 }, /^moving: the RPC at .* refuses the key/],
    ['errors of the server', { kind: 'status', status: 503 }, /^moving: the RPC at .* does not answer \("HTTP 503"\)/],
    [
      'garbled answers',
      { kind: 'garble' },
      /^moving: the RPC at .* does not answer \("an answer that is no JSON-RPC"\)/,
    ],
  ])('%s: one clear line', async (_, fault, message) => {
    const faulty = await FaultyRpc.before(`${server.url}/moving`)
    faulty.turn(fault)
    const { message: said } = await checkRpc('moving', faulty.url).then(unexpected, (error: Error) => error)
    expect(said).toMatch(message)
    expect(said).not.toMatch(/a-key|\n/)
    await faulty.close()
  })

  test.concurrent('of an earlier version, which does not tell the first block, goes on', async () => {
    const data = copyOfData('earlier', '{"moving":"31337"}')
    // It goes on to where the port is found in use.
    const { port } = new URL(server.url)
    const where = ['--network', 'moving', '--rpc', rpc.url, '--networks-file', networksFile, '--data-dir', data]
    const command = new StackCommand(temporary, ['--port', port, ...where])
    await command.exited
    expect(command.stderr).toMatch(/^port \d+ is in use/)
    expect(readFileSync(join(data, 'chains.json'), 'utf8')).toMatch(/^{"moving":"31337:0x[0-9a-f]{64}"}$/)
  })
})

function unexpected(): never {
  throw new Error('it answered')
}
