import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { ChainSource } from '../../api/facts/chain-head.ts'
import { endpointOf, hostOf, isHttpUrl, withoutSecrets } from '../../api/facts/rpc.ts'
import { postJson } from '../../stack/graph-node.ts'

let server: Server | undefined
afterEach(() => server?.close())

/** An RPC that answers only who has this name and password, which have what a URL must not. */
async function guardedRpc(): Promise<string> {
  const wanted = `Basic ${Buffer.from('me@home:p:ä/ss').toString('base64')}`
  server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const isAllowed = request.headers.authorization === wanted && request.url === '/v2?key=1'
    response.writeHead(isAllowed ? 200 : 401, { 'content-type': 'application/json' })
    const { id, method } = JSON.parse(text)
    const block = { number: '0x10', timestamp: '0x20', hash: `0x${'1'.repeat(64)}`, transactions: [] }
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: method === 'eth_getBlockByNumber' ? block : '0x10' }))
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://me%40home:p%3A%C3%A4%2Fss@127.0.0.1:${(server.address() as AddressInfo).port}/v2?key=1`
}

test('a user and password of a URL are sent as basic authorization, and are no part of the address', async () => {
  const url = await guardedRpc()
  const deployment = async () => 'QmDeployed'
  const request = { jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] }
  expect(await postJson(url, request)).toMatchObject({ result: '0x10' })
  expect(await new ChainSource({ network: 'mainnet', rpcUrl: url }).latest(deployment)).toMatchObject({
    block: 16,
    timestamp: 32,
  })
  expect(await new ChainSource({ network: 'mainnet', rpcUrl: url.replace('p%3A', 'q') }).latest(deployment)).toBeNull()
})

test.each([
  ['https://rpc.example/v3/key?x=1', 'https://rpc.example/v3/key?x=1', {}],
  ['https://me@rpc.example/', 'https://rpc.example/', { authorization: 'Basic bWU6' }],
  ['https://me:secret@rpc.example:8443/a', 'https://rpc.example:8443/a', { authorization: 'Basic bWU6c2VjcmV0' }],
])('%s', (text, url, headers) => {
  expect(endpointOf(text)).toEqual({ url, headers })
})

test('of what is told nothing is a key or a password', () => {
  expect(hostOf('https://me:secret@rpc.example:8443/v3/key?x=1')).toBe('rpc.example:8443')
  expect(hostOf('key')).toBe('what is no URL')
  expect(() => endpointOf('key')).toThrow(new TypeError('not a URL'))
})

test.each([
  ['http://127.0.0.1:8000', true],
  ['https://me:secret@rpc.example/key', true],
  ['localhost:8000', false],
  ['key:8000:', false],
  ['ipfs://x', false],
  ['', false],
])('%s is asked by HTTP: %s', (text, isOne) => {
  expect(isHttpUrl(text)).toBe(isOne)
})

test.each([
  ['auth error: malformed API key deadbeefdeadbeef', 'auth error: malformed API key …'],
  ['Bearer deadbeefdeadbeef is none', '… is none'],
  ['no https://me:secret@other.example/x?key=1 here', 'no other.example here'],
  ['path-key-0123 and password1 and query-key-9', '… and … and …'],
  ['two\n\u001b[31mlines\t', 'two [31mlines'],
  ['x'.repeat(1000), 'x'.repeat(300)],
])('of %j, said by whom one asked, the log has a line without what was asked with', (told, line) => {
  const url = 'https://me:password1@gateway.example/api/path-key-0123/subgraphs/id/1?key=query-key-9'
  expect(withoutSecrets(told, url, { authorization: 'Bearer deadbeefdeadbeef' })).toBe(line)
})
