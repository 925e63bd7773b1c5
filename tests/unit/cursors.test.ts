import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor, type Pin } from '../../api/graphql/cursors.ts'
import { keyAfter, pageOf } from '../../api/graphql/pagination.ts'

const pin = (network: string, block: number): Pin => ({
  network,
  block,
  hash: `0x${block.toString(16).padStart(64, '0')}`,
})

test('a cursor is its key and the blocks it was made at', () => {
  for (const pins of [[], [pin('recorded', 9)], [pin('mainnet', 1), pin('arbitrum-one', 400_000_000)]]) {
    for (const key of ['7', '123 0xabc', '1564000000 ARAGON:ü']) {
      expect(decodeCursor(encodeCursor(key, pins))).toEqual({ key, pins })
    }
  }
})

test('what never was a cursor is refused', () => {
  const whole = encodeCursor('7', [pin('recorded', 9)])
  const bad = ['%', `${whole}=`, `${whole.slice(0, 20)}!`, Buffer.from('recorded 9 0x12\n7').toString('base64url')]
  for (const cursor of bad) expect(() => decodeCursor(cursor), cursor).toThrow('not a cursor')
})

test('a cursor of another list is refused, none is no key', () => {
  expect(keyAfter(encodeCursor('7', [pin('recorded', 9)]), /^\d+$/)).toBe('7')
  expect(() => keyAfter(encodeCursor('7 0xa', []), /^\d+$/)).toThrow('not a cursor of this list')
  expect([keyAfter(null, /^\d+$/), keyAfter(undefined, /^\d+$/)]).toEqual([undefined, undefined])
})

test('a page goes on after the key, whether its node still is there or not', () => {
  const order = { form: /^\d+$/, keyOf: String, isAfter: (node: number, key: string) => node > Number(key) }
  const page = pageOf([1, 3, 5, 7], order, 2, encodeCursor('2', []))
  expect(page).toEqual({ nodes: [3, 5], pageInfo: { hasNextPage: true, endKey: '5' }, totalCount: 4 })
  expect(pageOf([1, 3], order, 2, encodeCursor('3', [])).pageInfo).toEqual({ hasNextPage: false, endKey: null })
})
