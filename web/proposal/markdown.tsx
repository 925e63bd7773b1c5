import { type ComponentChildren, h } from 'preact'
import { useMemo } from 'preact/hooks'
import { markdownPieces, type Piece } from './markdown-pieces.ts'

/** Anybody's Markdown, as elements of an allow-list. */
export default function Markdown({ source }: { source: string }) {
  const pieces = useMemo(() => markdownPieces(source), [source])
  return (
    <div class="prose" dir="auto">
      {pieces.map(element)}
    </div>
  )
}

function element(piece: Piece | string): ComponentChildren {
  if (typeof piece === 'string') return piece
  const { tag, href = '', host = '', start, children } = piece
  const inner = children.map(element)
  switch (tag) {
    case 'a':
      return (
        <>
          <a href={href} rel="noopener noreferrer nofollow ugc">
            {inner}
          </a>
          {children.length === 1 && (children[0] === href || children[0] === host) ? '' : <small> ({host})</small>}
        </>
      )
    case 'table':
      // A table that is wider than the page scrolls by itself, by the keyboard too.
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
        // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls
        <div class="table-scroll" role="group" tabIndex={0} aria-label="A table of the text">
          <table>{inner}</table>
        </div>
      )
    case 'th':
      return <th scope="col">{inner}</th>
    case 'pre':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
        <pre tabIndex={0}>{inner}</pre>
      )
    default:
      return h(tag, start === undefined ? {} : { start }, ...inner)
  }
}
