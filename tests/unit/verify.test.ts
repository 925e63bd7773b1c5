import { HttpRequestError, type PublicClient } from 'viem'
import { describe, expect, test } from 'vitest'
import { BLOCK_HASH, type Compared, Comparison, spread } from '../../api/verification/comparison.ts'
import { lastBlockSeeing } from '../../api/verification/contracts.ts'
import { NoAnswer, NothingToCompare } from '../../api/verification/errors.ts'
import { pollFromReads } from '../../api/verification/poll.ts'
import { compare } from '../../api/verification/verification.ts'
import { contractAddress } from '../../cli/contracts.ts'
import { tableText } from '../../cli/tables.ts'
import { report } from '../../cli/verify.ts'

test('a sample is spread evenly and begins with the first', () => {
  const list = [...Array(10).keys()]
  expect(spread(list, 4)).toEqual([0, 2, 5, 7])
  expect(spread(list, 10)).toEqual(list)
  expect(spread(list, 99)).toEqual(list)
  expect(spread([], 3)).toEqual([])
})

test('from turn to turn it takes others, until all had their turn', () => {
  const list = [...Array(10).keys()]
  expect([0, 1, 2, 3].map((turn) => spread(list, 4, turn))).toEqual([
    [0, 2, 5, 7],
    [1, 3, 6, 8],
    [2, 4, 7, 9],
    [0, 3, 5, 8],
  ])
  expect(spread(list, 99, 7)).toEqual(list)
})

test('a comparison tells one wei, and how many values of each kind there were', () => {
  const seen: Compared[] = []
  const comparison = new Comparison((compared) => seen.push(compared))
  comparison.equal(BLOCK_HASH, 'block 7', '0x1', '0x1')
  expect(seen).toEqual([{ what: BLOCK_HASH, where: 'block 7', contract: '0x1', api: '0x1' }])
  expect(comparison.hasFigures).toBe(false)
  comparison.equal('votes', '0xa', 10n, '10')
  expect(comparison.hasFigures).toBe(true)
  comparison.equal('votes', '0xb', 11n, '10')
  comparison.equal('active', '0xa', true, true)
  comparison.notes.push('the weather')
  comparison.unchecked.push({ what: 'stake', reason: 'NO_STATE', why: 'stake: it is no archive' })
  expect(report(comparison)).toEqual([
    'compared      block hash: 1',
    'compared      votes: 2',
    'compared      active: 1',
    'not compared  the weather',
    'not compared  stake: it is no archive',
    'DIFFERENCE    votes of 0xb: the contract answers 11, the API 10',
    '4 values compared, 1 differ',
  ])
})

test('a poll takes the stake of delegators that vote off their transcoder', () => {
  const voter = (name: string, delegate: string, choice: string, total: bigint, stake: bigint) => ({
    voter: name,
    choice,
    isRegisteredTranscoder: name === delegate,
    transcoderTotalStake: total,
    pendingStake: stake,
    delegate,
  })
  const { weights, ...sums } = pollFromReads([
    voter('t', 't', 'FOR', 100n, 40n),
    voter('d', 't', 'AGAINST', 0n, 25n),
    voter('e', 'x', 'AGAINST', 0n, 7n),
  ])
  expect(sums).toEqual({ for: 75n, against: 32n })
  expect([...weights]).toEqual([
    ['t', { weight: 100n, countedWeight: 75n }],
    ['d', { weight: 25n, countedWeight: 25n }],
    ['e', { weight: 7n, countedWeight: 7n }],
  ])
})

describe('the last block that sees a block number', () => {
  const chain = (seen: (block: bigint) => bigint | undefined, latest: bigint) =>
    ({
      getBlock: async ({ blockNumber = latest }: { blockNumber?: bigint }) => {
        const l1 = seen(blockNumber)
        return { number: blockNumber, ...(l1 === undefined ? {} : { l1BlockNumber: `0x${l1.toString(16)}` }) }
      },
    }) as unknown as PublicClient

  test('is the block itself where contracts see their own chain', async () => {
    expect(
      await lastBlockSeeing(
        chain(() => undefined, 900n),
        77n,
      ),
    ).toBe(77n)
  })

  test('is the last one of its L1 block on Arbitrum', async () => {
    const arbitrum = chain((block) => 1000n + block / 3n, 299n)
    expect(await lastBlockSeeing(arbitrum, 1050n)).toBe(152n)
    expect(await lastBlockSeeing(arbitrum, 1099n)).toBe(299n)
    // Some L1 blocks have none.
    const sparse = chain((block) => 1000n + block * 3n, 299n)
    expect(await lastBlockSeeing(sparse, 1050n)).toBe(16n)
    expect(await lastBlockSeeing(sparse, 1052n)).toBe(17n)
  })
})

