import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core'
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef } from 'preact/hooks'
import { compareAmounts, countText } from '../amounts.ts'
import { useGrowing } from './later.tsx'

/** A column of a table: what a cell shows, and what it is sorted and searched by. */
export interface Column<Row> {
  name: string
  /** What the column says, for whoever does not know the word. */
  about?: string
  cell: (row: Row, index: number) => ComponentChildren
  /** Sorted by this; a column without is not sorted by. */
  by?: (row: Row) => bigint | number | string
  /** What typing into the filter looks through; of text only. */
  text?: (row: Row) => string
  /** Numbers stand at the right. */
  number?: boolean
  /** What its amounts are of, said once in the head. */
  unit?: string
  /** Takes what room is left. */
  wide?: boolean
  /** Left out on narrow screens. */
  minor?: boolean
}

/** Which column rows are sorted by, and whether from most to least. */
export interface Order {
  column: string
  descending: boolean
}

/** Tables longer than this show only the rows that are looked at: a row is some 20 nodes, a page should be 1,500. */
const WINDOWED_FROM = 75
/** So many rows of a shorter one are drawn at a time. */
const ROWS_AT_ONCE = 20
const ROW_HEIGHT = 41

/**
 * Rows to compare: sorted by a click on a column's head, filtered by typing. A long one is windowed, with a switch that
 * shows all of it for printing and for the browser's own search.
 */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  order,
  onOrder,
  filter,
  onFilter,
  filterName = 'Filter',
  total,
  tools,
}: {
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  /** As the page's address has it; as given where there is none. */
  order?: Order | undefined
  onOrder?: ((order: Order) => void) | undefined
  filter?: string | undefined
  onFilter?: ((text: string) => void) | undefined
  filterName?: string
  /** How many there are beyond those at hand. */
  total?: number | undefined
  tools?: ComponentChildren
}) {
  const [isPlain, setPlain] = useReducer((_: boolean, next: boolean) => next, false)
  const shown = useMemo(() => arranged(rows, columns, order, filter), [rows, columns, order, filter])
  const isWindowed = shown.length > WINDOWED_FROM && !isPlain
  const isFiltered = shown.length !== rows.length
  return (
    <div class="table">
      {(onFilter !== undefined || tools !== undefined || shown.length > WINDOWED_FROM) && (
        <div class="table-tools">
          {onFilter !== undefined && (
            <label>
              {filterName}{' '}
              <input type="search" value={filter ?? ''} onInput={(event) => onFilter(event.currentTarget.value)} />
            </label>
          )}
          {tools}
          <output class="table-count">
            {isFiltered ? `${countText(shown.length)} of ${countText(rows.length)}` : countText(rows.length)}
            {total !== undefined && total > rows.length ? ` at hand, ${countText(total)} in all` : ' rows'}
          </output>
          {shown.length > WINDOWED_FROM && (
            <label>
              <input type="checkbox" checked={isPlain} onChange={(event) => setPlain(event.currentTarget.checked)} />{' '}
              plain table, to print or search
            </label>
          )}
        </div>
      )}
      {isWindowed ? (
        <Windowed caption={caption} columns={columns} rows={shown} keyOf={keyOf} order={order} onOrder={onOrder} />
      ) : (
        <Whole caption={caption} columns={columns} rows={shown} keyOf={keyOf} order={order} onOrder={onOrder} />
      )}
    </div>
  )
}

/** Rows that fit the filter, in order. */
function arranged<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  order: Order | undefined,
  filter: string | undefined,
): readonly Row[] {
  const wanted = (filter ?? '').trim().toLowerCase()
  const texts = columns.flatMap(({ text }) => text ?? [])
  const fitting =
    wanted === '' ? rows : rows.filter((row) => texts.some((text) => text(row).toLowerCase().includes(wanted)))
  const by = columns.find(({ name }) => name === order?.column)?.by
  if (by === undefined || order === undefined) return fitting
  const sign = order.descending ? -1 : 1
  return fitting
    .map((row) => ({ row, value: by(row) }))
    .sort((a, b) => sign * compareValues(a.value, b.value))
    .map(({ row }) => row)
}

