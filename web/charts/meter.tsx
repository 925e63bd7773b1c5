import type { ComponentChildren } from 'preact'
import { percentText } from '../amounts.ts'
import { type Part, SplitBar } from './bars.tsx'

/** How far something is reached: a bar of parts of a whole, with the mark that it has to come to. */
export function Meter({
  name,
  isReached,
  isOpen,
  parts,
  whole,
  wholeName,
  mark,
  children,
}: {
  name: string
  isReached: boolean
  /** Whether it can still change. */
  isOpen: boolean
  parts: readonly Part[]
  whole: bigint
  wholeName: string
  mark: { at: bigint; name: string }
  children?: ComponentChildren
}) {
  const sum = parts.reduce((all, { amount }) => all + amount, 0n)
  return (
    <div class={isOpen ? 'meter open' : 'meter'}>
      <p class="meter-head">
        <b>{name}</b>
        <span class={isReached ? 'verdict yes' : 'verdict no'}>
          <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
            <path d={isReached ? 'M2 9 L6 13 L14 3' : 'M3 3 L13 13 M13 3 L3 13'} />
          </svg>{' '}
          {isReached ? 'reached' : 'not reached'}
          {isOpen && ' so far'}
        </span>
        <span class="meter-figure">
          {percentText(sum, whole)} <span class="unit">of {wholeName}</span>
        </span>
      </p>
      <SplitBar label={name} parts={parts} whole={whole} mark={mark} />
      <div class="meter-foot">{children}</div>
    </div>
  )
}
