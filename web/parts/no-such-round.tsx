import { countText } from '../amounts.ts'
import type { Problem } from '../problems.ts'
import { Trouble } from './panel.tsx'
import { placeWith } from './place.ts'
import type { RoundSpan } from './round-span.ts'

/** Why a round cannot be asked, and the nearest that can. */
export function NoSuchRound({
  problem,
  span,
  query,
}: {
  problem: Problem
  span: RoundSpan | undefined
  query: Readonly<Record<string, string>>
}) {
  return (
    <>
      <Trouble problem={problem} />
      {span !== undefined && (
        <p>
          <a href={placeWith(`/snapshots/${span.first}`, query, {})}>The first round, {countText(span.first)}</a> ·{' '}
          <a href={placeWith(`/snapshots/${span.last - 1}`, query, {})}>the latest, {countText(span.last - 1)}</a> ·{' '}
          <a href={placeWith(`/snapshots/${span.last}`, query, {})}>as things stand now, {countText(span.last)}</a>
        </p>
      )}
    </>
  )
}
