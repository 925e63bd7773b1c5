import { readFile } from 'node:fs/promises'
import { hostOf } from '../api/facts/rpc.ts'
import { askRpc, hashIn, numberIn, patiently } from './chain-rpc.ts'
import { LAST_BLOCK } from './graph-node.ts'
import { StackError } from './processes.ts'
import { silence } from './rpc-trouble.ts'

/** Where a contract lies and from which block on there is something to index. */
export interface Contract {
  address: string
  startBlock: number
  /** What its data source is told that no event says, by the names of CONTEXT_TYPES, as decimal text. */
  context?: Readonly<Record<string, string>>
}

/** The contracts of one network by the name of their data source. */
export type Contracts = Readonly<Record<string, Contract>>

/** The first block with something to index. */
export function firstBlockOf(contracts: Contracts): number {
  return Math.min(...Object.values(contracts).map(({ startBlock }) => startBlock))
}

/** The types that values a data source can be told have in a manifest. */
export const CONTEXT_TYPES: Readonly<Record<string, 'BigInt' | 'Int'>> = {
  supportRequiredPct: 'BigInt',
  minAcceptQuorumPct: 'BigInt',
  voteTime: 'BigInt',
  numActiveTranscoders: 'Int',
}

const CONTEXT_KEYS: Readonly<Record<string, readonly string[]>> = {
  Voting: ['supportRequiredPct', 'minAcceptQuorumPct', 'voteTime'],
  RoundsManager: ['numActiveTranscoders'],
  BondingManager: ['numActiveTranscoders'],
}

/** The values that the data source of a contract can be told; the suffix of a further DAO does not matter. */
export function contextKeys(name: string): readonly string[] {
  return CONTEXT_KEYS[name.replace(/\..*$/s, '')] ?? []
}

/** A value of a context as decimal text, undefined where it is no whole number or too large for its type. */
export function contextValue(key: string, value: unknown): string | undefined {
  // Beyond that JSON has only the nearest number: then it has to be text.
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
  if (typeof text !== 'string' || !/^\d+$/.test(text)) return undefined
  // A BigInt here is one of Voting's settings, all of which are of 64 bits.
  const bits = CONTEXT_TYPES[key] === 'Int' ? 31n : 64n
  return text.length > 20 || BigInt(text) >= 2n ** bits ? undefined : text
}

/**
 * Blocks per round by network, where the chain's own block numbers drive the rounds: on Ethereum L1 round n begins at
 * block n · 5760 (RoundsManager.roundLength). Arbitrum's rounds follow L1's numbers, and its contract is asked.
 */
export const ROUND_LENGTHS: Readonly<Record<string, number>> = { mainnet: 5760 }

/** Chain ids of the networks whose names are known; other names go with any chain. */
const CHAIN_IDS: Readonly<Record<string, number>> = { mainnet: 1, 'arbitrum-one': 42161 }

/** The chain id of a network whose name is known, undefined for any other. */
export function knownChainId(network: string): number | undefined {
  return Object.hasOwn(CHAIN_IDS, network) ? CHAIN_IDS[network] : undefined
}

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
    Object.entries(contracts).map(([name, contract]) => [
      name,
      readContract(name, contract, (what) => complain(`${name} of ${network} has ${what}`)),
    ]),
  )
}

function readContract(name: string, contract: unknown, complain: (what: string) => StackError): Contract {
  const { address, startBlock = 0, context = {} } = isRecord(contract) ? contract : {}
  if (typeof address !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(address)) {
    throw complain(`a bad address: ${JSON.stringify(address) ?? 'none'}`)
  }
  if (
    typeof startBlock !== 'number' ||
    !Number.isSafeInteger(startBlock) ||
    startBlock < 0 ||
    startBlock > LAST_BLOCK
  ) {
    throw complain(`a bad startBlock: ${JSON.stringify(startBlock)}`)
  }
  if (!isRecord(context)) throw complain(`a bad context: ${JSON.stringify(context)}`)
  const keys = contextKeys(name)
  const values = Object.entries(context).map(([key, value]): [string, string] => {
    if (!keys.includes(key)) {
      throw complain(`no use for ${key} in its context, only for: ${keys.join(', ') || 'nothing'}`)
    }
    const text = contextValue(key, value)
    if (text === undefined) throw complain(`a bad ${key} in its context: ${JSON.stringify(value)}`)
    return [key, text]
  })
  return { address, startBlock, ...(values.length === 0 ? {} : { context: Object.fromEntries(values) }) }
}

/** An RPC does not answer, or not as one does: another time it may. */
export class RpcSilentError extends StackError {}

/** What tells a chain behind an RPC from another one. */
export interface RpcIdentity {
  chainId: number
  /** Hash of block 0; undefined where the RPC keeps none. */
  genesis: string | undefined
}

/** Which chain an RPC is of; throws a StackError when it is of another chain than its network, RpcSilentError when it does not tell. */
export async function checkRpc(network: string, url: string): Promise<RpcIdentity> {
  const where = hostOf(url)
  const asked = patiently(new AbortController().signal)
  const id = await askRpc(url, 'eth_chainId', [], asked)
  if ('refusal' in id) throw new RpcSilentError(`${network}: ${silence({ network, rpcUrl: url }, id.refusal).line}`)
  const chainId = numberIn(id.result)
  if (!Number.isSafeInteger(chainId)) throw new RpcSilentError(`the RPC of ${network} at ${where} tells no chain id`)
  const expected = CHAIN_IDS[network]
  if (expected !== undefined && chainId !== expected) {
    throw new StackError(`the RPC of ${network} at ${where} is of chain ${chainId}, not ${expected}`)
  }
  return { chainId, genesis: hashIn(await askRpc(url, 'eth_getBlockByNumber', ['0x0', false], asked)) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
