import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { parseDocument, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { gnd } from './graph-node.ts'
import type { Contract, Contracts } from './networks.ts'
import { StackError } from './processes.ts'

/** The subgraph that indexes a network. */
export interface SubgraphChoice {
  /** File name of the manifest in the project's folder. */
  manifest: string
  /** Data sources whose contracts the network has. */
  included: string[]
  /** Data sources left out, for want of an address. */
  leftOut: string[]
}

/**
 * Picks the manifest for a network, `subgraph.yaml` or a `subgraph.*.yaml` beside it: the one written for the public
 * network it is a likeness of, where that is known, else the one with the most data sources whose contracts are known. A
 * data source's contract is known by the source's name or by that of its ABI.
 */
export function chooseSubgraph(
  project: string,
  network: string,
  contracts: Contracts,
  likeness?: string,
): SubgraphChoice {
  const manifests = readdirSync(project).filter((name) => /^subgraph(\.[\w-]+)?\.yaml$/.test(name))
  const writtenFor = manifests.filter((manifest) =>
    dataSources(join(project, manifest)).some((source) => source.get('network') === likeness),
  )
  const candidates = likeness === undefined || writtenFor.length === 0 ? manifests : writtenFor
  const choices = candidates.sort(byLength).map((manifest): SubgraphChoice => {
    const sources = dataSources(join(project, manifest))
    const isKnown = (source: YAMLMap) => findContract(contracts, source) !== undefined
    return {
      manifest,
      included: sources.filter(isKnown).map(nameOf),
      leftOut: sources.filter((source) => !isKnown(source)).map(nameOf),
    }
  })
  const [best] = choices.sort((a, b) => b.included.length - a.included.length)
  if (!best || best.included.length === 0) throw new StackError(`no contract of the subgraph is known on ${network}`)
  return best
}

/**
 * Compiles a subgraph and gives the folder of the build. A build of the same sources is used again. Sources are copied
 * first: nobody sees half-generated types, and edits during the build cannot get in between.
 */
export async function buildSubgraph(project: string, manifest: string, signal: AbortSignal): Promise<string> {
  const inputs = [manifest, 'schema.graphql', 'mappings', 'subgraph', 'package-lock.json']
  const builds = join(project, 'build')
  const target = join(
    builds,
    contentHash(
      project,
      inputs.flatMap((input) => filesBelow(project, input)),
    ),
  )
  if (existsSync(target)) return target

  mkdirSync(builds, { recursive: true })
  const workshop = mkdtempSync(join(builds, 'building-'))
  try {
    for (const input of inputs)
      cpSync(join(project, input), join(workshop, input), { recursive: true, filter: isSource })
    // gnd looks for the AssemblyScript compiler and graph-ts beside the manifest.
    symlinkSync(join(project, 'node_modules'), join(workshop, 'node_modules'))
    await run(['codegen', '--output-dir', 'subgraph/generated', manifest], workshop, signal)
    await run(['build', '--output-dir', 'built', manifest], workshop, signal)
    try {
      renameSync(join(workshop, 'built'), target)
    } catch (error) {
      // Another start built the same in the meantime.
      if (!existsSync(target)) throw error
    }
  } finally {
    rmSync(workshop, { recursive: true, force: true })
  }
  return target
}

/**
 * Writes the copy of a build for one network below a folder: addresses, start blocks and network name put in, data
 * sources without a contract left out. The path names the content, so that graph-node takes a changed build for a new
 * one. Gives the path of the manifest.
 */
export function writeNetworkBuild(build: string, network: string, contracts: Contracts, folder: string): string {
  mkdirSync(folder, { recursive: true })
  const workshop = mkdtempSync(join(folder, 'writing-'))
  cpSync(build, workshop, { recursive: true })
  const manifest = join(workshop, MANIFEST)
  writeFileSync(manifest, networkManifest(readFileSync(manifest, 'utf8'), network, contracts))
  const target = join(folder, `${network}-${contentHash(workshop, filesBelow(workshop, '.'))}`)
  if (existsSync(target)) rmSync(workshop, { recursive: true })
  else renameSync(workshop, target)
  return join(target, MANIFEST)
}

/** The text of a manifest with the contracts of one network in place of those it was built with. */
export function networkManifest(text: string, network: string, contracts: Contracts): string {
  // Everything stays a string: an address that looks like a number must not become one.
  const document = parseDocument(text, { schema: 'failsafe' })
  const all = sequence(document.get('dataSources'))
  const addresses = new Map(
    all.map((source) => [addressOf(source).toLowerCase(), findContract(contracts, source)?.address]),
  )
  const sources = all.filter((source) => findContract(contracts, source) !== undefined && putTopics(source, addresses))
  for (const source of sources) {
    const contract = findContract(contracts, source)
    source.set('network', network)
    source.setIn(['source', 'address'], quoted(contract?.address ?? ''))
    source.setIn(['source', 'startBlock'], String(contract?.startBlock ?? 0))
  }
  const kept = new YAMLSeq<YAMLMap>()
  kept.items = sources
  document.set('dataSources', kept)
  for (const template of sequence(document.get('templates'))) template.set('network', network)
  return document.toString()
}

const MANIFEST = 'subgraph.yaml'

function dataSources(manifest: string): YAMLMap[] {
  return sequence(parseDocument(readFileSync(manifest, 'utf8'), { schema: 'failsafe' }).get('dataSources'))
}

function sequence(node: unknown): YAMLMap[] {
  return node instanceof YAMLSeq ? node.items.filter((item) => item instanceof YAMLMap) : []
}

function nameOf(source: YAMLMap): string {
  return String(source.get('name'))
}

function findContract(contracts: Contracts, source: YAMLMap): Contract | undefined {
  return contracts[nameOf(source)] ?? contracts[String(source.getIn(['source', 'abi']))]
}

function addressOf(source: YAMLMap): string {
  return String(source.getIn(['source', 'address']))
}

/**
 * Puts the network's addresses in place of those a source's handlers filter their logs by, and drops handlers that
 * filter by a contract the network has not. Whether any handler is left.
 */
function putTopics(source: YAMLMap, addresses: ReadonlyMap<string, string | undefined>): boolean {
  const handlers = source.getIn(['mapping', 'eventHandlers'])
  if (!(handlers instanceof YAMLSeq)) return true
  handlers.items = sequence(handlers).filter((handler) =>
    ['topic1', 'topic2', 'topic3'].every((topic) => {
      const values = handler.get(topic)
      if (!(values instanceof YAMLSeq)) return true
      const replaced = values.items
        .map(String)
        .map((value) => (addresses.has(value.toLowerCase()) ? addresses.get(value.toLowerCase()) : value))
      values.items = replaced.flatMap((value) => (value === undefined ? [] : [quoted(value)]))
      return values.items.length > 0
    }),
  )
  return handlers.items.length > 0
}

function quoted(text: string): Scalar {
  const scalar = new Scalar(text)
  scalar.type = Scalar.QUOTE_DOUBLE
  return scalar
}

function byLength(a: string, b: string): number {
  return a.length - b.length
}

function isSource(path: string): boolean {
  return basename(path) !== 'generated'
}

function filesBelow(root: string, path: string): string[] {
  const full = join(root, path)
  if (!isSource(full)) return []
  if (!statSync(full).isDirectory()) return [relative(root, full)]
  return readdirSync(full)
    .sort()
    .flatMap((name) => filesBelow(root, join(path, name)))
}

function contentHash(root: string, files: string[]): string {
  const hash = createHash('sha256')
  for (const file of files) {
    const content = readFileSync(join(root, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex').slice(0, 16)
}

async function run(args: string[], cwd: string, signal: AbortSignal): Promise<void> {
  try {
    await promisify(execFile)(gnd(), args, { cwd, signal, maxBuffer: 100_000_000 })
  } catch (error) {
    signal.throwIfAborted()
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new StackError(`the subgraph does not build:\n${stdout}${stderr}`)
  }
}
