import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import cors from 'cors'
import { type NextFunction, type Request, type Response, Router } from 'express'
import { GraphQLError } from 'graphql'
import { LRUCache } from 'lru-cache'
import { ApiError } from '../facts/errors.ts'
import { type Context, viewsOf } from '../graphql/context.ts'
import { changesOf } from '../graphql/counting-resolvers.ts'
import type { Choice } from '../graphql/generated/resolvers.ts'
import type { Limits } from '../graphql/limits.ts'
import { findProposal } from '../graphql/proposal-ids.ts'
import { scalars } from '../graphql/scalars.ts'
import type { Chains } from '../views/chains.ts'
import { globalId, type ProposalInView } from '../views/governance-view.ts'
import type { StakeView } from '../views/stake-view.ts'
import {
  absenteesTable,
  allocationTable,
  completeSnapshot,
  markOf,
  powerTable,
  proofOf,
  proposalsTable,
  recountTable,
  snapshotTable,
  votesTable,
  votesTreeOf,
} from './export-tables.ts'
import { FEEDS, type Feed, feedText } from './feeds.ts'
import { HISTORY_FORMATS, Histories } from './history.ts'
import { openApi } from './openapi.ts'
import { NoPlace, Places } from './places.ts'
import { scoresJson, scoresOfHolders } from './snapshot-scores.ts'
import {
  bytesOf,
  FORMATS,
  type Format,
  type HeadPlace,
  jsonText,
  type RenderedFile,
  renderPieces,
  renderTable,
} from './table-file.ts'

/** HTTP status of each error code; whatever else is the server's own fault. */
const STATUS: Readonly<Record<string, number>> = {
  BAD_USER_INPUT: 400,
  NOT_FOUND: 404,
  ROUND_NOT_INDEXED: 404,
  ROUND_IN_FUTURE: 404,
  BLOCK_NOT_INDEXED: 404,
  BLOCK_IN_FUTURE: 404,
  LIMIT_EXCEEDED: 413,
  NOT_EXACT: 422,
  NO_ACTIVE_TRANSCODERS: 422,
  UPSTREAM_UNAVAILABLE: 503,
  BLOCK_REORGED: 503,
}

/** For files of a round that is closed or a block that is final; for all others. Compression would give other bytes than those of the ETag. */
const CACHING = {
  final: 'public, max-age=31536000, immutable, no-transform',
  open: 'public, max-age=5, no-transform',
}

/** Rendered files are kept up to this many bytes: some dozens of snapshots of thousands of holders. */
const KEPT_BYTES = 64_000_000

const PATHS = ['/snapshots', '/allocations', '/proposals', '/proposals.:format', '/history.:format', '/openapi.json']

/** The content types of files, by the ending of their names. */
const TYPES = { ...FORMATS, ...FEEDS }

/** What is to be sent: how it is rendered, and by what name it is kept; null for what is not kept. */
interface Offer {
  format: keyof typeof TYPES
  final: boolean
  key: readonly unknown[] | null
  render: (headPlace: HeadPlace) => Promise<RenderedFile>
}

/**
 * The files of snapshots, proofs, trees, scores, voting powers, allocations, histories, proposals, votes, absentees and
 * recounts, the feeds, and what all paths are, see docs/exports.md; a new path gets its line in openapi.ts. Each request
 * sees the chains of a context of its own; of `limits` those of histories count. `log` takes a line about an error that is the server's own fault.
 */
