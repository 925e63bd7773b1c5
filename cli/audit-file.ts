import { existsSync } from 'node:fs'
import { open, readFile, rename, truncate, writeFile } from 'node:fs/promises'
import type { Compared, Unchecked } from '../api/verification/comparison.ts'
import { CliError } from './errors.ts'

export const FORMAT = 'livepeer-governance/audit/1'

/** What an audit is of: the first line of its report. What is open or yet to come when it begins is no part of it. */
export interface AuditPlan {
  format: typeof FORMAT
  network: string
  /** What was asked for. */
  asked: Readonly<Record<string, string>>
  /** The rounds to compare, every so many. */
  fromRound: number
  toRound: number
  every: number
  /** Ids of the proposals that are over. */
  proposals: readonly string[]
}

/** What comparing one round or proposal came to: a line of the report. */
export interface AuditLine {
  /** A round's number as text, or a proposal's id. */
  subject: string
  /** How many values of each kind were compared. */
  compared: Readonly<Record<string, number>>
  differences: readonly Compared[]
  unchecked: readonly Unchecked[]
  /** What no contract tells. */
  notes: readonly string[]
}

/**
 * What an audit has found so far, in FILE.part beside its report: a line for the plan, then one for each subject in the order
 * they were compared, of which the last counts. Whole lines are kept through whatever ends the process.
 */
export class AuditFile {
  private constructor(
    private readonly file: string | undefined,
    readonly plan: AuditPlan,
    private readonly lines: Map<string, AuditLine>,
  ) {}

  /**
   * Goes on with what is in FILE.part, where it is of the same audit, else begins with a new plan; nothing is kept where there
   * is no file. CliError where it is of another audit.
   */
  static async open(
    file: string | undefined,
    asked: AuditPlan['asked'],
    makePlan: () => Promise<AuditPlan>,
  ): Promise<AuditFile> {
    if (file === undefined) return new AuditFile(file, await makePlan(), new Map())
    const part = partOf(file)
    const known = existsSync(part) ? await readPart(part) : undefined
    if (known === undefined) {
      const plan = await makePlan()
      await writeFile(part, `${JSON.stringify(plan)}\n`)
      return new AuditFile(file, plan, new Map())
    }
    if (JSON.stringify(known.plan.asked) === JSON.stringify(asked)) return new AuditFile(file, known.plan, known.lines)
    throw new CliError(
      `${part} is of an audit that was asked for otherwise; move it away to begin anew, or ask the same`,
    )
  }

  /** What comparing a subject came to; undefined where it was not compared yet. */
  find(subject: string): AuditLine | undefined {
    return this.lines.get(subject)
  }

  /** Keeps what comparing a subject came to. */
  async add(line: AuditLine): Promise<void> {
    this.lines.set(line.subject, line)
    if (this.file === undefined) return
    const output = await open(partOf(this.file), 'a')
    try {
      await output.writeFile(`${JSON.stringify(line)}\n`)
    } finally {
      await output.close()
    }
  }

  /** Writes the report: the plan, a line for each subject in the plan's order, and the sums. */
  async finish(subjects: readonly string[], sums: object): Promise<void> {
    if (this.file === undefined) return
    const lines = subjects.flatMap((subject) => this.lines.get(subject) ?? [])
    const text = [this.plan, ...lines, sums].map((line) => `${JSON.stringify(line)}\n`).join('')
    const part = partOf(this.file)
    await writeFile(`${part}.new`, text)
    await rename(`${part}.new`, part)
    await rename(part, this.file)
  }
}

function partOf(file: string): string {
  return `${file}.part`
}

/** Takes off a last line that was not written to its end, so that the next one stands alone. */
async function readPart(part: string): Promise<{ plan: AuditPlan; lines: Map<string, AuditLine> } | undefined> {
  const text = await readFile(part, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole === '') return undefined
  if (whole.length < text.length) await truncate(part, Buffer.byteLength(whole))
  try {
    const [plan, ...lines] = whole
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    if (isPlan(plan) && lines.every(isLine)) return { plan, lines: new Map(lines.map((line) => [line.subject, line])) }
  } catch {
    // Said below.
  }
  throw new CliError(`${part} is damaged or none of an audit; move it away to begin anew`)
}

function isPlan(value: unknown): value is AuditPlan {
  if (!isObject(value) || value.format !== FORMAT || !isObject(value.asked)) return false
  const { network, fromRound, toRound, every, proposals } = value
  const numbers = [fromRound, toRound, every]
  return typeof network === 'string' && numbers.every(Number.isSafeInteger) && Array.isArray(proposals)
}

function isLine(value: unknown): value is AuditLine {
  if (!isObject(value) || typeof value.subject !== 'string' || !isObject(value.compared)) return false
  return [value.differences, value.unchecked, value.notes].every(Array.isArray)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
