import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { GovernanceTruth } from '../system/governance-truth.ts'
import { readTruth } from '../system/livepeer-truth.ts'
import { launchBrowser } from './browser.ts'
import { TESTED_PAGES } from './pages.ts'
import { openPage, settled } from './watched-page.ts'

interface AragonTruth {
  votes: Record<string, { states: { yea: string; nay: string }[] }>
}

const origin = inject('explorerUrl')
const { proposals, polls } = readTruth<GovernanceTruth>('livepeer/medium')
const { votes } = readTruth<AragonTruth>('aragon/small')
let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

async function at<T>(path: string, look: (page: Page) => Promise<T>): Promise<T> {
  const { page, close } = await openPage(browser, origin)
  try {
    await page.goto(path)
    await settled(page)
    return await look(page)
  } finally {
    await close()
  }
}

/** All amounts on a page: the wei that they stand for, what is printed of them, and in the title. */
function amountsOn(page: Page): Promise<{ wei: string; text: string; title: string }[]> {
  return page.locator('main data.amount').evaluateAll((all) =>
    all.map((element) => ({
      wei: (element as HTMLDataElement).value,
      text: [...element.childNodes]
        .filter((node) => !(node instanceof Element && node.classList.contains('unit')))
        .map(({ textContent }) => textContent)
        .join(''),
      title: element.getAttribute('title') ?? '',
    })),
  )
}

/** Wei with all 18 digits, by cutting the digits apart: nothing of the explorer's own is asked. */
function exactly(wei: string): string {
  const digits = wei.replace('-', '').padStart(19, '0')
  const whole = digits.slice(0, -18).replace(/\B(?=(\d{3})+$)/g, ',')
  return `${wei.startsWith('-') ? '-' : ''}${whole}.${digits.slice(-18)}`
}

/** A part of a whole in percent with two digits, cut off. */
function percent(part: bigint, whole: bigint): string {
  const digits = String((part * 10_000n) / whole).padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)} %`
}

/** What each choice got, by its name. */
const expected: [string, Record<string, string>, quorum?: bigint][] = [
  ...Object.entries(proposals).map(([id, { finalVotes, quorum }]): [string, Record<string, string>, bigint?] => [
    `treasury:${id}`,
    { For: finalVotes.for, Against: finalVotes.against, Abstain: finalVotes.abstain },
    quorum === undefined ? undefined : BigInt(quorum),
  ]),
  ...Object.entries(polls).map(([address, { final }]): [string, Record<string, string>] => [
    `poll:${address}`,
    { Yes: final.yes, No: final.no },
  ]),
]

describe.each(TESTED_PAGES)('$name', ({ path }) => {
  test('every amount is whole wei, of which as many digits are printed as were cut off: none is rounded', async () => {
    await at(path, async (page) => {
      const amounts = await amountsOn(page)
      const wrong = amounts.filter(
        ({ wei, text, title }) =>
          !/^(0|-?[1-9]\d*)$/.test(wei) ||
          !/\.\d{2,18}$/.test(text) ||
          !exactly(wei).startsWith(text) ||
          ![exactly(wei).replaceAll(',', ''), ''].includes(title.split(' ')[0] ?? ''),
      )
      expect(wrong).toEqual([])
      await page.getByRole('button', { name: 'All 18 digits' }).click()
      if (amounts[0] !== undefined) {
        await page
          .locator('main data.amount')
          .filter({ hasText: exactly(amounts[0].wei) })
          .first()
          .waitFor()
      }
      expect((await amountsOn(page)).filter(({ wei, text }) => text !== exactly(wei))).toEqual([])
    })
  })
})

test('the whole amount is a click away, in tokens and in wei', async () => {
  await at('/', async (page) => {
    const button = page.locator('#stake .amount-button').first()
    const wei = (await button.locator('data').getAttribute('value')) ?? ''
    await button.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'The whole amount' })
    await dialog.waitFor()
    expect(await dialog.locator('.exact-amount').innerText()).toBe(`${exactly(wei).replaceAll(',', '')} LPT`)
    expect(await dialog.innerText()).toContain(`${wei} wei`)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
  })
})

describe('the list of proposals against what the contracts answered', () => {
  const rows = new Map<string, { cast: string; margin: string; short: string | null }>()
  beforeAll(async () => {
    await at('/proposals', async (page) => {
      const found = await page.locator('#proposals tbody tr').evaluateAll((all) =>
        all.map((row) => ({
          id: row.querySelector('a.title')?.getAttribute('href')?.replace('/proposals/', '') ?? '',
          cast: row.querySelector('.cast-cell [role="img"]')?.getAttribute('aria-label') ?? '',
          margin: row.querySelector('.margin')?.textContent ?? '',
          short: row.querySelector('.margin data')?.getAttribute('value') ?? null,
        })),
      )
      for (const { id, ...row } of found) rows.set(id, row)
    })
  })

  test.each(expected)('%s', (id, parts, quorum) => {
    const row = rows.get(id)
    const sums = Object.entries(parts).map(([name, wei]) => ({ name, wei: BigInt(wei) }))
    const cast = sums.reduce((sum, { wei }) => sum + wei, 0n)
    if (cast === 0n) {
      expect(row?.cast).toBe('')
      return
    }
    expect(row?.cast).toBe(`Cast: ${sums.map(({ name, wei }) => `${name} ${percent(wei, cast)}`).join(', ')}`)
    const [yes = 0n, no = 0n] = sums.map(({ wei }) => wei)
    const name = sums[0]?.name.toLowerCase()
    if (yes + no > 0n) expect(row?.margin).toContain(`${percent(yes, yes + no)} ${name} · `)
    if (quorum === undefined) return
    // GovernorCountingOverridable._quorumReached counts all three.
    const missing = quorum - cast
    expect(row?.short).toBe(missing > 0n ? String(missing) : null)
  })

  test('and every vote of the DAO', () => {
    const told = [...rows].filter(([id]) => id.startsWith('aragon:'))
    expect(told).toHaveLength(Object.keys(votes).length)
    for (const [id, { cast }] of told) {
      const { yea = '0', nay = '0' } = votes[id.split(':')[2] ?? '']?.states.at(-1) ?? {}
      const whole = BigInt(yea) + BigInt(nay)
      const wanted = whole === 0n ? '' : `Cast: Yea ${percent(BigInt(yea), whole)}, Nay ${percent(BigInt(nay), whole)}`
      expect([id, cast]).toEqual([id, wanted])
    }
    console.log(`${rows.size} values of tallies on the list of proposals compared`)
  })
})

describe('the votes on the page of a proposal against what the contracts answered', () => {
  test.each(expected)('%s', async (id, parts) => {
    await at(`/proposals/${id}`, async (page) => {
      const found = await page.locator('#votes table').evaluateAll((tables) =>
        tables.flatMap((table) => {
          const names = [...table.querySelectorAll('thead th')].map(({ textContent }) => textContent?.trim())
          const [choice, counted] = ['Choice', 'Counted'].map((name) =>
            names.findIndex((other) => other?.startsWith(name)),
          )
          return [...table.querySelectorAll('tbody tr')].map(({ children }) => ({
            choice: children[choice ?? -1]?.textContent ?? '',
            counted: children[counted ?? -1]?.querySelector('data')?.value ?? '',
          }))
        }),
      )
      const sums = Object.keys(parts).map((name) => {
        const own = found.filter(({ choice }) => choice.startsWith(name))
        return [name, String(own.reduce((sum, { counted }) => sum + BigInt(counted), 0n))]
      })
      expect(Object.fromEntries(sums)).toEqual(parts)
    })
  })
})