export function exportsRouter(newContext: () => Context, limits: Limits, log?: (line: string) => void): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const kept = new LRUCache<string, RenderedFile, () => Promise<RenderedFile>>({
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ length }) => length,
    // A file pushed out while it is being made is still waited for.
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context: render }) => render(),
  })

  const answer = (offerOf: (request: Request, context: Context) => Promise<Offer>) =>
    async function sendOffer(request: Request, response: Response): Promise<void> {
      const { format, final, key, render } = await offerOf(request, newContext())
      const headPlace = headPlaceOf(request, format)
      const make = () => render(headPlace)
      const file =
        key === null
          ? await make()
          : await kept.forceFetch(JSON.stringify([format, headPlace, ...key]), { context: make })
      response.type(TYPES[format]).set('Cache-Control', final ? CACHING.final : CACHING.open)
      if (headPlace === 'NONE') response.set('Link', `<${pathOfHead(request)}>; rel="describedby"`)
      await sendFile(file, request, response)
    }

  const histories = new Histories()
  const places = new Places('histories', limits.histories)

  /** Made while it is sent, so that no part of it can be asked for; so many at once. */
  async function sendHistory(request: Request, response: Response): Promise<void> {
    const asked = query(request, ['network', 'toRound'])
    const format = endingOf(HISTORY_FORMATS, request.params.format)
    const headPlace = headPlaceOf(request, format)
    const toRound = asked.toRound === undefined ? null : wholeNumber('toRound', asked.toRound)
    const left = new AbortController()
    response.once('close', () => left.abort())
    // What must be known before the first byte is as much work as the rest, so it takes a place too.
    await places.use(left.signal, async () => {
      const of = { network: asked.network, toRound }
      const { final, etag, pieces } = await histories.file(newContext().chains, of, format, headPlace)
      if (left.signal.aborted) return
      response.type(HISTORY_FORMATS[format])
      if (headPlace === 'NONE') response.set('Link', `<${pathOfHead(request, format)}>; rel="describedby"`)
      response.set({
        'Cache-Control': final && toRound !== null ? CACHING.final : CACHING.open,
        ETag: etag,
        'Accept-Ranges': 'none',
      })
      // Who takes nothing any more would keep the place for ever.
      response.setTimeout(limits.stalledMilliseconds)
      if (request.fresh) response.status(304).end()
      else if (request.method === 'HEAD') response.end()
      else await sendPieces(pieces(), response)
    })
  }

  router.use(
    PATHS,
    cors({
      exposedHeaders: [
        'ETag',
        'Content-Range',
        'Accept-Ranges',
        'Content-Length',
        'Repr-Digest',
        'Link',
        'Retry-After',
      ],
    }),
  )
  router.get('/snapshots/:file', answer(snapshotFile))
  router.get('/snapshots/:moment/proof/:file', answer(proofFile))
  router.get('/snapshots/:moment/power/:file', answer(powerFile))
  router.get('/snapshots/:moment/tree.:format', answer(treeFile))
  router.get('/snapshots/:moment/scores.:format', answer(scoresFile))
  router.get('/allocations/:file', answer(allocationFile))
  for (const feed of Object.keys(FEEDS) as Feed[]) router.get(`/proposals.${feed}`, answer(feedFile(feed)))
  router.get('/proposals.:format', answer(proposalsFile))
  router.get('/proposals/:id/votes.:format', answer(votesFile))
  router.get('/proposals/:id/absentees.:format', answer(absenteesFile))
  router.get('/proposals/:id/recount.:format', answer(recountFile))
  router.get('/openapi.json', answer(openApiFile))
  router.get('/history.:format', sendHistory)
  router.use(PATHS, (request: Request) => {
    throw new ApiError(
      'NOT_FOUND',
      `There is no ${request.baseUrl}${request.path === '/' ? '' : request.path} to ${request.method}`,
    )
  })
  router.use(PATHS, (error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    sendError(error, response, log)
  })
  return router
}

/** A moment as paths have it: a round's number, or block-N for the end of a block. */
function stakesAt(text: unknown, network: string | undefined, chains: Chains): Promise<StakeView> {
  const [, block] = /^block-(-?\d{1,78})$/.exec(String(text)) ?? []
  return chains.at(block === undefined ? { round: roundOf(text), network } : { block: BigInt(block), network })
}

async function snapshotFile(request: Request, { chains }: Context): Promise<Offer> {
  const { network } = query(request, ['network'])
  const [name, format] = nameAndFormat(request.params.file)
  const stakes = await stakesAt(name, network, chains)
  const render = async (headPlace: HeadPlace) => renderTable(await snapshotTable(stakes), format, headPlace)
  return { format, final: stakes.isFinal, key: keyOf('snapshot', stakes), render }
}

/** By what name a file of everybody's stake is kept. */
function keyOf(file: string, stakes: StakeView): readonly unknown[] {
  const { deployment, block, blockHash } = stakes.head
  // What is not final is what it is as of the head.
  const asOf = stakes.isFinal ? [] : [block, blockHash]
  return [file, deployment, stakes.moment, markOf(stakes), asOf]
}

async function treeFile(request: Request, { chains }: Context): Promise<Offer> {
  const { network } = query(request, ['network'])
  const format = jsonOnly(formatOf(request.params.format))
  const stakes = await stakesAt(request.params.moment, network, chains)
  const render = async () => renderPieces([`${await votesTreeOf(stakes)}\n`])
  return { format, final: stakes.isFinal, key: keyOf('tree', stakes), render }
}

