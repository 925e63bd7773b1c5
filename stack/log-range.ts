import { hostOf } from '../api/facts/rpc.ts'
import { postJson, reasonOf } from './graph-node.ts'
import type { Contracts } from './networks.ts'
import { pause } from './processes.ts'

/** Blocks that an RPC is asked for logs of at a time, until it answers. */
const RANGES = [100_000, 50_000, 10_000, 5_000, 2_000, 1_000, 500, 100, 10]
/** Slower answers are none: graph-node would wait for thousands of them. */
const PATIENCE_MS = 15_000
/** How often it is asked again where it only asks for time. */
const PATIENT_TRIES = 4

/** What an RPC answers eth_getLogs for. */
export interface LogRange {
  /** Blocks at a time. */
  blocks: number
  /** Seconds that took. */
  seconds: number
  /** The chain's last block then. */
  head: number
  /** What it said of more, in its own words; undefined where it took the most that is asked for. */
  refusal: string | undefined
}

interface RpcAnswer {
  result?: unknown
  error?: { message?: unknown }
}

/**
 * Finds out how many blocks at a time an RPC gives logs of: providers cap it, each in words of its own that graph-node does
 * not know, and then asks the same for ever. Undefined where it gives none of any range, or tells no head.
 */
export async function probeLogRange(
  url: string,
  contracts: Contracts,
  signal: AbortSignal,
): Promise<LogRange | undefined> {
  const head = await ask(url, 'eth_blockNumber', [], signal)
  if ('refusal' in head || typeof head.result !== 'string') return undefined
  const last = Number(head.result)
  const address = Object.values(contracts).map((contract) => contract.address)
  let refusal: string | undefined
  for (const blocks of RANGES) {
    const started = performance.now()
    const filter = { address, fromBlock: hex(Math.max(0, last - blocks + 1)), toBlock: hex(last) }
    const answer = await ask(url, 'eth_getLogs', [filter], signal)
    // A list is an answer; anything else, null too, is none.
    if ('result' in answer && Array.isArray(answer.result)) {
      return { blocks, seconds: (performance.now() - started) / 1000, head: last, refusal }
    }
    refusal = 'refusal' in answer ? answer.refusal : 'no list of logs'
  }
  return undefined
}

/** What a range means for indexing from a block on, in a line. */
export function describeRange(network: string, range: LogRange | undefined, firstBlock: number): string {
  if (range === undefined)
    return `${network}: the RPC gives no logs of any range of blocks; graph-node goes on trying, see its log`
  const blocks = Math.max(0, range.head - firstBlock + 1)
  const requests = Math.ceil(blocks / range.blocks)
  const time = `${requests.toLocaleString('en')} requests of each kind of log at the least, ${duration(requests * range.seconds)} by this one's speed`
  const more = range.refusal === undefined ? '' : ` (of more: ${range.refusal})`
  return `${network}: the RPC gives logs of ${range.blocks.toLocaleString('en')} blocks at a time${more}; ${blocks.toLocaleString('en')} blocks are ${time}`
}

/** One call; asked again where the provider only wants to be asked less often. */
async function ask(
  url: string,
  method: string,
  params: unknown[],
  signal: AbortSignal,
): Promise<{ result: unknown } | { refusal: string }> {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted()
    let refusal: string
    try {
      const answer = await postJson<RpcAnswer | null>(url, { jsonrpc: '2.0', id: 1, method, params }, PATIENCE_MS)
      if (answer !== null && 'result' in answer && answer.error === undefined) return { result: answer.result }
      refusal = String(answer?.error?.message ?? 'no result')
    } catch (error) {
      refusal = error instanceof Error ? reasonOf(error) : String(error)
    }
    const isForTime = /\b429\b|rate|too many requests|compute units|capacity|throttl/i.test(refusal)
    if (!isForTime || tries === PATIENT_TRIES) return { refusal: tidy(refusal) }
    await pause(500 * 2 ** tries, signal)
  }
}

/** A provider's words as a part of a line: short, on one line, and with no address of its own in them. */
function tidy(text: string): string {
  const line = text.replace(/\s+/g, ' ').replace(/\bhttps?:\/\/\S+/g, hostOf)
  return JSON.stringify(line.length > 160 ? `${line.slice(0, 160)}…` : line)
}

function hex(block: number): string {
  return `0x${block.toString(16)}`
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`
}
