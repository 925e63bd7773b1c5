import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { launchBrowser } from './browser.ts'
import { TESTED_PAGES } from './pages.ts'
import { openPage } from './watched-page.ts'

const origin = inject('explorerUrl')
let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

test.each(TESTED_PAGES)(
  'without script $name says what it would show and links files that are there',
  async ({ path }) => {
    const { page, complaints, strays, close } = await openPage(browser, origin, { javaScriptEnabled: false })
    try {
      await page.goto(path)
      const main = page.locator('noscript main')
      expect(await main.locator('h1').innerText()).toMatch(/\w/)
      expect((await main.locator('p').first().innerText()).length).toBeGreaterThan(30)
      expect(await main.innerText()).toContain('drawn by a script')
      const links = await main
        .getByRole('link')
        .evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''))
      expect(links.length).toBeGreaterThan(1)
      expect(new Set(links).size, 'none twice').toBe(links.length)
      for (const link of links) {
        const response = await fetch(new URL(link, origin), { headers: { accept: 'text/html' } })
        // On L1 not everybody's stake is known: what is refused says so.
        if (response.status === 422) expect(await response.text()).toContain('"NOT_EXACT"')
        else expect([link, response.status]).toEqual([link, 200])
        if (!response.bodyUsed) await response.body?.cancel()
      }
      expect({ complaints, strays }).toEqual({ complaints: [], strays: [] })
    } finally {
      await close()
    }
  },
)
