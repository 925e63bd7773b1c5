import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { GraphQLClient } from 'graphql-request'
import type { Hex } from 'viem'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { TallyHead, TallyVote } from '../../api/verification/api-files.ts'
import { compareAragonVote } from '../../api/verification/aragon-vote.ts'
import { Comparison } from '../../api/verification/comparison.ts'
import { compare, type Question } from '../../api/verification/verification.ts'
import { Api } from '../../cli/api.ts'
import { contractsOver, rpcClient } from '../../cli/contracts.ts'
import { type RecordedChainServer, serveRecordedChains } from '../../stack/recorded-chain.ts'
import { type Stack, startStack } from '../../stack/stack.ts'
import { readTrace } from '../../stack/trace.ts'
import type { AragonTruth } from './aragon-truth.ts'
import { cli, cliInTerminal, startCli } from './cli-command.ts'
import type { GovernanceTruth } from './governance-truth.ts'
import { type LivepeerTruth, readTruth, traceFile } from './livepeer-truth.ts'
import { type MerkleProofVerifier, startMerkleProofVerifier } from './merkle-proof-verifier.ts'
import { aragonContracts, livepeerContracts } from './recorded-contracts.ts'

type Row = Record<string, unknown>

const ROUND = 9
const L1 = '?network=recorded-2'
const STRANGER = `0x${'9'.repeat(40)}`
const ACCOUNT = '0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc'
const livepeer = readTruth<LivepeerTruth & GovernanceTruth>('livepeer/small')
const TREASURY = `treasury:${Object.keys(livepeer.proposals)[0]}`
const aragon = readTruth<AragonTruth>('aragon/small')

/** Arbitrum alone, and with two chains of L1 beside it: files of its closed rounds are the same. */
let alone: Stack
let stack: Stack

beforeAll(async () => {
  alone = await startStack({ traces: [traceFile('livepeer/small')] })
  await alone.ready
  stack = await startStack({ traces: ['livepeer/small', 'livepeer-l1/small', 'aragon/small'].map(traceFile) })
  await stack.ready
}, 480_000)
afterAll(async () => {
  await alone?.stop()
  await stack?.stop()
})

function ask<Answer>(query: string): Promise<Answer> {
  return new GraphQLClient(`${stack.url}/graphql`).request<Answer>(query)
}

function get(path: string, headers: Record<string, string> = {}, url = stack.url): Promise<Response> {
  return fetch(`${url}${path}`, { headers })
}

/** The same file in each format, each with what it says of itself and its rows. */
async function inAllFormats(path: string, query = '') {
  const text = async (ending: string) => (await get(`${path}.${ending}${query}`)).text()
  const csv = await text('csv')
  const comments = csv.split('\n').filter((line) => line.startsWith('# '))
  const { header, rows } = JSON.parse(await text('json')) as { header: Row; rows: Row[] }
  const [head, ...lines] = (await text('ndjson')).trimEnd().split('\n')
  return {
    csv: {
      head: Object.fromEntries(
        comments.map((line) =>
          line
            .slice(2)
            .split(/: (.*)/s)
            .slice(0, 2),
        ),
      ) as Row,
      rows: parse(csv, { columns: true, comment: '# ', comment_no_infix: true }) as Row[],
    },
    json: { head: header, rows },
    ndjson: { head: JSON.parse(head ?? ''), rows: lines.map((line) => JSON.parse(line) as Row) },
  }
}

/** A value as a CSV cell holds it. */
function cells(rows: readonly Row[]): Row[] {
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value ?? '')])))
}

async function errorOf(path: string, init: RequestInit = {}) {
  const response = await fetch(`${stack.url}${path}`, init)
  const body = (await response.json()) as { error: { code: string; message: string } }
  expect(Object.keys(body)).toEqual(['error'])
  expect(response.headers.get('cache-control')).toBe('no-store')
  return { status: response.status, ...body.error }
}

const HOLDER = 'account votes stake bondedAmount delegatedStake delegate isTranscoder isActive checkpointed'
const RULE = 'BondingVotes.getVotesAndDelegateAtRoundStart and BondingManager.pendingStake, 1'

