import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type Server, STATUS_CODES } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import { ApolloServer } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled'
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer'
import { expressMiddleware } from '@as-integrations/express5'
import compression from 'compression'
import cors from 'cors'
import express, { type ErrorRequestHandler, type Response } from 'express'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import pLimit from 'p-limit'
import { FRAME, PAGES } from '../web/first-view.ts'
import { apiErrorIn, INTERNAL_ERROR } from './facts/errors.ts'
import type { FactsSource } from './facts/followed-chain.ts'
import { whyStale } from './facts/freshness.ts'
import { exportsRouter } from './files/exports.ts'
import { scoresRouter } from './files/scores-router.ts'
import { SelfCheck, type SelfCheckOptions, whyNotCompared } from './files/self-check.ts'
import type { Context } from './graphql/context.ts'
import { costPlugin } from './graphql/cost.ts'
import { documentStore } from './graphql/document-store.ts'
import { Keeping, keepingPlugin } from './graphql/keeping.ts'
import { KeptAnswers } from './graphql/kept-answers.ts'
import { DEFAULT_LIMITS, type Limits, languageLimit, limitExceeded, limitRules } from './graphql/limits.ts'
import { pinPlugin } from './graphql/pins.ts'
import { RequestTime } from './graphql/request-time.ts'
import { resolvers } from './graphql/resolvers.ts'
import { editorRouter } from './http/editor.ts'
import { freshnessPlugin } from './http/freshness.ts'
import { Metrics } from './http/metrics.ts'
import { pagesRouter } from './http/pages.ts'
import { limitRate } from './http/rate-limit.ts'
import { stateRouter } from './http/state-router.ts'
import { verificationPlugin } from './http/verification.ts'
import { PollTexts } from './texts/poll-text.ts'
import { ChainView } from './views/chain-view.ts'
import { Chains } from './views/chains.ts'
import { GovernanceView } from './views/governance-view.ts'
import { indexedChain } from './views/indexed-chain.ts'
import { VerificationRecord } from './views/verification-record.ts'

/** A running API. */
export interface ApiServer {
  /** Base URL, on this machine; GraphQL is at /graphql, the explorer at /, the query editor at /editor. */
  url: string
  /** From now on /ready answers 503, and each connection ends with its answer: whoever asks next may do so elsewhere. */
  drain(): void
  /** Answers what is under way, for ten seconds at the most, then stops. */
  close(): Promise<void>
}

const SCHEMA = readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8')

/** Headers that scripts of other sites may read. */
const EXPOSED_HEADERS = ['Chain-Status', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'ETag', 'Content-Disposition']

/** Serves the GraphQL API over some chains' facts, which others follow; rejects with the error of listen() where the port is taken. */
export async function createServer(options: {
  chains: readonly FactsSource[]
  /** 0 = any that is free. */
  port: number
  /** Name or address to listen at; 127.0.0.1 by default. */
  host?: string
  /** Whether /ready may answer 200 as far as others know: the index has caught up. The facts of all chains must be there, too. */
  isReady: () => boolean
  /** What counts requests and queries; new by default. */
  metrics?: Metrics
  /** URLs of IPFS gateways, for the texts of polls, in the order they are asked; none are fetched without. */
  ipfsGateways?: readonly string[]
  /** What a request and a client may ask, where not the defaults. */
  limits?: Partial<Limits>
  /** Proxies that are believed whom they ask for, as Express' "trust proxy" takes them; none by default. */
  trustProxy?: string | undefined
  /** Whether, and how, answers are compared with the contracts' own where a chain has an RPC; they are not by default. */
  verification?: SelfCheckOptions | undefined
  /** Takes a line about an error that is the server's own fault; none by default. */
  log?: (line: string) => void
}): Promise<ApiServer> {
  const host = options.host ?? '127.0.0.1'
  const { log = () => {} } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const metrics = options.metrics ?? new Metrics()
  metrics.watch(options.chains)
  const chains = options.chains.map((source) => {
    const off = options.verification === undefined ? 'TURNED_OFF' : whyNotCompared(source)
    return indexedChain(source, new VerificationRecord(off))
  })
  metrics.watchVerification(chains)
  const pollTexts = new PollTexts(options.ipfsGateways ?? [])
  const kept = new KeptAnswers()
  const app = express()
  app.disable('x-powered-by')
  if (options.trustProxy !== undefined) app.set('trust proxy', options.trustProxy)
  const httpServer = createHttpServer(app)
  const apollo = new ApolloServer<Context>({
    typeDefs: SCHEMA,
    resolvers,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    // Whoever runs the process lets its clients go first.
    stopOnTerminationSignals: false,
    // A site can make a visitor's browser ask, but there is nothing to change here, no cookie to ask with, and any site
    // may read the answers anyway: so that a plain GET works, from curl and through caches, nothing is refused.
    csrfPrevention: false,
    documentStore: documentStore(),
    parseOptions: { maxTokens: limits.tokens },
    validationRules: limitRules(limits),
    stringifyResult: (answer) => kept.stringify(answer, limits),
    formatError: (formatted, error) => formatError(formatted, error, limits, log),
    plugins: [
      verificationPlugin,
      ApolloServerPluginDrainHttpServer({ httpServer }),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      keepingPlugin,
      kept.plugin(),
      costPlugin(limits),
      pinPlugin,
      freshnessPlugin,
      metrics.plugin(),
      { requestDidStart: async () => ({ willSendResponse: async ({ contextValue }) => contextValue.time.stop() }) },
    ],
  })
  await apollo.start()
  const newContext = (): Context => {
    const views = chains.map((chain) => new ChainView(chain))
    const governance = views.map((view) => new GovernanceView(view))
    return { chains: new Chains(views), governance, pollTexts, time: new RequestTime(limits), keeping: new Keeping() }
  }

  const unanswered = new Set<Response>()
  let isDraining = false
  app.use((_request, response, next) => {
    unanswered.add(response)
    response.once('close', () => unanswered.delete(response))
    if (isDraining) response.set('Connection', 'close')
    next()
  })
  app.use(cors({ methods: ['GET', 'HEAD', 'POST'], exposedHeaders: EXPOSED_HEADERS, maxAge: 86_400 }), compression())
  app.use(
    stateRouter({
      apollo,
      newContext,
      metrics,
      unreadiness: () => (isDraining ? ['it is about to stop'] : unreadiness(options)),
    }),
  )
  app.get('/schema.graphql', (_request, response) => {
    response.type('text/plain').set('Cache-Control', 'public, max-age=3600').send(SCHEMA)
  })
  app.use(editorRouter())
  app.use(limitRate(limits, log, metrics.countLimited))
  app.use(
    '/graphql',
    express.json({ limit: limits.documentBytes }),
    expressMiddleware(apollo, { context: async () => newContext() }),
  )
  app.use(pagesRouter({ apollo, newContext, pages: Object.values(PAGES), frame: FRAME }))
  const files = [exportsRouter(newContext, limits, log), scoresRouter(newContext, limits, log)]
  app.use(metrics.files(files), ...files)
  app.use(requestErrors(limits, metrics, log))

  await listen(httpServer, options.port, host)
  const { port } = httpServer.address() as AddressInfo
  const inTurn = pLimit(1)
  const checks = chains.map(({ source, verification }) =>
    new SelfCheck(source, verification, newContext, { log, ...options.verification }, inTurn).start(),
  )
  const close = async () => {
    for (const check of checks) check.close()
    await apollo.stop()
  }
  const drain = () => {
    isDraining = true
    for (const response of unanswered) if (!response.headersSent) response.set('Connection', 'close')
  }
  return { url: `http://${placeOf(host)}:${port}`, drain, close }
}

