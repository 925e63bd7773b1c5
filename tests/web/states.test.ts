import type { Browser, Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { serve } from '../system/serve.ts'
import { UpstreamProxy } from '../system/upstream-proxy.ts'
import { launchBrowser } from './browser.ts'
import { TREASURY } from './pages.ts'
import { answering, openPage, settled, type WatchedPage, withoutFirstView } from './watched-page.ts'

const origin = inject('explorerUrl')
const chains = inject('chains')
let browser: Browser
let watched: WatchedPage
let page: Page

beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())
beforeEach(async () => {
  watched = await openPage(browser, origin)
  page = watched.page
})
afterEach(async () => {
  await watched.close()
  // What a browser itself says of a failed request is no fault of the page.
  expect(watched.complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([])
})

const failing =
  (code: string, message: string, status = 200) =>
  (route: Route) =>
    route.fulfill({ status, json: { data: null, errors: [{ message, extensions: { code } }] } })

/** What the panel of the proposals says. */
const panel = () => page.locator('#proposals')
const rows = () => panel().locator('tbody tr')
const isBack = () => rows().nth(10).waitFor()

/** The frame is there whatever happened: where to go, what to search, where the chains stand. */
async function frameStands(): Promise<void> {
  expect(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').count()).toBeGreaterThan(4)
  expect(await page.getByRole('searchbox').first().isVisible()).toBe(true)
  expect(await page.locator('h1').innerText()).toBe('Proposals')
}

describe('what cannot be had is said in a sentence of its own, and comes by itself when it can', () => {
  const LIMITED = { errors: [{ message: 'too often', extensions: { code: 'LIMIT_EXCEEDED' } }] }
  test.each<{ what: string; answer: (route: Route) => Promise<unknown>; says: RegExp; seconds: number }>([
    {
      what: '429 with Retry-After',
      answer: (route) => route.fulfill({ status: 429, headers: { 'retry-after': '9' }, json: LIMITED }),
      says: /More than one client may ask\..*as often as one client may in a minute/,
      seconds: 9,
    },
    {
      what: '503 of something before the API',
      answer: (route) => route.fulfill({ status: 503, contentType: 'text/html', body: '<h1>503</h1>' }),
      says: /Something went wrong\./,
      seconds: 4,
    },
    {
      what: '503 as JSON of something else',
      answer: (route) => route.fulfill({ status: 503, json: { status: 'starting' } }),
      says: /What answers at this address is not the API \(503\)/,
      seconds: 4,
    },
    {
      what: 'no connection',
      answer: (route) => route.abort('connectionrefused'),
      says: /The API does not answer/,
      seconds: 4,
    },
    {
      what: 'BLOCK_REORGED',
      answer: failing('BLOCK_REORGED', 'The block this answer was read at is no longer on the chain; begin anew'),
      says: /The chain went back\..*no longer on the chain/,
      seconds: 4,
    },
    {
      what: 'UPSTREAM_UNAVAILABLE',
      answer: failing('UPSTREAM_UNAVAILABLE', 'The index of recorded has not answered for 2 seconds; try again soon'),
      says: /The index of this chain does not answer\..*for 2 seconds/,
      seconds: 4,
    },
    {
      what: 'LIMIT_EXCEEDED',
      answer: failing('LIMIT_EXCEEDED', 'This costs 40,000,000 points, 30,000,000 are the limit', 400),
      says: /More than one client may ask\..*40,000,000 points/,
      seconds: 20,
    },
    {
      what: 'a fault of the server',
      answer: failing('INTERNAL_SERVER_ERROR', 'The server made a mistake'),
      says: /Something went wrong\. The server made a mistake/,
      seconds: 4,
    },
  ])('$what', async ({ answer, says, seconds }) => {
    let asked = 0
    let isFine = false
    await page.clock.install()
    await withoutFirstView(page)
    await answering(page, 'Proposals', (route) => {
      asked += 1
      return isFine ? route.fallback() : answer(route)
    })
    await page.goto('/proposals')
    await panel().locator('.trouble').waitFor()
    expect(await panel().locator('.trouble').innerText()).toMatch(new RegExp(says, 's'))
    expect(await rows().count()).toBe(0)
    await frameStands()
    const before = asked
    await page.clock.runFor((seconds - 2) * 1000)
    expect(asked, 'not asked again before its time').toBe(before)
    isFine = true
    await page.clock.runFor(4_000)
    await isBack()
    expect(await panel().locator('.trouble').count()).toBe(0)
  })

  test('"Try again" asks at once', async () => {
    let isFine = false
    await withoutFirstView(page)
    await answering(page, 'Proposals', (route) =>
      isFine ? route.fallback() : failing('LIMIT_EXCEEDED', 'too much')(route),
    )
    await page.goto('/proposals')
    await panel().getByRole('button', { name: 'Try again' }).waitFor()
    isFine = true
    await panel().getByRole('button', { name: 'Try again' }).click()
    await isBack()
  })
})

test('while an answer takes ten seconds there is no digit, after two it says so, and then it is there', async () => {
  await page.clock.install()
  await withoutFirstView(page)
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  await answering(page, 'Proposals', async (route) => {
    await answered
    return route.fallback()
  })
  await page.goto('/proposals')
  await panel().locator('.skeleton').waitFor()
  expect(await panel().getAttribute('aria-busy')).toBe('true')
  expect(await panel().innerText()).not.toMatch(/\d|Still asking/)
  const height = (await panel().boundingBox())?.height ?? 0
  await page.clock.runFor(2_100)
  await panel().getByText('Still asking…').waitFor()
  expect(await panel().innerText()).not.toMatch(/\d/)
  expect((await panel().boundingBox())?.height, 'nothing moves').toBe(height)
  await page.clock.runFor(7_900)
  expect(await panel().innerText()).not.toMatch(/\d/)
  answer()
  await isBack()
  expect(await panel().getAttribute('aria-busy')).toBe('false')
})

test('what was there stays, marked, when the API is gone, and the mark goes when it is back', async () => {
  await page.clock.install()
  await page.goto('/proposals')
  await isBack()
  // Rows further down are drawn in turns of their own, by this clock.
  await page.clock.runFor(2_000)
  await panel().locator('[aria-busy="true"]').waitFor({ state: 'detached' })
  const before = await panel().locator('table').innerText()
  let isDown = true
  await answering(page, '*', (route) => (isDown ? route.abort('connectionrefused') : route.fallback()))
  await page.clock.runFor(21_000)
  await panel().getByText('What was there before stands below').waitFor()
  expect(await panel().locator('.trouble').innerText()).toContain('The API does not answer')
  expect(await panel().locator('table').innerText()).toBe(before)
  await page.locator('.freshness').getByText('The API does not answer').waitFor()
  await frameStands()
  isDown = false
  await page.clock.runFor(5_000)
  await panel().locator('.trouble').waitFor({ state: 'detached' })
  await page.locator('.freshness .trouble').waitFor({ state: 'detached' })
  expect(await panel().locator('table').innerText()).toBe(before)
})

test('half an answer: what is missing says why in its place, the rest is there', async () => {
  await withoutFirstView(page)
  await answering(page, 'Overview', async (route) => {
    const response = await route.fetch()
    const answer = (await response.json()) as { data: { treasuries: object[]; round: object } }
    const [first = {}, ...others] = answer.data.treasuries
    const message = 'Events of the treasury contradict each other'
    return route.fulfill({
      response,
      json: {
        ...answer,
        data: { ...answer.data, round: null, treasuries: [{ ...first, balance: null }, ...others] },
        errors: [
          { message, path: ['treasuries', 0, 'balance'], extensions: { code: 'NOT_EXACT' } },
          { message: 'Round 84 is not indexed yet', path: ['round'], extensions: { code: 'ROUND_NOT_INDEXED' } },
        ],
      },
    })
  })
  await page.goto('/')
  const refused = page.locator('#treasuries .refused')
  await refused.waitFor()
  expect([await refused.innerText(), await refused.getAttribute('title')]).toEqual([
    'not known exactly',
    'Events of the treasury contradict each other',
  ])
  expect(await page.locator('#treasuries li').count()).toBeGreaterThan(1)
  expect(await page.locator('#stake').innerText()).toContain('there is nothing to show here')
  expect(await page.locator('#stake').innerText()).not.toMatch(/\d/)
  expect(await page.locator('#latest li').count()).toBe(8)
})

/** Answers as the API does, but for what `change` makes of its data. */
async function changing(operation: string, change: (data: Record<string, unknown>) => object): Promise<void> {
  await answering(page, operation, async (route) => {
    const response = await route.fetch()
    const answer = (await response.json()) as { data: Record<string, unknown> }
    return route.fulfill({ response, json: { ...answer, data: { ...answer.data, ...change(answer.data) } } })
  })
}

test.each([
  [
    'is being indexed',
    { synced: false, block: '2000', round: 40, timestamp: '2023-11-15T03:04:05.000Z' },
    /indexing: block 2,000 · round 40 of 4,249 \(47 %\), up to 15 Nov 2023/,
    'warned',
  ],
  [
    'does not answer',
    { error: 'down', ageSeconds: 600 },
    /does not answer; as of block 4,249 · round 84 · 10 min/,
    'bad',
  ],
  [
    'is kept from going on',
    { stale: true, synced: false, trouble: 'the RPC of the chain refuses the key' },
    /kept from going on; as of block 4,249 · round 84/,
    'bad',
  ],
  ['lags behind', { stale: true, lagSeconds: 180 }, /block 4,249 · round 84 · 3 min behind/, 'warned'],
  ['contradicts itself', { contradictionCount: 2 }, /· 2 contradictions/, 'warned'],
  ['knows no head', { synced: false, headBlock: null }, /not known whether it is all/, 'warned'],
])('a chain that %s says so above every page, and the others stay as they are', async (_, status, says, tone) => {
  await withoutFirstView(page)
  await changing('Frame', ({ status: all }) => {
    const [first = {}, ...others] = all as object[]
    return { status: [{ ...first, ...status }, ...others] }
  })
  await page.goto('/proposals')
  await settled(page)
  const [first, second] = [0, 1].map((index) => page.locator('.freshness li').nth(index))
  await first?.waitFor()
  expect(await first?.innerText()).toMatch(says)
  expect(await first?.getAttribute('class')).toBe(tone)
  expect(await second?.getAttribute('class')).toBe('good')
  expect(await page.locator('#proposals tbody tr').count()).toBe(43)
})

test('an open vote is drawn as one that can still change, and nothing of it is told as decided', async () => {
  await withoutFirstView(page)
  await changing('Proposal', ({ proposal }) => {
    const { tally, outcome, timeline, ...rest } = proposal as Record<string, object>
    const steps = (timeline as { kind: string }[]).filter(({ kind }) => !/QUEUED|EXECUTED/.test(kind))
    return {
      proposal: {
        ...{ ...rest, state: 'ACTIVE', timeline: steps },
        tally: { ...tally, final: false },
        outcome: { ...outcome, passed: null },
      },
    }
  })
  await page.goto(`/proposals/${TREASURY}`)
  await settled(page)
  expect(await page.locator('#result').innerText()).toContain('can still change until the end of round 82')
  expect(await page.locator('.page-head').innerText()).toContain('Active')
  const text = await page.locator('main').innerText()
  expect(text).toContain('How it came to stand so')
  expect(text).toContain('How few could turn it?')
  expect(text).not.toMatch(/When was it decided\?|How few decided it\?|It passed/)
})

test('what if: an address gives the same hypothetical count as the API, and is marked as one', async () => {
  const query = `{ proposal(id: "${TREASURY}") { recount(with: { overrides: false, supportPartsPerMillion: 900000 }) {
    tally { for against } outcome { passed } turns } } }`
  const response = await fetch(`${origin}/graphql?query=${encodeURIComponent(query)}`)
  const { data } = (await response.json()) as {
    data: { proposal: { recount: { tally: { for: string; against: string }; turns: boolean } } }
  }
  const { tally, turns } = data.proposal.recount
  await page.goto(`/proposals/${TREASURY}?overrides=false&supportPartsPerMillion=900000#what-if`)
  await settled(page)
  const hypothesis = page.locator('#what-if .hypothesis')
  await hypothesis.waitFor()
  const amounts = await hypothesis
    .locator('data.amount')
    .evaluateAll((all) => all.map((element) => (element as HTMLDataElement).value))
  expect(amounts).toEqual(expect.arrayContaining([tally.for, tally.against]))
  expect(turns).toBe(true)
  expect(await page.locator('#what-if h2').innerText()).toMatch(/hypothetical/i)
  expect(await hypothesis.innerText()).toMatch(/hypothetical/i)
})

test('a page that is not there is said to be none, and the others are a click away', async () => {
  await page.goto('/proposals')
  await settled(page)
  await page.evaluate(() => {
    const link = document.createElement('a')
    link.href = '/rounds/of/nothing'
    link.textContent = 'nowhere'
    document.querySelector('main')?.append(link)
  })
  await page.getByText('nowhere').click()
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  await page.getByRole('link', { name: 'all proposals' }).click()
  await isBack()
})

describe.skipIf(chains.length === 0)('on an API whose graph-node is dead', () => {
  test('a page says so and goes on from what is held, as long as it may; when it is back, so are the figures', async () => {
    const [stake, ...others] = chains
    if (stake === undefined) return
    const proxy = await UpstreamProxy.to(stake.subgraphUrl)
    const api = await serve([{ ...stake, subgraphUrl: proxy.url }, ...others], {}, { maxAgeSeconds: 12 })
    const own = await openPage(browser, api.url)
    const main = own.page.locator('main')
    const answers = async () => {
      const query = '{ status { error } latest: proposals(first: 1) { totalCount } }'
      return (await fetch(`${api.url}/graphql?query=${encodeURIComponent(query)}`)).text()
    }
    try {
      await own.page.clock.install()
      await own.page.goto('/')
      await own.page.locator('#latest li').nth(7).waitFor()
      // What is further down is drawn in turns of its own, by this clock.
      await own.page.clock.runFor(2_000)
      await own.page.locator('#moves li').first().waitFor()
      const before = await main.innerText()
      expect(await own.page.locator('.freshness li.good').count()).toBe(chains.length)

      proxy.turn('down')
      await expect.poll(answers, { timeout: 40_000 }).toContain('"error":"')
      await own.page.clock.runFor(21_000)
      await own.page.locator('.freshness li.bad', { hasText: /^recorded · does not answer; as of block/ }).waitFor()
      expect(await own.page.locator('.freshness li.good').count()).toBe(others.length)
      expect(await main.innerText()).toBe(before)

      await expect.poll(answers, { timeout: 40_000 }).toContain('has not answered for')
      await own.page.clock.runFor(21_000)
      await main.getByText('The index of this chain does not answer').first().waitFor()
      await own.page.locator('.freshness').getByText('has not answered for').waitFor()
      expect(await own.page.locator('#latest li').count(), 'what was there stays').toBe(8)

      proxy.turn('fine')
      await expect.poll(answers, { timeout: 40_000 }).not.toContain('"error":"')
      await own.page.clock.runFor(21_000)
      await main.getByText('The index of this chain does not answer').first().waitFor({ state: 'detached' })
      await expect.poll(() => main.innerText()).toBe(before)
    } finally {
      await own.close()
      await api.close()
      proxy.close()
    }
  }, 120_000)
})
