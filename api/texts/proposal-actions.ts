// What a treasury proposal does, in words, and the id that the governor gives it. Pure; integers and exact decimals only.
import {
  type AbiFunction,
  type AbiParameter,
  decodeAbiParameters,
  encodeAbiParameters,
  formatEther,
  formatUnits,
  type Hex,
  keccak256,
  parseAbiItem,
  stringToHex,
  toFunctionSelector,
  zeroHash,
} from 'viem'

/** One call of a proposal: LivepeerGovernor's targets[i], values[i] (wei of ETH) and calldatas[i]. */
export interface ProposalAction {
  target: string
  value: bigint
  /** 0x-prefixed hex. */
  calldata: string
}

/** What a proposal's id is made of, in the order of ProposalCreated. */
export interface ProposalContent {
  targets: readonly string[]
  values: readonly bigint[]
  calldatas: readonly string[]
  description: string
  /** The hash of the description as it is on the chain, which may not be that of what can be stored; null where it is not known. */
  descriptionHash: string | null
}

/** Words for a number, given whether the call's target is an LPT contract. */
type Unit = (value: bigint, isLpt: boolean) => string

const lpt: Unit = (value) => amountText(value, 'LPT')
const eth: Unit = (value) => amountText(value, 'ETH')
/** The token is the target itself, and how many decimals another one has is not known. */
const token: Unit = (value, isLpt) => (isLpt ? amountText(value, 'LPT') : `${value} units`)
/** MathUtils: 100 % is 10^6. */
const perc: Unit = (value) => percentText(value, 6)
/** MathUtilsV2, which is the L2 Minter's: 100 % is 10^9. */
const percV2: Unit = (value) => percentText(value, 9)
/** PreciseMathUtils: 100 % is 10^27. */
const precisePerc: Unit = (value) => percentText(value, 27)
const rounds: Unit = (value) => countText(value, 'round')
const blocks: Unit = (value) => countText(value, 'block')
const seconds: Unit = (value) => countText(value, 'second')

/**
 * The functions known, with the unit of each number that has one. Sources: livepeer/protocol (branch delta) and
 * OpenZeppelin Contracts Upgradeable 4.9.2, which its governor and treasury inherit from.
 */
const FUNCTIONS: readonly (readonly [signature: string, units?: Readonly<Record<string, Unit>>])[] = [
  // ERC-20
  ['transfer(address to, uint256 amount)', { amount: token }],
  ['approve(address spender, uint256 amount)', { amount: token }],
  ['transferFrom(address from, address to, uint256 amount)', { amount: token }],
  // LivepeerGovernor
  ['setVotingDelay(uint256 newVotingDelay)', { newVotingDelay: rounds }],
  ['setVotingPeriod(uint256 newVotingPeriod)', { newVotingPeriod: rounds }],
  ['setProposalThreshold(uint256 newProposalThreshold)', { newProposalThreshold: lpt }],
  ['updateQuorumNumerator(uint256 newQuorumNumerator)', { newQuorumNumerator: perc }],
  ['updateTimelock(address newTimelock)'],
  ['relay(address target, uint256 value, bytes data)', { value: eth }],
  ['bumpGovernorVotesTokenAddress()'],
  // Treasury (TimelockController, AccessControl)
  ['updateDelay(uint256 newDelay)', { newDelay: seconds }],
  [
    'schedule(address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt, uint256 delay)',
    { value: eth, delay: seconds },
  ],
  [
    'scheduleBatch(address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt, uint256 delay)',
    { values: eth, delay: seconds },
  ],
  ['execute(address target, uint256 value, bytes payload, bytes32 predecessor, bytes32 salt)', { value: eth }],
  [
    'executeBatch(address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt)',
    { values: eth },
  ],
  ['cancel(bytes32 id)'],
  ['grantRole(bytes32 role, address account)'],
  ['revokeRole(bytes32 role, address account)'],
  ['renounceRole(bytes32 role, address account)'],
  // BondingManager
  ['setUnbondingPeriod(uint64 unbondingPeriod)', { unbondingPeriod: rounds }],
  ['setTreasuryRewardCutRate(uint256 cutRate)', { cutRate: precisePerc }],
  ['setTreasuryBalanceCeiling(uint256 ceiling)', { ceiling: lpt }],
  ['setNumActiveTranscoders(uint256 numActiveTranscoders)'],
  ['setCurrentRoundTotalActiveStake()'],
  ['bond(uint256 amount, address to)', { amount: lpt }],
  ['unbond(uint256 amount)', { amount: lpt }],
  ['withdrawStake(uint256 unbondingLockId)'],
  ['withdrawFees(address recipient, uint256 amount)', { amount: eth }],
  // Controller (Pausable, Ownable), and Manager's setController
  ['setContractInfo(bytes32 id, address contractAddress, bytes20 gitCommitHash)'],
  ['updateController(bytes32 id, address controller)'],
  ['pause()'],
  ['unpause()'],
  ['transferOwnership(address newOwner)'],
  ['setController(address controller)'],
  // Minter
  ['setTargetBondingRate(uint256 targetBondingRate)', { targetBondingRate: percV2 }],
  ['setInflationChange(uint256 inflationChange)', { inflationChange: percV2 }],
  ['migrateToNewMinter(address newMinter)'],
  // RoundsManager
  ['setRoundLength(uint256 roundLength)', { roundLength: blocks }],
  ['setRoundLockAmount(uint256 roundLockAmount)', { roundLockAmount: perc }],
  ['setLIPUpgradeRound(uint256 lip, uint256 round)'],
  // TicketBroker
  ['setUnlockPeriod(uint256 unlockPeriod)', { unlockPeriod: rounds }],
  ['setTicketValidityPeriod(uint256 ticketValidityPeriod)', { ticketValidityPeriod: rounds }],
]

