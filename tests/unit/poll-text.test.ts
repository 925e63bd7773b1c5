import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { PollTexts, type PollTextsOptions } from '../../api/texts/poll-text.ts'

/** A file as the blocks it is on IPFS, by CID; the root's is the file's. */
interface Stored {
  cid: string
  blocks: Map<string, Uint8Array>
}

const RAW = 0x55
const LIP = '---\nlip: 16\ntitle: Delegator Vote Override\n---\n# Heading\n'
const LIP_TEXT = { title: 'Delegator Vote Override', text: LIP }
const DOCUMENT = JSON.stringify({ gitCommitHash: 'a'.repeat(40), text: LIP })
const PATIENCE = 10_000

/** What is stored by default, in a file of each version. */
const V0 = await storedFile(DOCUMENT)
const V1 = await storedRaw(LIP)
const [CID_V0, CID_V1] = [V0.cid, V1.cid]

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : content
}

/** A file of one block, as `ipfs add` makes it, with the content in UnixFS. */
async function storedFile(content: string | Uint8Array, type: 'file' | 'raw' | 'directory' = 'file'): Promise<Stored> {
  const data = type === 'directory' ? undefined : bytesOf(content)
  const Data = new UnixFS(data === undefined ? { type } : { type, data }).marshal()
  return storedNode({ Data, Links: [] })
}

/** A file of one block, as `ipfs add --cid-version 1` makes it: nothing but its content. */
async function storedRaw(
  content: string | Uint8Array,
  code = RAW,
  hash: typeof sha256 | typeof sha512 = sha256,
): Promise<Stored> {
  const cid = CID.createV1(code, await hash.digest(bytesOf(content))).toString()
  return { cid, blocks: new Map([[cid, bytesOf(content)]]) }
}

/** A file of the content of others, one after the other. */
async function storedOf(...parts: Stored[]): Promise<Stored> {
  const Data = new UnixFS({ type: 'file', blockSizes: parts.map(() => 1n) }).marshal()
  const Links = parts.map(({ cid }) => ({ Name: '', Tsize: 1, Hash: CID.parse(cid) }))
  const { cid, blocks } = await storedNode({ Data, Links })
  return { cid, blocks: new Map([...blocks, ...parts.flatMap((part) => [...part.blocks])]) }
}

