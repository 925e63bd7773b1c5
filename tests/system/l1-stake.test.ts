import { GraphQLClient } from 'graphql-request'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FollowedChain } from '../../api/facts/followed-chain.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { compareL1, compareL1Blocks, type L1Truth } from './l1-truth.ts'
import { compareStake, type LivepeerTruth, readTruth, traceFile } from './livepeer-truth.ts'
import { serveFacts } from './serve.ts'

describe('stake on Ethereum L1 beside Arbitrum, through the HTTP API', () => {
  const truth = readTruth<L1Truth>('livepeer-l1/small')
  const arbitrum = readTruth<LivepeerTruth>('livepeer/small')
  let stack: Stack
  let api: GraphQLClient

  beforeAll(async () => {
    // L1 first: which chain answers must not depend on the order.
    stack = await startStack({ traces: ['livepeer-l1/small', 'livepeer/small', 'aragon/small'].map(traceFile) })
    await stack.ready
    api = new GraphQLClient(`${stack.url}/graphql`)
  })
  afterAll(() => stack?.stop())

  const ask = <Data>(query: string) => api.request<Data>(query)
  const codeOf = (query: string) =>
    ask(query).then(
      () => null,
      (error: { response: { errors: { extensions: { code: string } }[] } }) =>
        error.response.errors[0]?.extensions.code,
    )

  test('the active set, its stake and the allocation equal the contracts in every initialised round', async () => {
    const { compared, differences } = await compareL1(stack.url, truth, 'recorded')
    console.log(`livepeer-l1/small: ${compared} values of active sets and allocations compared`)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(100)
  })

  test('transcoders and their stake equal the contracts at the block of every NewRound', async () => {
    const { compared, differences } = await compareL1Blocks(stack.url, truth, 'recorded')
    console.log(`livepeer-l1/small: ${compared} values of transcoders at blocks compared`)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(30)
    const [first] = truth.rounds
    const at = (block: number) => `{ roundAt(block: ${block}, network: "recorded") { number network } }`
    expect(await ask(at(first?.block ?? 0))).toEqual({ roundAt: { number: first?.round, network: 'recorded' } })
    expect(await ask(at((first?.block ?? 0) - 1))).toEqual({ roundAt: null })
    const wrong = structuredClone(truth)
    const [transcoder] = Object.values(wrong.rounds.at(-1)?.transcoders ?? {})
    if (transcoder === undefined) throw new Error('nothing to falsify')
    transcoder.totalStake = String(BigInt(transcoder.totalStake) + 1n)
    expect((await compareL1Blocks(stack.url, wrong, 'recorded')).differences).toHaveLength(1)
  })

  test('a time finds its chain, and a block is of Arbitrum unless a network is named', async () => {
    const { rounds } = await ask<{ rounds: { nodes: { number: number; initializedAt: { timestamp: string } }[] } }>(
      '{ rounds(first: 1000, network: "recorded-2") { nodes { number initializedAt { timestamp } } } }',
    )
    const { number, initializedAt } = rounds.nodes.at(-1) ?? { number: 0, initializedAt: { timestamp: '' } }
    const begun = (time: string, more = '') => ask(`{ roundAt(time: "${time}"${more}) { number network } }`)
    expect(await begun(initializedAt.timestamp)).toEqual({ roundAt: { number, network: 'recorded-2' } })
    const { stakeSnapshot } = await ask<{ stakeSnapshot: unknown }>('{ stakeSnapshot(block: 458) { round network } }')
    expect(stakeSnapshot).toEqual({ round: 9, network: 'recorded-2' })
    expect(await begun('2001-01-01')).toEqual({ roundAt: null })
  })

  test('fails on one wei', async () => {
    const wrong = structuredClone(truth)
    const entry = wrong.rounds.at(-1)
    const [transcoder = ''] = Object.keys(entry?.activeStake ?? {})
    if (entry === undefined) throw new Error('nothing to falsify')
    entry.allocation[transcoder] = String(BigInt(entry.allocation[transcoder] ?? 0) + 1n)
    const { differences } = await compareL1(stack.url, wrong, 'recorded')
    expect(differences).toHaveLength(1)
    expect(differences[0]).toContain('allocation')
  })

  test('Arbitrum answers where both know a round, and the same as alone', async () => {
    const { compared, differences } = await compareStake(stack.url, arbitrum)
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(3000)
    const [before = 0] = truth.meta.initializedRounds
    const { round } = await ask<{ round: { network: string } }>(`{ round(number: ${before}) { network } }`)
    expect(before).toBeLessThan(arbitrum.meta.initializedRounds[0] ?? 0)
    expect(round.network).toBe('recorded')
  })

  test('rounds are one list, and each network has its own', async () => {
    const list = async (network: string, descending: boolean) => {
      const found: [number, string][] = []
      for (let after: string | null = null, more = true; more; ) {
        const { rounds }: { rounds: RoundPage } = await ask(
          `{ rounds(first: 7, descending: ${descending}${after === null ? '' : `, after: "${after}"`}${network}) {
            nodes { number network } pageInfo { hasNextPage endCursor } } }`,
        )
        found.push(...rounds.nodes.map(({ number, network: of }): [number, string] => [number, of]))
        after = rounds.pageInfo.endCursor
        more = rounds.pageInfo.hasNextPage
      }
      return found
    }
    const l1 = truth.meta.initializedRounds.map((number) => [number, 'recorded'])
    const l2 = arbitrum.meta.initializedRounds.map((number) => [number, 'recorded-2'])
    const [first = 0] = arbitrum.meta.initializedRounds
    const all = [...l1.filter(([number]) => Number(number) < first), ...l2]
    expect(await list('', false)).toEqual(all)
    expect(await list('', true)).toEqual(all.toReversed())
    expect(await list(', network: "recorded"', false)).toEqual(l1)
  })

  test('a delegator of L1 is refused, a transcoder is told, a stranger has zeros', async () => {
    const entry = truth.rounds.findLast(({ shared }) => !shared)
    if (entry === undefined) throw new Error('no round')
    const { round } = entry
    const power = (account: string, fields: string) =>
      `{ votingPower(account: "${account}", round: ${round}, network: "recorded") { ${fields} } }`
    const [delegator] = Object.entries(entry.accounts).find(
      ([account, { delegate, bondedAmount }]) => delegate !== account && bondedAmount !== '0',
    ) ?? ['']
    expect(await codeOf(power(delegator, 'votes'))).toBe('NOT_EXACT')
    const [transcoder = '', stake] = Object.entries(entry.activeStake)[0] ?? []
    expect(await ask(power(transcoder, 'votes delegate isTranscoder isActive delegatedStake checkpointed'))).toEqual({
      votingPower: {
        votes: stake,
        delegate: transcoder,
        isTranscoder: true,
        isActive: true,
        delegatedStake: stake,
        checkpointed: false,
      },
    })
    expect(await codeOf(power(transcoder, 'stake'))).toBe('NOT_EXACT')
    expect(await ask(power(`0x${'12'.repeat(20)}`, 'votes stake delegate'))).toEqual({
      votingPower: { votes: '0', stake: '0', delegate: null },
    })
    const snapshot = (fields: string) => `{ stakeSnapshot(round: ${round}, network: "recorded") { ${fields} } }`
    expect(await codeOf(snapshot('merkleRoot'))).toBe('NOT_EXACT')
    expect(await codeOf(snapshot('holders { totalCount }'))).toBe('NOT_EXACT')
  })

  test('a round nobody initialised is answered, one before the first or after the last refused', async () => {
    const [uninitialised = 0] = truth.meta.uninitializedRounds
    const allocation = (round: number) =>
      `{ tokenAllocation(round: ${round}, network: "recorded") { network seats shares { tokens } } }`
    const { tokenAllocation } = await ask<{ tokenAllocation: { shares: { tokens: string }[] } }>(
      allocation(uninitialised),
    )
    const sum = tokenAllocation.shares.reduce((total, { tokens }) => total + BigInt(tokens), 0n)
    expect(sum).toBe(10n ** 20n)
    expect(await codeOf(allocation(truth.meta.lastRound + 2))).toBe('ROUND_IN_FUTURE')
    expect(await codeOf(allocation((truth.meta.initializedRounds[0] ?? 0) - 1))).toBe('ROUND_NOT_INDEXED')
    expect(await codeOf('{ tokenAllocation(round: 1) { supply } }')).toBe('ROUND_NOT_INDEXED')
    expect(await codeOf('{ tokenAllocation(round: 10000) { supply } }')).toBe('ROUND_IN_FUTURE')
    expect(await codeOf('{ tokenAllocation(round: 10, network: "nowhere") { supply } }')).toBe('BAD_USER_INPUT')
    expect(await codeOf('{ tokenAllocation(round: 10, seats: 0) { supply } }')).toBe('BAD_USER_INPUT')
    expect(await codeOf('{ tokenAllocation(round: 10, supply: "-1") { supply } }')).toBe('BAD_USER_INPUT')
  })

  test('proposals of all voting systems are one list', async () => {
    const { proposals } = await ask<{
      proposals: { totalCount: number; nodes: { system: string; network: string }[] }
    }>('{ proposals(first: 1000) { totalCount nodes { system network } } }')
    const count = (system: string) => proposals.nodes.filter((node) => node.system === system).length
    expect([count('TREASURY'), count('POLL'), count('ARAGON')]).toEqual([2, 1, 32])
    const { status } = await ask<{ status: { network: string; error: string | null; round: number | null }[] }>(
      '{ status { network error round } }',
    )
    expect(status.map(({ network, error }) => [network, error])).toEqual([
      ['recorded', null],
      ['recorded-2', null],
      ['recorded-3', null],
    ])
    expect(status[2]?.round).toBeNull()
  })
  test('a chain whose index is down is missing only in answers that need it', async () => {
    const live = stack.followed.filter(({ network }) => network !== 'recorded-3')
    const dead = new FollowedChain({ network: 'recorded-3', subgraphUrl: 'http://127.0.0.1:9/subgraphs/name/none' })
    const server = await serveFacts([...live, dead.start()])
    const partly = new GraphQLClient(`${server.url}/graphql`)
    const errorOf = (query: string) =>
      partly.request(query).then(
        () => null,
        (error: { response: { errors: { message: string; extensions: { code: string } }[] } }) =>
          error.response.errors[0],
      )
    try {
      const { status } = await partly.request<{ status: { network: string; synced: boolean; error: string | null }[] }>(
        '{ status { network synced error } }',
      )
      expect(status.map(({ network, synced, error }) => [network, synced, error !== null])).toEqual([
        ['recorded', true, false],
        ['recorded-2', true, false],
        ['recorded-3', false, true],
      ])
      const [poll] = Object.keys(readTruth<{ polls: object }>('livepeer/small').polls)
      const answered = [
        '{ votingPower(account: "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc", round: 10) { votes } }',
        '{ tokenAllocation(round: 10, network: "recorded") { totalStake } }',
        '{ proposals(filter: { network: "recorded-2" }) { totalCount } }',
        `{ proposal(id: "poll:${poll}") { state tally { for } } }`,
        '{ round { number } }',
      ]
      for (const query of answered) expect([query, await errorOf(query)]).toEqual([query, null])
      const unanswered = [
        '{ proposals { totalCount } }',
        '{ proposal(id: "aragon:0xb40d99b1eb2446784cf15972d43dd1538fd116a5:0") { state } }',
        '{ account(address: "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc") { votes { totalCount } } }',
      ]
      for (const query of unanswered) {
        expect([query, await errorOf(query)]).toMatchObject([
          query,
          { message: expect.stringContaining('recorded-3'), extensions: { code: 'UPSTREAM_UNAVAILABLE' } },
        ])
      }
    } finally {
      await server.close()
    }
  })
})

interface RoundPage {
  nodes: { number: number; network: string }[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}