describe('files hold what GraphQL answers', () => {
  test.each([5, ROUND, 28, 30])('the snapshot of round %i', async (round) => {
    const { stakeSnapshot, status } = await ask<{
      stakeSnapshot: { totalActiveStake: string; totalStake: string; holders: { nodes: Row[] } }
      status: { block: string; blockHash: string }[]
    }>(`{
      stakeSnapshot(round: ${round}) { totalActiveStake totalStake holders(first: 1000) { nodes { ${HOLDER} } } }
      status { block blockHash }
    }`)
    const { totalActiveStake, totalStake, holders } = stakeSnapshot
    const { csv, json, ndjson } = await inAllFormats(`/snapshots/${round}`)
    const fixedBy = livepeer.rounds.find((entry) => entry.round >= round)
    const block = fixedBy?.block ?? Number(status[0]?.block)
    const trace = await readTrace(traceFile('livepeer/small'))
    const head = {
      format: 'livepeer-governance/snapshot/1',
      rule: RULE,
      network: 'recorded',
      round,
      final: round < 30,
      block,
      blockHash: trace.block(block)?.hash,
      totalActiveStake,
      totalStake,
      rows: holders.nodes.length,
    }
    expect(json).toEqual({ head, rows: holders.nodes })
    expect(ndjson).toEqual({ head, rows: holders.nodes })
    expect(csv).toEqual({ head: cells([head])[0], rows: cells(holders.nodes) })
    // Nobody had bonded before the first round.
    expect(holders.nodes.length > 9).toBe(round !== 5)
  })

  test.each([458, 778, 1249, 1300, 1499])('the snapshot at the end of block %i', async (block) => {
    const { stakeSnapshot, votingPowers } = await ask<{
      stakeSnapshot: { round: number; totalActiveStake: string; totalStake: string; holders: { nodes: Row[] } }
      votingPowers: Row[]
    }>(`{
      stakeSnapshot(block: ${block}) {
        round totalActiveStake totalStake holders(first: 1000) { nodes { ${HOLDER} } } }
      votingPowers(accounts: ["${STRANGER}", "${ACCOUNT}"], block: "${block}") { ${HOLDER} }
    }`)
    const { round, totalActiveStake, totalStake, holders } = stakeSnapshot
    const head = {
      format: 'livepeer-governance/block-snapshot/1',
      rule: RULE,
      network: 'recorded',
      round,
      final: block <= 1249,
      block,
      blockHash: null,
      totalActiveStake,
      totalStake,
      rows: holders.nodes.length,
    }
    const { csv, json, ndjson } = await inAllFormats(`/snapshots/block-${block}`)
    expect(round).toBe(Math.floor(block / 50))
    expect(json).toEqual({ head, rows: holders.nodes })
    expect(ndjson).toEqual({ head, rows: holders.nodes })
    expect(csv).toEqual({ head: cells([head])[0], rows: cells(holders.nodes) })
    for (const [index, account] of [STRANGER, ACCOUNT].entries()) {
      const power = await inAllFormats(`/snapshots/block-${block}/power/${account}`)
      expect(power.json.rows).toEqual([votingPowers[index]])
    }
    expect(holders.nodes.length).toBeGreaterThan(9)
  })

  test('the allocation of a round, of any supply and seats', async () => {
    const { tokenAllocation } = await ask<{ tokenAllocation: { totalStake: string; shares: Row[] } }>(
      `{ tokenAllocation(round: ${ROUND}, supply: "1000000000000000001", seats: 3) {
        totalStake shares { transcoder stake tokens percent } } }`,
    )
    const { csv, json } = await inAllFormats(`/allocations/${ROUND}`, '?supply=1000000000000000001&seats=3')
    expect(json.rows).toEqual(tokenAllocation.shares)
    expect(csv.rows).toEqual(cells(tokenAllocation.shares))
    expect(json.head).toMatchObject({ supply: '1000000000000000001', seats: 3, totalStake: tokenAllocation.totalStake })
    expect(tokenAllocation.shares).toHaveLength(3)
  })

  test('all proposals, oldest first', async () => {
    const { proposals } = await ask<{ proposals: { nodes: Record<string, Row>[] } }>(`{
      proposals(first: 1000, orderBy: CREATED_ASC) { nodes {
        id system network title proposer createdAt { timestamp block transactionHash } state
        tally { for against abstain electorate quorum final } outcome { quorumReached supportReached passed }
      } }
    }`)
    const expected = proposals.nodes.map(
      ({ id, system, network, title, proposer, createdAt, state, tally, outcome }) => ({
        ...{ id, system, network, title, proposer },
        created: createdAt?.timestamp,
        block: Number(createdAt?.block),
        transaction: createdAt?.transactionHash,
        ...{ state, ...tally, ...outcome, error: null },
      }),
    )
    const { csv, json } = await inAllFormats('/proposals')
    expect(json.rows).toEqual(expected)
    expect(csv.rows).toEqual(cells(expected))
    expect(new Set(expected.map(({ system }) => system))).toEqual(new Set(['TREASURY', 'POLL', 'ARAGON']))
    const one = await inAllFormats('/proposals', '?network=recorded-3')
    expect(one.json.rows).toEqual(expected.filter(({ system }) => String(system) === 'ARAGON'))
  })

  test('the votes of every proposal', async () => {
    const { proposals } = await ask<{
      proposals: { nodes: { id: string; state: string; votes: { nodes: Record<string, Row>[] } }[] }
    }>(`{ proposals(first: 1000) { nodes { id state votes(first: 1000) { nodes {
      voter choice weight countedWeight overrides reason castAt { timestamp block logIndex transactionHash } } } } } }`)
    let votes = 0
    for (const { id, state, votes: page } of proposals.nodes) {
      const expected = page.nodes.map(({ castAt, reason, ...vote }) => ({
        ...vote,
        time: castAt?.timestamp,
        block: Number(castAt?.block),
        logIndex: castAt?.logIndex,
        transaction: castAt?.transactionHash,
        reason,
      }))
      const { csv, json } = await inAllFormats(`/proposals/${id}/votes`)
      expect(json.rows).toEqual(expected)
      expect(csv.rows).toEqual(cells(expected))
      expect(json.head).toMatchObject({ id, state, rows: expected.length })
      votes += expected.length
    }
    expect(votes).toBeGreaterThan(50)
  })
})

