import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { checkRpc, readNetwork } from '../../stack/networks.ts'
import { TimeLeft } from '../../stack/progress.ts'
import { chooseSubgraph, networkManifest } from '../../stack/subgraph-build.ts'

const folder = mkdtempSync(join(tmpdir(), 'stack-options-'))
afterAll(() => rmSync(folder, { recursive: true }))

const address = '0x35Bcf3c30594191d53231E4FF333E8A770453e40'
/** As YAML a number, were it not quoted. */
const roundAddress = '0x0000000000000000000000000000000000000012'

function write(name: string, content: unknown): string {
  const file = join(folder, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

describe('a networks file', () => {
  const read = (content: unknown, network = 'devnet') => readNetwork(write('networks.json', content), network)

  it('tells addresses and start blocks, 0 where there is none', async () => {
    const devnet = { A: { address, startBlock: 7 }, B: { address: roundAddress } }
    expect(await read({ devnet })).toEqual({ ...devnet, B: { address: roundAddress, startBlock: 0 } })
  })

  const bad: [string, unknown, RegExp][] = [
    ['no JSON', '{', /JSON/],
    ['a list', [], /not an object/],
    ['another network only', { other: {} }, /no network devnet, there are: other/],
    ['no networks', {}, /there are: none/],
    ['an address too short', { devnet: { A: { address: '0x1' } } }, /A of devnet has a bad address: "0x1"/],
    ['an address that is a number', { devnet: { A: { address: 5 } } }, /bad address: 5/],
    ['no address', { devnet: { A: { startBlock: 5 } } }, /bad address: none/],
    ['no contract', { devnet: { A: null } }, /bad address: none/],
    ['a start block that is text', { devnet: { A: { address, startBlock: '5' } } }, /bad startBlock: "5"/],
    ['a start block below 0', { devnet: { A: { address, startBlock: -5 } } }, /bad startBlock: -5/],
  ]
  it.each(bad)('is refused with %s', async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message)
  })

  it('does not find what every object has', async () => {
    await expect(read({ devnet: {} }, 'constructor')).rejects.toThrow(/no network constructor/)
  })

  it("of the project names the contracts of the project's subgraph", async () => {
    for (const network of ['arbitrum-one', 'recorded']) {
      const contracts = await readNetwork(resolve('subgraph/networks.json'), network)
      expect(chooseSubgraph(resolve('.'), network, contracts)).toMatchObject({ manifest: 'subgraph.yaml', leftOut: [] })
    }
  })
})

describe('an RPC', () => {
  async function answering(body: string, check: (url: string) => Promise<void>): Promise<void> {
    const server = createServer((_, response) => response.end(body))
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    try {
      await check(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/secret-key`)
    } finally {
      server.close()
    }
  }

  it('is taken when its chain is the one of the network, or nobody knows which that is', async () => {
    await answering('{"result":"0xa4b1"}', async (url) => {
      expect(await checkRpc('arbitrum-one', url)).toBe(42161)
      expect(await checkRpc('devnet', url)).toBe(42161)
      await expect(checkRpc('mainnet', url)).rejects.toThrow(/is of chain 42161, not 1$/)
    })
  })

  it.each(['{"error":{"code":1}}', '{"result":5}', '{"result":"moon"}', 'null'])(
    'is refused when it answers %s',
    async (body) => {
      await answering(body, (url) => expect(checkRpc('devnet', url)).rejects.toThrow(/tells no chain id/))
    },
  )

  it('is refused when it answers no JSON, without telling the key in its URL', async () => {
    await answering('<html>', async (url) => {
      const error: unknown = await checkRpc('devnet', url).catch((reason: unknown) => reason)
      expect(String(error)).toMatch(/does not answer/)
      expect(String(error)).not.toContain('secret-key')
    })
  })
})

describe('the manifest of a network', () => {
  const source = (name: string, abi = name) => `
  - kind: ethereum/contract
    name: ${name}
    network: arbitrum-one
    source:
      address: ${roundAddress}
      abi: ${abi}
      startBlock: 5856394
    mapping:
      apiVersion: 0.0.9
      file: ${name}/${name}.wasm`
  const manifest = `specVersion: 1.3.0
dataSources:${source('Controller')}${source('BondingManager')}${source('BondingManagerV1', 'BondingManager')}
templates:
  - kind: ethereum/contract
    name: Poll
    network: arbitrum-one
    source:
      abi: Poll
`
  const result = networkManifest(manifest, 'devnet', { BondingManager: { address: roundAddress, startBlock: 9 } })

  it('has its addresses, start blocks and name, found by the name of source or ABI', () => {
    const { dataSources, templates } = parse(result)
    expect(dataSources).toMatchObject([
      { name: 'BondingManager', network: 'devnet', source: { address: roundAddress, startBlock: 9 } },
      { name: 'BondingManagerV1', network: 'devnet', source: { address: roundAddress, startBlock: 9 } },
    ])
    expect(templates).toMatchObject([{ name: 'Poll', network: 'devnet' }])
  })

  it('quotes addresses and leaves the rest as it was', () => {
    expect(result).toContain(`address: "${roundAddress}"`)
    expect(result).toContain('apiVersion: 0.0.9')
    expect(result).not.toContain('Controller')
  })
})

describe('the subgraph for a network', () => {
  const contracts = (...names: string[]) => Object.fromEntries(names.map((name) => [name, { address, startBlock: 0 }]))
  const sources = (...names: string[]) => ({ dataSources: names.map((name) => ({ name, source: { abi: name } })) })
  const choose = (...names: string[]) => chooseSubgraph(folder, 'devnet', contracts(...names))

  it('is the one whose contracts the network has, the main one where two do as well', () => {
    write('subgraph.yaml', sources('A', 'B', 'C'))
    write('subgraph.mainnet.yaml', sources('B', 'D', 'E'))
    expect(choose('A', 'B')).toEqual({ manifest: 'subgraph.yaml', included: ['A', 'B'], leftOut: ['C'] })
    expect(choose('B', 'D')).toEqual({ manifest: 'subgraph.mainnet.yaml', included: ['B', 'D'], leftOut: ['E'] })
    expect(choose('B').manifest).toBe('subgraph.yaml')
    expect(() => choose('F')).toThrow(/no contract of the subgraph is known on devnet/)
  })
})

describe('the time left', () => {
  it('follows from how fast it went lately, and is unknown before anything moved', () => {
    const timeLeft = new TimeLeft()
    expect(timeLeft.estimate(100, 1100, 0)).toBeUndefined()
    expect(timeLeft.estimate(100, 1100, 1000)).toBeUndefined()
    expect(timeLeft.estimate(200, 1100, 2000)).toBe(18)
    expect(timeLeft.estimate(1100, 1100, 5000)).toBe(0)
    expect(timeLeft.estimate(1200, 2200, 1_000_000)).toBeUndefined()
  })
})
