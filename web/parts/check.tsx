import './check.css'
import type { ComponentChildren } from 'preact'

/** One of some statements that were tried here, in this browser: whether it holds is told by shape, colour and word. */
export function Check({ holds, children }: { holds: boolean; children: ComponentChildren }) {
  return (
    <li class={`check ${holds ? 'holds' : 'fails'}`}>
      <Tick holds={holds} />
      <span>{children}</span>
    </li>
  )
}

/** A tick or a cross, with its word for who does not see it. */
export function Tick({ holds }: { holds: boolean }) {
  return (
    <svg class={holds ? 'tick-mark holds' : 'tick-mark fails'} viewBox="0 0 16 16" width="16" height="16" role="img">
      <title>{holds ? 'Yes:' : 'No:'}</title>
      <path d={holds ? 'M2.5 8.5 6.5 12.5 13.5 4' : 'M3.5 3.5 12.5 12.5M12.5 3.5 3.5 12.5'} />
    </svg>
  )
}
