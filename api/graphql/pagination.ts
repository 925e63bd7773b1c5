import { ApiError } from '../facts/errors.ts'
import { badCursor, decodeCursor } from './cursors.ts'
import type { PageEnd } from './parents.ts'

/** The most nodes of one page. */
export const MAX_PAGE = 1000

/** A page of a list, as every connection of the API returns it. */
export interface Page<Node> {
  nodes: Node[]
  pageInfo: PageEnd
}

/** `first` when it is 1 to 1,000; else BAD_USER_INPUT. */
export function pageSize(first: number | null | undefined): number {
  if (first === null || first === undefined || first < 1 || first > MAX_PAGE) {
    throw new ApiError('BAD_USER_INPUT', `first is ${first}; it must be from 1 to 1,000`)
  }
  return first
}

/** The key a cursor stands for, of the form the list expects; else BAD_USER_INPUT. Undefined for no cursor. */
export function keyAfter(after: string | null | undefined, form: RegExp): string | undefined {
  if (after === null || after === undefined) return undefined
  const { key } = decodeCursor(after)
  if (!form.test(key)) throw badCursor()
  return key
}

/** How a list is ordered, as its cursors need it. */
export interface ListOrder<Node> {
  /** What its keys look like. */
  form: RegExp
  /** The key of a node: what tells its place in the order. */
  keyOf: (node: Node) => string
  /** Whether a node comes after a place. */
  isAfter: (node: Node, key: string) => boolean
}

/** The page of a whole list that begins after the node whose key the cursor holds, whether it still is there or not. */
export function pageOf<Node>(
  list: readonly Node[],
  order: ListOrder<Node>,
  first: number | null | undefined,
  after: string | null | undefined,
): Page<Node> & { totalCount: number } {
  const size = pageSize(first)
  const key = keyAfter(after, order.form)
  const start = key === undefined ? 0 : list.findIndex((node) => order.isAfter(node, key))
  const nodes = start === -1 ? [] : list.slice(start, start + size)
  const last = nodes.at(-1)
  return {
    nodes,
    pageInfo: {
      hasNextPage: start !== -1 && start + size < list.length,
      endKey: last === undefined ? null : order.keyOf(last),
    },
    totalCount: list.length,
  }
}

/** Orders keys of numbers and a last text, separated by spaces: numbers by value, then text. */
export function compareKeys(a: string, b: string): number {
  const left = a.split(' ')
  const right = b.split(' ')
  for (const [index, part] of left.entries()) {
    const other = right[index] ?? ''
    const isNumber = /^\d+$/.test(part) && /^\d+$/.test(other)
    if (isNumber && Number(part) !== Number(other)) return Number(part) - Number(other)
    if (part !== other) return part < other ? -1 : 1
  }
  return 0
}
