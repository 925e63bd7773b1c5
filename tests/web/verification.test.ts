import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { ApiServer } from '../../api/server.ts'
import { waitFor } from '../../stack/processes.ts'
import { readTrace } from '../../stack/trace.ts'
import type { GovernanceTruth } from '../system/governance-truth.ts'
import { type LivepeerTruth, readTruth, traceFile } from '../system/livepeer-truth.ts'
import { type Manner, type Providers, serveProviders } from '../system/providers.ts'
import { livepeerContracts } from '../system/recorded-contracts.ts'
import { serve } from '../system/serve.ts'
import { violations } from './axe.ts'
import { launchBrowser } from './browser.ts'
import { drawn, openPage, overflow, settled, type WatchedPage } from './watched-page.ts'

const chains = inject('chains')
/** The last round that the recording initialised, of whose total the contracts are made to tell one wei more. */
const ROUND = 84

describe.skipIf(chains.length === 0)('what comparing with the contracts has shown', () => {
  let browser: Browser
  let providers: Providers
  let total = 0n
  beforeAll(async () => {
    browser = await launchBrowser()
    const truth = readTruth<LivepeerTruth & GovernanceTruth>('livepeer/medium')
    const { rounds, totalActiveStake } = truth.votesAtRoundStart
    const place = rounds.indexOf(ROUND)
    total = BigInt(totalActiveStake[place] ?? 0)
    totalActiveStake[place] = String(total + 1n)
    providers = await serveProviders({ wrong: livepeerContracts(await readTrace(traceFile('livepeer/medium')), truth) })
  })
  afterAll(async () => {
    await browser?.close()
    providers?.close()
  })

  /** Looks at an API whose chain of stake compares itself with contracts over a provider. */
  async function over(manner: Manner, look: (own: WatchedPage, api: ApiServer) => Promise<void>): Promise<void> {
    const [stake, ...others] = chains
    if (stake === undefined) throw new Error('there is no chain')
    const rpcUrl = `${providers.url}/wrong/${manner}`
    const api = await serve([{ ...stake, rpcUrl }, ...others], { verification: { lookMs: 100 } })
    const own = await openPage(browser, api.url)
    try {
      await waitFor(async () => {
        const [status] = (await (await fetch(`${api.url}/status`)).json()) as { verification: Record<string, number> }[]
        const { pending, rounds, uncheckedCount } = status?.verification ?? {}
        return (pending === 0 && Number(rounds) + Number(uncheckedCount) > 0) || undefined
      }, AbortSignal.timeout(60_000))
      await look(own, api)
      // What a browser itself says of a failed request, such as of /ready on a busy machine, is no fault of the page.
      const complaints = own.complaints.filter((text) => !text.startsWith('Failed to load resource'))
      expect({ complaints, strays: own.strays }).toEqual({ complaints: [], strays: [] })
    } finally {
      await own.close()
      await api.close()
    }
  }

  test('a difference is told with both figures, on the page of the chains and wherever it matters', async () => {
    await over('fine', async ({ page }) => {
      await page.goto('/chains')
      await settled(page)
      const panel = page.locator('#verification')
      expect(await panel.locator('h2').innerText()).toBe('2 values differ')
      const row = panel.locator('tbody tr', { hasText: 'total active stake' })
      expect((await row.innerText()).split(/[\t\n]+/).slice(0, 5)).toEqual([
        ...[`recorded, round ${ROUND}`, 'total active stake', 'its own', String(total + 1n), String(total)],
      ])
      expect(await panel.locator('.tone.bad').innerText()).toMatch(
        /^recorded: [\d,]+ values, 2 differ; 3 rounds and \d+ proposals, the last round is 84\.$/,
      )
      expect(await panel.locator('.tone.warned').allInnerTexts()).toEqual([
        'recorded-2: not compared, no node of it is known here, as of a recording.',
        'recorded-3: not compared, no node of it is known here, as of a recording.',
      ])
      expect(await page.locator('#recorded .lead').innerText()).toBe('The contracts tell 2 values otherwise: these.')
      await page.locator('.freshness li.bad', { hasText: '2 values differ from the contracts' }).waitFor()
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme })
        await drawn(page)
        await page.screenshot({ path: `build/screenshots/verification-${theme}.png`, fullPage: true })
        expect(await violations(page), theme).toEqual([])
      }
      await page.setViewportSize({ width: 360, height: 640 })
      expect(Math.max(0, await overflow(page))).toBe(0)

      await page.goto(`/snapshots/${ROUND}?network=recorded`)
      await settled(page)
      expect(await page.locator('#totals .trouble').innerText()).toContain(
        `The contracts tell otherwise. This depends on round ${ROUND}, of which 2 values differ.`,
      )
      expect(await violations(page)).toEqual([])
      await page.goto(`/snapshots/${ROUND - 1}?network=recorded`)
      await settled(page)
      expect(await page.getByText('The contracts tell otherwise').count()).toBe(0)
    })
  }, 120_000)

  test('what could not be compared is no agreement', async () => {
    await over('busy', async ({ page }) => {
      await page.goto('/chains')
      await settled(page)
      const panel = page.locator('#verification')
      expect(await panel.locator('.tone.good').count()).toBe(0)
      expect(await panel.locator('.tone.warned').first().innerText()).toMatch(
        /^recorded: nothing yet, \d+ unchecked\.$/,
      )
      expect(await panel.locator('tbody tr').first().innerText()).toMatch(
        /^recorded, round 84\s+all of it\s+No such contract is there\.$/,
      )
      expect(await violations(page)).toEqual([])
    })
  }, 120_000)
})
