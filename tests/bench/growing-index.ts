import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { recordedContracts } from '../../stack/chain-plan.ts'
import { pause, waitFor } from '../../stack/processes.ts'
import { type RecordedChainServer, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { readTrace, type Trace } from '../../stack/trace.ts'
import { MovingChain } from '../system/moving-chain.ts'
import { cpuBetween, usageBelow } from './process-usage.ts'
import { type StackProcess, startStackProcess } from './stack-process.ts'

/** What indexing took from one place of the head to the next. */
export interface IndexingSpan {
  /** From this block on, to this block. */
  from: number
  to: number
  events: number
  /** From the jump of the head until the API answers as of it. */
  seconds: number
  /** Processor seconds meanwhile, by program: they tell more than the clock where other work is on the machine. */
  cpuSeconds: Record<string, number>
}

export type OnProgress = (what: string, share?: number) => void

/** Name of the made-up chain's network. */
export const NETWORK = 'made-up'

/** A made-up chain whose head moves as far as it is told to, and the whole stack that indexes it. */
export class GrowingIndex {
  private constructor(
    readonly dir: string,
    readonly trace: Trace,
    readonly chain: MovingChain,
    readonly rpc: string,
    readonly stack: StackProcess,
    private readonly server: RecordedChainServer,
    private readonly signal: AbortSignal,
    private readonly onProgress: OnProgress,
  ) {}

  /**
   * Starts the stack on the trace and the data of a folder, the head where all of it is indexed up to; without such a block
   * on a chain that has hardly begun, so that all indexing falls into a span.
   */
  static async start(
    dir: string,
    indexedTo: number | undefined,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<GrowingIndex> {
    const trace = await readTrace(traceIn(dir))
    const chain = new MovingChain(trace, indexedTo ?? trace.firstBlock)
    const server = await serveRecordedChains(new Map([[NETWORK, chain]]))
    try {
      const rpc = `${server.url}/${NETWORK}`
      const data = join(dir, DATA)
      mkdirSync(data, { recursive: true })
      const networks = join(dir, 'networks.json')
      // The chain's contracts in the format of graph-cli's networks.json.
      writeFileSync(networks, JSON.stringify({ [NETWORK]: recordedContracts(trace) }))
      onProgress('starting the stack')
      const stack = await startStackProcess([...stackOptions(rpc, data), '--networks-file', networks], signal)
      return new GrowingIndex(dir, trace, chain, rpc, stack, server, signal, onProgress)
    } catch (error) {
      await server.close()
      throw error
    }
  }

  /** Moves the head to a block, waits until the API answers as of it, and tells what that took. */
  async advanceTo(head: number, what: string): Promise<IndexingSpan> {
    const { chain, stack, trace } = this
    const from = chain.head
    const before = usageBelow(stack.pid)
    const started = performance.now()
    if (head > from) chain.advanceTo(head)
    await this.caughtUp(what)
    const seconds = (performance.now() - started) / 1000
    const events = [...trace.blocksWithLogs(from + 1, head)].reduce((sum, { logs }) => sum + logs.length, 0)
    return { from, to: head, events, seconds, cpuSeconds: cpuBetween(before, usageBelow(stack.pid)) }
  }

  /** Waits until the API answers as of the chain's head. */
  async caughtUp(what: string): Promise<void> {
    const { chain, stack, signal, onProgress } = this
    await waitFor(async () => {
      const block = await blockOf(stack.url)
      onProgress(what, block / chain.head)
      if (block >= chain.head) return true
      // Asking takes processor time from indexing.
      await pause(500, signal)
      return undefined
    }, signal)
  }

  async stop(): Promise<void> {
    await this.stack.stop()
    await this.server.close()
  }
}

/** Where a made-up chain's trace lies in its folder. */
export function traceIn(dir: string): string {
  return join(dir, 'trace.jsonl.gz')
}

/** The folder in that of a made-up chain where the stack has its data. */
export const DATA = 'data'

/** Options of the stack on a made-up chain. */
export function stackOptions(rpc: string, dataDir: string): string[] {
  return ['--network', NETWORK, '--rpc', `${NETWORK}=${rpc}`, '--data-dir', dataDir, '--no-limits']
}

/** The block an API answers as of; 0 before there is one. */
export async function blockOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/status`)).text()
  const [chain] = text === '' ? [] : (JSON.parse(text) as { block: string }[])
  return Number(chain?.block ?? 0)
}
