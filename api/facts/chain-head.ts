import { gql, request } from 'graphql-request'
import { createPublicClient } from 'viem'
import { type Endpoint, endpointOf, rpcTransport } from './rpc.ts'

/** Less than a step of following may take, so that a dead graph-node is not noticed any later. */
const TIMEOUT_MS = 1000
/** The same where others run the index, and nothing depends on a second. */
const TIMEOUT_ELSEWHERE_MS = 5000

/** The latest block of a chain. */
export interface ChainHead {
  block: number
  /** Unix time; null where it is not known. */
  timestamp: number | null
  /** Whether the index says that it has caught up once; null where it is not asked. */
  synced: boolean | null
}

/** A block that is on the chain now. */
export interface ChainBlock {
  hash: string
  /** Unix time; null where it is not known. */
  timestamp: number | null
}

/** Who can be asked about a chain itself. */
interface Witnesses {
  network: string
  /** graph-node's index-node. */
  statusUrl?: string | undefined
  rpcUrl?: string | undefined
  /** Whether others run the index. */
  isElsewhere?: boolean | undefined
}

/** The chain itself, as graph-node's index-node knows it, and where there is none, or it does not tell, its RPC. */
export class ChainSource {
  readonly #rpcUrl: string | undefined
  readonly #status: Endpoint | undefined
  readonly #timeout: number
  /** What the index-node calls the chain, as far as it told. */
  #network: string

  constructor({ network, statusUrl, rpcUrl, isElsewhere = false }: Witnesses) {
    this.#network = network
    this.#rpcUrl = rpcUrl
    this.#status = statusUrl === undefined ? undefined : endpointOf(statusUrl)
    this.#timeout = isElsewhere ? TIMEOUT_ELSEWHERE_MS : TIMEOUT_MS
  }

  /** The latest block, of the index-node with whether a deployment has caught up; null where nobody is there to ask, or nobody answers. */
  async latest(deployment: () => Promise<string>): Promise<ChainHead | null> {
    // The index may well answer questions about stake while its status server does not.
    const told = await this.#latestByIndexNode(deployment).catch(() => null)
    if (told !== null || this.#rpcUrl === undefined) return told
    try {
      const { number, timestamp } = await this.#rpc(this.#rpcUrl).getBlock({ blockTag: 'latest' })
      const block = wholeNumber(number)
      return block === null ? null : { block, timestamp: wholeNumber(timestamp), synced: null }
    } catch {
      return null
    }
  }

  /** Hash of the block that has a number on the chain now; null where nobody is there to ask, or nobody tells. */
  async hash(number: number): Promise<string | null> {
    const told = await this.#hashByIndexNode(number).catch(() => null)
    return told ?? (await this.#blockByRpc(number))?.hash ?? null
  }

  /** The same with the block's time. */
  async block(number: number): Promise<ChainBlock | null> {
    const hash = await this.#hashByIndexNode(number).catch(() => null)
    if (hash === null) return this.#blockByRpc(number)
    return { hash, timestamp: await this.#timeByIndexNode(hash).catch(() => null) }
  }

  async #latestByIndexNode(deployment: () => Promise<string>): Promise<ChainHead | null> {
    if (this.#status === undefined) return null
    const { indexingStatuses } = await this.#ask<IndexingStatus>(STATUS, { deployment: await deployment() })
    const [status] = indexingStatuses
    const [chain] = status?.chains ?? []
    if (typeof chain?.network === 'string') this.#network = chain.network
    const block = wholeNumber(chain?.chainHeadBlock?.number)
    return !status || block === null ? null : { block, timestamp: null, synced: status.synced }
  }

  async #hashByIndexNode(number: number): Promise<string | null> {
    if (this.#status === undefined) return null
    const { hash } = await this.#ask<{ hash: string | null }>(BLOCK_HASH, { network: this.#network, block: number })
    // graph-node leaves out the 0x here.
    return hash === null ? null : `0x${hash.replace(/^0x/, '')}`
  }

  /** Unix time of a block that graph-node keeps; null where it keeps it without. */
  async #timeByIndexNode(hash: string): Promise<number | null> {
    const { blockData } = await this.#ask<{ blockData: unknown }>(BLOCK, { network: this.#network, hash })
    // graph-node keeps some blocks alone, others together with their receipts.
    const { timestamp, block } = blockData as { timestamp?: string; block?: { timestamp?: string } }
    return wholeNumber(timestamp ?? block?.timestamp)
  }

  async #blockByRpc(number: number): Promise<ChainBlock | null> {
    if (this.#rpcUrl === undefined) return null
    try {
      const { hash, timestamp } = await this.#rpc(this.#rpcUrl).getBlock({ blockNumber: BigInt(number) })
      return { hash, timestamp: wholeNumber(timestamp) }
    } catch {
      return null
    }
  }

  #ask<Answer>(document: string, variables: Record<string, unknown>): Promise<Answer> {
    const { url = '', headers } = this.#status ?? {}
    const signal = AbortSignal.timeout(this.#timeout)
    return request<Answer>({ url, document, variables, signal, requestHeaders: { ...headers } })
  }

  #rpc(rpcUrl: string) {
    return createPublicClient({ transport: rpcTransport(rpcUrl, { timeout: this.#timeout }) })
  }
}

interface IndexingStatus {
  indexingStatuses: {
    synced: boolean
    chains: { network: string; chainHeadBlock: { number: string } | null }[]
  }[]
}

// By the deployment that answers: the name it has there is known to those who gave it only.
const STATUS = gql`
  query Status($deployment: String!) {
    indexingStatuses(subgraphs: [$deployment]) {
      synced
      chains {
        network
        chainHeadBlock {
          number
        }
      }
    }
  }
`

const BLOCK = gql`
  query Block($network: String!, $hash: Bytes!) {
    blockData(network: $network, blockHash: $hash)
  }
`

const BLOCK_HASH = gql`
  query BlockHash($network: String!, $block: Int!) {
    hash: blockHashFromNumber(network: $network, blockNumber: $block)
  }
`

/** A block's number or time as others tell it, decimal or hex; null for what is none. */
function wholeNumber(told: unknown): number | null {
  const isNumber = typeof told === 'number' || typeof told === 'bigint'
  const number = isNumber || (typeof told === 'string' && /^(\d+|0x[\da-f]+)$/i.test(told)) ? Number(told) : Number.NaN
  return Number.isSafeInteger(number) && number >= 0 ? number : null
}
