import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { recordedContracts } from '../../stack/chain-plan.ts'
import { buildSubgraph, chooseSubgraph, writeNetworkBuild } from '../../stack/subgraph-build.ts'
import { readTrace } from '../../stack/trace.ts'
import type { ChainSize } from './chain-size.ts'
import { DATA, GrowingIndex, type IndexingSpan, NETWORK, type OnProgress, traceIn } from './growing-index.ts'
import { writeMadeUpChain } from './made-up-chain.ts'
import type { MadeUpTruth } from './made-up-truth.ts'

/** A made-up chain, as its trace lies in a folder. */
export interface MadeUp {
  truth: MadeUpTruth
  generation: { seconds: number; events: number; bytes: number }
}

/** An index that is kept: what it is of, and what it took. */
export interface KeptIndex extends MadeUp {
  chain: ChainSize
  /** Names the content of the subgraph's build. */
  subgraph: string
  /** The block it is indexed up to. */
  head: number
  indexing: IndexingSpan[]
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const DESCRIPTION = 'index.json'

/** Makes up a chain in a folder. */
export async function makeUp(dir: string, size: ChainSize): Promise<MadeUp> {
  const started = performance.now()
  const truth = await writeMadeUpChain(traceIn(dir), size)
  const events = Object.values(truth.events).reduce((sum, count) => sum + count, 0)
  const seconds = (performance.now() - started) / 1000
  return { truth, generation: { seconds, events, bytes: statSync(traceIn(dir)).size } }
}

/**
 * The finished index in a folder, where it is one of this chain by the subgraph as it is now; else one is made there, in
 * spans up to each of the heads, in place of what was there of another. Says which.
 */
export async function keptIndex(
  dir: string,
  size: ChainSize,
  headsOf: (truth: MadeUpTruth) => readonly number[],
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<KeptIndex> {
  const known = describedIn(dir)
  if (known !== undefined && JSON.stringify(known.chain) === JSON.stringify(size)) {
    if (known.subgraph === (await subgraphOf(dir, signal))) {
      onProgress(`measuring on the index kept in ${dir}, up to block ${known.head}`)
      return known
    }
    onProgress(`the index kept in ${dir} is of another build of the subgraph: indexing anew`)
  } else if (known !== undefined) onProgress(`the index kept in ${dir} is of another chain: indexing anew`)
  else onProgress(`no finished index in ${dir}: indexing`)
  return await newIndex(dir, size, headsOf, signal, onProgress)
}

/** A copy of a kept index in a folder of its own: what is measured changes it. */
export async function copyOf(dir: string, copy: string): Promise<void> {
  cpSync(traceIn(dir), traceIn(copy))
  // PostgreSQL's files stay those of the user it runs as.
  await promisify(execFile)('cp', ['-a', join(dir, DATA), copy])
}

async function newIndex(
  dir: string,
  size: ChainSize,
  headsOf: (truth: MadeUpTruth) => readonly number[],
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<KeptIndex> {
  rmSync(join(dir, DESCRIPTION), { force: true })
  rmSync(join(dir, DATA), { recursive: true, force: true })
  mkdirSync(dir, { recursive: true, mode: 0o755 })
  onProgress('making up a chain')
  const madeUp = await makeUp(dir, size)
  const heads = headsOf(madeUp.truth)
  const subgraph = await subgraphOf(dir, signal)
  const index = await GrowingIndex.start(dir, undefined, signal, onProgress)
  const indexing: IndexingSpan[] = []
  try {
    for (const head of heads) {
      const span = await index.advanceTo(head, `indexing up to block ${head}`)
      indexing.push(span)
      onProgress(`indexed: ${JSON.stringify(span)}`)
    }
  } finally {
    await index.stop()
  }
  const kept: KeptIndex = { ...madeUp, chain: size, subgraph, head: index.chain.head, indexing }
  // At the end: what has no description is not finished.
  writeFileSync(join(dir, DESCRIPTION), JSON.stringify(kept))
  return kept
}

function describedIn(dir: string): KeptIndex | undefined {
  const file = join(dir, DESCRIPTION)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as KeptIndex) : undefined
}

/** Names what graph-node would be given for the chain in a folder, by its content. */
async function subgraphOf(dir: string, signal: AbortSignal): Promise<string> {
  const contracts = recordedContracts(await readTrace(traceIn(dir)))
  const { manifest } = chooseSubgraph(PROJECT, NETWORK, contracts)
  const build = await buildSubgraph(PROJECT, manifest, signal)
  const folder = mkdtempSync(join(tmpdir(), 'livepeer-governance-build-'))
  try {
    return basename(dirname(writeNetworkBuild(build, NETWORK, contracts, folder)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
