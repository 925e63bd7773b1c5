import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseDocument } from 'yaml'
import { buildSubgraph } from '../../stack/subgraph-build.ts'

/** A way to handle the manifest's events. */
export interface Variant {
  name: string
  /** What its handlers do, in a few words. */
  what: string
  /** Compiles it; gives the folder of the build. */
  build: (signal: AbortSignal) => Promise<string>
}

/** The least, the least useful, and the real mappings, all for the events and data sources of one manifest. */
export function variantsOf(project: string, manifest: string): [empty: Variant, logOnly: Variant, real: Variant] {
  const generated = (name: string, body: HandlerBody) => async (signal: AbortSignal) =>
    buildSubgraph(generateProject(project, manifest, name, body), 'subgraph.yaml', signal)
  return [
    { name: 'empty', what: 'handlers do nothing', build: generated('empty', () => []) },
    {
      name: 'log only',
      what: 'each event saved as one immutable entity: Bytes id and five fields',
      build: generated('log-only', logEvent),
    },
    { name: 'real', what: 'the mappings of this project', build: (signal) => buildSubgraph(project, manifest, signal) },
  ]
}

/** Lines of a handler, from the event's number in the manifest and the types of its parameters. */
type HandlerBody = (number: number, parameterTypes: readonly string[]) => string[]

interface ManifestSource {
  name: string
  mapping: {
    file: string
    abis: { file: string }[]
    eventHandlers?: { event: string; handler: string }[]
    blockHandlers?: unknown
    callHandlers?: unknown
  }
}

interface Manifest {
  dataSources: ManifestSource[]
  templates?: ManifestSource[]
}

const SCHEMA = `type Log @entity(immutable: true) {
  id: Bytes!
  event: Int!
  account: Bytes
  block: Int!
  timestamp: Int8!
  transactionHash: Bytes!
}
`

function logEvent(number: number, parameterTypes: readonly string[]): string[] {
  const account = parameterTypes.indexOf('address')
  return [
    'const log = new Log(event.transaction.hash.concatI32(event.logIndex.toI32()))',
    `log.event = ${number}`,
    ...(account < 0 ? [] : [`log.account = event.parameters[${account}].value.toAddress()`]),
    'log.block = event.block.number.toI32()',
    'log.timestamp = event.block.timestamp.toI64()',
    'log.transactionHash = event.transaction.hash',
    'log.save()',
  ]
}

/** Writes a subgraph with the manifest's events and generated handlers below the project's build folder. */
function generateProject(project: string, manifestFile: string, name: string, body: HandlerBody): string {
  const folder = join(project, 'build/bench', name)
  for (const old of ['mappings', 'subgraph']) rmSync(join(folder, old), { recursive: true, force: true })
  for (const needed of ['mappings', 'subgraph']) mkdirSync(join(folder, needed), { recursive: true })

  // Everything stays a string: an address that looks like a number must not become one.
  const document = parseDocument(readFileSync(join(project, manifestFile), 'utf8'), { schema: 'failsafe' })
  const { dataSources, templates = [] } = document.toJS() as Manifest
  let number = 0
  for (const [list, sources] of Object.entries({ dataSources, templates })) {
    for (const [index, { name, mapping }] of sources.entries()) {
      if (mapping.blockHandlers || mapping.callHandlers) throw new Error(`${name} handles more than events`)
      const original = readFileSync(join(project, mapping.file), 'utf8')
      const handlers = (mapping.eventHandlers ?? []).map(({ event, handler }, place) => {
        document.deleteIn([list, index, 'mapping', 'eventHandlers', place, 'calls'])
        const types = parameterTypes(event)
        return handlerText(handler, [...creations(original, handler, templates, types), ...body(number++, types)])
      })
      for (const { file } of mapping.abis) copy(project, folder, file)
      const file = `./mappings/${name}.ts`
      document.setIn([list, index, 'mapping', 'file'], file)
      document.setIn([list, index, 'mapping', 'entities'], document.createNode(['Log']))
      writeFileSync(join(folder, file), [IMPORTS, ...handlers].join('\n'))
    }
  }
  document.setIn(['schema', 'file'], './schema.graphql')
  writeFileSync(join(folder, 'schema.graphql'), SCHEMA)
  writeFileSync(join(folder, 'subgraph.yaml'), document.toString())
  copy(project, folder, 'package-lock.json')
  if (!existsSync(join(folder, 'node_modules'))) {
    symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
  }
  return folder
}

const IMPORTS = `import { DataSourceTemplate, ethereum } from '@graphprotocol/graph-ts'
import { Log } from '../subgraph/generated/schema'
`

function handlerText(name: string, lines: readonly string[]): string {
  return `export function ${name}(event: ethereum.Event): void {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`
}

/** What a handler of the project creates from a template is created here too: else its events would be missing. */
function creations(
  original: string,
  handler: string,
  templates: readonly ManifestSource[],
  types: readonly string[],
): string[] {
  const start = original.indexOf(`export function ${handler}(`)
  const end = original.indexOf('\nexport function ', start + 1)
  const text = start < 0 ? '' : original.slice(start, end < 0 ? undefined : end)
  return templates
    .filter(({ name }) => new RegExp(`\\b\\w*${name}\\w*\\.create(WithContext)?\\(`).test(text))
    .map(({ name }) => {
      const parameter = types.indexOf('address')
      return `DataSourceTemplate.create('${name}', [event.parameters[${parameter}].value.toAddress().toHexString()])`
    })
}

/** Types of an event's parameters from its signature as manifests have it: `Bond(indexed address,uint256)`. */
function parameterTypes(event: string): string[] {
  const list = event.slice(event.indexOf('(') + 1, event.lastIndexOf(')'))
  // A tuple may hold commas of its own; nothing here looks into one.
  const flat = list.replace(/\([^()]*\)/g, 'tuple')
  return flat === '' ? [] : flat.split(',').map((type) => type.trim().replace(/^indexed\s+/, ''))
}

function copy(project: string, folder: string, file: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  cpSync(join(project, file), join(folder, file))
}
