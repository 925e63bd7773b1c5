import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { encodeAbiParameters, encodeEventTopics, type Hex, keccak256, parseAbi, toHex } from 'viem'
import { traceFile } from './livepeer-truth.ts'

const ABI = parseAbi([
  'event PollCreated(address indexed poll, bytes proposal, uint256 endBlock, uint256 quorum, uint256 quota)',
  'event Vote(address indexed voter, uint256 choiceID)',
])

const POLL_CREATOR = '0xbf824edb6b94d9b52d972d5b25bcc19b4e6e3f3c'

/** A poll that ended at the block of round 20's NewRound, and one that is open; both have the same votes. */
export const POLLS = {
  ended: { address: `0x${'0'.repeat(36)}9011`, endBlock: 804 },
  open: { address: `0x${'0'.repeat(36)}9012`, endBlock: 100_000 },
} as const

/** What voters sent, in order: from each block on who chose which number. */
export type Sent = readonly { block: number; voter: string; choice: number }[]

/** Writes the recorded trace of Ethereum L1, and its calls beside it, with polls in blocks that had nothing. Gives its path. */
export function writeTraceWithPolls(folder: string, sent: Sent): string {
  const recorded = traceFile('livepeer-l1/small')
  const [header = '', ...lines] = gunzipSync(readFileSync(recorded)).toString().trim().split('\n')
  const blocks = lines.map((line) => JSON.parse(line) as { number: number; timestamp: number })
  const { contracts, ...rest } = JSON.parse(header) as { contracts: object }
  const [proposer = ''] = sent.map(({ voter }) => voter)
  const logs = [
    ...Object.values(POLLS).map(({ address, endBlock }) => ({
      ...created(address, endBlock),
      from: proposer,
      block: 681,
    })),
    ...sent.flatMap(({ block, voter, choice }) =>
      Object.values(POLLS).map(({ address }) => ({ ...voted(address, voter, choice), from: voter, block })),
    ),
  ]
  const added = [...new Set(logs.map(({ block }) => block))].map((number) => {
    const before = blocks.findLast((block) => block.number < number)
    return {
      number,
      hash: keccak256(toHex(`block ${number}`)),
      timestamp: (before?.timestamp ?? 0) + number - (before?.number ?? 0),
      logs: logs
        .filter(({ block }) => block === number)
        .map(({ block, ...log }, logIndex) => {
          const transactionHash = keccak256(toHex(`transaction ${block} ${logIndex}`))
          return { ...log, transactionHash, transactionIndex: logIndex, logIndex }
        }),
    }
  })
  const all = [...blocks, ...added].sort((a, b) => a.number - b.number)
  const withPolls = { ...rest, contracts: { ...contracts, PollCreator: POLL_CREATOR } }
  const file = join(folder, 'trace.jsonl.gz')
  writeFileSync(file, gzipSync([withPolls, ...all].map((line) => JSON.stringify(line)).join('\n')))
  copyFileSync(join(dirname(recorded), 'calls.json.gz'), join(folder, 'calls.json.gz'))
  return file
}

function created(poll: Hex, endBlock: number) {
  const types = [{ type: 'bytes' }, { type: 'uint256' }, { type: 'uint256' }, { type: 'uint256' }] as const
  const data = encodeAbiParameters(types, ['0x6162', BigInt(endBlock), 333_300n, 500_000n])
  return {
    address: POLL_CREATOR,
    topics: encodeEventTopics({ abi: ABI, eventName: 'PollCreated', args: { poll } }),
    data,
  }
}

function voted(poll: string, voter: string, choice: number) {
  const topics = encodeEventTopics({ abi: ABI, eventName: 'Vote', args: { voter: voter as Hex } })
  return { address: poll, topics, data: encodeAbiParameters([{ type: 'uint256' }], [BigInt(choice)]) }
}
