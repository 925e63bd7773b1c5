import type { ApolloServerPlugin } from '@apollo/server'
import { type DocumentNode, Kind, visit } from 'graphql'
import { ApiError } from '../facts/errors.ts'
import type { Context } from './context.ts'
import { decodeCursor, type Pin } from './cursors.ts'

/**
 * Reads a request that goes on from cursors at the blocks they were made at, all of it: one answer comes from one block
 * of each chain. BAD_USER_INPUT where cursors pin different blocks of one chain.
 */
export const pinPlugin: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ document, request, contextValue }) => {
      const pins = new Map<string, Pin>()
      for (const cursor of cursorsIn(document, request.variables ?? {})) {
        for (const pin of pinsOf(cursor)) {
          const other = pins.get(pin.network)
          if (other !== undefined && other.hash !== pin.hash) {
            throw new ApiError(
              'BAD_USER_INPUT',
              `Cursors of blocks ${other.block} and ${pin.block} of ${pin.network} cannot be mixed in one request; ask for the pages one by one`,
            )
          }
          pins.set(pin.network, pin)
        }
      }
      for (const { chain, pinAt } of contextValue.chains.views) {
        const pin = pins.get(chain.network)
        if (pin !== undefined) pinAt(pin)
      }
    },
  }),
}

/** What is given for arguments named `after`. */
function cursorsIn(document: DocumentNode, variables: Record<string, unknown>): string[] {
  const cursors: unknown[] = []
  visit(document, {
    Argument: ({ name, value }) => {
      if (name.value !== 'after') return
      if (value.kind === Kind.STRING) cursors.push(value.value)
      if (value.kind === Kind.VARIABLE) cursors.push(variables[value.name.value])
    },
  })
  return cursors.filter((cursor) => typeof cursor === 'string')
}

/** None for what is no cursor: the list that it is given to says so. */
function pinsOf(cursor: string): Pin[] {
  try {
    return decodeCursor(cursor).pins
  } catch {
    return []
  }
}
