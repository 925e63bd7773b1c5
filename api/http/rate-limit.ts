import { isIP } from 'node:net'
import type { Request, RequestHandler } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import { type Limits, limitExceeded } from '../graphql/limits.ts'

/**
 * Refuses clients that ask too often, with the headers of the IETF draft; never those on this machine itself. What comes
 * through a proxy that nobody said to trust may be from anybody, and names nobody: it counts as one client, which is said
 * to the log once. `onLimited` is told of each refusal.
 */
export function limitRate(
  { requestsPerMinute }: Limits,
  log: (line: string) => void,
  onLimited: () => void,
): RequestHandler {
  let isTold = false
  const clientOf = (request: Request): string => {
    const client = addressOf(request.ip ?? '')
    if (!isForwarded(request) || client !== addressOf(request.socket.remoteAddress ?? '')) return client
    if (!isTold) log('requests come through a proxy: --trust-proxy with its address tells its clients apart')
    isTold = true
    return `behind ${client}`
  }
  return rateLimit({
    windowMs: 60_000,
    limit: requestsPerMinute,
    skip: (request) => requestsPerMinute === 0 || isLoopback(clientOf(request)),
    keyGenerator: (request) => {
      const client = clientOf(request)
      // Whoever has an IPv6 address has a whole network of them.
      return isIP(client) === 0 ? client : ipKeyGenerator(client)
    },
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'requests',
    // Whether a proxy may say for whom it asks is for whoever runs the API to tell.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: (_, response) => {
      onLimited()
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

/** Whether somebody on the way says for whom it asks. */
function isForwarded({ headers }: Request): boolean {
  return headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
}

/** An address without the port that some proxies add: each connection has another, and is no client of its own. */
function addressOf(told: string): string {
  const [, bare = told] = /^\[(.*)\](?::\d+)?$/.exec(told) ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(told) ?? []
  return bare.replace(/^::ffff:(?=\d+\.)/i, '')
}

function isLoopback(client: string): boolean {
  return /^127\./.test(client) || client === '::1'
}

/** Names that Express has for ranges of addresses. */
const RANGES = ['loopback', 'linklocal', 'uniquelocal']

/** Whether Express can take it as the proxies to trust: addresses, networks, or names of ranges, with commas between. */
export function isProxyList(text: string): boolean {
  return text.split(',').every((part) => {
    const [address = '', bits, ...rest] = part.trim().split('/')
    if (RANGES.includes(address)) return bits === undefined
    const version = isIP(address)
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
    return version !== 0 && fits && rest.length === 0
  })
}
