// Compiles the API into a folder that stands alone: JavaScript, what it reads, and which packages it is to be given, so that
// it runs where TypeScript, graph-node and PostgreSQL are not installed.
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))
const FOLDER = join(PROJECT, 'build/api')

/** What is read while it runs. */
const READ = [
  'api/schema.graphql',
  'api/views/votes-tree-worker.mjs',
  'build/web',
  'examples/editor.graphql',
  'package-lock.json',
  'subgraph/networks.json',
]

rmSync(FOLDER, { recursive: true, force: true })
execFileSync(process.execPath, [join(PROJECT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.api.json'], {
  cwd: PROJECT,
  stdio: 'inherit',
})
for (const path of READ) cpSync(join(PROJECT, path), join(FOLDER, path), { recursive: true })
const { bin: _, ...about } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as Record<string, unknown>
const scripts = { start: 'NODE_ENV=production node stack/start.js --alone' }
writeFileSync(join(FOLDER, 'package.json'), JSON.stringify({ ...about, scripts }, null, 2))
