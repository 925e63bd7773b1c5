import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GraphQLClient } from 'graphql-request'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApiServer, createServer } from '../../api/server.ts'
import { waitFor } from '../../stack/processes.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import {
  type Anvil,
  type ChainClient,
  chainClient,
  type Dao,
  deployDao,
  GAS,
  startAnvil,
  VOTING_ABI,
} from './aragon-contracts.ts'
import { traceFile } from './livepeer-truth.ts'
import { makeFolder } from './stack-command.ts'
import { UpstreamProxy } from './upstream-proxy.ts'

interface Page {
  totalCount: number
  nodes: { title: string; state: string }[]
  pageInfo: { endCursor: string; hasNextPage: boolean }
}

describe('pages of a list on a chain that moves', () => {
  const folder = makeFolder()
  let anvil: Anvil
  let client: ChainClient
  let dao: Dao
  let stack: Stack
  let api: GraphQLClient

  beforeAll(async () => {
    anvil = await startAnvil()
    client = chainClient(anvil.url)
    dao = await deployDao(client)
    const names = ['Voting', 'TokenManager', 'TDT', 'Vault', 'Finance', 'LPT'] as const
    const contracts = Object.fromEntries(names.map((name) => [name, { address: dao[name], startBlock: 0 }]))
    const networksFile = join(folder, 'networks.json')
    writeFileSync(networksFile, JSON.stringify({ anvil: contracts }))
    const rpcUrls = { anvil: anvil.url }
    stack = await startStack({ networks: ['anvil'], networksFile, rpcUrls, dataDir: join(folder, 'data') })
    await stack.ready
    api = new GraphQLClient(`${stack.url}/graphql`)
  })
  afterAll(async () => {
    await stack?.stop()
    await anvil?.stop()
    rmSync(folder, { recursive: true })
  })

  const newVote = async (title: string) => {
    const about = { address: dao.Voting, abi: VOTING_ABI, functionName: 'newVote', gas: GAS } as const
    const hash = await client.writeContract({ ...about, account: dao.outsider, args: ['0x', title, false, false] })
    await client.waitForTransactionReceipt({ hash })
  }
  const page = async (first: number, after?: string) => {
    const { proposals } = await api.request<{ proposals: Page }>(
      `query ($first: Int, $after: String) { proposals(first: $first, after: $after, orderBy: CREATED_ASC) {
        totalCount nodes { title state } pageInfo { endCursor hasNextPage } } }`,
      { first, after },
    )
    return proposals
  }
  /** Waits until the index stands at the chain's head, whichever block of that number it is. */
  const untilIndexed = async () => {
    const { hash } = await client.getBlock()
    const isThere = async () => {
      const { status } = await api.request<{ status: { blockHash: string }[] }>('{ status { blockHash } }')
      return status[0]?.blockHash === hash || undefined
    }
    await waitFor(() => isThere().catch(() => undefined), AbortSignal.timeout(120_000))
  }
  const refusal = (request: Promise<unknown>) =>
    request.then(
      () => null,
      (error: { response: { errors: { message: string; extensions: { code: string } }[] } }) => {
        const [first] = error.response.errors
        return `${first?.extensions.code}: ${first?.message}`
      },
    )

  test('are one picture while indexing goes on', async () => {
    for (const title of ['A', 'B', 'C']) await newVote(title)
    await untilIndexed()
    const before = await page(2)
    expect([before.totalCount, before.nodes.map(({ title }) => title)]).toEqual([3, ['A', 'B']])
    await newVote('D')
    await client.increaseTime({ seconds: 1_000_000 })
    await client.mine({ blocks: 2 })
    await untilIndexed()

    const rest = await page(1000, before.pageInfo.endCursor)
    expect(rest).toMatchObject({ totalCount: 3, nodes: [{ title: 'C', state: 'ACTIVE' }] })
    const now = await page(1000)
    expect(now.nodes).toHaveLength(4)
    expect(now.nodes[2]).toEqual({ title: 'C', state: 'DEFEATED' })
  })

  test('all of an answer is of the block that its cursor pins', async () => {
    const { pageInfo } = await page(2)
    const pinned = await client.getBlockNumber()
    await newVote('E')
    await untilIndexed()
    const { status, votingTokens } = await api.request<{
      status: { block: string }[]
      votingTokens: { holders: { totalCount: number } }[]
    }>(
      `query ($after: String) { status { block } votingTokens { holders(first: 1) { totalCount } }
        proposals(after: $after) { totalCount } }`,
      { after: pageInfo.endCursor },
    )
    expect(status[0]?.block).toBe(String(pinned))
    expect(votingTokens[0]?.holders.totalCount).toBe(25)
  })

  test('cursors of different blocks are not mixed', async () => {
    const { pageInfo: earlier } = await page(2)
    await newVote('F')
    await untilIndexed()
    const { pageInfo: later } = await page(2)
    const mixed = api.request(
      `query ($a: String, $b: String) { a: proposals(after: $a) { totalCount } b: proposals(after: $b) { totalCount } }`,
      { a: earlier.endCursor, b: later.endCursor },
    )
    expect(await refusal(mixed)).toContain('BAD_USER_INPUT: Cursors of blocks')
  })

  test('a pinned block that vanished is said so', async () => {
    const id = await client.snapshot()
    await newVote('vanishes')
    await untilIndexed()
    const { pageInfo } = await page(2)
    await client.revert({ id })
    await newVote('stays')
    await newVote('stays too')
    await client.mine({ blocks: 5 })
    await untilIndexed()
    expect(await refusal(page(2, pageInfo.endCursor))).toContain('BLOCK_REORGED: ')
    const { nodes } = await page(1000)
    expect(nodes.map(({ title }) => title)).not.toContain('vanishes')
    expect(nodes.map(({ title }) => title)).toContain('stays')
  })
})

describe('what the API asks of graph-node', () => {
  let stack: Stack
  let proxy: UpstreamProxy
  let server: ApiServer
  let api: GraphQLClient

  beforeAll(async () => {
    stack = await startStack({ traces: [traceFile('aragon/small')] })
    await stack.ready
    const [chain] = stack.chains
    if (chain === undefined) throw new Error('no chain')
    proxy = await UpstreamProxy.to(chain.subgraphUrl)
    const { statusUrl: _, ...proxied } = { ...chain, subgraphUrl: proxy.url }
    server = await createServer({ chains: [proxied], port: 0, isReady: () => true })
    api = new GraphQLClient(`${server.url}/graphql`)
  })
  afterAll(async () => {
    await server?.close()
    proxy?.close()
    await stack?.stop()
  })

  const requestsOf = async (query: string) => {
    const before = proxy.requests
    await api.request(query)
    return proxy.requests - before
  }

  test('is a bounded number of queries for a page of 50 proposals with their tallies and votes', async () => {
    const query = `{ proposals(first: 50) { totalCount nodes {
      title state tally { for against quorum } outcome { passed } votes(first: 100) { nodes { voter weight } } } } }`
    // The head, the proposals, and all votes cast on them.
    expect(await requestsOf(query)).toBeLessThanOrEqual(6)
    // At the same block nothing but the head is asked again.
    expect(await requestsOf(query)).toBeLessThanOrEqual(1)
  })

  test('is shared by requests for the same facts at the same time', async () => {
    const query = '{ votingTokens { holders(block: "300", first: 10) { nodes { holder balance } } } }'
    const before = proxy.requests
    await Promise.all(Array.from({ length: 20 }, () => api.request(query)))
    // Two lists, and the head and signs of life now and then.
    expect(proxy.requests - before).toBeLessThanOrEqual(10)
  })
})
