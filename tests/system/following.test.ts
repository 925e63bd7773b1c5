import { createHash } from 'node:crypto'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toEventSelector } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Chain, FollowedChain } from '../../api/facts/followed-chain.ts'
import { recordedContracts } from '../../stack/chain-plan.ts'
import { waitFor } from '../../stack/processes.ts'
import { type RecordedChainServer, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { readTrace, type Trace } from '../../stack/trace.ts'
import { compareFollowed } from './followed-truth.ts'
import type { GovernanceTruth } from './governance-truth.ts'
import { type LivepeerTruth, readTruth } from './livepeer-truth.ts'
import { MovingChain, type ReplacedLogs } from './moving-chain.ts'
import { serve } from './serve.ts'
import { makeFolder, SMALL_TRACE } from './stack-command.ts'

interface Answer {
  data?: { stakeSnapshot: { totalStake: string; holders: { totalCount: number } }; round: { number: number } } | null
  errors?: { message: string; extensions: { code: string } }[]
  extensions: { chains: { block: number; blockHash: string; round: number; stale: boolean; error?: string }[] }
}

const NEW_ROUND = toEventSelector('NewRound(uint256,bytes32)')
const folder = makeFolder()
const truth = readTruth<LivepeerTruth & GovernanceTruth>('livepeer/small')
let trace: Trace
let chain: MovingChain
let rpc: RecordedChainServer
let stack: Stack

beforeAll(async () => {
  trace = await readTrace(SMALL_TRACE)
  chain = new MovingChain(trace, 700)
  rpc = await serveRecordedChains(new Map([['moving', chain]]))
  const networksFile = join(folder, 'networks.json')
  writeFileSync(networksFile, JSON.stringify({ moving: recordedContracts(trace) }))
  const rpcUrls = { moving: `${rpc.url}/moving` }
  const following = { intervalMs: 200 }
  stack = await startStack({ networksFile, rpcUrls, dataDir: join(folder, 'data'), following })
  await stack.ready
})
afterAll(async () => {
  await stack?.stop()
  await rpc?.close()
  rmSync(folder, { recursive: true })
})

/** The chain as those who know its rounds' length ask it. */
function chainOfStack(): Chain {
  const [config] = stack.chains
  if (config === undefined) throw new Error('the stack has no chain')
  return { ...config, roundLength: truth.meta.roundLength }
}

async function ask(query: string, url = stack.url): Promise<Answer> {
  const response = await fetch(`${url}/graphql?query=${encodeURIComponent(query)}`)
  return (await response.json()) as Answer
}

/** Waits until the API answers as of the chain's head, whichever block of that number it is. */
async function untilFollowed(): Promise<void> {
  const { hash } = chain.block(chain.head) ?? {}
  const isThere = async () => stack.followed[0]?.state.head?.blockHash === hash || undefined
  await waitFor(isThere, AbortSignal.timeout(60_000))
}

/** Everything an API says of stake at each of some rounds, and of proposals. */
async function everything(url: string, rounds: readonly number[]): Promise<unknown[]> {
  const holders = 'account votes delegate stake bondedAmount delegatedStake isTranscoder isActive checkpointed'
  const snapshots = rounds.map((round) => {
    return `r${round}: stakeSnapshot(round: ${round}) { totalActiveStake totalStake holders(first: 1000) { nodes { ${holders} } } }`
  })
  const proposals = `proposals { nodes { id state tally { for against abstain electorate quorum final }
    votes { nodes { voter choice weight countedWeight overrides } } } }`
  const { data, errors } = await ask(`{ ${snapshots.join(' ')} ${proposals} }`, url)
  expect(errors).toBeUndefined()
  return [data]
}

describe('an API that follows a chain', () => {
  test('takes each reorganisation of 1 to 50 blocks under load, and never mixes branches', async () => {
    const hashes = new Map<number, Set<string>>()
    const note = () => {
      for (let number = Math.max(0, chain.head - 60); number <= chain.head; number++) {
        const hash = chain.block(number)?.hash
        if (hash !== undefined) hashes.set(number, (hashes.get(number) ?? new Set()).add(hash))
      }
    }
    // A chain without a round's beginning would be none.
    const lost = (block: number) => trace.block(block)?.logs.some(({ topics }) => topics[0] === NEW_ROUND) ?? false
    let asked = 0
    let isOver = false
    const wrong: unknown[] = []
    const load = async () => {
      while (!isOver) {
        const answer = await ask('{ round { number } stakeSnapshot(round: 12) { totalStake holders { totalCount } } }')
        const [at] = answer.extensions.chains
        asked += 1
        const isOfChain = at !== undefined && hashes.get(at.block)?.has(at.blockHash) === true
        // What a branch that lost events says of itself is not exact, and said to be so.
        const isAnswered = answer.errors === undefined || answer.errors.every((e) => e.extensions.code === 'NOT_EXACT')
        if (!isOfChain || !isAnswered || at.round !== (answer.data?.round.number ?? at.round)) wrong.push(answer)
        await sleep(5)
      }
    }
    note()
    const loads = Promise.all([load(), load(), load()])
    try {
      for (const [depth, logs] of [
        [1, 'same'],
        [2, lost],
        [3, 'later'],
        [5, lost],
        [8, 'same'],
        [13, 'later'],
        [21, lost],
        [34, 'later'],
        [50, lost],
        [50, 'same'],
      ] as [number, ReplacedLogs][]) {
        chain.reorganise(depth, logs)
        chain.advance(2)
        note()
        await untilFollowed()
        chain.restore()
        chain.advance(9)
        note()
        await untilFollowed()
      }
    } finally {
      isOver = true
      await loads
    }
    expect(wrong.slice(0, 3)).toEqual([])
    expect(asked).toBeGreaterThan(100)
    console.log(`livepeer/small: ${asked} answers while the chain was reorganised 20 times, none of two branches`)
  })

  test('block by block, says what the contracts say in the end', async () => {
    const until = chain.head + 15
    while (chain.head < until) {
      chain.advance()
      await untilFollowed()
    }
    chain.advanceTo(trace.lastBlock)
    await untilFollowed()
    const { compared, differences } = await compareFollowed(stack.followed[0], truth)
    expect(differences).toEqual([])
    console.log(`livepeer/small, followed block by block: ${compared} values of stake and governance compared`)
    expect(compared).toBeGreaterThan(3000)
  })

  test('says the same once it was restarted from its file, and where it loads all at once', async () => {
    const [first = 0] = truth.meta.initializedRounds
    const rounds = Array.from({ length: truth.meta.lastRound - first + 2 }, (_, index) => first + index)
    const before = await everything(stack.url, rounds)
    const file = join(folder, 'data/facts/moving.facts')
    // It is written now and then.
    await waitFor(async () => existsSync(file) || undefined, AbortSignal.timeout(20_000))
    const { roundLength: _, ...config } = chainOfStack()
    const copy = join(folder, 'copy')
    cpSync(join(folder, 'data/facts'), copy, { recursive: true })
    const lines: string[] = []
    const log = (line: string) => lines.push(line)
    for (const dataDir of [undefined, copy]) {
      const server = await serve([config], {}, { dataDir, log })
      try {
        expect(await everything(server.url, rounds)).toEqual(before)
      } finally {
        await server.close()
      }
    }
    expect(lines).toEqual([])
    // The whole of it was written at the close.
    const written = readFileSync(join(copy, 'moving.facts'), 'utf8').split('\n')
    expect(JSON.parse((written.at(-2) ?? '').slice(65)).upTo).toBe(trace.lastBlock - 250)
  })

  test('drops what a crash left at the end of the file, and a file that is in doubt', async () => {
    const { roundLength: _, ...config } = chainOfStack()
    const dataDir = join(folder, 'copy')
    const file = join(dataDir, 'moving.facts')
    const whole = readFileSync(file, 'utf8')
    const loadWith = async (text: string) => {
      writeFileSync(file, text)
      const lines: string[] = []
      const following = new FollowedChain(config, { dataDir, log: (line) => lines.push(line) }).start()
      await following.reached(trace.lastBlock, AbortSignal.timeout(60_000))
      const { facts, isChecked } = following.state
      await following.close()
      return { facts, isChecked, lines }
    }
    const right = await loadWith(whole)
    expect(right.lines).toEqual([])
    const cut = whole.slice(0, -300)
    expect(await loadWith(cut)).toEqual(right)
    expect(await loadWith(`${cut}\n`)).toEqual(right)
    const altered = whole.replace(/"bondedAmount":"(\d)/, '"bondedAmount":"9$1')
    for (const [why, text] of [
      ['broken', altered],
      ['there twice', `${whole}${whole.split('\n').at(-2)}\n`],
      ['another subgraph', whole.replace('"network":"moving"', '"network":"other"')],
      [
        'another one now',
        whole.replaceAll(/"anchor":\{"block":(\d+),"hash":"0x.{6}/g, '"anchor":{"block":$1,"hash":"0xabcdef'),
      ],
    ] as const) {
      const result = await loadWith(why === 'another one now' ? rehashed(text) : text)
      expect([why, result.facts, result.isChecked]).toEqual([why, right.facts, true])
      expect(result.lines.join()).toContain(why)
    }
    expect((await loadWith('')).facts).toBe(right.facts)
  })

  test('refuses to hold more than it may, and says so', async () => {
    const { roundLength: _, ...config } = chainOfStack()
    const lines: string[] = []
    const following = new FollowedChain(config, { maxFactsMiB: 0, log: (line) => lines.push(line) }).start()
    const refused = 'The index of moving has facts of more than the 0 MiB that may be held here; try again soon'
    await waitFor(async () => following.state.error?.message === refused || undefined, AbortSignal.timeout(20_000))
    expect(() => following.facts).toThrow(refused)
    expect(lines).toEqual([refused])
    await following.close()
  })
})

/** The lines of a file with hashes that fit them. */
function rehashed(text: string): string {
  const [header = '', ...lines] = text.split('\n')
  return [header, ...lines.map((line) => (line === '' ? '' : `${sha256(line.slice(65))} ${line.slice(65)}`))].join('\n')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
