import { type HttpTransport, type HttpTransportConfig, http } from 'viem'

/** Where to send requests, and what to send along: a user and password of a URL are no part of it for fetch. */
export interface Endpoint {
  url: string
  headers: Readonly<Record<string, string>>
}

/** A URL as fetch takes it, its user and password as basic authorization. Throws TypeError, without the text, for what is no URL. */
export function endpointOf(text: string): Endpoint {
  if (!URL.canParse(text)) throw new TypeError('not a URL')
  const url = new URL(text)
  const { username, password } = url
  if (username === '' && password === '') return { url: text, headers: {} }
  url.username = ''
  url.password = ''
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { url: url.href, headers: { authorization: `Basic ${Buffer.from(user).toString('base64')}` } }
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
