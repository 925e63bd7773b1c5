import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Chance } from '../bench/random.ts'

/** Providers' refusals of a range of blocks, in their own words, by how many they give. */
export const RANGE_REFUSALS: Readonly<Record<string, (blocks: number) => Refusal>> = {
  Alchemy: (blocks) => ({
    status: 400,
    code: -32600,
    message: `You can make eth_getLogs requests with up to a ${blocks} block range. Based on your parameters, this block range should work: [0x0, 0x${blocks.toString(16)}]`,
  }),
  'Alchemy by size': () => ({
    status: 200,
    code: -32602,
    message:
      'Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response.',
  }),
  Infura: () => ({ status: 200, code: -32005, message: 'query returned more than 10000 results' }),
  'Infura by range': (blocks) => ({ status: 200, code: -32602, message: `range 100000 exceeds limit of ${blocks}` }),
  QuickNode: (blocks) => ({ status: 413, code: -32614, message: `eth_getLogs is limited to a ${blocks} range` }),
  Ankr: () => ({ status: 200, code: -32062, message: 'block range is too wide' }),
  dRPC: (blocks) => ({
    status: 200,
    code: 35,
    message: `ranges over ${blocks} blocks are not supported on freetier`,
  }),
  Chainstack: () => ({ status: 403, code: -32002, message: 'Block range limit exceeded.' }),
  BlockPI: (blocks) => ({ status: 200, code: -32602, message: `eth_getLogs is limited to ${blocks} block range` }),
  PublicNode: (blocks) => ({ status: 200, code: -32701, message: `exceed maximum block range: ${blocks}` }),
}

/** How clients of the chain say that they keep no state of a block long past. */
export const ARCHIVE_REFUSALS: Readonly<Record<string, (block: number) => Refusal>> = {
  geth: () => ({
    status: 200,
    code: -32000,
    message: `missing trie node ${'5c'.repeat(32)} (path ) state 0x${'5c'.repeat(32)} is not available, not found`,
  }),
  'geth by path': () => ({
    status: 200,
    code: -32000,
    message: `historical state ${'5c'.repeat(32)} is not available`,
  }),
  reth: (block) => ({ status: 200, code: 4444, message: `state at block #${block} is pruned` }),
  Nethermind: (block) => ({ status: 200, code: -32002, message: `No state available for block ${block}` }),
  Besu: () => ({ status: 200, code: -32000, message: 'World state unavailable' }),
}

/** What is said instead of an answer. */
interface Refusal {
  status: number
  code: number
  message: string
}

/** What an RPC does wrong, with each request or with a share of them, of some methods or of all. */
export type Fault = { share?: number; methods?: readonly string[] } & (
  | { kind: 'status'; status: 401 | 429 | 500 | 502 | 503 }
  /** Too many requests, by an error with status 200. */
  | { kind: 'limited' }
  /** A request is taken and never answered. */
  | { kind: 'hang' }
  /** The connection ends without an answer. */
  | { kind: 'drop' }
  /** Half of the answer comes, and the connection ends. */
  | { kind: 'cut' }
  /** Bytes within the answer are others, so that it is no text. */
  | { kind: 'garble' }
  /** Answered as if there were nothing. */
  | { kind: 'null' }
  /** Logs of more blocks than these are refused, in a provider's words. */
  | { kind: 'range'; words: keyof typeof RANGE_REFUSALS; blocks: number }
  /** Several requests in one are refused. */
  | { kind: 'no batches' }
  /** Logs are missing without a word, each by the share. */
  | { kind: 'logs left out' }
  /** The head stays where it is. */
  | { kind: 'frozen'; head: number }
  /** Answers as a node does that has so many of the last blocks not yet. */
  | { kind: 'behind'; blocks: number }
  /** Another chain: by its id where it is told, and by its first block. */
  | { kind: 'other chain'; chainId?: number }
  /** No state of blocks that are not among the last, in a client's words. */
  | { kind: 'no archive'; words: keyof typeof ARCHIVE_REFUSALS }
)

/** What an RPC does wrong for a number of requests, all of the rest where it is the last. */
export interface Step {
  faults: readonly Fault[]
  requests: number
}

/** Blocks whose state a node keeps that is no archive. */
const KEPT_STATES = 128

interface Call {
  id?: unknown
  method: string
  params?: unknown[]
}

interface Answer {
  id?: unknown
  result?: unknown
  error?: { code: number; message: string }
}

/**
 * An RPC before another one that fails as providers' do, by a script: with the same seed, script and requests in the same
 * way. Reorganisations are the chain's own (`MovingChain`); a node that has not all blocks yet goes back too.
 */
