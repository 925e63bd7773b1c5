import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GraphQLClient } from 'graphql-request'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
import { makeFolder } from './stack-command.ts'

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

  test('a client that forges a cursor changes nothing for another', async () => {
    // An open vote, seen by one client.
    await newVote('open')
    await untilIndexed()
    const honest = await page(2)
    const [pin = '', key = ''] = Buffer.from(honest.pageInfo.endCursor, 'base64url').toString().split('\n')
    const [network = '', block = '', hash = ''] = pin.split(' ')
    const forge = (...lines: string[]) => Buffer.from(lines.join('\n')).toString('base64url')
    const other = `0x${'ab'.repeat(32)}`
    const earlier = await client.getBlock({ blockNumber: BigInt(block) - 1n })
    const forged: [string, string, string][] = [
      ['another time', forge(`${network} ${block} ${hash} 9999999999`, key), 'BAD_USER_INPUT'],
      ['an unknown hash', forge(`${network} ${block} ${other}`, key), 'BLOCK_REORGED'],
      ['an unknown hash of the past', forge(`${network} 3 ${other}`, key), 'BLOCK_REORGED'],
      ['the hash of another block', forge(`${network} ${block} ${earlier.hash}`, key), 'BLOCK_REORGED'],
      ['another block', forge(`${network} ${Number(block) - 1} ${hash}`, key), 'BLOCK_REORGED'],
      ['a block to come', forge(`${network} ${Number(block) + 1000} ${hash}`, key), 'UPSTREAM_UNAVAILABLE'],
      ['no block at all', forge(`${network} 99999999999 ${hash}`, key), 'BAD_USER_INPUT'],
      ['another list', forge(pin, '7'), 'BAD_USER_INPUT'],
    ]
    for (const [what, cursor, code] of forged) {
      expect([what, await refusal(page(2, cursor))]).toEqual([what, expect.stringContaining(`${code}: `)])
      expect(await page(2)).toEqual(honest)
      expect((await page(2, honest.pageInfo.endCursor)).nodes.length).toBeGreaterThan(0)
    }
    // A place that nobody was given is a place all the same, in the forger's own answer.
    const anywhere = await page(1000, forge(pin, '9999999999 zzz'))
    expect(anywhere.nodes).toEqual([])
    const all = await page(1000)
    expect(all.nodes.find(({ title }) => title === 'open')?.state).toBe('ACTIVE')
    // A network that is not here pins nothing.
    expect((await page(2, forge(`nowhere ${block} ${other}`, key))).nodes).toEqual(
      (await page(2, honest.pageInfo.endCursor)).nodes,
    )
  })

  test('a cursor is good at any depth', async () => {
    const first = await page(2)
    await client.mine({ blocks: 400 })
    await newVote('much later')
    await untilIndexed()
    const rest = await page(1000, first.pageInfo.endCursor)
    expect(rest.totalCount).toBe(first.totalCount)
    expect(rest.nodes.map(({ title }) => title)).not.toContain('much later')
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
