import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Stack, startStack } from '../../stack/stack.ts'
import { type AragonTruth, aragonMoments, compareTokensAndMoney, compareVotesAt } from './aragon-truth.ts'
import { readTruth, traceFile } from './livepeer-truth.ts'
import { asOf, serveFacts } from './serve.ts'
import { makeFolder } from './stack-command.ts'

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

describe('Aragon votes of which nothing tells the settings', () => {
  const folder = makeFolder()
  let stack: Stack

  beforeAll(async () => {
    const [header = '', ...blocks] = gunzipSync(readFileSync(traceFile('aragon/small')))
      .toString()
      .split('\n')
    const { parameters: _, ...rest } = JSON.parse(header)
    const file = join(folder, 'trace.jsonl.gz')
    writeFileSync(file, gzipSync([JSON.stringify(rest), ...blocks].join('\n')))
    stack = await startStack({ traces: [file] })
    await stack.ready
  })
  afterAll(async () => {
    await stack?.stop()
    rmSync(folder, { recursive: true })
  })

  test('are in every list, without what cannot be counted, and take nothing else with them', async () => {
    const ask = async (query: string) => {
      const response = await fetch(`${stack.url}/graphql?query=${encodeURIComponent(query)}`)
      return (await response.json()) as {
        data: { proposals: { totalCount: number; uncounted: string[]; nodes: Record<string, unknown>[] } }
        errors?: { path: (string | number)[]; extensions: { code: string } }[]
      }
    }
    const { data, errors = [] } = await ask(
      '{ proposals(first: 1000) { totalCount uncounted nodes { id title proposer state tally { for } votes { totalCount } } } }',
    )
    expect(data.proposals.totalCount).toBe(32)
    const uncounted = data.proposals.nodes.filter(({ state }) => state === null)
    expect(uncounted.length).toBeGreaterThan(0)
    for (const { title, proposer, tally, votes } of uncounted) {
      expect([typeof title, typeof proposer, tally, votes]).toEqual(['string', 'string', null, null])
    }
    expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(new Set(['NOT_EXACT']))
    expect(errors).toHaveLength(3 * uncounted.length)

    const filtered = await ask(
      '{ proposals(filter: { state: [ACTIVE, EXECUTED] }) { totalCount uncounted nodes { id } } }',
    )
    expect(filtered.errors).toBeUndefined()
    expect(filtered.data.proposals.uncounted.toSorted()).toEqual(uncounted.map(({ id }) => id).sort())

    const [voter] = Object.keys(readTruth<AragonTruth>('aragon/small').votes['1']?.states.at(-1)?.voters ?? {})
    const { data: account, errors: refused = [] } = (await ask(
      `{ account(address: "${voter}") { votes(first: 1000) { totalCount nodes { proposal { id } vote { choice } } } } }`,
    )) as unknown as {
      data: { account: { votes: { totalCount: number; nodes: { vote: unknown }[] } } }
      errors?: { extensions: { code: string } }[]
    }
    expect(account.account.votes.totalCount).toBeGreaterThan(0)
    expect(refused).toHaveLength(account.account.votes.nodes.filter(({ vote }) => vote === null).length)
  })
})
