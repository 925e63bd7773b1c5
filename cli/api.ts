import { ClientError, GraphQLClient } from 'graphql-request'
import { type ApiReader, INITIALISED_AT, type InitialisedAt } from '../api/verification/api-files.ts'
import { messageOf } from '../api/verification/errors.ts'
import { CliError, NotAvailable, Refused, retryAfterSeconds } from './errors.ts'

/** An answer of which parts can be null for reasons of their own. */
export interface PartialAnswer<Answer> {
  data: Answer
  errors: { path: string; code: string }[]
}

/** Codes of errors that pass. */
const PASSING_CODES = ['UPSTREAM_UNAVAILABLE', 'BLOCK_REORGED', 'INTERNAL_SERVER_ERROR']

/** A running API of this project. */
export class Api implements ApiReader {
  readonly #url: string

  /** CliError where the URL is none. */
  constructor(url: string) {
    if (!URL.canParse(url) || !/^https?:/.test(url)) throw new CliError(`--api ${url} is not an http URL`)
    this.#url = url.replace(/\/+$/, '')
  }

  /**
   * A file, from its beginning or, when the server still has the same one, from a byte on: then the status is 206. Refused
   * with the server's own words where it refuses, NotAvailable where it may answer later. 416 is given back: there is nothing after that byte.
   */
  async file(path: string, from?: { offset: number; etag: string }): Promise<Response> {
    const headers: Record<string, string> =
      from === undefined ? {} : { range: `bytes=${from.offset}-`, 'if-range': from.etag }
    let response: Response
    try {
      response = await fetch(`${this.#url}${path}`, { headers })
    } catch (error) {
      throw this.#unreachable(error)
    }
    if (response.ok || response.status === 416) return response
    const text = await response.text()
    const message = serverMessage(text) ?? `${this.#url}${path} answered ${response.status}: is this the right --api?`
    const passes = response.status === 429 || response.status === 503
    throw passes ? new NotAvailable(message, retryAfterSeconds(response.headers)) : new Refused(message)
  }

  /** A file whose path ends in .ndjson: what it says of itself, and its rows. CliError as of any file. */
  async rows<Head, Row>(path: string): Promise<{ head: Head; rows: Row[] }> {
    const text = await (await this.file(path)).text()
    const lines = text.split('\n').filter((line) => line !== '')
    try {
      const [head = {}, ...rows] = lines.map((line) => JSON.parse(line) as object)
      return { head: head as Head, rows: rows as Row[] }
    } catch {
      throw new CliError(`${this.#url}${path} answered something else than lines of JSON: is this the right --api?`)
    }
  }

  /** The NewRound of a round, null where nobody initialised it; CliError as of any query. */
  async initialisedAt(round: number, network: string): Promise<{ logIndex: number } | null> {
    return (await this.query<InitialisedAt>(INITIALISED_AT, { round, network })).round?.initializedAt ?? null
  }

  /** The answer to a GraphQL query; CliError with the first of its errors, NotAvailable where it may answer later. */
  async query<Answer>(document: string, variables: Record<string, unknown> = {}): Promise<Answer> {
    try {
      return await this.#client.request<Answer>(document, variables)
    } catch (error) {
      throw this.#refusal(error)
    }
  }

  /** The same, also where parts of it cannot be told. */
  async partialQuery<Answer>(
    document: string,
    variables: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<PartialAnswer<Answer>> {
    try {
      return { data: await this.#client.request<Answer>({ document, variables, signal }), errors: [] }
    } catch (error) {
      const { status, data, errors = [] } = error instanceof ClientError ? error.response : { status: 0 }
      if (status !== 200 || data === undefined || data === null) throw this.#refusal(error)
      return {
        data: data as Answer,
        errors: errors.map(({ path, extensions }) => ({ path: path?.join('.') ?? '', code: String(extensions?.code) })),
      }
    }
  }

  get #client(): GraphQLClient {
    return new GraphQLClient(`${this.#url}/graphql`)
  }

  #refusal(error: unknown): CliError {
    if (!(error instanceof ClientError)) return this.#unreachable(error)
    const { status, headers, errors = [] } = error.response
    const [first] = errors
    const message = first?.message ?? `${this.#url}/graphql answered ${status}`
    const passes = status === 429 || status >= 500 || PASSING_CODES.includes(String(first?.extensions?.code))
    if (passes) return new NotAvailable(message, retryAfterSeconds(new Headers(headers)))
    return new Refused(first === undefined ? `${message}: is this the right --api?` : message)
  }

  #unreachable(error: unknown): NotAvailable {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return new NotAvailable(
      `The API at ${this.#url} does not answer (${messageOf(cause)}); start it with npm start, or give --api URL`,
    )
  }
}

function serverMessage(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } }
    return typeof error?.message === 'string' ? error.message : undefined
  } catch {
    return undefined
  }
}
