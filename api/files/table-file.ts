// Tables as files: the same bytes for the same table. Pure.

import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { stringify } from 'csv-stringify/sync'

/** What a cell can hold; an amount is a bigint of wei. */
export type Cell = string | number | bigint | boolean | null

/** What a file says of itself before its rows. */
export type Head = Readonly<Record<string, Cell | readonly Readonly<Record<string, Cell>>[]>>

/** A table to make a file of. */
export interface Table<Row> {
  head: Head
  columns: readonly Column<Row>[]
  rows: Iterable<Row>
}

/** A column by its name. */
export interface Column<Row> {
  name: string
  cellOf: (row: Row) => Cell
  /** Whether its text is anybody's, and so could be taken for a formula by a spreadsheet. */
  isFreeText?: boolean
}

/** The formats of files, by the ending of their names. */
export const FORMATS = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
} as const

/** Whether a table's head stands before its rows, where its format can do without. */
export type HeadPlace = 'FIRST' | 'NONE'

/** The ending of a file's name. */
export type Format = keyof typeof FORMATS

/** A whole file in pieces, with the hash of its bytes. */
export interface RenderedFile {
  pieces: readonly Buffer[]
  length: number
  sha256: Buffer
}

/** Rows rendered at once: what takes a few milliseconds, so that other requests are not kept waiting. */
const BATCH = 500

/** A table as a file; JSON has its head always, as its rows are beside it. */
export function renderTable<Row>(
  table: Table<Row>,
  format: Format,
  headPlace: HeadPlace = 'FIRST',
): Promise<RenderedFile> {
  return renderPieces(WRITERS[format](table, headPlace))
}

/** Texts, one after the other, as a file; other requests have their turn between them. */
export async function renderPieces(texts: Iterable<string>): Promise<RenderedFile> {
  const pieces: Buffer[] = []
  const hash = createHash('sha256')
  let length = 0
  for (const text of texts) {
    const piece = Buffer.from(text)
    pieces.push(piece)
    hash.update(piece)
    length += piece.length
    await setImmediate()
  }
  return { pieces, length, sha256: hash.digest() }
}

/** A table as the text of a file, some rows at a time. */
export function textOf<Row>(table: Table<Row>, format: Format, headPlace: HeadPlace): Generator<string> {
  return WRITERS[format](table, headPlace)
}

/** The bytes from `start` to before `end`, as they lie in the pieces of a file. */
export function* bytesOf({ pieces }: RenderedFile, start: number, end: number): Generator<Buffer> {
  let offset = 0
  for (const piece of pieces) {
    const from = Math.max(start - offset, 0)
    const to = Math.min(end - offset, piece.length)
    if (from < to) yield piece.subarray(from, to)
    offset += piece.length
    if (offset >= end) return
  }
}

const WRITERS: Record<Format, <Row>(table: Table<Row>, headPlace: HeadPlace) => Generator<string>> = {
  csv,
  json,
  ndjson,
}

function* csv<Row>({ head, columns, rows }: Table<Row>, headPlace: HeadPlace): Generator<string> {
  const comments = Object.entries(headPlace === 'NONE' ? {} : head).map(
    ([name, value]) => `# ${name}: ${headText(value)}\n`,
  )
  yield `${comments.join('')}${columns.map(({ name }) => name).join(',')}\n`
  for (const batch of batches(rows)) {
    yield stringify(
      batch.map((row) => columns.map((column) => csvCell(column, column.cellOf(row)))),
      { quoted_match: /[;#\t\r]/ },
    )
  }
}

function* json<Row>({ head, columns, rows }: Table<Row>): Generator<string> {
  yield `{"header":${jsonText(head)},\n"rows":[`
  let isFirst = true
  for (const batch of batches(rows)) {
    yield batch
      .map((row) => {
        const line = `${isFirst ? '' : ','}\n${jsonText(recordOf(columns, row))}`
        isFirst = false
        return line
      })
      .join('')
  }
  yield '\n]}\n'
}

function* ndjson<Row>({ head, columns, rows }: Table<Row>, headPlace: HeadPlace): Generator<string> {
  if (headPlace === 'FIRST') yield `${jsonText(head)}\n`
  for (const batch of batches(rows)) yield batch.map((row) => `${jsonText(recordOf(columns, row))}\n`).join('')
}

/** Rows by so many at a time. */
export function* batches<Row>(rows: Iterable<Row>, size = BATCH): Generator<Row[]> {
  let batch: Row[] = []
  for (const row of rows) {
    batch.push(row)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function recordOf<Row>(columns: readonly Column<Row>[], row: Row): Record<string, Cell> {
  return Object.fromEntries(columns.map(({ name, cellOf }) => [name, cellOf(row)]))
}

/** What a head says as one line. */
export function headText(value: Head[string]): string {
  return value === null ? '' : typeof value === 'object' ? jsonText(value) : String(value)
}

/** JSON with amounts as decimal strings, and U+FFFD for half a character, which would be spelled but is no text. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'string') return part.toWellFormed()
    return typeof part === 'bigint' ? String(part) : part
  })
}

/**
 * What spreadsheets take for the beginning of a formula, behind blanks too, and where a semicolon is taken for the end of a
 * cell; and the mark itself, so that it can be taken off again.
 */
const FORMULA = /^[\t\r\n]|(?:^|;)[\s\uFEFF]*['=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/

/** A cell as text; free text that could be a formula has an apostrophe before it. */
function csvCell<Row>({ isFreeText }: Column<Row>, value: Cell): string {
  const text = value === null ? '' : String(value)
  return isFreeText && FORMULA.test(text) ? `'${text}` : text
}