function compareValues(a: bigint | number | string, b: bigint | number | string): number {
  if (typeof a === 'bigint' && typeof b === 'bigint') return compareAmounts(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

function Head<Row>({
  columns,
  order,
  onOrder,
}: {
  columns: readonly Column<Row>[]
  order: Order | undefined
  onOrder: ((order: Order) => void) | undefined
}) {
  return (
    <thead>
      <tr>
        {columns.map(({ name, about, by, number, unit, minor, wide }) => {
          const sorted = order?.column === name ? (order.descending ? 'descending' : 'ascending') : undefined
          const next = { column: name, descending: sorted === undefined ? number === true : sorted === 'ascending' }
          return (
            <th key={name} scope="col" aria-sort={sorted} class={classes({ number, minor, wide })} title={about}>
              {by === undefined || onOrder === undefined ? (
                name
              ) : (
                <button type="button" class="sort" onClick={() => onOrder(next)}>
                  {name}
                  <span aria-hidden="true">{sorted === 'descending' ? ' ↓' : sorted === 'ascending' ? ' ↑' : ''}</span>
                </button>
              )}
              {unit !== undefined && <span class="unit"> {unit}</span>}
            </th>
          )
        })}
      </tr>
    </thead>
  )
}

function Cells<Row>({
  columns,
  row,
  index,
  rowIndex,
}: {
  columns: readonly Column<Row>[]
  row: Row
  index: number
  rowIndex?: number
}) {
  return (
    <tr aria-rowindex={rowIndex}>
      {columns.map(({ name, cell, number, minor, wide }) => (
        <td key={name} class={classes({ number, minor, wide })}>
          {cell(row, index)}
        </td>
      ))}
    </tr>
  )
}

function classes(of: Record<string, boolean | undefined>): string | undefined {
  const names = Object.keys(of).filter((name) => of[name] === true)
  return names.length === 0 ? undefined : names.join(' ')
}

/** Rows in the order they are shown in. */
interface Rows<Row> {
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  order: Order | undefined
  onOrder: ((order: Order) => void) | undefined
}

/** All rows, those further down in turns of their own. */
function Whole<Row>({ caption, columns, rows, keyOf, order, onOrder }: Rows<Row>) {
  const drawn = useGrowing(rows.length, ROWS_AT_ONCE)
  return (
    // A region that scrolls sideways is reached by the keyboard too.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section class="table-scroll" tabIndex={0} aria-label={caption} aria-busy={drawn < rows.length}>
      <table>
        <caption class="unseen">{caption}</caption>
        <Head columns={columns} order={order} onOrder={onOrder} />
        <tbody>
          {rows.slice(0, drawn).map((row, index) => (
            <Cells key={keyOf(row)} columns={columns} row={row} index={index} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** Only the rows that are looked at, with empty ones of the others' height around them. */
function Windowed<Row>({ caption, columns, rows, keyOf, order, onOrder }: Rows<Row>) {
  const scroll = useRef<HTMLElement>(null)
  const [, render] = useReducer((count: number) => count + 1, 0)
  const virtual = useRef<Virtualizer<HTMLElement, Element> | undefined>(undefined)
  const options = {
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    initialRect: { width: 0, height: 640 },
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => render(undefined as never),
  }
  virtual.current ??= new Virtualizer<HTMLElement, Element>(options)
  const current = virtual.current
  current.setOptions(options)
  useEffect(() => current._didMount(), [])
  useLayoutEffect(() => current._willUpdate())
  const items = current.getVirtualItems()
  const [first] = items
  const last = items.at(-1)
  const before = first?.start ?? 0
  const after = last === undefined ? 0 : current.getTotalSize() - last.end
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section class="table-scroll windowed" ref={scroll} tabIndex={0} aria-label={caption}>
      <table aria-rowcount={rows.length + 1}>
        <caption class="unseen">{caption}</caption>
        <Head columns={columns} order={order} onOrder={onOrder} />
        <tbody>
          {before > 0 && <Space height={before} columns={columns.length} />}
          {items.flatMap(({ index }) => {
            const row = rows[index]
            return row === undefined
              ? []
              : [<Cells key={keyOf(row)} columns={columns} row={row} index={index} rowIndex={index + 2} />]
          })}
          {after > 0 && <Space height={after} columns={columns.length} />}
        </tbody>
      </table>
    </section>
  )
}

function Space({ height, columns }: { height: number; columns: number }) {
  return (
    <tr class="space">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  )
}
