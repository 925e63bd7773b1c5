import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { launchBrowser } from './browser.ts'
import { TESTED_PAGES, TREASURY } from './pages.ts'
import { answering, drawn, openPage, overflow, settled, withoutFirstView } from './watched-page.ts'

const origin = inject('explorerUrl')
let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

async function at(path: string, options: BrowserContextOptions, look: (page: Page) => Promise<void>): Promise<void> {
  const { page, complaints, strays, close } = await openPage(browser, origin, options)
  try {
    await page.goto(path)
    await settled(page)
    await look(page)
    expect({ complaints, strays }).toEqual({ complaints: [], strays: [] })
  } finally {
    await close()
  }
}

/** What has the focus, and whether that is to be seen. */
function focused(page: Page): Promise<{ what: string; isSeen: boolean }> {
  return page.evaluate(() => {
    const element = document.activeElement ?? document.body
    // The calendar in a date's field has the focus by itself, and the browser's own mark.
    const isMarked = element instanceof HTMLInputElement && element.type === 'date'
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element)
    const box = element.getBoundingClientRect()
    const onScreen = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
    return {
      what: `${element.nodeName} ${element.id} ${(element.textContent || element.getAttribute('aria-label') || '').slice(0, 40)}`,
      isSeen:
        isMarked ||
        (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 && outlineColor !== 'transparent' && onScreen),
    }
  })
}

/** Presses a key until what has the focus is of a selector. */
async function goTo(page: Page, key: string, selector: string): Promise<void> {
  for (let count = 0; count < 150; count++) {
    await page.keyboard.press(key)
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector)) return
  }
  throw new Error(`${key} never led to ${selector}`)
}

describe('by the keyboard alone', () => {
  test('from the skip link by the search to a proposal, a voter, a round, and back', async () => {
    await at('/', {}, async (page) => {
      await page.keyboard.press('Tab')
      expect(await focused(page)).toEqual({ what: 'A  Skip to the page', isSeen: true })
      await page.keyboard.press('Enter')
      await page.keyboard.press('Tab')
      expect(await page.evaluate(() => document.activeElement?.closest('main') !== null)).toBe(true)

      await page.keyboard.press('/')
      expect((await focused(page)).what).toMatch(/^INPUT/)
      await page.keyboard.type(TREASURY.replace('treasury:', ''))
      await page.keyboard.press('Enter')
      await page.waitForURL(`**/proposals/${TREASURY}`)
      await settled(page)
      // A reader by ear is told of the new page from its beginning.
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main')

      await page.keyboard.press('/')
      await page.keyboard.press('Control+A')
      await page.keyboard.type('réglages')
      await page.keyboard.press('Enter')
      await page.waitForURL('**/proposals?q=r%C3%A9glages')
      await settled(page)
      await page.locator('#proposals').waitFor()
      await page.keyboard.press('/')
      await page.keyboard.press('Control+A')
      await page.keyboard.type('61')
      await page.keyboard.press('Enter')
      await page.waitForURL('**/snapshots/61')
      await page.goBack()
      await page.waitForURL('**/proposals?q=r%C3%A9glages')
    })
  })

  test('from a proposal to a voter, its stake a round before, and the proof of it', async () => {
    await at(`/proposals/${TREASURY}`, {}, async (page) => {
      await goTo(page, 'Tab', '#votes tbody a.address')
      const voter = await page.evaluate(() => document.activeElement?.getAttribute('href'))
      await page.keyboard.press('Enter')
      await page.waitForURL(`**${voter}`)
      await settled(page)
      await goTo(page, 'Tab', 'input[type="range"]')
      await page.keyboard.press('ArrowLeft')
      await page.waitForURL(/\/accounts\/0x[0-9a-f]{40}\?round=84$/)
      await settled(page)
      await goTo(page, 'Shift+Tab', 'a[href^="/proof"]')
      await page.keyboard.press('Enter')
      await page.waitForURL(/\/proof\?.*round=84/)
      await page.getByRole('heading', { name: 'Proved' }).waitFor()
      expect(await page.locator('main').innerText()).toContain('is what the proof names')
    })
  })

  test('"/" within a field is a letter', async () => {
    await at('/proposals', {}, async (page) => {
      await page.getByRole('searchbox', { name: 'Words', exact: true }).focus()
      await page.keyboard.type('a/b')
      await page.waitForURL('**/proposals?q=a%2Fb')
    })
  })

  test.each(TESTED_PAGES)('whatever has the focus is seen to have it: $name', async ({ path }) => {
    await at(path, { viewport: { width: 1280, height: 800 } }, async (page) => {
      const stops: { what: string; isSeen: boolean }[] = []
      for (let count = 0; count < 30; count++) {
        await page.keyboard.press('Tab')
        stops.push(await focused(page))
        if (stops.at(-1)?.what.startsWith('BODY')) break
      }
      expect(stops.length).toBeGreaterThan(12)
      expect(stops.filter(({ what, isSeen }) => !isSeen && !what.startsWith('BODY'))).toEqual([])
    })
  })
})

describe('who would rather not see things move', () => {
  test.each([
    ['no-preference', true],
    ['reduce', false],
  ] as const)('reduced motion: %s', async (reducedMotion, moves) => {
    const { page, close } = await openPage(browser, origin, { reducedMotion })
    try {
      await withoutFirstView(page)
      await answering(page, 'Proposals', () => new Promise(() => {}))
      await page.goto('/proposals')
      await page.locator('#proposals .skeleton').waitFor()
      await drawn(page)
      const running = await page.evaluate(() =>
        document.getAnimations().some(({ playState }) => playState === 'running'),
      )
      expect(running).toBe(moves)
    } finally {
      await close()
    }
  })
})

describe('who needs it large, or in colours of their own', () => {
  test.each(TESTED_PAGES)('$name', async ({ name, path }) => {
    // A window of 1280 at 200 %.
    await at(path, { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }, async (page) => {
      expect(await overflow(page), 'the page at 200 %').toBeLessThanOrEqual(0)
      await page.evaluate(() => {
        document.documentElement.style.fontSize = '200%'
      })
      await drawn(page)
      expect(await overflow(page), 'and its text once more').toBeLessThanOrEqual(0)
      await page.screenshot({ path: `build/screenshots/${name}-large.png` })
      await page.evaluate(() => {
        document.documentElement.style.fontSize = ''
      })
      await page.setViewportSize({ width: 1280, height: 800 })
      await page.emulateMedia({ forcedColors: 'active' })
      await drawn(page)
      expect(await page.evaluate(() => matchMedia('(forced-colors: active)').matches)).toBe(true)
      expect(await overflow(page), 'in forced colours').toBeLessThanOrEqual(0)
      expect(await page.locator('h1').isVisible()).toBe(true)
      await page.screenshot({ path: `build/screenshots/${name}-forced.png` })
    })
  })
})
