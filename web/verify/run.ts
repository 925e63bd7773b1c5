import { type Address, createClient } from 'viem'
import { getBlock, getCode, getLogs, readContract } from 'viem/actions'
import { type ApiReader, INITIALISED_AT, type InitialisedAt } from '../../api/verification/api-files.ts'
import type { Progress } from '../../api/verification/asking.ts'
import type { Comparison } from '../../api/verification/comparison.ts'
import type { NodeClient } from '../../api/verification/contracts.ts'
import { NoAnswer, NothingToCompare } from '../../api/verification/errors.ts'
import { nodeTransport } from '../../api/verification/node.ts'
import { compare, type Question } from '../../api/verification/verification.ts'
import { fetchFile } from '../files.ts'

/** A verification as the command line makes it, made by the browser: viem and it are loaded when they are needed. */

/** A chain, as its status tells of its contracts. */
export interface VerifiedChain {
  network: string
  contracts: readonly { name: string; address: string }[]
}

/** How it ended: with a comparison, or with why there is none. */
export type Ended = { comparison: Comparison } | { refusal: string }

/** Compares what the API says with what a node says. The node's address goes to nobody but the node. */
export async function verify(
  question: Question,
  rpcUrl: string,
  chains: readonly VerifiedChain[],
  progress: Progress,
): Promise<Ended> {
  const client = nodeClient(rpcUrl)
  const addressOf = (network: string, contract: string): Address => {
    const found = chains.find((chain) => chain.network === network)?.contracts.find(({ name }) => name === contract)
    if (found === undefined) {
      throw new NothingToCompare(`the API does not tell where ${contract} of ${network} is`)
    }
    return found.address as Address
  }
  try {
    const comparison = await compare(question, {
      api: OWN_API,
      contracts: { clientOf: () => client, addressOf },
      progress,
    })
    return { comparison }
  } catch (error) {
    if (error instanceof NothingToCompare) return { refusal: `There is nothing to compare: ${error.message}` }
    if (error instanceof NoAnswer) return { refusal: error.message }
    throw error
  }
}

/** Only what is asked for: viem's own client, which has all there is, would be more than twice as large to load. */
function nodeClient(rpcUrl: string): NodeClient {
  const client = createClient({ transport: nodeTransport(rpcUrl, { timeout: 30_000, retryCount: 1 }) })
  // As viem binds them itself; a function bound to its first parameter keeps no type parameters.
  const bound = {
    readContract: readContract.bind(undefined, client),
    getBlock: getBlock.bind(undefined, client),
    getCode: getCode.bind(undefined, client),
    getLogs: getLogs.bind(undefined, client),
  }
  return bound as unknown as NodeClient
}

/** The API that this page came from. */
const OWN_API: ApiReader = {
  async rows<Head, Row>(path: string) {
    const file = await fetchFile(path)
    if ('problem' in file) throw new NoAnswer(file.problem.message)
    const lines = file.text.split('\n').filter((line) => line !== '')
    const [head = {}, ...rows] = lines.map((line) => JSON.parse(line) as object)
    return { head: head as Head, rows: rows as Row[] }
  },
  async initialisedAt(round, network) {
    const file = await fetchFile('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: INITIALISED_AT, variables: { round, network } }),
    })
    if ('problem' in file) throw new NoAnswer(file.problem.message)
    const { data, errors } = JSON.parse(file.text) as { data?: InitialisedAt | null; errors?: { message: string }[] }
    if (data === null || data === undefined) throw new NoAnswer(errors?.[0]?.message ?? 'the API answered nothing')
    return data.round?.initializedAt ?? null
  },
}
