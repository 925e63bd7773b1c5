import Table from 'cli-table3'
import { formatUnits } from 'viem'

/** A row of a file of the API; amounts are decimal strings of wei. */
export type Row = Readonly<Record<string, unknown>>

/** How a table is shown in a terminal. */
export interface TableLayout {
  /** Those of the file's columns that fit; all where not given. */
  columns?: readonly string[]
  /** Columns of wei, shown exactly in whole tokens. */
  amounts: readonly string[]
}

/** The layout of each command's table. */
export const LAYOUTS = {
  snapshot: {
    columns: ['account', 'votes', 'stake', 'delegate', 'isTranscoder', 'isActive'],
    amounts: ['votes', 'stake', 'bondedAmount', 'delegatedStake'],
  },
  allocation: { amounts: ['stake', 'tokens'] },
  proposals: {
    columns: ['id', 'title', 'created', 'state', 'for', 'against', 'abstain', 'quorum', 'passed'],
    amounts: ['for', 'against', 'abstain', 'electorate', 'quorum'],
  },
  votes: {
    columns: ['voter', 'choice', 'weight', 'countedWeight', 'overrides', 'time', 'reason'],
    amounts: ['weight', 'countedWeight'],
  },
  absentees: { amounts: ['power'] },
  recount: { amounts: ['weight', 'countedWeight'] },
  power: { amounts: ['votes', 'stake', 'bondedAmount', 'delegatedStake'] },
} satisfies Record<string, TableLayout>

/** Longer texts end with an ellipsis in a terminal: the files have them whole. */
const LONGEST_TEXT = 66

/** What a file says of itself, then its rows as a table. */
export function tableText(head: Row, rows: readonly Row[], { columns, amounts }: TableLayout): string {
  const names = columns ?? Object.keys(rows[0] ?? {})
  const table = new Table({
    head: [...names],
    colAligns: names.map((name) => (amounts.includes(name) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  })
  for (const row of rows) table.push(names.map((name) => cellText(row[name], amounts.includes(name))))
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${headText(value)}`)
  return `${[...lines, table.toString()].join('\n')}\n`
}

function cellText(value: unknown, isAmount: boolean): string {
  if (value === null || value === undefined) return ''
  // What is no amount is shown as it is.
  if (isAmount && /^-?\d{1,100}$/.test(String(value))) return formatUnits(BigInt(String(value)), 18)
  const text = printable(String(value))
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text
}

function headText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/** Titles and reasons are anybody's: what would steer a terminal is left out. */
function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
