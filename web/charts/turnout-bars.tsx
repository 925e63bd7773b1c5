import { percentText, shareOf } from '../amounts.ts'
import type { ProposalRowFragment } from '../generated/overview.ts'

/** A bar for each proposal, oldest first: what was cast of its electorate. More than all is drawn as all. */
export function TurnoutBars({ proposals }: { proposals: readonly ProposalRowFragment[] }) {
  const told = proposals.flatMap(({ id, title, turnout, outcome }) =>
    turnout === null
      ? []
      : [{ id, title, outcome, cast: BigInt(turnout.cast), electorate: BigInt(turnout.electorate) }],
  )
  const bars = [...told].reverse()
  const width = 100 / Math.max(bars.length, 12)
  return (
    <figure class="chart">
      <svg class="turnout-bars" viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
        {bars.map(({ id, cast, electorate, outcome }, index) => {
          const height = Math.max(shareOf(cast, electorate) * 40, 0.6)
          const kind = outcome?.passed === true ? 'for' : outcome?.passed === false ? 'against' : 'abstain'
          return (
            <rect
              key={id}
              class={`part ${kind}`}
              x={index * width + width * 0.12}
              width={width * 0.76}
              y={40 - height}
              height={height}
            />
          )
        })}
        <line class="half" x1="0" x2="100" y1="20" y2="20" />
      </svg>
      <figcaption>
        <ul class="legend">
          <li>
            <span class="key for" aria-hidden="true" />
            passed
          </li>
          <li>
            <span class="key against" aria-hidden="true" />
            failed
          </li>
          <li>
            <span class="key abstain" aria-hidden="true" />
            open or canceled
          </li>
        </ul>
        <details>
          <summary>The same as a table</summary>
          <table>
            <caption class="unseen">Turnout of the latest proposals</caption>
            <thead>
              <tr>
                <th scope="col">Proposal</th>
                <th scope="col" class="number">
                  Cast of the electorate
                </th>
              </tr>
            </thead>
            <tbody>
              {told.map(({ id, title, cast, electorate }) => (
                <tr key={id}>
                  <td>
                    <a href={`/proposals/${id}`}>{title}</a>
                  </td>
                  <td class="number">{percentText(cast, electorate)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      </figcaption>
    </figure>
  )
}
