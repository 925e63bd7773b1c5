import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { type Trace, type TraceBlock, TraceError, type TraceHeader, type TraceLog } from './trace.ts'

/** Answers of contracts recorded beside a trace, see `answerAt`. */
export interface RecordedCalls {
  /** Blocks at which was recorded, ascending. */
  blocks: number[]
  /** Contract → calldata → [index into `blocks`, answer]: it holds from there to the next entry. */
  calls: Record<string, Record<string, [number, string | null][]>>
}

/** A request that cannot be answered, as JSON-RPC tells it. */
class RpcError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** What is asked of a chain's blocks: a trace has them, and so may something that shows a trace in another way. */
export type ChainBlocks = Pick<
  Trace,
  'lastBlock' | 'block' | 'blockByHash' | 'blockByTransaction' | 'blocksWithLogs'
> & { readonly header: Pick<TraceHeader, 'chainId'> }

/** Answers Ethereum's JSON-RPC methods, as far as graph-node uses them, from the blocks of a trace. */
export class RecordedChain<Blocks extends ChainBlocks = Trace> {
  readonly trace: Blocks
  readonly #calls: RecordedCalls | undefined

  constructor(trace: Blocks, calls?: RecordedCalls) {
    this.trace = trace
    this.#calls = calls
  }

