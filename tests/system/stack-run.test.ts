import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { concat, encodeEventTopics, parseAbiItem, zeroAddress, zeroHash } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { RecordedChain, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { startStack } from '../../stack/stack.ts'
import { readTrace } from '../../stack/trace.ts'
import {
  dumpSubgraph,
  makeFolder,
  processesLeft,
  processesOf,
  SMALL_TRACE,
  StackCommand,
  writeTrace,
} from './stack-command.ts'

/** The recorded DAO. */
const ARAGON_TRACE = 'tests/traces/aragon/small/trace.jsonl.gz'

const folder = makeFolder()
const commands: StackCommand[] = []

function npmStart(args: string[], env: NodeJS.ProcessEnv = {}): StackCommand {
  const command = new StackCommand(folder, ['--port', '0', ...args], env)
  commands.push(command)
  return command
}

// A test that fails half-way must not leave its stack to the next one.
afterEach(async () => {
  await Promise.all(commands.splice(0).map((command) => command.kill('SIGKILL')))
  await processesLeft(folder, 20_000)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What the subgraph holds of the whole trace after a run nobody disturbed. */
let undisturbed: Record<string, unknown[]>
/** Long enough to be caught in the middle, short enough not to be waited for. */
let shortTrace: string

beforeAll(async () => {
  shortTrace = writeTrace(folder, 'short.jsonl.gz', cutAt(600))
  undisturbed = await dumpTrace(SMALL_TRACE)
})

async function dumpTrace(trace: string, dataDir?: string): Promise<Record<string, unknown[]>> {
  const stack = await startStack({ traces: [trace], ...(dataDir === undefined ? {} : { dataDir }) })
  try {
    await stack.ready
    return await dumpSubgraph(stack.chains[0]?.subgraphUrl ?? '')
  } finally {
    await stack.stop()
  }
}

function pidOf(part: string): number {
  const found = processesOf(folder).find(({ command }) => command.includes(part))
  if (!found) throw new Error(`no ${part} among ${JSON.stringify(processesOf(folder))}`)
  return found.pid
}

describe('npm start', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('says where it is ready, and %s ends all of it', async (signal) => {
    const command = npmStart(['--trace', shortTrace])
    const [, url = ''] = await command.line(/^ready (http:\/\/127\.0\.0\.1:\d+)$/)
    expect(command.lines.at(-1)).toBe(`ready ${url}`)
    expect((await fetch(`${url}/ready`)).status).toBe(200)
    const output = command.lines.join('\n')
    expect(output).toMatch(/recorded: block 600 of 600, round 11, done/)
    expect(output).toContain(`${url}/graphql`)
    expect(output).toMatch(/votingPower\(account: "0x[0-9a-f]{40}", round: 11\)/)
    expect(output).toMatch(/"votes":"\d+"/)

    const before = Date.now()
    expect(await command.kill(signal)).toBe(0)
    expect(Date.now() - before).toBeLessThan(10_000)
    expect(processesOf(folder)).toEqual([])
    expect(readdirSync(folder).filter((name) => name.startsWith('livepeer-governance-'))).toEqual([])
    expect(command.stderr).toBe('')
  })

  it('runs a recorded chain of stake and one of a DAO when it is told of none', async () => {
    const command = npmStart([])
    await command.line(/^recorded: block \d+ of 4249/)
    await command.line(/^recorded-2: block 568 of 568/)
    expect(await command.kill('SIGINT')).toBe(0)
    expect(await processesLeft(folder, 0)).toEqual([])
  })

  it('goes on with the other chains where the indexing of one stops', async () => {
    const command = npmStart(['--trace', shortTrace, '--trace', writeImpossibleTrace()])
    const [, url = ''] = await command.line(/^ready (.*)$/)
    await command.line(/^indexing of recorded-2 stopped: .*vote 7 of 0x.* has no StartVote.*; the other chains go on$/)
    expect(await askFor(url, '{ round(number: 11) { number } }')).toEqual({ round: { number: 11 } })
    const trouble = 'indexing stopped for good at an error in a handler; the log has it'
    const ready = await fetch(`${url}/ready`)
    expect([ready.status, await ready.text()]).toEqual([503, `not ready\nrecorded-2: ${trouble}\n`])
    const { status } = (await askFor(url, '{ status { network stale synced trouble } }')) as { status: unknown }
    expect(status).toEqual([
      { network: 'recorded', stale: false, synced: true, trouble: null },
      { network: 'recorded-2', stale: true, synced: false, trouble },
    ])
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/^livepeer_api_stale\{network="recorded"\} 0$/m)
    expect(metrics).toMatch(/^livepeer_api_stale\{network="recorded-2"\} 1$/m)
    expect(await (await fetch(`${url}/health`)).text()).toBe('up\n')
    await command.line(/^recorded: block 600 of 600/)
    expect(command.lines.filter((line) => line.includes('stopped'))).toHaveLength(1)
    expect(command.process.exitCode).toBeNull()
    expect(await command.kill('SIGINT')).toBe(0)
  })

  it('ends with the reason when indexing stopped for every chain', async () => {
    const command = npmStart(['--trace', writeImpossibleTrace()])
    expect(await command.exited).toBe(1)
    expect(command.stderr).toMatch(/^indexing of recorded stopped: .*\n$/)
    expect(await processesLeft(folder, 0)).toEqual([])
  })

  it('can be stopped while it starts', async () => {
    const command = npmStart(['--trace', shortTrace])
    await command.line(/^building the subgraph, starting PostgreSQL and graph-node/)
    expect(await command.kill('SIGINT')).toBe(0)
    expect(await processesLeft(folder, 0)).toEqual([])
  })

  it.each([
    ['graph-node', 'gnd dev'],
    ['PostgreSQL', 'postgres -D'],
  ])('says so when %s dies, where its log is, and leaves nothing behind', async (name, part) => {
    const command = npmStart(['--trace', shortTrace])
    await command.line(/: block/)
    process.kill(pidOf(part), 'SIGKILL')
    expect(await command.exited).toBe(1)
    const [, log = ''] = new RegExp(`^${name} was ended by SIGKILL; its log is (.*)\n$`).exec(command.stderr) ?? []
    expect(() => readFileSync(log)).not.toThrow()
    expect(await processesLeft(folder, 0)).toEqual([])
    const [temporary = ''] = readdirSync(folder).filter((entry) => entry.startsWith('livepeer-governance-'))
    expect(readdirSync(join(folder, temporary))).toEqual(['logs'])
    rmSync(join(folder, temporary), { recursive: true })
  })

  it('leaves nothing behind when it is killed itself', async () => {
    // Runs that failed have left their logs.
    const folders = () => readdirSync(folder).filter((name) => name.startsWith('livepeer-governance-'))
    const before = folders()
    const command = npmStart(['--trace', shortTrace])
    await command.line(/: block/)
    expect(folders()).toHaveLength(before.length + 1)
    await command.kill('SIGKILL')
    expect(await processesLeft(folder, 10_000)).toEqual([])
    expect(folders()).toEqual(before)
  })
})

describe('with a data dir', () => {
  it('comes to the same data after graph-node, PostgreSQL and the stack were killed half-way, and does nothing twice', async () => {
    const dataDir = join(folder, 'data')
    const args = ['--trace', SMALL_TRACE, '--data-dir', dataDir]
    const victims: [string, (command: StackCommand) => number][] = [
      ['graph-node', () => pidOf('gnd dev')],
      ['PostgreSQL', () => pidOf('postgres -D')],
      ['the stack', (command) => command.process.pid ?? 0],
    ]
    let reached = 0
    for (const [name, pid] of victims) {
      // With every block written by itself there is no machine so fast that it is done before the kill.
      const command = npmStart(args, { GRAPH_STORE_WRITE_BATCH_DURATION: '0' })
      const [, resumedAt] = await command.line(/: block (\d+) of 1499/)
      expect(Number(resumedAt), `where indexing resumes before ${name} is killed`).toBeGreaterThanOrEqual(reached)
      reached = await command.indexing()
      process.kill(pid(command), 'SIGKILL')
      await command.exited
      expect(reached, `indexed when ${name} was killed`).toBeLessThan(1499)
    }

    const command = npmStart(args)
    const [, resumedAt] = await command.line(/: block (\d+) of 1499/)
    expect(Number(resumedAt)).toBeGreaterThanOrEqual(reached)
    await command.line(/^ready /)
    const second = npmStart(args)
    expect(await second.exited).toBe(1)
    expect(second.stderr).toBe(`the data dir is in use by process ${command.process.pid}\n`)
    expect(await command.kill('SIGTERM')).toBe(0)
    expect(await processesLeft(folder, 0)).toEqual([])

    const blocks: number[] = []
    const stack = await startStack({
      traces: [SMALL_TRACE],
      dataDir,
      onProgress: ([progress]) => blocks.push(progress?.block ?? 0),
    })
    try {
      await stack.ready
      expect(new Set(blocks), 'blocks seen by a start with nothing left to do').toEqual(new Set([1499]))
      expect(await dumpSubgraph(stack.chains[0]?.subgraphUrl ?? '')).toEqual(undisturbed)
    } finally {
      await stack.stop()
    }
  })

  it('puts a changed subgraph beside the one that answers, until it has caught up', async () => {
    const dataDir = join(folder, 'changed')
    await dumpTrace(shortTrace, dataDir)
    const changed = writeTrace(folder, 'changed.jsonl.gz', ({ contracts }) => ({
      lastBlock: 600,
      contracts: { ...(contracts as object), PollCreator: undefined },
    }))
    const command = npmStart(['--trace', changed, '--data-dir', dataDir])
    await command.line(/PollCreator has no address and is left out/)
    await command.line(/^ready /)
    await command.line(/the changed subgraph catches up beside the old one/)
    await command.line(/the changed subgraph took over/)
    expect(await command.kill('SIGINT')).toBe(0)
  })

  it('refuses to go on with data of another chain', async () => {
    const other = writeTrace(folder, 'other.jsonl.gz', () => ({ chainId: 7 }))
    const command = npmStart(['--trace', other, '--data-dir', join(folder, 'data')])
    expect(await command.exited).toBe(1)
    expect(command.stderr).toMatch(/holds data of another chain named recorded/)
    expect(await processesLeft(folder, 0)).toEqual([])
  })
})

describe('a chain behind an RPC', () => {
  it('is indexed as it grows, without the contracts the networks file does not name', async () => {
    const whole = await readTrace(shortTrace)
    const chains = new Map([['rpc', new RecordedChain(await readTrace(writeTrace(folder, '500.gz', cutAt(500))))]])
    const server = await serveRecordedChains(chains)
    const { PollCreator: _, ...contracts } = whole.header.contracts
    const networksFile = join(folder, 'networks.json')
    const network = Object.fromEntries(
      Object.entries(contracts).map(([name, address]) => [name, { address, startBlock: 152 }]),
    )
    writeFileSync(networksFile, JSON.stringify({ devnet: network }))
    try {
      const where = [
        '--rpc',
        `${server.url}/rpc`,
        '--networks-file',
        networksFile,
        '--data-dir',
        join(folder, 'devnet'),
      ]
      const command = npmStart(['--network', 'devnet', ...where])
      await command.line(/^devnet: PollCreator has no address and is left out$/)
      const [, url = ''] = await command.line(/^ready (.*)$/)
      chains.set('rpc', new RecordedChain(whole))
      await expect
        .poll(() => statusOf(url), { timeout: 60_000, interval: 100 })
        .toEqual({ network: 'devnet', block: '600' })
      expect(await command.kill('SIGINT')).toBe(0)
    } finally {
      await server.close()
    }
  })
})

/** A trace with a choice on an Aragon vote that never started: its handler fails whenever it is run. */
function writeImpossibleTrace(): string {
  const [header = ''] = gunzipSync(readFileSync(ARAGON_TRACE)).toString().split('\n', 1)
  const { contracts } = JSON.parse(header) as { contracts: { Voting: string } }
  const event = parseAbiItem('event CastVote(uint256 indexed voteId, address indexed voter, bool, uint256)')
  const topics = encodeEventTopics({ abi: [event], args: { voteId: 7n, voter: zeroAddress } })
  const log = {
    address: contracts.Voting,
    topics,
    data: concat([zeroHash, zeroHash]),
    transactionHash: zeroHash,
    from: zeroAddress,
  }
  const block = {
    number: 3,
    hash: `0x${'3'.repeat(64)}`,
    timestamp: 3,
    logs: [{ ...log, transactionIndex: 0, logIndex: 0 }],
  }
  const file = join(folder, 'impossible.jsonl')
  writeFileSync(
    file,
    [{ chainId: 31337, contracts, lastBlock: 9 }, block].map((line) => JSON.stringify(line)).join('\n'),
  )
  return file
}

function cutAt(lastBlock: number): () => object {
  return () => ({ lastBlock })
}

async function statusOf(url: string): Promise<unknown> {
  return ((await askFor(url, '{ status { network block } }')) as { status: unknown[] }).status[0]
}

async function askFor(url: string, query: string): Promise<unknown> {
  const body = JSON.stringify({ query })
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  return ((await response.json()) as { data: unknown }).data
}
