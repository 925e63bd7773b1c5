import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import {
  type AbiFunction,
  concat,
  decodeEventLog,
  encodeAbiParameters,
  type Hex,
  keccak256,
  parseAbi,
  parseAbiItem,
  parseAbiParameters,
  stringToHex,
  toEventSelector,
  toFunctionSelector,
  zeroHash,
} from 'viem'
import { describe, expect, test } from 'vitest'
import { decodeAction, isProposalIdRight } from '../../api/texts/proposal-actions.ts'

const LPT = '0x289ba1701c2f088cf0faf8b3705246331cb8a839'
const TARGET = `0x${'a'.repeat(40)}` as const
const ACCOUNT = `0x${'b'.repeat(40)}` as const
const SALT = `0x${'c'.repeat(64)}` as const

function calldata(signature: string, args: readonly unknown[] = []): Hex {
  const abi = parseAbiItem(`function ${signature}`) as AbiFunction
  return concat([toFunctionSelector(abi), encodeAbiParameters(abi.inputs, args)])
}

/** The text of a call to a contract that is no token, without ETH. */
function decoded(signature: string, args: readonly unknown[] = []): string | null {
  return decodeAction({ target: TARGET, value: 0n, calldata: calldata(signature, args) })
}

describe('token amounts', () => {
  const transfer = calldata('transfer(address,uint256)', [ACCOUNT, 1234500000000000000000n])

  test('in LPT with all decimals, and in wei, where the target is LPT', () => {
    expect(decodeAction({ target: LPT, value: 0n, calldata: transfer }, [LPT])).toBe(
      `transfer(to: ${ACCOUNT}, amount: 1234.5 LPT (1234500000000000000000 wei))`,
    )
    const approve = calldata('approve(address,uint256)', [ACCOUNT, 900_000_000_000_000_000_000_000_001n])
    expect(decodeAction({ target: LPT, value: 0n, calldata: approve }, [LPT])).toBe(
      `approve(spender: ${ACCOUNT}, amount: 900000000.000000000000000001 LPT (900000000000000000000000001 wei))`,
    )
    const none = calldata('transferFrom(address,address,uint256)', [TARGET, ACCOUNT, 0n])
    expect(decodeAction({ target: LPT, value: 0n, calldata: none }, [LPT])).toBe(
      `transferFrom(from: ${TARGET}, to: ${ACCOUNT}, amount: 0 LPT)`,
    )
  })

  test('whatever the case of the target and the calldata', () => {
    const shouted = {
      target: `0x${LPT.slice(2).toUpperCase()}`,
      value: 0n,
      calldata: `0x${transfer.slice(2).toUpperCase()}`,
    }
    expect(decodeAction(shouted, [LPT])).toContain('1234.5 LPT')
  })

  test('in units where the token is another one', () => {
    const units = `transfer(to: ${ACCOUNT}, amount: 1234500000000000000000 units)`
    expect(decodeAction({ target: TARGET, value: 0n, calldata: transfer }, [LPT])).toBe(units)
    expect(decodeAction({ target: LPT, value: 0n, calldata: transfer })).toBe(units)
  })
})

describe('ETH', () => {
  test('sent alone', () => {
    expect(decodeAction({ target: TARGET, value: 1_500_000_000_000_000_000n, calldata: '0x' })).toBe(
      'send 1.5 ETH (1500000000000000000 wei)',
    )
    expect(decodeAction({ target: TARGET, value: 1n, calldata: '0x' })).toBe('send 0.000000000000000001 ETH (1 wei)')
  })

  test('sent with a call', () => {
    expect(decodeAction({ target: TARGET, value: 10n ** 18n, calldata: calldata('pause()') })).toBe(
      'pause() with 1 ETH (1000000000000000000 wei)',
    )
  })

  test('a call of nothing with nothing', () => {
    expect(decodeAction({ target: TARGET, value: 0n, calldata: '0x' })).toBeNull()
  })
})

