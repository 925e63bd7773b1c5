import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { LAST_BLOCK } from './graph-node.ts'
import { CONTEXT_TYPES, contextValue, publicNetwork } from './networks.ts'

/** One event as recorded. Hex in lower case; `logIndex` counts within the block. */
export interface TraceLog {
  address: string
  topics: string[]
  data: string
  transactionHash: string
  transactionIndex: number
  logIndex: number
  /** Sender of the transaction. */
  from: string
}

/** A block of the chain, recorded or in a gap between recorded ones (then without logs). */
export interface TraceBlock {
  number: number
  hash: string
  parentHash: string
  /** Unix seconds. */
  timestamp: number
  logs: TraceLog[]
}

/** What the first line of a trace file says. */
export interface TraceHeader {
  chainId: number
  /** Contract name → address, in lower case. */
  contracts: Record<string, string>
  /** Number of the last block of the chain; what the file holds beyond it does not exist. */
  lastBlock: number
  lastTimestamp: number | undefined
  /** First block worth indexing, where the header tells it. */
  firstBlock: number | undefined
  /** Blocks per round, where the chain's own block numbers drive the rounds. */
  roundLength: number | undefined
  /** Those of the parameters that data sources can be told, as decimal text. */
  context: Record<string, string>
  /** Name of the chain, where the header tells it. */
  network: string | undefined
  /** The public network whose contracts were recorded, where the header tells it. */
  likeness: string | undefined
}

/** A trace file that cannot be read or does not hold what it should. The message is fit for the user. */
export class TraceError extends Error {}

interface RecordedBlock {
  number: number
  hash: string
  timestamp: number
  logs: TraceLog[]
}

/**
 * A recorded chain from block 0 to the header's `lastBlock`. Blocks with logs are served as recorded; every other block
 * has a hash that follows from its number and a time between its neighbours', and so can be found by either.
 */
export class Trace {
  readonly header: TraceHeader
  /** Start block for every contract: the header's, else the first block with logs. */
  readonly firstBlock: number
  readonly lastBlock: number
  /** Names the recording: the same for a trace and for that trace cut shorter, different for any other. */
  readonly identity: string

  readonly #recorded: RecordedBlock[]
  readonly #indexByNumber = new Map<number, number>()
  readonly #numberByHash = new Map<string, number>()
  readonly #numberByTransaction = new Map<string, number>()
  /** Blocks whose time is known, ascending; the last may lie beyond `lastBlock`. */
  readonly #anchors: { number: number; timestamp: number }[]

  /** `next` is the first recorded block beyond `lastBlock`, of which only the time is used. */
  constructor(header: TraceHeader, blocks: RecordedBlock[], next?: { number: number; timestamp: number }) {
    const [first] = blocks
    this.header = header
    this.lastBlock = header.lastBlock
    this.firstBlock = header.firstBlock ?? first?.number ?? 0
    this.identity = sha256(`${header.chainId}:${first?.hash ?? ''}`)
    this.#recorded = blocks
    blocks.forEach((block, index) => {
      this.#indexByNumber.set(block.number, index)
      this.#numberByHash.set(block.hash, block.number)
      for (const log of block.logs) this.#numberByTransaction.set(log.transactionHash, block.number)
    })
    this.#anchors = timeAnchors(header, blocks, next)
  }

  /** The block of this number, undefined beyond the ends of the chain. */
  block(number: number): TraceBlock | undefined {
    if (!Number.isInteger(number) || number < 0 || number > this.lastBlock) return undefined
    const recorded = this.#at(number)
    return {
      number,
      hash: this.#hash(number),
      parentHash: number === 0 ? ZERO_HASH : this.#hash(number - 1),
      timestamp: recorded?.timestamp ?? this.#timestamp(number),
      logs: recorded?.logs ?? [],
    }
  }

  blockByHash(hash: string): TraceBlock | undefined {
    const number = this.#numberByHash.get(hash) ?? numberInGapHash(hash)
    const block = this.block(number)
    return block?.hash === hash ? block : undefined
  }

