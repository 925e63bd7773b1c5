import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { planChains } from '../../stack/chain-plan.ts'
import { type Contracts, checkRpc, readNetwork } from '../../stack/networks.ts'
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

  it('tells what no event does, numbers as text', async () => {
    const voting = { address, context: { supportRequiredPct: '500000000000000001', voteTime: 604800 } }
    const rounds = { address, startBlock: 7, context: { numActiveTranscoders: 2 ** 31 - 1 } }
    expect(await read({ devnet: { Voting: voting, 'Voting.second': voting, RoundsManager: rounds } })).toEqual({
      Voting: { address, startBlock: 0, context: { supportRequiredPct: '500000000000000001', voteTime: '604800' } },
      'Voting.second': {
        address,
        startBlock: 0,
        context: { supportRequiredPct: '500000000000000001', voteTime: '604800' },
      },
      RoundsManager: { address, startBlock: 7, context: { numActiveTranscoders: '2147483647' } },
    })
  })

  const voting = (context: unknown) => ({ devnet: { 'Voting.b': { address, context } } })
  const bad: [string, unknown, RegExp][] = [
    ['a context that is none', voting([]), /Voting.b of devnet has a bad context: \[\]/],
    [
      'a setting nobody knows',
      voting({ quorum: 1 }),
      /has no use for quorum in its context, only for: supportRequired/,
    ],
    ['a setting of another contract', voting({ numActiveTranscoders: 1 }), /no use for numActiveTranscoders/],
    ['a context nobody asks for', { devnet: { A: { address, context: { voteTime: 1 } } } }, /only for: nothing/],
    ['a negative setting', voting({ voteTime: -1 }), /bad voteTime in its context: -1/],
    ['a setting with a point', voting({ voteTime: '0.5' }), /bad voteTime in its context: "0.5"/],
    ['a setting of more than 64 bits', voting({ voteTime: String(2n ** 64n) }), /bad voteTime in its context/],
    [
      'a block graph-node cannot tell',
      { devnet: { A: { address, startBlock: 2 ** 31 } } },
      /bad startBlock: 2147483648/,
    ],
    ['a number JSON does not hold exactly', voting({ minAcceptQuorumPct: 2 ** 53 }), /bad minAcceptQuorumPct/],
    [
      'a number too large for its type',
      { devnet: { BondingManager: { address, context: { numActiveTranscoders: 2 ** 31 } } } },
      /bad numActiveTranscoders in its context: 2147483648/,
    ],
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

it('a chain behind a graph-node that is already there has the id that its name tells', async () => {
  const networks = ['arbitrum-one', 'mainnet', 'devnet', 'constructor']
  const planned = await planChains({ networks, graphNodeUrl: 'http://127.0.0.1:8000' })
  expect(planned.map(({ chainId }) => chainId)).toEqual([42161, 1, undefined, undefined])
})

describe('an RPC', () => {
  async function answering(body: string, check: (url: string) => Promise<void>, asked = () => {}): Promise<void> {
    const server = createServer((_, response) => {
      asked()
      response.end(body)
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    try {
      await check(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/secret-key`)
    } finally {
      server.close()
    }
  }

  it('is taken when its chain is the one of the network, or nobody knows which that is', async () => {
    await answering('{"result":"0xa4b1"}', async (url) => {
      expect(await checkRpc('arbitrum-one', url)).toEqual({ chainId: 42161, genesis: undefined })
      expect(await checkRpc('devnet', url)).toEqual({ chainId: 42161, genesis: undefined })
      await expect(checkRpc('mainnet', url)).rejects.toThrow(/is of chain 42161, not 1$/)
    })
  })

  it.each([
    ['{"error":{"code":1}}', /does not answer \("no result"\)/],
    ['{"error":{"code":1,"message":"at https://a.b/c"}}', /does not answer \("at a.b"\)/],
    ['{"error":{"code":1,"message":"Key secret-key was\\u001b[2J revoked"}}', /\("Key … was \[2J revoked"\)/],
    ['{"result":5}', /tells no chain id/],
    ['{"result":"moon"}', /tells no chain id/],
    ['{"result":""}', /tells no chain id/],
    ['{"result":"0xffffffffffffffffff"}', /tells no chain id/],
  ])('is refused when it answers %s', async (body, message) => {
    await answering(body, (url) => expect(checkRpc('devnet', url)).rejects.toThrow(message))
  })

  it('is asked again when it answers no JSON, and then refused, without telling the key in its URL', async () => {
    let asked = 0
    const count = () => {
      asked += 1
    }
    await answering(
      '<html>',
      async (url) => {
        const error: unknown = await checkRpc('devnet', url).catch((reason: unknown) => reason)
        expect(String(error)).toMatch(/devnet: the RPC at .* does not answer \("an answer that is no JSON-RPC"\)/)
        expect(String(error)).not.toContain('secret-key')
        expect(asked).toBe(4)
      },
      count,
    )
  }, 20_000)
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

describe('the manifest of a network with Aragon DAOs', () => {
  const at = (digit: number) => `0x${String(digit).padStart(40, '0')}`
  const source = (name: string, digit: number, abi = name, handlers = '') => `
  - name: ${name}
    network: mainnet
    source:
      address: "${at(digit)}"
      abi: ${abi}
      startBlock: 1
    mapping:
      file: ${name}/${name}.wasm${handlers}`
  const transfers = `
      eventHandlers:
        - event: Transfer(indexed address,indexed address,uint256)
          handler: handleTransferFromVault
          topic1: ["${at(5)}"]
        - event: Transfer(indexed address,indexed address,uint256)
          handler: handleTransferToVault
          topic2: ["${at(5)}"]`
  const manifest = `specVersion: 1.3.0
dataSources:${source('RoundsManager', 1)}${source('BondingManager', 8)}${source('Voting', 2)}${source('TokenManager', 3)}${source('TDT', 4, 'MiniMeToken')}${source('Vault', 5)}${source('Finance', 6)}${source('LPT', 7, 'LivepeerToken', transfers)}
`
  interface Written {
    name: string
    source: { address: string; startBlock: number }
    mapping: { file: string; eventHandlers?: { topic1?: string[]; topic2?: string[] }[] }
    context?: unknown
  }
  const write = (contracts: Contracts) =>
    (parse(networkManifest(manifest, 'devnet', contracts)) as { dataSources: Written[] }).dataSources
  const contract = (digit: number, context = {}) => ({ address: at(digit), startBlock: digit, context })
  const settings = { supportRequiredPct: '500000000000000000', minAcceptQuorumPct: '0', voteTime: '604800' }
  const first = {
    Voting: contract(20, settings),
    TokenManager: contract(30),
    TDT: contract(40),
    Vault: contract(50),
    Finance: contract(60),
  }

  it('tells the Voting app its settings and the rest of its DAO', () => {
    const [voting, ...others] = write(first)
    expect(voting?.context).toEqual({
      supportRequiredPct: { type: 'BigInt', data: '500000000000000000' },
      minAcceptQuorumPct: { type: 'BigInt', data: '0' },
      voteTime: { type: 'BigInt', data: '604800' },
      tokenManager: { type: 'Bytes', data: at(30) },
      token: { type: 'Bytes', data: at(40) },
      vault: { type: 'Bytes', data: at(50) },
      finance: { type: 'Bytes', data: at(60) },
    })
    expect(others.map(({ name, context }) => [name, context])).toEqual(
      ['TokenManager', 'TDT', 'Vault', 'Finance'].map((name) => [name, undefined]),
    )
  })

  it('tells it nothing that is not known', () => {
    expect(write({ Voting: contract(20) })).toMatchObject([{ name: 'Voting', source: { startBlock: 20 } }])
    expect(write({ Voting: contract(20) })[0]?.context).toBeUndefined()
  })

  it('tells the contracts of stake the number of active transcoders', () => {
    const context = { numActiveTranscoders: '25' }
    expect(write({ RoundsManager: contract(10, context), BondingManager: contract(80, context) })).toMatchObject(
      ['RoundsManager', 'BondingManager'].map((name) => ({
        name,
        context: { numActiveTranscoders: { type: 'Int', data: 25 } },
      })),
    )
  })

  it('has the data sources of each DAO, LPT by the Vault of the same, without what a DAO has not', () => {
    const second = { 'Voting.second': contract(22), 'Vault.second': contract(52), 'LPT.second': contract(72) }
    const third = { 'Voting.third-dao': contract(23, { voteTime: '1' }), 'TDT.third-dao': contract(43) }
    const fourth = { 'Vault.4': contract(54) }
    const written = write({ ...first, LPT: contract(70), ...second, ...third, ...fourth, LivepeerToken: contract(77) })
    expect(written.map(({ name, source: { address } }) => [name, address])).toEqual([
      ['Voting', at(20)],
      ['Voting.second', at(22)],
      ['Voting.third-dao', at(23)],
      ['TokenManager', at(30)],
      ['TDT', at(40)],
      ['TDT.third-dao', at(43)],
      ['Vault', at(50)],
      ['Vault.second', at(52)],
      ['Vault.4', at(54)],
      ['Finance', at(60)],
      ['LPT', at(70)],
      ['LPT.second', at(72)],
      ['LPT.4', at(70)],
    ])
    expect(written.find(({ name }) => name === 'Voting.third-dao')?.context).toEqual({
      voteTime: { type: 'BigInt', data: '1' },
      token: { type: 'Bytes', data: at(43) },
    })
    expect(written.find(({ name }) => name === 'Voting.second')?.mapping.file).toBe('Voting/Voting.wasm')
    const vaults = written
      .filter(({ name }) => name.startsWith('LPT'))
      .map(({ mapping }) => mapping.eventHandlers?.map(({ topic1, topic2 }) => [topic1, topic2]))
    expect(vaults).toEqual(
      [50, 52, 54].map((digit) => [
        [[at(digit)], undefined],
        [undefined, [at(digit)]],
      ]),
    )
  })

  it("has LivepeerToken where there is no LPT of the DAO's own", () => {
    const written = write({ 'Vault.b': contract(50), LivepeerToken: contract(77) })
    expect(written.map(({ name, source: { address } }) => [name, address])).toEqual([
      ['Vault.b', at(50)],
      ['LPT.b', at(77)],
    ])
  })

  it('tells nothing to the subgraph of another network', () => {
    const other = networkManifest(manifest.replaceAll('network: mainnet', 'network: arbitrum-one'), 'devnet', first)
    expect(other).not.toContain('context')
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
    write('subgraph.mainnet.yaml', sources('Voting', 'Vault'))
    expect(choose('Voting', 'Voting.b', 'Vault.b')).toEqual({
      manifest: 'subgraph.mainnet.yaml',
      included: ['Voting', 'Voting.b', 'Vault.b'],
      leftOut: ['Vault'],
    })
    expect(choose('A')).toMatchObject({ manifest: 'subgraph.yaml' })
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
