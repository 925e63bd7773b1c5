import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { appendFile, mkdir, rm, truncate, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { print } from 'graphql'
import { FactsDocument } from './generated/queries.ts'
import type { Lists } from './series.ts'

/** A block with its hash. */
export interface Anchor {
  block: number
  hash: string
}

/** What blocks above one and up to another made so, with a block of them, or before, to tell the chain by. */
export interface Piece {
  above: number
  upTo: number
  anchor: Anchor | null
  lists: Lists
}

/** Facts written to the file together; until then they are asked of graph-node again after a crash. */
const WRITE_AFTER_MS = 10_000

/**
 * The final facts of one chain as a file, so that they need not be asked of graph-node again: a line that tells whose they
 * are, then a line for each piece in the order of blocks, each with a hash of its own. Only ever added to.
 */
export class FactsFile {
  #pending: Piece[] = []
  #lastWrite = performance.now()
  #writing: Promise<void> = Promise.resolve()

  /** `log` takes a line about a file that is of no use, or cannot be written. */
  constructor(
    private readonly path: string,
    private readonly log: (line: string) => void,
  ) {}

  /**
   * The pieces of a subgraph's deployment, as far as they were written whole; none where there is no file. Throws where it
   * is in doubt: of something else, or broken in its midst.
   */
  async *read(network: string, deployment: string): AsyncGenerator<Piece> {
    if (!existsSync(this.path)) return
    let bytes = 0
    let broken = false
    for await (const line of createInterface({ input: createReadStream(this.path), crlfDelay: Infinity })) {
      if (broken) throw new Error('a piece in its midst is broken')
      const json = line.slice(HASH_LENGTH + 1)
      if (bytes === 0) {
        if (line !== headerOf(network, deployment)) throw new Error('it is of another subgraph or version')
      } else if (line.slice(0, HASH_LENGTH) === hashOf(json)) yield JSON.parse(json) as Piece
      else broken = true
      if (!broken) bytes += Buffer.byteLength(line) + 1
    }
    // A crash left a part of the last piece, and may have left out the end of its line.
    await truncate(this.path, bytes)
  }

  /** Begins anew: what was written before is gone. */
  async begin(network: string, deployment: string): Promise<void> {
    this.#pending = []
    await this.#write(async () => {
      await mkdir(dirname(this.path), { recursive: true })
      await writeFile(this.path, `${headerOf(network, deployment)}\n`)
    })
  }

  /** Adds a piece, sooner or later. */
  async add(piece: Piece): Promise<void> {
    this.#pending.push(piece)
    const entities = Object.values(piece.lists).reduce((sum, list) => sum + list.length, 0)
    if (entities > 500 || performance.now() - this.#lastWrite > WRITE_AFTER_MS) await this.flush()
  }

  /** Writes what was added. */
  async flush(): Promise<void> {
    const lines = this.#pending.map((piece) => JSON.stringify(piece))
    this.#pending = []
    this.#lastWrite = performance.now()
    if (lines.length === 0) return
    await this.#write(() => appendFile(this.path, lines.map((json) => `${hashOf(json)} ${json}\n`).join('')))
  }

  /** Nothing is kept. */
  async discard(why: string): Promise<void> {
    this.log(`${this.path} is of no use (${why}): the facts are loaded anew`)
    this.#pending = []
    await this.#write(() => rm(this.path, { force: true }))
  }

  async #write(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write).catch((error: Error) => {
      this.log(`${this.path} cannot be written: ${error.message}`)
    })
    await this.#writing
  }
}

/** Hex digits of a SHA-256. */
const HASH_LENGTH = 64

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Other questions have other answers: their text is the version of what is in the file. */
function headerOf(network: string, deployment: string): string {
  return JSON.stringify({
    format: 'livepeer-governance/facts/1',
    network,
    deployment,
    query: hashOf(print(FactsDocument)),
  })
}
