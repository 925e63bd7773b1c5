import { statSync } from 'node:fs'
import { startStack } from '../../stack/stack.ts'
import { launchBrowser } from './browser.ts'
import { TREASURY } from './pages.ts'
import { openPage, settled } from './watched-page.ts'

/** The README's one picture: a finished proposal. Of a running API where EXPLORER_URL names one, else of the recorded chains. */
const PICTURE = 'docs/explorer.png'
const MOST_BYTES = 200_000

const stack = process.env.EXPLORER_URL === undefined ? await startStack() : undefined
try {
  await stack?.ready
  const browser = await launchBrowser()
  const origin = stack?.url ?? process.env.EXPLORER_URL ?? ''
  const { page } = await openPage(browser, origin, { viewport: { width: 1280, height: 960 }, colorScheme: 'light' })
  await page.goto(`/proposals/${TREASURY}`)
  await settled(page)
  await page.screenshot({ path: PICTURE })
  await browser.close()
} finally {
  await stack?.stop()
}
const { size } = statSync(PICTURE)
console.log(`${PICTURE}: ${size} bytes`)
if (size > MOST_BYTES) throw new Error(`${PICTURE} is larger than ${MOST_BYTES} bytes`)