async function scoresFile(request: Request, { chains }: Context): Promise<Offer> {
  const { network } = query(request, ['network'])
  const format = jsonOnly(formatOf(request.params.format))
  const stakes = await stakesAt(request.params.moment, network, chains)
  const render = async () => renderPieces(scoresJson(scoresOfHolders((await completeSnapshot(stakes)).holders)))
  return { format, final: stakes.isFinal, key: keyOf('scores', stakes), render }
}

async function proofFile(request: Request, { chains }: Context): Promise<Offer> {
  const { network } = query(request, ['network'])
  const [name, format] = nameAndFormat(request.params.file)
  jsonOnly(format)
  const account = scalars.Address.parseValue(name) as string
  const stakes = await stakesAt(request.params.moment, network, chains)
  const render = async () => renderPieces([`${jsonText(await proofOf(stakes, account))}\n`])
  return { format, final: stakes.isFinal, key: null, render }
}

async function powerFile(request: Request, { chains }: Context): Promise<Offer> {
  const { network } = query(request, ['network'])
  const [name, format] = nameAndFormat(request.params.file)
  const account = scalars.Address.parseValue(name) as string
  const stakes = await stakesAt(request.params.moment, network, chains)
  const render = async (headPlace: HeadPlace) => renderTable(await powerTable(stakes, account), format, headPlace)
  return { format, final: stakes.isFinal, key: null, render }
}

async function allocationFile(request: Request, { chains }: Context): Promise<Offer> {
  const asked = query(request, ['network', 'supply', 'seats'])
  const [name, format] = nameAndFormat(request.params.file)
  const supply = scalars.BigInt.parseValue(asked.supply ?? '100000000000000000000') as bigint
  const seats = wholeNumber('seats', asked.seats ?? '25')
  const stakes = await chains.at({ round: roundOf(name), network: asked.network })
  const render = async (headPlace: HeadPlace) => renderTable(allocationTable(stakes, supply, seats), format, headPlace)
  return { format, final: stakes.isFinal, key: null, render }
}

async function proposalsFile(request: Request, context: Context): Promise<Offer> {
  const { network } = query(request, ['network'])
  const format = formatOf(request.params.format)
  const render = async (headPlace: HeadPlace) =>
    renderTable(await proposalsTable(viewsOf(network, context), context), format, headPlace)
  // The texts of polls come in while the chain stands still.
  return { format, final: false, key: null, render }
}

function feedFile(feed: Feed) {
  return async (request: Request, context: Context): Promise<Offer> => {
    const { network } = query(request, ['network'])
    const views = viewsOf(network, context)
    const render = async () => renderPieces([await feedText(feed, views, network, context)])
    return { format: feed, final: false, key: null, render }
  }
}

async function openApiFile(request: Request, { chains }: Context): Promise<Offer> {
  query(request, [])
  const networks = chains.views.map(({ network }) => network)
  const render = async () => renderPieces([`${jsonText(openApi(networks))}\n`])
  return { format: 'json', final: false, key: null, render }
}

async function votesFile(request: Request, { governance }: Context): Promise<Offer> {
  query(request, [])
  const format = formatOf(request.params.format)
  const proposal = proposalOf(request, governance)
  const { deployment, block, blockHash } = proposal.view.chainView.facts.head
  const render = async (headPlace: HeadPlace) => renderTable(await votesTable(proposal), format, headPlace)
  return { format, final: false, key: ['votes', deployment, globalId(proposal), block, blockHash], render }
}

async function absenteesFile(request: Request, { governance }: Context): Promise<Offer> {
  query(request, [])
  const format = formatOf(request.params.format)
  const proposal = proposalOf(request, governance)
  const { deployment, block, blockHash } = proposal.view.chainView.facts.head
  const render = async (headPlace: HeadPlace) => renderTable(await absenteesTable(proposal), format, headPlace)
  return { format, final: false, key: ['absentees', deployment, globalId(proposal), block, blockHash], render }
}

