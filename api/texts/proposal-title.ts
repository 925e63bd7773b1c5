// A title for a proposal out of its Markdown text.
import { LRUCache } from 'lru-cache'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { isMap, parseDocument } from 'yaml'

/** Characters (code points) of the longest title, the … of a cut one included. */
const MAX_TITLE_LENGTH = 200

/** Where front matter has to end. */
const MAX_FRONT_MATTER_LENGTH = 10_000

/**
 * Only this much of the Markdown is read. A title stands near the top, and anyone may write a text whose nested emphasis
 * or images take a parser a time that grows with the square of its length.
 */
const MAX_BODY_LENGTH = 1_000

/** Says who alone may make a proposal of this text (OpenZeppelin's Governor): no part of a title. */
const PROPOSER_MARK = /#proposer=0x[0-9a-fA-F]{40}\s*$/

/** What shows nothing: characters that are to be passed over where they mean nothing, fillers and the blank of Braille. */
const BLANK = /^[\s\p{Default_Ignorable_Code_Point}\u2800]*$/u

/** Blocks within these are on lines of their own. */
const CONTAINERS: ReadonlySet<string> = new Set(['root', 'blockquote', 'list', 'listItem'])

/**
 * The title of a Markdown text as plain text on one line, cut at 200 characters with …: the `title` of its YAML front
 * matter (as LIPs have it), else its first heading (not one inside a quote or list), else its first line that is not
 * empty. Links, emphasis and code are stripped to their words and an image is its description; HTML tags and comments
 * are left out. Null when there is no such text. Of what follows the front matter, 1,000 characters are read. Never
 * throws.
 */
export function proposalTitle(markdown: string): string | null {
  const text = markdown.slice(0, MAX_FRONT_MATTER_LENGTH)
  const known = titles.get(text)
  if (known !== undefined) return known.title
  const { title: given, body } = splitFrontMatter(text)
  const title = oneLine(given) ?? titleOfBody(body)
  titles.set(text, { title })
  return title
}

/** Titles by the text they are of: parsing a page's fifty takes longer than all the rest of its answer. */
const titles = new LRUCache<string, { title: string | null }>({
  maxSize: 4_000_000,
  sizeCalculation: (_, text) => text.length + 1,
})

function titleOfBody(body: string): string | null {
  const text = body.slice(0, MAX_BODY_LENGTH)
  try {
    const root = fromMarkdown(text)
    const headings = root.children.filter(({ type }) => type === 'heading')
    return firstOf(headings.map(plainText)) ?? firstOf(plainText(root).split('\n'))
  } catch {
    // Nested too deep for the parser, which recurses: the text as it stands.
    return firstOf(text.split('\n'))
  }
}

function firstOf(texts: readonly string[]): string | null {
  for (const text of texts) {
    const line = oneLine(text)
    if (line !== null) return line
  }
  return null
}

function plainText(node: Nodes): string {
  switch (node.type) {
    case 'break':
      return '\n'
    case 'html':
      return node.value.replace(/<!--.*?(-->|$)|<[^>]*>/gs, '')
    case 'image':
    case 'imageReference':
      return node.alt ?? ''
  }
  if ('children' in node) return node.children.map(plainText).join(CONTAINERS.has(node.type) ? '\n' : '')
  return 'value' in node ? node.value : ''
}

/** The text without its front matter, and the title in it; what only looks like front matter stays in the body. */
function splitFrontMatter(markdown: string): { title: string; body: string } {
  const text = markdown.replace(/^\uFEFF/, '')
  const match = /^---[ \t]*\r?\n(?:(.*?)\r?\n)??---[ \t]*(?:\r?\n|$)/s.exec(text)
  if (match === null) return { title: '', body: text }
  const title = titleOfYaml(match[1] ?? '')
  return title === null ? { title: '', body: text } : { title, body: text.slice(match[0].length) }
}

/** '' when it has none; null when it is no YAML mapping, but Markdown between two rules. */
function titleOfYaml(yaml: string): string | null {
  const document = parseDocument(yaml, { schema: 'failsafe', logLevel: 'silent' })
  if (document.errors.length === 0) {
    if (!isMap(document.contents)) return null
    const title = document.get('title')
    return typeof title === 'string' ? title : ''
  }
  // LIPs are not always valid YAML: `title: LIP-73: Confluence` has a colon too many.
  if (!/^\s*[\w-]+:(\s|$)/.test(yaml)) return null
  return /^title:[ \t]+(.*)$/m.exec(yaml)?.[1] ?? ''
}

/**
 * White space and control characters become single spaces, and what is not to be seen but changes how the rest is, such as
 * the direction of writing, is left out; null when nothing is left.
 */
function oneLine(text: string): string | null {
  const line = text
    .replace(PROPOSER_MARK, '')
    .replace(/\p{Cf}/gu, '')
    .replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ')
    .trim()
  if (BLANK.test(line)) return null
  const characters = Array.from(line)
  if (characters.length <= MAX_TITLE_LENGTH) return line
  return `${characters
    .slice(0, MAX_TITLE_LENGTH - 1)
    .join('')
    .trimEnd()}…`
}
