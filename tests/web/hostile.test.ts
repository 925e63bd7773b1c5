import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { ApolloServer } from '@apollo/server'
import express from 'express'
import type { Browser, Route } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Context } from '../../api/graphql/context.ts'
import { pagesRouter } from '../../api/http/pages.ts'
import { FRAME, PAGES } from '../../web/first-view.ts'
import { launchBrowser } from './browser.ts'
import { TESTED_PAGES } from './pages.ts'
import { answering, openPage, settled, type WatchedPage, withoutFirstView } from './watched-page.ts'

declare global {
  interface Window {
    /** Set by any text that gets to run. */
    hit?: unknown
  }
}

const nested = (open: string, close: string) => `${open.repeat(1_000)}x${close.repeat(1_000)}`

/** What a stranger may write, by what it tries. */
const TEXTS: Readonly<Record<string, string>> = {
  'a script': '<script>window.hit = 1</script>',
  'the end of a script': '</script><script>window.hit = 1</script><!--',
  'an image that fails': '<img src=x onerror="window.hit = 1"> ![p](https://tracker.example/p.png)',
  'an SVG': '<svg onload="window.hit = 1"><use href="data:image/svg+xml,<svg id=x onload=alert(1)>#x"/></svg>',
  'links that run':
    '[a](javascript:window.hit=1) <a href="javascript:window.hit=1">b</a> [c](JaVa\tscript:window.hit=1)',
  'links of data': '[a](data:text/html,<script>window.hit=1</script>) [b](vbscript:x) [c](blob:x) <data:text/html,x>',
  'a style': '<style>body { display: none } main { background: url(https://tracker.example/s) }</style>',
  'a form and a base':
    '<base href="https://tracker.example/"><form action="https://tracker.example"><input name=q></form>',
  'an inner page':
    '<iframe srcdoc="<script>parent.hit=1</script>"></iframe><object data="https://tracker.example/o"></object>',
  'ids of the page': '<div id="app">taken</div><meta http-equiv="refresh" content="0;url=https://tracker.example">',
  'letters from right to left': '\u202Egnihton\u202C\u2066\u2067\u061C abc \u200F\u200E \u2028\u2029 \u0000\uFFFE',
  'a line of 100 KB': 'W'.repeat(100_000),
  'quotes in quotes': `${'>'.repeat(1_000)} deep`,
  'lists in lists': nested('- ', ''),
  'brackets in brackets': nested('[', '](x)'),
  'stars and lines': nested('*_', '_*'),
  'templates of all kinds':
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as a stranger would write it
    '{{constructor.constructor("window.hit=1")()}} ${window.hit=1} #{7*7} %3Cscript%3E &lt;script&gt;',
  'marks on marks': `a${'\u0300'.repeat(2_000)} ${'🏳️‍🌈'.repeat(200)}`,
}
/** What the API gives as others wrote it. */
const WRITTEN = ['title', 'description', 'reason', 'reference', 'decoded', 'explanation', 'token']

const origin = inject('explorerUrl')
let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

/** Each text of an answer that a stranger wrote becomes the next of the corpus. */
function poisoned(): (value: unknown) => unknown {
  const texts = Object.values(TEXTS)
  let next = 0
  const poison = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(poison)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([name, inner]) => [
      name,
      WRITTEN.includes(name) && (typeof inner === 'string' || name === 'reason')
        ? texts[next++ % texts.length]
        : poison(inner),
    ])
    return Object.fromEntries(entries)
  }
  return poison
}

