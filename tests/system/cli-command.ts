import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'

const BIN = resolve('cli/bin.mjs')

/** What a run of the command line came to. */
export interface CliRun {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the command line in a process of its own, to a pipe. */
export function cli(api: string, ...args: string[]): Promise<CliRun> {
  return run(process.execPath, [BIN, '--api', api, ...args])
}

/** Runs it in a terminal, where all it prints is standard output. */
export function cliInTerminal(api: string, ...args: string[]): Promise<CliRun> {
  const command = [process.execPath, BIN, '--api', api, ...args].map((word) => `'${word}'`).join(' ')
  return run('script', ['--quiet', '--return', '--command', command, '/dev/null'])
}

/** The command line while it runs. */
export interface RunningCli {
  child: ChildProcessByStdio<null, Readable, Readable>
  /** What it printed so far. */
  output: { stdout: string; stderr: string }
  ended: Promise<CliRun>
}

/** Starts the command line in a process of its own, to a pipe. */
export function startCli(api: string, args: readonly string[], env: Record<string, string> = {}): RunningCli {
  return start(process.execPath, [BIN, '--api', api, ...args], env)
}

function run(command: string, args: string[]): Promise<CliRun> {
  return start(command, args).ended
}

function start(command: string, args: string[], env: Record<string, string> = {}): RunningCli {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const ended = new Promise<CliRun>((done, fail) => {
    child.once('error', fail)
    child.once('close', (code) => done({ code, ...output }))
  })
  return { child, output, ended }
}
