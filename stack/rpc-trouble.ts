import { hostOf } from '../api/facts/rpc.ts'
import { askRpc, hashIn, hex, isForKey, isForTime, numberIn, type RpcReply } from './chain-rpc.ts'

/** What keeps an RPC from being indexed. */
export interface RpcTrouble {
  /** What is wrong and what to set, with no words of the provider's: fit for anyone. */
  what: string
  /** The same for whoever runs it: where, and in the provider's words. */
  line: string
  /** Whether it has to be told at once, as it does not pass by itself. */
  isCertain: boolean
}

/** A chain as its RPC is to show it. */
export interface RpcOfChain {
  network: string
  rpcUrl: string
  chainId: number
  /** Hash of block 0; undefined where the RPC did not tell it. */
  genesis?: string | undefined
  /** Its contracts that are indexed. */
  addresses: readonly string[]
  /** How many blocks' logs it is asked for at a time; 2,000 where that is not known, as by graph-node. */
  logRange?: number | undefined
  /** How long one answer may take, milliseconds. */
  patienceMs: number
  /** How old the head may be by the clock, seconds; null where the chain may rest. */
  maxHeadAgeSeconds: number | null
}

/** How an RPC is found; the head as it tells it. */
export interface RpcLook {
  trouble: RpcTrouble | undefined
  head: number | undefined
}

/** Looks whether an RPC answers, is of its chain, and goes on. Two or three calls. */
export async function lookAtRpc(chain: RpcOfChain, signal: AbortSignal): Promise<RpcLook> {
  const { chainId, genesis } = chain
  const { patienceMs } = chain
  const ask = (method: string, params: unknown[]) => askRpc(chain.rpcUrl, method, params, { signal, patienceMs })
  const failed = (reply: { refusal: string }): RpcLook => ({ trouble: silence(chain, reply.refusal), head: undefined })
  const id = await ask('eth_chainId', [])
  if ('refusal' in id) return failed(id)
  const told = numberIn(id.result)
  if (told !== chainId) {
    return {
      trouble: stranger(chain, `of chain ${Number.isNaN(told) ? 'no id' : told}, not ${chainId}`),
      head: undefined,
    }
  }
  if (genesis !== undefined) {
    const first = hashIn(await ask('eth_getBlockByNumber', ['0x0', false]))
    // One that keeps no first blocks says nothing.
    if (first !== undefined && first !== genesis) {
      const which = `of another chain with id ${chainId}: its first block is ${short(first)}, not ${short(genesis)}`
      return { trouble: stranger(chain, which), head: undefined }
    }
  }
  const latest = await ask('eth_getBlockByNumber', ['latest', false])
  if ('refusal' in latest) return failed(latest)
  const { number, timestamp } = (latest.result ?? {}) as { number?: unknown; timestamp?: unknown }
  const head = numberIn(number)
  if (Number.isNaN(head)) return failed({ refusal: 'no latest block' })
  const age = Date.now() / 1000 - numberIn(timestamp)
  if (chain.maxHeadAgeSeconds === null || !(age > chain.maxHeadAgeSeconds)) return { trouble: undefined, head }
  const what = `tells no block newer than ${head}, which is ${Math.floor(age)} s old by the clock`
  return {
    trouble: trouble(chain, what, undefined, "give an RPC that keeps up with --rpc, or start anew this one's node"),
    head,
  }
}

