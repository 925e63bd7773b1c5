import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CliError } from '../errors.ts'
import type { Change } from './changes.ts'

const FORMAT = 'livepeer-governance/watch/1'

/** Whom changes are handed to, beside the terminal. */
export type OutletName = 'exec' | 'webhook'

interface State {
  format: typeof FORMAT
  /** Chains whose changes are told. */
  networks: string[]
  /** Ids of changes that were told, or were there before the first start. */
  told: string[]
  /** What is yet to be handed over, in order. */
  waiting: Record<OutletName, Change[]>
}

/** What was told, kept in a file that is always whole: the one before or the one after a change of it. */
export class StateFile {
  readonly #file: string
  readonly #networks: Set<string>
  readonly #told: Set<string>
  readonly #waiting: Record<OutletName, Change[]>
  #saving = Promise.resolve()

  private constructor(file: string, { networks, told, waiting }: State) {
    this.#file = file
    this.#networks = new Set(networks)
    this.#told = new Set(told)
    this.#waiting = waiting
  }

  /** What a file holds; a new one where there is none. CliError where it holds anything else. */
  static async open(file: string): Promise<StateFile> {
    const state = new StateFile(file, await read(file))
    // Better now than after the first change is told.
    await state.#save()
    return state
  }

  knows(network: string): boolean {
    return this.#networks.has(network)
  }

  wasTold({ id }: Change): boolean {
    return this.#told.has(id)
  }

  /** Takes chains in, and changes as told without anybody having been. */
  takeIn(networks: readonly string[], told: readonly Change[]): Promise<void> {
    for (const network of networks) this.#networks.add(network)
    for (const { id } of told) this.#told.add(id)
    return this.#save()
  }

  /** Keeps that a change was printed, and is to be handed over to others. */
  printed(change: Change, outlets: readonly OutletName[]): Promise<void> {
    this.#told.add(change.id)
    for (const outlet of outlets) this.#waiting[outlet].push(change)
    return this.#save()
  }

  /** The change that is to be handed over next. */
  next(outlet: OutletName): Change | undefined {
    return this.#waiting[outlet][0]
  }

  /** Keeps that it was. */
  handedOver(outlet: OutletName): Promise<void> {
    this.#waiting[outlet].shift()
    return this.#save()
  }

  #save(): Promise<void> {
    this.#saving = this.#saving.then(() =>
      replaceFile(
        this.#file,
        JSON.stringify({
          format: FORMAT,
          networks: [...this.#networks],
          told: [...this.#told],
          waiting: this.#waiting,
        } satisfies State),
      ),
    )
    return this.#saving
  }
}

/** Kept once this resolves, also through a loss of power. */
async function replaceFile(file: string, text: string): Promise<void> {
  const part = `${file}.part`
  const output = await open(part, 'w', 0o600)
  try {
    await output.writeFile(`${text}\n`)
    await output.sync()
  } finally {
    await output.close()
  }
  await rename(part, file)
  const folder = await open(dirname(file), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function read(file: string): Promise<State> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { format: FORMAT, networks: [], told: [], waiting: { exec: [], webhook: [] } }
  }
  try {
    const state: unknown = JSON.parse(text)
    if (isState(state)) return state
  } catch {
    // Said below.
  }
  throw new CliError(
    `--state ${file} is damaged or no file of watch, so what was told is not known; move it away to begin anew, or give another`,
  )
}

function isState(value: unknown): value is State {
  if (!isObject(value) || value.format !== FORMAT || !isObject(value.waiting)) return false
  const { networks, told, waiting } = value
  return (
    isListOf(networks, isString) &&
    isListOf(told, isString) &&
    isListOf(waiting.exec, isChange) &&
    isListOf(waiting.webhook, isChange)
  )
}

function isChange(value: unknown): value is Change {
  if (!isObject(value)) return false
  const { id, proposal, system, network, title, kind } = value
  return [id, proposal, system, network, title, kind].every(isString)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isListOf<Item>(value: unknown, is: (item: unknown) => item is Item): value is Item[] {
  return Array.isArray(value) && value.every(is)
}
