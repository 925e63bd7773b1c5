import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildSchema, GraphQLError, graphql } from 'graphql'

const SCHEMA = buildSchema(readFileSync('api/schema.graphql', 'utf8'))

/** A proposal as far as `watch` asks for it; an Error stands for a field that is refused with its message as the code. */
export interface WatchedProposal {
  __typename: 'TreasuryProposal' | 'Poll' | 'AragonVote'
  id: string
  system: 'TREASURY' | 'POLL' | 'ARAGON'
  network: string
  title: string
  state: string | Error
  outcome: { quorumReached: boolean; supportReached: boolean }
  timeline: {
    kind: string
    at: { block: string; transactionHash: string } | null
    round: number | null
    timestamp: string | null
    estimated: boolean
  }[]
}

/** Stands in for the API: what is asked is checked against the real schema, and answered from what a test puts here. */
export class WatchedApi {
  proposals: WatchedProposal[] = []
  networks = [{ network: 'recorded', error: null as string | null, headBlock: '9' as string | null, synced: true }]
  /** Answered instead of anything else. */
  refusal: { status: number; headers?: Record<string, string> } | null = null
  requests = 0

  /** The answer to a request to /graphql. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { query, variables } = JSON.parse(await bodyOf(request))
    this.requests += 1
    if (this.refusal !== null) {
      response.writeHead(this.refusal.status, this.refusal.headers).end('no')
      return
    }
    const result = await graphql({
      schema: SCHEMA,
      source: query,
      variableValues: variables,
      rootValue: { status: this.networks, proposals: (args: { after: string | null }) => this.#page(args.after) },
    })
    response.writeHead(result.data === undefined ? 400 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(result))
  }

  /** Two to a page. */
  #page(after: string | null) {
    const start = Number(after ?? 0)
    const nodes = this.proposals.slice(start, start + 2).map((proposal) => ({
      ...proposal,
      state: () => {
        if (!(proposal.state instanceof Error)) return proposal.state
        throw new GraphQLError('refused', { extensions: { code: proposal.state.message } })
      },
    }))
    return { nodes, pageInfo: { hasNextPage: start + 2 < this.proposals.length, endCursor: String(start + 2) } }
  }
}

/** A request that a webhook's receiver got. */
export interface Received {
  headers: { 'webhook-id': string; 'webhook-timestamp': string; 'webhook-signature': string }
  body: string
  status: number
}

/** Stands in for a webhook's receiver. */
export class WebhookReceiver {
  readonly received: Received[] = []
  /** What is answered, in order; then 200. */
  statuses: number[] = []

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    const status = this.statuses.shift() ?? 200
    const header = (name: string) => String(request.headers[name])
    this.received.push({
      headers: {
        'webhook-id': header('webhook-id'),
        'webhook-timestamp': header('webhook-timestamp'),
        'webhook-signature': header('webhook-signature'),
      },
      body,
      status,
    })
    response.writeHead(status).end()
  }
}

/** Serves what answers requests, on this machine; gives its URL. */
export async function listen(
  answering: { answer(request: IncomingMessage, response: ServerResponse): Promise<void> },
  port = 0,
): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => void answering.answer(request, response))
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}
