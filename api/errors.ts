import { GraphQLError } from 'graphql'

/** The codes of the API's own errors, in `extensions.code`. */
export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'ROUND_NOT_INDEXED'
  | 'ROUND_IN_FUTURE'
  | 'NO_ACTIVE_TRANSCODERS'
  | 'NOT_EXACT'
  | 'LIMIT_EXCEEDED'
  | 'UPSTREAM_UNAVAILABLE'
  | 'BLOCK_REORGED'
  /** Over HTTP: no such file. GraphQL answers null instead. */
  | 'NOT_FOUND'

/** An error meant for the client: the message says what was wrong and what would be right. */
export class ApiError extends GraphQLError {
  constructor(code: ErrorCode, message: string) {
    super(message, { extensions: { code } })
  }
}
