import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { cpus } from 'node:os'
import { basename } from 'node:path'

/** What the processes below one process used, by program. Memory in bytes, processor time in seconds. */
export interface Usage {
  cpuSeconds: number
  /** Most that one process of this program ever held resident (VmHWM). */
  largestPeak: number
  /** What all of them hold now, with memory they share counted once (Pss). */
  current: number
  processes: number
}

/** Usage by name of program (`node`, `gnd`, `postgres`) of a process and everything below it. */
export function usageBelow(root: number): Map<string, Usage> {
  const parents = new Map<number, number[]>()
  for (const [pid, { parent }] of allProcesses()) parents.set(parent, [...(parents.get(parent) ?? []), pid])
  const usage = new Map<string, Usage>()
  const visit = (pid: number, above: string) => {
    const stat = statOf(pid)
    if (!stat) return
    const sum = usage.get(stat.program) ?? { cpuSeconds: 0, largestPeak: 0, current: 0, processes: 0 }
    // A server's past workers count too; what else a process waited for does not.
    sum.cpuSeconds += stat.ownSeconds + (stat.program === 'postgres' && above !== 'postgres' ? stat.waitedSeconds : 0)
    sum.largestPeak = Math.max(sum.largestPeak, kilobytes(`/proc/${pid}/status`, 'VmHWM'))
    sum.current += kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss')
    sum.processes += 1
    usage.set(stat.program, sum)
    for (const child of parents.get(pid) ?? []) visit(child, stat.program)
  }
  visit(root, '')
  return usage
}

/** What a process holds resident now (VmRSS), bytes; 0 where it is gone. */
export function residentBytes(pid: number): number {
  return kilobytes(`/proc/${pid}/status`, 'VmRSS')
}

/** The command line of the first process of a program below one, undefined where there is none. */
export function commandLineBelow(root: number, program: string): string[] | undefined {
  for (const [pid, { program: name, parent }] of allProcesses()) {
    if (name === program && parent === root) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  }
  return undefined
}

/** Processor seconds of each program below a process between two looks. */
export function cpuBetween(before: Map<string, Usage>, after: Map<string, Usage>): Record<string, number> {
  return Object.fromEntries(
    [...after].map(([program, { cpuSeconds }]) => [
      program,
      Math.max(0, cpuSeconds - (before.get(program)?.cpuSeconds ?? 0)),
    ]),
  )
}

/** Watches how much of the machine everything but this process and what it started uses: what spoils a measurement. */
export class Bystanders {
  readonly #start = performance.now()
  readonly #machine = machineSeconds()
  readonly #own = ownSeconds()

  /** Their share of all processors since the start, 0 to 1. */
  share(): number {
    const seconds = (performance.now() - this.#start) / 1000
    const others = machineSeconds() - this.#machine - (ownSeconds() - this.#own)
    return Math.min(1, Math.max(0, others / (seconds * cpus().length)))
  }
}

function machineSeconds(): number {
  return cpus().reduce((sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) / 1000, 0)
}

function ownSeconds(): number {
  return [...usageBelow(process.pid).values()].reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
}

/** The highest memory use by program, of looks taken now and then. */
export class MemoryPeaks {
  readonly #peaks = new Map<string, { largest: number; sum: number; processes: number }>()

  add(usage: Map<string, Usage>): void {
    for (const [program, { largestPeak, current, processes }] of usage) {
      const peak = this.#peaks.get(program) ?? { largest: 0, sum: 0, processes: 0 }
      peak.largest = Math.max(peak.largest, largestPeak)
      peak.sum = Math.max(peak.sum, current)
      peak.processes = Math.max(peak.processes, processes)
      this.#peaks.set(program, peak)
    }
  }

  /** `largest` is exact (VmHWM of the largest process), `sum` the highest sum of all looks (Pss). Bytes. */
  of(program: string): { largest: number; sum: number; processes: number } {
    return { largest: 0, sum: 0, processes: 0, ...this.#peaks.get(program) }
  }
}

/** Linux counts processor time in hundredths of a second wherever Node 20 runs. */
const TICKS_PER_SECOND = 100

function allProcesses(): [pid: number, stat: Stat][] {
  return readdirSync('/proc').flatMap((entry): [number, Stat][] => {
    const pid = Number(entry)
    const stat = Number.isInteger(pid) ? statOf(pid) : undefined
    return stat ? [[pid, stat]] : []
  })
}

type Stat = NonNullable<ReturnType<typeof statOf>>

function statOf(
  pid: number,
): { program: string; parent: number; ownSeconds: number; waitedSeconds: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, second field, may hold spaces and brackets: the rest begins after its closing bracket.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const seconds = (index: number) => Number(fields[index]) / TICKS_PER_SECOND
    return {
      program: basename(readlinkSync(`/proc/${pid}/exe`)),
      parent: Number(fields[1]),
      ownSeconds: seconds(11) + seconds(12),
      waitedSeconds: seconds(13) + seconds(14),
    }
  } catch {
    return undefined // Gone in the meantime.
  }
}

function kilobytes(file: string, field: string): number {
  try {
    const match = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))
    return Number(match?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
