import { spawn } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { networkInterfaces, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { PlannedChain } from './chain-plan.ts'
import { databaseCanReach } from './postgres.ts'
import { ProcessTable, removeFolder, StackError } from './processes.ts'
import { PartError, type Run } from './run.ts'

/** Where a run has its files. */
export interface RunFolder {
  dir: string
  /** Whether what is in it stays after the stop. */
  keep: boolean
  processes: ProcessTable
}

/** Where the data of real networks stays, in a folder of their names. */
const DEFAULT_DATA = fileURLToPath(new URL('../.data', import.meta.url))

/** Where it stays instead where the user that the database runs as cannot get at the project, as in the home of root. */
const ROOTS_DATA = '/var/lib/livepeer-governance'

/**
 * Takes the folder of the run for this process, the data dir or, for recordings without one, one that goes at the stop.
 * A watchdog clears up when the process is killed.
 */
export async function openFolder(
  run: Run,
  planned: readonly PlannedChain[],
  dataDir: string | undefined,
): Promise<RunFolder> {
  if (!Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => internal))) {
    throw new StackError('nothing here can be reached at 127.0.0.1, where all parts meet: ip link set lo up')
  }
  const names = planned.map(({ network }) => network).join('+')
  const isReal = planned.some(({ rpcUrl }) => rpcUrl !== undefined)
  const chosen = dataDir ?? (isReal ? defaultDataDir(run, names) : undefined)
  const keep = chosen !== undefined
  const dir = chosen === undefined ? mkdtempSync(join(tmpdir(), 'livepeer-governance-')) : resolve(chosen)
  if (keep) makeDataDir(dir)
  // PostgreSQL may run as another user, who has to get at its own folder inside.
  else chmodSync(dir, 0o755)

  const processes = new ProcessTable(dir)
  await processes.claim()
  run.onStop(async () => {
    await processes.stopAll({ immediately: !keep })
    processes.release()
    if (!keep) await removeThrowAway(dir, run.signal.reason instanceof PartError)
  })
  startWatchdog({ dir, keep, processes })
  if (keep) checkIdentity(dir, planned)
  return { dir, keep, processes }
}

/** Below the project, or for root, where that cannot be written or be reached by the database, elsewhere, which is said. */
function defaultDataDir(run: Run, names: string): string {
  const own = join(DEFAULT_DATA, names)
  const reason = isWritable(own) ? `the database's user cannot get at ${DEFAULT_DATA}` : `${own} cannot be written`
  if (isWritable(own) && databaseCanReach(DEFAULT_DATA)) return own
  if (process.getuid?.() !== 0) throw new StackError(`${reason}: give a folder with --data-dir`)
  const dir = join(ROOTS_DATA, names)
  run.log(`${reason}: data is kept in ${dir}, as --data-dir would have it`)
  return dir
}

/** Whether a folder of the data of real networks can be written, or made where it is not there yet. */
function isWritable(dir: string): boolean {
  try {
    mkdirSync(DEFAULT_DATA, { recursive: true })
    accessSync(existsSync(dir) ? dir : DEFAULT_DATA, constants.W_OK | constants.X_OK)
    return true
  } catch {
    // Somebody else's, or a checkout that is only read.
    return false
  }
}

function startWatchdog({ dir, keep, processes }: RunFolder): void {
  // Through tsx's loader, as node by itself does not read TypeScript.
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const script = fileURLToPath(new URL('watchdog.ts', import.meta.url))
  const watchdog = spawn(process.execPath, ['--import', loader, script, dir, keep ? 'keep' : 'remove'], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watchdog.stdin.on('error', () => {})
  if (watchdog.pid !== undefined) processes.add('watchdog', watchdog.pid)
}

function makeDataDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true })
    accessSync(dir, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new StackError(`the data dir cannot be used, choose another --data-dir: ${(error as Error).message}`)
  }
}

// Data of one chain must never be continued with another's.
function checkIdentity(dir: string, planned: readonly PlannedChain[]): void {
  const file = join(dir, 'chains.json')
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {}
  for (const { network, identity, rpcUrl } of planned) {
    const before = known[network] ?? identity
    const [id, genesis] = before.split(':')
    const [idNow, genesisNow] = identity.split(':')
    // Where one side does not know the first block, as in data of earlier versions, the id alone tells.
    const isSame = id === idNow && (genesis ?? genesisNow) === (genesisNow ?? genesis)
    if (!isSame) {
      const which =
        rpcUrl === undefined
          ? ''
          : `, ${describeIdentity(id, genesis)}, and the RPC is of ${describeIdentity(idNow, genesisNow)}: give the RPC of that chain with --rpc`
      const or = rpcUrl === undefined ? ':' : ', or'
      throw new StackError(`${dir} holds data of another chain named ${network}${which}${or} choose another --data-dir`)
    }
    known[network] = genesis === undefined ? identity : before
  }
  writeFileSync(file, JSON.stringify(known))
}

function describeIdentity(id = '', genesis: string | undefined): string {
  return genesis === undefined ? `chain ${id}` : `chain ${id} from block ${genesis.slice(0, 10)}… on`
}

// After a part failed its log is still wanted; everything else goes.
async function removeThrowAway(dir: string, keepLogs: boolean): Promise<void> {
  const names = keepLogs ? readdirSync(dir).filter((name) => name !== 'logs') : ['.']
  await Promise.all(names.map((name) => removeFolder(join(dir, name))))
}