/** Finds what keeps an RPC that is well otherwise from being indexed beyond a block; undefined where that is not found. */
export async function findObstacle(
  chain: RpcOfChain,
  block: number,
  head: number,
  signal: AbortSignal,
): Promise<RpcTrouble | undefined> {
  const { patienceMs } = chain
  const ask = (method: string, params: unknown[]) => askRpc(chain.rpcUrl, method, params, { signal, patienceMs })
  const next = await ask('eth_getBlockByNumber', [hex(block + 1), false])
  if ('refusal' in next) return silence(chain, next.refusal)
  if (next.result === null) {
    const what = `does not have block ${block + 1}, though it tells ${head} as its last`
    return trouble(chain, what, undefined, 'the nodes behind it differ: give another RPC with --rpc where it stays so')
  }
  const { logRange = GRAPH_NODES_RANGE } = chain
  const blocks = Math.min(logRange, head - block)
  const filter = { address: chain.addresses, fromBlock: hex(block + 1), toBlock: hex(block + blocks) }
  const logs = await ask('eth_getLogs', [filter])
  if ('refusal' in logs) {
    return isForTime(logs.refusal) || blocks === 1
      ? silence(chain, logs.refusal)
      : trouble(chain, `gives no logs of ${blocks.toLocaleString('en')} blocks`, logs.refusal, FEWER_BLOCKS)
  }
  if (!Array.isArray(logs.result)) return trouble(chain, `gives no list of logs`, undefined, ANOTHER)
  return missingState(chain, block + 1, await ask('eth_getBalance', [ZERO_ADDRESS, hex(block + 1)]))
}

/** Looks whether an RPC keeps the state of a block, which handlers ask for; undefined where it does, or does not say. */
export async function findMissingState(
  chain: RpcOfChain,
  block: number,
  signal: AbortSignal,
): Promise<RpcTrouble | undefined> {
  const reply = await askRpc(chain.rpcUrl, 'eth_getBalance', [ZERO_ADDRESS, hex(block)], { signal, tries: 3 })
  return missingState(chain, block, reply)
}

/** Why a chain's RPC does not answer at all: what is told at the start, when nothing runs yet. */
export function silence(chain: Pick<RpcOfChain, 'network' | 'rpcUrl'>, refusal: string): RpcTrouble {
  if (isForTime(refusal)) {
    const advice = 'where it stays so, give an RPC of a larger plan with --rpc'
    return trouble(chain, 'wants to be asked less often', refusal, advice)
  }
  if (isForKey(refusal)) {
    return trouble(chain, 'refuses the key', refusal, 'give its URL with a valid one with --rpc')
  }
  return trouble(chain, 'does not answer', refusal, 'where it stays so, give another one with --rpc')
}

/** What graph-node asks for at a time where it is not told. */
const GRAPH_NODES_RANGE = 2000
const ZERO_ADDRESS = `0x${'0'.repeat(40)}`
const FEWER_BLOCKS =
  'set GRAPH_ETHEREUM_MAX_BLOCK_RANGE_SIZE to fewer, or start anew, when it is asked how many it gives'
const ANOTHER = 'give another RPC with --rpc'

/** How clients of a chain say that they keep no state of a block. */
const NO_STATE =
  /missing trie node|historical state|state .*(unavailable|not available|pruned)|no state available|archive/i

function missingState(chain: RpcOfChain, block: number, reply: RpcReply): RpcTrouble | undefined {
  // An RPC without that method says nothing.
  if (!('refusal' in reply) || !NO_STATE.test(reply.refusal)) return undefined
  const what = `keeps no state of block ${block}, which handlers ask contracts at: it is no archive node`
  return trouble(chain, what, reply.refusal, 'give the RPC of an archive node with --rpc')
}

function short(hash: string): string {
  return `${hash.slice(0, 10)}…`
}

function stranger(chain: RpcOfChain, which: string): RpcTrouble {
  const advice = 'nothing of it is to be relied on: give the RPC of the chain that was indexed with --rpc'
  return { ...trouble(chain, `is ${which}`, undefined, advice), isCertain: true }
}

function trouble(
  { rpcUrl }: Pick<RpcOfChain, 'network' | 'rpcUrl'>,
  what: string,
  words: string | undefined,
  advice: string,
): RpcTrouble {
  const said = words === undefined ? '' : ` (${JSON.stringify(words)})`
  return {
    what: `the RPC ${what}; ${advice}`,
    line: `the RPC at ${hostOf(rpcUrl)} ${what}${said}; ${advice}`,
    isCertain: false,
  }
}
