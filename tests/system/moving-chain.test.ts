import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postJson } from '../../stack/graph-node.ts'
import { RecordedChain } from '../../stack/recorded-chain.ts'
import { readTrace, type Trace } from '../../stack/trace.ts'
import { MovingChain, type MovingStack, startMovingStack, untilIndexed } from './moving-chain.ts'
import { dumpSubgraph, makeFolder, SMALL_TRACE } from './stack-command.ts'

interface BlockJson {
  number: string
  hash: string
  parentHash: string
}
interface LogJson {
  blockNumber: string
  blockHash: string
  transactionHash: string
  logIndex: string
}
interface Meta {
  number: number
  hash: string
  timestamp: number
  parentHash: string
}

let trace: Trace
beforeAll(async () => {
  trace = await readTrace(SMALL_TRACE)
})

describe('a moving chain', () => {
  const quantity = (number: number) => `0x${number.toString(16)}`
  const blockBy = (chain: MovingChain, number: number) =>
    chain.call('eth_getBlockByNumber', [quantity(number), false]) as BlockJson | null
  const byHash = (chain: MovingChain, hash: string) =>
    chain.call('eth_getBlockByHash', [hash, false]) as BlockJson | null
  const logs = (chain: RecordedChain | MovingChain, from: number, to: number) =>
    chain.call('eth_getLogs', [{ fromBlock: quantity(from), toBlock: quantity(to) }]) as LogJson[]
  const transactions = (found: readonly LogJson[]) => found.map(({ transactionHash }) => transactionHash)
  /** Every block up to the head names the one before it, is found by its hash and has its logs under that hash. */
  const expectLinked = (chain: MovingChain, from: number) => {
    for (let number = from; number <= chain.head; number++) {
      const block = blockBy(chain, number)
      expect(block?.parentHash).toBe(blockBy(chain, number - 1)?.hash)
      expect(byHash(chain, block?.hash ?? '')).toEqual(block)
      for (const { blockHash } of logs(chain, number, number)) expect(blockHash).toBe(block?.hash)
    }
  }

  test('has no blocks and no logs beyond its head', () => {
    const chain = new MovingChain(trace, 1000)
    expect(chain.call('eth_blockNumber', [])).toBe(quantity(1000))
    expect(blockBy(chain, 1000)?.hash).toBe(trace.block(1000)?.hash)
    expect(blockBy(chain, 1001)).toBeNull()
    expect(byHash(chain, trace.block(1001)?.hash ?? '')).toBeNull()
    expect(logs(chain, 999, 1499).map(({ blockNumber }) => Number(blockNumber))).not.toContain(1001)
    const [next] = trace.blocksWithLogs(1001, 1499)
    const transaction = next?.logs[0]?.transactionHash
    expect(chain.call('eth_getTransactionReceipt', [transaction])).toBeNull()

    chain.advanceTo(next?.number ?? 0)
    expect(chain.call('eth_getBlockByNumber', ['latest', false])).toMatchObject({ hash: next?.hash })
    expect(chain.call('eth_getTransactionReceipt', [transaction])).toMatchObject({ blockHash: next?.hash })
    expect(() => chain.advanceTo(chain.head - 1)).toThrow(RangeError)
    expect(() => chain.advanceTo(1500)).toThrow(RangeError)
  })

  test('has other blocks after a reorganisation, which follow on the block that stays', () => {
    const chain = new MovingChain(trace, 1025)
    const before = Array.from({ length: 30 }, (_, index) => chain.block(996 + index))
    const vanished = chain.reorganise(20)
    expect(vanished).toEqual(before.slice(10).map((block) => block?.hash))
    chain.advance(10)
    expectLinked(chain, 990)
    for (const old of before) {
      const now = chain.block(old?.number ?? 0)
      expect(now?.timestamp).toBe(old?.timestamp)
      expect(now?.logs).toEqual(old?.logs)
      expect(now?.hash === old?.hash).toBe((old?.number ?? 0) <= 1005)
      expect(byHash(chain, old?.hash ?? '')).toMatchObject({ hash: old?.hash, parentHash: old?.parentHash })
    }
    expect(chain.block(1035)?.hash).not.toBe(trace.block(1035)?.hash)

    // Once more, within what is new, and then from there to below it.
    const { hash } = chain.block(1030) ?? {}
    expect(chain.reorganise(5)).toHaveLength(5)
    expect(chain.block(1030)?.hash).toBe(hash)
    expectLinked(chain, 990)
    const again = chain.reorganise(40)
    expect(again).toHaveLength(40)
    expectLinked(chain, 990)
    expect(byHash(chain, again[39] ?? '')?.number).toBe(quantity(1035))
    expect(() => chain.reorganise(1036)).toThrow(RangeError)
  })

  test('forgets what vanished where it is told to', () => {
    const chain = new MovingChain(trace, 1025, { forgetful: true })
    for (const hash of chain.reorganise(5)) expect(byHash(chain, hash)).toBeNull()
    expectLinked(chain, 1015)
  })

  test('loses the logs of replaced blocks, or of some', () => {
    const chain = new MovingChain(trace, 1025)
    const old = logs(chain, 0, 1025)
    const isOdd = (block: number) => block % 2 === 1
    chain.reorganise(10, isOdd)
    const kept = old.filter(({ blockNumber }) => Number(blockNumber) <= 1015 || isOdd(Number(blockNumber)))
    expect(kept.length).toBeLessThan(old.length)
    expect(transactions(logs(chain, 0, 1025))).toEqual(transactions(kept))

    chain.reorganise(20, 'gone')
    expect(transactions(logs(chain, 0, 1025))).toEqual(
      transactions(old.filter(({ blockNumber }) => Number(blockNumber) <= 1005)),
    )
    expect(chain.call('eth_getTransactionReceipt', [old.at(-1)?.transactionHash])).toBeNull()
    chain.advanceTo(1499)
    expect(transactions(logs(chain, 1006, 1499))).toEqual(transactions(logs(new RecordedChain(trace), 1026, 1499)))
  })

  test('has the logs of replaced blocks one block later', () => {
    const chain = new MovingChain(trace, 1025)
    const all = logs(new RecordedChain(trace), 0, 1499)
    chain.reorganise(10, 'later')
    chain.advance(1)
    const [moved] = logs(chain, 1019, 1019)
    expect(chain.call('eth_getTransactionReceipt', [moved?.transactionHash])).toMatchObject({
      blockNumber: quantity(1019),
      blockHash: chain.block(1019)?.hash,
    })
    expect(trace.blockByTransaction(moved?.transactionHash ?? '')?.number).toBe(1018)
    // The head's come first in the block after it.
    const together = logs(chain, 1026, 1026)
    expect(together.length).toBe((trace.block(1025)?.logs.length ?? 0) + (trace.block(1026)?.logs.length ?? 0))
    expect(together.map(({ logIndex }) => Number(logIndex))).toEqual(together.map((_, index) => index))
    chain.advanceTo(1499)
    expect(transactions(logs(chain, 0, 1499))).toEqual(transactions(all))
    expectLinked(chain, 1010)
  })

  test('is as recorded when that is brought back', () => {
    const chain = new MovingChain(trace, 1025)
    expect(chain.restore()).toEqual([])
    chain.reorganise(5, 'gone')
    chain.advance(2)
    chain.reorganise(20, 'later')
    expect(chain.restore()).toHaveLength(20)
    chain.advanceTo(1499)
    expectLinked(chain, 990)
    expect(logs(chain, 0, 1499)).toEqual(logs(new RecordedChain(trace), 0, 1499))
    expect(chain.block(1499)?.hash).toBe(trace.block(1499)?.hash)
    const transaction = trace.block(1018)?.logs[0]?.transactionHash
    expect(chain.call('eth_getTransactionReceipt', [transaction])).toMatchObject({ blockHash: trace.block(1018)?.hash })
  })
})