/** Why /ready is not to answer 200, a line each, fit for anyone. */
function unreadiness({ chains, isReady }: { chains: readonly FactsSource[]; isReady: () => boolean }): string[] {
  const reasons = chains.flatMap(({ network, state }) => {
    const why = whyStale(state)
    return why === null ? [] : [`${network}: ${why}`]
  })
  return isReady() ? reasons : [...reasons, 'not every chain has caught up for the first time']
}

/**
 * The API's own errors keep their code wherever they come up: a malformed literal or too deep a document is a validation
 * failure to GraphQL. What is the server's own fault is told to its log only.
 */
function formatError(
  formatted: GraphQLFormattedError,
  error: unknown,
  limits: Limits,
  log: (line: string) => void,
): GraphQLFormattedError {
  const own = apiErrorIn(error)
  if (own !== undefined) return { ...formatted, extensions: { code: own.code } }
  const limit = error instanceof GraphQLError ? languageLimit(error, limits) : undefined
  if (limit !== undefined) return { message: limit.message, extensions: { code: limit.code } }
  // GraphQL's own complaint about a request, before anything of it is resolved, that Apollo has no code for.
  if (error instanceof GraphQLError && error.originalError === undefined && error.path === undefined) {
    return formatted.extensions?.code === INTERNAL_ERROR.extensions.code
      ? { ...formatted, extensions: { code: 'BAD_REQUEST' } }
      : formatted
  }
  if (formatted.extensions?.code !== INTERNAL_ERROR.extensions.code) return formatted
  log(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return { ...formatted, ...INTERNAL_ERROR }
}

/** Answers what went wrong before GraphQL had a say as it would, where Express would send a page with a stack trace. */
function requestErrors(limits: Limits, metrics: Metrics, log: (line: string) => void): ErrorRequestHandler {
  return (error: HttpError, _request, response, next) => {
    const status = error.status ?? 500
    const answer = httpError(error, status, limits)
    if (status >= 500) log(error.stack ?? error.message)
    metrics.countErrors([answer])
    // It is too late to say anything but that it is over.
    if (response.headersSent) return next(error)
    response
      .status(status)
      .set('Cache-Control', 'no-store')
      .json({ errors: [answer] })
  }
}

type HttpError = Error & { status?: number; type?: string; length?: number }

function httpError({ type, length }: HttpError, status: number, limits: Limits): GraphQLFormattedError {
  if (status >= 500) return INTERNAL_ERROR
  if (type === 'entity.too.large') {
    const had = length === undefined ? 'the body has more' : `the body has ${length.toLocaleString('en')}`
    const { message, code } = limitExceeded('document', limits.documentBytes, had, ' bytes')
    return { message, extensions: { code } }
  }
  const reason = type === 'entity.parse.failed' ? 'the body is not JSON' : (STATUS_CODES[status] ?? String(status))
  const message = `the request cannot be read (${reason}); POST JSON in UTF-8 with a "query"`
  return { message, extensions: { code: 'BAD_REQUEST' } }
}

/** A host as a URL has it; of all addresses there are, one that this machine is asked at. */
function placeOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return isIPv6(host) ? `[${host}]` : host
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
