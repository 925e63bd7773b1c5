import { describe, expect, test } from 'vitest'
import { markdownPieces, type Piece, TAGS } from '../../web/proposal/markdown-pieces.ts'

/** All pieces of a text, those within others too. */
function all(pieces: readonly (Piece | string)[]): Piece[] {
  return pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece, ...all(piece.children)]))
}

/** All words of a text. */
function words(pieces: readonly (Piece | string)[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : words(piece.children))).join('')
}

/** How deep pieces are within one another. */
function depth(pieces: readonly (Piece | string)[]): number {
  return Math.max(0, ...pieces.map((piece) => (typeof piece === 'string' ? 0 : 1 + depth(piece.children))))
}

const p = (...children: (Piece | string)[]): Piece => ({ tag: 'p', children })
const link = (href: string, host: string, ...children: (Piece | string)[]): Piece => ({
  tag: 'a',
  href,
  host,
  children,
})

describe('what people write', () => {
  test.each<[string, string, Piece[]]>([
    [
      'a paragraph',
      'a *b* **c** ~~d~~ `e`',
      [
        p(
          'a ',
          { tag: 'em', children: ['b'] },
          ' ',
          { tag: 'strong', children: ['c'] },
          ' ',
          { tag: 'del', children: ['d'] },
          ' ',
          { tag: 'code', children: ['e'] },
        ),
      ],
    ],
    [
      'headings below the page’s own, none left out',
      '# a\n### b\n## c\n# d\n#### e',
      [
        { tag: 'h3', children: ['a'] },
        { tag: 'h4', children: ['b'] },
        { tag: 'h4', children: ['c'] },
        { tag: 'h3', children: ['d'] },
        { tag: 'h4', children: ['e'] },
      ],
    ],
    [
      'a text that begins deep',
      '#### a\n###### b',
      [
        { tag: 'h3', children: ['a'] },
        { tag: 'h4', children: ['b'] },
      ],
    ],
    ['a link', '[LIP](https://github.com/livepeer)', [p(link('https://github.com/livepeer', 'github.com', 'LIP'))]],
    [
      'a link by reference, defined far below',
      '[a][b]\n\nc\n\n[b]: https://d.org/e',
      [p(link('https://d.org/e', 'd.org', 'a')), p('c')],
    ],
    [
      'a bare address',
      'see https://a.org/b and me@c.org',
      [
        p(
          'see ',
          link('https://a.org/b', 'a.org', 'https://a.org/b'),
          ' and ',
          link('mailto:me@c.org', 'me@c.org', 'me@c.org'),
        ),
      ],
    ],
    ['an image', '![a chart](https://a.org/b.png)', [p(link('https://a.org/b.png', 'a.org', 'image: a chart'))]],
    [
      'an image in a link',
      '[![a](https://a.org/b.png)](https://c.org)',
      [p(link('https://c.org/', 'c.org', 'image: a'))],
    ],
    [
      'lists',
      '3. a\n4. b\n\n- [x] c\n- [ ] d',
      [
        {
          tag: 'ol',
          start: 3,
          children: [
            { tag: 'li', children: [p('a')] },
            { tag: 'li', children: [p('b')] },
          ],
        },
        {
          tag: 'ul',
          children: [
            { tag: 'li', children: ['☑ ', p('c')] },
            { tag: 'li', children: ['☐ ', p('d')] },
          ],
        },
      ],
    ],
    [
      'a table',
      '|a|b|\n|-|-|\n|c|d|',
      [
        {
          tag: 'table',
          children: [
            {
              tag: 'thead',
              children: [
                {
                  tag: 'tr',
                  children: [
                    { tag: 'th', children: ['a'] },
                    { tag: 'th', children: ['b'] },
                  ],
                },
              ],
            },
            {
              tag: 'tbody',
              children: [
                {
                  tag: 'tr',
                  children: [
                    { tag: 'td', children: ['c'] },
                    { tag: 'td', children: ['d'] },
                  ],
                },
              ],
            },
          ],
        },
      ],
    ],
    [
      'code with blank lines and marks',
      '```\n# a\n\n<b>\n```\nc',
      [{ tag: 'pre', children: [{ tag: 'code', children: ['# a\n\n<b>'] }] }, p('c')],
    ],
    ['nothing', ' \n\n', []],
  ])('%s', (_, markdown, pieces) => {
    expect(markdownPieces(markdown)).toEqual(pieces)
  })
})