/** The changes are a stranger's, so it is not kept. */
async function recountFile(request: Request, { governance }: Context): Promise<Offer> {
  const asked = query(request, [
    'round',
    'quorumPartsPerMillion',
    'supportPartsPerMillion',
    'strict',
    'overrides',
    'ofActiveStake',
    'without',
    'choices',
  ])
  const format = formatOf(request.params.format)
  const proposal = proposalOf(request, governance)
  const number = (name: 'round' | 'quorumPartsPerMillion' | 'supportPartsPerMillion') =>
    asked[name] === undefined ? null : wholeNumber(name, asked[name])
  const changes = changesOf(proposal, {
    round: number('round'),
    quorumPartsPerMillion: number('quorumPartsPerMillion'),
    supportPartsPerMillion: number('supportPartsPerMillion'),
    strict: trueOrFalse('strict', asked.strict),
    overrides: trueOrFalse('overrides', asked.overrides),
    ofActiveStake: trueOrFalse('ofActiveStake', asked.ofActiveStake),
    without: listOf(asked.without).map((voter) => scalars.Address.parseValue(voter) as string),
    choices: listOf(asked.choices).map(choiceOf),
  })
  const render = async (headPlace: HeadPlace) => renderTable(await recountTable(proposal, changes), format, headPlace)
  return { format, final: false, key: null, render }
}

function proposalOf(request: Request, governance: Context['governance']): ProposalInView {
  const id = String(request.params.id)
  const proposal = findProposal(id, governance)
  if (proposal === null) throw new ApiError('NOT_FOUND', `There is no proposal ${id}`)
  return proposal
}

/** VOTER=CHOICE. */
function choiceOf(text: string): { voter: string; choice: Choice } {
  const [voter = '', choice = '', ...rest] = text.split('=')
  if (!isChoice(choice) || rest.length > 0) {
    const right = `one is ADDRESS=CHOICE with ${CHOICES.join(', ')}, several with commas between`
    throw new ApiError('BAD_USER_INPUT', `${JSON.stringify(text)} is not a choice; ${right}`)
  }
  return { voter: scalars.Address.parseValue(voter) as string, choice }
}

const CHOICES = ['FOR', 'AGAINST', 'ABSTAIN'] as const satisfies readonly Choice[]

function isChoice(text: string): text is Choice {
  return CHOICES.some((choice) => choice === text)
}

/** What commas separate; nothing of nothing. */
function listOf(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(',')
}

function trueOrFalse(name: string, text: string | undefined): boolean | null {
  if (text === undefined) return null
  if (text !== 'true' && text !== 'false') {
    throw new ApiError('BAD_USER_INPUT', `${name} is ${JSON.stringify(text)}; it must be true or false`)
  }
  return text === 'true'
}

/** Sends a file or the part of it that is asked for, no faster than the client takes it. */
async function sendFile(file: RenderedFile, request: Request, response: Response): Promise<void> {
  const { length, sha256 } = file
  response.set({
    ETag: `"${sha256.toString('base64url')}"`,
    'Repr-Digest': `sha-256=:${sha256.toString('base64')}:`,
    'Accept-Ranges': 'bytes',
  })
  if (request.fresh) {
    response.removeHeader('Content-Type')
    response.status(304).end()
    return
  }
  const range = rangeOf(request, response, length)
  if (range === 'unsatisfiable') {
    response.removeHeader('Repr-Digest')
    response.set({ 'Content-Range': `bytes */${length}`, 'Cache-Control': 'no-store' })
    response
      .status(416)
      .json(errorBody('BAD_USER_INPUT', `The file has ${length} bytes; the range lies behind its end`))
    return
  }
  const { start, end } = range ?? { start: 0, end: length }
  if (range !== null) response.status(206).set('Content-Range', `bytes ${start}-${end - 1}/${length}`)
  response.set('Content-Length', String(end - start))
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  await sendPieces(bytesOf(file, start, end), response)
}

