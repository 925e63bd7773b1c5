import type { ComponentChildren } from 'preact'
import { useEffect, useReducer } from 'preact/hooks'
import { Skeleton } from './panel.tsx'

const waiting = new Set<() => void>()
let isScheduled = false

/** Does something once the browser has nothing else to do; of several one at a time, in the order asked. Gives what takes it back. */
function whenIdle(run: () => void): () => void {
  waiting.add(run)
  schedule()
  return () => waiting.delete(run)
}

function schedule(): void {
  if (isScheduled || waiting.size === 0) return
  isScheduled = true
  const next = () => {
    isScheduled = false
    const [run] = waiting
    if (run !== undefined) {
      waiting.delete(run)
      run()
    }
    schedule()
  }
  // Safari has no idle callback.
  if (typeof requestIdleCallback === 'function') requestIdleCallback(next, { timeout: 200 })
  else setTimeout(next, 1)
}

/** What is further down a page: drawn in a turn of its own, so that no one stretch of work holds up the reader's hand. */
export function Later({ rows, children }: { rows: number; children: ComponentChildren }) {
  const [isDue, come] = useReducer(() => true, false)
  useEffect(() => whenIdle(() => come(undefined as never)), [])
  return isDue ? children : <Skeleton rows={rows} />
}

/** How many of a list are drawn yet: `step` at first, and as many more in each turn. */
export function useGrowing(total: number, step: number): number {
  const [drawn, grow] = useReducer((count: number) => count + step, step)
  const isWhole = drawn >= total
  useEffect(() => (isWhole ? undefined : whenIdle(() => grow(undefined as never))), [drawn, isWhole])
  return Math.min(drawn, total)
}
