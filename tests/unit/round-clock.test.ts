import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { RoundClock } from '../../api/facts/rounds-manager.ts'

const MANAGER = `0x${'1'.repeat(40)}`
/** A chain whose rounds are ten blocks long, but for an RPC that is down. */
let rpc: Server
let url: string
let asked: number[]
let isDown: boolean

beforeAll(async () => {
  rpc = createServer((request, response) => {
    let body = ''
    request.on('data', (text) => {
      body += text
    })
    request.on('end', () => {
      const { id, params } = JSON.parse(body) as { id: number; params: [object, string] }
      const block = Number(params[1])
      asked.push(block)
      const result = `0x${Math.floor(block / 10)
        .toString(16)
        .padStart(64, '0')}`
      response.statusCode = isDown ? 500 : 200
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
    })
  })
  await new Promise<void>((resolve) => rpc.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(rpc.address() as AddressInfo).port}`
})
afterAll(() => rpc.close())
beforeEach(() => {
  asked = []
  isDown = false
})

test('the round at a final block is asked once, at one that is not as often as its hash is not known', async () => {
  const clock = new RoundClock(url)
  const at = (block: number, blockHash: string | null) => clock.at(MANAGER, { block, blockHash }, 100)
  expect(await at(95, null)).toBe(9)
  expect(await at(95, '0xab')).toBe(9)
  expect(asked).toEqual([95])
  expect([await at(101, '0xa'), await at(101, '0xa'), await at(101, '0xb')]).toEqual([10, 10, 10])
  expect(asked).toEqual([95, 101, 101])
  expect([await at(101, null), await at(101, null)]).toEqual([10, 10])
  expect(asked).toEqual([95, 101, 101, 101, 101])
})

test('an RPC that is down is said so, and asked again', async () => {
  const clock = new RoundClock(url)
  isDown = true
  const at = () => clock.at(MANAGER, { block: 95, blockHash: null }, 100)
  await expect(at()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  isDown = false
  expect(await at()).toBe(9)
})

test('more blocks than may wait are refused', async () => {
  const clock = new RoundClock(url)
  const blocks = Array.from({ length: 300 }, (_, index) => clock.at(MANAGER, { block: index, blockHash: null }, 1000))
  for (const block of blocks) block.catch(() => {})
  await expect(blocks.at(-1)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
  expect(await blocks[0]).toBe(0)
})