describe('graph-node', () => {
  const folder = makeFolder()
  const HEAD = 1009
  let chain: MovingChain
  let moving: MovingStack
  let url: string
  let statusUrl: string

  beforeAll(async () => {
    chain = new MovingChain(trace, HEAD)
    // The same trace beside it as it stands, to compare with.
    moving = await startMovingStack({ moving: chain }, folder, { traces: [SMALL_TRACE] })
    await moving.stack.ready
    ;({ subgraphUrl: url, statusUrl } = moving.urls('moving'))
    await untilIndexed(chain, url)
  })
  afterAll(async () => {
    await moving?.stop()
    rmSync(folder, { recursive: true })
  })

  const answer = <T>(query: string, at = url) => postJson<{ data?: T; errors?: { message: string }[] }>(at, { query })
  const ask = async <T>(query: string, at = url): Promise<T> => {
    const { data, errors } = await answer<T>(query, at)
    if (data === undefined) throw new Error(errors?.[0]?.message)
    return data
  }
  const meta = async (of = '') => {
    const { _meta } = await ask<{ _meta: { block: Meta } }>(
      `{ _meta${of} { block { number hash timestamp parentHash } } }`,
    )
    return _meta.block
  }
  const bondBlocks = async (of = '') => {
    const { bonds } = await ask<{ bonds: { block: number }[] }>(`{ bonds(first: 1000, orderBy: block${of}) { block } }`)
    return bonds.map(({ block }) => block)
  }
  const follow = async (blocks = 1) => {
    chain.advance(blocks)
    await untilIndexed(chain, url)
  }
  const hashByNumber = async (number: number) => {
    const query = `{ hash: blockHashFromNumber(network: "moving", blockNumber: ${number}) }`
    return `0x${(await ask<{ hash: string | null }>(query, statusUrl)).hash}`
  }

  test('follows the head, and tells the block it stands at', async () => {
    await follow()
    const head = trace.block(HEAD + 1)
    const { hash, timestamp, parentHash } = head ?? {}
    expect(await meta()).toEqual({ number: HEAD + 1, hash, timestamp, parentHash })
    // At a past block it knows no more than was asked for.
    expect(await meta('(block: { number: 1000 })')).toEqual({
      number: 1000,
      hash: null,
      timestamp: null,
      parentHash: null,
    })
    expect(await bondBlocks()).toContain(999)
  })

  test('does nothing about a reorganisation before the chain is longer', async () => {
    const [vanished] = chain.reorganise(1)
    await sleep(1500)
    expect((await meta()).hash).toBe(vanished)
    await follow()
    expect((await meta()).parentHash).not.toBe(vanished)
    chain.restore()
    await follow()
  })

  test.each([
    { depth: 1, logs: 'same', at: 1020, becomes: (block: number) => [block] },
    { depth: 5, logs: 'gone', at: 1027, becomes: () => [] },
    { depth: 50, logs: 'later', at: 1044, becomes: (block: number) => [block + 1] },
  ] as const)(
    'takes $depth blocks back, with their logs $logs, and comes back',
    async ({ depth, logs, at: head, becomes }) => {
      await follow(head - chain.head)
      const before = await bondBlocks()
      expect(before.at(-1)).toBeGreaterThan(head - depth)
      chain.reorganise(depth, logs)
      await follow()
      expect(await meta()).toMatchObject({ number: head + 1, parentHash: chain.block(head)?.hash })
      const branch = await bondBlocks()

      chain.restore()
      await follow()
      const recorded = await bondBlocks(`, where: { block_lte: ${head + 1} }`)
      expect(recorded.slice(0, before.length)).toEqual(before)
      expect(branch).toEqual(
        recorded.flatMap((block) => (block > head - depth && block <= head ? becomes(block) : [block])),
      )
    },
  )

  test('answers by the hash of a block that vanished with what stands at its number now', async () => {
    await follow(9)
    const { head } = chain
    const before = await bondBlocks()
    const vanished = chain.reorganise(9, 'gone').at(-1)
    await follow()
    const pinned = `, block: { hash: "${vanished}" }`
    expect(await bondBlocks(pinned)).toEqual(await bondBlocks(`, block: { number: ${head} }`))
    expect((await bondBlocks(pinned)).length).toBeLessThan(before.length)
    // And says that it is the block asked for.
    expect(await meta(`(block: { hash: "${vanished}" })`)).toMatchObject({ number: head, hash: vanished })
    const unknown = await answer(`{ _meta(block: { hash: "0x${'12'.repeat(32)}" }) { block { number } } }`)
    expect(unknown.errors?.[0]?.message).toContain('no block with that hash found')

    // The number is what tells, as long as nobody asks about the vanished block itself.
    expect(await hashByNumber(head)).toBe(chain.block(head)?.hash)
    expect(await hashByNumber(head - 8)).toBe(chain.block(head - 8)?.hash)
    await ask(`{ blockData(network: "moving", blockHash: "${vanished}") }`, statusUrl)
    expect(await hashByNumber(head)).toBe(vanished)

    chain.restore()
    await follow()
    expect(await hashByNumber(head)).toBe(trace.block(head)?.hash)
    expect(await bondBlocks(`, where: { block_lte: ${head} }`)).toEqual(before)
  })

  test('tells the hashes of blocks long past by their numbers, and of those without events not by hash', async () => {
    const [bonded = 0] = await bondBlocks()
    const { hash } = trace.block(bonded) ?? {}
    expect(await hashByNumber(bonded)).toBe(hash)
    expect(await meta(`(block: { hash: "${hash}" })`)).toMatchObject({ number: bonded, hash })
    const withoutEvents = trace.block(901)?.hash
    expect(trace.block(901)?.logs).toEqual([])
    expect(await hashByNumber(901)).toBe(withoutEvents)
    const { errors } = await answer(`{ _meta(block: { hash: "${withoutEvents}" }) { block { number } } }`)
    expect(errors?.[0]?.message).toContain('no block with that hash found')
    expect(await hashByNumber(chain.head + 1)).toBe('0xnull')
  })

  test('finds what changed since a block, of entities that change and of those that do not', async () => {
    const since = chain.head - 60
    const changed = `_change_block: { number_gte: ${since} }`
    expect(await bondBlocks(`, where: { ${changed} }`)).toEqual(await bondBlocks(`, where: { block_gte: ${since} }`))
    const positions = (where: string) =>
      ask<{ delegatorPositions: { id: string; fromBlock: number; untilBlock: number }[] }>(
        `{ delegatorPositions(first: 1000, orderBy: id, where: { ${where} }) { id fromBlock untilBlock } }`,
      ).then(({ delegatorPositions }) => delegatorPositions)
    const found = await positions(changed)
    expect(found).toEqual(expect.arrayContaining(await positions(`fromBlock_gte: ${since}`)))
    // Those that ended, too.
    expect(found.some(({ fromBlock, untilBlock }) => fromBlock < since && untilBlock >= since)).toBe(true)
  })

  test('answers a document at one block, whatever the chain does meanwhile', async () => {
    const lists = [
      'delegatorPositions',
      'transcoderPositions',
      'bonds',
      'unbonds',
      'rewards',
      'voteCasts',
      'earningsClaims',
      'accounts',
    ] as const
    type Answer = Record<(typeof lists)[number], unknown[]> & Record<'first' | 'last', { block: Meta }>
    const document = `{ first: _meta { block { number hash } }
      ${lists.map((list) => `${list}(first: 1000) { id }`).join(' ')} last: _meta { block { number hash } } }`
    const seen = new Map<string, Set<string>>()
    const errors = new Set<string | undefined>()
    let isOver = false
    const reader = async () => {
      while (!isOver) {
        const { data, errors: refused } = await answer<Answer>(document)
        if (data === undefined) errors.add(refused?.[0]?.message)
        else {
          expect(data.last).toEqual(data.first)
          const sizes = seen.get(data.first.block.hash) ?? new Set()
          seen.set(data.first.block.hash, sizes.add(lists.map((list) => data[list].length).join()))
        }
      }
    }
    const readers = [reader(), reader(), reader()]
    for (let step = 0; step < 8; step++) {
      chain.advance()
      await sleep(250)
    }
    await untilIndexed(chain, url)
    chain.reorganise(8, 'later')
    await follow()
    chain.restore()
    await follow()
    isOver = true
    await Promise.all(readers)

    expect(seen.size).toBeGreaterThan(8)
    for (const sizes of seen.values()) expect([...sizes]).toHaveLength(1)
    errors.delete('the chain was reorganized while executing the query')
    expect([...errors]).toEqual([])
  })

  test('holds the same in the end as one that indexed the chain as it was recorded', async () => {
    chain.advanceTo(trace.lastBlock)
    await untilIndexed(chain, url)
    const dump = await dumpSubgraph(url)
    expect(dump.bonds?.length).toBeGreaterThan(100)
    expect(dump).toEqual(await dumpSubgraph(moving.urls('recorded').subgraphUrl))
  })
})
