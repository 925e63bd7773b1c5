import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ChainSource } from '../../api/facts/chain-head.ts'
import { RoundClock } from '../../api/facts/rounds-manager.ts'
import { logPosition } from '../../api/facts/series.ts'
import { isoTime, isoTimeOfAnybody } from '../../api/graphql/positions.ts'
import { scalars } from '../../api/graphql/scalars.ts'
import { NoAnswer, wholeNumber } from '../../api/verification/errors.ts'
import { Api } from '../../cli/api.ts'
import { CliError } from '../../cli/errors.ts'
import { tableText } from '../../cli/tables.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A server that answers every request with the same body. */
async function answering(body: unknown): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  servers.push(server)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const rpcAnswer = (result: unknown) => answering({ jsonrpc: '2.0', id: 1, result })
const word = (number: bigint) => `0x${number.toString(16).padStart(64, '0')}`
const LAST_INT = 2_147_483_647

describe("RoundsManager's current round", () => {
  const ask = async (result: unknown) =>
    new RoundClock(await rpcAnswer(result)).at(`0x${'1'.repeat(40)}`, { block: 7, blockHash: null }, 0)

  test.each([
    [word(0n), 0],
    [word(4321n), 4321],
    [word(2n ** 31n - 1n), LAST_INT],
  ])('%s is one', async (result, round) => {
    expect(await ask(result)).toBe(round)
  })

  test.each([word(2n ** 31n), word(2n ** 64n), word(2n ** 256n - 1n), '0x', '0x12', null, 7, 'nothing', {}])(
    '%j is none',
    async (result) => {
      await expect(ask(result)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    },
  )
})

describe("the chain's head", () => {
  const deployment = async () => 'QmDeployed'
  const byRpc = async (number: unknown, timestamp: unknown) => {
    const block = { number, timestamp, hash: word(1n), transactions: [] }
    return new ChainSource({ network: 'test', rpcUrl: await rpcAnswer(block) }).latest(deployment)
  }
  const byIndexNode = async (chainHeadBlock: unknown) => {
    const data = { indexingStatuses: [{ synced: true, chains: [{ network: 'test', chainHeadBlock }] }] }
    return new ChainSource({ network: 'test', statusUrl: await answering({ data }) }).latest(deployment)
  }

  test('is a block with its time', async () => {
    expect(await byRpc('0x10', '0x20')).toEqual({ block: 16, timestamp: 32, synced: null })
    expect(await byIndexNode({ number: '16', hash: '1' })).toEqual({ block: 16, timestamp: null, synced: true })
  })

  test('has no time that cannot be one', async () => {
    expect(await byRpc('0x10', word(2n ** 255n))).toEqual({ block: 16, timestamp: null, synced: null })
  })

  test.each([word(2n ** 255n), null, 'x', undefined])('by an RPC is none of %j', async (number) => {
    expect(await byRpc(number, '0x20')).toBeNull()
  })

  test.each([{ number: '99999999999999999999' }, { number: 'x' }, { number: null }, { number: '-1' }, {}, null])(
    'by the index-node is none of %j',
    async (block) => {
      expect(await byIndexNode(block)).toBeNull()
    },
  )
})

describe('a time', () => {
  test.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [253_402_300_799, '9999-12-31T23:59:59.000Z'],
  ])('of %d seconds is shown', (seconds, iso) => {
    expect(isoTimeOfAnybody(seconds)).toBe(iso)
    expect(isoTime(seconds)).toBe(iso)
  })

  test.each([-1, -1e30, 253_402_300_800, 2 ** 64, 1e300, Infinity, Number.NaN])(
    'of %d seconds that anybody set is none',
    (seconds) => {
      expect(isoTimeOfAnybody(seconds)).toBeNull()
    },
  )

  test.each([
    ['9223372036854775807', 253_402_300_799],
    ['-9223372036854775808', 0],
    ['1700000000', 1_700_000_000],
  ])('of a log at %s is kept as %d', (timestamp, seconds) => {
    const log = { block: 1, logIndex: 2, transactionHash: '0x', round: 3 }
    expect(logPosition({ ...log, timestamp })).toEqual({ ...log, timestamp: seconds })
    expect(() => isoTime(logPosition({ ...log, timestamp }).timestamp)).not.toThrow()
  })

  test.each(['9999-12-31T23:59:59-10:00', '0000-01-01T00:00:00+10:00'])(
    '%s lies beyond the years there are',
    (text) => {
      expect(() => scalars.DateTime.parseValue(text)).toThrow('is not a time')
    },
  )
})

describe('a whole number that an argument gives', () => {
  test.each([
    ['0', 0n],
    [String(2n ** 256n - 1n), 2n ** 256n - 1n],
    [7, 7n],
  ])('%s is understood', (given, number) => {
    expect(scalars.BigInt.parseValue(given)).toBe(number)
  })

  test.each(['', '1e3', '0x10', '1.5', 1e21, 0.5, Number.NaN, null, '9'.repeat(101), {}, [], true])(
    '%j is refused',
    (given) => {
      expect(() => scalars.BigInt.parseValue(given)).toThrow('is not a whole number')
    },
  )
})

describe('what the command line is answered', () => {
  test.each([
    ['12', 12n],
    ['0x10', 16n],
    [7, 7n],
  ])('%j is a whole number', (told, number) => {
    expect(wholeNumber(told, 'block')).toBe(number)
  })

  test.each([
    undefined,
    null,
    '',
    '-1',
    '1.5',
    1.5,
    2 ** 60,
    Number.NaN,
    'x',
    {},
    '9'.repeat(101),
    `0x${'f'.repeat(65)}`,
  ])('%j is none, and it says so', (told) => {
    expect(() => wholeNumber(told, 'block')).toThrow(NoAnswer)
    expect(() => wholeNumber(told, 'block')).toThrow(/^block is told to be .*, which is no whole number$/)
  })

  test('an amount that is none is shown as it is', () => {
    expect(tableText({}, [{ votes: 'many' }, { votes: '1' }], { amounts: ['votes'] })).toContain('many')
  })

  test('a file that is none of this API is refused in a line', async () => {
    const api = new Api(await answering('<html>'))
    await expect(api.rows('/snapshots/7.ndjson')).rejects.toThrow(CliError)
  })
})