/** Of the Treasury's and LivepeerToken's AccessControl; the default admin's is 0. */
const ROLES = ['TIMELOCK_ADMIN_ROLE', 'PROPOSER_ROLE', 'EXECUTOR_ROLE', 'CANCELLER_ROLE', 'MINTER_ROLE', 'BURNER_ROLE']

/** Names in the Controller's registry, whose ids are their hashes; a ManagerProxy's implementation ends in Target. */
const CONTRACTS = [
  'BondingManager',
  'BondingVotes',
  'JobsManager',
  'L2LPTDataCache',
  'LivepeerGovernor',
  'LivepeerToken',
  'MerkleSnapshot',
  'Minter',
  'PollCreator',
  'RoundsManager',
  'ServiceRegistry',
  'TicketBroker',
  'Treasury',
].flatMap((name) => [name, `${name}Target`])

const NAME_BY_HASH = new Map([...ROLES, ...CONTRACTS].map((name) => [keccak256(stringToHex(name)) as string, name]))

const FUNCTION_BY_SELECTOR = new Map(
  FUNCTIONS.map(([signature, units = {}]) => {
    const abi = parseAbiItem(`function ${signature}`) as AbiFunction
    return [toFunctionSelector(abi) as string, { abi, units }]
  }),
)

/** Hex digits above which calldata is not decoded: offsets that share their data would multiply it in memory. */
const MAX_CALLDATA_LENGTH = 100_000

/** Calls within calls (relay, schedule) are read this deep; below it their bytes are shown. */
const MAX_DEPTH = 3

/**
 * A proposal's call as text, such as `transfer(to: 0x…, amount: 1234.5 LPT (1234500000000000000000 wei))`; null where
 * the function is not known or its arguments are not exactly the calldata, and for a call that does nothing.
 *
 * Every number keeps all its digits: amounts and rates are exact decimals with the integer sent beside them, and ETH
 * sent along is named. A token's amount is in LPT where the target is one of `lptAddresses` (lower case), else in its
 * units. A function is known by its selector alone, so a foreign contract's function of the same signature reads as if
 * it were Livepeer's on Arbitrum.
 */
export function decodeAction(action: ProposalAction, lptAddresses: readonly string[] = []): string | null {
  const calldata = action.calldata.toLowerCase()
  if (calldata === '0x') return action.value > 0n ? `send ${eth(action.value, false)}` : null
  const call = callText(action.target, calldata, lptAddresses, 1)
  if (call === null) return null
  return action.value > 0n ? `${call} with ${eth(action.value, false)}` : call
}