describe('files of hypothetical counts and of those who were missing hold what GraphQL answers', () => {
  const COUNT =
    'tally { for against abstain electorate quorum final } outcome { passed quorumReached supportReached explanation }'

  test('of every proposal', async () => {
    const { proposals } = await ask<{
      proposals: {
        nodes: {
          id: string
          absentees: { nodes: Row[] }
          turnout: Row
          votes: { nodes: (Row & { weight: string })[] }
          recount: { tally: Row; outcome: Row; turns: boolean }
        }[]
      }
    }>(`{ proposals(first: 100) { nodes { id absentees(first: 1000) { nodes { account power counts } }
      turnout { voters cast electorate absent percent }
      votes(first: 1000) { nodes { voter choice weight } }
      recount(with: { overrides: false, supportPartsPerMillion: 990000 }) { ${COUNT} turns } } } }`)
    let absent = 0
    for (const { id, absentees, turnout, votes, recount } of proposals.nodes) {
      const missing = await inAllFormats(`/proposals/${id}/absentees`)
      expect(missing.json.rows).toEqual(absentees.nodes)
      expect(missing.csv.rows).toEqual(cells(absentees.nodes))
      expect(missing.json.head).toMatchObject({ id, ...turnout, rows: absentees.nodes.length })
      absent += absentees.nodes.length
      const counted = await inAllFormats(`/proposals/${id}/recount`, '?overrides=false&supportPartsPerMillion=990000')
      const head = { ...recount.tally, ...recount.outcome, turns: recount.turns }
      expect(counted.json.head).toMatchObject({ id, hypothetical: true, ...head })
      expect(counted.ndjson.rows.map(({ voter, choice, countedWeight }) => [voter, choice, countedWeight])).toEqual(
        votes.nodes.map(({ voter, choice, weight }) => [voter, choice, weight]),
      )
    }
    expect(absent).toBeGreaterThan(20)
    expect(proposals.nodes.some(({ recount }) => recount.turns)).toBe(true)
  })
})

test('every holder can be proven to OpenZeppelin’s MerkleProof', async () => {
  let verifier: MerkleProofVerifier | undefined
  try {
    verifier = await startMerkleProofVerifier()
    const { stakeSnapshot } = await ask<{
      stakeSnapshot: { merkleRoot: Hex; holders: { nodes: { account: Hex; votes: string }[] } }
    }>(`{ stakeSnapshot(round: ${ROUND}) { merkleRoot holders(first: 1000) { nodes { account votes } } } }`)
    const { merkleRoot, holders } = stakeSnapshot
    for (const { account, votes } of holders.nodes) {
      const file = await get(`/snapshots/${ROUND}/proof/${account}.json`)
      const { root, value, proof, leafEncoding } = (await file.json()) as Record<string, Hex> & { proof: Hex[] }
      expect({ root, value, leafEncoding }).toEqual({
        root: merkleRoot,
        value: [account, votes],
        leafEncoding: ['address', 'uint256'],
      })
      expect(await verifier.verify(proof, merkleRoot, account, BigInt(votes))).toBe(true)
      expect(await verifier.verify(proof, merkleRoot, account, BigInt(votes) + 1n)).toBe(false)
    }
    expect(holders.nodes.length).toBeGreaterThan(9)
  } finally {
    await verifier?.stop()
  }
})

test('a holder at a block can be proven by the root of that block', async () => {
  const { stakeSnapshot } = await ask<{ stakeSnapshot: { merkleRoot: Hex; holders: { nodes: Row[] } } }>(
    '{ stakeSnapshot(block: 480) { merkleRoot holders(first: 1) { nodes { account votes } } } }',
  )
  const [holder] = stakeSnapshot.holders.nodes
  const file = await get(`/snapshots/block-480/proof/${holder?.account}.json`)
  expect(await file.json()).toMatchObject({
    format: 'livepeer-governance/block-votes-proof/1',
    block: 480,
    root: stakeSnapshot.merkleRoot,
    value: [holder?.account, holder?.votes],
  })
})

describe('without its head a file begins with its columns, or its first row,', () => {
  const proposal = `poll:${Object.keys(livepeer.polls)[0]}`

  test.each([
    '/snapshots/9',
    '/snapshots/block-480?network=recorded',
    `/snapshots/9/power/${ACCOUNT}`,
    '/allocations/9?seats=2&supply=1000',
    '/proposals',
    `/proposals/${proposal}/votes`,
    `/proposals/${proposal}/absentees`,
    `/proposals/${proposal}/recount?without=${ACCOUNT}`,
  ])('%s', async (file) => {
    const [path, query = ''] = file.split('?')
    const beside = query === '' ? '' : `?${query}`
    for (const ending of ['csv', 'ndjson']) {
      const whole = await (await get(`${path}.${ending}${beside}`)).text()
      const answer = await get(`${path}.${ending}?header=none${query === '' ? '' : `&${query}`}`)
      const lines = whole.split('\n')
      const rest = ending === 'csv' ? lines.filter((line) => !line.startsWith('# ')) : lines.slice(1)
      expect(await answer.text()).toBe(rest.join('\n'))
      const [, head = ''] = /^<(.*)>; rel="describedby"$/.exec(answer.headers.get('link') ?? '') ?? []
      expect(head).toBe(`${path}.json${beside.replaceAll(',', '%2C')}`)
      expect((await get(head)).status).toBe(200)
    }
    expect((await get(`${path}.csv${beside}`)).headers.get('link')).toBeNull()
  })

  test('kept, resumed and known by a tag of its own, and the link has nothing of a stranger’s', async () => {
    const path = '/snapshots/9.csv?header=none'
    const [with_, without] = await Promise.all([get('/snapshots/9.csv'), get(path)])
    const etag = without.headers.get('etag') ?? ''
    expect(etag).not.toBe(with_.headers.get('etag'))
    expect(without.headers.get('cache-control')).toContain('immutable')
    expect((await raw(path, { 'if-none-match': etag })).status).toBe(304)
    const part = await get(path, { range: 'bytes=0-6', 'if-range': etag })
    expect([part.status, await part.text()]).toEqual([206, 'account'])
    const odd = await raw('/snapshots/9.csv?network=recorded&header=none&network=%3E;rel="x"', {})
    expect([odd.status, odd.headers.link]).toEqual([400, undefined])
  })
})

