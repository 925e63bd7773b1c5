import { type IncomingHttpHeaders, request } from 'node:http'
import { gzipSync } from 'node:zlib'

/** A request as a client in trouble, or one that means trouble, may send it. */
export interface BadRequest {
  method: string
  path: string
  headers: Record<string, string>
  body: string | Buffer
}

/** What came back. */
export interface BadAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

const ACCOUNT = '0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc'
const VALID = [
  '{ status { network block blockHash lagBlocks stale contradictions { message } } }',
  `{ votingPower(account: "${ACCOUNT}", round: 9) { votes stake delegate } }`,
  '{ stakeSnapshot(round: 9) { totalStake holders(first: 3) { nodes { account } pageInfo { endCursor } } } }',
  'query Q($first: Int = 2, $after: String) { rounds(first: $first, after: $after) { nodes { number ...R } } } fragment R on Round { totalStake }',
  '{ proposals(first: 2, filter: { state: [EXECUTED] }) { nodes { id ... on TreasuryProposal { proposalId } } } }',
  '{ tokenAllocation(round: 9, supply: "100", seats: 3) { shares { tokens percent } } }',
  `query ($id: ID!) { proposal(id: $id) { id } account(address: "${ACCOUNT}") { delegators { totalCount } } }`,
  '{ __schema { queryType { name } } a: __typename }',
]
const PIECES = [
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ':',
  '!',
  '$',
  '@skip(if: true)',
  '...',
  '"',
  '"""',
  '#',
  '\\u0000',
  '\u0000',
  '😀',
]
  .concat([
    'é',
    '-1',
    '1e999',
    '99999999999999999999',
    'null',
    'true',
    'first: 1001',
    '...F',
    'mutation',
    'subscription',
  ])
  .concat(['fragment F on Query { ...F }', '__proto__', 'constructor', '@include', ' ', '\n', '\\', '&', 'on'])
const VALUES: unknown[] = [
  null,
  true,
  -1,
  1.5,
  2 ** 53,
  '',
  'x',
  [],
  {},
  [[[]]],
  { __proto__: 1 },
  ACCOUNT,
  '0x',
  '1e9',
  [null],
]
const METHODS = ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND', 'GET', 'POST']
const TYPES = [
  'text/plain',
  'application/xml',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-7',
  '',
  'a/b/c',
].concat([
  'application/json; charset="',
  'application/x-www-form-urlencoded',
  'application/graphql',
  'application/json',
])
const PATHS = [
  '/',
  '/graphql',
  '/graphql/',
  '/graphql/x',
  '//graphql',
  '/%ff',
  '/%',
  '/editor/..%2f..%2fpackage.json',
  '/status/x',
].concat([
  '/editor/react.js%00',
  '/schema.graphql?x',
  '/ready?x=1&x=2',
  '/metrics/../graphql',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/?__proto__[x]=1',
])

/** Bad requests without end, the same for the same seed. */
export function* badRequests(seed: number): Generator<BadRequest, never> {
  const random = mulberry32(seed)
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item
  const below = (limit: number) => Math.floor(random() * limit)
  const json = { 'content-type': 'application/json' }
  const post = (body: string | Buffer, headers = json): BadRequest => ({
    method: 'POST',
    path: '/graphql',
    headers,
    body,
  })

  const mutated = (text: string): string => {
    let changed = text
    for (let times = 1 + below(4); times > 0; times--) {
      const at = below(changed.length + 1)
      const until = at + below(8)
      changed =
        changed.slice(0, at) + pick(['', pick(PIECES), changed.slice(at, until).repeat(2)]) + changed.slice(until)
    }
    return changed
  }
  const deep = (): string => {
    const times = 1 + below(12_000)
    return pick([
      () => `${'{ a '.repeat(times)}${'}'.repeat(below(times))}`,
      () => `{ votingPower(account: ${'['.repeat(times)}`,
      () => `{ status { ${'network '.repeat(times)} } }`,
      () => `{ ${Array.from({ length: times }, (_, index) => `a${index}: __typename`).join(' ')} }`,
      () => `{ status { ...F0 } } ${fragments(2 + below(12))}`,
      () => `{ proposal(id: "${'x'.repeat(times * 20)}") { id } }`,
      () => `{ rounds(first: 1000) { nodes { ${'activeTranscoders { account } '.repeat(1 + below(20))} } } }`,
      () => `# ${'x'.repeat(times * 80)}`,
    ])()
  }
  const kinds: (() => BadRequest)[] = [
    () => post(JSON.stringify({ query: mutated(pick(VALID)) })),
    () => post(JSON.stringify({ query: mutated(pick(VALID)), variables: { first: pick(VALUES), id: pick(VALUES) } })),
    () => post(JSON.stringify({ query: pick(VALID), variables: pick(VALUES), operationName: pick(VALUES) })),
    () => post(JSON.stringify({ query: pick(VALUES), variables: { id: pick(VALUES) }, extensions: pick(VALUES) })),
    () => post(mutated(JSON.stringify({ query: pick(VALID), variables: {} }))),
    () => post(Buffer.from(Array.from({ length: below(200) }, () => below(256)))),
    () => post(JSON.stringify(pick(VALUES))),
    () =>
      post(gzipSync(pick(VALID)).subarray(0, below(60)), {
        ...json,
        'content-encoding': pick(['gzip', 'br', 'x', 'deflate']),
      } as typeof json),
    () => post(JSON.stringify({ query: deep() })),
    () => ({
      method: pick(METHODS),
      path: pick(PATHS),
      headers: { 'content-type': pick(TYPES) },
      body: pick([mutated(pick(VALID)), '']),
    }),
    () => ({
      method: 'GET',
      path: `/graphql?${pick(['query', 'query=1&query', 'variables', 'extensions'])}=${encoded(mutated(pick(VALID)))}`,
      headers: {},
      body: '',
    }),
    () => ({
      method: 'GET',
      path: `/graphql?query={status{network}}&variables=${encoded(JSON.stringify(pick(VALUES)) ?? '')}&operationName=${below(9)}`,
      headers: { accept: pick(['text/html', '*/*', 'x', 'image/png', 'application/json']) },
      body: '',
    }),
    () => ({
      method: 'GET',
      path: `/graphql?extensions=${encoded(JSON.stringify({ persistedQuery: { version: pick(VALUES), sha256Hash: pick(VALUES) } }))}`,
      headers: {},
      body: '',
    }),
  ]
  for (;;) yield pick(kinds)()
}

/** Sends one; rejects where there is no HTTP answer within 10 seconds. */
export function send(url: string, { method, path, headers, body }: BadRequest): Promise<BadAnswer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    // A connection each: the server may close one at which it did not read all.
    const sent = request({ hostname, port, method, path, headers, timeout: 10_000, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const { statusCode: status = 0, headers: answered } = response
        resolve({ status, headers: answered, body: Buffer.concat(chunks).toString() })
      })
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)))
    sent.on('error', reject)
    sent.end(method === 'GET' || method === 'HEAD' || method === 'TRACE' ? undefined : body)
  })
}

// By way of bytes, as half a surrogate pair cannot be encoded.
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
}

function fragments(count: number): string {
  const spreads = (index: number) => `...F${index + 1} `.repeat(8)
  const inner = Array.from({ length: count }, (_, index) => `fragment F${index} on ChainStatus { ${spreads(index)} }`)
  return `${inner.join(' ')} fragment F${count} on ChainStatus { block }`
}

/** Pseudo-random numbers from 0 to 1 that are the same at every run. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
