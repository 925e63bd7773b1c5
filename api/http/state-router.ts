import type { ApolloServer } from '@apollo/server'
import express, { type Router } from 'express'
import type { Context } from '../graphql/context.ts'
import type { Metrics } from './metrics.ts'

const STATUS = `{
  status {
    network
    block
    blockHash
    timestamp
    headBlock
    lagBlocks
    lagSeconds
    stale
    headAgeSeconds
    ageSeconds
    checked
    firstRound
    round
    synced
    error
    trouble
    hasIndexingErrors
    contradictionCount
    verification {
      off
      lastRound
      rounds
      proposals
      pending
      comparedValues
      differenceCount
      differences {
        round
        proposal
        block
        what
        where
        contract
        api
      }
      uncheckedCount
      unchecked {
        round
        proposal
        what
        reason
      }
    }
  }
}`

/** What those who run the API look at: /health, /ready, /status and /metrics. Never cached, never limited. */
export function stateRouter(server: {
  apollo: ApolloServer<Context>
  newContext: () => Context
  metrics: Metrics
  /** Why /ready is to answer 503, a line each; none where it may answer 200. */
  unreadiness: () => readonly string[]
}): Router {
  const router = express.Router()
  router.use(['/health', '/ready', '/status', '/metrics'], (_request, response, next) => {
    response.set('Cache-Control', 'no-store')
    next()
  })
  router.get('/health', (_request, response) => {
    response.type('text').send('up\n')
  })
  router.get('/ready', (_request, response) => {
    const reasons = server.unreadiness()
    response.status(reasons.length === 0 ? 200 : 503).type('text')
    response.send(reasons.length === 0 ? 'ready\n' : ['not ready', ...reasons, ''].join('\n'))
  })
  router.get('/status', async (_request, response) => {
    const { body } = await server.apollo.executeOperation({ query: STATUS }, { contextValue: server.newContext() })
    response.json(body.kind === 'single' ? body.singleResult.data?.status : [])
  })
  router.get('/metrics', async (_request, response) => {
    const { type, text } = await server.metrics.text()
    response.type(type).send(text)
  })
  return router
}