describe('a closed round, or a final block,', () => {
  test.each([
    'snapshots/9.csv',
    'snapshots/9.json',
    'snapshots/28.ndjson',
    'allocations/9.csv',
    'snapshots/block-480.csv',
    'snapshots/block-1249.json',
  ])('is the same bytes from any node, for good: %s', async (file) => {
    const answers = await Promise.all([alone, stack].map(({ url }) => get(`/${file}`, {}, url)))
    const [first, second] = await Promise.all(answers.map((answer) => answer.arrayBuffer()))
    expect(Buffer.from(first ?? new ArrayBuffer())).toEqual(Buffer.from(second ?? new ArrayBuffer()))
    const [one, other] = answers.map(({ headers }) => headers.get('etag'))
    expect(one).toMatch(/^"[\w-]{43}"$/)
    expect(other).toBe(one)
    for (const { headers } of answers) {
      expect(headers.get('cache-control')).toContain('public, max-age=31536000, immutable')
    }
  })

  test('and its proofs are so, while an open one is kept for seconds', async () => {
    const account = Object.keys(livepeer.votesAtRoundStart.accounts)[0]
    const path = `/snapshots/${ROUND}/proof/${account}.json`
    const proofs = await Promise.all([alone, stack].map(async ({ url }) => (await get(path, {}, url)).text()))
    expect(proofs[0]).toBe(proofs[1])
    const open = await get('/snapshots/30.csv')
    expect(open.headers.get('cache-control')).toBe('public, max-age=5, no-transform')
    expect(open.headers.get('etag')).toMatch(/^"/)
    // 250 blocks behind the head, at 1499, a reorganisation may still reach.
    const volatile = await get('/snapshots/block-1250.json')
    expect(volatile.headers.get('cache-control')).toBe('public, max-age=5, no-transform')
    expect(await volatile.json()).toMatchObject({ header: { final: false } })
  })
})

describe('a download', () => {
  const path = `/snapshots/${ROUND}.csv`
  let whole: Buffer
  let etag: string

  beforeAll(async () => {
    const answer = await get(path)
    whole = Buffer.from(await answer.arrayBuffer())
    etag = answer.headers.get('etag') ?? ''
  })

  test.each([
    ['bytes=0-99', 0, 100],
    ['bytes=1000-', 1000, undefined],
    ['bytes=-7', -7, undefined],
    ['bytes=100-999999999', 100, undefined],
  ])('goes on in the middle: %s', async (range, start, end) => {
    for (const condition of [{}, { 'if-range': etag }]) {
      const answer = await get(path, { range, ...condition })
      const expected = whole.subarray(start, end)
      expect(answer.status).toBe(206)
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(expected)
      const from = start < 0 ? whole.length + start : start
      expect(answer.headers.get('content-range')).toBe(`bytes ${from}-${from + expected.length - 1}/${whole.length}`)
      expect(answer.headers.get('content-length')).toBe(String(expected.length))
    }
  })

  test.each([
    [{ range: 'bytes=10-', 'if-range': '"another"' }],
    [{ range: 'bytes=10-', 'if-range': 'Wed, 21 Oct 2015 07:28:00 GMT' }],
    [{ range: 'bytes=0-1,5-6' }],
    [{ range: 'lines=1-2' }],
    [{ range: 'bytes=nothing' }],
  ])('starts anew with %o', async (headers) => {
    const answer = await get(path, headers)
    expect(answer.status).toBe(200)
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(whole)
    expect(answer.headers.get('accept-ranges')).toBe('bytes')
  })

  test('behind the end is 416, of what is known 304, and HEAD has all but the body', async () => {
    const behind = await get(path, { range: `bytes=${whole.length}-` })
    expect([behind.status, behind.headers.get('content-range')]).toEqual([416, `bytes */${whole.length}`])
    for (const known of [etag, `"x", ${etag}`, `W/${etag}`, '*']) {
      // Node's fetch turns caching off where it is given If-None-Match.
      const answer = await raw(path, { 'if-none-match': known })
      expect([answer.status, answer.body, answer.headers.etag]).toEqual([304, '', etag])
    }
    expect((await raw(path, { 'if-none-match': '"x"' })).status).toBe(200)
    const head = await fetch(`${stack.url}${path}`, { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(await head.text()).toBe('')
    expect(head.headers.get('content-length')).toBe(String(whole.length))
    expect(head.headers.get('etag')).toBe(etag)
  })

  test('that its client leaves takes nothing with it', async () => {
    for (let time = 0; time < 20; time++) {
      const leave = new AbortController()
      const answer = await fetch(`${stack.url}${path}`, { signal: leave.signal })
      leave.abort()
      await answer.text().catch(() => {})
    }
    expect((await get(path)).status).toBe(200)
  })
})

function raw(path: string, headers: Record<string, string>) {
  return new Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]>; body: string }>(
    (resolve, reject) => {
      request(`${stack.url}${path}`, { headers }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
      })
        .on('error', reject)
        .end()
    },
  )
}

