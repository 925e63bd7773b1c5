// Cursors of lists: each pins the blocks it was made at, so that paging through stays one picture while indexing goes on.

import { ApiError } from '../facts/errors.ts'

/** The block that one chain is read at. */
export interface Pin {
  network: string
  block: number
  hash: string
  /** Unix time of the block. */
  timestamp: number
}

/** An opaque cursor: the place right after a key of a list, as of the blocks of some chains. */
export function encodeCursor(key: string, pins: readonly Pin[]): string {
  const texts = pins.map(({ network, block, hash, timestamp }) => `${network} ${block} ${hash} ${timestamp}`)
  return Buffer.from([...texts, key].join('\n')).toString('base64url')
}

/** What a cursor stands for; BAD_USER_INPUT for what never was one. */
export function decodeCursor(cursor: string): { key: string; pins: Pin[] } {
  const lines = Buffer.from(cursor, 'base64url').toString().split('\n')
  const key = lines.pop() ?? ''
  const pins = lines.map((line): Pin => {
    const [, network = '', block, hash = '', timestamp] = PIN.exec(line) ?? []
    return { network, block: Number(block), hash, timestamp: Number(timestamp) }
  })
  if (pins.some(({ network }) => network === '') || encodeCursor(key, pins) !== cursor) throw badCursor()
  return { key, pins }
}

/** BAD_USER_INPUT for a cursor of another list, or of none. */
export function badCursor(): ApiError {
  return new ApiError('BAD_USER_INPUT', 'after is not a cursor of this list; take endCursor of the page before')
}

const PIN = /^([\w.-]{1,64}) (\d{1,10}) (0x[0-9a-f]{64}) (\d{1,12})$/