describe('governor, treasury and protocol', () => {
  test.each([
    ['setVotingDelay(uint256)', [1n], 'setVotingDelay(newVotingDelay: 1 round)'],
    ['setVotingPeriod(uint256)', [10n], 'setVotingPeriod(newVotingPeriod: 10 rounds)'],
    [
      'setProposalThreshold(uint256)',
      [100n * 10n ** 18n],
      'setProposalThreshold(newProposalThreshold: 100 LPT (100000000000000000000 wei))',
    ],
    ['updateQuorumNumerator(uint256)', [333300n], 'updateQuorumNumerator(newQuorumNumerator: 33.33% (333300 / 10^6))'],
    ['updateTimelock(address)', [ACCOUNT], `updateTimelock(newTimelock: ${ACCOUNT})`],
    ['bumpGovernorVotesTokenAddress()', [], 'bumpGovernorVotesTokenAddress()'],
    ['updateDelay(uint256)', [86400n], 'updateDelay(newDelay: 86400 seconds)'],
    ['cancel(bytes32)', [SALT], `cancel(id: ${SALT})`],
    ['setUnbondingPeriod(uint64)', [7n], 'setUnbondingPeriod(unbondingPeriod: 7 rounds)'],
    [
      'setTreasuryRewardCutRate(uint256)',
      [10n ** 26n + 1n],
      'setTreasuryRewardCutRate(cutRate: 10.0000000000000000000000001% (100000000000000000000000001 / 10^27))',
    ],
    [
      'setTreasuryBalanceCeiling(uint256)',
      [750_000n * 10n ** 18n],
      'setTreasuryBalanceCeiling(ceiling: 750000 LPT (750000000000000000000000 wei))',
    ],
    ['setNumActiveTranscoders(uint256)', [100n], 'setNumActiveTranscoders(numActiveTranscoders: 100)'],
    ['bond(uint256,address)', [1n, ACCOUNT], `bond(amount: 0.000000000000000001 LPT (1 wei), to: ${ACCOUNT})`],
    [
      'setTargetBondingRate(uint256)',
      [500_000_000n],
      'setTargetBondingRate(targetBondingRate: 50% (500000000 / 10^9))',
    ],
    ['setInflationChange(uint256)', [500n], 'setInflationChange(inflationChange: 0.00005% (500 / 10^9))'],
    ['setRoundLength(uint256)', [6377n], 'setRoundLength(roundLength: 6377 blocks)'],
    ['setRoundLockAmount(uint256)', [100_000n], 'setRoundLockAmount(roundLockAmount: 10% (100000 / 10^6))'],
    ['setLIPUpgradeRound(uint256,uint256)', [36n, 1899n], 'setLIPUpgradeRound(lip: 36, round: 1899)'],
    ['setTicketValidityPeriod(uint256)', [2n], 'setTicketValidityPeriod(ticketValidityPeriod: 2 rounds)'],
    ['unpause()', [], 'unpause()'],
    ['setController(address)', [ACCOUNT], `setController(controller: ${ACCOUNT})`],
  ])('%s', (signature, args, text) => {
    expect(decoded(signature, args)).toBe(text)
  })

  test('roles by name', () => {
    // keccak256('PROPOSER_ROLE'), as TimelockController has it.
    const proposer = '0xb09aa5aeb3702cfd50b6b62bc4532604938f21248a27a1d5ca736082b6819cc1'
    expect(decoded('grantRole(bytes32,address)', [proposer, ACCOUNT])).toBe(
      `grantRole(role: PROPOSER_ROLE (${proposer}), account: ${ACCOUNT})`,
    )
    expect(decoded('revokeRole(bytes32,address)', [zeroHash, ACCOUNT])).toBe(
      `revokeRole(role: DEFAULT_ADMIN_ROLE (${zeroHash}), account: ${ACCOUNT})`,
    )
    expect(decoded('renounceRole(bytes32,address)', [SALT, ACCOUNT])).toBe(
      `renounceRole(role: ${SALT}, account: ${ACCOUNT})`,
    )
  })

  test("the Controller's contracts by name", () => {
    // keccak256('Minter'), as the recorded chain's Controller was told.
    const minter = '0x6e58ad548d72b425ea94c15f453bf26caddb061d82b2551db7fdd3cefe0e9940'
    const commit = `0x${'d'.repeat(40)}`
    expect(decoded('setContractInfo(bytes32,address,bytes20)', [minter, ACCOUNT, commit])).toBe(
      `setContractInfo(id: Minter (${minter}), contractAddress: ${ACCOUNT}, gitCommitHash: ${commit})`,
    )
  })
})

