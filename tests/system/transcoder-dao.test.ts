import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Stack, startStack } from '../../stack/stack.ts'
import { type AragonTruth, aragonMoments, compareTokensAndMoney, compareVotesAt } from './aragon-truth.ts'
import { readTruth, traceFile } from './livepeer-truth.ts'
import { asOf, serveFacts } from './serve.ts'

describe('Aragon votes of the small trace, through the HTTP API', () => {
  const truth = readTruth<AragonTruth>('aragon/small')
  let stack: Stack

  beforeAll(async () => {
    stack = await startStack({ traces: [traceFile('aragon/small')] })
    await stack.ready
  })
  afterAll(() => stack?.stop())

  test('equal the contracts at every state they were in', async () => {
    const [chain] = stack.followed
    if (chain === undefined) throw new Error('no chain')
    let compared = 0
    for (const moment of aragonMoments(truth)) {
      const server = await serveFacts([asOf(chain, moment)])
      try {
        const comparison = await compareVotesAt(server.url, truth, moment.block)
        compared += comparison.compared
        expect(comparison.differences).toEqual([])
      } finally {
        await server.close()
      }
    }
    console.log(`aragon/small: ${compared} values of votes over time compared`)
    expect(compared).toBeGreaterThan(5000)
  })

  test('equal the contracts at the end, by the indexed head', async () => {
    const { compared, differences } = await compareVotesAt(stack.url, truth, truth.final.block)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(300)
  })

  test('TDT, the vault and payments equal the contracts', async () => {
    const { compared, differences } = await compareTokensAndMoney(stack.url, truth)
    console.log(`aragon/small: ${compared} values of TDT, vault and payments compared`)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(100)
  })

  test('fail on one wei', async () => {
    const wrong = structuredClone(truth)
    const state = wrong.votes['16']?.states.find(({ block }) => block === truth.final.block)
    if (state === undefined) throw new Error('nothing to falsify')
    state.yea = String(BigInt(state.yea) + 1n)
    const { differences } = await compareVotesAt(stack.url, wrong, truth.final.block)
    expect(differences).toHaveLength(1)
    expect(differences[0]).toContain('vote 16')
  })
})
