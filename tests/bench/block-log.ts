import { readFileSync } from 'node:fs'
import { type AbiEvent, encodeAbiParameters, toEventSelector } from 'viem'
import type { TraceLog } from '../../stack/trace.ts'
import type { Parameter } from './stake-model.ts'

/** Does something, and gives the address of who did it; undefined where there was nobody to do it. */
export type Transaction = () => string | undefined

/** Blocks after 0, so many seconds each. */
const FIRST_TIMESTAMP = 1_700_000_000
const SECONDS_PER_BLOCK = 12

/** Unix time of a block. */
export function timestampOf(block: number): number {
  return FIRST_TIMESTAMP + block * SECONDS_PER_BLOCK
}

/** Collects the events of one block after the other as lines of a trace. */
export class BlockLog {
  /** The block that is under way. */
  number = 0
  /** How many of each event there were, by contract and name. */
  readonly counts: Record<string, number> = {}
  readonly #encoders = new Map<string, (parameters: readonly Parameter[]) => Pick<TraceLog, 'topics' | 'data'>>()
  readonly #logs: TraceLog[] = []
  #transactions = 0

  /** Contracts by name; any other is a poll, named by its address. `hash` makes hashes out of words. */
  constructor(
    private readonly contracts: Readonly<Record<string, string>>,
    private readonly hash: (text: string) => string,
  ) {}

  /** Begins a block. */
  begin(number: number): void {
    this.number = number
    this.#logs.length = 0
    this.#transactions = 0
  }

  /** Takes the logs of what is done; where it emits nothing there was no transaction. */
  transaction(run: Transaction): void {
    const first = this.#logs.length
    const from = run()
    if (this.#logs.length === first) return
    for (const log of this.#logs.slice(first)) log.from = from ?? log.from
    this.#transactions++
  }

  /** Adds an event of a contract to the transaction under way. */
  emit(contract: string, event: string, parameters: readonly Parameter[]): void {
    const abi = this.contracts[contract] === undefined ? 'Poll' : contract
    const name = `${abi}.${event}`
    this.counts[name] = (this.counts[name] ?? 0) + 1
    this.#logs.push({
      address: this.contracts[contract] ?? contract,
      ...this.#encoder(abi, event)(parameters),
      transactionHash: this.hash(`transaction ${this.number} ${this.#transactions}`),
      transactionIndex: this.#transactions,
      logIndex: this.#logs.length,
      from: '',
    })
  }

  /** The block's line; undefined where nothing happened in it. */
  end(): string | undefined {
    const { number } = this
    if (this.#logs.length === 0) return undefined
    const block = { number, hash: this.hash(`block ${number}`), timestamp: timestampOf(number), logs: this.#logs }
    return `${JSON.stringify(block)}\n`
  }

  #encoder(abi: string, event: string): (parameters: readonly Parameter[]) => Pick<TraceLog, 'topics' | 'data'> {
    const known = this.#encoders.get(`${abi}.${event}`)
    if (known !== undefined) return known
    const encoder = encoderOf(abiEvent(abi, event))
    this.#encoders.set(`${abi}.${event}`, encoder)
    return encoder
  }
}

function abiEvent(abi: string, name: string): AbiEvent {
  const file = new URL(`../../subgraph/abis/${abi}.json`, import.meta.url)
  const items = JSON.parse(readFileSync(file, 'utf8')) as AbiEvent[]
  const found = items.find((item) => item.type === 'event' && item.name === name)
  if (found === undefined) throw new Error(`${abi} has no event ${name}`)
  return found
}

/** Most events have words only, for which the library is too slow by far. */
function encoderOf(event: AbiEvent): (parameters: readonly Parameter[]) => Pick<TraceLog, 'topics' | 'data'> {
  const selector = toEventSelector(event)
  const { inputs } = event
  const inData = inputs.filter(({ indexed }) => !indexed)
  const isStatic = inData.every(({ type }) => /^(u?int\d*|address|bytes\d+)$/.test(type))
  return (parameters) => {
    const topics = [selector as string]
    const data: Parameter[] = []
    for (const [index, { indexed, type }] of inputs.entries()) {
      const parameter = parameters[index] ?? 0n
      if (indexed) topics.push(`0x${word(type, parameter)}`)
      else data.push(parameter)
    }
    if (!isStatic) return { topics, data: encodeAbiParameters(inData, data) }
    return { topics, data: `0x${inData.map(({ type }, index) => word(type, data[index] ?? 0n)).join('')}` }
  }
}

function word(type: string, value: Parameter): string {
  if (typeof value === 'bigint') return value.toString(16).padStart(64, '0')
  const digits = String(value).slice(2)
  return type === 'address' ? digits.padStart(64, '0') : digits.padEnd(64, '0')
}
