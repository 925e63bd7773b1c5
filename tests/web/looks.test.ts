import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { violations } from './axe.ts'
import { launchBrowser } from './browser.ts'
import { TESTED_PAGES, untestedPatterns } from './pages.ts'
import { drawn, openPage, overflow, settled } from './watched-page.ts'

const MOST_SHIFT = 0.02
const WINDOWS = [
  { width: 1280, height: 800, axe: true },
  { width: 390, height: 844, axe: false },
  { width: 360, height: 640, axe: true },
]
/** Not for comparing: fonts differ between machines. For eyes. */
const PICTURES = 'build/screenshots'

const origin = inject('explorerUrl')
let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

test('every page is tested', () => {
  expect(untestedPatterns()).toEqual([])
})

test('what a part looks like goes before what its element does, whatever is loaded first', async () => {
  const { page, close } = await openPage(browser, origin)
  try {
    await page.goto('/')
    await settled(page)
    const border = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((element) => getComputedStyle(element).borderTopWidth)
    expect(await border('main .sources button.link')).toBe('0px')
    expect(await border('main button.amount-button')).toBe('0px')
    expect(await border('main .proposal-list .badge')).toBe('1px')
  } finally {
    await close()
  }
})

describe.each(TESTED_PAGES)('$name', ({ name, path, has }) => {
  test.each(WINDOWS)('$width × $height, light and dark', async ({ width, height, axe }) => {
    const { page, complaints, strays, close } = await openPage(browser, origin, { viewport: { width, height } })
    try {
      const response = await page.goto(path)
      expect(response?.status()).toBe(200)
      await settled(page)
      const found = {
        headings: await page.locator('h1').count(),
        overflow: Math.max(0, await overflow(page)),
        shift: await page.evaluate(() => window.layoutShift),
      }
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme })
        await drawn(page)
        await page.screenshot({ path: `${PICTURES}/${name}-${width}-${theme}.png`, fullPage: true })
        if (axe) expect(await violations(page), theme).toEqual([])
      }
      const text = await page.locator('main').innerText()
      for (const words of has) expect(text).toMatch(words)
      expect(found).toEqual({ headings: 1, overflow: 0, shift: expect.any(Number) })
      expect(Number(found.shift.toFixed(3))).toBeLessThanOrEqual(MOST_SHIFT)
      expect({ complaints, strays }).toEqual({ complaints: [], strays: [] })
    } finally {
      await close()
    }
  })
})
