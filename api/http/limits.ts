import type { ApolloServerOptions, ApolloServerPlugin } from '@apollo/server'
import { HeaderMap } from '@apollo/server'
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases'
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth'
import type { RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import {
  type DocumentNode,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getNullableType,
  getVariableValues,
  isListType,
  type OperationDefinitionNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql'
import { type ComplexityEstimator, getComplexity } from 'graphql-query-complexity'
import { LRUCache } from 'lru-cache'
import { ApiError, type ErrorCode } from '../facts/errors.ts'
import type { Context } from '../graphql/context.ts'
import { MAX_PAGE } from '../graphql/pagination.ts'

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
}

/** LIMIT_EXCEEDED with the limit's name, its value and what the request had, with an HTTP status of the client's fault. */
export function limitExceeded(name: string, limit: number, had: string, unit = ''): ApiError {
  const message = `${name} limit of ${figure(limit)}${unit} exceeded: ${had}; see the limits in the schema`
  return refusal('LIMIT_EXCEEDED', message)
}

/** An error about a whole request, which is not answered at all. */
function refusal(code: ErrorCode, message: string): ApiError {
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

/** What graphql-js compares at the most to see whether fields of one name can be merged. */
const MERGED_FIELDS = 500_000

/** Lists without `first`, as long as they may well be. */
const USUAL_LENGTH: Record<string, number> = { 'Round.activeTranscoders': 100, 'Vote.earlier': 1 }
const OTHER_LENGTH = 10
/** What is read and computed for a field whatever is asked of it, in values: a whole snapshot, history or list of votes. */
const FIXED_COST: Record<string, number> = {
  'Query.stakeSnapshot': 5000,
  'Query.tokenAllocation': 500,
  'Round.activeTranscoders': 1000,
  'StakeSnapshot.merkleRoot': 5000,
  'Account.votingPower': 20,
  'Account.votingPowerHistory': 500,
  'Account.delegators': 500,
  'VotingToken.balance': 500,
  'VotingToken.totalSupply': 500,
}

/** How many entries a list may have; undefined for what is none. */
const lengthOf = ({ type, field, args }: Parameters<ComplexityEstimator>[0]): number | undefined => {
  // Whatever is more than a page is refused as no page.
  if (typeof args.first === 'number') return Math.min(Math.max(args.first, 0), MAX_PAGE)
  if (Array.isArray(args.accounts)) return args.accounts.length
  // As many as its connection has.
  if (field.name === 'nodes') return undefined
  if (!isListType(getNullableType(field.type))) return undefined
  return USUAL_LENGTH[`${type.name}.${field.name}`] ?? OTHER_LENGTH
}

/** Each value of the answer costs 1, those of a list as often as it may have entries; see FIXED_COST for what is added. */
const costOf: ComplexityEstimator = (field) => {
  const fixed = FIXED_COST[`${field.type.name}.${field.field.name}`] ?? 0
  return fixed + (field.childComplexity + 1) * (lengthOf(field) ?? 1)
}

const listProductOf: ComplexityEstimator = (field) =>
  typeof field.args.first === 'number'
    ? (lengthOf(field) ?? 0) * Math.max(1, field.childComplexity)
    : field.childComplexity

/** Refuses what would cost too much before anything of it is asked, and tells the cost of what is answered. */
export function costPlugin(limits: Limits): ApolloServerPlugin<Context> {
  return {
    requestDidStart: async () => {
      let cost: number | undefined
      return {
        didResolveOperation: async ({ schema, document, operation, request }) => {
          // GraphQL's own error about these comes later.
          if (operation === undefined) return
          if (operation.operation !== 'query') {
            throw refusal('BAD_USER_INPUT', `There is nothing for a ${operation.operation} here: ask a query`)
          }
          if (hasBadVariables(schema, operation, request.variables)) return
          const measure = (estimator: ComplexityEstimator) => {
            try {
              return getComplexity({
                schema,
                query: document,
                ...(operation.name === undefined ? {} : { operationName: operation.name.value }),
                variables: request.variables ?? {},
                estimators: [estimator],
                maxQueryNodes: limits.fields,
              })
            } catch (error) {
              const isTooMany =
                error instanceof GraphQLError && error.message.includes('maximum allowed number of nodes')
              throw isTooMany ? limitExceeded('fields', limits.fields, 'the document has more') : error
            }
          }
          const product = measure(listProductOf)
          if (product > limits.listProduct) {
            throw limitExceeded('list product', limits.listProduct, `\`first\` multiplied comes to ${figure(product)}`)
          }
          cost = measure(costOf)
          if (cost > limits.cost) throw limitExceeded('cost', limits.cost, `the document costs ${figure(cost)}`)
        },
        willSendResponse: async ({ response }) => {
          if (cost === undefined || response.body.kind !== 'single') return
          response.body.singleResult.extensions = { cost, ...response.body.singleResult.extensions }
        },
      }
    },
  }
}

function figure(number: number): string {
  return number.toLocaleString('en')
}

function hasBadVariables(
  schema: GraphQLSchema,
  { variableDefinitions }: OperationDefinitionNode,
  variables: Record<string, unknown> | undefined,
): boolean {
  return getVariableValues(schema, variableDefinitions ?? [], variables ?? {}).errors !== undefined
}

/** Parsed documents that need not be parsed again: Apollo's own store holds so many that it looks like a leak. */
export function documentStore(): NonNullable<ApolloServerOptions<Context>['documentStore']> {
  const documents = new LRUCache<string, DocumentNode>({
    max: 200,
    // Characters; each takes some 200 bytes once it is parsed.
    maxSize: 100_000,
    sizeCalculation: ({ loc }) => loc?.source.body.length || 1,
  })
  return {
    get: async (key) => documents.get(key),
    set: async (key, document) => {
      documents.set(key, document)
    },
    delete: async (key) => documents.delete(key),
  }
}

/** JSON of an answer; LIMIT_EXCEEDED for one that is too big. */
export function stringify(answer: FormattedExecutionResult, { responseCharacters }: Limits): string {
  const text = JSON.stringify(answer)
  if (text.length <= responseCharacters) return text
  throw limitExceeded(
    'response',
    responseCharacters,
    `the answer has ${figure(text.length)}; ask smaller pages`,
    ' characters',
  )
}

/** The time that one request has, from when the first of it is resolved. */
export class RequestTime {
  #over: Promise<never> | undefined
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(private readonly limits: Pick<Limits, 'milliseconds'>) {}

  /** What a resolver gives, or LIMIT_EXCEEDED where the time is over before. */
  within<Value>(resolve: () => Value): Value | Promise<Awaited<Value>> {
    const over = this.#start()
    if (this.#isOver) return over
    const value = resolve()
    // What is there at once, as most fields are, must not wait for anything.
    return value instanceof Promise ? Promise.race([value, over]) : value
  }

  #start(): Promise<never> {
    const { milliseconds } = this.limits
    this.#over ??= new Promise((_, reject) => {
      if (milliseconds === Infinity) return
      this.#timer = setTimeout(() => {
        this.#isOver = true
        reject(limitExceeded('time', milliseconds, 'the answer took longer; ask less at a time', ' ms'))
      }, milliseconds)
    })
    // Nothing may be under way when the time is over.
    this.#over.catch(() => {})
    return this.#over
  }

  /** There is an answer. */
  stop(): void {
    clearTimeout(this.#timer)
  }
}

/** Refuses clients that ask too often, with the headers of the IETF draft; never those on this machine itself. */
export function limitRate({ requestsPerMinute }: Limits): RequestHandler {
  return rateLimit({
    windowMs: 60_000,
    limit: requestsPerMinute,
    skip: ({ ip }) => requestsPerMinute === 0 || isLoopback(ip ?? ''),
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'requests',
    // Whether a proxy may say for whom it asks is for whoever runs the API to tell.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: (_, response) => {
      const { message, code } = limitExceeded(
        'rate',
        requestsPerMinute,
        'ask again when it resets',
        ' requests a minute',
      )
      response
        .status(429)
        .set('Cache-Control', 'no-store')
        .json({ errors: [{ message, extensions: { code } }] })
    },
  })
}

function isLoopback(ip: string): boolean {
  return /^(::ffff:)?127\./.test(ip) || ip === '::1'
}
