import { gql, request } from 'graphql-request'
import { createPublicClient } from 'viem'
import { rpcTransport } from './rpc.ts'

/** Less than a step of following may take, so that a dead graph-node is not noticed any later. */
const TIMEOUT_MS = 1000

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

/** The chain itself, as graph-node's index-node knows it, or where there is none its RPC. */
export class ChainSource {
  constructor(private readonly chain: { network: string; statusUrl?: string; rpcUrl?: string }) {}

  /** The latest block; null where nobody is there to ask, or nobody answers. */
  async latest(): Promise<ChainHead | null> {
    const { statusUrl, rpcUrl } = this.chain
    try {
      if (statusUrl !== undefined) return await this.#latestByIndexNode(statusUrl)
      if (rpcUrl === undefined) return null
      const { number, timestamp } = await rpcClient(rpcUrl).getBlock({ blockTag: 'latest' })
      const block = wholeNumber(number)
      return block === null ? null : { block, timestamp: wholeNumber(timestamp), synced: null }
    } catch {
      // The index may well answer questions about stake while its status server does not.
      return null
    }
  }

  /** Hash of the block that has a number on the chain now; null where nobody is there to ask, or nobody tells. */
  async hash(number: number): Promise<string | null> {
    const { network, statusUrl } = this.chain
    try {
      if (statusUrl === undefined) return (await this.block(number))?.hash ?? null
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const variables = { network, block: number }
      const answer = await request<{ hash: string | null }>({ url: statusUrl, document: BLOCK_HASH, variables, signal })
      // graph-node leaves out the 0x here.
      return answer.hash === null ? null : `0x${answer.hash.replace(/^0x/, '')}`
    } catch {
      return null
    }
  }

  /** The same with the block's time. */
  async block(number: number): Promise<ChainBlock | null> {
    const { network, statusUrl, rpcUrl } = this.chain
    try {
      if (statusUrl !== undefined) {
        const hash = await this.hash(number)
        if (hash === null) return null
        const signal = AbortSignal.timeout(TIMEOUT_MS)
        return { hash, timestamp: await blockTime(statusUrl, network, hash, signal).catch(() => null) }
      }
      if (rpcUrl === undefined) return null
      const { hash, timestamp } = await rpcClient(rpcUrl).getBlock({ blockNumber: BigInt(number) })
      return { hash, timestamp: wholeNumber(timestamp) }
    } catch {
      return null
    }
  }

  async #latestByIndexNode(statusUrl: string): Promise<ChainHead | null> {
    const { network } = this.chain
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const { indexingStatusForCurrentVersion: status } = await request<IndexingStatus>({
      url: statusUrl,
      document: STATUS,
      variables: { name: `livepeer-governance/${network}` },
      signal,
    })
    const block = wholeNumber(status?.chains[0]?.chainHeadBlock?.number)
    return !status || block === null ? null : { block, timestamp: null, synced: status.synced }
  }
}

interface IndexingStatus {
  indexingStatusForCurrentVersion: {
    synced: boolean
    chains: { chainHeadBlock: { number: string; hash: string } | null }[]
  } | null
}

const STATUS = gql`
  query Status($name: String!) {
    indexingStatusForCurrentVersion(subgraphName: $name) {
      synced
      chains {
        chainHeadBlock {
          number
          hash
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

/** Unix time of a block that graph-node keeps; null where it keeps it without. */
async function blockTime(url: string, network: string, hash: string, signal: AbortSignal): Promise<number | null> {
  const answer = await request<{ blockData: unknown }>({ url, document: BLOCK, variables: { network, hash }, signal })
  // graph-node keeps some blocks alone, others together with their receipts.
  const { timestamp, block } = answer.blockData as { timestamp?: string; block?: { timestamp?: string } }
  return wholeNumber(timestamp ?? block?.timestamp)
}

/** A block's number or time as others tell it, decimal or hex; null for what is none. */
function wholeNumber(told: unknown): number | null {
  const isNumber = typeof told === 'number' || typeof told === 'bigint'
  const number = isNumber || (typeof told === 'string' && /^(\d+|0x[\da-f]+)$/i.test(told)) ? Number(told) : Number.NaN
  return Number.isSafeInteger(number) && number >= 0 ? number : null
}

function rpcClient(rpcUrl: string) {
  return createPublicClient({ transport: rpcTransport(rpcUrl, { timeout: TIMEOUT_MS }) })
}