describe('calls within calls', () => {
  const pause = calldata('pause()')
  const transfer = calldata('transfer(address,uint256)', [ACCOUNT, 10n ** 18n])
  const grant = `transfer(to: ${ACCOUNT}, amount: 1 LPT (1000000000000000000 wei))`

  test('relay', () => {
    const action = {
      target: TARGET,
      value: 0n,
      calldata: calldata('relay(address,uint256,bytes)', [LPT, 1n, transfer]),
    }
    expect(decodeAction(action, [LPT])).toBe(
      `relay(target: ${LPT}, value: 0.000000000000000001 ETH (1 wei), data: ${grant})`,
    )
  })

  test('schedule and execute', () => {
    expect(
      decoded('schedule(address,uint256,bytes,bytes32,bytes32,uint256)', [ACCOUNT, 0n, pause, zeroHash, SALT, 1n]),
    ).toBe(
      `schedule(target: ${ACCOUNT}, value: 0 ETH, data: pause(), predecessor: ${zeroHash}, salt: ${SALT}, delay: 1 second)`,
    )
    expect(decoded('execute(address,uint256,bytes,bytes32,bytes32)', [ACCOUNT, 0n, '0x', zeroHash, SALT])).toBe(
      `execute(target: ${ACCOUNT}, value: 0 ETH, payload: 0x, predecessor: ${zeroHash}, salt: ${SALT})`,
    )
  })

  test('a batch, each with the target of its place', () => {
    const batch = calldata('executeBatch(address[],uint256[],bytes[],bytes32,bytes32)', [
      [ACCOUNT, LPT, ACCOUNT],
      [0n, 0n, 10n ** 18n],
      ['0x12345678', transfer, transfer],
      zeroHash,
      SALT,
    ])
    expect(decodeAction({ target: TARGET, value: 0n, calldata: batch }, [LPT])).toBe(
      `executeBatch(targets: [${ACCOUNT}, ${LPT}, ${ACCOUNT}], values: [0 ETH, 0 ETH, 1 ETH (1000000000000000000 wei)], ` +
        `payloads: [0x12345678, ${grant}, transfer(to: ${ACCOUNT}, amount: 1000000000000000000 units)], ` +
        `predecessor: ${zeroHash}, salt: ${SALT})`,
    )
  })

  test('more payloads than targets', () => {
    const args = [[ACCOUNT], [], [pause, pause], zeroHash, SALT, 0n]
    expect(decoded('scheduleBatch(address[],uint256[],bytes[],bytes32,bytes32,uint256)', args)).toContain(
      `targets: [${ACCOUNT}], values: [], payloads: [pause(), ${pause}]`,
    )
  })

  test('to a depth that ends', () => {
    const relay = (data: Hex) => calldata('relay(address,uint256,bytes)', [ACCOUNT, 0n, data])
    const text = `relay(target: ${ACCOUNT}, value: 0 ETH, data: `
    const nested = relay(relay(relay(relay(pause))))
    expect(decodeAction({ target: TARGET, value: 0n, calldata: nested })).toBe(
      `${text}${text}${text}${relay(pause)})))`,
    )
  })
})

describe('not decoded', () => {
  const transfer = calldata('transfer(address,uint256)', [ACCOUNT, 1n])
  test.each([
    ['an unknown function', '0x12345678'],
    ['less than a selector', '0xa9059c'],
    ['missing bytes', transfer.slice(0, -2)],
    ['no arguments', transfer.slice(0, 10)],
    ['trailing bytes', `${transfer}00`],
    ['trailing bytes where there are no arguments', `${calldata('pause()')}00`],
    ['an address of more than 20 bytes', `${transfer.slice(0, 10)}01${transfer.slice(12)}`],
    ['half a byte', `${transfer}0`],
    ['no hex', `${transfer.slice(0, -2)}zz`],
    ['no prefix', transfer.slice(2)],
    ['nothing at all', ''],
    [
      'more bytes than a proposal has use for',
      calldata('relay(address,uint256,bytes)', [ACCOUNT, 0n, `0x${'00'.repeat(50_000)}`]),
    ],
    [
      'arguments that share their bytes',
      // Both payloads at the same offset.
      concat([
        toFunctionSelector('executeBatch(address[],uint256[],bytes[],bytes32,bytes32)'),
        ...[0xa0, 0xc0, 0xe0, 0, 0, 0, 0, 2, 0x40, 0x40, 0].map((n): Hex => `0x${n.toString(16).padStart(64, '0')}`),
      ]),
    ],
  ])('%s', (_, data) => {
    expect(decodeAction({ target: TARGET, value: 0n, calldata: data })).toBeNull()
  })
})

const PROPOSAL_CREATED = parseAbi([
  'event ProposalCreated(uint256 proposalId, address proposer, address[] targets, uint256[] values, string[] signatures, bytes[] calldatas, uint256 voteStart, uint256 voteEnd, string description)',
])

