import { keccak256, toHex } from 'viem'
import { type MomentMark, tableOfSnapshot } from '../../api/files/export-tables.ts'
import { type Format, renderTable } from '../../api/files/table-file.ts'
import type { VotingPower } from '../../api/rules/voting-power.ts'
import { StakeSnapshot } from '../../api/views/stake-snapshot.ts'

/** How long something about a snapshot took to make. */
export interface FileResult {
  name: string
  holders: number
  bytes: number
  /** The run in the middle. */
  milliseconds: number
}

const ROUND = 4000
const RUNS = 7
const MOMENT = { round: ROUND, block: null }
const MARK: MomentMark = {
  network: 'synthetic',
  round: ROUND,
  final: true,
  block: 300_000_000,
  blockHash: keccak256('0x'),
}

/** Times files of made-up snapshots, as no recording has so many holders; what is asked of graph-node is not in it. */
export async function measureSnapshotFiles(): Promise<FileResult[]> {
  const results: FileResult[] = []
  for (const holders of [5_000, 50_000]) {
    for (const format of ['csv', 'json', 'ndjson'] as const) results.push(await measureFile(holders, format))
  }
  results.push(measureProof(5_000))
  return results
}

async function measureFile(holders: number, format: Format): Promise<FileResult> {
  const table = tableOfSnapshot(syntheticSnapshot(holders), 'livepeer-governance/snapshot/1', MARK)
  const times: number[] = []
  let bytes = 0
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now()
    const file = await renderTable(table, format)
    times.push(performance.now() - started)
    bytes = file.length
  }
  return { name: `snapshot as ${format}`, holders, bytes, milliseconds: middle(times) }
}

function measureProof(holders: number): FileResult {
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const snapshot = syntheticSnapshot(holders)
    const [first] = snapshot.holders
    const started = performance.now()
    if (first === undefined || snapshot.votesProof(first) === null) throw new Error('no proof')
    times.push(performance.now() - started)
  }
  return { name: 'first Merkle proof', holders, bytes: 0, milliseconds: middle(times) }
}

/** Every fiftieth account is a transcoder that the next ones delegate to; amounts have as many digits as real ones. */
function syntheticSnapshot(holders: number): StakeSnapshot {
  const account = (index: number) => `0x${keccak256(toHex(index)).slice(26)}`
  const powers = Array.from({ length: holders }, (_, index): VotingPower => {
    const isTranscoder = index % 50 === 0
    const stake = (BigInt(keccak256(toHex(index + holders))) % 10n ** 23n) + 1n
    return {
      account: account(index),
      ...MOMENT,
      votes: isTranscoder ? stake * 20n : stake,
      delegate: account(index - (index % 50)),
      isTranscoder,
      isActive: isTranscoder && index < 5000,
      stake,
      bondedAmount: stake - 1n,
      delegatedStake: isTranscoder ? stake * 20n : 0n,
      checkpointed: true,
    }
  })
  const total = powers.reduce((sum, { stake }) => sum + (stake ?? 0n), 0n)
  return new StakeSnapshot('made up', MOMENT, total, total, powers, true)
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN
}
