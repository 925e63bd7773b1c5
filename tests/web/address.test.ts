import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { launchBrowser } from './browser.ts'
import { openPage, settled, type WatchedPage } from './watched-page.ts'

const origin = inject('explorerUrl')
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
  expect([watched.complaints, watched.strays]).toEqual([[], []])
})

const place = () => page.evaluate(() => location.pathname + location.search)
const titles = () => page.locator('#proposals a.title').allInnerTexts()
const words = () => page.getByRole('searchbox', { name: 'Words', exact: true })
const choice = (name: string) => page.getByRole('combobox', { name })

/** What the list's filters show. */
async function filters(): Promise<Record<string, string>> {
  return {
    q: await words().inputValue(),
    system: await choice('System').inputValue(),
    state: await choice('State').inputValue(),
    order: await choice('Order').inputValue(),
  }
}

describe('the address is the state of the list', () => {
  test.each<[string, Record<string, string>, number]>([
    ['', {}, 43],
    ['?system=POLL', { system: 'POLL' }, 3],
    [
      '?system=TREASURY&state=EXECUTED&order=CREATED_ASC',
      { system: 'TREASURY', state: 'EXECUTED', order: 'CREATED_ASC' },
      4,
    ],
    ['?q=R%C3%A9glages', { q: 'Réglages' }, 4],
    ['?state=executed&unknown=kept', { state: 'EXECUTED' }, 15],
    ['?q=nothing+of+the+kind', { q: 'nothing of the kind' }, 0],
  ])('"%s" is shown, and is the address still', async (search, expected, least) => {
    await page.goto(`/proposals${search}`)
    await settled(page)
    expect(await filters()).toEqual({ q: '', system: '', state: '', order: '', ...expected })
    const count = (await titles()).length
    expect(count).toBeGreaterThanOrEqual(least)
    if (least === 0) expect(count).toBe(0)
    expect(await place()).toBe(`/proposals${search}`)
  })

  test('what is chosen makes the address that shows the same', async () => {
    await page.goto('/proposals?unknown=kept')
    await settled(page)
    await choice('System').selectOption('ARAGON')
    await choice('State').selectOption('DEFEATED')
    await choice('Order').selectOption('ENDS_ASC')
    await expect.poll(place).toBe('/proposals?unknown=kept&system=ARAGON&state=DEFEATED&order=ENDS_ASC')
    await settled(page)
    const chosen = { filters: await filters(), titles: await titles() }
    expect(chosen.titles.length).toBeGreaterThan(3)
    await page.reload()
    await settled(page)
    expect({ filters: await filters(), titles: await titles() }).toEqual(chosen)
    await choice('System').selectOption('')
    await choice('State').selectOption('')
    await choice('Order').selectOption('')
    await expect.poll(place).toBe('/proposals?unknown=kept')
  })

  test('back and forward', async () => {
    await page.goto('/proposals')
    await settled(page)
    const all = await titles()
    await choice('System').selectOption('POLL')
    await expect.poll(async () => (await titles()).length).toBe(3)
    const polls = await titles()
    await page.goBack()
    await expect.poll(titles).toEqual(all)
    expect(await filters()).toMatchObject({ system: '' })
    await page.goForward()
    await expect.poll(titles).toEqual(polls)
    expect(await filters()).toMatchObject({ system: 'POLL' })
  })

  test('typing is one step back', async () => {
    await page.goto('/')
    await settled(page)
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Proposals' }).click()
    await settled(page)
    await words().waitFor()
    const before = await page.evaluate(() => history.length)
    await words().pressSequentially('Vorschlag', { delay: 20 })
    await expect.poll(place).toBe('/proposals?q=Vorschlag')
    expect(await words().inputValue()).toBe('Vorschlag')
    expect(await page.evaluate(() => history.length)).toBe(before + 1)
    await expect.poll(async () => (await titles()).every((title) => title.startsWith('Vorschlag'))).toBe(true)
    await page.goBack()
    await expect.poll(place).toBe('/proposals')
    expect(await words().inputValue()).toBe('')
  })
})

test('what is no page of the explorer is left to the server: files, the editor, GraphQL', async () => {
  for (const path of ['/proposals.csv', '/editor', '/openapi.json', '/status']) {
    const response = await page.request.get(path)
    expect([path, response.status()]).toEqual([path, 200])
  }
  await page.goto('/proposals')
  await settled(page)
  const download = page.waitForEvent('download')
  await page.locator('#proposals').getByRole('link', { name: 'CSV' }).click()
  expect((await download).suggestedFilename()).toMatch(/\.csv$/)
})