  blockByTransaction(transactionHash: string): TraceBlock | undefined {
    const number = this.#numberByTransaction.get(transactionHash)
    return number === undefined ? undefined : this.block(number)
  }

  /** The blocks with logs from one number to another, both included, in order. */
  *blocksWithLogs(from: number, to: number): Generator<TraceBlock> {
    for (let index = firstIndexFrom(this.#recorded, from); index < this.#recorded.length; index++) {
      const number = this.#recorded[index]?.number ?? Number.POSITIVE_INFINITY
      const block = number <= to ? this.block(number) : undefined
      if (!block) return
      yield block
    }
  }

  #at(number: number): RecordedBlock | undefined {
    const index = this.#indexByNumber.get(number)
    return index === undefined ? undefined : this.#recorded[index]
  }

  #hash(number: number): string {
    return this.#at(number)?.hash ?? gapHash(this.identity, number)
  }

  #timestamp(number: number): number {
    const index = firstIndexFrom(this.#anchors, number)
    const next = this.#anchors[index]
    const previous = this.#anchors[index - 1]
    if (!previous) return Math.max(0, (next?.timestamp ?? number) - ((next?.number ?? number) - number))
    if (!next) return previous.timestamp + (number - previous.number)
    const share = (number - previous.number) / (next.number - previous.number)
    return previous.timestamp + Math.floor((next.timestamp - previous.timestamp) * share)
  }
}

