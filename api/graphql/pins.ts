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
        for (const pin of pinsIn(cursor)) {
          const other = pins.get(pin.network)
          if (other !== undefined && (other.hash !== pin.hash || other.block !== pin.block)) {
            throw new ApiError(
              'BAD_USER_INPUT',
              `Cursors of blocks ${other.block} and ${pin.block} of ${pin.network} cannot be mixed in one request; ask for the pages one by one`,
            )
          }
          pins.set(pin.network, pin)
        }
      }
      await Promise.all(
        contextValue.chains.views.map(async (view) => {
          const pin = pins.get(view.network)
          if (pin !== undefined) await view.pinAt(pin)
        }),
      )
    },
  }),
}

/** What is given for arguments named `after`. */
function cursorsIn(document: DocumentNode, variables: Record<string, unknown>): string[] {
  const cursors: unknown[] = []
  const defaults = new Map<string, string>()
  visit(document, {
    VariableDefinition: ({ variable, defaultValue }) => {
      if (defaultValue?.kind === Kind.STRING) defaults.set(variable.name.value, defaultValue.value)
    },
    Argument: ({ name, value }) => {
      if (name.value !== 'after') return
      if (value.kind === Kind.STRING) cursors.push(value.value)
      if (value.kind === Kind.VARIABLE) cursors.push(variables[value.name.value] ?? defaults.get(value.name.value))
    },
  })
  return cursors.filter((cursor) => typeof cursor === 'string')
}

/** None for what is no cursor: the list that it is given to says so. */
function pinsIn(cursor: string): Pin[] {
  try {
    return decodeCursor(cursor).pins
  } catch {
    return []
  }
}
