import type { ApolloServerPlugin, BaseContext } from '@apollo/server'
import type { RequestHandler, Router } from 'express'
import { type GraphQLFormattedError, type GraphQLSchema, Kind, type OperationDefinitionNode } from 'graphql'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ChainState, FactsSource } from '../facts/followed-chain.ts'
import { isStaleNow, lagIn } from '../facts/freshness.ts'
import type { IndexedChain } from '../views/indexed-chain.ts'
import type { VerificationRecord } from '../views/verification-record.ts'

/** What a server counts and measures, in Prometheus' format. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requests = new Counter({
    name: 'livepeer_api_requests_total',
    help: 'GraphQL requests by what they ask (the root field, "several", "introspection", "invalid" or "other") and how they ended.',
    labelNames: ['operation', 'status'] as const,
    registers: [this.#registry],
  })
  readonly #durations = new Histogram({
    name: 'livepeer_api_request_duration_seconds',
    help: 'Time from a GraphQL request that was read to its answer, sending not included, by what it asks.',
    labelNames: ['operation'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.#registry],
  })
  readonly #files = new Counter({
    name: 'livepeer_api_files_total',
    help: 'Requests for files by kind (the path they are served at, or "other") and HTTP status; "left" where the client did not wait for the end.',
    labelNames: ['kind', 'status'] as const,
    registers: [this.#registry],
  })
  readonly #limited = new Counter({
    name: 'livepeer_api_rate_limited_total',
    help: 'Requests refused as their client had asked too often.',
    registers: [this.#registry],
  })
  readonly #errors = new Counter({
    name: 'livepeer_api_errors_total',
    help: 'Errors in answers by code.',
    labelNames: ['code'] as const,
    registers: [this.#registry],
  })
  readonly #upstream = new Histogram({
    name: 'livepeer_api_upstream_seconds',
    help: 'Time of queries to graph-node by chain and by whether they were answered.',
    labelNames: ['network', 'outcome'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.#registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
  }

  /** Counts a query to graph-node. */
  observeUpstream(network: string, seconds: number, answered: boolean): void {
    this.#upstream.observe({ network, outcome: answered ? 'answered' : 'failed' }, seconds)
  }

  /** Tells, whenever asked, where these chains stand. */
  watch(chains: readonly FactsSource[]): void {
    const gauge = (name: string, help: string, valueIn: (state: ChainState) => number | null) =>
      new Gauge({
        name,
        help,
        labelNames: ['network'] as const,
        registers: [this.#registry],
        collect() {
          for (const { network, state } of chains) {
            const value = valueIn(state)
            if (value === null) this.remove({ network })
            else this.set({ network }, value)
          }
        },
      })
    gauge(
      'livepeer_api_indexed_block',
      'Block up to which a chain is indexed, as last answered.',
      ({ head }) => head?.block ?? null,
    )
    gauge(
      'livepeer_api_lag_blocks',
      'Blocks the index is behind the head of its chain.',
      (state) => lagIn(state).blocks,
    )
    gauge(
      'livepeer_api_lag_seconds',
      'Seconds the index is behind the head of its chain.',
      (state) => lagIn(state).seconds,
    )
    gauge('livepeer_api_age_seconds', 'Seconds since the index last answered.', ({ ageSeconds }) => ageSeconds)
    gauge(
      'livepeer_api_head_age_seconds',
      'Seconds by the clock since the time of the block that answers are as of.',
      ({ headAgeSeconds }) => headAgeSeconds,
    )
    gauge('livepeer_api_stale', '1 where what is answered may no longer be so.', (state) => Number(isStaleNow(state)))
    gauge(
      'livepeer_api_unchecked',
      '1 where nobody could be asked whether the blocks that were read are still on the chain.',
      ({ isChecked }) => Number(!isChecked),
    )
    gauge(
      'livepeer_api_contradictions',
      'Events that could not follow from those before them: what depends on them is refused.',
      ({ contradictions }) => contradictions,
    )
    gauge('livepeer_api_facts', 'Facts held in memory.', ({ facts }) => facts)
    gauge('livepeer_api_facts_bytes', 'Memory that they take, estimated.', ({ bytes }) => bytes)
    gauge(
      'livepeer_api_load_seconds',
      'Seconds it took to load the facts of an index, or to take them from the file and load what came after.',
      ({ loadSeconds }) => loadSeconds,
    )
  }

  /** Tells, whenever asked, what comparing these chains with their contracts has shown; nothing of those that are not compared. */
  watchVerification(chains: readonly Pick<IndexedChain, 'source' | 'verification'>[]): void {
    const registers = [this.#registry]
    const compared = chains.filter(({ verification }) => verification.off === null)
    const gauge = (name: string, help: string, valueIn: (record: VerificationRecord) => number | null) =>
      new Gauge({
        name,
        help,
        labelNames: ['network'] as const,
        registers,
        collect() {
          for (const { source, verification } of compared) {
            const value = valueIn(verification)
            if (value !== null) this.set({ network: source.network }, value)
          }
        },
      })
    gauge(
      'livepeer_api_differences',
      'Values that the contracts tell otherwise.',
      (record) => record.differences.length,
    )
    gauge(
      'livepeer_api_unverified',
      'What could not be compared with the contracts.',
      (record) => record.unchecked.length,
    )
    gauge(
      'livepeer_api_verification_pending',
      'Rounds and closed proposals that are yet to be compared with the contracts.',
      ({ pending }) => pending,
    )
    gauge('livepeer_api_verified_round', 'Last round compared with the contracts.', ({ lastRound }) => lastRound)
    new Counter({
      name: 'livepeer_api_verified_values_total',
      help: 'Values compared with what the contracts answer.',
      labelNames: ['network'] as const,
      registers,
      collect() {
        this.reset()
        for (const { source, verification } of compared) this.inc({ network: source.network }, verification.valuesEver)
      },
    })
  }

  /** Counts GraphQL requests and their errors. */
  plugin(): ApolloServerPlugin<BaseContext> {
    return {
      requestDidStart: async ({ schema }) => {
        const started = performance.now()
        return {
          willSendResponse: async ({ operation: asked, response: { body } }) => {
            const { data, errors } = body.kind === 'single' ? body.singleResult : { data: undefined, errors: undefined }
            const status = errors === undefined ? 'ok' : data ? 'partial' : 'error'
            const operation = kindOf(asked, schema)
            this.#requests.inc({ operation, status })
            this.#durations.observe({ operation }, (performance.now() - started) / 1000)
            this.countErrors(errors ?? [])
          },
        }
      },
      invalidRequestWasReceived: async () => this.#requests.inc({ operation: 'invalid', status: 'error' }),
    }
  }

  /** Counts what comes by as a request for a file of these routers: mount it before them, and behind what is none. */
  files(routers: readonly Router[]): RequestHandler {
    const kinds = new Set(routers.flatMap(({ stack }) => stack.flatMap(({ route }) => route?.path ?? [])))
    return (request, response, next) => {
      response.once('close', () => {
        // As the router has it: what a stranger put in its place is not told.
        const kind: unknown = request.route?.path
        const status = response.writableFinished ? String(response.statusCode) : 'left'
        this.#files.inc({ kind: [...kinds].find((known) => known === kind) ?? 'other', status })
      })
      next()
    }
  }

  /** Counts a request that was refused as its client had asked too often. */
  readonly countLimited = (): void => this.#limited.inc()

  /** Counts errors by code. */
  countErrors(errors: readonly GraphQLFormattedError[]): void {
    for (const { extensions } of errors) this.#errors.inc({ code: String(extensions?.code ?? 'UNKNOWN') })
  }

  /** The text for a scraper and its content type. */
  async text(): Promise<{ type: string; text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() }
  }
}

/** Few enough kinds to be told apart, none of them a stranger's word: clients name operations as they like. */
function kindOf(operation: OperationDefinitionNode | null | undefined, schema: GraphQLSchema): string {
  if (!operation) return 'invalid'
  const names = new Set(
    operation.selectionSet.selections.map((selection) => (selection.kind === Kind.FIELD ? selection.name.value : '')),
  )
  const [only = '', ...others] = names
  if (others.length > 0 || only === '') return 'several'
  if (only.startsWith('__')) return 'introspection'
  return Object.hasOwn(schema.getQueryType()?.getFields() ?? {}, only) ? only : 'other'
}
