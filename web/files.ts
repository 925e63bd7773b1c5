import { type Problem, RATE_LIMITED, UNREACHABLE } from './problems.ts'

/** The API's files, as pages read them. */

/** A file, or why there is none. */
export type Fetched = { text: string; headers: Headers } | { problem: Problem }

/** A file of the API as text; never rejects unless it was given up. */
export async function fetchFile(path: string, init: RequestInit = {}): Promise<Fetched> {
  let response: Response
  let text: string
  try {
    response = await fetch(path, init)
    text = await response.text()
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    return { problem: { code: UNREACHABLE, message: 'The API does not answer' } }
  }
  if (response.ok) return { text, headers: response.headers }
  if (response.status === 429) {
    const message = 'This browser has asked as often as one client may in a minute'
    return { problem: { code: RATE_LIMITED, message, retryAfter: Number(response.headers.get('retry-after') ?? 60) } }
  }
  return { problem: refusalIn(text) ?? { code: UNREACHABLE, message: `The API answered ${response.status}` } }
}

/** What the API says where it refuses a file. */
function refusalIn(text: string): Problem | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } }
    if (typeof error?.message !== 'string') return undefined
    return { code: typeof error.code === 'string' ? error.code : UNREACHABLE, message: error.message }
  } catch {
    return undefined
  }
}

/** A path with parameters in its query; those that are undefined or blank are left out. */
export function filePath(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1])
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}
