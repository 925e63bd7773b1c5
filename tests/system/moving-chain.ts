import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toFunctionSelector } from 'viem'
import { recordedContracts } from '../../stack/chain-plan.ts'
import { postJson } from '../../stack/graph-node.ts'
import { waitFor } from '../../stack/processes.ts'
import { type ChainBlocks, RecordedChain, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { type Stack, type StackOptions, startStack } from '../../stack/stack.ts'
import type { Trace, TraceBlock, TraceLog } from '../../stack/trace.ts'

/**
 * What becomes of the logs of blocks that are replaced: the same in the new blocks, gone, each block's one block later
 * (the head's with the first block after it), or kept by the blocks of which it says so and gone in the others. What
 * follows may contradict what is gone, as a round's second reward does when the start of the next one is gone: then
 * graph-node stops, and not even its status says so.
 */
export type ReplacedLogs = 'same' | 'gone' | 'later' | ((block: number) => boolean)

/** How a moving chain behaves where nodes differ. */
export interface MovingChainOptions {
  /**
   * Whether blocks that vanished are not found by hash any more. A node keeps them for a while, as by default here:
   * graph-node asks for them to find the way back, and stands still when it gets no answer.
   */
  forgetful?: boolean
}

/** A recorded chain whose head moves as far as it is told to, and whose last blocks can be replaced by others. */
export class MovingChain extends RecordedChain<MovingBlocks> {
  /** The trace it is made of, as it was recorded. */
  readonly recorded: Trace
  readonly #currentRound: { contract: string; roundLength: number } | undefined

  constructor(trace: Trace, head: number, options: MovingChainOptions = {}) {
    super(new MovingBlocks(trace, options))
    this.recorded = trace
    const { contracts, roundLength } = trace.header
    const contract = contracts.RoundsManager
    if (contract !== undefined && roundLength !== undefined) this.#currentRound = { contract, roundLength }
    this.advanceTo(head)
  }

  /** Number of the last block there is. */
  get head(): number {
    return this.trace.lastBlock
  }

  /** The block of this number as the chain stands, undefined beyond the head. */
  block(number: number): TraceBlock | undefined {
    return this.trace.block(number)
  }

  /** Moves the head on to a block, at most the last that was recorded. */
  advanceTo(block: number): void {
    this.trace.advanceTo(block)
  }

  /** Moves the head on by some blocks. */
  advance(blocks = 1): void {
    this.advanceTo(this.head + blocks)
  }

  /**
   * Replaces the last `depth` blocks by others of the same numbers and times, and gives the hashes that vanished,
   * ascending. What is recorded beyond the head follows on the new blocks, under new hashes too. graph-node does nothing
   * about it before the chain is longer.
   */
  reorganise(depth: number, logs: ReplacedLogs = 'same'): string[] {
    return this.trace.replace(depth, logs)
  }

  /** Brings the recorded blocks back in place of all that replaced them, and gives the hashes that vanished, ascending. */
  restore(): string[] {
    return this.trace.restore()
  }

  // Where the network's round length is not known, as the API knows it of public networks, the contract is asked.
  override call(method: string, params: unknown[]): unknown {
    if (method === 'eth_call' && this.#currentRound !== undefined) {
      const [call, tag] = params as [{ to?: string; input?: string; data?: string } | null, unknown]
      const { contract, roundLength } = this.#currentRound
      if (call?.to?.toLowerCase() === contract && (call.input ?? call.data) === CURRENT_ROUND) {
        const block = typeof tag === 'string' && /^0x[0-9a-f]{1,14}$/.test(tag) ? Number(tag) : this.head
        return `0x${Math.floor(block / roundLength)
          .toString(16)
          .padStart(64, '0')}`
      }
    }
    return super.call(method, params)
  }
}

const CURRENT_ROUND = toFunctionSelector('currentRound()')

/** A stack that indexes moving chains by their RPC, as it would real ones. */
export interface MovingStack {
  stack: Stack
  /** Where the index of a network is queried, and where graph-node tells about itself. */
  urls(network: string): { subgraphUrl: string; statusUrl: string }
  stop(): Promise<void>
}

/**
 * Starts a stack on moving chains by network name; a folder takes its data. The heads must have reached the recordings'
 * first blocks: graph-node wants the blocks that indexing starts at to exist.
 */
export async function startMovingStack(
  chains: Readonly<Record<string, MovingChain>>,
  folder: string,
  options: StackOptions = {},
): Promise<MovingStack> {
  const server = await serveRecordedChains(new Map(Object.entries(chains)))
  const networks = Object.keys(chains)
  const of = <T>(value: (network: string, chain: MovingChain) => T) =>
    Object.fromEntries(Object.entries(chains).map(([network, chain]) => [network, value(network, chain)]))
  const networksFile = join(folder, 'networks.json')
  writeFileSync(networksFile, JSON.stringify(of((_, { recorded }) => recordedContracts(recorded))))
  const rpcUrls = of((network) => `${server.url}/${network}`)
  try {
    const stack = await startStack({ networks, networksFile, rpcUrls, dataDir: join(folder, 'data'), ...options })
    const urls = (network: string) => {
      const { subgraphUrl = '', statusUrl = '' } = stack.chains.find((chain) => chain.network === network) ?? {}
      return { subgraphUrl, statusUrl }
    }
    return { stack, urls, stop: () => stack.stop().then(() => server.close()) }
  } catch (error) {
    await server.close()
    throw error
  }
}

/** Waits until the index at a subgraph's URL stands at the head of a chain, the very block. */
export async function untilIndexed(chain: MovingChain, subgraphUrl: string, milliseconds = 60_000): Promise<void> {
  const isThere = async () => {
    const query = '{ _meta { block { hash } } }'
    const { data } = await postJson<{ data?: { _meta: { block: { hash: string } } } }>(subgraphUrl, { query })
    return data?._meta.block.hash === chain.block(chain.head)?.hash || undefined
  }
  await waitFor(() => isThere().catch(() => undefined), AbortSignal.timeout(milliseconds))
}

/** Blocks from one number on that hang together; of the one named 0 they are as recorded. */
interface Branch {
  from: number
  name: number
}

/** The blocks of a trace up to a head, some of them replaced. Nothing asked of it takes longer the longer the trace is. */
class MovingBlocks implements ChainBlocks {
  lastBlock = 0
  readonly #trace: Trace
  readonly #forgetful: boolean
  /** What the chain consists of, from block 0 on, ascending. */
  #branches: Branch[] = [{ from: 0, name: 0 }]
  #branchesMade = 0
  /** Logs by block, where they are not those recorded of it. */
  readonly #logs = new Map<number, TraceLog[]>()
  /** Where transactions of replaced blocks are now; undefined for nowhere. */
  readonly #moved = new Map<string, number | undefined>()
  readonly #vanished = new Map<string, TraceBlock>()

  constructor(trace: Trace, { forgetful = false }: MovingChainOptions) {
    this.#trace = trace
    this.#forgetful = forgetful
  }

  get header() {
    return this.#trace.header
  }

  advanceTo(block: number): void {
    if (!Number.isInteger(block) || block < this.lastBlock || block > this.#trace.lastBlock) {
      throw new RangeError(`the head cannot move from ${this.lastBlock} to ${block} of ${this.#trace.lastBlock}`)
    }
    this.lastBlock = block
  }

  replace(depth: number, logs: ReplacedLogs): string[] {
    const from = this.lastBlock - depth + 1
    if (!Number.isInteger(depth) || depth < 1 || from < 1) throw new RangeError(`cannot replace ${depth} blocks`)
    const old = Array.from({ length: depth + 1 }, (_, index) => this.#logsOf(from + index))
    const hashes = this.#vanish(from)
    this.#putLogs(from, old, replacedLogs(old, from, logs))
    this.#branches = this.#branches.filter((branch) => branch.from < from)
    this.#branchesMade += 1
    this.#branches.push({ from, name: this.#branchesMade })
    return hashes
  }

  restore(): string[] {
    const [recorded, first] = this.#branches
    if (recorded === undefined || first === undefined) return []
    const hashes = this.#vanish(first.from)
    this.#branches = [recorded]
    this.#logs.clear()
    this.#moved.clear()
    return hashes
  }

  block(number: number): TraceBlock | undefined {
    const recorded = number > this.lastBlock ? undefined : this.#trace.block(number)
    if (recorded === undefined || this.#branchAt(number) === 0) return recorded
    return {
      ...recorded,
      hash: this.#hash(number),
      parentHash: this.#hash(number - 1),
      logs: this.#logs.get(number) ?? recorded.logs,
    }
  }

  blockByHash(hash: string): TraceBlock | undefined {
    const current = this.block(this.#trace.blockByHash(hash)?.number ?? numberInHash(hash))
    if (current?.hash === hash) return current
    return this.#forgetful ? undefined : this.#vanished.get(hash)
  }

  blockByTransaction(transactionHash: string): TraceBlock | undefined {
    const number = this.#moved.has(transactionHash)
      ? this.#moved.get(transactionHash)
      : this.#trace.blockByTransaction(transactionHash)?.number
    return number === undefined ? undefined : this.block(number)
  }

  *blocksWithLogs(from: number, to: number): Generator<TraceBlock> {
    const last = Math.min(to, this.lastBlock)
    const numbers = new Set([...this.#logs.keys()].filter((number) => number >= from && number <= last))
    for (const { number } of this.#trace.blocksWithLogs(from, last)) numbers.add(number)
    for (const number of [...numbers].sort((a, b) => a - b)) {
      const block = this.block(number)
      if (block !== undefined && block.logs.length > 0) yield block
    }
  }

  #branchAt(number: number): number {
    return this.#branches.findLast(({ from }) => from <= number)?.name ?? 0
  }

  #hash(number: number): string {
    const branch = this.#branchAt(number)
    return branch === 0
      ? (this.#trace.block(number)?.hash ?? '')
      : branchHash(`${this.#trace.identity}:${branch}:${number}`, number)
  }

  #logsOf(number: number): TraceLog[] {
    return this.#logs.get(number) ?? this.#trace.block(number)?.logs ?? []
  }

  #putLogs(from: number, old: readonly TraceLog[][], replaced: readonly TraceLog[][]): void {
    // Gone first: what moved on is found where it is now.
    for (const { transactionHash } of old.flat()) this.#moved.set(transactionHash, undefined)
    replaced.forEach((logs, index) => {
      if (logs !== old[index]) this.#logs.set(from + index, logs)
      for (const { transactionHash } of logs) this.#moved.set(transactionHash, from + index)
    })
  }

  #vanish(from: number): string[] {
    const hashes: string[] = []
    for (let number = from; number <= this.lastBlock; number++) {
      const block = this.block(number)
      if (block === undefined) continue
      hashes.push(block.hash)
      if (!this.#forgetful) this.#vanished.set(block.hash, block)
    }
    return hashes
  }
}

/** The new logs of replaced blocks and of the block after the head, from their old ones. */
function replacedLogs(old: TraceLog[][], from: number, logs: ReplacedLogs): TraceLog[][] {
  const next = old.length - 1
  if (logs === 'same') return old
  if (logs === 'later') {
    return old.map((own, index) => {
      const moved = old[index - 1] ?? []
      return index === next ? behind(moved, own) : moved
    })
  }
  const keeps = (block: number) => logs !== 'gone' && logs(block)
  return old.map((own, index) => (own.length === 0 || index === next || keeps(from + index) ? own : []))
}

/** Logs of one block and then those of another, as the logs of one block. */
function behind(first: TraceLog[], second: TraceLog[]): TraceLog[] {
  const transactions = Math.max(-1, ...first.map(({ transactionIndex }) => transactionIndex)) + 1
  const logs = Math.max(-1, ...first.map(({ logIndex }) => logIndex)) + 1
  const moved = second.map((log) => ({
    ...log,
    transactionIndex: log.transactionIndex + transactions,
    logIndex: log.logIndex + logs,
  }))
  return [...first, ...moved]
}

// The number is part of the hash, as in those of a trace's blocks without logs: no table of all blocks is needed.
function branchHash(seed: string, number: number): string {
  const digest = createHash('sha256').update(seed).digest('hex')
  return `0x${digest.slice(0, 48)}${number.toString(16).padStart(16, '0')}`
}

function numberInHash(hash: string): number {
  return Number(`0x${hash.slice(-16)}`)
}
