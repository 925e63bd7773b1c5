import { useEffect, useReducer } from 'preact/hooks'
import { countText, percentText } from '../amounts.ts'
import { useAnswer } from '../ask.ts'
import { FrameDocument, type FrameQuery } from '../generated/frame.ts'
import { day, shortAge } from '../moments.ts'
import { Trouble } from './panel.tsx'

type Chain = FrameQuery['status'][number]

/** Where each chain stands: under the head of every page, as each figure below is of that block. */
export function Freshness() {
  const asked = useAnswer(FrameDocument, {})
  const [, tick] = useReducer((count: number) => count + 1, 0)
  useEffect(() => {
    const timer = setInterval(() => tick(undefined as never), 1_000)
    return () => clearInterval(timer)
  }, [])
  const { answer } = asked
  const unreached = answer?.problems.find(({ path }) => path === undefined)
  const age = answer === undefined ? 0 : (Date.now() - answer.receivedAt) / 1_000
  return (
    <section class="freshness" aria-label="Where each chain stands">
      <ul>
        {(answer?.data?.status ?? []).map((chain) => (
          <li key={chain.network} class={toneOf(chain)}>
            <a href="/chains">{chain.network}</a> · <Standing chain={chain} />{' '}
            <span class="unit">· {shortAge(age + (chain.ageSeconds ?? 0))} ago</span>
          </li>
        ))}
      </ul>
      {unreached !== undefined && <Trouble problem={unreached} {...asked} old={answer?.data !== null} />}
    </section>
  )
}

function toneOf({ error, trouble, stale, synced, contradictionCount, verification }: Chain): string {
  if (error !== null || trouble !== null || verification.differenceCount > 0) return 'bad'
  return stale || !synced || contradictionCount > 0 ? 'warned' : 'good'
}

function Standing({ chain }: { chain: Chain }) {
  const { block, headBlock, round, timestamp, error, trouble, stale, synced, lagBlocks, lagSeconds } = chain
  const { contradictionCount, verification } = chain
  const { differenceCount } = verification
  const at = (
    <>
      block <b>{countText(BigInt(block))}</b>
      {round !== null && <> · round {countText(round)}</>}
    </>
  )
  if (error !== null) return <>does not answer; as of {at}</>
  if (trouble !== null) return <span title={trouble}>kept from going on; as of {at}</span>
  if (!synced && headBlock !== null && BigInt(headBlock) > BigInt(block)) {
    return (
      <>
        indexing: {at} of {countText(BigInt(headBlock))} ({percentText(BigInt(block), BigInt(headBlock), 0)}), up to{' '}
        {day(timestamp)}
      </>
    )
  }
  return (
    <>
      {at}
      {stale && (
        <> · {lagSeconds === null ? `${countText(BigInt(lagBlocks ?? 0))} blocks` : shortAge(lagSeconds)} behind</>
      )}
      {!stale && !synced && <> · not known whether it is all</>}
      {contradictionCount > 0 && <> · {countText(contradictionCount)} contradictions</>}
      {differenceCount > 0 && <> · {countText(differenceCount)} values differ from the contracts</>}
    </>
  )
}
