import { readFile } from 'node:fs/promises'
import { postJson } from './graph-node.ts'
import { StackError } from './processes.ts'

/** Where a contract lies and from which block on there is something to index. */
export interface Contract {
  address: string
  startBlock: number
}

/** The contracts of one network by the name of their data source. */
export type Contracts = Readonly<Record<string, Contract>>

/** Chain ids of the networks whose names are known; other names go with any chain. */
const CHAIN_IDS: Readonly<Record<string, number>> = { mainnet: 1, 'arbitrum-one': 42161 }

/** The name of the public network with a chain id, undefined for any other chain. */
export function publicNetwork(chainId: number): string | undefined {
  return Object.keys(CHAIN_IDS).find((network) => CHAIN_IDS[network] === chainId)
}

/** Reads the contracts of a network from a file in the format of graph-cli's networks.json. */
export async function readNetwork(file: string, network: string): Promise<Contracts> {
  const complain = (what: string) => new StackError(`networks file ${file}: ${what}`)
  let networks: unknown
  try {
    networks = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw complain(error instanceof Error ? error.message : String(error))
  }
  if (!isRecord(networks)) throw complain('it is not an object of networks')
  const contracts = Object.hasOwn(networks, network) ? networks[network] : undefined
  if (!isRecord(contracts)) {
    throw complain(`no network ${network}, there are: ${Object.keys(networks).join(', ') || 'none'}`)
  }
  return Object.fromEntries(
    Object.entries(contracts).map(([name, contract]) => {
      const { address, startBlock = 0 } = isRecord(contract) ? contract : {}
      if (typeof address !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(address)) {
        throw complain(`${name} of ${network} has a bad address: ${JSON.stringify(address) ?? 'none'}`)
      }
      if (typeof startBlock !== 'number' || !Number.isSafeInteger(startBlock) || startBlock < 0) {
        throw complain(`${name} of ${network} has a bad startBlock: ${JSON.stringify(startBlock)}`)
      }
      return [name, { address, startBlock }]
    }),
  )
}

/** Gives the chain id of an RPC; throws a StackError when it does not answer or is of another chain than its network. */
export async function checkRpc(network: string, url: string): Promise<number> {
  // The rest of the address often holds a key.
  const where = URL.canParse(url) ? new URL(url).host : url
  const request = { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }
  const answer = await postJson<{ result?: unknown } | null>(url, request).catch((error: Error) => {
    // What fetch itself says is only that it failed.
    const cause = error.cause instanceof Error ? error.cause : error
    throw new StackError(`the RPC of ${network} at ${where} does not answer: ${cause.message || cause.name}`)
  })
  const chainId = typeof answer?.result === 'string' ? Number(answer.result) : Number.NaN
  if (!Number.isSafeInteger(chainId)) throw new StackError(`the RPC of ${network} at ${where} tells no chain id`)
  const expected = CHAIN_IDS[network]
  if (expected !== undefined && chainId !== expected) {
    throw new StackError(`the RPC of ${network} at ${where} is of chain ${chainId}, not ${expected}`)
  }
  return chainId
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
