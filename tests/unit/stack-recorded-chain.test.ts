import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { answerAt, RecordedChain, readRecordedCalls, respond, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { readTrace, TraceError } from '../../stack/trace.ts'

const folder = mkdtempSync(join(tmpdir(), 'recorded-chain-'))
afterAll(() => rmSync(folder, { recursive: true }))

const word = (digits: string) => `0x${digits.padStart(64, '0')}`
const address = (digits: string) => `0x${digits.padStart(40, '0')}`
const log = (transaction: number, logIndex: number, contract: string, ...topics: string[]) => ({
  address: address(contract),
  topics: topics.map(word),
  data: '0x01',
  transactionHash: word(`f${transaction}`),
  transactionIndex: transaction,
  logIndex,
  from: address('99'),
})
const header = {
  type: 'header',
  format: 1,
  chainId: 31337,
  contracts: { Voting: '0x00000000000000000000000000000000000000AA' },
  parameters: { roundLength: 10, voteTime: 604800, numActiveTranscoders: '4', inflation: 'x' },
  lastBlock: 30,
  lastTimestamp: 1300,
}
const blocks = [
  { number: 10, hash: word('b10'), parentHash: word('0'), timestamp: 1000, logs: [log(1, 0, 'aa', '1', '2')] },
  {
    number: 20,
    hash: word('b20'),
    parentHash: word('0'),
    timestamp: 1105,
    logs: [log(2, 0, 'aa', '1', '3'), log(2, 1, 'bb', '4'), log(4, 2, 'aa', '5')],
  },
  { number: 25, hash: word('b25'), parentHash: word('0'), timestamp: 1200, logs: [log(5, 0, 'cc', '1', '2', '7')] },
]

let files = 0
function traceFile(lines: unknown[], change = (bytes: Buffer) => bytes): string {
  const file = join(folder, `${files++}.jsonl.gz`)
  writeFileSync(
    file,
    change(gzipSync(lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))),
  )
  return file
}

async function chain(changes: object = {}): Promise<RecordedChain> {
  return new RecordedChain(await readTrace(traceFile([{ ...header, ...changes }, ...blocks])))
}

interface BlockJson {
  number: string
  hash: string
  parentHash: string
  timestamp: string
  transactions: unknown[]
}
const blockOf = (of: RecordedChain, number: number) =>
  of.call('eth_getBlockByNumber', [`0x${number.toString(16)}`, false]) as BlockJson
const logsOf = (of: RecordedChain, filter: object) =>
  (of.call('eth_getLogs', [filter]) as { blockNumber: string; logIndex: string }[]).map(
    (found) => `${Number(found.blockNumber)}:${Number(found.logIndex)}`,
  )

