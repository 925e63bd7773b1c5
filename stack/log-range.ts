import { askRpc, hex, numberIn, patiently } from './chain-rpc.ts'
import type { Contracts } from './networks.ts'

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

/**
 * Finds out how many blocks at a time an RPC gives logs of: providers cap it, each in words of its own that graph-node does
 * not know, and then asks the same for ever. Undefined where it gives none of any range, or tells no head.
 */
export async function probeLogRange(
  url: string,
  contracts: Contracts,
  signal: AbortSignal,
): Promise<LogRange | undefined> {
  const ask = (method: string, params: unknown[]) =>
    askRpc(url, method, params, { signal, patienceMs: PATIENCE_MS, tries: PATIENT_TRIES })
  const head = await askRpc(url, 'eth_blockNumber', [], patiently(signal))
  const last = 'result' in head ? numberIn(head.result) : Number.NaN
  if (Number.isNaN(last)) return undefined
  const address = Object.values(contracts).map((contract) => contract.address)
  let refusal: string | undefined
  for (const blocks of RANGES) {
    const started = performance.now()
    const filter = { address, fromBlock: hex(Math.max(0, last - blocks + 1)), toBlock: hex(last) }
    const answer = await ask('eth_getLogs', [filter])
    // A list is an answer; anything else, null too, is none.
    if ('result' in answer && Array.isArray(answer.result)) {
      return { blocks, seconds: (performance.now() - started) / 1000, head: last, refusal }
    }
    refusal = JSON.stringify('refusal' in answer ? answer.refusal : 'no list of logs')
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

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`
}
