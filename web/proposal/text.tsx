import { useState } from 'preact/hooks'
import { ErrorBoundary, lazy } from 'preact-iso'
import { countText } from '../amounts.ts'
import { CopyButton } from '../parts/panel.tsx'

const Markdown = lazy(() => import('./markdown.tsx'))

/** Longer texts are folded. */
const FOLDED_FROM = 2_500

/** What is proposed, in its maker's words: formatted, and as it was written at a click. */
export function ProposalText({ source }: { source: string }) {
  const [isSource, setSource] = useState(false)
  const [isWhole, setWhole] = useState(source.length < FOLDED_FROM)
  return (
    <>
      <div class={isWhole ? 'text' : 'text folded'}>
        {isSource ? (
          <pre class="as-written" dir="auto">
            {source}
          </pre>
        ) : (
          <ErrorBoundary>
            <Markdown source={source} />
          </ErrorBoundary>
        )}
      </div>
      <p class="trouble-foot">
        {source.length >= FOLDED_FROM && (
          <button type="button" class="link" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? 'Show less' : `Show all ${countText(source.length)} characters`}
          </button>
        )}
        <button type="button" class="link" aria-pressed={isSource} onClick={() => setSource(!isSource)}>
          As it was written
        </button>
        <CopyButton text={() => source}>Copy it</CopyButton>
        <span>Anybody can propose anything: links lead where nobody here has looked.</span>
      </p>
    </>
  )
}