describe('a trace', () => {
  it('tells what its header says, addresses in lower case', async () => {
    const trace = await readTrace(traceFile([header, ...blocks]))
    expect(trace.header).toEqual({
      chainId: 31337,
      contracts: { Voting: address('aa') },
      lastBlock: 30,
      lastTimestamp: 1300,
      firstBlock: undefined,
      roundLength: 10,
      context: { voteTime: '604800', numActiveTranscoders: '4' },
      network: undefined,
    })
    expect([trace.firstBlock, trace.lastBlock]).toEqual([10, 30])
  })

  it('needs neither type, format nor parameters in its header, and starts where they say', async () => {
    const { chainId, contracts, lastBlock } = header
    expect((await readTrace(traceFile([{ chainId, contracts, lastBlock }, ...blocks]))).header.roundLength).toBe(
      undefined,
    )
    const parameters = { firstBlock: 7 }
    expect((await readTrace(traceFile([{ ...header, parameters }, ...blocks]))).firstBlock).toBe(7)
  })

  it('may be plain text, with empty lines', async () => {
    const file = join(folder, 'plain.jsonl')
    writeFileSync(file, `${JSON.stringify(header)}\n\n${JSON.stringify(blocks[0])}\n`)
    expect((await readTrace(file)).block(10)?.logs).toHaveLength(1)
  })

  it('keeps its identity when it is cut, and only then', async () => {
    const [whole, cut, other] = await Promise.all([chain(), chain({ lastBlock: 22 }), chain({ chainId: 5 })])
    expect(cut.trace.identity).toBe(whole.trace.identity)
    expect(other.trace.identity).not.toBe(whole.trace.identity)
  })

  const bad: [string, () => string, RegExp][] = [
    ['a file that is not there', () => join(folder, 'none.gz'), /none\.gz.*ENOENT/],
    ['an empty file', () => traceFile([]), /empty/],
    ['something that is not gzip', () => traceFile([header], () => Buffer.from('hello')), /incorrect header check/],
    ['a file cut off', () => traceFile([header, ...blocks], (bytes) => bytes.subarray(0, -20)), /unexpected end/],
    ['a line that is not JSON', () => traceFile([header, '{']), /line 2/],
    [
      'a last block graph-node cannot tell',
      () => traceFile([{ ...header, lastBlock: 2 ** 31 }]),
      /lastBlock .* up to 2147483647/,
    ],
    ['a header without lastBlock', () => traceFile([{ ...header, lastBlock: undefined }]), /line 1: lastBlock/],
    ['a header with a bad address', () => traceFile([{ ...header, contracts: { A: '0x1' } }]), /address of A/],
    ['blocks out of order', () => traceFile([header, blocks[1], blocks[0]]), /line 3: blocks are not in order/],
    ['time running backwards', () => traceFile([header, blocks[0], { ...blocks[1], timestamp: 1 }]), /backwards/],
    [
      'a log with a bad topic',
      () => traceFile([header, { ...blocks[0], logs: [{ ...log(1, 0, 'a'), topics: ['x'] }] }]),
      /a topic/,
    ],
  ]
  it.each(bad)('refuses %s', async (_, file, message) => {
    const error: unknown = await readTrace(file()).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TraceError)
    expect((error as TraceError).message).toMatch(message)
    expect((error as TraceError).message.split('\n')).toHaveLength(1)
  })
})

describe('blocks', () => {
  it('form one chain from 0 to the last, recorded ones under their own hash, and are found by hash', async () => {
    const recorded = await chain()
    let previous = { hash: word('0'), timestamp: '0x0' }
    for (let number = 0; number <= 30; number++) {
      const block = blockOf(recorded, number)
      expect(block.parentHash).toBe(previous.hash)
      expect(Number(block.timestamp)).toBeGreaterThanOrEqual(Number(previous.timestamp))
      expect(recorded.call('eth_getBlockByHash', [block.hash, false])).toEqual(block)
      previous = block
    }
    expect(blockOf(recorded, 20).hash).toBe(word('b20'))
    expect(recorded.call('eth_getBlockByNumber', ['0x1f', false])).toBeNull()
    expect(recorded.call('eth_getBlockByHash', [word('123'), false])).toBeNull()
    expect(recorded.call('eth_blockNumber', [])).toBe('0x1e')
    expect(recorded.call('eth_getBlockByNumber', ['latest', false])).toEqual(previous)
    expect(recorded.call('eth_getBlockByNumber', ['earliest', false])).toEqual(blockOf(recorded, 0))
  })

  it('in gaps have times between their neighbours, the last one that of the header', async () => {
    const recorded = await chain()
    expect([9, 12, 15, 26, 30].map((number) => Number(blockOf(recorded, number).timestamp))).toEqual([
      999, 1021, 1052, 1220, 1300,
    ])
  })

  it('hold transactions with their senders when asked for', async () => {
    const recorded = await chain()
    expect(blockOf(recorded, 20).transactions).toEqual([word('f2'), word('f4')])
    const full = recorded.call('eth_getBlockByNumber', ['0x14', true]) as BlockJson
    expect(full.transactions).toMatchObject([
      { hash: word('f2'), from: address('99'), transactionIndex: '0x2', blockNumber: '0x14' },
      { hash: word('f4'), transactionIndex: '0x4' },
    ])
  })

  it('beyond a lowered lastBlock do not exist, and change nothing before it', async () => {
    const [whole, cut] = await Promise.all([chain(), chain({ lastBlock: 22 })])
    for (let number = 0; number <= 22; number++) expect(blockOf(cut, number)).toEqual(blockOf(whole, number))
    expect(cut.call('eth_blockNumber', [])).toBe('0x16')
    expect(cut.call('eth_getBlockByNumber', ['0x19', false])).toBeNull()
    expect(cut.call('eth_getBlockByHash', [word('b25'), false])).toBeNull()
    expect(cut.call('eth_getTransactionReceipt', [word('f5')])).toBeNull()
    expect(logsOf(cut, { fromBlock: '0x0', toBlock: '0xff' })).toEqual(['10:0', '20:0', '20:1', '20:2'])
  })

  it('at a lowered lastBlock take the time of the header when it fits', async () => {
    const cut = await chain({ lastBlock: 22, lastTimestamp: 1110 })
    expect(Number(blockOf(cut, 22).timestamp)).toBe(1110)
    expect(Number(blockOf(cut, 21).timestamp)).toBe(1107)
    const atLogs = await chain({ lastBlock: 20, lastTimestamp: 1110 })
    expect(Number(blockOf(atLogs, 20).timestamp)).toBe(1105)
  })
})

