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
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { parseDocument, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { CONTEXT_TYPES, type Contract, type Contracts, contextKeys } from './networks.ts'
import { StackError } from './processes.ts'

const GRAPH_CLI = join(
  dirname(createRequire(import.meta.url).resolve('@graphprotocol/graph-cli/package.json')),
  'bin/run.js',
)

/** The subgraph that indexes a network. */
export interface SubgraphChoice {
  /** File name of the manifest in the project's folder. */
  manifest: string
  /** Data sources whose contracts the network has, those of a DAO once for each. */
  included: string[]
  /** Data sources left out, for want of an address. */
  leftOut: string[]
}

/**
 * Picks the manifest for a network, `subgraph.yaml` or a `subgraph.*.yaml` beside it: the one written for the public
 * network it is a likeness of, where that is known, else the one with the most data sources whose contracts are known.
 */
export function chooseSubgraph(
  project: string,
  network: string,
  contracts: Contracts,
  likeness?: string,
): SubgraphChoice {
  const manifests = subgraphManifests(project)
  const writtenFor = manifests.filter((manifest) =>
    dataSources(join(project, manifest)).some((source) => source.get('network') === likeness),
  )
  const candidates = likeness === undefined || writtenFor.length === 0 ? manifests : writtenFor
  const choices = candidates.sort(byLength).map((manifest): SubgraphChoice => {
    const sources = sourcesOf(dataSources(join(project, manifest)), contracts)
    return {
      manifest,
      included: sources.filter(({ contract }) => contract !== undefined).map(({ name }) => name),
      leftOut: sources.filter(({ contract }) => contract === undefined).map(({ name }) => name),
    }
  })
  const [best] = choices.sort((a, b) => b.included.length - a.included.length)
  if (!best || best.included.length === 0) throw new StackError(`no contract of the subgraph is known on ${network}`)
  return best
}

/** File names of the manifests in the project's folder: `subgraph.yaml` or a `subgraph.*.yaml` beside it. */
export function subgraphManifests(project: string): string[] {
  return readdirSync(project).filter((name) => /^subgraph(\.[\w-]+)?\.yaml$/.test(name))
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

  const workshop = makeWorkshop(builds)
  try {
    for (const input of inputs)
      cpSync(join(project, input), join(workshop, input), { recursive: true, filter: isSource })
    // The compiler looks for graph-ts beside the manifest.
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

function makeWorkshop(builds: string): string {
  try {
    mkdirSync(builds, { recursive: true })
    return mkdtempSync(join(builds, 'building-'))
  } catch (error) {
    const how = 'npm run prepare builds it ahead, run by whoever may write there'
    throw new StackError(`the subgraph cannot be built: ${(error as Error).message}; ${how}`)
  }
}

/**
 * Writes the copy of a build for one network below a folder: addresses, start blocks, contexts and network name put in,
 * data sources without a contract left out, those of a DAO repeated for each. The path names the content, so that graph-node takes a changed build for a new
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
  const kept = new YAMLSeq<YAMLMap>()
  for (const { template, name, suffix, contract } of sourcesOf(all, contracts)) {
    const source = template.clone() as YAMLMap
    // A filter names a contract as the manifest does; among the contracts of a DAO it means those of the same DAO.
    const addresses = new Map(
      all.map((other) => [addressOf(other).toLowerCase(), findContract(contracts, other, suffix)?.address]),
    )
    if (contract === undefined || !putTopics(source, addresses)) continue
    if (source.get('network') === NETWORK_WITH_CONTEXT) putContext(source, contractContext(name, suffix, contracts))
    source.set('name', name)
    source.set('network', network)
    source.setIn(['source', 'address'], quoted(contract.address))
    source.setIn(['source', 'startBlock'], String(contract.startBlock))
    kept.items.push(source)
  }
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

/** The contracts of an Aragon DAO, and what its Voting app is told of them. All but LPT are the DAO's own. */
const DAO_CONTRACTS: Readonly<Record<string, string | undefined>> = {
  Voting: undefined,
  TokenManager: 'tokenManager',
  TDT: 'token',
  Vault: 'vault',
  Finance: 'finance',
  LPT: undefined,
}

/** The subgraph written for this network is told what no event says; the events of the other tell all. */
const NETWORK_WITH_CONTEXT = 'mainnet'

interface NetworkSource {
  /** The data source as the manifest has it. */
  template: YAMLMap
  name: string
  /** What the names of the contracts of its DAO end in. */
  suffix: string
  /** Undefined where the network has none. */
  contract: Contract | undefined
}

/** The data sources a network can have: those of a manifest, those of a DAO for each DAO there is. */
function sourcesOf(templates: readonly YAMLMap[], contracts: Contracts): NetworkSource[] {
  const suffixes = daoSuffixes(contracts)
  return templates.flatMap((template) =>
    (isOfDao(nameOf(template)) ? suffixes : ['']).map((suffix) => ({
      template,
      name: `${nameOf(template)}${suffix}`,
      suffix,
      contract: findContract(contracts, template, suffix),
    })),
  )
}

/** What the contracts' names of each DAO end in: nothing for one, a dot and a name of its own for any further. */
function daoSuffixes(contracts: Contracts): string[] {
  const suffixes = Object.keys(contracts).flatMap((name) => {
    const [, base = '', suffix = ''] = /^([^.]*)(\..+)?$/.exec(name) ?? []
    return isOfDao(base) && base !== 'LPT' ? [suffix] : []
  })
  return suffixes.length === 0 ? [''] : [...new Set(suffixes)]
}

function isOfDao(name: string): boolean {
  return Object.hasOwn(DAO_CONTRACTS, name)
}

/** A contract by the name of its data source or, as LPT may be the same for all, by that of the ABI. */
function findContract(contracts: Contracts, source: YAMLMap, suffix: string): Contract | undefined {
  const name = nameOf(source)
  if (isOfDao(name) && name !== 'LPT') return contracts[`${name}${suffix}`]
  return contracts[`${name}${suffix}`] ?? contracts[name] ?? contracts[String(source.getIn(['source', 'abi']))]
}

/** What a data source is told: values from the configuration, and for a Voting app where the rest of its DAO is. */
function contractContext(
  name: string,
  suffix: string,
  contracts: Contracts,
): Map<string, [type: string, data: string]> {
  const context = new Map<string, [string, string]>()
  for (const key of contextKeys(name)) {
    const data = contracts[name]?.context?.[key]
    const type = CONTEXT_TYPES[key]
    if (data !== undefined && type !== undefined) context.set(key, [type, data])
  }
  if (name !== `Voting${suffix}`) return context
  for (const [contract, key] of Object.entries(DAO_CONTRACTS)) {
    const address = contracts[`${contract}${suffix}`]?.address
    if (key !== undefined && address !== undefined) context.set(key, ['Bytes', address.toLowerCase()])
  }
  return context
}

function putContext(source: YAMLMap, context: ReadonlyMap<string, readonly [type: string, data: string]>): void {
  const node = new YAMLMap<string, YAMLMap>()
  for (const [key, [type, data]] of context) {
    const value = new YAMLMap<string, Scalar | string>()
    value.set('type', type)
    value.set('data', type === 'Int' ? data : quoted(data))
    node.set(key, value)
  }
  if (node.items.length > 0) source.set('context', node)
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

/** graph-cli compiles all mappings in one process, which is several times as fast as gnd's process for each. */
async function run(args: string[], cwd: string, signal: AbortSignal): Promise<void> {
  const command = [GRAPH_CLI, ...args]
  try {
    await promisify(execFile)(process.execPath, command, { cwd, signal, maxBuffer: 100_000_000 })
  } catch (error) {
    signal.throwIfAborted()
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new StackError(`the subgraph does not build:\n${stdout}${stderr}`)
  }
}
