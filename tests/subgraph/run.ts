// The tests of the mappings: every tests/subgraph/*.test.json through graph-node's own runtime and store, those named
// l1-… with the subgraph of Ethereum L1.
// Run with `npx tsx tests/subgraph/run.ts [file …]`. Each test begins with an empty block: gnd leaves out the first.
// Tests share what contracts answered at a block's hash, so those with ethCalls have hashes of their own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { gnd } from '../../stack/graph-node.ts'
import { startPostgres } from '../../stack/postgres.ts'
import { freePorts, ProcessTable } from '../../stack/processes.ts'
import { buildSubgraph } from '../../stack/subgraph-build.ts'

const MANIFESTS = ['subgraph.yaml', 'subgraph.mainnet.yaml']
const AT_ONCE = 3
const project = join(import.meta.dirname, '../..')
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(new Error(signal)))

const dir = mkdtempSync(join(tmpdir(), 'subgraph-tests-'))
// PostgreSQL may run as another user, who has to pass through.
chmodSync(dir, 0o711)
const processes = new ProcessTable(dir)
try {
  const tests = testFiles()
  const needed = MANIFESTS.filter((manifest) => tests.some((test) => manifestOf(test) === manifest))
  const [postgresUrl, ...builds] = await Promise.all([
    startDatabase(interrupted.signal),
    ...needed.map((manifest) => buildSubgraph(project, manifest, interrupted.signal)),
  ])
  const failed = await runTests(tests, new Map(needed.map((manifest, i) => [manifest, builds[i] ?? ''])), postgresUrl)
  console.log(`${tests.length - failed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
} finally {
  await processes.stopAll()
  rmSync(dir, { recursive: true, force: true })
}

/** The files named on the command line, else all beside this one. */
function testFiles(): string[] {
  const named = process.argv.slice(2).map((file) => resolve(file))
  if (named.length > 0) return named
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.json'))
  return files.sort().map((name) => join(import.meta.dirname, name))
}

function manifestOf(test: string): string {
  return basename(test).startsWith('l1-') ? 'subgraph.mainnet.yaml' : 'subgraph.yaml'
}

async function startDatabase(signal: AbortSignal): Promise<string> {
  const [port = 0] = await freePorts(1)
  const ended = new AbortController()
  return startPostgres({
    dir,
    logFile: join(dir, 'postgres.log'),
    port,
    durable: false,
    processes,
    onExit: (how) => ended.abort(new Error(`PostgreSQL ${how}`)),
    signal: AbortSignal.any([signal, ended.signal]),
  })
}

/**
 * Runs the tests and gives the number of failed ones. gnd would mix up what one test stored with the next, even after
 * one that passed, so each has a gnd and a deployment of its own.
 */
async function runTests(tests: string[], builds: ReadonlyMap<string, string>, postgresUrl: string): Promise<number> {
  let failed = 0
  const run = async (test: string): Promise<void> => {
    if (!(await runGnd(test, builds, postgresUrl))) failed += 1
  }
  // The first one of each chain alone: it creates graph-node's tables and the chain's own, and two at once fail at that.
  const first = MANIFESTS.flatMap((manifest) => tests.find((test) => manifestOf(test) === manifest) ?? [])
  for (const test of first) await run(test)
  const waiting = tests.filter((test) => !first.includes(test))
  const runAll = async (): Promise<void> => {
    for (let test = waiting.shift(); test !== undefined; test = waiting.shift()) await run(test)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, runAll))
  return failed
}

/** Runs one test: shows its name when it passes, else all that gnd says. */
async function runGnd(test: string, builds: ReadonlyMap<string, string>, postgresUrl: string): Promise<boolean> {
  const home = mkdtempSync(join(dir, 'gnd-'))
  // gnd looks for the build in the folder `build` beside the manifest, and calls the deployment by its path.
  const manifest = manifestOf(test)
  cpSync(builds.get(manifest) ?? '', join(home, 'build'), { recursive: true })
  symlinkSync(join(project, manifest), join(home, 'subgraph.yaml'))
  const child = spawn(gnd(), ['test', '--skip-build', '--postgres-url', postgresUrl, test], {
    cwd: home,
    env: { ...process.env, NO_COLOR: '1' },
    signal: interrupted.signal,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = await once(child, 'close')
  console.log(code === 0 ? `✔ ${basename(test, '.test.json')}` : output)
  return code === 0
}