async function storedNode(node: dagPb.PBNode): Promise<Stored> {
  const block = dagPb.encode(dagPb.prepare(node))
  const cid = CID.createV0(await sha256.digest(block)).toString()
  return { cid, blocks: new Map([[cid, block]]) }
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let base: string
let paths: string[]
let answer: Answer
let failures: string[]
let close: () => Promise<void>

beforeEach(async () => {
  paths = []
  failures = []
  answer = serving(V0, V1)
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

/** A gateway that has some files, and sends their blocks. */
function serving(...stored: Stored[]): Answer {
  return (request, response) => {
    const [, cid = ''] = /\/ipfs\/([^/?]+)/.exec(request.url ?? '') ?? []
    const block = stored.map(({ blocks }) => blocks.get(cid)).find((found) => found !== undefined)
    if (request.headers.accept !== 'application/vnd.ipld.raw') response.writeHead(406).end()
    else if (block === undefined) response.writeHead(404).end()
    else response.setHeader('content-type', 'application/vnd.ipld.raw').end(block)
  }
}

function pollTexts(options: PollTextsOptions = {}, ...gateways: string[]): PollTexts {
  const urls = gateways.length === 0 ? [base] : gateways
  return new PollTexts(urls, { onFailure: (message) => failures.push(message), ...options })
}

const path = (cid: string) => `/ipfs/${cid}?format=raw`

describe('a text that is there', () => {
  test('is found once it has been fetched, and fetched once', async () => {
    const texts = pollTexts()
    expect(texts.find(CID_V0)).toBeUndefined()
    expect(texts.find(CID_V0)).toBeUndefined()
    const both = await Promise.all([texts.ready(CID_V0, PATIENCE), texts.ready(CID_V0, PATIENCE)])
    expect(both).toEqual([LIP_TEXT, LIP_TEXT])
    expect(texts.find(CID_V0)).toEqual(LIP_TEXT)
    expect(await texts.ready(CID_V0, 0)).toEqual(LIP_TEXT)
    expect(paths).toEqual([path(CID_V0)])
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
    ['JSON with half a character', '{"text":"# \\ud83d\\udca7 \\ud83d"}', { title: '💧 \uFFFD', text: '# 💧 \uFFFD' }],
  ])('%s', async (_, body, text) => {
    for (const stored of [await storedRaw(body), await storedFile(body)]) {
      answer = serving(stored)
      expect(await pollTexts().ready(stored.cid, PATIENCE)).toEqual(text)
    }
  })

  test.each<[string, () => Promise<Stored>]>([
    ['in a block of its own, by sha2-512', () => storedRaw(LIP, RAW, sha512)],
    ['in a block of JSON', () => storedRaw(LIP, 0x0200)],
    ['in a raw node', () => storedFile(LIP, 'raw')],
    [
      'in its CID',
      async () => ({ cid: CID.createV1(RAW, identity.digest(bytesOf(LIP))).toString(), blocks: new Map() }),
    ],
    ['in several blocks', async () => storedOf(await storedRaw(LIP.slice(0, 9)), await storedFile(LIP.slice(9)))],
    [
      'in blocks below blocks',
      async () =>
        storedOf(
          await storedOf(await storedRaw(LIP.slice(0, 5)), await storedRaw(LIP.slice(5, 30))),
          await storedRaw(LIP.slice(30)),
        ),
    ],
  ])('%s', async (_, store) => {
    const stored = await store()
    answer = serving(stored)
    expect(await pollTexts().ready(stored.cid, PATIENCE)).toEqual(LIP_TEXT)
    expect(failures).toEqual([])
  })

  test.each([
    ['QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH', ''],
    ['QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o', 'hello world\n'],
    ['bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e', 'hello world'],
  ])('%s from a gateway that knows no blocks: %j', async (cid, text) => {
    answer = (_, response) => response.end(text)
    expect((await pollTexts().ready(cid, PATIENCE))?.text).toBe(text)
  })

  test('a character cut in two by the network', async () => {
    const bytes = Buffer.from('# é')
    const { cid } = await storedRaw(bytes)
    answer = (_, response) => {
      response.write(bytes.subarray(0, 3))
      setTimeout(() => response.end(bytes.subarray(3)), 20)
    }
    expect(await pollTexts().ready(cid, PATIENCE)).toEqual({ title: 'é', text: '# é' })
  })

  test.each([
    ['', '/'],
    ['/', '/'],
    ['/ipfs', '/'],
    ['/ipfs/', '/'],
    ['/gateway', '/gateway/'],
  ])('from a gateway at "%s"', async (at, prefix) => {
    await pollTexts({}, `${base}${at}`).ready(CID_V0, PATIENCE)
    expect(paths).toEqual([`${prefix}${path(CID_V0).slice(1)}`])
  })

  test('from a gateway with an access token', async () => {
    await pollTexts({}, `${base}/?token=a`).ready(CID_V0, PATIENCE)
    expect(paths).toEqual([`/ipfs/${CID_V0}?token=a&format=raw`])
  })
})

describe('a text that is not', () => {
  const sending =
    (body: string | Uint8Array): Answer =>
    (_, response) =>
      response.end(body)
  const notFitting = /what it sends does not fit/

  test.each<[string, Answer, RegExp]>([
    ['an error', (_, response) => response.writeHead(500).end(LIP), /it answered 500/],
    ['not found', (_, response) => response.writeHead(404).end(), /it answered 404/],
    [
      'too big when unpacked',
      (_, r) => r.setHeader('content-encoding', 'gzip').end(gzipSync('a'.repeat(10 ** 6))),
      /1000 bytes/,
    ],
    [
      'a page about an error',
      (_, r) => r.setHeader('content-type', 'text/html').end('<html><h1>Bad gateway</h1>'),
      notFitting,
    ],
    ['another file', sending(LIP), notFitting],
    ['another block', sending(V1.blocks.get(CID_V1) ?? ''), notFitting],
    ['the file but its end', sending(DOCUMENT.slice(0, -1)), notFitting],
    ['the block but its end', sending((V0.blocks.get(CID_V0) ?? new Uint8Array()).subarray(0, -1)), notFitting],
    ['nothing', sending(''), notFitting],
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

  const garbage = new Uint8Array([0x23, 0x20, 0xff, 0xfe, 0x00])

  test.each<[string, () => Promise<Stored>, RegExp]>([
    ['too big', () => storedRaw('a'.repeat(1001)), /more than 1000 bytes/],
    [
      'too big together',
      async () => storedOf(await storedRaw('a'.repeat(600)), await storedRaw('b'.repeat(401))),
      /more than 1000 bytes/,
    ],
    [
      'of more blocks than a text has',
      async () => {
        const empty = await storedRaw('')
        return storedOf(...Array.from({ length: 128 }, () => empty))
      },
      /more than 128 blocks/,
    ],
    ['no UTF-8', () => storedRaw(garbage), /utf-8/],
    ['no UTF-8 in a file', () => storedFile(garbage), /utf-8/],
    ['a folder', () => storedFile('', 'directory'), /it is no file but a directory/],
    ['no file at all', () => storedRaw('\u0000', dagPb.code), /./],
    ['of a block that is none', async () => storedOf(await storedRaw('{}', 0x0129)), /it is no file of blocks/],
    [
      'of a block that is not there',
      async () => {
        const { cid, blocks } = await storedOf(V1)
        blocks.delete(CID_V1)
        return { cid, blocks }
      },
      /it answered 404/,
    ],
    [
      'of a block that is another one',
      async () => {
        const { cid, blocks } = await storedOf(V1)
        return { cid, blocks: blocks.set(CID_V1, garbage) }
      },
      notFitting,
    ],
  ])('%s', async (_, store, message) => {
    const stored = await store()
    answer = serving(stored)
    expect(await pollTexts({ maxBytes: 1000 }).ready(stored.cid, PATIENCE)).toBeUndefined()
    expect(failures).toEqual([expect.stringMatching(message)])
  })

  test('the longest that is taken', async () => {
    const stored = await storedOf(await storedRaw('a'.repeat(600)), await storedFile('b'.repeat(400)))
    answer = serving(stored)
    expect((await pollTexts({ maxBytes: 1000 }).ready(stored.cid, PATIENCE))?.text).toHaveLength(1000)
  })

  test('one without end is not read to its end', async () => {
    let isClosed = false
    answer = (_, response) => {
      const writing = setInterval(() => response.write('a'.repeat(5000)), 1)
      response.on('close', () => {
        clearInterval(writing)
        isClosed = true
      })
    }
    expect(await pollTexts({ maxBytes: 5000 }).ready(CID_V0, PATIENCE)).toBeUndefined()
    await vi.waitFor(() => expect(isClosed).toBe(true))
  })

  test('no gateway at all', async () => {
    const texts = new PollTexts([])
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
    else serving(V0)(request, response)
  }
  expect(await pollTexts().ready(CID_V0, PATIENCE)).toEqual(LIP_TEXT)
  expect(paths).toEqual([path(CID_V0), `/moved${path(CID_V0)}`])
})

describe('of several gateways', () => {
  /** One server stands in for all: each has a path of its own. */
  function gateways(answers: Record<string, Answer>): string[] {
    answer = (request, response) => {
      const [, name = ''] = /^\/([^/]+)\//.exec(request.url ?? '') ?? []
      answers[name]?.(request, response)
    }
    return Object.keys(answers).map((name) => `${base}/${name}`)
  }
  const asked = () => paths.map((url) => url.split('/')[1])

  test.each<[string, Answer, RegExp]>([
    [
      'sends a page about an error',
      (_, r) => r.setHeader('content-type', 'text/html').end('<h1>Too many requests</h1>'),
      /does not fit/,
    ],
    ['sends other bytes', (_, response) => response.end('# Vote no'), /does not fit/],
    ['is slow', () => {}, /timeout/],
    ['is slow to end', (_, response) => response.write('{'), /timeout/],
    ['has an error', (_, response) => response.writeHead(503).end(DOCUMENT), /it answered 503/],
    ['has it not', (_, response) => response.writeHead(404).end(), /it answered 404/],
    ['hangs up', (request) => request.destroy(), /fetch failed/],
  ])('the next is asked where one %s', async (_, bad, message) => {
    const urls = gateways({ bad, right: serving(V0), never: serving(V0) })
    const texts = pollTexts({ timeoutMs: 300 }, ...urls)
    expect(await texts.ready(CID_V0, PATIENCE)).toEqual(LIP_TEXT)
    expect(asked()).toEqual(['bad', 'right'])
    expect(failures).toEqual([expect.stringMatching(message)])
    expect(await texts.ready(CID_V0, 0)).toEqual(LIP_TEXT)
  })

  test('none has it, which is forgotten after a while', async () => {
    let isThere = false
    const urls = gateways({
      first: (_, response) => response.end('<html>'),
      second: (request, response) => (isThere ? serving(V0)(request, response) : response.writeHead(404).end()),
    })
    const texts = pollTexts({ retryAfterMs: 300 }, ...urls)
    expect(await texts.ready(CID_V0, PATIENCE)).toBeUndefined()
    isThere = true
    expect(await texts.ready(CID_V0, PATIENCE)).toBeUndefined()
    expect(asked()).toEqual(['first', 'second'])
    expect(await vi.waitUntil(() => texts.find(CID_V0), { timeout: PATIENCE })).toEqual(LIP_TEXT)
    expect(asked()).toEqual(['first', 'second', 'first', 'second'])
    expect(failures).toHaveLength(3)
  })
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
    respond = () => response.end(DOCUMENT)
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
  const stored = await Promise.all(Array.from({ length: 12 }, (_, n) => storedRaw(`poll ${n}`)))
  let open = 0
  let most = 0
  answer = (request, response) => {
    open += 1
    most = Math.max(most, open)
    setTimeout(() => {
      open -= 1
      serving(...stored)(request, response)
    }, 20)
  }
  const texts = pollTexts({ concurrency: 3 })
  const found = await Promise.all(stored.map(({ cid }) => texts.ready(cid, PATIENCE)))
  expect(found.map((text) => text?.text)).toEqual(stored.map((_, n) => `poll ${n}`))
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
    // A hash that cannot be checked: blake2b-256.
    CID.createV1(RAW, {
      code: 0xb220,
      digest: new Uint8Array(32),
      size: 32,
      bytes: Buffer.from(`a0e40220${'00'.repeat(32)}`, 'hex'),
    }).toString(),
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
    expect(await pollTexts().ready(CID.parse(CID_V1).toString(base58btc), PATIENCE)).toEqual(LIP_TEXT)
    expect(paths).toEqual([path(CID_V1)])
  })
})

test.each(['', 'ipfs.io', 'file:///ipfs', 'ipfs://x', 'https://', 'https://user:secret@ipfs.io'])(
  'a gateway that is none: %j',
  (gateway) => {
    expect(() => new PollTexts([base, gateway])).toThrow(
      new TypeError('An IPFS gateway is an http or https URL without a user, such as https://ipfs.io'),
    )
  },
)
