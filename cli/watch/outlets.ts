import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import pRetry from 'p-retry'
import { Webhook } from 'standardwebhooks'
import { messageOf } from '../../api/verification/errors.ts'
import { CliError, NotAvailable, retryAfterSeconds } from '../errors.ts'
import type { Change } from './changes.ts'
import type { OutletName } from './state-file.ts'

/** The environment variable that --secret can be given in. */
export const SECRET_VARIABLE = 'LIVEPEER_GOVERNANCE_WEBHOOK_SECRET'

/** Somebody that changes are handed over to. */
export interface Outlet {
  name: OutletName
  /** Resolves when it has it; rejects only when the signal ends it. */
  handOver(change: Change, signal: AbortSignal): Promise<void>
}

/** Longest time between two attempts. */
const MAX_BACKOFF_MS = 300_000

const ATTEMPT_TIMEOUT_MS = 20_000

/**
 * A receiver by the Standard Webhooks form, asked again until it answers 2xx. Nothing that is said holds more of its URL than
 * the host, since the rest may be secret too. CliError where URL or secret are none.
 */
export function webhookOutlet(url: string, secret: string | undefined, say: (line: string) => void): Outlet {
  const target = URL.canParse(url) ? new URL(url) : undefined
  if (target === undefined || !/^https?:$/.test(target.protocol)) throw new CliError('--webhook is not an http URL')
  if (target.username !== '' || target.password !== '') throw new CliError('--webhook takes no user and password')
  if (secret === undefined) throw new CliError(`--webhook needs --secret, or ${SECRET_VARIABLE}`)
  const signing = signerOf(secret)

  async function attempt(change: Change, body: string, signal: AbortSignal): Promise<void> {
    const now = new Date()
    const headers = {
      'content-type': 'application/json',
      'webhook-id': change.id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': signing.sign(change.id, now, body),
    }
    let response: Response
    try {
      response = await fetch(url, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]),
      })
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      throw new NotAvailable(`does not answer (${messageOf(cause)})`)
    }
    await response.body?.cancel().catch(() => {})
    if (!response.ok) throw new NotAvailable(`answered ${response.status}`, retryAfterSeconds(response.headers))
  }

  return {
    name: 'webhook',
    async handOver(change, signal) {
      const body = JSON.stringify({
        type: `proposal.${change.kind.toLowerCase()}`,
        timestamp: change.time,
        data: change,
      })
      await pRetry(() => attempt(change, body, signal), {
        retries: Number.POSITIVE_INFINITY,
        minTimeout: 1000,
        maxTimeout: MAX_BACKOFF_MS,
        randomize: true,
        signal,
        async onFailedAttempt({ error, attemptNumber }) {
          if (signal.aborted) return
          if (attemptNumber === 1)
            say(`the webhook at ${target.host} ${error.message}; it is tried again until it takes ${change.id}`)
          if (error instanceof NotAvailable) await sleep(error.retryAfterSeconds * 1000, undefined, { signal })
        },
      })
    },
  }
}

/** CliError, which does not show it, where a secret is not of the form. */
function signerOf(secret: string): Webhook {
  const [, key] = /^whsec_((?:[A-Za-z\d+/]{4})+(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?)$/.exec(secret) ?? []
  const length = key === undefined ? 0 : Buffer.from(key, 'base64').length
  if (length < 24 || length > 64) throw new CliError('--secret must be whsec_ and 24 to 64 bytes in base64')
  return new Webhook(secret)
}

/**
 * A command of the shell that has each change on its standard input and in its environment, which nothing takes for a part
 * of the command. What it prints goes to standard error. One that fails is not run again.
 */
export function execOutlet(command: string, say: (line: string) => void): Outlet {
  return {
    name: 'exec',
    handOver: (change, signal) =>
      new Promise((done, fail) => {
        const child = spawn(command, {
          shell: true,
          env: { ...process.env, ...variablesOf(change), [SECRET_VARIABLE]: undefined },
          stdio: ['pipe', process.stderr, process.stderr],
          signal,
        })
        // A command need not read it.
        child.stdin.on('error', () => {}).end(`${JSON.stringify(change)}\n`)
        child.once('error', (error) => {
          if (signal.aborted) return fail(error)
          say(`--exec cannot be run for ${change.id}: ${messageOf(error)}`)
          done()
        })
        child.once('close', (code, ended) => {
          if (signal.aborted) return fail(signal.reason)
          if (code !== 0) say(`--exec ended with ${code ?? ended} for ${change.id}`)
          done()
        })
      }),
  }
}

/** A change as CHANGE_ID, CHANGE_PROPOSAL and so on; what is null is empty. */
function variablesOf(change: Change): Record<string, string> {
  return Object.fromEntries(
    Object.entries(change).map(([name, value]) => [
      `CHANGE_${name.toUpperCase()}`,
      String(value ?? '').replaceAll('\0', ''),
    ]),
  )
}
