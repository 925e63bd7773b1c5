import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the user can do something about. The message is one clear line. */
export class StackError extends Error {}

/** The programs the stack runs beside itself, in the order in which they must stop. */
const ROLES = ['stack', 'graph-node', 'PostgreSQL', 'watchdog'] as const
export type Role = (typeof ROLES)[number]

/** A process of the stack. `startedAt` is the kernel's start time: it tells it from a later process of the same id. */
interface ProcessRecord {
  role: Role
  pid: number
  startedAt: string
}

/**
 * Which processes belong to a run in a folder, kept in a file there: the claim on the folder while they live, and what
 * the watchdog and the next start need to clear up after a run that was killed.
 */
export class ProcessTable {
  readonly #file: string

  constructor(dir: string) {
    this.#file = join(dir, 'processes.json')
  }

  /** Claims the folder for this process, after clearing up what a killed run left. Throws a StackError when in use. */
  async claim(): Promise<void> {
    for (;;) {
      try {
        writeFileSync(this.#file, JSON.stringify([describe('stack', process.pid)]), { flag: 'wx' })
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const owner = this.#read().find(({ role }) => role === 'stack')
      if (owner && isRunning(owner)) throw new StackError(`the data dir is in use by process ${owner.pid}`)
      await this.stopAll()
      rmSync(this.#file, { force: true })
    }
  }

  add(role: Role, pid: number): void {
    this.#write([...this.#read(), describe(role, pid)])
  }

  /** Stops what still runs, in order: each is asked first, then forced. The stack itself is left alone. */
  async stopAll(options: { immediately?: boolean } = {}): Promise<void> {
    for (const role of ROLES) {
      if (role === 'stack') continue
      const running = this.#read().filter((record) => record.role === role && isRunning(record))
      await Promise.all(running.map((record) => stop(record, options.immediately ?? false)))
    }
  }

  /** Gives the folder up. */
  release(): void {
    rmSync(this.#file, { force: true })
  }

  #read(): ProcessRecord[] {
    if (!existsSync(this.#file)) return []
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8')) as ProcessRecord[]
    } catch {
      return [] // Half written by a run that was killed at that moment: it had no children yet.
    }
  }

  #write(records: ProcessRecord[]): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(records))
    renameSync(`${this.#file}.new`, this.#file)
  }
}

/** How each program is asked to stop, and for how long before the next signal. Together well within ten seconds. */
const STOP_SIGNALS: Record<Exclude<Role, 'stack'>, [NodeJS.Signals, number][]> = {
  // graph-node knows SIGINT only; what it has not written yet it indexes again.
  'graph-node': [['SIGINT', 3000]],
  // SIGINT: fast shutdown. SIGQUIT: immediate, recovers at the next start.
  PostgreSQL: [
    ['SIGINT', 3000],
    ['SIGQUIT', 1500],
  ],
  // It ends by itself once the stack is gone and there is nothing left to stop.
  watchdog: [['SIGTERM', 500]],
}

async function stop(record: ProcessRecord, immediately: boolean): Promise<void> {
  if (record.role === 'stack' || record.pid === process.pid) return
  const signals = STOP_SIGNALS[record.role].slice(immediately ? -1 : 0)
  for (const [signal, milliseconds] of signals) {
    kill(record.pid, signal)
    for (let waited = 0; waited < milliseconds; waited += 20) {
      if (!isRunning(record)) return
      await sleep(20)
    }
  }
  kill(record.pid, 'SIGKILL')
  while (isRunning(record)) await sleep(20)
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone in the meantime.
  }
}

function describe(role: Role, pid: number): ProcessRecord {
  return { role, pid, startedAt: kernelState(pid)?.startedAt ?? '' }
}

function isRunning({ pid, startedAt }: ProcessRecord): boolean {
  const state = kernelState(pid)
  return state !== undefined && state.startedAt === startedAt && state.state !== 'Z'
}

function kernelState(pid: number): { state: string; startedAt: string } | undefined {
  try {
    // The name, second field, may hold spaces: the rest begins after its closing bracket.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

/**
 * Removes a folder of programs that were stopped. PostgreSQL's children can outlive it for a moment and write on, behind
 * what rmSync has listed already; so it is listed anew until nothing is left, for ten seconds at most.
 */
export async function removeFolder(dir: string): Promise<void> {
  for (let tries = 0; tries < 100 && existsSync(dir); tries++) {
    try {
      rmSync(dir, { recursive: true, force: true })
    } catch {
      // Something came into a folder that was just emptied.
    }
    if (existsSync(dir)) await sleep(100)
  }
}

/** What to start and where its output goes. */
export interface ChildOptions {
  role: Role
  command: string
  args: string[]
  logFile: string
  cwd: string
  env: NodeJS.ProcessEnv
  uid?: number
  gid?: number
}

/**
 * Starts a program of the stack, in a session of its own: a Ctrl-C in the terminal reaches the stack alone, which then
 * stops its parts in order. Output goes straight to the log file, so that nothing breaks when the stack is killed.
 */
export function startChild(
  processes: ProcessTable,
  { role, command, args, logFile, ...options }: ChildOptions,
): ChildProcess {
  // What programs log of their requests is nobody else's business.
  const log = openSync(logFile, 'a', 0o600)
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  if (child.pid !== undefined) processes.add(role, child.pid)
  return child
}

/** Waits until `attempt` gives something else than undefined. Rejects when the signal aborts, with its reason. */
export async function waitFor<T>(attempt: () => T | Promise<T>, signal: AbortSignal): Promise<NonNullable<T>> {
  for (;;) {
    signal.throwIfAborted()
    const result = await attempt()
    if (result !== undefined && result !== null) return result
    await pause(50, signal)
  }
}

/** Waits for a time. Rejects when the signal aborts, with its reason. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted())
}

/** Free ports of this machine, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer().once('error', reject)
          server.listen(0, () => resolve(server))
        }),
    ),
  )
  return Promise.all(
    servers.map((server) => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      return new Promise<number>((resolve) => server.close(() => resolve(port)))
    }),
  )
}
