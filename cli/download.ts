import { existsSync } from 'node:fs'
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { messageOf } from '../api/verification/errors.ts'
import type { Api } from './api.ts'
import { CliError } from './errors.ts'

/** What a download came to. */
export interface Download {
  bytes: number
  /** Bytes that were there from a download before. */
  resumedAt: number
}

/** Writes a file of the API to a stream, no faster than that takes it. */
export async function writeTo(api: Api, path: string, stream: NodeJS.WritableStream): Promise<void> {
  const { body } = await api.file(path)
  if (body === null) return
  try {
    await pipeline(Readable.fromWeb(body), stream, { end: false })
  } catch (error) {
    // `| head` reads no further than it needs.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return
    throw new CliError(`The download broke off (${messageOf(error)}); with --output FILE it can be resumed`)
  }
}

/**
 * Saves a file of the API. Until it is whole it is FILE.part, beside FILE.part.etag, which tells of what it is a part: a
 * later call goes on from there where the server still has the same file, and starts anew where not.
 */
export async function download(api: Api, path: string, file: string): Promise<Download> {
  const part = `${file}.part`
  const tagFile = `${part}.etag`
  const from = await partialDownload(part, tagFile)
  const response = await api.file(path, from)
  const isWhole = response.status === 416 && response.headers.get('etag') === from?.etag
  if (!isWhole) {
    // Of another file there may be less than what is here.
    const answer = response.status === 416 ? await api.file(path) : response
    await save(answer, part, tagFile, path)
  }
  const { size: bytes } = await stat(part)
  await rename(part, file)
  await rm(tagFile, { force: true })
  const resumedAt = from !== undefined && (isWhole || response.status === 206) ? from.offset : 0
  return { bytes, resumedAt }
}

async function save(response: Response, part: string, tagFile: string, path: string): Promise<void> {
  const isRest = response.status === 206
  const etag = response.headers.get('etag')
  if (!isRest && etag !== null) await writeFile(tagFile, etag)
  const output = await open(part, isRest ? 'a' : 'w')
  try {
    if (response.body !== null) await pipeline(Readable.fromWeb(response.body), output.createWriteStream())
  } catch (error) {
    throw new CliError(`The download of ${path} broke off (${messageOf(error)}); the same command again resumes it`)
  } finally {
    await output.close().catch(() => {})
  }
}

async function partialDownload(part: string, tagFile: string): Promise<{ offset: number; etag: string } | undefined> {
  if (!existsSync(part) || !existsSync(tagFile)) return undefined
  const { size: offset } = await stat(part)
  const etag = await readFile(tagFile, 'utf8')
  return offset === 0 ? undefined : { offset, etag }
}
