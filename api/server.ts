import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled'
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer'
import { expressMiddleware } from '@as-integrations/express5'
import cors from 'cors'
import express, { type ErrorRequestHandler } from 'express'
import type { GraphQLFormattedError } from 'graphql'
import { ChainView, type IndexedChain, snapshotCache } from './chain-view.ts'
import { Chains } from './chains.ts'
import type { Context } from './context.ts'
import { editorRouter } from './editor.ts'
import { exportsRouter } from './exports.ts'
import { GovernanceView } from './governance-view.ts'
import { PollTexts } from './poll-text.ts'
import { resolvers } from './resolvers.ts'
import { BAD_SCALAR } from './scalars.ts'
import { Subgraph } from './subgraph.ts'

/** Where the facts of one chain are. */
export interface Chain {
  /** Name in the networks file. */
  network: string
  /** graph-node's query URL of the subgraph. */
  subgraphUrl: string
  /** graph-node's index-node GraphQL, for the chain's head. */
  statusUrl?: string
  /** Blocks per round, only where the chain's own block numbers drive rounds. */
  roundLength?: number
  /** JSON-RPC of a real chain. */
  rpcUrl?: string
  /** Where LPT is on this chain, to tell its amounts in proposals. */
  lptAddress?: string
  /**
   * Answers as the chain stood at the end of this block instead of the latest indexed; with its Unix time, which
   * graph-node does not keep of all blocks.
   */
  asOf?: { block: number; timestamp?: number }
}

/** A running API. */
export interface ApiServer {
  /** Base URL; GraphQL is at /graphql, the query editor at /. */
  url: string
  /** Answers what is under way, then stops. */
  close(): Promise<void>
}

/** A request that asks 1,000 accounts at some twenty rounds, each account written out, still fits. */
const MAX_BODY_BYTES = 1_048_576

const typeDefs = readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8')

/** Serves the GraphQL API over some chains' facts; rejects with the error of listen() where the port is taken. */
export async function createServer(options: {
  chains: readonly Chain[]
  /** 0 = any that is free. */
  port: number
  host?: string
  /** Whether /ready answers 200: the index has caught up. */
  isReady: () => boolean
  /** An IPFS gateway's URL, for the texts of polls; none are fetched without. */
  ipfsGateway?: string | undefined
  /** Takes a line about an error that is the server's own fault; none by default. */
  log?: (line: string) => void
}): Promise<ApiServer> {
  const host = options.host ?? '127.0.0.1'
  const chains = options.chains.map(indexedChain)
  const pollTexts = new PollTexts(options.ipfsGateway)
  const newContext = (): Context => {
    const views = chains.map((chain) => new ChainView(chain))
    return { chains: new Chains(views), governance: views.map((view) => new GovernanceView(view)), pollTexts }
  }
  const app = express()
  app.disable('x-powered-by')
  const httpServer = createHttpServer(app)
  const apollo = new ApolloServer<Context>({
    typeDefs,
    resolvers,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    formatError,
    plugins: [ApolloServerPluginDrainHttpServer({ httpServer }), ApolloServerPluginLandingPageDisabled()],
  })
  await apollo.start()

  app.get('/ready', (_request, response) => {
    const ready = options.isReady()
    response
      .status(ready ? 200 : 503)
      .type('text')
      .send(ready ? 'ready\n' : 'indexing\n')
  })
  app.use(
    '/graphql',
    cors(),
    express.json({ limit: MAX_BODY_BYTES }),
    expressMiddleware(apollo, {
      context: async () => newContext(),
    }),
  )
  app.use(exportsRouter(newContext, options.log))
  app.use(editorRouter())
  app.use(refuseRequest)

  await listen(httpServer, options.port, host)
  const { port } = httpServer.address() as AddressInfo
  return { url: `http://${host}:${port}`, close: () => apollo.stop() }
}

function indexedChain({ subgraphUrl, lptAddress, asOf, ...chain }: Chain): IndexedChain {
  return {
    ...chain,
    subgraph: new Subgraph(subgraphUrl, asOf),
    lptAddresses: lptAddress === undefined ? [] : [lptAddress.toLowerCase()],
    snapshots: snapshotCache(),
  }
}

/** A malformed scalar is the caller's input wherever it stands; GraphQL calls it a validation failure in a literal. */
function formatError(formatted: GraphQLFormattedError): GraphQLFormattedError {
  if (formatted.extensions?.[BAD_SCALAR] !== true) return formatted
  return { ...formatted, extensions: { code: 'BAD_USER_INPUT' } }
}

/** A body that cannot be read is answered in GraphQL's form: express would show a page with a stack trace. */
const refuseRequest: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) return next(error)
  const status = isHttpError(error) ? error.status : 500
  const [code, message] =
    status === 413
      ? ['LIMIT_EXCEEDED', `the request is larger than ${MAX_BODY_BYTES} bytes`]
      : status < 500
        ? ['BAD_REQUEST', 'the request cannot be read; POST JSON in UTF-8 with a "query"']
        : ['INTERNAL_SERVER_ERROR', 'Internal server error']
  response.status(status).json({ errors: [{ message, extensions: { code } }] })
}

function isHttpError(error: unknown): error is { status: number } {
  return error instanceof Error && 'status' in error && typeof error.status === 'number'
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
