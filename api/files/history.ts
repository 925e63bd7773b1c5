import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer'
import { LRUCache } from 'lru-cache'
import { ApiError } from '../facts/errors.ts'
import type { Facts } from '../facts/facts.ts'
import type { StakeSpan } from '../facts/stake.ts'
import { isRegisteredTranscoder } from '../rules/voting-power.ts'
import type { ChainView } from '../views/chain-view.ts'
import type { Chains } from '../views/chains.ts'
import { batches, type Column, FORMATS, type Head, type HeadPlace, headText, textOf } from './table-file.ts'

/** The formats of the history, by the ending of its name. */
export const HISTORY_FORMATS = {
  csv: FORMATS.csv,
  ndjson: FORMATS.ndjson,
  parquet: 'application/vnd.apache.parquet',
} as const

/** The ending of the history's name. */
export type HistoryFormat = keyof typeof HISTORY_FORMATS

/** The stake history of a chain, to be sent as it is made. */
export interface HistoryFile {
  /** Whether no reorganisation reaches what it tells. */
  final: boolean
  /** Another one whenever the file says something else. */
  etag: string
  /** Makes the file, a piece whenever the one before is taken; others have their turn between two. */
  pieces: () => AsyncGenerator<Buffer>
}

/** What must be known of a history before its first byte is sent. */
interface Survey {
  rows: number
  /** The largest amount or factor in it. */
  largest: bigint
  /** Initialised rounds whose total active stake is NOT_EXACT, as numbers and a-b; null where there are none. */
  inexactRounds: string | null
}

/** How many rows or rounds are gone through before other requests have their turn: some milliseconds' worth. */
const A_TURN = 500

/** Rows of a row group: each is encoded at once, and held in memory. */
const ROW_GROUP = 500

/** What DECIMAL(38,0) no longer holds. */
const DECIMAL_END = 10n ** 38n

const L1_NOTE =
  'Ethereum L1: delegates only, as claims left no event: what delegators had, and factors, cannot be told exactly and is empty'

type ParquetType = 'TEXT' | 'INT32' | 'BOOLEAN' | 'DECIMAL'

interface HistoryColumn extends Column<StakeSpan> {
  type: ParquetType
  /** False for what the events of Ethereum L1 do not tell exactly. */
  isToldOnL1: boolean
}

const COLUMNS: readonly HistoryColumn[] = [
  { name: 'account', type: 'TEXT', isToldOnL1: true, cellOf: ({ account }) => account },
  { name: 'fromRound', type: 'INT32', isToldOnL1: true, cellOf: ({ fromRound }) => fromRound },
  { name: 'untilRound', type: 'INT32', isToldOnL1: true, cellOf: ({ untilRound }) => untilRound },
  { name: 'delegate', type: 'TEXT', isToldOnL1: false, cellOf: ({ delegate }) => delegate },
  { name: 'bondedAmount', type: 'DECIMAL', isToldOnL1: false, cellOf: ({ bondedAmount }) => bondedAmount },
  { name: 'lastClaimRound', type: 'INT32', isToldOnL1: false, cellOf: ({ lastClaimRound }) => lastClaimRound },
  { name: 'startFactor', type: 'DECIMAL', isToldOnL1: false, cellOf: ({ startFactor }) => startFactor },
  { name: 'delegatedAmount', type: 'DECIMAL', isToldOnL1: true, cellOf: ({ delegatedAmount }) => delegatedAmount },
  { name: 'isTranscoder', type: 'BOOLEAN', isToldOnL1: false, cellOf: isRegisteredTranscoder },
  { name: 'inPool', type: 'BOOLEAN', isToldOnL1: true, cellOf: ({ inPool }) => inPool },
  { name: 'activationRound', type: 'INT32', isToldOnL1: true, cellOf: ({ activationRound }) => activationRound },
  { name: 'deactivationRound', type: 'INT32', isToldOnL1: true, cellOf: ({ deactivationRound }) => deactivationRound },
  { name: 'lastRewardRound', type: 'INT32', isToldOnL1: true, cellOf: ({ lastRewardRound }) => lastRewardRound },
  {
    name: 'cumulativeRewardFactor',
    type: 'DECIMAL',
    isToldOnL1: false,
    cellOf: ({ cumulativeRewardFactor }) => cumulativeRewardFactor,
  },
  {
    name: 'cumulativeRewards',
    type: 'DECIMAL',
    isToldOnL1: false,
    cellOf: ({ cumulativeRewards }) => cumulativeRewards,
  },
  { name: 'bondExact', type: 'BOOLEAN', isToldOnL1: false, cellOf: ({ isBondExact }) => isBondExact },
  { name: 'delegationExact', type: 'BOOLEAN', isToldOnL1: true, cellOf: ({ isDelegationExact }) => isDelegationExact },
]

const L1_COLUMNS = COLUMNS.map((column) => (column.isToldOnL1 ? column : { ...column, cellOf: () => null }))

const PARQUET_TYPES: Readonly<Record<ParquetType, Omit<SchemaElement, 'name'>>> = {
  TEXT: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  INT32: { type: 'INT32' },
  BOOLEAN: { type: 'BOOLEAN' },
  DECIMAL: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, converted_type: 'DECIMAL', precision: 38, scale: 0 },
}

const PARQUET_SCHEMA: SchemaElement[] = [
  { name: 'history', num_children: COLUMNS.length },
  ...COLUMNS.map(({ name, type }): SchemaElement => ({ name, ...PARQUET_TYPES[type], repetition_type: 'OPTIONAL' })),
]

