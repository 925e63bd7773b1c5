import { expect, test } from 'vitest'
import { runCampaign, VICTIMS } from '../faults/campaign.ts'

test('a short campaign of kills, reorganisations and faults ends with what the contracts say', async () => {
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const options = {
    trace: 'livepeer/small',
    seed: 20_260_801,
    kills: VICTIMS.length,
    reorganisations: 10,
    minutes: 2,
    log,
  }
  const { kills, reorganisations, faults, starts, compared, differences } = await runCampaign(options).catch(
    (error) => {
      throw new Error(lines.join('\n'), { cause: error })
    },
  )
  expect(differences).toEqual([])
  expect(kills).toEqual(Object.fromEntries(VICTIMS.map((victim) => [victim, 1])))
  expect(reorganisations).toBe(10)
  // Each kill but that of a connection ends the stack.
  expect(starts).toBeGreaterThanOrEqual(VICTIMS.length)
  const faulty = Object.values(faults).reduce((sum, count) => sum + count, 0)
  expect(faulty).toBeGreaterThan(0)
  console.log(
    `livepeer/small after ${VICTIMS.length} kills, ${reorganisations} reorganisations and ${faulty} faults of its RPC: ${compared} values of stake and governance compared`,
  )
  expect(compared).toBeGreaterThan(5000)
})
