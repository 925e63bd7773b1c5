import { describe, expect, test } from 'vitest'
import { proposalTitle } from '../../api/texts/proposal-title.ts'

const LIP_16 = `---
lip: 16
title: Delegator Vote Override
author: Someone <someone@example.org>
type: Standard Track
---
# Another Heading

Text.
`

describe('heading', () => {
  test.each([
    ['ATX', '# Treasury grant\n\nText', 'Treasury grant'],
    ['ATX of any level, with closing marks', '### Treasury grant ###', 'Treasury grant'],
    ['setext', 'Treasury grant\n===\n\nText', 'Treasury grant'],
    ['setext over two lines', 'Treasury\ngrant\n---', 'Treasury grant'],
    ['after text', 'An introduction.\n\n## Treasury grant', 'Treasury grant'],
    ['after an empty one', '#\n\n## Treasury grant', 'Treasury grant'],
    ['not one in a quote or list', '> # Quoted\n\n- # Listed\n\n# Treasury grant', 'Treasury grant'],
    ['not one in code', '```\n# comment\n```\n\n# Treasury grant', 'Treasury grant'],
    ['CRLF and a byte order mark', '\uFEFF# Treasury grant\r\n\r\nText', 'Treasury grant'],
  ])('%s', (_, markdown, title) => {
    expect(proposalTitle(markdown)).toBe(title)
  })
})

describe('first line where there is no heading', () => {
  test.each([
    ['of a paragraph', '\n\n  Pay the\nbill\n', 'Pay the'],
    ['before a hard break', 'Pay the bill  \nat once', 'Pay the bill'],
    ['of a list', '- one\n- two', 'one'],
    ['of a quote', '> one\n> two', 'one'],
    ['of code', '```\none\ntwo\n```', 'one'],
    ['a hash without a space is no heading', '#1 priority', '#1 priority'],
    ['words between HTML tags', '<div align="center">\n<b>Pay</b> the bill\n</div>', 'Pay the bill'],
  ])('%s', (_, markdown, title) => {
    expect(proposalTitle(markdown)).toBe(title)
  })
})

describe('plain text', () => {
  test.each([
    [
      'links',
      '# Fund [the SPE](https://example.org "x") and <https://example.org>',
      'Fund the SPE and https://example.org',
    ],
    ['reference links', '# Fund [the SPE][1]\n\n[1]: https://example.org', 'Fund the SPE'],
    ['emphasis and code', '# **Fund** _the_ `transfer()` *SPE*', 'Fund the transfer() SPE'],
    ['images', '# ![Logo](logo.png) SPE', 'Logo SPE'],
    ['HTML and comments', '# Fund<br/> the <!-- draft --><b>SPE</b>', 'Fund the SPE'],
    ['escapes and entities', '# 1 \\* 2 &amp; 3', '1 * 2 & 3'],
    [
      'characters that are part of words',
      '# set_voting_delay: 2 * 3 < C# & [draft] ~5',
      'set_voting_delay: 2 * 3 < C# & [draft] ~5',
    ],
    ['white space and control characters', '# A\tB\u0007  C', 'A B C'],
    ['what changes the direction of writing', '# Pay \u202E5000\u202C LPT\u2066!\u2069', 'Pay 5000 LPT!'],
    ['what has no width', '# Tr\u200Bea\u00ADsu\u2060ry\uFEFF', 'Treasury'],
    ['half a surrogate pair', '# Grant \uD83D for', 'Grant for'],
    ['nothing to be seen in the first heading', '# \u200B\u202E\n\n## Grant', 'Grant'],
    ['only fillers in the first heading', '# \u3164\u115F\u2800 \u034F\uFE0F\u{E0041}\n\n## Grant', 'Grant'],
    ['who alone may propose it', 'Grant#proposer=0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc', 'Grant'],
  ])('%s', (_, markdown, title) => {
    expect(proposalTitle(markdown)).toBe(title)
  })
})

describe('front matter', () => {
  test.each([
    ['its title', LIP_16, 'Delegator Vote Override'],
    ['CRLF', LIP_16.replaceAll('\n', '\r\n'), 'Delegator Vote Override'],
    ['quoted', '---\ntitle: "LIP-73: Confluence"\n---\n', 'LIP-73: Confluence'],
    [
      'a colon that YAML does not allow',
      '---\nlip: 73\ntitle: LIP-73: Confluence\n---\n# Heading',
      'LIP-73: Confluence',
    ],
    ['folded', '---\ntitle: >\n  Delegator\n  Override\n---\n', 'Delegator Override'],
    ['a number as it is written', '---\ntitle: 1.10\n---\n', '1.10'],
    ['no title: the heading', '---\nlip: 16\n---\n# Heading', 'Heading'],
    ['an empty title: the heading', '---\nlip: 16\ntitle:\n---\n# Heading', 'Heading'],
    ['a list for a title: the heading', '---\ntitle: [a]\n---\n# Heading', 'Heading'],
    ['invalid without title: the heading', '---\nlip: 16: 17\n---\n# Heading', 'Heading'],
    ['only rules', '---\n\n# Heading\n\n---\n', 'Heading'],
    ['a rule and a setext heading', '---\nHeading\n---\n', 'Heading'],
    ['never closed', '---\ntitle: Not front matter\n', 'title: Not front matter'],
    ['not at the start', 'Text\n\n---\ntitle: Not front matter\n---\n', 'title: Not front matter'],
  ])('%s', (_, markdown, title) => {
    expect(proposalTitle(markdown)).toBe(title)
  })
})

test.each([
  '',
  ' \n\t\n',
  '#',
  '---',
  '---\nlip: 16\n---\n',
  '<!-- nothing -->',
  '# \u3164',
  '\u2800\n\uFFA0',
  '[1]: https://example.org',
])('no text: %j', (markdown) => {
  expect(proposalTitle(markdown)).toBeNull()
})

describe('long texts', () => {
  test('200 characters are kept, more are cut to 200', () => {
    expect(proposalTitle(`# ${'a'.repeat(200)}`)).toBe('a'.repeat(200))
    expect(proposalTitle(`# ${'a'.repeat(201)}`)).toBe(`${'a'.repeat(199)}…`)
    expect(proposalTitle(`# ${'a'.repeat(198)} bcd`)).toBe(`${'a'.repeat(198)}…`)
  })

  test('a character outside the basic plane is never halved', () => {
    expect(proposalTitle(`# ${'🐟'.repeat(201)}`)).toBe(`${'🐟'.repeat(199)}…`)
  })

  test('one heading of a megabyte', () => {
    expect(proposalTitle(`# ${'word '.repeat(200_000)}`)).toHaveLength(200)
  })

  test.each([
    ['quotes', '>'],
    ['lists', '- '],
    ['emphasis', '*a_'],
    ['images', '!['],
    ['entities', '&'],
  ])('nested %s neither throw nor take long', (_, piece) => {
    const start = performance.now()
    proposalTitle(piece.repeat(100_000))
    proposalTitle(`---\ntitle: ${piece.repeat(100_000)}`)
    proposalTitle(`---\n${piece.repeat(2_000)}\n---\n`)
    expect(performance.now() - start).toBeLessThan(5_000)
  })
})
