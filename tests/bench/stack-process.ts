import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { freePorts, StackError, waitFor } from '../../stack/processes.ts'

/** The whole stack, or only the API before a graph-node, in a process of its own, as `npm start` runs it. */
export interface StackProcess {
  pid: number
  /** Base URL of the API. */
  url: string
  stop(): Promise<void>
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
// What the stack would read from the environment in place of what it is given here.
const STACK_VARIABLES = [
  'NETWORK',
  'NETWORKS_FILE',
  'RPC',
  'TRACE',
  'PORT',
  'GRAPH_NODE',
  'DATA_DIR',
  'RATE_LIMIT',
  'TRUST_PROXY',
].concat(
  ['NO_LIMITS', 'IPFS_GATEWAY', 'FOLLOW_EVERY', 'MAX_AGE', 'MAX_FACTS', 'NO_VERIFY'],
  ['HOST', 'SUBGRAPH', 'STATUS', 'ALONE'],
)

/** Starts the stack with the options of `npm start`, and gives it once it is ready. */
export async function startStackProcess(options: readonly string[], signal: AbortSignal): Promise<StackProcess> {
  const [port = 0] = await freePorts(1)
  const kept = Object.entries(process.env).filter(([name]) => !STACK_VARIABLES.includes(name))
  const env = { ...Object.fromEntries(kept), NODE_ENV: 'production' }
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  // Without the tsx command, which would be one more process between.
  const child = spawn(process.execPath, ['--import', loader, 'stack/start.ts', '--port', String(port), ...options], {
    cwd: PROJECT,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk
  })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      complaint += error.message
      resolve()
    })
  })
  let hasEnded = false
  ended.then(() => {
    hasEnded = true
  })
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  const url = `http://127.0.0.1:${port}`
  try {
    await waitFor(async () => {
      if (hasEnded) throw new StackError(`the stack ended: ${complaint.trim()}`)
      const response = await fetch(`${url}/ready`).catch(() => undefined)
      return response?.ok || undefined
    }, signal)
  } catch (error) {
    await stop()
    throw error
  }
  return { pid: child.pid ?? 0, url, stop }
}