/** Reads a trace file, gzipped or plain, line by line. Throws a TraceError that names the file and the line. */
export async function readTrace(file: string): Promise<Trace> {
  const source = createReadStream(file)
  const input = file.endsWith('.gz') ? source.pipe(createGunzip()) : source
  // A read error of the file does not travel through the pipe by itself.
  source.on('error', (error) => input.destroy(error))
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  const intern = interner()

  let lineNumber = 0
  let header: TraceHeader | undefined
  const blocks: RecordedBlock[] = []
  try {
    for await (const line of lines) {
      lineNumber++
      if (line.trim() === '') continue
      const value: unknown = JSON.parse(line)
      if (!header) {
        header = parseHeader(value)
        continue
      }
      const block = parseBlock(value, intern)
      const previous = blocks.at(-1)
      if (previous && block.number <= previous.number) throw new TraceError('blocks are not in order')
      if (previous && block.timestamp < previous.timestamp) throw new TraceError('time runs backwards')
      if (block.number > header.lastBlock) return new Trace(header, blocks, block)
      blocks.push(block)
    }
  } catch (error) {
    const where = lineNumber > 0 ? `, line ${lineNumber}` : ''
    throw new TraceError(`trace ${file}${where}: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    lines.close()
    source.destroy()
  }
  if (!header) throw new TraceError(`trace ${file}: the file is empty`)
  return new Trace(header, blocks)
}

const ZERO_HASH = `0x${'0'.repeat(64)}`
const ADDRESS = /^0x[0-9a-f]{40}$/
const HASH = /^0x[0-9a-f]{64}$/
const BYTES = /^0x(?:[0-9a-f]{2})*$/

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

// The number is part of the hash, so that a block can be found by it without a table of all blocks.
function gapHash(identity: string, number: number): string {
  return `0x${sha256(`${identity}:${number}`).slice(0, 48)}${number.toString(16).padStart(16, '0')}`
}

function numberInGapHash(hash: string): number {
  return HASH.test(hash) ? Number(`0x${hash.slice(-16)}`) : Number.NaN
}

function firstIndexFrom(sorted: { number: number }[], number: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle]?.number ?? 0) < number) low = middle + 1
    else high = middle
  }
  return low
}

function timeAnchors(
  header: TraceHeader,
  blocks: RecordedBlock[],
  next?: { number: number; timestamp: number },
): { number: number; timestamp: number }[] {
  const anchors = blocks.map(({ number, timestamp }) => ({ number, timestamp }))
  const last = blocks.at(-1)
  const time = header.lastTimestamp
  // A trace cut by lowering lastBlock may still carry the time of its old end: then it does not fit, and is not used.
  const fits = time !== undefined && time >= (last?.timestamp ?? 0) && time <= (next?.timestamp ?? time)
  if (fits && last?.number !== header.lastBlock) anchors.push({ number: header.lastBlock, timestamp: time })
  if (next) anchors.push({ number: next.number, timestamp: next.timestamp })
  return anchors
}

function parseHeader(value: unknown): TraceHeader {
  const header = record(value, 'the header')
  const contracts: Record<string, string> = {}
  for (const [name, address] of Object.entries(record(header.contracts, 'contracts of the header'))) {
    contracts[name] = hex(address, ADDRESS, `the address of ${name}`)
  }
  const parameters = header.parameters === undefined ? {} : record(header.parameters, 'parameters of the header')
  const optional = (item: unknown, what: string) => (item === undefined ? undefined : integer(item, what))
  return {
    chainId: integer(header.chainId, 'chainId of the header'),
    contracts,
    lastBlock: integer(header.lastBlock, 'lastBlock of the header', LAST_BLOCK),
    lastTimestamp: optional(header.lastTimestamp, 'lastTimestamp of the header'),
    firstBlock: optional(parameters.firstBlock, 'firstBlock of the header'),
    roundLength: optional(parameters.roundLength, 'roundLength of the header'),
    context: parseContext(parameters),
    network: typeof header.network === 'string' && /^[\w-]+$/.test(header.network) ? header.network : undefined,
    // Only the contracts of Ethereum L1 are recorded with a version.
    likeness: publicNetwork(Number(header.chainId)) ?? (header.version === undefined ? undefined : 'mainnet'),
  }
}

function parseContext(parameters: Record<string, unknown>): Record<string, string> {
  const known = Object.keys(CONTEXT_TYPES).filter((key) => parameters[key] !== undefined)
  return Object.fromEntries(
    known.map((key) => {
      const text = contextValue(key, parameters[key])
      if (text === undefined) throw new TraceError(`${key} of the header is not a whole number`)
      return [key, text]
    }),
  )
}

function parseBlock(value: unknown, intern: (text: string) => string): RecordedBlock {
  const block = record(value, 'the block')
  if (!Array.isArray(block.logs)) throw new TraceError('logs is not a list')
  return {
    number: integer(block.number, 'number', LAST_BLOCK),
    hash: hex(block.hash, HASH, 'hash'),
    timestamp: integer(block.timestamp, 'timestamp'),
    logs: block.logs.map((item: unknown) => {
      const log = record(item, 'a log')
      if (!Array.isArray(log.topics)) throw new TraceError('topics is not a list')
      return {
        address: intern(hex(log.address, ADDRESS, 'address')),
        topics: log.topics.map((topic) => intern(hex(topic, HASH, 'a topic'))),
        data: hex(log.data, BYTES, 'data'),
        transactionHash: hex(log.transactionHash, HASH, 'transactionHash'),
        transactionIndex: integer(log.transactionIndex, 'transactionIndex'),
        logIndex: integer(log.logIndex, 'logIndex'),
        from: intern(hex(log.from, ADDRESS, 'from')),
      }
    }),
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TraceError(`${what} is missing`)
  return value as Record<string, unknown>
}

function integer(value: unknown, what: string, largest = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > largest) {
    throw new TraceError(`${what} is not a whole number${largest < Number.MAX_SAFE_INTEGER ? ` up to ${largest}` : ''}`)
  }
  return value
}

function hex(value: unknown, pattern: RegExp, what: string): string {
  const text = typeof value === 'string' ? value.toLowerCase() : ''
  if (!pattern.test(text)) throw new TraceError(`${what} is not valid: ${JSON.stringify(value)}`)
  return text
}

// Addresses and topics recur: one copy of each keeps a large trace small in memory.
function interner(): (text: string) => string {
  const known = new Map<string, string>()
  return (text) => {
    const copy = known.get(text)
    if (copy !== undefined) return copy
    known.set(text, text)
    return text
  }
}