describe('what cannot be had is refused with a code', () => {
  test.each([
    ['/snapshots/x.csv', 400, 'BAD_USER_INPUT', 'whole number'],
    ['/snapshots/99999999999.csv', 400, 'BAD_USER_INPUT', 'whole number'],
    ['/snapshots/-1.csv', 404, 'ROUND_NOT_INDEXED', 'rounds'],
    ['/snapshots/31.csv', 404, 'ROUND_IN_FUTURE', 'rounds'],
    ['/snapshots/block-249.csv', 404, 'BLOCK_NOT_INDEXED', 'blocks 250 to 1499 of recorded'],
    ['/snapshots/block--1.csv', 404, 'BLOCK_NOT_INDEXED', 'blocks'],
    ['/snapshots/block-1500.csv', 404, 'BLOCK_IN_FUTURE', 'blocks 250 to 1499 of recorded'],
    [`/snapshots/block-${'9'.repeat(78)}.csv`, 404, 'BLOCK_IN_FUTURE', 'blocks'],
    ['/snapshots/block-.csv', 400, 'BAD_USER_INPUT', 'whole number'],
    ['/allocations/block-480.csv', 400, 'BAD_USER_INPUT', 'whole number'],
    [`/snapshots/block-480.csv${L1}`, 422, 'NOT_EXACT', 'Ethereum L1'],
    ['/snapshots/9.xlsx', 404, 'NOT_FOUND', 'csv, json, ndjson'],
    ['/snapshots/9', 404, 'NOT_FOUND', 'csv, json, ndjson'],
    ['/snapshots/%E0%A4.csv', 400, 'BAD_USER_INPUT', 'decode'],
    ['/snapshots/9.csv?network=nowhere', 400, 'BAD_USER_INPUT', 'recorded'],
    ['/snapshots/9.csv?netwrok=recorded', 400, 'BAD_USER_INPUT', 'netwrok'],
    ['/snapshots/9.csv?header=all', 400, 'BAD_USER_INPUT', 'header can only be none'],
    ['/snapshots/9.ndjson?header=', 400, 'BAD_USER_INPUT', 'header can only be none'],
    ['/snapshots/9.csv?header=none&header=none', 400, 'BAD_USER_INPUT', 'header can only be none'],
    ['/snapshots/9.json?header=none', 400, 'BAD_USER_INPUT', 'csv and ndjson'],
    [`/snapshots/9/proof/${ACCOUNT}.json?header=none`, 400, 'BAD_USER_INPUT', 'csv and ndjson'],
    ['/snapshots/9.csv?network=a&network=b', 400, 'BAD_USER_INPUT', 'once'],
    [`/snapshots/9.csv${L1}`, 422, 'NOT_EXACT', 'Ethereum L1'],
    [`/snapshots/9/proof/${STRANGER}.json${L1}`, 422, 'NOT_EXACT', 'Ethereum L1'],
    [`/snapshots/9/proof/${STRANGER}.json`, 404, 'NOT_FOUND', 'no votes'],
    [`/snapshots/9/proof/${STRANGER}.csv`, 404, 'NOT_FOUND', 'json'],
    ['/snapshots/9/proof/0x12.json', 400, 'BAD_USER_INPUT', '40 hex digits'],
    ['/allocations/9.csv?seats=0', 400, 'BAD_USER_INPUT', 'seats'],
    ['/allocations/9.csv?supply=-1', 400, 'BAD_USER_INPUT', 'supply'],
    ['/allocations/9.csv?supply=ten', 400, 'BAD_USER_INPUT', 'whole number'],
    ['/allocations/5.csv?network=recorded', 422, 'NO_ACTIVE_TRANSCODERS', 'round 5'],
    ['/proposals.txt', 404, 'NOT_FOUND', 'csv, json, ndjson'],
    ['/proposals/poll:0x12/votes.csv', 400, 'BAD_USER_INPUT', 'poll:<address>'],
    [`/proposals/poll:${STRANGER}/votes.csv`, 404, 'NOT_FOUND', STRANGER],
    ['/proposals/1/nothing', 404, 'NOT_FOUND', 'GET'],
    [`/proposals/poll:${STRANGER}/absentees.csv`, 404, 'NOT_FOUND', STRANGER],
    ['/proposals/$/absentees.csv?round=9', 400, 'BAD_USER_INPUT', 'none is known here'],
    ['/proposals/$/recount.csv?quorum=1', 400, 'BAD_USER_INPUT', 'quorumPartsPerMillion'],
    ['/proposals/$/recount.csv?quorumPartsPerMillion=1000001', 400, 'BAD_USER_INPUT', 'from 0 to 1,000,000'],
    ['/proposals/$/recount.csv?strict=yes', 400, 'BAD_USER_INPUT', 'true or false'],
    ['/proposals/$/recount.csv?ofActiveStake=yes', 400, 'BAD_USER_INPUT', 'true or false'],
    [`/proposals/${TREASURY}/recount.csv?ofActiveStake=true`, 400, 'BAD_USER_INPUT', 'of polls only'],
    ['/proposals/$/recount.csv?round=31', 400, 'BAD_USER_INPUT', 'rounds 5 to 30'],
    ['/proposals/$/recount.csv?without=0x12', 400, 'BAD_USER_INPUT', '40 hex digits'],
    [`/proposals/$/recount.csv?choices=${STRANGER}`, 400, 'BAD_USER_INPUT', 'ADDRESS=CHOICE'],
    [`/proposals/$/recount.csv?choices=${STRANGER}%3DMAYBE`, 400, 'BAD_USER_INPUT', 'FOR, AGAINST, ABSTAIN'],
    [`/proposals/$/recount.csv?choices=${STRANGER}%3DABSTAIN`, 400, 'BAD_USER_INPUT', 'only treasury proposals'],
    [`/proposals/$/recount.csv?without=${STRANGER},${STRANGER}`, 400, 'BAD_USER_INPUT', 'given twice'],
  ])('%s', async (path, status, code, message) => {
    // $ stands for the poll of the recorded chain.
    const error = await errorOf(path.replace('$', `poll:${Object.keys(livepeer.polls)[0]}`))
    expect(error).toMatchObject({ status, code })
    expect(error.message).toContain(message)
  })

  test('so is another method', async () => {
    expect(await errorOf('/snapshots/9.csv', { method: 'POST' })).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  })
})

