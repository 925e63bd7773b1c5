// Files of IPFS, from gateways that need not be trusted: what does not fit its CID is not taken.
import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { equals } from 'multiformats/bytes'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { sha256, sha512 } from 'multiformats/hashes/sha2'

/** What a file may take. */
export interface FileLimits {
  /** Milliseconds for all its blocks, redirects and bodies included. */
  timeoutMs: number
  /** Longest file, decompressed. */
  maxBytes: number
}

/** A gateway may send a path on to a host of the CID's own, and that on to https. */
const MAX_REDIRECTS = 3

/** A CIDv1 of a 512-bit hash has 115 characters in base32. */
const MAX_CID_LENGTH = 128

/** What a block of a file's content can be. */
const RAW = 0x55

/** What a document can be: raw, dag-pb (UnixFS), dag-json, json. Not libp2p-key, which is a name in IPNS. */
const DOCUMENT_CODECS: ReadonlySet<number> = new Set([RAW, dagPb.code, 0x0129, 0x0200])

/** The hashes that blocks can be checked by. */
const HASHES = new Map<number, typeof sha256 | typeof sha512 | typeof identity>(
  [sha256, sha512, identity].map((hash) => [hash.code, hash]),
)

/** Blocks of one file: a root and a quarter of a million bytes in each is how files are cut by default. */
const MAX_BLOCKS = 128

/** What a block has beside content: links to all blocks that there may be. */
const MAX_BLOCK_OVERHEAD = 16_384

/** A document's CID; undefined where a text is none, or one by a hash that cannot be checked here. */
export function documentCid(text: string): CID | undefined {
  if (text.length > MAX_CID_LENGTH) return undefined
  try {
    const cid = CID.parse(text)
    return DOCUMENT_CODECS.has(cid.code) && HASHES.has(cid.multihash.code) ? cid : undefined
  } catch {
    return undefined
  }
}

/**
 * What a gateway's paths begin with: it is given as what stands before `/ipfs/<CID>`, such as `https://ipfs.io`; a query in
 * it, such as an access token, is sent along. Throws a TypeError where it is not an http or https URL, or has a user.
 */
export function gatewayBase(gatewayUrl: string): URL {
  const url = URL.canParse(gatewayUrl) ? new URL(gatewayUrl) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new TypeError('An IPFS gateway is an http or https URL without a user, such as https://ipfs.io')
  }
  url.pathname = url.pathname.replace(/(\/ipfs)?\/*$/, '/')
  return url
}

/**
 * The content of a file. It is asked for block by block (https://specs.ipfs.tech/http-gateways/trustless-gateway/), and
 * each block is compared with its hash. A gateway that knows no blocks and sends the file itself is believed where the
 * file as a single block has the CID. Rejects where it does not come in time, is no file, or does not fit the CID.
 */
export async function fetchFile(cid: CID, gateway: URL, { timeoutMs, maxBytes }: FileLimits): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(timeoutMs)
  const parts: Uint8Array[] = []
  let [blocks, bytes] = [0, 0]

  const take = (part: Uint8Array): void => {
    bytes += part.length
    if (bytes > maxBytes) throw new Error(`the text has more than ${maxBytes} bytes`)
    parts.push(part)
  }

  const takeFile = async (of: CID): Promise<void> => {
    blocks += 1
    if (blocks > MAX_BLOCKS) throw new Error(`the text has more than ${MAX_BLOCKS} blocks`)
    const body = await blockBody(of, gateway, signal, maxBytes)
    if (!(await fits(of, body))) {
      // It is the file, from a gateway that knows no blocks, or something else.
      if (!(await isFileOfOneBlock(of, body))) throw new Error(`what it sends does not fit ${of}`)
      take(body)
    } else if (of.code !== dagPb.code) {
      take(body)
    } else {
      const { content, links } = fileNode(body)
      take(content)
      for (const link of links) await takeFile(link)
    }
  }

  await takeFile(cid)
  return Buffer.concat(parts)
}

/** The body of a block's answer; a block that is in its CID is asked of nobody. */
async function blockBody(cid: CID, gateway: URL, signal: AbortSignal, maxBytes: number): Promise<Uint8Array> {
  if (cid.multihash.code === identity.code) return cid.multihash.digest
  const url = new URL(`ipfs/${cid}${gateway.search}`, gateway)
  url.searchParams.set('format', 'raw')
  return readBody(await request(url, signal), maxBytes)
}

/** Whether bytes are the block of a CID. */
async function fits({ multihash }: CID, block: Uint8Array): Promise<boolean> {
  const hash = HASHES.get(multihash.code)
  return hash !== undefined && equals((await hash.digest(block)).bytes, multihash.bytes)
}

/** Whether a file's content, as the one block that it is when it is added to IPFS, has a CID. */
async function isFileOfOneBlock(cid: CID, content: Uint8Array): Promise<boolean> {
  if (cid.code !== dagPb.code) return false
  const node = dagPb.prepare({ Data: new UnixFS({ type: 'file', data: content }).marshal(), Links: [] })
  return fits(cid, dagPb.encode(node))
}

/** What a block of a file has of its content, and the blocks that the rest is in, in order. */
function fileNode(block: Uint8Array): { content: Uint8Array; links: CID[] } {
  const { Data, Links } = dagPb.decode(block)
  const entry = UnixFS.unmarshal(Data ?? new Uint8Array())
  if (entry.type !== 'file' && entry.type !== 'raw') throw new Error(`it is no file but a ${entry.type}`)
  const links = Links.map(({ Hash }) => Hash)
  if (links.some(({ code }) => code !== RAW && code !== dagPb.code)) throw new Error('it is no file of blocks')
  return { content: entry.data ?? new Uint8Array(), links }
}

/** Follows redirects within the gateway only: it may have a host for each CID, below its own. */
async function request(url: URL, signal: AbortSignal): Promise<Response> {
  let at = url
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const headers = { accept: 'application/vnd.ipld.raw' }
    const response = await fetch(at, { signal, headers, redirect: 'manual' })
    if (response.ok) return response
    await response.body?.cancel()
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || location === null) {
      throw new Error(`it answered ${response.status}`)
    }
    const next = new URL(location, at)
    const isGateway = next.host === url.host || next.host.endsWith(`.${url.host}`)
    if (!isGateway || !(next.protocol === url.protocol || next.protocol === 'https:')) {
      throw new Error(`it redirects to ${next.origin}`)
    }
    at = next
  }
  throw new Error('it redirects without end')
}

/** The body; an error where it is longer than a block of a file of `maxBytes`, of which no more is read. */
async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop early cancels the body, and with it the transfer.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes + MAX_BLOCK_OVERHEAD) throw new Error(`the text has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
