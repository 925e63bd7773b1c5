import type { Browser, BrowserContextOptions, Page, Route } from 'playwright-core'

/** A page whose complaints and requests are recorded. */
export interface WatchedPage {
  page: Page
  /** Errors on the console, errors nobody caught, breaches of the content security policy. */
  complaints: string[]
  /** Requests beyond the API's origin: none of them went out. */
  strays: string[]
  close: () => Promise<void>
}

declare global {
  interface Window {
    /** The sum of all layout shifts so far. */
    layoutShift: number
  }
}

/** A new page with nothing kept from others, not yet anywhere. */
export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    baseURL: origin,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    ...options,
  })
  const complaints: string[] = []
  const strays: string[] = []
  await context.route(
    (url) => url.origin !== origin && /^(https?|wss?):$/.test(url.protocol),
    (route) => {
      strays.push(route.request().url())
      return route.abort()
    },
  )
  if (options.javaScriptEnabled !== false) await context.addInitScript(watch)
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(`not caught: ${error.message}`))
  const close = async () => {
    // What is being answered now is nobody's any more.
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    await context.close()
  }
  return { page, complaints, strays, close }
}

function watch(): void {
  window.layoutShift = 0
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { value, hadRecentInput } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean }
      if (!hadRecentInput) window.layoutShift += value
    }
  }).observe({ type: 'layout-shift', buffered: true })
  addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
    console.error(`content security policy: ${violatedDirective} ${blockedURI} ${sample}`),
  )
}

/** Until a page has drawn what it asked for. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      document.querySelector('main h1') !== null &&
      document.querySelector('main .skeleton, main [aria-busy="true"]') === null,
  )
  await drawn(page)
}

/** Until the browser has put two frames on the screen. */
export function drawn(page: Page): Promise<void> {
  return page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  )
}

/** How far a page goes beyond its window sideways, in CSS pixels. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

/** Makes a page come without the figures that the server puts into it, so that it has to ask for them. */
export async function withoutFirstView(page: Page): Promise<void> {
  await page.route(
    () => true,
    async (route) => {
      if (route.request().resourceType() !== 'document') return route.fallback()
      const response = await route.fetch()
      const body = (await response.text()).replace(/(id="first-view">)[^<]*/, '$1[]')
      return route.fulfill({ response, body })
    },
  )
}

/** Answers one operation of GraphQL otherwise than the API does; `*` stands for all. */
export async function answering(
  page: Page,
  operation: string,
  answer: (route: Route) => Promise<unknown>,
): Promise<void> {
  await page.route(
    (url) => url.pathname === '/graphql',
    (route) => (operation === '*' || operationOf(route) === operation ? answer(route) : route.fallback()),
  )
}

/** The name of the operation that a request asks for. */
function operationOf(route: Route): string | undefined {
  const request = route.request()
  const query = new URL(request.url()).searchParams.get('query') ?? String(request.postDataJSON()?.query)
  return /\bquery\s+(\w+)/.exec(query)?.[1]
}
