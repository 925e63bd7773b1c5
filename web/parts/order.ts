/** As a table is ordered. */
interface Order {
  column: string
  descending: boolean
}

/** A column's name as addresses have it. */
function slugOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-')
}

/** The order that an address asks for, `votes` or, from most to least, `-votes`; undefined where there is no such column. */
export function orderOf(text: string | undefined, columns: readonly { name: string }[]): Order | undefined {
  const descending = text?.startsWith('-') === true
  const slug = descending ? text?.slice(1) : text
  const column = columns.find(({ name }) => slugOf(name) === slug)?.name
  return column === undefined ? undefined : { column, descending }
}

/** An order as addresses have it. */
export function orderText({ column, descending }: Order): string {
  return `${descending ? '-' : ''}${slugOf(column)}`
}
