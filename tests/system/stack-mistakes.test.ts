import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeFolder, processesOf, SMALL_TRACE, StackCommand, writeTrace } from './stack-command.ts'

/** Where the stacks put what is temporary: one place for all, as tsx keeps its cache there too. */
const temporary = makeFolder()
const address = '0x35Bcf3c30594191d53231E4FF333E8A770453e40'
/** Where nothing listens. */
const NOBODY = 'http://127.0.0.1:65534'
/** Never told, whatever is wrong. */
const SECRET = 's3cret-s3cret'
/** Answers as an RPC of chain 5, and takes up a port. */
let otherChain: Server
let port = 0

beforeAll(async () => {
  otherChain = createServer(({ url }, response) => {
    const refusal = JSON.stringify({ errors: [{ message: `auth error: no API key ${SECRET}` }] })
    const isRefused = url?.startsWith('/refused') ?? false
    response.setHeader('content-type', 'application/json')
    response.end(isRefused ? refusal : '{"jsonrpc":"2.0","id":1,"result":"0x5"}')
  })
  await new Promise<void>((resolve) => otherChain.listen(0, '127.0.0.1', resolve))
  port = (otherChain.address() as AddressInfo).port
})

afterAll(() => {
  otherChain.close()
  rmSync(temporary, { recursive: true })
})

