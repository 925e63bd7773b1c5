// Compiles tests/matchstick as Matchstick does before it runs them, with the compiler and the options it takes, so that
// they stay in step with the mappings where Matchstick itself is not there. Only --optimize is left out: it refuses
// nothing, and takes most of the time.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import pLimit from 'p-limit'

const project = join(import.meta.dirname, '../..')
const libraries = join(project, 'node_modules')
const output = join(project, 'build/matchstick')

const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .sort()
const compiled = await pLimit(availableParallelism()).map(tests, compile)
const failed = compiled.filter((isCompiled) => !isCompiled).length
console.log(`${tests.length - failed} compiled, ${failed} failed`)
process.exitCode = failed === 0 && tests.length > 0 ? 0 : 1

/** Compiles one test and shows what the compiler says. */
async function compile(test: string): Promise<boolean> {
  const compiler = spawn(
    process.execPath,
    [
      join(libraries, 'assemblyscript/bin/asc'),
      relative(project, join(import.meta.dirname, test)),
      join(libraries, '@graphprotocol/graph-ts/global/global.ts'),
      ...['--lib', libraries],
      ...['--explicitStart', '--exportTable', '--runtime', 'stub', '--debug'],
      ...['--outFile', join(output, test.replace(/\.test\.ts$/, '.wasm'))],
    ],
    { cwd: project, stdio: 'inherit' },
  )
  const [code] = await once(compiler, 'close')
  console.log(`${code === 0 ? '✔' : '✘'} ${test}`)
  return code === 0
}
