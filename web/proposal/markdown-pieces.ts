// Anybody's Markdown as pieces that may be shown. Pure: text in, a tree of an allow-list out; nothing else can be in it.

import type { Nodes, Parents, PhrasingContent, Root } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'

/** All elements that a text may become. */
export const TAGS = [
  'p',
  'h3',
  'h4',
  'h5',
  'h6',
  'blockquote',
  'ul',
  'ol',
  'li',
  'pre',
  'code',
  'em',
  'strong',
  'del',
  'a',
  'hr',
  'br',
  'table',
  'thead',
  'tbody',
  'tr',
  'th',
  'td',
] as const

/** An element of a text. */
export interface Piece {
  tag: (typeof TAGS)[number]
  children: readonly (Piece | string)[]
  /** Of a link: http, https or mailto. */
  href?: string
  /** Of a link: whose site it leads to, or whom it writes to. */
  host?: string
  /** Of a numbered list. */
  start?: number
}

/** More than this is not formatted: what follows stands as it was written. */
const MOST_FORMATTED = 24_000
/** A parser takes the square of what has no blank line in it. */
const LONGEST_RUN = 6_000
/** Deeper ones stand as plain words. */
const DEEPEST = 24
/** Quotes and lists within one another at the beginning of a line, and spaces before them. */
const DEEP_LINE = /^(?:[ \t]*(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))){13}|^[ \t]{49}/
const PROTOCOLS: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:'])

/**
 * A text's elements. Raw HTML is text, images are links, a link that leads anywhere but to the web or a mailbox is its
 * words. Headings begin below a page's second level and leave none out. What would take a parser long, or nests deeper
 * than anybody writes, is plain text. Never throws.
 */
export function markdownPieces(markdown: string): Piece[] {
  const context: Context = { links: new Map(), headings: [] }
  const parts = partsOf(markdown)
  const parsed = parts.map(({ text, isTame }) => (isTame ? parse(text) : null) ?? text)
  for (const root of parsed) if (typeof root !== 'string') collectLinks(root, context.links)
  return parsed.flatMap((root) => (typeof root === 'string' ? plain(root) : blocks(root, context, 0)))
}

interface Context {
  /** What references lead to. */
  links: Map<string, string>
  /** Depths of the headings that the current one stands under. */
  headings: number[]
}

function parse(text: string): Root | null {
  try {
    return fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] })
  } catch {
    return null
  }
}

/** Parts of a text that are formatted, each as long as can be, and between them those that are not. */
function partsOf(markdown: string): { text: string; isTame: boolean }[] {
  const parts: { text: string; isTame: boolean }[] = []
  let formatted = 0
  for (const run of runsOf(markdown.replace(/\r\n?/g, '\n'))) {
    const isTame = run.isTame && formatted + run.text.length <= MOST_FORMATTED
    if (isTame) formatted += run.text.length
    // Once one is too much, so is the rest.
    else if (run.isTame) formatted = MOST_FORMATTED
    const last = parts.at(-1)
    if (last?.isTame === isTame) last.text += run.text
    else parts.push({ text: run.text, isTame })
  }
  return parts
}

/** Lines up to a blank one, fenced code in one piece. */
function runsOf(text: string): { text: string; isTame: boolean }[] {
  const runs: { text: string; isTame: boolean }[] = []
  let lines: string[] = []
  let length = 0
  let isDeep = false
  let fence: string | undefined
  let hasFence = false
  const end = () => {
    if (length > 0) runs.push({ text: lines.join(''), isTame: !isDeep && (hasFence || length <= LONGEST_RUN) })
    lines = []
    length = 0
    isDeep = false
    hasFence = false
  }
  for (const line of text.split(/(?<=\n)/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence === undefined && mark !== undefined) {
      end()
      fence = mark
      hasFence = true
    } else if (fence !== undefined && mark?.startsWith(fence) === true) {
      fence = undefined
    }
    lines.push(line)
    length += line.length
    if (!hasFence && DEEP_LINE.test(line)) isDeep = true
    if (fence === undefined && (hasFence || line.trim() === '')) end()
  }
  // A fence that nobody closed makes code of all the rest.
  end()
  return runs
}

/** As it was written, a paragraph for each run of lines. */
function plain(text: string): Piece[] {
  return text
    .split(/\n[ \t]*\n/)
    .filter((run) => run.trim() !== '')
    .map((run) => ({ tag: 'p', children: withBreaks(run.trim()) }))
}

function withBreaks(text: string): (Piece | string)[] {
  return text.split('\n').flatMap((line, index) => (index === 0 ? [line] : [{ tag: 'br', children: [] }, line]))
}

function collectLinks(root: Root, links: Context['links']): void {
  const waiting: Nodes[] = [root]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.type === 'definition' && !links.has(node.identifier)) links.set(node.identifier, node.url)
    if ('children' in node) waiting.push(...node.children)
  }
}

/** The words in a node, and in those within it. */
function words(node: Nodes): string {
  const waiting: Nodes[] = [node]
  const found: string[] = []
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if ('value' in next) found.push(next.value)
    else if ('alt' in next) found.push(next.alt ?? '')
    if ('children' in next) waiting.push(...[...next.children].reverse())
  }
  return found.join(' ')
}