/** What somebody writes who means harm, and what must be readable of it. */
const HOSTILE: [string, string, string][] = [
  ['a script', '<script>alert(1)</script>', '<script>alert(1)</script>'],
  ['a script within a line', 'a <script>alert(1)</script> b', 'a <script>alert(1)</script> b'],
  ['a style', '<style>*{display:none}</style>', '<style>*{display:none}</style>'],
  ['a form', '<form action="https://evil.example"><input name=key></form>', '<form action'],
  ['an image with a handler', '<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['a frame', '<iframe srcdoc="<script>alert(1)</script>"></iframe>', '<iframe'],
  ['markup in a heading', '# <b id="main">x</b>', '<b id="main">x</b>'],
  ['a link that runs', '[click](javascript:alert(1))', 'click'],
  ['a link that runs, in other letters', '[click](JaVaScRiPt:alert(1))', 'click'],
  ['a link that runs, with a tab', '[click](<java\tscript:alert(1)>)', 'click'],
  ['a link that runs, with entities', '[click](&#106;avascript:alert(1))', 'click'],
  ['a link that runs, by reference', '[click][x]\n\n[x]: javascript:alert(1)', 'click'],
  ['an autolink that runs', '<javascript:alert(1)>', 'javascript:alert(1)'],
  ['data', '[click](data:text/html,<script>alert(1)</script>)', 'click'],
  ['an image of data', '![x](data:image/svg+xml,<svg/onload=alert(1)>)', 'image: x'],
  ['vbscript', '[click](vbscript:msgbox(1))', 'click'],
  ['a file', '[click](file:///etc/passwd)', 'click'],
  ['a blob', '[click](blob:https://a.org/1)', 'click'],
  ['a path of ours', '[click](/accounts/0x1?x=<b>)', 'click'],
  ['a place without a protocol', '[click](//evil.example)', 'click'],
  ['an empty link', '[click]()', 'click'],
]

test.each(HOSTILE)('%s is text or nothing', (_, markdown, readable) => {
  const pieces = markdownPieces(markdown)
  expect(all(pieces).filter(({ tag }) => tag === 'a')).toEqual([])
  expect(words(pieces)).toContain(readable)
})

test('a link says whose site it leads to, whatever its words or its user say', () => {
  const [paragraph] = markdownPieces('[https://livepeer.org](https://livepeer.org@evil.example/x)')
  expect(paragraph?.children).toEqual([
    link('https://livepeer.org@evil.example/x', 'evil.example', 'https://livepeer.org'),
  ])
})

/** What makes parsers slow or deep; each as long as half a book. */
const LONG: [string, string][] = [
  ['one line', 'word '.repeat(20_000)],
  ['one word', 'x'.repeat(100_000)],
  ['quotes within quotes', `${'> '.repeat(1_000)}x`],
  ['quotes within quotes, without spaces', `${'>'.repeat(5_000)}x`],
  ['lists within lists', `${'- '.repeat(1_000)}x`],
  ['numbered lists within lists', `${'1. '.repeat(1_000)}x`],
  ['lists that go in line by line', Array.from({ length: 300 }, (_, index) => `${'  '.repeat(index)}- a`).join('\n')],
  ['brackets', '['.repeat(50_000)],
  ['links in links', '[a]('.repeat(20_000)],
  ['images in images', '!['.repeat(20_000)],
  ['emphasis', '*a _b '.repeat(10_000)],
  ['emphasis within emphasis', `${'*'.repeat(3_000)}a${'*'.repeat(3_000)}`],
  ['emphasis in short lines', `${'**a _b '.repeat(700)}\n\n`.repeat(20)],
  ['half ticks', Array.from({ length: 400 }, (_, index) => '`'.repeat(index)).join(' ')],
  ['lazy quotes', '> a\n>> b\n'.repeat(10_000)],
  ['definitions', '[a]: b\n'.repeat(10_000)],
  ['footnotes', '[^a]'.repeat(10_000)],
  ['a table of many rows', `|a|b|\n|-|-|\n${'|x|y|\n'.repeat(10_000)}`],
  ['tags', '<a '.repeat(20_000)],
  ['entities', '&amp;'.repeat(20_000)],
  ['addresses', 'https://a.b/ '.repeat(8_000)],
  ['mailboxes', 'a@'.repeat(30_000)],
  ['paragraphs', 'a **b** [c](https://d.e)\n\n'.repeat(20_000)],
  ['a fence that nobody closes', `\`\`\`\n${'a\n\n'.repeat(30_000)}`],
]

test.each(LONG)(
  '%s: within a time, not too deep, of allowed elements only',
  (_, markdown) => {
    const before = performance.now()
    const pieces = markdownPieces(markdown)
    const took = performance.now() - before
    expect(all(pieces).filter(({ tag }) => !TAGS.includes(tag))).toEqual([])
    expect(depth(pieces)).toBeLessThan(60)
    expect(pieces.length).toBeGreaterThan(0)
    // Without a limit several of these take minutes.
    expect(took).toBeLessThan(30_000)
  },
  60_000,
)

test('what is too much is there as it was written', () => {
  const line = 'word '.repeat(2_000).trim()
  const pieces = markdownPieces(`# a\n\n${line}\n\n**b**`)
  expect(pieces).toEqual([{ tag: 'h3', children: ['a'] }, p(line), p({ tag: 'strong', children: ['b'] })])
})
