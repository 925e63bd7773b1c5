import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Chain } from '../api/facts/followed-chain.ts'

/** What the stack that several tests share is of, in the order of its chains. */
export const SHARED_RECORDINGS = ['livepeer/medium', 'aragon/small', 'livepeer-l1/small']

/** A stack that several tests share: medium stake and proposals, the DAO, and stake on L1. */
export interface SharedStack {
  /** Where its API is, and the chains behind it, for APIs of a test's own; rejects when it ended before. */
  ready: Promise<{ url: string; chains: readonly Chain[] }>
  stop(): Promise<void>
}

/** Starts it as a process of its own: vitest waits for ever for what was loaded to run a stack in its main process. */
export function startSharedStack(env: NodeJS.ProcessEnv = process.env): SharedStack {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tests/stack-process.ts'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const line = once(createInterface({ input: child.stdout }), 'line')
  const ended = exited.then(([code]) => Promise.reject(new Error(`the shared stack ended with code ${code}`)))
  return {
    ready: Promise.race([line.then(([text]) => JSON.parse(String(text))), ended]),
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}
