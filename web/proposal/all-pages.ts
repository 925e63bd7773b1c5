import { useEffect, useMemo, useState } from 'preact/hooks'
import { type Asked, ask, type Document, useAnswer } from '../ask.ts'
import type { Problem } from '../problems.ts'

/** A page of a list. */
interface Connection<Node> {
  totalCount: number
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
  nodes: readonly Node[]
}

/** A list as far as it is at hand. */
export interface AllPages<Data, Node> {
  /** The first page, with its problems. */
  asked: Asked<Data>
  nodes: readonly Node[]
  /** How many there are in all. */
  total: number
  /** Whether all are at hand. */
  isWhole: boolean
  /** Why the rest is not. */
  problem: Problem | undefined
}

const NOTHING = { nodes: [], isWhole: false, problem: undefined }

/** All rows of a long list, one page after the other; those at hand are there at once. */
export function useAllPages<Data, Node, Variables extends object>(
  document: Document<Data, Variables & { after?: string | null }>,
  variables: Variables,
  connectionOf: (data: Data) => Connection<Node> | null | undefined,
): AllPages<Data, Node> {
  const asked = useAnswer(document, variables)
  const first = asked.answer?.data ? connectionOf(asked.answer.data) : undefined
  // Of another block when the first page is asked anew: the rest has to be of the same.
  const key = `${JSON.stringify(variables)} ${first?.pageInfo.endCursor}`
  const [rest, setRest] = useState<{ key: string; nodes: readonly Node[]; isWhole: boolean; problem?: Problem }>({
    key: '',
    nodes: [],
    isWhole: false,
  })
  useEffect(() => {
    if (!first?.pageInfo.hasNextPage) return
    let over = false
    const load = async () => {
      const nodes: Node[] = []
      let end = first.pageInfo
      while (!over && end.hasNextPage) {
        const { data, problems } = await ask(document, { ...variables, after: end.endCursor })
        const next = data === null ? undefined : connectionOf(data)
        if (over) return
        if (!next) {
          const problem = problems[0] ?? { code: 'UNREACHABLE', message: 'The API answered nothing' }
          setRest({ key, nodes: [...nodes], isWhole: false, problem })
          return
        }
        nodes.push(...next.nodes)
        end = next.pageInfo
        setRest({ key, nodes: [...nodes], isWhole: !end.hasNextPage })
      }
    }
    void load()
    return () => {
      over = true
    }
  }, [key])
  const more = rest.key === key ? rest : NOTHING
  // The same array for the same rows: what is worked out of all of them is so once.
  const nodes = useMemo(() => [...(first?.nodes ?? []), ...more.nodes], [first, more.nodes])
  return {
    asked,
    nodes,
    total: first?.totalCount ?? 0,
    isWhole: first !== undefined && first !== null && (!first.pageInfo.hasNextPage || more.isWhole),
    problem: more.problem,
  }
}
