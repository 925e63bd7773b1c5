/** What can be wrong with an answer or a part of it, as people are told. */

/** An error of the API, or of reaching it. */
export interface Problem {
  code: string
  message: string
  /** Where in the answer; none where all of it is missing. */
  path?: readonly (string | number)[]
  /** Seconds after which it says to ask again. */
  retryAfter?: number
}

/** How a problem is shown. */
export type ProblemKind = 'DOWN' | 'NOT_EXACT' | 'NOT_THERE' | 'LIMIT' | 'REORGED' | 'FAULT'

/** The API could not be reached at all, or answered what is no answer of its own. */
export const UNREACHABLE = 'UNREACHABLE'
/** It takes no more requests of this client for a while. */
export const RATE_LIMITED = 'RATE_LIMITED'

const KINDS: Readonly<Record<string, ProblemKind>> = {
  UPSTREAM_UNAVAILABLE: 'DOWN',
  NOT_EXACT: 'NOT_EXACT',
  ROUND_NOT_INDEXED: 'NOT_THERE',
  ROUND_IN_FUTURE: 'NOT_THERE',
  BLOCK_NOT_INDEXED: 'NOT_THERE',
  BLOCK_IN_FUTURE: 'NOT_THERE',
  NO_ACTIVE_TRANSCODERS: 'NOT_THERE',
  BAD_USER_INPUT: 'NOT_THERE',
  NOT_FOUND: 'NOT_THERE',
  LIMIT_EXCEEDED: 'LIMIT',
  [RATE_LIMITED]: 'LIMIT',
  BLOCK_REORGED: 'REORGED',
}

/** How a problem is shown; what is not known is a fault. */
export function kindOf({ code }: Problem): ProblemKind {
  return (Object.hasOwn(KINDS, code) ? KINDS[code] : undefined) ?? 'FAULT'
}

/** What people read first, before the API's own sentence. */
export const HEADINGS: Readonly<Record<ProblemKind, string>> = {
  DOWN: 'The index of this chain does not answer',
  NOT_EXACT: 'Not known exactly',
  NOT_THERE: 'There is nothing to show here',
  LIMIT: 'More than one client may ask',
  REORGED: 'The chain went back',
  FAULT: 'Something went wrong',
}

/** Whether asking the same again may help. */
export function mayPass({ code }: Problem): boolean {
  const kind = kindOf({ code, message: '' })
  return code === RATE_LIMITED || kind === 'DOWN' || kind === 'REORGED' || kind === 'FAULT'
}

/** The problem of the part of an answer that stands at a path, or of what that is a part of; none where it is whole. */
export function problemAt(problems: readonly Problem[], ...path: readonly (string | number)[]): Problem | undefined {
  return problems.find((problem) => problem.path?.every((step, index) => step === path[index]) === true)
}
