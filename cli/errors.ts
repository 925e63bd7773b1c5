/** An error the user can do something about: one line, and what to exit with. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message)
  }
}

/** The API refuses what it was asked, and will again. */
export class Refused extends CliError {}

/** Whoever was asked does not answer now, or asks to wait: it may later. */
export class NotAvailable extends CliError {
  constructor(
    message: string,
    /** How long it asks to wait; 0 where it does not say. */
    readonly retryAfterSeconds = 0,
  ) {
    super(message)
  }
}

/** Seconds of a Retry-After header, at most an hour; 0 where there is none that can be read. */
export function retryAfterSeconds(headers: Headers | undefined): number {
  const told = headers?.get('retry-after') ?? ''
  const seconds = /^\d{1,9}$/.test(told) ? Number(told) : (Date.parse(told) - Date.now()) / 1000
  return seconds > 0 ? Math.min(seconds, 3600) : 0
}
