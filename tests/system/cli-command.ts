import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

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

function run(command: string, args: string[]): Promise<CliRun> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text
      })
    }
    child.once('error', fail)
    child.once('close', (code) => done({ code, ...output }))
  })
}
