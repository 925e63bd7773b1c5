import express, { type NextFunction, type Request, type Response, Router } from 'express'
import { ApiError } from '../facts/errors.ts'
import type { Context } from '../graphql/context.ts'
import { type Limits, limitExceeded } from '../graphql/limits.ts'
import type { VotingPower } from '../rules/voting-power.ts'
import type { Chains } from '../views/chains.ts'
import type { StakeView } from '../views/stake-view.ts'
import { sendError } from './exports.ts'
import { readScoresQuestion, type ScoresQuestion, scoresJson, scoresOfAsked } from './snapshot-scores.ts'

const PATH = '/snapshot/scores'

/**
 * What Snapshot's strategies "api-post" and "api-v2" of the type "api-post" ask: the votes of some accounts at the end of
 * a block (BondingVotes.getVotes). Errors are those of files; an index that is not at the block yet is 503. `log` takes a
 * line about an error that is the server's own fault.
 */
export function scoresRouter(
  newContext: () => Context,
  { documentBytes }: Limits,
  log?: (line: string) => void,
): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.post(PATH, express.json({ limit: documentBytes }), async (request: Request, response: Response) => {
    const question = readScoresQuestion(request.body)
    const stakes = await stakesAsked(question, newContext().chains)
    const powers = await powersOf(question, stakes)
    const scores = scoresOfAsked(question, (account) => powers.get(account) ?? stakes.votingPower(account))
    response
      .set('Cache-Control', 'no-store')
      .type('json')
      .send([...scoresJson(scores)].join(''))
  })
  router.use(PATH, ({ method }: Request) => {
    throw new ApiError('NOT_FOUND', `There is no ${PATH} to ${method}, only to POST to`)
  })
  router.use(PATH, (error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    sendError(unreadBody(error, documentBytes) ?? error, response, log)
  })
  return router
}

/** What a contract tells of the accounts asked, each asked for once. */
async function powersOf({ addresses }: ScoresQuestion, stakes: StakeView): Promise<ReadonlyMap<string, VotingPower>> {
  const accounts = [...new Set(addresses.map((address) => address.toLowerCase()))]
  const powers = await Promise.all(accounts.map((account) => stakes.toldPower(account)))
  return new Map(powers.map((power) => [power.account, power]))
}

/** UPSTREAM_UNAVAILABLE while the index is behind the block: a strategy that is given another block's scores never asks again. */
async function stakesAsked({ chainId, block }: ScoresQuestion, chains: Chains): Promise<StakeView> {
  const asked = chains.withChainId(chainId)
  const { network, facts } = asked.forNow()
  const { head, firstRound } = facts
  if (firstRound === 0 || (block !== null && block > head.block)) {
    const what = block === null ? `No round of ${network} is` : `Block ${block} of ${network} is not`
    throw new ApiError('UPSTREAM_UNAVAILABLE', `${what} indexed yet: the index is at block ${head.block}; try again`)
  }
  return asked.at({ block: BigInt(block ?? head.block) })
}

/** What a client is told of a body that could not be read; undefined for any other error. */
function unreadBody(error: unknown, limit: number): ApiError | undefined {
  const { type, status, length } = error as { type?: unknown; status?: unknown; length?: unknown }
  if (typeof type !== 'string' || typeof status !== 'number' || status >= 500) return undefined
  if (type === 'entity.too.large') {
    const had = typeof length === 'number' ? length.toLocaleString('en') : 'more'
    return limitExceeded('document', limit, `the body has ${had}`, ' bytes')
  }
  return new ApiError(
    'BAD_USER_INPUT',
    'The body cannot be read: POST JSON in UTF-8, with Content-Type: application/json',
  )
}
