import type { GraphQLResolveInfo } from 'graphql'
import type { Context } from './context.ts'

/** Every field of an object type, so that one forgotten does not compile. */
export type AllFields<Resolvers> = Required<Omit<Resolvers, '__isTypeOf'>>

/** Fields that their parent has under the same names, as the schema wants them. */
export function given<Name extends string>(...names: Name[]): { [Key in Name]: Given<Key> } {
  const fields = names.map((name) => {
    const resolve = (parent: Readonly<Record<string, unknown>>) => parent[name]
    AT_HAND.add(resolve)
    return [name, resolve]
  })
  return Object.fromEntries(fields)
}

type Given<Key extends string> = <Value>(parent: { readonly [Own in Key]: Value }) => Value
/** Resolvers of what is there at once, most of a long answer: they need not watch the time. */
const AT_HAND = new WeakSet<object>()

type Resolver = (parent: unknown, args: unknown, context: Context, info: GraphQLResolveInfo) => unknown

/**
 * Resolvers that give up when the request's time is over, and whose root fields are counted: the answer is as final as the
 * least final of them.
 */
export function withFieldRules<Resolvers extends object>(resolvers: Resolvers): Resolvers {
  const types = Object.entries(resolvers).map(([type, fields]) => {
    const entries = Object.entries(fields as object).map(([name, resolve]) => {
      // Scalars are objects of another kind, and types of nodes are told at once.
      if (typeof resolve !== 'function' || name === '__resolveType' || AT_HAND.has(resolve)) return [name, resolve]
      return [name, type === 'Query' ? counted(timed(resolve)) : timed(resolve)]
    })
    return [type, isPlain(fields) ? Object.fromEntries(entries) : fields]
  })
  return Object.fromEntries(types)
}

function timed(resolve: Resolver): Resolver {
  return (parent, args, context, info) => context.time.within(() => resolve(parent, args, context, info))
}

function counted(resolve: Resolver): Resolver {
  return (parent, args, context, info) => {
    context.keeping.addRootField()
    return resolve(parent, args, context, info)
  }
}

function isPlain(fields: unknown): boolean {
  return Object.getPrototypeOf(fields) === Object.prototype
}
