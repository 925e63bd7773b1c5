import { type CacheHint, maybeCacheControlFromInfo } from '@apollo/cache-control-types'
import type { GraphQLResolveInfo } from 'graphql'
import type { Context } from './context.ts'

/** Seconds that an answer about now may be kept: a few blocks. */
const LIVE_SECONDS = 5
/** Seconds that what is final may be kept; it is for ever, but a mended rule should be seen some day. */
export const FINAL_SECONDS = 86_400

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
 * Resolvers that give up when the request's time is over, and whose root fields may be cached for a few seconds unless
 * they say more themselves with `mayBeKept`. What is below a root field is as old as the root field.
 */
export function withFieldRules<Resolvers extends object>(resolvers: Resolvers): Resolvers {
  const types = Object.entries(resolvers).map(([type, fields]) => {
    const entries = Object.entries(fields as object).map(([name, resolve]) => {
      // Scalars are objects of another kind, and types of nodes are told at once.
      if (typeof resolve !== 'function' || name === '__resolveType' || AT_HAND.has(resolve)) return [name, resolve]
      return [name, type === 'Query' ? live(timed(resolve)) : timed(resolve)]
    })
    return [type, isPlain(fields) ? Object.fromEntries(entries) : fields]
  })
  return Object.fromEntries(types)
}

/** Says that what a root field gives is final. */
export function mayBeKept(info: GraphQLResolveInfo): void {
  setCacheHint(info, { maxAge: FINAL_SECONDS, scope: 'PUBLIC' })
}

function timed(resolve: Resolver): Resolver {
  return (parent, args, context, info) => context.time.within(() => resolve(parent, args, context, info))
}

function live(resolve: Resolver): Resolver {
  return (parent, args, context, info) => {
    setCacheHint(info, { maxAge: LIVE_SECONDS, scope: 'PUBLIC' })
    return resolve(parent, args, context, info)
  }
}

function setCacheHint(info: GraphQLResolveInfo, hint: CacheHint): void {
  maybeCacheControlFromInfo(info)?.setCacheHint(hint)
}

function isPlain(fields: unknown): boolean {
  return Object.getPrototypeOf(fields) === Object.prototype
}