describe('a verification', () => {
  const address = `0x${'1'.repeat(40)}` as const
  const votes = Array.from({ length: 60 }, (_, index) => ({ voter: `0x${index}`, choice: 'FOR', weight: '5' }))
  const head = {
    ...{ id: 'treasury:7', system: 'TREASURY', network: 'devnet', block: 9, blockHash: '0x9', state: 'EXECUTED' },
    ...{ for: '300', against: '2', abstain: '0', quorum: '3', final: true, snapshotRound: 4, lastRound: 6 },
  }
  const answers: Record<string, unknown> = {
    ...{ state: 7, proposalVotes: [2n, 300n, 0n], proposalSnapshot: 4n, proposalDeadline: 6n, quorum: 3n },
    ...{ hasVoted: true, getVotesAndDelegateAtRoundStart: [5n, address] },
  }
  /** Verifies the proposal at a chain with these answers beside those that agree. */
  const verifyAt = async (chain: object, network = 'devnet') => {
    const client = {
      getCode: async () => '0x00',
      getBlock: async () => ({ hash: '0x9' }),
      readContract: async ({ functionName }: { functionName: string }) => answers[functionName],
      ...chain,
    } as unknown as PublicClient
    const told: unknown[] = []
    const comparison = await compare(
      { proposal: head.id },
      {
        api: {
          rows: async <Head, Row>() => ({ head: { ...head, network } as Head, rows: votes as Row[] }),
          initialisedAt: async () => expect.fail('nothing else is asked of the API'),
        },
        contracts: { clientOf: () => client, addressOf: () => address },
        progress: { begin: (line) => told.push(line), advance: (...step) => told.push(step) },
      },
    )
    return { told, compared: comparison.compared, differences: comparison.differences }
  }

  test('asks whom it is given, and tells how far it is', async () => {
    expect(await verifyAt({})).toEqual({
      told: ['treasury:7 of devnet as of block 9: 60 votes', ['votes', 0, 60], ['votes', 50, 60], ['votes', 60, 60]],
      compared: 1 + 7 + 2 * 60,
      differences: [],
    })
  })

  test('tells that there is nobody to ask from that nobody answers', async () => {
    const silent = () => Promise.reject(new HttpRequestError({ url: 'http://127.0.0.1:9' }))
    await expect(verifyAt({ getCode: async () => undefined })).rejects.toThrow(NothingToCompare)
    await expect(verifyAt({ getCode: silent }, 'recorded-2')).rejects.toThrow(NothingToCompare)
    await expect(verifyAt({ getCode: silent })).rejects.toThrow(NoAnswer)
    await expect(verifyAt({ readContract: silent })).rejects.toThrow(NoAnswer)
  })
})

test('addresses come from the networks file, and what it lacks is said', () => {
  expect(contractAddress(undefined, 'arbitrum-one', 'BondingVotes')).toBe('0x0B9C254837E72Ebe9Fe04960C43B69782E68169A')
  expect(() => contractAddress(undefined, 'nowhere', 'BondingVotes')).toThrow('no address of BondingVotes on nowhere')
  expect(() => contractAddress('/nowhere.json', 'recorded', 'BondingVotes')).toThrow('/nowhere.json cannot be read')
})

test('a table shows amounts exactly in whole tokens, and nothing that steers a terminal', () => {
  const rows = [{ voter: '0xa', weight: '1000000000000000001', reason: `\u001b[2J${'x'.repeat(80)}` }]
  const text = tableText({ round: 9 }, rows, { amounts: ['weight'] })
  expect(text).toContain('round: 9')
  expect(text).toContain('1.000000000000000001')
  expect(text).toContain('…')
  expect(text).not.toContain('\u001b')
})