/** Nothing ran, nothing was asked for, nobody complained, and the page still does what pages do. */
async function isUnharmed({ page, complaints, strays }: WatchedPage): Promise<void> {
  expect(await page.evaluate(() => window.hit)).toBeUndefined()
  expect({ complaints, strays }).toEqual({ complaints: [], strays: [] })
  const dangerous = await page.evaluate(() =>
    [...document.querySelectorAll('a[href], form[action], iframe, object, embed, base, main style, main script')]
      .filter((element) => {
        const address = element.getAttribute('href') ?? element.getAttribute('action')
        return address === null || !/^(https?:|mailto:|\/|#|\?)/.test(address)
      })
      .map(({ outerHTML }) => outerHTML.slice(0, 200)),
  )
  expect(dangerous).toEqual([])
  await page.keyboard.press('Escape')
  await page.locator('.brand').click()
  await page.getByRole('heading', { level: 1, name: 'Every vote of Livepeer' }).waitFor()
}

describe('texts of strangers in all that the API answers', () => {
  const poisonable = TESTED_PAGES.filter(({ path }) => /^\/($|proposals$|proposals\/|treasury|accounts)/.test(path))
  test.each(poisonable)('$name', async ({ path }) => {
    const watched = await openPage(browser, origin, { viewport: { width: 390, height: 844 } })
    const { page } = watched
    const poison = poisoned()
    try {
      await withoutFirstView(page)
      await answering(page, '*', async (route: Route) => {
        const response = await route.fetch()
        return route.fulfill({ response, json: poison(await response.json()) })
      })
      await page.goto(path)
      await settled(page)
      const { scrolled, shown } = await page.evaluate(() => ({
        scrolled: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        shown: document.querySelector('main')?.textContent?.length ?? 0,
      }))
      expect(scrolled, 'no text is wider than the page').toBeLessThanOrEqual(0)
      expect(shown).toBeGreaterThan(100)
      await isUnharmed(watched)
    } finally {
      await watched.close()
    }
  })
})

describe('texts of strangers in the page that the server sends', () => {
  const SCHEMA = readFileSync(new URL('../../api/schema.graphql', import.meta.url), 'utf8')
  const nodes = Object.values(TEXTS).map((title, index) => ({
    __typename: 'TreasuryProposal',
    id: `treasury:${index + 1}`,
    system: 'TREASURY',
    network: 'recorded',
    title,
    state: 'ACTIVE',
    proposer: `0x${'a'.repeat(40)}`,
    createdAt: { timestamp: '2026-11-27T08:14:00Z', round: 7, block: '70' },
    tally: null,
    outcome: null,
    turnout: null,
    rule: null,
    timeline: [],
  }))
  const resolvers = {
    Query: {
      status: () => [],
      rounds: () => ({ nodes: [] }),
      proposals: () => ({
        totalCount: nodes.length,
        uncounted: [],
        textsMissing: [],
        pageInfo: { hasNextPage: false, endCursor: null },
        nodes,
      }),
    },
  }
  const apollo = new ApolloServer<Context>({ typeDefs: SCHEMA, resolvers })
  const app = express().use(
    pagesRouter({
      apollo,
      newContext: () => ({}) as Context,
      pages: [
        ...Object.values(PAGES),
        { ...PAGES.rules, path: '/hostile', title: () => TEXTS['the end of a script'], ask: () => FRAME },
      ],
      frame: FRAME,
    }),
  )
  let url: string
  let close: () => void

  beforeAll(async () => {
    await apollo.start()
    const server = app.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    close = () => server.close()
  })
  afterAll(async () => {
    close?.()
    await apollo.stop()
  })

  test('stay text: none ends the element they are in, and all are read back as they were', async () => {
    const html = await (await fetch(`${url}/proposals`, { headers: { accept: 'text/html' } })).text()
    const [, json = ''] = /<script type="application\/json" id="first-view">(.*?)<\/script>/s.exec(html) ?? []
    expect(json).not.toContain('<')
    const given = JSON.parse(json) as { key: string; body: { data: { proposals?: { nodes: { title: string }[] } } } }[]
    const own = given.find(({ key }) => key.startsWith('Proposals '))
    expect(own?.body.data.proposals?.nodes.map(({ title }) => title)).toEqual(Object.values(TEXTS))
    expect(html.match(/<script/g)).toHaveLength(2)
  })

  test('and as a title, in its head, too', async () => {
    const html = await (await fetch(`${url}/hostile`, { headers: { accept: 'text/html' } })).text()
    const escaped = '&lt;/script&gt;&lt;script&gt;window.hit = 1&lt;/script&gt;&lt;!--'
    expect(html).toContain(`<title>${escaped} · Livepeer governance</title>`)
    expect(html).toContain(`content="${escaped} · Livepeer governance"`)
    expect(html).toContain(`<h1>${escaped}</h1>`)
    expect(html.match(/<script/g)).toHaveLength(2)
  })

  test('and are shown as they are', async () => {
    const watched = await openPage(browser, url)
    try {
      await watched.page.goto('/proposals')
      await settled(watched.page)
      const titles = await watched.page.locator('#proposals a.title').allTextContents()
      expect(titles).toEqual(Object.values(TEXTS))
      expect(await watched.page.evaluate(() => window.hit)).toBeUndefined()
      expect(watched.strays).toEqual([])
    } finally {
      await watched.close()
    }
  })
})
