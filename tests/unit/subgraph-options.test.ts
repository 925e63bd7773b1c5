import { describe, expect, test } from 'vitest'
import { planChains } from '../../stack/chain-plan.ts'
import { chainsElsewhere } from '../../stack/elsewhere.ts'
import { headerLines, networkUrls, urlsByNetwork, withHeaders } from '../../stack/subgraph-options.ts'

const SECRET = 's3cret'
const A = `https://gateway.example/api/${SECRET}/subgraphs/id/5X`
const B = 'https://other.example/query/1/name/v0.0.1?x=a,b'

function fail(message: string): never {
  throw new Error(message)
}

const urls = (...values: string[]) => urlsByNetwork('--subgraph', values, fail)
const of = (network: string, url: string) => `${network}=${url}`

test('URLs are taken as they are, from the environment with commas between', () => {
  expect(networkUrls(`${of('mainnet', A)},${of('arbitrum-one', B)}`)).toEqual([of('mainnet', A), of('arbitrum-one', B)])
  expect(networkUrls(of('b', B), [of('a', A)])).toEqual([of('a', A), of('b', B)])
  expect(urls(of('mainnet', A), ` ${of('arbitrum-one', B)}`)).toEqual({ mainnet: A, 'arbitrum-one': B })
})

test('headers go to the subgraphs they are of, from the environment a line each', () => {
  const lines = headerLines(`mainnet=Authorization: Bearer ${SECRET}\n\narbitrum-one=X-Key: a, b=c: d \n`)
  expect(withHeaders(urls(of('mainnet', A), of('arbitrum-one', B)), lines, fail)).toEqual({
    mainnet: { url: A, headers: { authorization: `Bearer ${SECRET}` } },
    'arbitrum-one': { url: B, headers: { 'x-key': 'a, b=c: d' } },
  })
  const one = urls(of('mainnet', A), of('arbitrum-one', A.replace('5X', '6Y')))
  for (const { headers } of Object.values(withHeaders(one, [`Authorization: Bearer ${SECRET}`], fail)))
    expect(headers).toEqual({ authorization: `Bearer ${SECRET}` })
})

describe('what is wrong is told in a line, without a word of what was given', () => {
  const headers = (...lines: string[]) => withHeaders(urls(of('mainnet', A)), lines, fail)
  test.each<[string, () => unknown, string]>([
    ['a subgraph without a network', () => urls(A), '--subgraph needs a network: --subgraph NAME=URL'],
    ['a subgraph that is no URL', () => urls(of('mainnet', SECRET)), '--subgraph of mainnet is not a URL'],
    ['a file', () => urls(of('mainnet', `file:///${SECRET}`)), '--subgraph of mainnet is not a URL'],
    ['two of a network', () => urls(of('mainnet', A), of('mainnet', B)), '--subgraph is given twice for mainnet'],
    ['no name', () => headers(SECRET), '--subgraph-header needs a name and a value: "Name: value"'],
    ['no value', () => headers(`${SECRET}:  `), '--subgraph-header needs a name and a value: "Name: value"'],
    ['no header', () => headers(`X-Key: ${SECRET}\u2713`), '--subgraph-header is none that can be sent'],
    [
      'a header without a subgraph',
      () => withHeaders({}, [`X-Key: ${SECRET}`], fail),
      '--subgraph-header needs a subgraph: give its URL with --subgraph',
    ],
    [
      'a header of another network',
      () => headers(`moon=X-Key: ${SECRET}`),
      '--subgraph-header is of moon, which has no --subgraph',
    ],
    [
      'a header for two places',
      () => withHeaders(urls(of('mainnet', A), of('arbitrum-one', B)), [`X-Key: ${SECRET}`], fail),
      '--subgraph-header needs a network, as subgraphs are at several places: "network=Name: value"',
    ],
  ])('%s', (_, read, message) => {
    expect(read).toThrow(new Error(message))
  })
})

describe('networks and those who index them', () => {
  const subgraphs = { mainnet: { url: A, headers: { 'x-key': SECRET } } }
  const find = async (options: Parameters<typeof planChains>[0]) => chainsElsewhere(options, await planChains(options))

  test('a network with a subgraph need not be named', async () => {
    const [first, ...others] = await find({ subgraphs, statusUrls: { mainnet: B } })
    expect([first?.subgraph, first?.chain.chainId, others]).toEqual([subgraphs.mainnet, 1, []])
  })

  test('a graph-node has a subgraph of each by its name, or is one', async () => {
    const graphNodeUrl = 'http://127.0.0.1:8000/'
    const urlsOf = async (options: Parameters<typeof planChains>[0]) => (await find(options)).map((one) => one.subgraph)
    expect(await urlsOf({ networks: ['mainnet', 'arbitrum-one'], graphNodeUrl })).toEqual([
      { url: 'http://127.0.0.1:8000/subgraphs/name/livepeer-governance/mainnet' },
      { url: 'http://127.0.0.1:8000/subgraphs/name/livepeer-governance/arbitrum-one' },
    ])
    expect(await urlsOf({ networks: ['mainnet'], graphNodeUrl: A })).toEqual([{ url: A }])
  })

  test.each<[string, Parameters<typeof planChains>[0], RegExp]>([
    ['a network without one', { subgraphs, networks: ['arbitrum-one'] }, /^network arbitrum-one needs a subgraph/],
    ['an RPC without one', { subgraphs, rpcUrls: { devnet: B } }, /^network devnet needs a subgraph/],
    ['both', { subgraphs, graphNodeUrl: B }, /^--graph-node and --subgraph exclude each other$/],
    [
      'an index-node without one',
      { subgraphs, statusUrls: { moon: B } },
      /^--status is of moon, which has no subgraph$/,
    ],
    [
      'one for two chains',
      { networks: ['mainnet', 'devnet'], graphNodeUrl: A },
      /^one subgraph cannot serve more than/,
    ],
  ])('%s', async (_, options, message) => {
    await expect(find(options)).rejects.toThrow(message)
  })
})