/**
 * The id that LivepeerGovernor gives a proposal: OpenZeppelin Governor.hashProposal, the hash of the ABI encoding of
 * targets, values, calldatas and the description's hash, as an unsigned number. Where descriptionHash is not known, that
 * of the description as it is stored. Throws viem's error where a target is not an address or a value not a uint256;
 * calldatas that are not 0x-prefixed bytes are not noticed.
 */
function recomputeProposalId({ targets, values, calldatas, description, descriptionHash }: ProposalContent): bigint {
  const hash = (descriptionHash ?? keccak256(stringToHex(description))) as Hex
  const encoded = encodeAbiParameters(
    [{ type: 'address[]' }, { type: 'uint256[]' }, { type: 'bytes[]' }, { type: 'bytes32' }],
    [targets.map((target) => target.toLowerCase() as Hex), values, calldatas as readonly Hex[], hash],
  )
  return BigInt(keccak256(encoded))
}

/**
 * Whether a proposal's id is the hash of its own parts. Null where that cannot be told: what the chain has as description
 * is not known, and of what is stored NUL characters may be missing and bytes that are not UTF-8 replaced.
 */
export function isProposalIdRight(proposal: ProposalContent & { proposalId: bigint }): boolean | null {
  if (recomputeProposalId(proposal) === proposal.proposalId) return true
  return proposal.descriptionHash === null ? null : false
}

function callText(target: string, calldata: string, lptAddresses: readonly string[], depth: number): string | null {
  const known = FUNCTION_BY_SELECTOR.get(calldata.slice(0, 10))
  const values = known && argumentsOf(known.abi, calldata)
  if (known === undefined || values === undefined) return null
  const isLpt = lptAddresses.includes(target.toLowerCase())
  const { inputs } = known.abi

  /** A call's bytes stand beside its target: `data` or `payload` beside `target`, `payloads[i]` beside `targets[i]`. */
  const targets = [values[inputs.findIndex(({ name }) => name === 'target' || name === 'targets')]].flat()

  const valueText = (input: AbiParameter, value: unknown, index: number): string => {
    if (Array.isArray(value)) return `[${value.map((element, i) => valueText(input, element, i)).join(', ')}]`
    if (typeof value === 'bigint') return known.units[input.name ?? '']?.(value, isLpt) ?? String(value)
    const text = String(value).toLowerCase()
    if (input.type.startsWith('bytes32')) return hashText(input, text)
    if (!/^bytes(\[\])?$/.test(input.type) || depth >= MAX_DEPTH) return text
    const inner = targets[index]
    return (typeof inner === 'string' && callText(inner, text, lptAddresses, depth + 1)) || text
  }

  return `${known.abi.name}(${inputs.map((input, i) => `${input.name}: ${valueText(input, values[i], 0)}`).join(', ')})`
}

/** The arguments; undefined where encoding them again does not give the same calldata, such as with bytes left over. */
function argumentsOf(abi: AbiFunction, calldata: string): readonly unknown[] | undefined {
  if (calldata.length > MAX_CALLDATA_LENGTH || !/^0x([0-9a-f]{2})*$/.test(calldata)) return undefined
  const encoded: Hex = `0x${calldata.slice(10)}`
  try {
    const values = abi.inputs.length === 0 ? [] : decodeAbiParameters(abi.inputs, encoded)
    return encodeAbiParameters(abi.inputs, values) === encoded ? values : undefined
  } catch {
    return undefined
  }
}

function hashText(input: AbiParameter, hash: string): string {
  const name = input.name === 'role' && hash === zeroHash ? 'DEFAULT_ADMIN_ROLE' : NAME_BY_HASH.get(hash)
  return name === undefined ? hash : `${name} (${hash})`
}

function amountText(wei: bigint, symbol: string): string {
  return wei === 0n ? `0 ${symbol}` : `${formatEther(wei)} ${symbol} (${wei} wei)`
}

function percentText(value: bigint, decimals: number): string {
  return `${formatUnits(value, decimals - 2)}% (${value} / 10^${decimals})`
}

function countText(value: bigint, unit: string): string {
  return `${value} ${unit}${value === 1n ? '' : 's'}`
}