export class FaultyRpc {
  /** Requests that came, HTTP's. */
  requests = 0
  /** How often each kind of fault was done. */
  readonly done = new Map<Fault['kind'], number>()
  #script: Step[] = []
  readonly #chance: Chance
  readonly #held = new Set<ServerResponse>()
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy())
  })

  private constructor(
    private readonly target: string,
    seed: number,
  ) {
    this.#chance = new Chance(seed)
  }

  /** One before the RPC at a URL, listening, and without a fault until it is told. */
  static async before(target: string, seed = 1): Promise<FaultyRpc> {
    const rpc = new FaultyRpc(target, seed)
    await new Promise<void>((resolve) => rpc.#server.listen(0, '127.0.0.1', resolve))
    return rpc
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v2/a-key`
  }

  /** Fails in these ways from now on, in none when there are none; what hung before is let go. */
  turn(...faults: Fault[]): void {
    this.play([{ faults, requests: Number.POSITIVE_INFINITY }])
  }

  /** Fails by a script from now on. */
  play(script: readonly Step[]): void {
    this.#script = [...script]
    for (const response of this.#held) response.destroy()
    this.#held.clear()
  }

  close(): Promise<void> {
    this.turn()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
    const calls = (Array.isArray(body) ? body : [body]) as Call[]
    this.requests += 1
    const faults = this.#next().filter((fault) => this.#happens(fault, calls))
    for (const fault of faults) if (this.#fail(fault, response, Array.isArray(body))) return
    let status = 200
    const answers = await Promise.all(
      calls.map(async (call) => {
        const answer = await this.#answer(call, faults)
        if (answer.error !== undefined && 'status' in answer.error) status = (answer.error as Refusal).status
        return { jsonrpc: '2.0', id: call.id, ...answer }
      }),
    )
    const text = Buffer.from(JSON.stringify(Array.isArray(body) ? answers : answers[0]))
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length })
    if (faults.some(({ kind }) => kind === 'cut')) {
      this.#note('cut')
      response.write(text.subarray(0, text.length / 2), () => response.destroy())
      return
    }
    if (faults.some(({ kind }) => kind === 'garble')) {
      this.#note('garble')
      text.fill(0xff, this.#chance.below(text.length))
    }
    response.end(text)
  }

  #next(): readonly Fault[] {
    const [step, ...later] = this.#script
    if (step === undefined) return []
    if (later.length > 0) {
      step.requests -= 1
      if (step.requests <= 0) this.#script = later
    }
    return step.faults
  }

  #happens({ kind, share = 1, methods }: Fault, calls: readonly Call[]): boolean {
    if (methods !== undefined && !calls.some(({ method }) => methods.includes(method))) return false
    // Which logs are left out is decided for each.
    return kind === 'logs left out' || share >= 1 || this.#chance.share() < share
  }

  /** Whether that was all of the answer. */
  #fail(fault: Fault, response: ServerResponse, isBatch: boolean): boolean {
    const refuse = (status: number, type: string, text: string) => {
      this.#note(fault.kind)
      response.writeHead(status, { 'content-type': type }).end(text)
      return true
    }
    switch (fault.kind) {
      case 'status':
        return refuse(fault.status, 'text/html', `<html><h1>${fault.status}</h1></html>`)
      case 'limited':
        return refuse(200, 'application/json', errorText(-32005, 'daily request count exceeded, request rate limited'))
      case 'no batches':
        return isBatch && refuse(200, 'application/json', errorText(-32600, 'batch requests are not supported'))
      case 'hang':
        this.#note('hang')
        this.#held.add(response)
        return true
      case 'drop':
        this.#note('drop')
        response.destroy()
        return true
      default:
        return false
    }
  }

  async #answer(call: Call, faults: readonly Fault[]): Promise<Answer> {
    for (const fault of faults) {
      const refusal = await this.#refusal(fault, call)
      if (refusal !== undefined) {
        this.#note(fault.kind)
        return { error: refusal }
      }
    }
    const head = await this.#headOf(faults)
    const answer = await this.#ask(head === undefined ? call : upTo(head, call))
    const shown = head === undefined ? answer : hidden(head, call, answer)
    return faults.reduce((before, fault) => this.#altered(fault, call, before), shown)
  }

  async #refusal(fault: Fault, { method, params = [] }: Call): Promise<Refusal | undefined> {
    if (fault.kind === 'range' && method === 'eth_getLogs') {
      const { fromBlock, toBlock, blockHash } = params[0] as Record<string, string | undefined>
      const to = toBlock === undefined || !toBlock.startsWith('0x') ? await this.#head() : Number(toBlock)
      const isTooLong = blockHash === undefined && to - Number(fromBlock ?? 0) + 1 > fault.blocks
      return isTooLong ? RANGE_REFUSALS[fault.words]?.(fault.blocks) : undefined
    }
    if (fault.kind !== 'no archive' || !['eth_call', 'eth_getBalance', 'eth_getCode'].includes(method)) return undefined
    const block = await this.#numberOf(params[1])
    const isPast = block < (await this.#head()) - KEPT_STATES
    return isPast ? ARCHIVE_REFUSALS[fault.words]?.(block) : undefined
  }

  #altered(fault: Fault, { method, params = [] }: Call, answer: Answer): Answer {
    const { kind } = fault
    if (kind === 'null') {
      this.#note(kind)
      return { result: null }
    }
    if (kind === 'logs left out' && method === 'eth_getLogs' && Array.isArray(answer.result)) {
      const { share = 1 } = fault
      const left = answer.result.filter(() => this.#chance.share() >= share)
      if (left.length < answer.result.length) this.#note(kind)
      return { result: left }
    }
    if (kind !== 'other chain') return answer
    if (fault.chainId !== undefined && method === 'eth_chainId') return { result: `0x${fault.chainId.toString(16)}` }
    if (fault.chainId !== undefined && method === 'net_version') return { result: String(fault.chainId) }
    if (method !== 'eth_getBlockByNumber' || Number(params[0]) !== 0) return answer
    this.#note(kind)
    return { result: { ...(answer.result as object), hash: `0x${'ab'.repeat(32)}` } }
  }

  /** The head as a node tells it that has not all of the blocks; undefined for one that has. */
  async #headOf(faults: readonly Fault[]): Promise<number | undefined> {
    for (const fault of faults) {
      if (fault.kind !== 'frozen' && fault.kind !== 'behind') continue
      this.#note(fault.kind)
      return fault.kind === 'frozen' ? fault.head : Math.max(0, (await this.#head()) - fault.blocks)
    }
    return undefined
  }

  async #head(): Promise<number> {
    return Number((await this.#ask({ method: 'eth_blockNumber', params: [] })).result)
  }

  async #numberOf(tag: unknown): Promise<number> {
    if (typeof tag === 'string' && tag.startsWith('0x') && tag.length < 66) return Number(tag)
    const hash = typeof tag === 'string' ? tag : (tag as { blockHash?: string } | undefined)?.blockHash
    if (hash === undefined || !hash.startsWith('0x')) return this.#head()
    const { result } = await this.#ask({ method: 'eth_getBlockByHash', params: [hash, false] })
    return Number((result as { number: string } | null)?.number ?? Number.NaN)
  }

  async #ask({ method, params = [] }: Call): Promise<Answer> {
    const response = await fetch(this.target, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = (await response.json()) as Answer
    return error === undefined ? { result } : { error }
  }

  #note(kind: Fault['kind']): void {
    this.done.set(kind, (this.done.get(kind) ?? 0) + 1)
  }
}

function errorText(code: number, message: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } })
}

function isTag(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && !value.startsWith('0x') && value !== 'earliest')
}

/** The call as it has to be for a node whose last block is the head. */
function upTo(head: number, { method, params = [] }: Call): Call {
  const last = `0x${head.toString(16)}`
  if (method === 'eth_getBlockByNumber' && isTag(params[0])) return { method, params: [last, params[1]] }
  if (method === 'eth_call' && isTag(params[1])) return { method, params: [params[0], last] }
  if (method !== 'eth_getLogs') return { method, params }
  const filter = params[0] as { toBlock?: string; blockHash?: string }
  if (filter.blockHash !== undefined) return { method, params }
  const toBlock = isTag(filter.toBlock) ? last : `0x${Math.min(head, Number(filter.toBlock)).toString(16)}`
  return { method, params: [{ ...filter, toBlock }] }
}

/** The answer without what is beyond the head. */
function hidden(head: number, { method }: Call, answer: Answer): Answer {
  if (method === 'eth_blockNumber') return { result: `0x${head.toString(16)}` }
  const { number, blockNumber } = (answer.result ?? {}) as { number?: string; blockNumber?: string }
  const isBeyond = Number(number ?? blockNumber ?? 0) > head
  return isBeyond && !Array.isArray(answer.result) ? { result: null } : answer
}
