import { GraphQLError } from 'graphql'

/** The codes of the API's own errors, in `extensions.code`. */
export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'ROUND_NOT_INDEXED'
  | 'ROUND_IN_FUTURE'
  | 'BLOCK_NOT_INDEXED'
  | 'BLOCK_IN_FUTURE'
  | 'NO_ACTIVE_TRANSCODERS'
  | 'NOT_EXACT'
  | 'LIMIT_EXCEEDED'
  | 'UPSTREAM_UNAVAILABLE'
  | 'BLOCK_REORGED'
  /** Over HTTP: no such file. GraphQL answers null instead. */
  | 'NOT_FOUND'

/** An error meant for the client: the message says what was wrong and what would be right. */
export class ApiError extends GraphQLError {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message, { extensions: { code } })
  }
}

/** UPSTREAM_UNAVAILABLE, with what was wrong for those who run the API: no client is told. */
export class UpstreamError extends ApiError {
  constructor(
    message: string,
    readonly reason: string,
  ) {
    super('UPSTREAM_UNAVAILABLE', message)
  }
}

/** An index does not have a block yet that it, or another that answers in its place, has told of. */
export class IndexBehindError extends UpstreamError {}

/** What a client gets to see of an error that is the server's own fault. */
export const INTERNAL_ERROR = { message: 'The server made a mistake', extensions: { code: 'INTERNAL_SERVER_ERROR' } }

/** The error meant for the client that another one wraps, GraphQL's own about validation or variables; else undefined. */
export function apiErrorIn(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error
  return error instanceof GraphQLError ? apiErrorIn(error.originalError) : undefined
}

/** BLOCK_REORGED: the block that an answer is to come from is none any more. */
export function blockReorged(): ApiError {
  return new ApiError('BLOCK_REORGED', 'The block this answer was read at is no longer on the chain; begin anew')
}
