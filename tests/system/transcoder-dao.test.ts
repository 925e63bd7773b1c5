import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Stack, startStack } from '../../stack/stack.ts'
import { type AragonTruth, aragonMoments, compareTokensAndMoney, compareVotesAt } from './aragon-truth.ts'
import { compareAragonBallots, compareCounting, compareWhatIf } from './counting-truth.ts'
import { compareExplorer } from './explorer-truth.ts'
import { readTruth, traceFile } from './livepeer-truth.ts'
import { asOf, serveFacts } from './serve.ts'
import { serveShared } from './shared-chains.ts'
import { makeFolder } from './stack-command.ts'

describe('Aragon votes of the small trace, through the HTTP API', () => {
  const truth = readTruth<AragonTruth>('aragon/small')
  let stack: Awaited<ReturnType<typeof serveShared>>

  beforeAll(async () => {
    stack = await serveShared('aragon/small')
  })
  afterAll(() => stack?.close())

  test('equal the contracts at every state they were in', async () => {
    const [chain] = stack.followed
    if (chain === undefined) throw new Error('no chain')
    let compared = 0
    for (const [index, moment] of aragonMoments(truth).entries()) {
      const server = await serveFacts([asOf(chain, moment)])
      try {
        for (const comparison of [
          await compareVotesAt(server.url, truth, moment.block),
          // Of all votes, and so not at every moment.
          ...(index % 5 === 0 ? [await compareCounting(server.url)] : []),
          ...(index % 40 === 0 ? [await compareExplorer(server.url)] : []),
        ]) {
          compared += comparison.compared
          expect(comparison.differences).toEqual([])
        }
      } finally {
        await server.close()
      }
    }
    console.log(`aragon/small: ${compared} values of votes, turnouts and recounts over time compared`)
    expect(compared).toBeGreaterThan(5000)
  })

  test('equal the contracts at the end, by the indexed head', async () => {
    const { compared, differences } = await compareVotesAt(stack.url, truth, truth.final.block)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(300)
    expect((await compareCounting(stack.url)).differences).toEqual([])
    expect((await compareExplorer(stack.url)).differences).toEqual([])
  })

  test('who was missing, and how every holder was counted, equal the contracts', async () => {
    const { compared, differences } = await compareAragonBallots(stack.url, truth)
    console.log(`aragon/small: ${compared} values of absentees and ballots compared`)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(500)
  })

  test('what would have been is what the votes say', async () => {
    const { compared, differences } = await compareWhatIf(stack.url)
    console.log(`aragon/small: ${compared} values of hypothetical counts compared`)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(500)
  })

  test('TDT, the vault and payments equal the contracts', async () => {
    const { compared, differences } = await compareTokensAndMoney(stack.url, truth)
    console.log(`aragon/small: ${compared} values of TDT, vault and payments compared`)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(100)
  })

  test.each([
    ['{ round: 9 }', 'an Aragon vote counts balances, not stake'],
    [`{ choices: [{ voter: "0x${'9'.repeat(40)}", choice: ABSTAIN }] }`, 'others have FOR and AGAINST'],
  ])('are not counted anew with %s', async (changes, message) => {
    const id = `aragon:${truth.contracts.Voting}:1`
    const query = `{ proposal(id: "${id}") { id recount(with: ${changes}) { turns } } }`
    const response = await fetch(`${stack.url}/graphql?query=${encodeURIComponent(query)}`)
    const { data, errors } = (await response.json()) as {
      data: { proposal: { recount: object | null } }
      errors: { message: string; path: string[]; extensions: { code: string } }[]
    }
    expect(data.proposal.recount).toBeNull()
    expect(errors.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['proposal', 'recount'], 'BAD_USER_INPUT'],
    ])
    expect(errors[0]?.message).toContain(message)
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
  test('tell neither rule nor turnout nor recount of those, but who had power in them', async () => {
    const query = `{ proposals(first: 1000) { nodes { id state rule { source } turnout { voters } absentees { totalCount }
      recount(with: {}) { turns } } } }`
    const response = await fetch(`${stack.url}/graphql?query=${encodeURIComponent(query)}`)
    const { data, errors } = (await response.json()) as {
      data: { proposals: { nodes: ({ id: string; state: string | null } & Record<string, unknown>)[] } }
      errors: { path: string[]; extensions: { code: string } }[]
    }
    const uncounted = data.proposals.nodes.filter(({ state }) => state === null)
    expect(uncounted.length).toBeGreaterThan(0)
    for (const { turnout, absentees, recount } of uncounted)
      expect([turnout, absentees, recount]).toEqual([null, null, null])
    const counted = data.proposals.nodes.filter(({ state }) => state !== null)
    for (const { turnout, recount } of counted) expect([turnout, recount]).not.toContain(null)
    expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(new Set(['NOT_EXACT']))

    const truth = readTruth<AragonTruth>('aragon/small')
    const [holder] = Object.keys(truth.votes['1']?.states.at(-1)?.voters ?? {})
    const { ballots } = (await askAccount(stack.url, holder ?? '')).account
    expect(ballots).toEqual({
      totalCount: Object.values(truth.votes).filter(
        ({ snapshot }) => BigInt(snapshot.balanceOfAt[holder ?? ''] ?? 0) > 0n,
      ).length,
      uncounted: [],
    })
  })
})

async function askAccount(url: string, address: string) {
  const query = `{ account(address: "${address}") { ballots(first: 1000) { totalCount uncounted } } }`
  const response = await fetch(`${url}/graphql?query=${encodeURIComponent(query)}`)
  const { data } = (await response.json()) as { data: { account: { ballots: object } } }
  return data
}
