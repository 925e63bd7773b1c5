import { HeaderMap } from '@apollo/server'
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases'
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth'
import type { GraphQLError, ValidationContext, ValidationRule } from 'graphql'
import { ApiError, type ErrorCode } from '../facts/errors.ts'

/** What one request, and one client, may ask of the API; api/schema.graphql tells clients. */
export interface Limits {
  /** Fields within fields; of a fragment as if its fields stood in its place. */
  depth: number
  /** Per document. */
  aliases: number
  /** Tokens of GraphQL per document. */
  tokens: number
  /** Bytes of a request's body. */
  documentBytes: number
  /** Fields of a document, those of a fragment as often as it is used. */
  fields: number
  /** `first` multiplied with that of the lists around it, and summed over lists beside each other. */
  listProduct: number
  /** Values an answer may hold, and what must be read for them: see `costOf`. */
  cost: number
  /** Characters of an answer's JSON. */
  responseCharacters: number
  milliseconds: number
  /** Requests of one client a minute; 0 for any number. */
  requestsPerMinute: number
  /** Histories being sent at once, of all clients together. */
  histories: number
  /** How long a client may take nothing of a history that is sent to it; 0 for any time. */
  stalledMilliseconds: number
}

/** All votes of all proposals in one document, with all their fields, are within it; what audits need is far less. */
export const DEFAULT_LIMITS: Limits = {
  depth: 15,
  aliases: 100,
  // 1,000 accounts at some twenty rounds, each account written out, still fit.
  tokens: 30_000,
  documentBytes: 1_048_576,
  fields: 10_000,
  listProduct: 1_000_000,
  cost: 30_000_000,
  responseCharacters: 20_000_000,
  milliseconds: 30_000,
  requestsPerMinute: 600,
  histories: 4,
  stalledMilliseconds: 30_000,
}

/** For measuring what limits cost. */
export const NO_LIMITS: Limits = {
  depth: Infinity,
  aliases: Infinity,
  tokens: Infinity,
  documentBytes: Infinity,
  fields: Infinity,
  listProduct: Infinity,
  cost: Infinity,
  responseCharacters: Infinity,
  milliseconds: Infinity,
  requestsPerMinute: 0,
  histories: Infinity,
  stalledMilliseconds: 0,
}

/** LIMIT_EXCEEDED with the limit's name, its value and what the request had, with an HTTP status of the client's fault. */
export function limitExceeded(name: string, limit: number, had: string, unit = ''): ApiError {
  const message = `${name} limit of ${figure(limit)}${unit} exceeded: ${had}; see the limits in the schema`
  return refusal('LIMIT_EXCEEDED', message)
}

/** An error about a whole request, which is not answered at all. */
export function refusal(code: ErrorCode, message: string): ApiError {
  const error = new ApiError(code, message)
  Object.assign(error.extensions, { http: { status: 400, headers: new HeaderMap() } })
  return error
}

/** Validation rules for depth and aliases. */
export function limitRules({ depth, aliases }: Limits): ValidationRule[] {
  const options = (name: string, n: number) => ({
    n,
    propagateOnRejection: false,
    onReject: [
      // The library's own error has the figure only in its words.
      (context: ValidationContext | null, { message }: GraphQLError) => {
        const found = /found (\d+)/.exec(message)?.[1] ?? 'more'
        context?.reportError(limitExceeded(name, n, `the document has ${found}`))
      },
    ],
  })
  return [
    maxDepthRule({ ...options('depth', depth), flattenFragments: true }),
    maxAliasesRule({ ...options('aliases', aliases), allowList: [] }),
  ]
}

/** What graphql-js has to say about a limit it keeps itself, as LIMIT_EXCEEDED; undefined for any other error. */
export function languageLimit(error: GraphQLError, { tokens, depth }: Limits): ApiError | undefined {
  if (/contains more th\w+ \d+ tokens/.test(error.message)) {
    return limitExceeded('tokens', tokens, 'the document has more')
  }
  // Lists and objects in arguments are not counted by depth.
  if (error.message === 'Maximum call stack size exceeded') {
    return limitExceeded('depth', depth, 'the document is nested too deeply to be read')
  }
  if (error.message === 'Validation aborted.') {
    return limitExceeded('repetition', MERGED_FIELDS, 'the document repeats its fields too often', ' comparisons')
  }
  return undefined
}

/** JSON of an answer or a part of it. */
export function json(part: unknown): string {
  const plain = JSON.stringify(part)
  // Half a character, which a request may have and an error repeat, is spelled in JSON, but no text to many who read it.
  return plain.includes('\\ud') ? JSON.stringify(part, wellFormed) : plain
}

/** The text of an answer; LIMIT_EXCEEDED for one that is too big. */
export function withinLimit(text: string, { responseCharacters }: Limits): string {
  if (text.length <= responseCharacters) return text
  throw limitExceeded(
    'response',
    responseCharacters,
    `the answer has ${figure(text.length)}; ask smaller pages`,
    ' characters',
  )
}

function wellFormed(_: string, part: unknown): unknown {
  return typeof part === 'string' ? part.toWellFormed() : part
}

/** What graphql-js compares at the most to see whether fields of one name can be merged. */
const MERGED_FIELDS = 500_000

/** A figure as limits are told. */
export function figure(number: number): string {
  return number.toLocaleString('en')
}
