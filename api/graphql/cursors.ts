// Cursors of lists: each pins the blocks it was made at, so that paging through stays one picture while indexing goes on.
// A client may write into one what it likes: a block is believed only where the chain has it under that hash, and nothing
// else of a cursor is anything but a place in the list of the client's own answer.

import { ApiError } from '../facts/errors.ts'
import type { ChainView } from '../views/chain-view.ts'

/** The block that one chain is read at. */
export interface Pin {
  network: string
  block: number
  hash: string
}

/** An opaque cursor: the place right after a key of a list, as of the blocks of some chains. */
export function encodeCursor(key: string, pins: readonly Pin[]): string {
  const texts = pins.map(({ network, block, hash }) => `${network} ${block} ${hash}`)
  return Buffer.from([...texts, key].join('\n')).toString('base64url')
}

/** What a cursor stands for; BAD_USER_INPUT for what never was one. */
export function decodeCursor(cursor: string): { key: string; pins: Pin[] } {
  const lines = Buffer.from(cursor, 'base64url').toString().split('\n')
  const key = lines.pop() ?? ''
  const pins = lines.map((line): Pin => {
    const [, network = '', block, hash = ''] = PIN.exec(line) ?? []
    return { network, block: Number(block), hash }
  })
  if (pins.some(({ network }) => network === '') || encodeCursor(key, pins) !== cursor) throw badCursor()
  return { key, pins }
}

/** Where the chains that were asked are read, as far as their blocks have hashes: what a cursor goes on from. */
export function pinsOf(views: readonly ChainView[]): Pin[] {
  return views.flatMap((view) => {
    if (!view.isAsked) return []
    try {
      const { block, blockHash } = view.facts.head
      return blockHash === null ? [] : [{ network: view.network, block, hash: blockHash }]
    } catch {
      // A chain without facts is in no answer.
      return []
    }
  })
}

/** BAD_USER_INPUT for a cursor of another list, or of none. */
export function badCursor(): ApiError {
  return new ApiError('BAD_USER_INPUT', 'after is not a cursor of this list; take endCursor of the page before')
}

const PIN = /^([\w.-]{1,64}) (\d{1,10}) (0x[0-9a-f]{64})$/