/** Makes histories; what was found out about one is kept for the next who asks for it. */
export class Histories {
  readonly #surveys = new LRUCache<string, Survey, () => Promise<Survey>>({
    max: 50,
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context: survey }) => survey(),
  })

  /**
   * What everybody had at the start of each round of a chain up to one, its last initialised round where none is given: a row
   * for each account and span of rounds in which nothing of it changed, by address and round. Errors as Chains.forRound, and
   * ROUND_IN_FUTURE for a round that did not begin; NOT_EXACT for Parquet where an amount does not fit.
   */
  async file(
    chains: Chains,
    { network, toRound }: { network: string | undefined; toRound: number | null },
    format: HistoryFormat,
    headPlace: HeadPlace = 'FIRST',
  ): Promise<HistoryFile> {
    const view = toRound === null ? chains.forNow(network) : chains.forRound(toRound, network)
    const round = toRound ?? view.facts.currentRound
    const facts = view.factsFor(round)
    const fixedBy = facts.stake.roundFrom(round)
    if (fixedBy === undefined) {
      throw new ApiError(
        'ROUND_IN_FUTURE',
        `Round ${round} did not begin yet: histories up to rounds ${facts.firstRound} to ${facts.currentRound} can be asked`,
      )
    }
    const { block, blockHash } = fixedBy
    const { deployment } = facts.head
    const survey = await this.#surveys.forceFetch(JSON.stringify([view.network, deployment, round, blockHash]), {
      context: () => newSurvey(view, facts, round),
    })
    if (format === 'parquet' && survey.largest >= DECIMAL_END) {
      const message = `An amount or factor of this chain is ${survey.largest}, more than the DECIMAL(38,0) of Parquet holds; CSV and NDJSON have it`
      throw new ApiError('NOT_EXACT', message)
    }
    const final = block <= facts.mark
    const head: Head = {
      format: 'livepeer-governance/history/1',
      rule: 'positions at the start of rounds, 1',
      network: view.network,
      firstRound: facts.firstRound,
      toRound: round,
      final,
      block,
      blockHash,
      inexactRounds: survey.inexactRounds,
      note: isL1(facts) ? L1_NOTE : null,
      rows: survey.rows,
    }
    // It names what the file says, not its bytes: those of a Parquet file are its writer's choice.
    const hash = createHash('sha256').update(JSON.stringify([format, headPlace, deployment, head]))
    return {
      final,
      etag: `W/"${hash.digest('base64url')}"`,
      pieces: () => pieces(head, facts, round, format, headPlace),
    }
  }
}

function isL1({ totals }: Facts): boolean {
  return totals.l1 !== null
}

function* spans(facts: Facts, toRound: number): Generator<StakeSpan> {
  const { stake } = facts
  const isDelegatesOnly = isL1(facts)
  for (const account of stake.accounts()) {
    yield* isDelegatesOnly ? stake.delegateSpans(account, toRound) : stake.spans(account, toRound)
  }
}

async function newSurvey(view: ChainView, facts: Facts, toRound: number): Promise<Survey> {
  let rows = 0
  let largest = 0n
  const columns = isL1(facts) ? L1_COLUMNS : COLUMNS
  const amounts = columns.filter(({ type }) => type === 'DECIMAL')
  for (const batch of batches(spans(facts, toRound), A_TURN)) {
    for (const row of batch) {
      rows += 1
      for (const { cellOf } of amounts) {
        const amount = cellOf(row)
        if (typeof amount === 'bigint' && amount > largest) largest = amount
      }
    }
    await nextTurn()
  }
  return { rows, largest, inexactRounds: await inexactRounds(view, facts, toRound) }
}

async function inexactRounds(view: ChainView, facts: Facts, toRound: number): Promise<string | null> {
  const ranges: { first: number; last: number }[] = []
  let wasExact = true
  for (const [index, { number }] of facts.stake.rounds.entries()) {
    if (number > toRound) break
    const isExact = !(view.atRound(number).totals().totalActiveStake instanceof ApiError)
    const range = ranges.at(-1)
    if (!isExact && (wasExact || range === undefined)) ranges.push({ first: number, last: number })
    else if (!isExact && range !== undefined) range.last = number
    wasExact = isExact
    if (index % A_TURN === A_TURN - 1) await nextTurn()
  }
  return ranges.length === 0
    ? null
    : ranges.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(' ')
}

async function* pieces(
  head: Head,
  facts: Facts,
  toRound: number,
  format: HistoryFormat,
  headPlace: HeadPlace,
): AsyncGenerator<Buffer> {
  const columns = isL1(facts) ? L1_COLUMNS : COLUMNS
  const rows = spans(facts, toRound)
  const made =
    format === 'parquet' ? parquetOf(head, columns, rows) : textOf({ head, columns, rows }, format, headPlace)
  for (const piece of made) {
    yield Buffer.from(piece)
    await nextTurn()
  }
}

/** A Parquet file, a row group at a time; what it says of itself is in its key-value metadata. */
function* parquetOf(head: Head, columns: readonly HistoryColumn[], rows: Iterable<StakeSpan>): Generator<Uint8Array> {
  const kvMetadata = Object.entries(head).map(([key, value]) => ({ key, value: headText(value) }))
  const writer = new ByteWriter()
  const parquet = new ParquetWriter({ writer, schema: PARQUET_SCHEMA, kvMetadata, createdBy: 'livepeer-governance' })
  for (const batch of batches(rows, ROW_GROUP)) {
    const columnData = columns.map(({ name, cellOf }) => ({ name, data: batch.map(cellOf) }))
    parquet.write({ columnData, rowGroupSize: ROW_GROUP })
    yield writer.getBytes()
    // What was taken is copied by then, and offsets go on counting.
    writer.index = 0
  }
  parquet.finish()
  yield writer.getBytes()
}
