import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordedContracts } from '../../stack/chain-plan.ts'
import { RecordedChain, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { readTrace } from '../../stack/trace.ts'
import { makeFolder, processesLeft, writeTrace } from './stack-command.ts'

// The checkout somewhere else, as somebody else, read only, without a network: all of it in namespaces of its own, where
// root may have them, so that nothing of it is left on the machine.

const isPossible = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', '--net', 'true']).status === 0
const unless = isPossible ? '' : ' (not tried: only root can, where it may mount)'

/** How a checkout is met with. */
interface Place {
  /** Who starts it; root where it is nobody else. */
  uid?: number
  /** Whether nothing in it can be written. */
  readOnly?: boolean
  /** Whether only root may enter the folder it is in, as with root's home. */
  closed?: boolean
  /** Without a network, or not even this machine's own. */
  net?: 'none' | 'loopback'
  /** Whether nothing was built in it. */
  notBuilt?: boolean
}

const NOBODY = 65_534
/** A user that no line of /etc/passwd tells of. */
const STRANGER = 54_321

const folder = makeFolder()
let trace: string
let networksFile: string
let rpc: Awaited<ReturnType<typeof serveRecordedChains>>

beforeAll(async () => {
  trace = writeTrace(folder, 'short.jsonl.gz', () => ({ lastBlock: 250 }))
  const chain = await readTrace(trace)
  rpc = await serveRecordedChains(new Map([['rpc', new RecordedChain(chain)]]))
  const contracts = Object.entries(recordedContracts(chain)).map(([name, { address, startBlock }]) => [
    name,
    { address, startBlock },
  ])
  networksFile = join(folder, 'networks.json')
  writeFileSync(networksFile, JSON.stringify({ devnet: Object.fromEntries(contracts) }))
})

afterAll(async () => {
  await rpc?.close()
  await processesLeft(folder, 10_000)
  rmSync(folder, { recursive: true })
})

const recorded = () => ['--trace', trace]
const real = (...more: string[]) => [
  ...['--network', 'devnet', '--rpc', `${rpc.url}/rpc`, '--networks-file', networksFile],
  ...more,
]

/** `npm start` with the checkout at a place, what it printed, and what it exited with: null for as long as it runs. */
class Started {
  readonly process: ChildProcess
  output = ''
  error = ''
  readonly exited: Promise<number | null>

  constructor({ uid = 0, readOnly, closed, net, notBuilt }: Place, args: string[]) {
    const home = mkdtempSync(join(folder, 'home-'))
    chmodSync(home, closed ? 0o700 : 0o755)
    const place = join(home, 'my checkout')
    const temporary = join(folder, `temporary-${uid}`)
    for (const made of [place, temporary]) mkdirSync(made, { recursive: true })
    chmodSync(temporary, 0o1777)
    const commands = [
      'set -e',
      'mount --make-rprivate /',
      'mount -t tmpfs -o mode=755 tmpfs /var/lib',
      `mount --bind '${resolve('.')}' '${place}'`,
      // What is kept below the project is not left in it.
      ...(closed ? [`mkdir -p '${place}/.data'`, `mount -t tmpfs -o mode=755 tmpfs '${place}/.data'`] : []),
      ...(notBuilt ? [`mount -t tmpfs tmpfs '${place}/build'`] : []),
      ...(readOnly ? [`mount -o remount,ro,bind '${place}'`] : []),
      ...(notBuilt && readOnly ? [`mount -o remount,ro '${place}/build'`] : []),
      ...(net === 'loopback' ? ['ip link set lo up'] : []),
      `cd '${place}'`,
      `exec setpriv --reuid=${uid} --regid=${uid} --clear-groups "$@"`,
    ]
    const start = [process.execPath, '--import', 'tsx', 'stack/start.ts', '--port', '0', ...args]
    const namespaces = ['--mount', ...(net === undefined ? [] : ['--net'])]
    this.process = spawn('unshare', [...namespaces, 'sh', '-c', commands.join('\n'), 'sh', ...start], {
      env: { PATH: process.env.PATH, HOME: '/nonexistent', TMPDIR: temporary, NODE_ENV: 'production' },
    })
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
    })
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.error += text
    })
    this.exited = new Promise((done) => this.process.once('close', (code) => done(code)))
  }

  /** Waits until it is ready, ends it, and gives what it printed. */
  async readyAndOver(): Promise<string> {
    while (!/^ready http/m.test(this.output)) {
      if (this.process.exitCode !== null) throw new Error(`ended: ${this.output}${this.error}`)
      await sleep(50)
    }
    this.process.kill('SIGTERM')
    expect(await this.exited).toBe(0)
    expect(this.error).toBe('')
    return this.output
  }
}

describe.skipIf(!isPossible)(`npm start anywhere${unless}`, () => {
  const works: [string, Place, () => string[], RegExp][] = [
    [
      "as root in root's home, of a real network",
      { closed: true },
      () => real(),
      /^the database's user cannot get at .*my checkout\/\.data: data is kept in \/var\/lib\/livepeer-governance\/devnet, as --data-dir would have it$/m,
    ],
    [
      'as nobody, in a checkout of another, without a network',
      { uid: NOBODY, readOnly: true, net: 'loopback' },
      recorded,
      /^recorded: block 250 of 250, round 5, done$/m,
    ],
    [
      'as nobody, of a real network, with a data dir of its own',
      { uid: NOBODY, readOnly: true },
      () => real('--data-dir', join(folder, `temporary-${NOBODY}`, 'data')),
      /^devnet: block 250 of 250, round 5, done$/m,
    ],
  ]
  it.each(works)('runs %s', async (_, place, args, line) => {
    expect(await new Started(place, args()).readyAndOver()).toMatch(line)
  })

  const mistakes: [string, Place, () => string[], RegExp][] = [
    [
      'a read-only checkout and no data dir, as nobody',
      { uid: NOBODY, readOnly: true },
      () => real(),
      /^\S+\/my checkout\/\.data\/devnet cannot be written: give a folder with --data-dir$/,
    ],
    [
      "a data dir of another's",
      { uid: NOBODY },
      () => real('--data-dir', folder),
      /^the data dir cannot be used, choose another --data-dir: EACCES/,
    ],
    [
      'a data dir in the home of root, which the database cannot reach',
      { closed: true },
      () => real('--data-dir', '.data/elsewhere'),
      /cannot reach .*\.data\/elsewhere: choose another --data-dir$/,
    ],
    [
      'a read-only checkout in which nothing was built',
      { readOnly: true, notBuilt: true },
      recorded,
      /^the subgraph cannot be built: EROFS.*; npm run prepare builds it ahead/,
    ],
    ['a machine without itself', { net: 'none' }, recorded, /^nothing here can be reached at 127\.0\.0\.1/],
    [
      'a user without an account',
      { uid: STRANGER },
      recorded,
      /^PostgreSQL cannot make a database: .*; add the user to \/etc\/passwd/,
    ],
  ]
  it.concurrent.each(mistakes)('says in one line what to do about %s', async (_, place, args, line) => {
    const started = new Started(place, args())
    expect(await started.exited).toBe(1)
    expect(started.error.trimEnd()).toMatch(line)
    expect(started.error.trimEnd().split('\n')).toHaveLength(1)
  })
})
