import './change.css'
import { Amount } from './figures.tsx'

/** An amount that came or went, with its sign. */
export function Change({ by, unit = '' }: { by: bigint; unit?: string }) {
  if (by === 0n) return <span class="unit">0</span>
  return (
    <span class={by > 0n ? 'change gained' : 'change lost'}>
      {by > 0n && '+'}
      <Amount wei={by} unit={unit} />
    </span>
  )
}
