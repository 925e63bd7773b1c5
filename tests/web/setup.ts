import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import type { Chain } from '../../api/facts/followed-chain.ts'
import { startSharedStack } from '../shared-stack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Base URL of the explorer that is tested. */
    explorerUrl: string
    /** The chains behind it, for APIs of a test's own; none where they are not known. */
    chains: readonly Chain[]
  }
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * One stack for all tests of the explorer. Whoever works on a page names one that runs instead: EXPLORER_URL, and in
 * EXPLORER_CHAINS a file of its chains as JSON.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const { EXPLORER_URL, EXPLORER_CHAINS } = process.env
  if (EXPLORER_URL !== undefined) {
    project.provide('explorerUrl', EXPLORER_URL)
    const chains = EXPLORER_CHAINS === undefined ? [] : JSON.parse(readFileSync(EXPLORER_CHAINS, 'utf8'))
    project.provide('chains', chains as Chain[])
    return undefined
  }
  // As it is shipped: what is built otherwise is neither as small nor as fast.
  const env = { ...process.env, NODE_ENV: 'production' }
  await promisify(execFile)('npm', ['run', '--silent', 'build:web'], { cwd: PROJECT, env })
  const stack = startSharedStack(env)
  const { url, chains } = await stack.ready
  project.provide('explorerUrl', url)
  project.provide('chains', chains)
  // For the project that comes after this one, in the same process.
  const folder = mkdtempSync(join(tmpdir(), 'explorer-'))
  const file = join(folder, 'chains.json')
  writeFileSync(file, JSON.stringify(chains))
  Object.assign(process.env, { EXPLORER_URL: url, EXPLORER_CHAINS: file })
  return async () => {
    await stack.stop()
    rmSync(folder, { recursive: true })
  }
}
