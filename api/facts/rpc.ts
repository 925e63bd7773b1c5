import { BaseError, type HttpTransport, type HttpTransportConfig, http, type Transport } from 'viem'
import { type NodeOptions, nodeTransport } from '../verification/node.ts'

/** Where to send requests, and what to send along: a user and password of a URL are no part of it for fetch. */
export interface Endpoint {
  url: string
  headers: Readonly<Record<string, string>>
}

/**
 * A URL as fetch takes it, its user and password as basic authorization, beside headers of one's own. Throws TypeError,
 * without the text, for what is no URL.
 */
export function endpointOf(text: string, headers: Readonly<Record<string, string>> = {}): Endpoint {
  if (!URL.canParse(text)) throw new TypeError('not a URL')
  const url = new URL(text)
  const { username, password } = url
  if (username === '' && password === '') return { url: text, headers }
  url.username = ''
  url.password = ''
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { url: url.href, headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}`, ...headers } }
}

/** Fewer characters are no secret, and hiding them would hide words. */
const SHORTEST_SECRET = 8
/** Parts of a path that name a kind of thing. */
const WORDS_OF_PATHS = ['subgraphs', 'deployments']
/** As much of what others say as a line of a log may have. */
const LONGEST_TOLD = 300

/**
 * What others said, as a line for a log, without what they were asked with, should they have repeated it: values of headers,
 * user, password, path and query of the URL.
 */
export function withoutSecrets(told: string, text: string, headers: Readonly<Record<string, string>> = {}): string {
  const endpoint = endpointOf(text, headers)
  const { username, password, pathname, searchParams } = new URL(text)
  const parts = [
    ...Object.values(endpoint.headers).flatMap((value) => [value, ...value.split(/\s+/)]),
    ...[username, password].map(decodeURIComponent),
    ...pathname.split('/').filter((part) => !WORDS_OF_PATHS.includes(part)),
    ...searchParams.values(),
  ]
  const secrets = parts.filter((part) => part.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length)
  const safe = secrets.reduce(
    (line, secret) => line.replaceAll(secret, '…'),
    told.replace(/\bhttps?:\/\/[^\s"']+/g, hostOf),
  )
  // A terminal would obey control characters.
  return safe
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_TOLD)
}

/** Whether a text is the URL of something that is asked by HTTP. */
export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

/** What may be told of a URL: the rest of it often holds a key. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'what is no URL'
}

/** viem's way to a chain's RPC; asked once, unless told otherwise. */
export function rpcTransport(rpcUrl: string, options: HttpTransportConfig): HttpTransport {
  const { url, headers } = endpointOf(rpcUrl)
  return http(url, { retryCount: 0, ...options, fetchOptions: { headers } })
}

/** viem's way to a chain's RPC for those who compare with its contracts: in batches as large as the provider takes. */
export function verifyingTransport(rpcUrl: string, options: Pick<NodeOptions, 'timeout' | 'retryCount'>): Transport {
  const { url, headers } = endpointOf(rpcUrl)
  return nodeTransport(url, { ...options, headers, clean: (error) => errorWithoutSecrets(error, rpcUrl) })
}

/** The same error of viem without what of a URL may be a key or a password, also where a provider repeats it. */
function errorWithoutSecrets(error: unknown, url: string): unknown {
  const secrets = secretsOf(url)
  const clean = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
  // The last one is what the node sent, which is no Error.
  for (let one = error; isTold(one); one = one.cause) {
    const message = clean(one.message)
    if (message !== one.message) one.message = message
    if (!(one instanceof BaseError)) continue
    one.details = clean(one.details)
    one.shortMessage = clean(one.shortMessage)
    // What wraps it takes these over.
    one.metaMessages = one.metaMessages?.map(clean)
    if ('url' in one) one.url = hostOf(url)
  }
  return error
}

function isTold(value: unknown): value is { message: string; cause?: unknown } {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
}

/** The whole address first, then its parts that are long enough to be a secret. */
function secretsOf(url: string): string[] {
  if (!URL.canParse(url)) return [url]
  const { href, username, password, pathname, searchParams, hash } = new URL(url)
  const parts = [...pathname.split('/'), ...searchParams.values(), username, password, hash.slice(1)]
  const told = parts.flatMap((part) => [part, decoded(part)]).filter((part) => part.length >= 4)
  return [...new Set([url, href, ...told])].sort((a, b) => b.length - a.length)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
