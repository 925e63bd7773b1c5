import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'

export const SMALL_TRACE = resolve('tests/traces/livepeer/small/trace.jsonl.gz')

/** A new folder that PostgreSQL can get at too, which runs as another user when the tests run as root. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stack-test-'))
  chmodSync(folder, 0o755)
  return folder
}

/** Writes a copy of a trace with changes to its header, and gives its path. */
export function writeTrace(folder: string, name: string, changes: (header: Record<string, unknown>) => object): string {
  const [header = '', ...blocks] = gunzipSync(readFileSync(SMALL_TRACE)).toString().split('\n')
  const changed = JSON.stringify({ ...JSON.parse(header), ...changes(JSON.parse(header)) })
  const file = join(folder, name)
  writeFileSync(file, gzipSync([changed, ...blocks].join('\n')))
  return file
}

/** Writes a copy of a trace without one of its logs, and gives its path. */
export function writeTraceWithout(folder: string, name: string, log: { block: number; logIndex: number }): string {
  const lines = gunzipSync(readFileSync(SMALL_TRACE)).toString().split('\n')
  const changed = lines.map((line) => {
    if (line === '') return line
    const block = JSON.parse(line) as { number?: number; logs: { logIndex: number }[] }
    if (block.number !== log.block) return line
    return JSON.stringify({ ...block, logs: block.logs.filter(({ logIndex }) => logIndex !== log.logIndex) })
  })
  const file = join(folder, name)
  writeFileSync(file, gzipSync(changed.join('\n')))
  return file
}

/** `npm start` as a process of its own, its output by the line. */
export class StackCommand {
  readonly process: ChildProcess
  readonly lines: string[] = []
  stderr = ''
  /** Resolves with the exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>

  /** Temporary folders of the stack go into `folder`, so that its processes can be told from others'. */
  constructor(
    folder: string,
    args: string[],
    env: NodeJS.ProcessEnv = {},
    program = ['--import', 'tsx', 'stack/start.ts'],
  ) {
    this.process = spawn(process.execPath, [...program, ...args], { env: { ...process.env, ...env, TMPDIR: folder } })
    let rest = ''
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      this.lines.push(...lines)
    })
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.exited = new Promise((done) => this.process.once('close', (code) => done(code)))
  }

  /** Waits for a line that matches and comes after the ones seen by `from`. */
  async line(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    for (;;) {
      for (const line of this.lines.slice(from)) {
        const match = pattern.exec(line)
        if (match) return match
      }
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`ended without a line ${pattern}:\n${this.lines.join('\n')}\n${this.stderr}`)
      }
      await sleep(20)
    }
  }

  /** Waits until blocks were written after this start, and gives the number of the last. */
  async indexing(): Promise<number> {
    const pattern = /: block (\d+) of (\d+)/
    const [, first] = await this.line(pattern)
    for (let seen = 0; ; seen = this.lines.length) {
      const [, block] = await this.line(pattern, seen)
      if (block !== first) return Number(block)
      await sleep(20)
    }
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.process.kill(signal)
    return this.exited
  }
}

/** Ids of the processes that work in a folder or were told of it, with their commands. */
export function processesOf(folder: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
        const cwd = readlinkSync(`/proc/${name}/cwd`)
        return { pid: Number(name), command, isOurs: command.includes(folder) || cwd.startsWith(folder) }
      } catch {
        return { pid: 0, command: '', isOurs: false } // Gone in the meantime.
      }
    })
    .filter(({ isOurs }) => isOurs)
    .map(({ pid, command }) => ({ pid, command }))
}

/** Waits until no process of a folder is left; gives those still there after the time. */
export async function processesLeft(folder: string, milliseconds: number): Promise<{ pid: number; command: string }[]> {
  const end = Date.now() + milliseconds
  while (processesOf(folder).length > 0 && Date.now() < end) await sleep(50)
  return processesOf(folder)
}

/** Everything a subgraph holds: each entity with its own fields and the ids of those it refers to. */
export async function dumpSubgraph(url: string): Promise<Record<string, unknown[]>> {
  const ask = async <T>(query: string): Promise<T> => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
    const { data, errors } = (await response.json()) as { data?: T; errors?: unknown }
    if (!data) throw new Error(`${query}: ${JSON.stringify(errors)}`)
    return data
  }
  const type = 'kind name ofType { kind name ofType { kind name ofType { kind name } } }'
  const { __schema: schema } = await ask<{ __schema: Schema }>(
    `{ __schema { queryType { fields { name args { name } type { ${type} } } } types { name fields { name type { ${type} } } } } }`,
  )
  const dump: Record<string, unknown[]> = {}
  for (const { name, args, type } of schema.queryType.fields) {
    // Lists of entities; what begins with an underscore is graph-node's own.
    if (name.startsWith('_') || !args.some((argument) => argument.name === 'skip')) continue
    const entity = schema.types.find((candidate) => candidate.name === named(type).name)
    const fields = (entity?.fields ?? []).flatMap((field) => {
      if (isList(field.type) && named(field.type).kind === 'OBJECT') return []
      return named(field.type).kind === 'OBJECT' ? [`${field.name} { id }`] : [field.name]
    })
    const rows: { id: string }[] = []
    for (;;) {
      const after = rows.at(-1)?.id
      const where = after === undefined ? '' : `, where: { id_gt: ${JSON.stringify(after)} }`
      const page = await ask<Record<string, { id: string }[]>>(
        `{ ${name}(first: 1000, orderBy: id${where}) { ${fields.join(' ')} } }`,
      )
      rows.push(...(page[name] ?? []))
      if ((page[name] ?? []).length < 1000) break
    }
    dump[name] = rows
  }
  return dump
}

interface Schema {
  queryType: { fields: { name: string; args: { name: string }[]; type: TypeRef }[] }
  types: { name: string; fields: { name: string; type: TypeRef }[] | null }[]
}

interface TypeRef {
  kind: string
  name: string | null
  ofType?: TypeRef | null
}

function named(type: TypeRef): TypeRef {
  return type.ofType ? named(type.ofType) : type
}

function isList(type: TypeRef): boolean {
  return type.kind === 'LIST' || (type.ofType ? isList(type.ofType) : false)
}