/** Sends pieces, each made once the client takes it; no more are made for a client that went away. */
async function sendPieces(pieces: Iterable<Buffer> | AsyncIterable<Buffer>, response: Response): Promise<void> {
  try {
    await pipeline(Readable.from(pieces), response)
  } catch (error) {
    // Whoever went away half-way comes back with a Range, or not at all.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
}

/** The one range asked for, its end exclusive; null for the whole file, which several ranges and a changed file get. */
function rangeOf(
  request: Request,
  response: Response,
  length: number,
): { start: number; end: number } | 'unsatisfiable' | null {
  const condition = request.get('If-Range')
  if (condition !== undefined && condition !== response.get('ETag')) return null
  const ranges = request.range(length, { combine: true })
  if (ranges === -1) return 'unsatisfiable'
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes') return null
  const [range, ...others] = ranges
  return range === undefined || others.length > 0 ? null : { start: range.start, end: range.end + 1 }
}

/** What a client is told of an error; nothing of what is the server's own fault. */
export function sendError(error: unknown, response: Response, log: ((line: string) => void) | undefined): void {
  const code = error instanceof GraphQLError ? String(error.extensions.code) : undefined
  const status = error instanceof NoPlace ? 503 : code === undefined ? clientStatus(error) : STATUS[code]
  if (status === undefined) log?.(`an export failed: ${error instanceof Error ? error.stack : String(error)}`)
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.status(status ?? 500).set('Cache-Control', 'no-store')
  if (status === 503) response.set('Retry-After', String(error instanceof NoPlace ? error.retryAfterSeconds : 2))
  if (status === undefined) response.json(errorBody('INTERNAL_SERVER_ERROR', 'The file could not be made'))
  else response.json(errorBody(code ?? 'BAD_USER_INPUT', error instanceof Error ? error.message : String(error)))
}

/** 400 where Express could not read the request, such as a path that is not well encoded. */
function clientStatus(error: unknown): number | undefined {
  const { status } = error as { status?: unknown }
  return status === 400 ? 400 : undefined
}

function errorBody(code: string, message: string): object {
  return { error: { code, message } }
}

/** `header=none` leaves it out, of CSV and NDJSON; else BAD_USER_INPUT. */
function headPlaceOf(request: Request, format: string): HeadPlace {
  const { header } = request.query
  if (header === undefined) return 'FIRST'
  if (header !== 'none') throw new ApiError('BAD_USER_INPUT', 'header can only be none, or not be given')
  if (format !== 'csv' && format !== 'ndjson')
    throw new ApiError('BAD_USER_INPUT', 'header=none is for csv and ndjson; json has its rows apart')
  return 'NONE'
}

/** The file that has the head of one without: the same as JSON, or in another format. */
function pathOfHead({ originalUrl }: Request, format = 'json'): string {
  // What is none of a URL's characters in the request is encoded here, and so ends no header.
  const { pathname, searchParams } = new URL(originalUrl, 'http://localhost')
  searchParams.delete('header')
  return `${pathname.replace(/\.[^./]*$/, `.${format}`)}${searchParams.size === 0 ? '' : `?${searchParams}`}`
}

const OF_TABLES = '; header=none goes with csv and ndjson'

/** The parameters of a query by name, but for `header`, which any table has; BAD_USER_INPUT for one that is not known here or given twice. */
function query<Name extends string>(request: Request, names: readonly Name[]): Partial<Record<Name, string>> {
  const known: Partial<Record<Name, string>> = {}
  for (const [given, value] of Object.entries(request.query)) {
    if (given === 'header') continue
    const name = names.find((candidate) => candidate === given)
    if (name === undefined || typeof value !== 'string') {
      const right = names.length === 0 ? 'none is known here' : `known here, once each: ${names.join(', ')}`
      throw new ApiError('BAD_USER_INPUT', `The parameter ${JSON.stringify(given)} does not fit; ${right}${OF_TABLES}`)
    }
    known[name] = value
  }
  return known
}

/** The format again; NOT_FOUND for any other than JSON. */
function jsonOnly(format: Format): Format {
  if (format !== 'json') throw unknownFormat(format, ['json'])
  return format
}

/** What is before and after the last dot of a file's name; NOT_FOUND without a known ending. */
function nameAndFormat(file: unknown): [string, Format] {
  const text = String(file)
  const dot = text.lastIndexOf('.')
  return [text.slice(0, Math.max(dot, 0)), formatOf(dot === -1 ? '' : text.slice(dot + 1))]
}

function formatOf(ending: unknown): Format {
  return endingOf(FORMATS, ending)
}

/** An ending that is one of those known; else NOT_FOUND. */
function endingOf<Known extends object>(known: Known, ending: unknown): keyof Known {
  const text = String(ending)
  if (!Object.hasOwn(known, text)) throw unknownFormat(text, Object.keys(known))
  return text as keyof Known
}

function unknownFormat(ending: string, known: readonly string[]): ApiError {
  return new ApiError('NOT_FOUND', `There is no format ${JSON.stringify(ending)} here; there is: ${known.join(', ')}`)
}

function roundOf(text: unknown): number {
  return wholeNumber('round', String(text))
}

/** A number of GraphQL's Int. */
function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (!/^-?\d{1,10}$/.test(text) || number !== (number | 0)) {
    throw new ApiError('BAD_USER_INPUT', `${name} is ${JSON.stringify(text)}; it must be a whole number`)
  }
  return number
}