describe('logs', () => {
  const all = { fromBlock: '0x0', toBlock: 'latest' }
  const cases: [string, object, string[]][] = [
    ['all', all, ['10:0', '20:0', '20:1', '20:2', '25:0']],
    ['of a range', { fromBlock: '0xb', toBlock: '0x14' }, ['20:0', '20:1', '20:2']],
    ['of the last block by default', {}, []],
    ['of one contract', { ...all, address: address('AA') }, ['10:0', '20:0', '20:2']],
    ['of several contracts', { ...all, address: [address('bb'), address('cc')] }, ['20:1', '25:0']],
    ['with a first topic', { ...all, topics: [word('1')] }, ['10:0', '20:0', '25:0']],
    ['with one of several', { ...all, topics: [[word('4'), word('5')]] }, ['20:1', '20:2']],
    ['with any first and a certain second', { ...all, topics: [null, [word('2')]] }, ['10:0', '25:0']],
    ['with at least three topics', { ...all, topics: [null, null, null] }, ['25:0']],
    ['of a contract and topic', { ...all, address: [address('aa')], topics: [[word('1')], word('3')] }, ['20:0']],
    ['of a block by hash', { blockHash: word('b25') }, ['25:0']],
  ]
  it.each(cases)('%s', async (_, filter, expected) => {
    expect(logsOf(await chain(), filter)).toEqual(expected)
  })

  it('come in receipts by transaction', async () => {
    const recorded = await chain()
    const byHash = recorded.call('eth_getBlockReceipts', [word('b20')]) as { logs: unknown[] }[]
    expect(byHash).toMatchObject([{ transactionHash: word('f2'), status: '0x1' }, { transactionHash: word('f4') }])
    expect(byHash.map(({ logs }) => logs.length)).toEqual([2, 1])
    expect(recorded.call('eth_getBlockReceipts', ['0x14'])).toEqual(byHash)
    expect(recorded.call('eth_getBlockReceipts', [{ blockHash: word('b20') }])).toEqual(byHash)
    expect(recorded.call('eth_getTransactionReceipt', [word('f4')])).toEqual(byHash[1])
    expect(recorded.call('eth_getTransactionReceipt', [word('f9')])).toBeNull()
    expect(recorded.call('eth_getBlockReceipts', ['0x15'])).toEqual([])
  })
})

describe('contract calls', () => {
  const calls = {
    format: 1,
    blocks: [10, 20, 25],
    calls: {
      [address('aa')]: {
        '0x01': [
          [0, '0x0a'],
          [2, null],
        ] as [number, string | null][],
        '0x02': [
          [1, '0x0b'],
          [2, '-'],
        ] as [number, string | null][],
      },
    },
  }

  it('revert where no answers were recorded', async () => {
    const recorded = await chain()
    const request = { id: 1, method: 'eth_call', params: [{ to: address('aa'), data: '0x01' }, 'latest'] }
    expect(JSON.parse(respond(recorded, JSON.stringify(request))).error).toEqual({
      code: 3,
      message: 'execution reverted',
    })
  })

  it('are answered from the file beside the trace, as of the block asked for', async () => {
    const trace = traceFile([header, ...blocks])
    expect(await readRecordedCalls(trace)).toBeUndefined()
    writeFileSync(join(folder, 'calls.json.gz'), gzipSync(JSON.stringify(calls)))
    const recorded = new RecordedChain(await readTrace(trace), await readRecordedCalls(trace))
    rmSync(join(folder, 'calls.json.gz'))
    const call = (data: string, block: string) =>
      recorded.call('eth_call', [{ to: address('AA'), input: data }, block]) as string
    expect(call('0x01', '0xa')).toBe('0x0a')
    expect(call('0x01', '0x18')).toBe('0x0a')
    expect(() => call('0x01', '0x19')).toThrow('execution reverted')
    expect(call('0x02', '0x14')).toBe('0x0b')
    expect(() => call('0x02', '0x9')).toThrow('not recorded')
    expect(() => call('0x02', '0x19')).toThrow('not recorded')
    expect(() => call('0x03', '0x19')).toThrow('not recorded')
    expect(recorded.call('eth_call', [{ to: address('AA'), input: '0x02' }, { blockHash: word('b20') }])).toBe('0x0b')
  })

  it('revert for a contract of which nothing was recorded', () => {
    expect(answerAt(calls, address('ab'), '0x01', 12)).toBeNull()
  })

  it('hold from the block of their entry to that of the next', () => {
    expect([9, 10, 24, 25].map((block) => answerAt(calls, address('aa'), '0x01', block))).toEqual([
      undefined,
      '0x0a',
      '0x0a',
      null,
    ])
  })
})

