import type { Browser, Locator, Page, Route } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { launchBrowser } from '../browser.ts'
import { TREASURY } from '../pages.ts'
import { answering, openPage, settled, withoutFirstView } from '../watched-page.ts'

/** As in speed.test.ts: what a quiet machine must keep to is printed, this many times as much fails. */
const ROOM = 4
const MOST_NODES = 1_500
const TIMES = 5

const origin = inject('explorerUrl')
let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

interface List {
  totalCount: number
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
  nodes: Record<string, unknown>[]
}

/** A made-up account, by its number. */
const accountOf = (number: number) => `0x${(number + 1).toString(16).padStart(4, '0')}${'c0ffee'.repeat(6)}`

/**
 * Answers with as many rows as are wanted in the place of the API's own, a thousand at a time: the first of them made
 * another by `row`.
 */
function grown(
  count: number,
  listIn: (data: unknown) => List,
  row: (first: Record<string, unknown>, number: number) => object,
): (route: Route) => Promise<void> {
  return async (route) => {
    const url = new URL(route.request().url())
    const variables = JSON.parse(url.searchParams.get('variables') ?? '{}') as { after?: string | null }
    const from = Number(variables.after ?? 0)
    url.searchParams.set('variables', JSON.stringify({ ...variables, after: null }))
    const response = await route.fetch({ url: url.href })
    const answer = (await response.json()) as { data: unknown }
    const list = listIn(answer.data)
    const [first = {}] = list.nodes
    const to = Math.min(from + 1_000, count)
    list.totalCount = count
    list.nodes = Array.from({ length: to - from }, (_, index) => ({ ...first, ...row(first, from + index) }))
    list.pageInfo = { hasNextPage: to < count, endCursor: String(to) }
    return route.fulfill({ response, json: answer })
  }
}

/** How long something takes until the browser has drawn what comes of it, in ms; the median and the fastest. */
async function timed(page: Page, act: (time: number) => Promise<string>): Promise<{ ms: number; fastest: number }> {
  const times: number[] = []
  for (let time = 0; time < TIMES; time++) {
    const script = await act(time)
    times.push(
      await page.evaluate(
        `(async () => {
          const began = performance.now()
          ;${script}
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
          return performance.now() - began
        })()`,
      ),
    )
  }
  times.sort((a, b) => a - b)
  return { ms: Math.round(times[TIMES >> 1] ?? 0), fastest: Math.round(times[0] ?? 0) }
}

async function tryOut(page: Page, panel: Locator, count: number, column: string): Promise<void> {
  const table = panel.locator('table').first()
  const id = await panel.getAttribute('id')
  const counted = panel.locator('.table-count')
  await expect.poll(() => counted.innerText(), { timeout: 20_000 }).toBe(`${count.toLocaleString('en')} rows`)
  expect(await table.getAttribute('aria-rowcount')).toBe(String(count + 1))
  expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThanOrEqual(MOST_NODES)

  const heads = `[...document.querySelectorAll('#${id} th button.sort')]`
  const sort = await timed(
    page,
    async () => `${heads}.find((head) => head.textContent.startsWith('${column}')).click()`,
  )
  expect(await table.locator(`th[aria-sort]`).innerText()).toContain(column)
  const field = `document.querySelector('#${id} input[type="search"]')`
  const filter = await timed(
    page,
    async (time) =>
      `${field}.value = '${accountOf(7).slice(0, 2 + time)}'; ${field}.dispatchEvent(new Event('input', { bubbles: true }))`,
  )
  await panel.getByRole('searchbox').fill(accountOf(77))
  await expect.poll(() => counted.innerText()).toBe(`1 of ${count.toLocaleString('en')} rows`)
  expect(await table.locator('tbody tr').count()).toBe(1)
  expect(await table.locator('tbody').innerText()).toContain(accountOf(77).slice(0, 8))
  await panel.getByRole('searchbox').fill('')
  await expect.poll(() => counted.innerText()).toBe(`${count.toLocaleString('en')} rows`)

  const scroller = `document.querySelector('#${id} .windowed')`
  const scroll = await timed(
    page,
    async (time) => `${scroller}.scrollTop = ${scroller}.scrollHeight * ${(time + 1) / TIMES}`,
  )
  await panel.locator(`tr[aria-rowindex="${count + 1}"]`).waitFor()
  expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThanOrEqual(MOST_NODES)

  const found = [
    { what: 'sort', ...sort, budget: 80 },
    { what: 'filter', ...filter, budget: 30 },
    { what: 'scroll', ...scroll, budget: 30 },
  ]
  console.table(found.map((row) => ({ rows: count, ...row })))
  expect(found.filter(({ fastest, budget }) => fastest > budget * ROOM)).toEqual([])
}

test('5,000 holders of a snapshot', async () => {
  const { page, complaints, strays, close } = await openPage(browser, origin)
  try {
    await withoutFirstView(page)
    const holders = grown(
      5_000,
      (data) => (data as { stakeSnapshot: { holders: List } }).stakeSnapshot.holders,
      (_, number) => ({
        account: accountOf(number),
        votes: String(10n ** 24n / BigInt(number + 1)),
        stake: String(10n ** 22n / BigInt(((number * 7919) % 5_000) + 1)),
        isTranscoder: number < 100,
        isActive: number < 100,
      }),
    )
    await answering(page, 'Snapshot', holders)
    await page.goto('/snapshots/61')
    await settled(page)
    await tryOut(page, page.locator('#holders'), 5_000, 'Own stake')
    expect({ complaints, strays }).toEqual({ complaints: [], strays: [] })
  } finally {
    await close()
  }
})

test('1,000 votes on a proposal', async () => {
  const { page, complaints, strays, close } = await openPage(browser, origin)
  try {
    await withoutFirstView(page)
    const votes = grown(
      1_000,
      (data) => (data as { proposal: { votes: List } }).proposal.votes,
      (_, number) => ({
        voter: accountOf(number),
        choice: ['FOR', 'AGAINST', 'ABSTAIN'][number % 3],
        weight: String(10n ** 24n / BigInt(number + 1)),
        countedWeight: String(10n ** 24n / BigInt(number + 1)),
        overrides: null,
        reason: number % 10 === 0 ? `for reason ${number}` : null,
        earlier: [],
      }),
    )
    await answering(page, 'ProposalVotes', votes)
    await page.goto(`/proposals/${TREASURY}`)
    await settled(page)
    await tryOut(page, page.locator('#votes'), 1_000, 'Counted')
    expect({ complaints, strays }).toEqual({ complaints: [], strays: [] })
  } finally {
    await close()
  }
})