interface Header {
  contracts: { LivepeerGovernor: string; LivepeerToken: string }
}
interface Block {
  logs: { address: string; topics: [Hex, ...Hex[]]; data: Hex }[]
}

const traces = new URL('../traces/livepeer/', import.meta.url)
const files = readdirSync(traces)
  .map((name) => [name, new URL(`${name}/trace.jsonl.gz`, traces)] as const)
  .filter(([, file]) => existsSync(file))

test('there are traces', () => {
  expect(files.map(([name]) => name)).toEqual(expect.arrayContaining(['medium', 'small']))
})

describe.each(files)('recorded proposals of %s', (_, file) => {
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
  const { contracts } = JSON.parse(lines[0] ?? '') as Header
  const topic = toEventSelector(PROPOSAL_CREATED[0])
  const proposals = lines
    .filter((line) => line.includes(topic))
    .flatMap((line) => (JSON.parse(line) as Block).logs)
    .filter(({ address, topics }) => address === contracts.LivepeerGovernor && topics[0] === topic)
    .map(({ data, topics }) => decodeEventLog({ abi: PROPOSAL_CREATED, data, topics }).args)

  test('their ids are right', () => {
    expect(proposals).not.toHaveLength(0)
    const answers = proposals.map((proposal) => isProposalIdRight({ ...proposal, descriptionHash: null }))
    expect(answers).toEqual(proposals.map(() => true))
  })

  test('their actions are readable', () => {
    const texts = proposals.flatMap(({ targets, values, calldatas }) =>
      targets.map((target, i) =>
        decodeAction({ target, value: values[i] ?? 0n, calldata: calldatas[i] ?? '' }, [contracts.LivepeerToken]),
      ),
    )
    const readable =
      /^(transfer\(to: 0x[0-9a-f]{40}, amount: \d+(\.\d+)? LPT \(\d+ wei\)\)|updateQuorumNumerator\(newQuorumNumerator: 25\.0107% \(250107 \/ 10\^6\)\)|setProposalThreshold\(newProposalThreshold: [\d.]+ LPT \(\d+ wei\)\))$/
    expect(texts.filter((text) => text === null || !readable.test(text))).toEqual([])
  })
})

describe('whether an id is the hash of its proposal', () => {
  const targets = [TARGET]
  const [values, calldatas]: [bigint[], Hex[]] = [[0n], ['0x']]
  /** What the governor makes the id of. */
  const idOf = (description: Hex) => {
    const types = parseAbiParameters('address[], uint256[], bytes[], bytes32')
    return BigInt(keccak256(encodeAbiParameters(types, [targets, values, calldatas, keccak256(description)])))
  }
  const plain = { targets, values, calldatas, description: '# Zuschuss für é' }
  const proposalId = idOf(stringToHex(plain.description))
  const invalid: Hex = '0x2320ff'

  test.each<[string, Parameters<typeof isProposalIdRight>[0], boolean | null]>([
    ['of what is stored', { ...plain, proposalId, descriptionHash: null }, true],
    [
      'in any letter case',
      { ...plain, targets: [TARGET.toUpperCase().replace('X', 'x')], proposalId, descriptionHash: null },
      true,
    ],
    [
      'of another text, which may be one less a NUL',
      { ...plain, description: '# Zuschuss', proposalId, descriptionHash: null },
      null,
    ],
    ['of a text less a NUL', { ...plain, description: '', proposalId: idOf('0x00'), descriptionHash: null }, null],
    [
      'the same with the hash of its bytes',
      { ...plain, description: '', proposalId: idOf('0x00'), descriptionHash: keccak256('0x00') },
      true,
    ],
    [
      'of bytes that are not UTF-8',
      { ...plain, description: '# \uFFFD', proposalId: idOf(invalid), descriptionHash: null },
      null,
    ],
    [
      'the same with the hash of its bytes',
      { ...plain, description: '# \uFFFD', proposalId: idOf(invalid), descriptionHash: keccak256(invalid) },
      true,
    ],
    [
      'of other calls',
      { ...plain, values: [1n], proposalId, descriptionHash: keccak256(stringToHex(plain.description)) },
      false,
    ],
    ['of another text than that of the bytes', { ...plain, proposalId, descriptionHash: keccak256('0x00') }, false],
  ])('%s', (_, proposal, answer) => {
    expect(isProposalIdRight(proposal)).toBe(answer)
  })
})