function networksFile(folder: string, content: unknown): string {
  const file = join(folder, 'networks.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

const real = (...more: string[]) => ['--network', 'arbitrum-one', ...more]
const withNetworks = (folder: string, content: unknown) =>
  real('--rpc', `http://127.0.0.1:${port}`, '--networks-file', networksFile(folder, content))

const hosted = ['--subgraph', `mainnet=http://me:${SECRET}@127.0.0.1:65534/api/${SECRET}/subgraphs/id/1`]
const header = (name: string, value: string) => ['--subgraph-header', `${name}${value}`]

/** What is wrong, the arguments given a folder of the test's own, and the line that tells it. */
const mistakes: [string, (folder: string) => string[], RegExp][] = [
  ['a port in use', () => ['--trace', SMALL_TRACE, '--port', String(port)], /^port \d+ is in use/],
  ['a port that is none', () => ['--port', '70000'], /--port .*'70000' is invalid/],
  [
    'an IPFS gateway that is none beside one',
    () => ['--ipfs-gateway', 'https://ipfs.io', '--ipfs-gateway', 'https://dweb.link,ipfs://x'],
    /--ipfs-gateway .*is invalid\. It is no http or https URL/,
  ],
  ...['true', '1', '203.0.113.7:51001', '10.0.0.0/33', 'loopback,'].map((value): [string, () => string[], RegExp] => [
    `${value} as proxies to trust`,
    () => ['--trust-proxy', value],
    /--trust-proxy .*is invalid\. It must be addresses/,
  ]),
  ['a network without an RPC', () => real(), /^network arbitrum-one needs an RPC/],
  ['an RPC without a network', () => ['--rpc', NOBODY], /needs a network/],
  [
    'an RPC that does not answer',
    () => real('--rpc', NOBODY),
    /^arbitrum-one: the RPC at 127\.0\.0\.1:65534 does not answer \(.*ECONNREFUSED/,
  ],
  [
    'an RPC that does not answer, its network named with it alone',
    () => ['--rpc', `mainnet=${NOBODY}`, '--rpc', `arbitrum-one=${NOBODY}`],
    /^mainnet: the RPC at 127\.0\.0\.1:65534 does not answer \(.*ECONNREFUSED/,
  ],
  [
    'an RPC without a network beside one with',
    () => ['--rpc', `mainnet=${NOBODY}`, '--rpc', NOBODY],
    /needs a network/,
  ],
  ['an RPC of another chain', () => real('--rpc', `http://127.0.0.1:${port}`), /is of chain 5, not 42161/],
  [
    'a network nobody knows',
    () => ['--network', 'moon', '--rpc', `http://127.0.0.1:${port}`],
    /no network moon, there are: arbitrum-one, mainnet, recorded/,
  ],
  [
    'a networks file that is not there',
    () => real('--rpc', NOBODY, '--networks-file', 'none.json'),
    /none\.json.*ENOENT/,
  ],
  ['a networks file that is not JSON', (folder) => withNetworks(folder, '{'), /networks file .*JSON/],
  [
    'a bad address',
    (folder) => withNetworks(folder, { 'arbitrum-one': { BondingManager: { address: '0x12', startBlock: 1 } } }),
    /BondingManager of arbitrum-one has a bad address: "0x12"/,
  ],
  [
    'a bad start block',
    (folder) => withNetworks(folder, { 'arbitrum-one': { BondingManager: { address, startBlock: -1 } } }),
    /bad startBlock: -1/,
  ],
  [
    'a setting of a DAO that is no whole number',
    (folder) => withNetworks(folder, { 'arbitrum-one': { Voting: { address, context: { voteTime: '7 days' } } } }),
    /Voting of arbitrum-one has a bad voteTime in its context: "7 days"/,
  ],
  [
    'no contract of the subgraph',
    (folder) => ['--trace', writeTrace(folder, 'none.gz', () => ({ contracts: {} }))],
    /no contract of the subgraph is known on recorded/,
  ],
  [
    'a trace that is not there',
    (folder) => ['--trace', join(folder, 'none.jsonl.gz')],
    /trace .*none\.jsonl\.gz.*ENOENT/,
  ],
  ['a trace that is none', () => ['--trace', import.meta.filename], /trace .*line 1: /],
  [
    'a graph-node that does not answer',
    () => ['--graph-node', NOBODY],
    /^the subgraph of recorded(-2)? at .* does not answer/,
  ],
  [
    'a graph-node with a password and a key that does not answer',
    () => ['--graph-node', `http://me:${SECRET}@127.0.0.1:65534/${SECRET}`],
    /^the subgraph of recorded(-2)? at 127\.0\.0\.1:65534 does not answer: .*ECONNREFUSED/,
  ],
  ['a graph-node that is no URL', () => ['--graph-node', `${SECRET}:8000:`], /--graph-node is not a URL/],
  [
    'an RPC with a password and a key that does not answer',
    () => real('--rpc', `http://me:${SECRET}@127.0.0.1:65534/v2/${SECRET}?key=${SECRET}`),
    /^arbitrum-one: the RPC at 127\.0\.0\.1:65534 does not answer \(.*ECONNREFUSED/,
  ],
  ['an RPC that is a key only', () => real('--rpc', SECRET), /--rpc of arbitrum-one is not a URL/],
  ['an RPC with a key without a network', () => ['--rpc', `${NOBODY}/${SECRET}`], /needs a network/],
  [
    'a subgraph that refuses, and says with what',
    () => ['--subgraph', `mainnet=http://127.0.0.1:${port}/refused/${SECRET}`, ...header('X-Key: ', SECRET)],
    /^the subgraph of mainnet at 127\.0\.0\.1:\d+ does not answer: auth error: no API key …$/,
  ],
  [
    'a header that cannot be sent',
    () => [...hosted, ...header('X-Key: \u2713', SECRET)],
    /--subgraph-header is none that can be sent/,
  ],
  [
    'an RPC of another chain beside a subgraph',
    () => [...hosted, '--rpc', `mainnet=http://127.0.0.1:${port}`],
    /is of chain 5, not 1/,
  ],
  ['the API alone without a subgraph', () => ['--alone'], /the API alone needs the subgraph of others/],
  [
    'a host that is another machine',
    () => ['--trace', SMALL_TRACE, '--host', '192.0.2.1'],
    /^192\.0\.2\.1 is no address of this machine/,
  ],
]

it.concurrent.each(mistakes)('%s: one clear line, exit code 1', async (_, args, message) => {
  const folder = makeFolder()
  const command = new StackCommand(temporary, ['--port', '0', ...args(folder)])
  expect(await command.exited).toBe(1)
  expect(command.stderr.trimEnd()).toMatch(message)
  expect(command.stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(command.stderr + command.lines.join()).not.toContain(SECRET)
  rmSync(folder, { recursive: true })
})

it('leaves no process and no folder of any of them', () => {
  expect(processesOf(temporary)).toEqual([])
  expect(readdirSync(temporary).filter((name) => name.startsWith('livepeer-governance-'))).toEqual([])
})
