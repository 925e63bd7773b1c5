import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { PollTexts, type PollTextsOptions } from '../../api/texts/poll-text.ts'

/** A CID of each version. */
const CID_V0 = 'QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n'
const CID_V1 = 'bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
const LIP = '---\nlip: 16\ntitle: Delegator Vote Override\n---\n# Heading\n'
const LIP_TEXT = { title: 'Delegator Vote Override', text: LIP }
const PATIENCE = 10_000

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let base: string
let paths: string[]
let answer: Answer
let failures: string[]
let close: () => Promise<void>

beforeEach(async () => {
  paths = []
  failures = []
  answer = (_, response) => response.end(JSON.stringify({ gitCommitHash: 'a'.repeat(40), text: LIP }))
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  close = () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
})

afterEach(() => close())

function pollTexts(options: PollTextsOptions = {}, gateway: string | undefined = base): PollTexts {
  return new PollTexts(gateway, { onFailure: (message) => failures.push(message), ...options })
}

/** A CID for each number. */
function numbered(n: number): string {
  return CID.createV1(0x55, identity.digest(new TextEncoder().encode(`poll ${n}`))).toString()
}

describe('a text that is there', () => {
  test('is found once it has been fetched, and fetched once', async () => {
    const texts = pollTexts()
    expect(texts.find(CID_V0)).toBeUndefined()
    expect(texts.find(CID_V0)).toBeUndefined()
    const both = await Promise.all([texts.ready(CID_V0, PATIENCE), texts.ready(CID_V0, PATIENCE)])
    expect(both).toEqual([LIP_TEXT, LIP_TEXT])
    expect(texts.find(CID_V0)).toEqual(LIP_TEXT)
    expect(await texts.ready(CID_V0, 0)).toEqual(LIP_TEXT)
    expect(paths).toEqual([`/ipfs/${CID_V0}`])
    expect(failures).toEqual([])
  })

  test.each([
    ['Markdown', LIP, LIP_TEXT],
    ['JSON without a text', '{"title":"x"}', { title: '{"title":"x"}', text: '{"title":"x"}' }],
    ['JSON with a text that is none', '{"text":1}', { title: '{"text":1}', text: '{"text":1}' }],
    ['JSON that is no object', 'null', { title: 'null', text: 'null' }],
    ['JSON cut off', '{"text":"# A', { title: '{"text":"# A', text: '{"text":"# A' }],
    ['without a title', '{"text":"<!-- -->"}', { title: null, text: '<!-- -->' }],
    ['nothing', '', { title: null, text: '' }],
  ])('%s', async (_, body, text) => {
    answer = (_request, response) => response.setHeader('content-type', 'image/png').end(body)
    expect(await pollTexts().ready(CID_V1, PATIENCE)).toEqual(text)
  })

  test('a character cut in two by the network', async () => {
    const bytes = Buffer.from('# é')
    answer = (_, response) => {
      response.write(bytes.subarray(0, 3))
      setTimeout(() => response.end(bytes.subarray(3)), 20)
    }
    expect(await pollTexts().ready(CID_V0, PATIENCE)).toEqual({ title: 'é', text: '# é' })
  })

  test.each([
    ['', '/'],
    ['/', '/'],
    ['/ipfs', '/'],
    ['/ipfs/', '/'],
    ['/gateway', '/gateway/'],
  ])('from a gateway at "%s"', async (path, prefix) => {
    await pollTexts({}, `${base}${path}`).ready(CID_V0, PATIENCE)
    expect(paths).toEqual([`${prefix}ipfs/${CID_V0}`])
  })

  test('from a gateway with an access token', async () => {
    await pollTexts({}, `${base}/?token=a`).ready(CID_V0, PATIENCE)
    expect(paths).toEqual([`/ipfs/${CID_V0}?token=a`])
  })
})

describe('a text that is not', () => {
  const ofBytes =
    (bytes: number): Answer =>
    (_, response) =>
      response.end('a'.repeat(bytes))

  test.each<[string, Answer, RegExp]>([
    ['an error', (_, response) => response.writeHead(500).end(LIP), /it answered 500/],
    ['not found', (_, response) => response.writeHead(404).end(), /it answered 404/],
    ['too big', ofBytes(1001), /more than 1000 bytes/],
    [
      'too big when unpacked',
      (_, r) => r.setHeader('content-encoding', 'gzip').end(gzipSync('a'.repeat(10 ** 6))),
      /1000 bytes/,
    ],
    ['garbage', (_, response) => response.end(Buffer.from([0x23, 0x20, 0xff, 0xfe, 0x00])), /utf-8/],
    [
      'cut off',
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('# A')
        setTimeout(() => response.destroy(), 20)
      },
      /terminated/,
    ],
    ['no answer', (request) => request.destroy(), /fetch failed/],
    ['slow', () => {}, /timeout/],
    ['slow to end', (_, response) => response.write('# A'), /timeout/],
    ['a redirect without a target', (_, response) => response.writeHead(302).end(), /it answered 302/],
    ['a redirect in circles', (request, r) => r.writeHead(302, { location: request.url }).end(), /without end/],
    [
      'a redirect elsewhere',
      (_, r) => r.writeHead(301, { location: 'http://localhost:1/' }).end(),
      /redirects to http:\/\/localhost:1$/,
    ],
    ['a redirect to a file', (_, r) => r.writeHead(301, { location: 'file:///etc/hostname' }).end(), /redirects to/],
  ])('%s', async (_, answerOnce, message) => {
    answer = answerOnce
    const texts = pollTexts({ maxBytes: 1000, timeoutMs: /timeout/.test(message.source) ? 300 : PATIENCE })
    expect(await texts.ready(CID_V0, PATIENCE)).toBeUndefined()
    expect(texts.find(CID_V0)).toBeUndefined()
    expect(failures).toEqual([expect.stringMatching(message)])
    expect(failures[0]).toContain(`No text of the poll ${CID_V0} from ${base.slice('http://'.length)}: `)
  })

  test('the longest that is taken', async () => {
    answer = ofBytes(1000)
    expect((await pollTexts({ maxBytes: 1000 }).ready(CID_V0, PATIENCE))?.text).toHaveLength(1000)
  })

  test('one without end is not read to its end', async () => {
    let isClosed = false
    answer = (_, response) => {
      const writing = setInterval(() => response.write('a'.repeat(1000)), 1)
      response.on('close', () => {
        clearInterval(writing)
        isClosed = true
      })
    }
    expect(await pollTexts({ maxBytes: 5000 }).ready(CID_V0, PATIENCE)).toBeUndefined()
    await vi.waitFor(() => expect(isClosed).toBe(true))
  })

  test('no gateway at all', async () => {
    const texts = new PollTexts(undefined)
    expect(texts.find(CID_V0)).toBeUndefined()
    expect(await texts.ready(CID_V0, PATIENCE)).toBeUndefined()
  })

  test('one who is told of it cannot break it', async () => {
    answer = (_, response) => response.writeHead(500).end()
    const onFailure = () => {
      throw new Error('no')
    }
    expect(await pollTexts({ onFailure }).ready(CID_V0, PATIENCE)).toBeUndefined()
  })
})

