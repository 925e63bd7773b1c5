import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  type Abi,
  type Address,
  concat,
  createTestClient,
  encodeFunctionData,
  type Hex,
  http,
  keccak256,
  numberToHex,
  parseAbi,
  parseEventLogs,
  publicActions,
  size,
  type TransactionReceipt,
  toBytes,
  walletActions,
  zeroAddress,
} from 'viem'
import { foundry } from 'viem/chains'
import { freePorts, waitFor } from '../../stack/processes.ts'

/** Anvil, a chain of its own on this machine. */
export interface Anvil {
  url: string
  stop(): Promise<void>
}

/** Starts anvil on a free port; it ends with `stop` and, however this process ends, with it. */
export async function startAnvil(): Promise<Anvil> {
  const require = createRequire(import.meta.url)
  const binary = join(dirname(require.resolve('@foundry-rs/anvil-linux-amd64/package.json')), 'bin/anvil')
  const [port = 0] = await freePorts(1)
  // The shell ends anvil when its own input ends, which happens even when this process is killed.
  const script = `trap 'kill $!; wait $!' EXIT; "$0" --silent --accounts ${HOLDERS + 5} --port ${port} & read -r _`
  const child = spawn('sh', ['-c', script, binary], { stdio: ['pipe', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  const stop = async () => {
    child.stdin.end()
    await ended
  }
  const url = `http://127.0.0.1:${port}`
  const client = chainClient(url)
  try {
    await waitFor(() => client.getChainId().catch(() => undefined), AbortSignal.timeout(30_000))
  } catch (error) {
    await stop()
    throw error
  }
  return { url, stop }
}

/** Reads and writes of a chain whose accounts are unlocked. */
export type ChainClient = ReturnType<typeof chainClient>

export function chainClient(url: string) {
  return createTestClient({ mode: 'anvil', chain: foundry, transport: http(url), pollingInterval: 20 })
    .extend(publicActions)
    .extend(walletActions)
}

/** Each holder's TDT, 100 in all: pairs of equal ones, and one with as much as the last pair together. */
const SHARES = [8, 7, 6, 5, 3, 3, 2, 2, 1, 1, 4, 4].flatMap((share) => [share, share]).concat(8)
const HOLDERS = SHARES.length
const TDT = 10n ** 18n
/** What part of votes cast (support) and of all votes (quorum) yeas must exceed; 10^18 = 100 %. */
const HALF = 5n * 10n ** 17n
/** Seconds a vote is open: 7 days. */
export const VOTE_TIME = 604_800n
/** Gas of each transaction: an estimate is made in the block before, where MiniMe's checkpoints cost less. */
export const GAS = 5_000_000n
const ANY_ENTITY = '0xffffffffffffffffffffffffffffffffffffffff'

const ABI = parseAbi([
  'function newDAO(address root) returns (address)',
  'function acl() view returns (address)',
  'function newAppInstance(bytes32 appId, address appBase, bytes initializePayload, bool setDefault) returns (address)',
  'function createPermission(address entity, address app, bytes32 role, address manager)',
  'function changeController(address newController)',
  'function mint(address receiver, uint256 amount)',
  'function generateTokens(address owner, uint256 amount) returns (bool)',
  'function approve(address spender, uint256 amount) returns (bool)',
  'function deposit(address token, uint256 amount, string ref)',
  'function newImmediatePayment(address token, address receiver, uint256 amount, string ref)',
  'event DeployDAO(address dao)',
  'event NewAppProxy(address proxy, bool isUpgradeable, bytes32 appId)',
])
const INITIALIZE_VOTING = parseAbi(['function initialize(address, uint64, uint64, uint64)'])
const INITIALIZE_TOKEN_MANAGER = parseAbi(['function initialize(address, bool, uint256)'])
const INITIALIZE_VAULT = parseAbi(['function initialize()'])
const INITIALIZE_FINANCE = parseAbi(['function initialize(address, uint64)'])

/** What the tests ask of and do with Voting, TDT and LPT. */
export const VOTING_ABI = parseAbi([
  'function newVote(bytes script, string metadata, bool castVote, bool executesIfDecided) returns (uint256)',
  'function vote(uint256 voteId, bool inFavor, bool executesIfDecided)',
  'function executeVote(uint256 voteId)',
  'function getVote(uint256 voteId) view returns (bool open, bool executed, uint64 startDate, uint64 snapshotBlock, uint64 supportRequired, uint64 minAcceptQuorum, uint256 yea, uint256 nay, uint256 votingPower, bytes script)',
  'function canExecute(uint256 voteId) view returns (bool)',
  'function getVoterState(uint256 voteId, address voter) view returns (uint8)',
])
export const TOKEN_ABI = parseAbi([
  'function balanceOf(address owner) view returns (uint256)',
  'function balanceOfAt(address owner, uint256 block) view returns (uint256)',
])

/** An Aragon DAO set up as the TranscoderDAO was to be. */
export interface Dao {
  Voting: Address
  TokenManager: Address
  TDT: Address
  Vault: Address
  Finance: Address
  LPT: Address
  /** Holders of TDT: those at 2n and 2n + 1 have the same, the last one as much as the two before it. */
  holders: readonly Address[]
  /** An account without TDT. */
  outsider: Address
}

/** Deploys Aragon's own contracts: 25 holders of 100 TDT, 50 %, 50 %, 7 days, anybody may propose; 3000 LPT in the Vault. */
export async function deployDao(client: ChainClient): Promise<Dao> {
  const [root = zeroAddress, ...others] = await client.getAddresses()
  const holders = others.slice(0, HOLDERS)
  const [outsider = zeroAddress] = others.slice(HOLDERS)
  const chain = new Deployer(client, root)

  const bases = [
    await chain.deploy('os', 'Kernel', [true]),
    await chain.deploy('os', 'ACL'),
    await chain.deploy('os', 'EVMScriptRegistryFactory'),
  ]
  const factory = await chain.deploy('os', 'DAOFactory', bases)
  const created = await chain.send(factory, encodeFunctionData({ abi: ABI, functionName: 'newDAO', args: [root] }))
  const [deployed] = parseEventLogs({ abi: ABI, eventName: 'DeployDAO', logs: created.logs })
  const kernel = deployed?.args.dao ?? zeroAddress
  const acl = await client.readContract({ address: kernel, abi: ABI, functionName: 'acl' })
  const permit = (entity: Address, app: Address, role: string) => {
    const args = [entity, app, keccak256(toBytes(role)), root] as const
    return chain.send(acl, encodeFunctionData({ abi: ABI, functionName: 'createPermission', args }))
  }
  await permit(root, kernel, 'APP_MANAGER_ROLE')
  const install = async (name: string, source: string, initialization: Hex = '0x') => {
    const base = await chain.deploy(source, name)
    const args = [keccak256(toBytes(name)), base, initialization, false] as const
    const { logs } = await chain.send(kernel, encodeFunctionData({ abi: ABI, functionName: 'newAppInstance', args }))
    const [installed] = parseEventLogs({ abi: ABI, eventName: 'NewAppProxy', logs })
    return installed?.args.proxy ?? zeroAddress
  }

  const clones = await chain.deploy('minime', 'MiniMeTokenFactory')
  const token = (symbol: string, transferable: boolean) =>
    chain.deploy('minime', 'MiniMeToken', [clones, zeroAddress, 0n, symbol, 18, symbol, transferable])
  const tdt = await token('TDT', false)
  const lpt = await token('LPT', true)
  const tokenManager = await install('TokenManager', 'apps-token-manager')
  await chain.send(tdt, encodeFunctionData({ abi: ABI, functionName: 'changeController', args: [tokenManager] }))
  await chain.send(tokenManager, encodeFunctionData({ abi: INITIALIZE_TOKEN_MANAGER, args: [tdt, false, 0n] }))
  await permit(root, tokenManager, 'MINT_ROLE')
  for (const [index, holder] of holders.entries()) {
    const args = [holder, BigInt(SHARES[index] ?? 0) * TDT] as const
    await chain.send(tokenManager, encodeFunctionData({ abi: ABI, functionName: 'mint', args }))
  }

  const settings = [tdt, HALF, HALF, VOTE_TIME] as const
  const voting = await install('Voting', 'apps-voting', encodeFunctionData({ abi: INITIALIZE_VOTING, args: settings }))
  await permit(ANY_ENTITY, voting, 'CREATE_VOTES_ROLE')
  const vault = await install('Vault', 'apps-vault', encodeFunctionData({ abi: INITIALIZE_VAULT }))
  const finance = await install(
    'Finance',
    'apps-finance',
    encodeFunctionData({ abi: INITIALIZE_FINANCE, args: [vault, 2_592_000n] }),
  )
  await permit(finance, vault, 'TRANSFER_ROLE')
  await permit(voting, finance, 'CREATE_PAYMENTS_ROLE')

  const deposit = 3000n * 10n ** 18n
  await chain.send(lpt, encodeFunctionData({ abi: ABI, functionName: 'generateTokens', args: [root, deposit] }))
  await chain.send(lpt, encodeFunctionData({ abi: ABI, functionName: 'approve', args: [finance, deposit] }))
  const deposited = [lpt, deposit, 'first deposit'] as const
  await chain.send(finance, encodeFunctionData({ abi: ABI, functionName: 'deposit', args: deposited }))
  return {
    Voting: voting,
    TokenManager: tokenManager,
    TDT: tdt,
    Vault: vault,
    Finance: finance,
    LPT: lpt,
    holders,
    outsider,
  }
}

/** The script of a vote that pays LPT out of the Vault: the id of CallsScript, then address, length and data of the call. */
export function paymentScript(dao: Dao, receiver: Address, amount: bigint): Hex {
  const args = [dao.LPT, receiver, amount, 'payment'] as const
  const call = encodeFunctionData({ abi: ABI, functionName: 'newImmediatePayment', args })
  return concat(['0x00000001', dao.Finance, numberToHex(size(call), { size: 4 }), call])
}

/** Sends transactions of one account, each in a block of its own. */
class Deployer {
  readonly #client: ChainClient
  readonly #account: Address

  constructor(client: ChainClient, account: Address) {
    this.#client = client
    this.#account = account
  }

  /** Creates a contract from the artifact of an npm package of Aragon's. */
  async deploy(source: string, name: string, args: readonly unknown[] = []): Promise<Address> {
    const file = createRequire(import.meta.url).resolve(`@aragon/${source}/build/contracts/${name}.json`)
    const { abi, bytecode } = JSON.parse(readFileSync(file, 'utf8')) as { abi: Abi; bytecode: Hex }
    const hash = await this.#client.deployContract({ abi, bytecode, args, account: this.#account })
    const { contractAddress } = await this.#mined(hash, name)
    return contractAddress ?? zeroAddress
  }

  async send(to: Address, data: Hex): Promise<TransactionReceipt> {
    const hash = await this.#client.sendTransaction({ account: this.#account, to, data, gas: GAS })
    return this.#mined(hash, `${data.slice(0, 10)} of ${to}`)
  }

  async #mined(hash: Hex, what: string): Promise<TransactionReceipt> {
    const receipt = await this.#client.waitForTransactionReceipt({ hash })
    if (receipt.status !== 'success') throw new Error(`${what} was reverted`)
    return receipt
  }
}