  /** The result of one method; throws an RpcError for what cannot be answered. */
  call(method: string, params: unknown[]): unknown {
    switch (method) {
      case 'eth_chainId':
        return quantity(this.trace.header.chainId)
      case 'net_version':
        return String(this.trace.header.chainId)
      case 'web3_clientVersion':
        return 'recorded-chain'
      case 'eth_syncing':
        return false
      case 'eth_blockNumber':
        return quantity(this.trace.lastBlock)
      case 'eth_getBlockByNumber':
        return blockJson(this.trace.block(this.#number(params[0])), params[1] === true)
      case 'eth_getBlockByHash':
        return blockJson(this.trace.blockByHash(word(params[0])), params[1] === true)
      case 'eth_getLogs':
        return this.#logs(params[0])
      case 'eth_getBlockReceipts':
        return receipts(this.#blockById(params[0]))
      case 'eth_getTransactionReceipt': {
        const hash = word(params[0])
        const all = receipts(this.trace.blockByTransaction(hash)) ?? []
        return all.find((receipt) => receipt.transactionHash === hash) ?? null
      }
      case 'eth_getTransactionByHash': {
        const hash = word(params[0])
        const block = this.trace.blockByTransaction(hash)
        return (block && transactions(block).find((transaction) => transaction.hash === hash)) ?? null
      }
      case 'eth_getCode':
        return '0x'
      case 'eth_call':
        return this.#ethCall(params[0], params[1])
      default:
        throw new RpcError(-32601, `the method ${method} does not exist`)
    }
  }

  #number(tag: unknown): number {
    if (tag === undefined || tag === 'latest' || tag === 'pending' || tag === 'safe' || tag === 'finalized') {
      return this.trace.lastBlock
    }
    if (tag === 'earliest') return 0
    if (typeof tag !== 'string' || !/^0x[0-9a-fA-F]+$/.test(tag)) throw invalid(`not a block number: ${show(tag)}`)
    return Number(tag)
  }

  // A block can be named by number, by tag, by hash, or by an object with one of them (EIP-1898).
  #blockById(id: unknown): TraceBlock | undefined {
    if (typeof id === 'object' && id !== null) {
      const { blockHash, blockNumber } = id as { blockHash?: unknown; blockNumber?: unknown }
      return blockHash === undefined ? this.trace.block(this.#number(blockNumber)) : this.#blockById(blockHash)
    }
    if (typeof id === 'string' && id.length === 66) return this.trace.blockByHash(word(id))
    return this.trace.block(this.#number(id))
  }

  #logs(filter: unknown): unknown[] {
    if (typeof filter !== 'object' || filter === null) throw invalid('the filter is not an object')
    const { address, topics, fromBlock, toBlock, blockHash } = filter as Record<string, unknown>
    const addresses = alternatives(address, 40)
    if (topics !== undefined && topics !== null && !Array.isArray(topics)) throw invalid('topics is not a list')
    const wanted = ((topics ?? []) as unknown[]).map((topic) => alternatives(topic, 64))
    const matches = (log: TraceLog) =>
      (!addresses || addresses.has(log.address)) &&
      wanted.every((choice, position) => {
        const topic = log.topics[position]
        return topic !== undefined && (!choice || choice.has(topic))
      })

    const blocks =
      blockHash === undefined
        ? this.trace.blocksWithLogs(this.#number(fromBlock), this.#number(toBlock))
        : [this.trace.blockByHash(word(blockHash)) ?? fail(new RpcError(-32000, 'unknown block'))]
    const found: unknown[] = []
    for (const block of blocks) {
      for (const log of block.logs) if (matches(log)) found.push(logJson(block, log))
    }
    return found
  }

  #ethCall(call: unknown, at: unknown): string {
    if (typeof call !== 'object' || call === null) throw invalid('the call is not an object')
    const { to, input, data } = call as Record<string, unknown>
    const calldata = input ?? data ?? '0x'
    if (typeof to !== 'string' || typeof calldata !== 'string') throw invalid('the call needs an address and data')
    const block = this.#blockById(at) ?? fail(new RpcError(-32000, 'unknown block'))
    if (!this.#calls) throw new RpcError(3, 'execution reverted')
    const answer = answerAt(this.#calls, to.toLowerCase(), calldata.toLowerCase(), block.number)
    // An answer nobody recorded is no revert: a mapping must not take it for one.
    if (answer === undefined) {
      throw new RpcError(-32000, `call ${calldata} of ${to} at block ${block.number} is not recorded`)
    }
    if (answer === null) throw new RpcError(3, 'execution reverted')
    return answer
  }
}

/**
 * What a contract answered at a block: null where the call reverted, or where no call of the contract was recorded at all,
 * as beside a trace without calls; undefined where others were, but not this one.
 */
export function answerAt(
  recorded: RecordedCalls,
  contract: string,
  calldata: string,
  block: number,
): string | null | undefined {
  const answers = recorded.calls[contract]
  if (answers === undefined) return null
  let found: string | null | undefined
  for (const [index, answer] of answers[calldata] ?? []) {
    if ((recorded.blocks[index] ?? Number.POSITIVE_INFINITY) > block) break
    found = answer
  }
  return found === '-' ? undefined : found
}

/** The calls recorded beside a trace, undefined where there are none. */
export async function readRecordedCalls(traceFile: string): Promise<RecordedCalls | undefined> {
  const file = join(dirname(traceFile), 'calls.json.gz')
  if (!existsSync(file)) return undefined
  try {
    const { blocks, calls } = JSON.parse((await promisify(gunzip)(await readFile(file))).toString()) as RecordedCalls
    if (!Array.isArray(blocks) || typeof calls !== 'object' || calls === null)
      throw new Error('blocks or calls missing')
    return { blocks, calls }
  } catch (error) {
    throw new TraceError(`recorded calls ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Answers the text of a JSON-RPC request, single or batch, with the text of the response. Never throws. */
export function respond(chain: RecordedChain<ChainBlocks>, body: string): string {
  let request: unknown
  try {
    request = JSON.parse(body)
  } catch {
    return JSON.stringify(failure(null, new RpcError(-32700, 'the request is not JSON')))
  }
  if (!Array.isArray(request)) return JSON.stringify(respondToOne(chain, request))
  if (request.length === 0) return JSON.stringify(failure(null, new RpcError(-32600, 'the batch is empty')))
  return JSON.stringify(request.map((item) => respondToOne(chain, item)))
}

/** A running server of recorded chains. */
export interface RecordedChainServer {
  /** Base URL; the chain NAME answers at `<url>/NAME`. */
  url: string
  close(): Promise<void>
}

/**
 * Serves recorded chains to graph-node, on this machine only. It also answers the one question graph-node asks an IPFS
 * server when it starts, so that graph-node needs no other.
 */
export async function serveRecordedChains(
  chains: ReadonlyMap<string, RecordedChain<ChainBlocks>>,
): Promise<RecordedChainServer> {
  const server = createServer(async (request, response) => {
    const [path = ''] = (request.url ?? '').split('?')
    const chain = chains.get(path.slice(1))
    const isIpfsVersion = path === '/api/v0/version'
    if (!chain && !isIpfsVersion) {
      response.writeHead(404).end()
      return
    }
    try {
      const body = await readBody(request)
      response.setHeader('content-type', 'application/json')
      response.end(chain ? respond(chain, body) : JSON.stringify({ Version: '0.0.0' }))
    } catch {
      // The client went away or sends without end: there is nobody left to tell.
      response.destroy()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const MAX_BODY_BYTES = 10_000_000

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error('the request is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function respondToOne(chain: RecordedChain<ChainBlocks>, request: unknown): object {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    return failure(null, new RpcError(-32600, 'the request is not an object'))
  }
  const { id = null, method, params = [] } = request as { id?: unknown; method?: unknown; params?: unknown }
  if (typeof method !== 'string') return failure(id, new RpcError(-32600, 'the request has no method'))
  if (!Array.isArray(params)) return failure(id, invalid('params is not a list'))
  try {
    return { jsonrpc: '2.0', id, result: chain.call(method, params) }
  } catch (error) {
    return failure(id, error instanceof RpcError ? error : new RpcError(-32603, String(error)))
  }
}

function failure(id: unknown, { code, message }: RpcError): object {
  return { jsonrpc: '2.0', id, error: { code, message } }
}

function invalid(message: string): RpcError {
  return new RpcError(-32602, message)
}

function fail(error: Error): never {
  throw error
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? 'nothing'
}

function word(value: unknown): string {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{64}$/.test(value)) throw invalid(`not a hash: ${show(value)}`)
  return value.toLowerCase()
}

// Of a filter's address or topic: one value, a list of which any will do, or nothing, which everything matches.
function alternatives(value: unknown, digits: number): Set<string> | undefined {
  if (value === undefined || value === null) return undefined
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || list.includes(null)) return undefined
  const pattern = new RegExp(`^0x[0-9a-fA-F]{${digits}}$`)
  return new Set(
    list.map((item) => {
      if (typeof item !== 'string' || !pattern.test(item)) throw invalid(`not a value to filter by: ${show(item)}`)
      return item.toLowerCase()
    }),
  )
}

function quantity(value: number): string {
  return `0x${value.toString(16)}`
}

const ZERO_HASH = `0x${'0'.repeat(64)}`
const ZERO_ADDRESS = `0x${'0'.repeat(40)}`
const EMPTY_BLOOM = `0x${'0'.repeat(512)}`
// Every bit set: a bloom filter that excludes no log.
const FULL_BLOOM = `0x${'f'.repeat(512)}`

function blockJson(block: TraceBlock | undefined, full: boolean): object | null {
  if (!block) return null
  const list = transactions(block)
  return {
    number: quantity(block.number),
    hash: block.hash,
    parentHash: block.parentHash,
    timestamp: quantity(block.timestamp),
    transactions: full ? list : list.map(({ hash }) => hash),
    logsBloom: block.logs.length === 0 ? EMPTY_BLOOM : FULL_BLOOM,
    uncles: [],
    ...UNRECORDED_OF_BLOCK,
  }
}

// What a trace does not hold and nothing here asks for; graph-node wants the fields to be there.
const UNRECORDED_OF_BLOCK = {
  miner: ZERO_ADDRESS,
  nonce: '0x0000000000000000',
  mixHash: ZERO_HASH,
  sha3Uncles: ZERO_HASH,
  stateRoot: ZERO_HASH,
  transactionsRoot: ZERO_HASH,
  receiptsRoot: ZERO_HASH,
  extraData: '0x',
  difficulty: '0x0',
  totalDifficulty: '0x0',
  size: '0x0',
  gasLimit: '0x1c9c380',
  gasUsed: '0x0',
  baseFeePerGas: '0x0',
}

function transactions(block: TraceBlock): { hash: string }[] {
  return [...logsByTransaction(block)].map(([hash, [log]]) => ({
    hash,
    blockHash: block.hash,
    blockNumber: quantity(block.number),
    transactionIndex: quantity(log.transactionIndex),
    from: log.from,
    to: null,
    input: '0x',
    value: '0x0',
    nonce: '0x0',
    gas: '0x0',
    gasPrice: '0x0',
    type: '0x0',
    v: '0x1b',
    r: '0x1',
    s: '0x1',
  }))
}

function receipts(block: TraceBlock | undefined): { transactionHash: string }[] | null {
  if (!block) return null
  return [...logsByTransaction(block)].map(([transactionHash, logs]) => ({
    transactionHash,
    transactionIndex: quantity(logs[0].transactionIndex),
    blockHash: block.hash,
    blockNumber: quantity(block.number),
    from: logs[0].from,
    to: null,
    contractAddress: null,
    logs: logs.map((log) => logJson(block, log)),
    logsBloom: FULL_BLOOM,
    status: '0x1',
    type: '0x0',
    gasUsed: '0x0',
    cumulativeGasUsed: '0x0',
    effectiveGasPrice: '0x0',
  }))
}

function logsByTransaction(block: TraceBlock): Map<string, [TraceLog, ...TraceLog[]]> {
  const found = new Map<string, [TraceLog, ...TraceLog[]]>()
  for (const log of block.logs) {
    const logs = found.get(log.transactionHash)
    if (logs) logs.push(log)
    else found.set(log.transactionHash, [log])
  }
  return found
}

function logJson(block: TraceBlock, log: TraceLog): object {
  return {
    address: log.address,
    topics: log.topics,
    data: log.data,
    blockHash: block.hash,
    blockNumber: quantity(block.number),
    transactionHash: log.transactionHash,
    transactionIndex: quantity(log.transactionIndex),
    logIndex: quantity(log.logIndex),
    removed: false,
  }
}
