import { ApiError } from '../facts/errors.ts'
import type { Context } from '../graphql/context.ts'
import { findProposal } from '../graphql/proposal-ids.ts'
import type { ApiReader } from '../verification/api-files.ts'
import { snapshotTable, votesTable } from './export-tables.ts'
import { type RenderedFile, renderTable } from './table-file.ts'

/** The API's own files as those who verify it read them, without a way over HTTP; all of one request. */
export function ownFiles({ chains, governance }: Context): ApiReader {
  const fileOf = async (path: string): Promise<RenderedFile> => {
    const { pathname, searchParams } = new URL(path, 'http://own')
    const [, round] = /^\/snapshots\/(\d+)\.ndjson$/.exec(pathname) ?? []
    if (round !== undefined) {
      const stakes = await chains.at({ round: Number(round), network: searchParams.get('network') })
      return renderTable(await snapshotTable(stakes), 'ndjson')
    }
    const [, id = ''] = /^\/proposals\/(.+)\/votes\.ndjson$/.exec(pathname) ?? []
    const proposal = findProposal(decodeURIComponent(id), governance)
    if (proposal === null) throw new ApiError('NOT_FOUND', `There is no proposal ${id}`)
    return renderTable(await votesTable(proposal), 'ndjson')
  }
  return {
    async rows<Head, Row>(path: string) {
      const { pieces } = await fileOf(path)
      const lines = Buffer.concat(pieces).toString().split('\n')
      const [head = {}, ...rows] = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as object)
      return { head: head as Head, rows: rows as Row[] }
    },
    async initialisedAt(round, network) {
      const found = chains.forRound(round, network).facts.stake.roundFrom(round)
      return found?.number === round ? found.initializedAt : null
    },
  }
}