function blocks(parent: Parents, context: Context, depth: number): Piece[] {
  return parent.children.flatMap((node) => block(node as Nodes, context, depth))
}

function block(node: Nodes, context: Context, depth: number): Piece[] {
  if (depth > DEEPEST) return [{ tag: 'p', children: [words(node)] }]
  const within = (tag: Piece['tag'], parent: Parents): Piece[] => [
    { tag, children: blocks(parent, context, depth + 1) },
  ]
  switch (node.type) {
    case 'paragraph':
      return [{ tag: 'p', children: inlines(node, context, depth) }]
    case 'heading':
      return [{ tag: headingTag(node.depth, context), children: inlines(node, context, depth) }]
    case 'blockquote':
      return within('blockquote', node)
    case 'list': {
      const [list] = within(node.ordered === true ? 'ol' : 'ul', node)
      if (list === undefined) return []
      return [node.ordered === true && typeof node.start === 'number' ? { ...list, start: node.start } : list]
    }
    case 'listItem': {
      const [item] = within('li', node)
      if (item === undefined) return []
      // A box that nobody can tick is no control.
      const mark = node.checked === true ? '☑ ' : node.checked === false ? '☐ ' : ''
      return [mark === '' ? item : { ...item, children: [mark, ...item.children] }]
    }
    case 'code':
      return [{ tag: 'pre', children: [{ tag: 'code', children: [node.value] }] }]
    case 'html':
      return [{ tag: 'p', children: withBreaks(node.value) }]
    case 'thematicBreak':
      return [{ tag: 'hr', children: [] }]
    case 'table': {
      const rows = node.children.map((row, index): Piece => {
        const cells = row.children.map(
          (cell): Piece => ({ tag: index === 0 ? 'th' : 'td', children: inlines(cell, context, depth + 1) }),
        )
        return { tag: 'tr', children: cells }
      })
      const [head, ...body] = rows
      return [
        {
          tag: 'table',
          children: [
            ...(head === undefined ? [] : [{ tag: 'thead' as const, children: [head] }]),
            { tag: 'tbody', children: body },
          ],
        },
      ]
    }
    case 'footnoteDefinition':
      return [{ tag: 'p', children: [`[${node.identifier}] `] }, ...blocks(node, context, depth + 1)]
    case 'definition':
      return []
    default:
      return [{ tag: 'p', children: inline(node, context, depth) }]
  }
}

/** Below the page's second level, each at most one deeper than the one that it stands under. */
function headingTag(depth: number, { headings }: Context): Piece['tag'] {
  while ((headings.at(-1) ?? 0) >= depth) headings.pop()
  headings.push(depth)
  return (['h3', 'h4', 'h5', 'h6'] as const)[headings.length - 1] ?? 'h6'
}

function inlines(parent: { children: readonly PhrasingContent[] }, context: Context, depth: number) {
  return parent.children.flatMap((node) => inline(node, context, depth + 1))
}

function inline(node: Nodes, context: Context, depth: number): (Piece | string)[] {
  if (depth > DEEPEST) return [words(node)]
  switch (node.type) {
    case 'text':
    case 'html':
      return [node.value]
    case 'emphasis':
      return [{ tag: 'em', children: inlines(node, context, depth) }]
    case 'strong':
      return [{ tag: 'strong', children: inlines(node, context, depth) }]
    case 'delete':
      return [{ tag: 'del', children: inlines(node, context, depth) }]
    case 'inlineCode':
      return [{ tag: 'code', children: [node.value] }]
    case 'break':
      return [{ tag: 'br', children: [] }]
    case 'link':
      return linked(node.url, inlines(node, context, depth))
    case 'linkReference':
      return linked(context.links.get(node.identifier), inlines(node, context, depth))
    case 'image':
      return linked(node.url, [`image: ${node.alt || 'without words'}`])
    case 'imageReference':
      return linked(context.links.get(node.identifier), [`image: ${node.alt || 'without words'}`])
    case 'footnoteReference':
      return [`[${node.identifier}]`]
    default:
      return [words(node)]
  }
}

/** Words as a link, where it leads somewhere that is allowed; else the words. A link holds no other. */
function linked(url: string | undefined, children: (Piece | string)[]): (Piece | string)[] {
  const target = url === undefined ? undefined : targetOf(url)
  if (target === undefined) return children
  return [{ tag: 'a', ...target, children: withoutLinks(children) }]
}

function targetOf(url: string): { href: string; host: string } | undefined {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    return undefined
  }
  const { protocol, host, href, pathname } = parsed
  if (!PROTOCOLS.has(protocol)) return undefined
  if (protocol === 'mailto:') return pathname === '' ? undefined : { href, host: pathname }
  return host === '' ? undefined : { href, host }
}

function withoutLinks(pieces: readonly (Piece | string)[]): (Piece | string)[] {
  return pieces.flatMap((piece) => {
    if (typeof piece === 'string') return [piece]
    const children = withoutLinks(piece.children)
    return piece.tag === 'a' ? children : [{ ...piece, children }]
  })
}
