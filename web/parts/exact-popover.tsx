import { useEffect, useRef, useState } from 'preact/hooks'
import { decimal } from '../amounts.ts'
import { CopyButton } from './panel.tsx'

/** Tells all digits of the amount that was clicked, to be copied as tokens or as wei. */
export function ExactPopover() {
  const box = useRef<HTMLDivElement>(null)
  const [shown, setShown] = useState<{ wei: string; unit: string } | undefined>(undefined)
  useEffect(() => {
    const show = (event: MouseEvent) => {
      const target = event.target as HTMLElement
      // Within a link or a head that sorts, a click means that.
      // By the keyboard it is the button that is clicked.
      const amount = (target.closest?.('data.amount') ??
        target.closest?.('.amount-button')?.querySelector('data.amount') ??
        null) as HTMLDataElement | null
      if (amount === null || amount.closest('a, .sort, summary') !== null || box.current?.contains(amount) === true)
        return
      const place = amount.getBoundingClientRect()
      setShown({ wei: amount.value, unit: amount.dataset.unit ?? '' })
      const element = box.current
      if (element === null) return
      element.showPopover()
      element.style.top = `${Math.max(8, place.bottom + 6)}px`
      element.style.left = `${Math.max(8, Math.min(place.left, innerWidth - element.offsetWidth - 12))}px`
    }
    addEventListener('click', show)
    return () => removeEventListener('click', show)
  }, [])
  const exact = shown === undefined ? '' : decimal(BigInt(shown.wei))
  return (
    <div ref={box} popover="auto" class="exact" role="dialog" aria-label="The whole amount">
      <p class="exact-amount">
        {exact} <span class="unit">{shown?.unit}</span>
      </p>
      <p class="unit">{shown?.wei} wei</p>
      <p class="trouble-foot">
        <CopyButton text={() => exact}>Copy {shown?.unit || 'amount'}</CopyButton>
        <CopyButton text={() => shown?.wei ?? ''}>Copy wei</CopyButton>
      </p>
    </div>
  )
}
