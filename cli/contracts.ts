import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Address, createPublicClient, isAddress, type PublicClient } from 'viem'
import { isHttpUrl, verifyingTransport } from '../api/facts/rpc.ts'
import { type Contracts, isRecorded, noContracts } from '../api/verification/contracts.ts'
import { messageOf } from '../api/verification/errors.ts'
import { CliError } from './errors.ts'

/** A client of a chain's JSON-RPC that sends calls made at one time together. */
export function rpcClient(url: string): PublicClient {
  if (!isHttpUrl(url)) throw new CliError('--rpc is not a URL')
  return createPublicClient({ transport: verifyingTransport(url, { timeout: 30_000, retryCount: 3 }) })
}

/** Where the contracts of a network are; CliError where the file does not say. */
export function contractAddress(networksFile: string | undefined, network: string, contract: string): Address {
  const file = networksFile ?? fileURLToPath(new URL('../subgraph/networks.json', import.meta.url))
  let networks: Record<string, Record<string, { address?: unknown }>>
  try {
    networks = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${messageOf(error)}`)
  }
  const address = networks[network]?.[contract]?.address
  if (typeof address !== 'string' || !isAddress(address)) {
    throw new CliError(`${file} has no address of ${contract} on ${network}; give --networks-file`)
  }
  return address
}

/** The contracts of the networks in a file, all asked over one RPC; CliError where one of them is needed and not there. */
export function contractsOver(rpc: string | undefined, networksFile: string | undefined): Contracts {
  return {
    clientOf: (network) => {
      if (rpc !== undefined) return rpcClient(rpc)
      if (isRecorded(network)) throw noContracts(network)
      throw new CliError(`--rpc URL is needed to ask the contracts of ${network}`)
    },
    addressOf: (network, contract) => contractAddress(networksFile, network, contract),
  }
}