describe('requests', () => {
  const errorOf = async (body: string) =>
    (JSON.parse(respond(await chain(), body)) as { error: { code: number } }).error.code
  const malformed: [string, string, number][] = [
    ['no JSON', '{', -32700],
    ['nothing', '', -32700],
    ['a number', '5', -32600],
    ['null', 'null', -32600],
    ['an empty batch', '[]', -32600],
    ['no method', '{"id":1}', -32600],
    ['params that are no list', '{"id":1,"method":"eth_getLogs","params":{}}', -32602],
    ['an unknown method', '{"id":1,"method":"eth_mine"}', -32601],
    ['a bad block number', '{"id":1,"method":"eth_getBlockByNumber","params":["ten"]}', -32602],
    ['a bad hash', '{"id":1,"method":"eth_getBlockByHash","params":[7]}', -32602],
    ['no filter', '{"id":1,"method":"eth_getLogs","params":[]}', -32602],
    ['a bad topic', '{"id":1,"method":"eth_getLogs","params":[{"topics":["0x"]}]}', -32602],
    ['topics that are no list', '{"id":1,"method":"eth_getLogs","params":[{"topics":1}]}', -32602],
    ['a bad address', '{"id":1,"method":"eth_getLogs","params":[{"address":["0x"]}]}', -32602],
    ['an unknown block', `{"id":1,"method":"eth_getLogs","params":[{"blockHash":"${word('1')}"}]}`, -32000],
    ['no call', '{"id":1,"method":"eth_call","params":[]}', -32602],
    ['a call of a block that is not there', `{"id":1,"method":"eth_call","params":[{"to":"0x"},"0xff"]}`, -32000],
  ]
  it.each(malformed)('with %s are answered with an error', async (_, body, code) => {
    expect(await errorOf(body)).toBe(code)
  })

  it('of a batch are answered one by one, in order', async () => {
    const batch = [{ id: 'a', method: 'eth_chainId' }, 7, { id: 2, method: 'net_version', params: [] }]
    expect(JSON.parse(respond(await chain(), JSON.stringify(batch)))).toEqual([
      { jsonrpc: '2.0', id: 'a', result: '0x7a69' },
      { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'the request is not an object' } },
      { jsonrpc: '2.0', id: 2, result: '31337' },
    ])
  })

  it('come over HTTP, each chain at its own path, with what graph-node asks of IPFS', async () => {
    const server = await serveRecordedChains(
      new Map([
        ['one', await chain()],
        ['two', await chain({ chainId: 2 })],
      ]),
    )
    try {
      const post = (path: string, body: string) => fetch(`${server.url}${path}`, { method: 'POST', body })
      const chainId = '{"id":1,"method":"eth_chainId"}'
      expect(await (await post('/one', chainId)).json()).toMatchObject({ result: '0x7a69' })
      expect(await (await post('/two', chainId)).json()).toMatchObject({ result: '0x2' })
      expect((await post('/three', chainId)).status).toBe(404)
      expect((await post('/%E0%A4', chainId)).status).toBe(404)
      expect((await post('/api/v0/version', '')).status).toBe(200)
      expect(new URL(server.url).hostname).toBe('127.0.0.1')
    } finally {
      await server.close()
    }
  })
})