test('a redirect within the gateway is followed', async () => {
  answer = (request, response) => {
    if (request.url?.startsWith('/ipfs/')) response.writeHead(307, { location: `/moved${request.url}` }).end('no text')
    else response.end(LIP)
  }
  expect(await pollTexts().ready(CID_V0, PATIENCE)).toEqual(LIP_TEXT)
  expect(paths).toEqual([`/ipfs/${CID_V0}`, `/moved/ipfs/${CID_V0}`])
})

test('a failure is remembered, and the text asked for again later', async () => {
  const good = answer
  answer = (_, response) => response.writeHead(504).end()
  const texts = pollTexts({ retryAfterMs: 300 })
  expect(await texts.ready(CID_V0, PATIENCE)).toBeUndefined()
  answer = good
  expect(await texts.ready(CID_V0, PATIENCE)).toBeUndefined()
  expect(paths).toHaveLength(1)
  expect(await vi.waitUntil(() => texts.find(CID_V0), { timeout: PATIENCE })).toEqual(LIP_TEXT)
  expect(paths).toHaveLength(2)
})

test('patience ends before a fetch does, which goes on', async () => {
  let respond = () => {}
  answer = (_, response) => {
    respond = () => response.end(LIP)
  }
  const texts = pollTexts()
  const start = performance.now()
  expect(await texts.ready(CID_V0, 50)).toBeUndefined()
  expect(await texts.ready(CID_V0, 0)).toBeUndefined()
  expect(await texts.ready(CID_V0, -1)).toBeUndefined()
  expect(await texts.ready(CID_V0, Number.NaN)).toBeUndefined()
  expect(performance.now() - start).toBeLessThan(2000)
  await vi.waitFor(() => expect(paths).toHaveLength(1))
  respond()
  expect(await texts.ready(CID_V0, Number.POSITIVE_INFINITY)).toEqual(LIP_TEXT)
})

test('no more than so many fetches at once', async () => {
  let open = 0
  let most = 0
  answer = (_, response) => {
    open += 1
    most = Math.max(most, open)
    setTimeout(() => {
      open -= 1
      response.end(LIP)
    }, 20)
  }
  const texts = pollTexts({ concurrency: 3 })
  const cids = Array.from({ length: 12 }, (_, n) => numbered(n))
  const found = await Promise.all(cids.map((cid) => texts.ready(cid, PATIENCE)))
  expect(found).toEqual(cids.map(() => LIP_TEXT))
  expect(most).toBe(3)
})

describe('nothing but a CID is asked of the gateway', () => {
  test.each([
    '',
    '.',
    '..',
    '../api/v0/config/show',
    `${CID_V0}/../../api/v0/config/show`,
    `${CID_V0}/`,
    `${CID_V0}?format=car`,
    `${CID_V0}#`,
    `${CID_V0}%2f..`,
    `${CID_V0}\n`,
    ` ${CID_V0}`,
    `/ipfs/${CID_V0}`,
    `ipfs://${CID_V0}`,
    '//localhost/',
    'http://localhost/',
    '\\\\localhost',
    'localhost',
    `${CID_V0.slice(0, -1)}0`,
    CID_V0.slice(0, -1),
    `${CID_V1}a`,
    'k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8',
    CID.createV1(0x72, identity.digest(new Uint8Array(36))).toString(),
    'b'.repeat(10_000),
    '\u0000',
    '💧',
  ])('%j', async (cid) => {
    const texts = pollTexts()
    expect(texts.find(cid)).toBeUndefined()
    expect(await texts.ready(cid, PATIENCE)).toBeUndefined()
    expect(paths).toEqual([])
  })

  test('written in another base, it is asked for in the default one', async () => {
    const { base58btc } = await import('multiformats/bases/base58')
    expect(await pollTexts().ready(CID.parse(CID_V1).toString(base58btc), PATIENCE)).toEqual(LIP_TEXT)
    expect(paths).toEqual([`/ipfs/${CID_V1}`])
  })
})

test.each(['', 'ipfs.io', 'file:///ipfs', 'ipfs://x', 'https://', 'https://user:secret@ipfs.io'])(
  'a gateway that is none: %j',
  (gateway) => {
    expect(() => new PollTexts(gateway)).toThrow(
      new TypeError('An IPFS gateway is an http or https URL without a user, such as https://ipfs.io'),
    )
  },
)
