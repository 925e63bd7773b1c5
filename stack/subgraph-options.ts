import { isHttpUrl } from '../api/facts/rpc.ts'
import type { SubgraphElsewhere } from './chain-plan.ts'

/** What is wrong with options, to be told: nothing of a value, which may be a key. */
type Fail = (message: string) => never

/** Of an environment variable, which has several with commas between; a URL may have commas too. */
export function networkUrls(value: string, previous: string[] = []): string[] {
  return [...previous, ...value.split(/,(?=[\w-]+=https?:)/)]
}

/** The same of headers, which have commas. */
export function headerLines(value: string, previous: string[] = []): string[] {
  return [...previous, ...value.split('\n').filter((line) => line.trim() !== '')]
}

/** URLs by network, none of which is ever told. */
export function urlsByNetwork(name: string, values: string[], fail: Fail): Record<string, string> {
  const urls = new Map<string, string>()
  for (const value of values) {
    const [, network, url = ''] = /^([\w-]+)=(.*)$/s.exec(value.trim()) ?? []
    if (network === undefined) return fail(`${name} needs a network: ${name} NAME=URL`)
    if (!isHttpUrl(url)) return fail(`${name} of ${network} is not a URL`)
    if (urls.has(network)) return fail(`${name} is given twice for ${network}`)
    urls.set(network, url)
  }
  return Object.fromEntries(urls)
}

/** Subgraphs with the headers that are theirs: a header is a secret of one place, and is never told, nor sent to another. */
export function withHeaders(
  urls: Record<string, string>,
  lines: string[],
  fail: Fail,
): Record<string, SubgraphElsewhere> {
  const headers = new Map(Object.keys(urls).map((network): [string, Headers] => [network, new Headers()]))
  for (const line of lines) {
    const [, network, name = '', value = ''] = /^\s*(?:([\w-]+)=)?([^\s:=]+):\s*(\S.*?)\s*$/s.exec(line) ?? []
    if (name === '') return fail('--subgraph-header needs a name and a value: "Name: value"')
    if (headers.size === 0) return fail('--subgraph-header needs a subgraph: give its URL with --subgraph')
    if (network !== undefined && !headers.has(network))
      return fail(`--subgraph-header is of ${network}, which has no --subgraph`)
    if (network === undefined && new Set(Object.values(urls).map((url) => new URL(url).origin)).size > 1)
      return fail('--subgraph-header needs a network, as subgraphs are at several places: "network=Name: value"')
    for (const [of, own] of headers) {
      if (network !== undefined && of !== network) continue
      try {
        own.set(name, value)
      } catch {
        return fail('--subgraph-header is none that can be sent')
      }
    }
  }
  return Object.fromEntries(
    Object.entries(urls).map(([network, url]) => [
      network,
      { url, headers: Object.fromEntries(headers.get(network) ?? []) },
    ]),
  )
}
