import type { RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import { type Limits, limitExceeded } from '../graphql/limits.ts'

/** Refuses clients that ask too often, with the headers of the IETF draft; never those on this machine itself. */
export function limitRate({ requestsPerMinute }: Limits): RequestHandler {
  return rateLimit({
    windowMs: 60_000,
    limit: requestsPerMinute,
    skip: ({ ip }) => requestsPerMinute === 0 || isLoopback(ip ?? ''),
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'requests',
    // Whether a proxy may say for whom it asks is for whoever runs the API to tell.
    validate: { xForwardedForHeader: false, forwardedHeader: false },
    handler: (_, response) => {
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

function isLoopback(ip: string): boolean {
  return /^(::ffff:)?127\./.test(ip) || ip === '::1'
}