/** What a proposal in a state came to last. */
const LAST_CHANGES: Record<string, string> = {
  PENDING: 'CREATED',
  ACTIVE: 'VOTING_OPENED',
  DEFEATED: 'VOTING_CLOSED',
  SUCCEEDED: 'VOTING_CLOSED',
  QUEUED: 'QUEUED',
  EXECUTED: 'EXECUTED',
  CANCELED: 'CANCELED',
}

describe('the command line', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cli-test-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('gives to a pipe the very file of the API', async () => {
    const account = Object.keys(livepeer.votesAtRoundStart.accounts)[0] ?? ''
    const [proposal = ''] = Object.keys(livepeer.polls).map((address) => `poll:${address}`)
    const [voter = '', other = ''] = Object.keys(Object.values(livepeer.polls)[0]?.final.voters ?? {}).filter(
      (one) => one !== account,
    )
    for (const [args, path] of [
      [['snapshot', '9'], '/snapshots/9.csv'],
      [['snapshot', '9', '--format', 'json'], '/snapshots/9.json'],
      [['allocation', '9', '--seats', '2', '--network', 'recorded'], '/allocations/9.csv?seats=2&network=recorded'],
      [['proposals', '--format', 'ndjson'], '/proposals.ndjson'],
      [['snapshot', '9', '--no-header'], '/snapshots/9.csv?header=none'],
      [['allocation', '9', '--no-header', '--format', 'ndjson'], '/allocations/9.ndjson?header=none'],
      [['votes', proposal], `/proposals/${proposal}/votes.csv`],
      [['power', account, '9'], `/snapshots/9/power/${account}.csv`],
      [['snapshot', '--block', '480'], '/snapshots/block-480.csv'],
      [['power', account, '--block', '480'], `/snapshots/block-480/power/${account}.csv`],
      [['absentees', proposal, '--format', 'ndjson'], `/proposals/${proposal}/absentees.ndjson`],
      [['recount', proposal], `/proposals/${proposal}/recount.csv`],
      [
        [
          'recount',
          proposal,
          '--quorum',
          '20%',
          '--support',
          '600000',
          '--no-strict',
          '--no-overrides',
          '--round',
          '9',
        ],
        `/proposals/${proposal}/recount.csv?round=9&quorumPartsPerMillion=200000&supportPartsPerMillion=600000&strict=false&overrides=false`,
      ],
      [
        ['recount', proposal, '--without', voter, other, '--choice', `${account}=for`],
        `/proposals/${proposal}/recount.csv?without=${voter},${other}&choices=${account}%3DFOR`,
      ],
    ] as const) {
      const { code, stdout, stderr } = await cli(stack.url, ...args)
      expect([code, stderr, stdout]).toEqual([0, '', await (await get(path)).text()])
    }
  })

  test('gives to a terminal a table', async () => {
    const { code, stdout } = await cliInTerminal(stack.url, 'snapshot', '9')
    expect(code).toBe(0)
    expect(stdout).toMatch(/│ account\s+│\s+votes │/)
    expect(stdout).toContain('│ 19419.62826101452063665 │')
  })

  test('resumes a download where it fits, and starts anew where it does not', async () => {
    const file = join(folder, 'snapshot.csv')
    const { stderr } = await cli(stack.url, 'snapshot', '9', '--output', file)
    const whole = readFileSync(file)
    expect(stderr).toBe(`${file}: ${whole.length} bytes\n`)
    const etag = (await get('/snapshots/9.csv')).headers.get('etag') ?? ''
    for (const [length, tag, resumed] of [
      [1000, etag, ', resumed at 1000'],
      [whole.length, etag, `, resumed at ${whole.length}`],
      [1000, '"another"', ''],
      [whole.length + 5, '"another"', ''],
    ] as const) {
      writeFileSync(`${file}.part`, Buffer.concat([whole, Buffer.alloc(5)]))
      truncateSync(`${file}.part`, length)
      writeFileSync(`${file}.part.etag`, tag)
      const again = await cli(stack.url, 'snapshot', '9', '--output', file)
      expect(again.stderr).toBe(`${file}: ${whole.length} bytes${resumed}\n`)
      expect(readFileSync(file)).toEqual(whole)
      expect(existsSync(`${file}.part.etag`)).toBe(false)
    }
  })

  test('watch tells of every proposal all that came to pass', async () => {
    const [, ...rows] = (await (await get('/proposals.ndjson')).text()).trimEnd().split('\n')
    const expected = rows
      .map((row) => JSON.parse(row) as { id: string; state: string })
      .map(({ id, state }) => [id, LAST_CHANGES[state]] as const)
    const watching = startCli(stack.url, [
      'watch',
      '--from-start',
      '--format',
      'ndjson',
      '--state',
      join(folder, 'w.json'),
    ])
    const told = () => {
      const lines = watching.output.stdout.split('\n').filter((line) => line !== '')
      const changes = lines.map((line) => JSON.parse(line) as { id: string; proposal: string; kind: string })
      expect(new Set(changes.map(({ id }) => id)).size).toBe(changes.length)
      return new Map(changes.map(({ proposal, kind }) => [proposal, kind]))
    }
    try {
      await vi.waitFor(() => expect(told()).toEqual(new Map(expected)), { timeout: 60_000 })
    } finally {
      watching.child.kill()
      expect((await watching.ended).code).toBe(0)
    }
    expect(new Set(told().values()).size).toBeGreaterThan(1)
  })

  test.each([
    [['snapshot', '99'], 1, 'error: Round 99 is'],
    [['snapshot', 'nine'], 1, "error: command-argument value 'nine' is invalid"],
    [['snapshot'], 1, 'error: give exactly one of ROUND and --block BLOCK'],
    [['snapshot', '9', '--block', '480'], 1, 'error: give exactly one of ROUND and --block BLOCK'],
    [['power', ACCOUNT], 1, 'error: give exactly one of ROUND and --block BLOCK'],
    [['snapshot', '--block', '1500'], 1, 'error: Block 1500 is not indexed yet'],
    [['verify', '--round', '9', '--block', '480'], 1, "error: option '--round <round>' cannot be used with"],
    [['votes', 'poll:1'], 1, 'error: "poll:1" is not a proposal'],
    [['power', '0x12', '9'], 1, 'error: "0x12" is not an address'],
    [['snapshot', '9', '--output', '/nowhere/a.csv'], 1, 'error: ENOENT'],
    [['snapshot', '9', '--no-header', '--format', 'table'], 1, 'error: --no-header is for csv and ndjson'],
    [['snapshot', '9', '--no-header', '--format', 'json'], 1, 'error: header=none is for csv and ndjson'],
    [['absentees', 'poll:1'], 1, 'error: "poll:1" is not a proposal'],
    [['recount', 'poll:1', '--quorum', 'half'], 1, "error: option '--quorum <part>' argument 'half' is invalid"],
    [['recount', 'poll:1', '--choice', ...Array(251).fill('0x12=FOR')], 1, 'error: 251 voters are given'],
    [['--api', 'http://127.0.0.1:9', 'snapshot', '9'], 1, 'error: The API at http://127.0.0.1:9 does not answer'],
    [['--api', 'nonsense', 'snapshot', '9'], 1, 'error: --api nonsense is not an http URL'],
    [['verify'], 1, 'error: give --round'],
    [['audit'], 1, "error: required option '--rpc <url>' not specified"],
    [['audit', '--rpc', 'http://127.0.0.1:9', '--every', '0'], 1, "error: option '--every <rounds>' argument '0' is"],
    [
      ['audit', '--rpc', 'http://127.0.0.1:9'],
      1,
      'error: several chains are indexed (recorded, recorded-2, recorded-3)',
    ],
    [
      ['verify', '--round', '9'],
      2,
      'error: cannot verify: the network "recorded" is a recording, there are no contracts',
    ],
    [
      ['verify', '--proposal', `aragon:${aragon.contracts.Voting}:0`],
      2,
      'error: cannot verify: the network "recorded-3"',
    ],
  ])('says in one line what is wrong: %o', async (args, code, message) => {
    const run = await cli(stack.url, ...args)
    expect([run.code, run.stdout]).toEqual([code, ''])
    expect(run.stderr.startsWith(message)).toBe(true)
    expect(run.stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('says how it is used', async () => {
    const { code, stdout } = await cli(stack.url, '--help')
    expect(code).toBe(0)
    for (const command of 'snapshot allocation proposals votes absentees recount power history verify audit watch'.split(
      ' ',
    )) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
    }
  })
})

describe('verify, against what the contracts answered when the chain was recorded', () => {
  let contracts: RecordedChainServer
  beforeAll(async () => {
    const trace = await readTrace(traceFile('livepeer/small'))
    const wrong = structuredClone(livepeer)
    const votes = wrong.votesAtRoundStart.accounts['0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc']?.votes ?? []
    votes[ROUND] = String(BigInt(votes[ROUND] ?? 0) + 1n)
    const atBlock = wrong.rounds.find(({ round }) => round === ROUND)?.accounts[ACCOUNT]
    if (atBlock !== undefined) atBlock.votesNext = String(BigInt(atBlock.votesNext) + 1n)
    for (const { finalVotes } of Object.values(wrong.proposals)) finalVotes.for = String(BigInt(finalVotes.for) + 1n)
    for (const { final } of Object.values(wrong.polls)) {
      for (const voter of Object.values(final.voters)) voter.pendingStake = String(BigInt(voter.pendingStake) + 1n)
    }
    contracts = await serveRecordedChains(
      new Map([
        ['right', livepeerContracts(trace, livepeer)],
        ['wrong', livepeerContracts(trace, wrong)],
        ['aragon', aragonContracts(await readTrace(traceFile('aragon/small')), aragon)],
      ]),
    )
  })
  afterAll(() => contracts?.close())

  const verify = (chain: string, ...args: string[]) =>
    cli(stack.url, 'verify', '--rpc', `${contracts.url}/${chain}`, ...args)
  const progress = { begin: () => {}, advance: () => {} }
  const against = (chain: string, question: Question) =>
    compare(question, {
      api: new Api(stack.url),
      contracts: contractsOver(`${contracts.url}/${chain}`, undefined),
      progress,
    })

  test('every holder of every round is equal', async () => {
    let compared = 0
    for (const { round, shared } of livepeer.rounds) {
      const comparison = await against('right', { round: String(round), holders: Number.POSITIVE_INFINITY })
      expect(comparison.differences).toEqual([])
      expect(comparison.notes.some((note) => note.includes('after the round began'))).toBe(shared)
      compared += comparison.compared
    }
    console.log(`livepeer/small: ${compared} values of files and recorded contracts compared`)
    expect(compared).toBeGreaterThan(1500)
  })

  test('every holder at the block of every NewRound is equal, and one wei is told', async () => {
    let compared = 0
    for (const { block, round } of livepeer.rounds) {
      const comparison = await against('right', { block: String(block), holders: Number.POSITIVE_INFINITY })
      expect([round, comparison.differences]).toEqual([round, []])
      compared += comparison.compared
    }
    console.log(`livepeer/small: ${compared} values of files of blocks and recorded contracts compared`)
    expect(compared).toBeGreaterThan(1500)
    const { code, stdout } = await verify('wrong', '--block', '458', '--all')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^recorded at block 458: 11 of 11 holders\n/)
    expect(stdout.match(/^DIFFERENCE .*$/gm)).toEqual([expect.stringContaining(`votes of ${ACCOUNT}: the contract`)])
  })

  test('one wei is told', async () => {
    const { code, stdout } = await verify('wrong', '--round', String(ROUND), '--all')
    expect(code).toBe(1)
    expect(stdout.match(/^DIFFERENCE .*$/gm)).toEqual([
      'DIFFERENCE    votes of 0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc: the contract answers 1021635071425991775307, the API 1021635071425991775306',
    ])
    expect(stdout).toMatch(/values compared, 1 differ\n$/)
  })

  test('and the count of what was compared', async () => {
    const { code, stdout, stderr } = await verify('right', '--round', String(ROUND), '--all')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^round 9 of recorded, block 458: 11 of 11 holders\n/)
    expect(stdout).toMatch(/\n80 values compared, 0 differ\n$/)
  })

  test('a sample is as large as asked', async () => {
    const { stdout } = await verify('right', '--round', String(ROUND), '--sample', '4')
    expect(stdout).toContain('4 of 11 holders')
    expect(stdout).toContain('compared      votes: 4\n')
  })

  test('proposals and polls', async () => {
    const ids = [
      ...Object.keys(livepeer.proposals).map((id) => `treasury:${id}`),
      ...Object.keys(livepeer.polls).map((address) => `poll:${address}`),
    ]
    for (const proposal of ids) {
      const right = await against('right', { proposal })
      expect(right.differences).toEqual([])
      expect(right.compared).toBeGreaterThan(15)
      const { differences } = await against('wrong', { proposal })
      expect(differences.filter(({ what }) => what === 'for')).toHaveLength(1)
    }
    expect(ids).toHaveLength(3)
  })

  test('Aragon votes', async () => {
    const client = rpcClient(`${contracts.url}/aragon`)
    for (const number of Object.keys(aragon.votes)) {
      const { head, rows } = await new Api(stack.url).rows<TallyHead, TallyVote>(
        `/proposals/aragon:${aragon.contracts.Voting}:${number}/votes.ndjson`,
      )
      const comparison = new Comparison()
      await compareAragonVote({ client, comparison, progress }, head, rows)
      expect(comparison.differences).toEqual([])
      expect(comparison.compared).toBe(9 + 2 * rows.length)
    }
    const { code, stdout } = await verify('aragon', '--proposal', `aragon:${aragon.contracts.Voting}:16`)
    expect([code, /^\d{2,} values compared, 0 differ$/m.test(stdout)]).toEqual([0, true])
  })

  test('a recorded chain that has no contracts is said to have none', async () => {
    const { code, stdout, stderr } = await cli(stack.url, 'verify', '--round', '9', '--rpc', 'http://127.0.0.1:9')
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('cannot verify')
  })
})
