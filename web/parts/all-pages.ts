import { useEffect, useReducer, useRef } from 'preact/hooks'
import { type Asked, ask, type Document, useAnswer } from '../ask.ts'
import type { Problem } from '../problems.ts'

/** A page of a list, as the API has them. */
export interface ListPage<Node> {
  nodes: readonly Node[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

/** A list of many pages, as far as it is at hand; the list is another one only when something of it is. */
export interface AllPages<Node> {
  nodes: readonly Node[]
  /** Whether nothing is missing. */
  isWhole: boolean
  /** Why no more of it comes. */
  problem: Problem | undefined
}

interface Rest<Node> {
  mark: string
  nodes: readonly Node[]
  isWhole: boolean
  problem: Problem | undefined
}

const NOTHING: readonly never[] = []

/**
 * All pages of a list, whose first is at hand: the others follow by themselves, all as of the first's block. Where that is
 * asked anew and is another, so are they.
 */
export function useAllPages<Node>(
  key: string,
  first: ListPage<Node> | null | undefined,
  next: (after: string) => Promise<ListPage<Node> | Problem>,
): AllPages<Node> {
  const [, render] = useReducer((count: number) => count + 1, 0)
  const rest = useRef<Rest<Node> | undefined>(undefined)
  const run = useRef(0)
  useEffect(
    () => () => {
      run.current = -1
    },
    [],
  )
  useEffect(() => {
    if (first === null || first === undefined) return
    const mark = `${key} ${JSON.stringify(first.nodes)}`
    if (rest.current?.mark === mark) return
    run.current += 1
    const mine = run.current
    rest.current = { mark, nodes: first.nodes, isWhole: !first.pageInfo.hasNextPage, problem: undefined }
    render(undefined as never)
    const load = async () => {
      let { pageInfo } = first
      while (pageInfo.hasNextPage && pageInfo.endCursor !== null) {
        const page = await next(pageInfo.endCursor)
        const { current } = rest
        if (run.current !== mine || current === undefined) return
        if ('code' in page) {
          rest.current = { ...current, problem: page }
          return render(undefined as never)
        }
        pageInfo = page.pageInfo
        rest.current = { ...current, nodes: [...current.nodes, ...page.nodes], isWhole: !pageInfo.hasNextPage }
        render(undefined as never)
      }
    }
    void load()
  }, [key, first])
  if (first === null || first === undefined) return { nodes: NOTHING, isWhole: false, problem: undefined }
  const { current } = rest
  // Until the effect has run, what is there may be of another list.
  const own = current?.mark.startsWith(`${key} `) === true ? current : undefined
  return {
    nodes: own === undefined || own.nodes.length === 0 ? first.nodes : own.nodes,
    isWhole: own?.isWhole ?? !first.pageInfo.hasNextPage,
    problem: own?.problem,
  }
}

/** A list that is asked for by a document of its own. */
export interface AskedPages<Data, Node> extends AllPages<Node> {
  /** The first page, with its problems. */
  asked: Asked<Data>
  /** How many there are in all; 0 before that is known. */
  total: number
}

/** All pages of the list that a document asks for. */
export function useAskedPages<Data, Node, Variables extends object>(
  document: Document<Data, Variables & { after?: string | null }>,
  variables: Variables,
  listOf: (data: Data) => (ListPage<Node> & { totalCount: number }) | null | undefined,
): AskedPages<Data, Node> {
  const asked = useAnswer(document, variables)
  const first = asked.answer?.data ? listOf(asked.answer.data) : undefined
  const pages = useAllPages(JSON.stringify(variables), first, async (after) => {
    const { data, problems } = await ask(document, { ...variables, after })
    const page = data === null ? undefined : listOf(data)
    return page ?? problems[0] ?? { code: 'UNREACHABLE', message: 'The API answered nothing' }
  })
  return { ...pages, asked, total: first?.totalCount ?? 0 }
}
