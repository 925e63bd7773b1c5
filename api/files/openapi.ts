// What the API serves over HTTP, told to machines.
import { FEEDS } from './feeds.ts'
import { HISTORY_FORMATS } from './history.ts'
import { FORMATS } from './table-file.ts'

/** A path to GET. */
interface Path {
  path: string
  tag: keyof typeof TAGS
  summary: string
  parameters?: readonly (keyof typeof PARAMETERS)[]
  /** Content types of what it answers. */
  types: readonly string[]
  /** What else it answers with; a file also what every file does. */
  statuses?: readonly (keyof typeof STATUSES)[]
}

const TABLE = Object.values(FORMATS)
const PROPOSAL_TABLE = ['id', 'format'] as const
const RECOUNT = [
  'atRound',
  'quorumPartsPerMillion',
  'supportPartsPerMillion',
  'strict',
  'overrides',
  'ofActiveStake',
  'without',
  'choices',
] as const

/** Every path: one that is not here is not documented. */
const PATHS: readonly Path[] = [
  {
    path: '/snapshots/{moment}.{format}',
    tag: 'files',
    summary: 'Everybody with stake or votes at a moment, most votes first',
    parameters: ['moment', 'format', 'network'],
    types: TABLE,
    statuses: ['422'],
  },
  {
    path: '/snapshots/{moment}/proof/{address}.json',
    tag: 'files',
    summary: 'Merkle proof of the votes of one account at a moment',
    parameters: ['moment', 'address', 'network'],
    types: [FORMATS.json],
    statuses: ['422'],
  },
  {
    path: '/snapshots/{moment}/power/{address}.{format}',
    tag: 'files',
    summary: 'Stake and votes of one account at a moment, zeros where it was never seen',
    parameters: ['moment', 'address', 'format', 'network'],
    types: TABLE,
    statuses: ['422'],
  },
  {
    path: '/snapshots/{moment}/tree.json',
    tag: 'files',
    summary: "The whole Merkle tree of votes at a moment, as OpenZeppelin's StandardMerkleTree dumps it",
    parameters: ['moment', 'network'],
    types: [FORMATS.json],
    statuses: ['422'],
  },
  {
    path: '/snapshots/{moment}/scores.json',
    tag: 'files',
    summary: "Everybody's votes at a moment, as Snapshot's strategy api-v2 reads them",
    parameters: ['moment', 'network'],
    types: [FORMATS.json],
    statuses: ['422'],
  },
  {
    path: '/allocations/{round}.{format}',
    tag: 'files',
    summary: 'A supply of voting tokens dealt to the active transcoders of a round',
    parameters: ['round', 'format', 'network', 'supply', 'seats'],
    types: TABLE,
    statuses: ['422'],
  },
  {
    path: '/proposals.{format}',
    tag: 'files',
    summary: 'Every treasury proposal, poll and Aragon vote, oldest first',
    parameters: ['format', 'network'],
    types: TABLE,
  },
  {
    path: '/proposals/{id}/votes.{format}',
    tag: 'files',
    summary: "Each voter's choice that counts, by when it was cast",
    parameters: PROPOSAL_TABLE,
    types: TABLE,
    statuses: ['422'],
  },
  {
    path: '/proposals/{id}/absentees.{format}',
    tag: 'files',
    summary: 'Who could have added weight and did not vote, most first',
    parameters: PROPOSAL_TABLE,
    types: TABLE,
    statuses: ['422'],
  },
  {
    path: '/proposals/{id}/recount.{format}',
    tag: 'files',
    summary: 'Hypothetical: the proposal counted anew under other conditions',
    parameters: [...PROPOSAL_TABLE, ...RECOUNT],
    types: TABLE,
    statuses: ['413', '422'],
  },
  {
    path: '/proposals.atom',
    tag: 'feeds',
    summary: 'The newest state changes of proposals as an Atom feed',
    parameters: ['network'],
    types: [FEEDS.atom],
  },
  {
    path: '/proposals.feed.json',
    tag: 'feeds',
    summary: 'The newest state changes of proposals as a JSON Feed',
    parameters: ['network'],
    types: [FEEDS['feed.json']],
  },
  {
    path: '/proposals.ics',
    tag: 'feeds',
    summary: 'When proposals can be voted on, as a calendar',
    parameters: ['network'],
    types: [FEEDS.ics],
  },
  {
    path: '/history.{historyFormat}',
    tag: 'histories',
    summary: 'The whole stake history: a row for each account and span of rounds in which it had the same',
    parameters: ['historyFormat', 'network', 'toRound'],
    types: Object.values(HISTORY_FORMATS),
    statuses: ['304', '400', '404', '422', '429', '503'],
  },
  { path: '/openapi.json', tag: 'files', summary: 'This description', types: [FORMATS.json] },
  {
    path: '/graphql',
    tag: 'graphql',
    summary: 'Answers a query of GraphQL',
    parameters: ['query', 'variables', 'operationName'],
    types: ['application/json', 'application/graphql-response+json'],
    statuses: ['400', '429'],
  },
  { path: '/schema.graphql', tag: 'graphql', summary: 'The schema of GraphQL', types: ['text/plain'] },
  { path: '/health', tag: 'state', summary: 'Whether the server is up', types: ['text/plain'] },
  {
    path: '/ready',
    tag: 'state',
    summary: 'Whether the index has caught up and answers can be relied on',
    types: ['text/plain'],
    statuses: ['503'],
  },
  { path: '/status', tag: 'state', summary: 'Where each chain stands', types: ['application/json'] },
  { path: '/metrics', tag: 'state', summary: "Counters and gauges in Prometheus' format", types: ['text/plain'] },
]

const TAGS = {
  files: 'Tables and proofs as files. Amounts are wei as decimal strings.',
  histories: 'Many rounds at once, made while they are sent.',
  feeds: 'What becomes of proposals, for feed readers and calendars.',
  graphql: 'All that can be asked.',
  state: 'How the server is. Never cached, never limited.',
}

const ADDRESS = { type: 'string', pattern: '^0x[0-9a-fA-F]{40}$' }
const INT = { type: 'integer', format: 'int32' }
const PARTS_PER_MILLION = { type: 'integer', minimum: 0, maximum: 1_000_000 }

/** A parameter, whose name is that in PARAMETERS if it has none of its own. */
interface Parameter {
  name?: string
  in: 'path' | 'query'
  required?: true
  description: string
  schema: object
}

/** Parameters by the name in PATHS; examples are of the recorded chains that the project ships with. */
const PARAMETERS = {
  moment: {
    in: 'path',
    description: "The start of a round by its number, or the end of a block of the chain's own as block-N",
    schema: { type: 'string', pattern: '^(-?\\d{1,10}|block--?\\d{1,78})$', examples: ['84', 'block-4210'] },
  },
  round: { in: 'path', description: 'A round, at its start', schema: { ...INT, examples: [84] } },
  address: {
    in: 'path',
    description: 'An account',
    schema: { ...ADDRESS, examples: ['0x553bc17a05702530097c3677091c5bb47a3a7931'] },
  },
  id: {
    in: 'path',
    description: 'A proposal of any voting system',
    schema: {
      type: 'string',
      pattern: '^(treasury:\\d{1,78}|poll:0x[0-9a-fA-F]{40}|aragon:0x[0-9a-fA-F]{40}:\\d{1,78})$',
      examples: [
        'treasury:66972357199634113862121899119113811504688259260957741133310485822226026564359',
        'poll:0xe801273f775eacc1d74d1d43f92ec4524cabbd35',
      ],
    },
  },
  format: {
    in: 'path',
    description: 'The format, as the ending of the name',
    schema: { type: 'string', enum: Object.keys(FORMATS) },
  },
  header: {
    in: 'query',
    description: 'none: columns first, without what the file says of itself; of csv and ndjson',
    schema: { type: 'string', enum: ['none'] },
  },
  historyFormat: {
    name: 'historyFormat',
    in: 'path',
    description: 'The format, as the ending of the name',
    schema: { type: 'string', enum: Object.keys(HISTORY_FORMATS) },
  },
  toRound: {
    in: 'query',
    description: 'The last round that is told; else the last begun',
    schema: { ...INT, examples: [70] },
  },
  network: {
    in: 'query',
    description: 'The chain; else one that has the moment, or all chains where there is none',
    schema: { type: 'string' },
  },
  supply: {
    in: 'query',
    description: 'Voting tokens to deal, wei',
    schema: { type: 'string', pattern: '^\\d+$', default: '100000000000000000000', examples: ['1000000000000000000'] },
  },
  seats: {
    in: 'query',
    description: 'How many transcoders get any',
    schema: { ...INT, default: 25, examples: [2] },
  },
  atRound: {
    name: 'round',
    in: 'query',
    description: "Stake at the start of this round instead of the proposal's own moment; not for Aragon",
    schema: { ...INT, examples: [70] },
  },
  quorumPartsPerMillion: {
    in: 'query',
    description: 'Another quorum',
    schema: { ...PARTS_PER_MILLION, examples: [200_000] },
  },
  supportPartsPerMillion: {
    in: 'query',
    description: 'Another support',
    schema: { ...PARTS_PER_MILLION, examples: [900_000] },
  },
  strict: {
    in: 'query',
    description: 'Whether support must be more than its part, not equal to it',
    schema: { type: 'boolean', examples: [true] },
  },
  overrides: {
    in: 'query',
    description: "false: nobody's vote is taken off anybody's",
    schema: { type: 'boolean', examples: [false] },
  },
  ofActiveStake: {
    in: 'query',
    description: "Polls only; true: the quorum is of the active set's stake, not of all stake",
    schema: { type: 'boolean', examples: [false] },
  },
  without: {
    in: 'query',
    description: 'As if these had not voted: addresses with commas between',
    schema: { type: 'string', examples: ['0x553bc17a05702530097c3677091c5bb47a3a7931'] },
  },
  choices: {
    in: 'query',
    description: 'As if these had chosen so: ADDRESS=CHOICE with commas between',
    schema: { type: 'string', examples: ['0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc=AGAINST'] },
  },
  query: {
    in: 'query',
    required: true,
    description: 'A document of GraphQL',
    schema: { type: 'string', examples: ['query Rounds { status { round } }'] },
  },
  variables: {
    in: 'query',
    description: 'Its variables, an object of JSON',
    schema: { type: 'string', examples: ['{}'] },
  },
  operationName: {
    in: 'query',
    description: 'Which of its operations',
    schema: { type: 'string', examples: ['Rounds'] },
  },
} as const satisfies Readonly<Record<string, Parameter>>

const RETRY_AFTER = { description: 'Seconds', schema: { type: 'integer' } }

/** Answers beside 200 by status. */
const STATUSES = {
  '206': { description: 'The part of a file that Range asks for' },
  '304': { description: 'What If-None-Match names is what there is' },
  '400': refusal('BAD_USER_INPUT, an unknown parameter included'),
  '404': refusal('ROUND_NOT_INDEXED, ROUND_IN_FUTURE, BLOCK_NOT_INDEXED, BLOCK_IN_FUTURE or NOT_FOUND'),
  '413': refusal('LIMIT_EXCEEDED'),
  '416': refusal('BAD_USER_INPUT: the range is behind the end of the file'),
  '422': refusal('NOT_EXACT, or NO_ACTIVE_TRANSCODERS'),
  '429': answer('LIMIT_EXCEEDED: too many requests a minute', ['application/json'], 'Errors'),
  '503': {
    ...refusal('UPSTREAM_UNAVAILABLE or BLOCK_REORGED; of a history also LIMIT_EXCEEDED: too many at once'),
    headers: { 'Retry-After': RETRY_AFTER },
  },
}

/** What any file can answer. */
const OF_EVERY_FILE = ['206', '304', '400', '404', '416', '429', '503'] as const

/** The OpenAPI 3.1 description of all paths of a server of these chains. */
export function openApi(networks: readonly string[]): object {
  const paths = Object.fromEntries(PATHS.map((path) => [path.path, { get: getting(path) }]))
  const parameters = Object.entries<Parameter>(PARAMETERS).map(([name, parameter]) => {
    const isChain = name === 'network'
    const schema = isChain ? { ...parameter.schema, enum: networks } : parameter.schema
    return [name, { name, required: parameter.in === 'path', ...parameter, schema }] as const
  })
  return {
    openapi: '3.1.0',
    info: {
      title: 'Livepeer governance',
      version: '1',
      summary: 'Stake-weighted voting power at any round, and what became of every proposal, exact to the wei',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: {
      ...paths,
      '/graphql': { ...paths['/graphql'], post: postingGraphql() },
      '/snapshot/scores': { post: postingScores() },
    },
    components: {
      parameters: Object.fromEntries(parameters),
      responses: Object.fromEntries(Object.entries(STATUSES).map(([status, given]) => [`status-${status}`, given])),
      schemas: SCHEMAS,
    },
  }
}

function getting({ path, tag, summary, parameters = [], types, statuses = [] }: Path): object {
  const isFile = tag === 'files' || tag === 'feeds'
  const isTable = /\.\{\w*[fF]ormat\}$/.test(path)
  const others = [...new Set([...(isFile ? OF_EVERY_FILE : []), ...statuses])].sort()
  const ok = answer(summary, types, schemaOf(path))
  return {
    operationId: path.replace(/\W+/g, '-').replace(/^-|-$/g, ''),
    summary,
    tags: [tag],
    parameters: [...parameters, ...(isTable ? (['header'] as const) : [])].map((name) => ({
      $ref: `#/components/parameters/${name}`,
    })),
    responses: {
      200: isFile ? { ...ok, headers: FILE_HEADERS } : ok,
      ...Object.fromEntries(others.map((status) => [status, answerOf(path, status)])),
    },
  }
}

/** Of other paths than files an error has GraphQL's form, or is a line of text. */
function answerOf(path: string, status: keyof typeof STATUSES): object {
  if (path === '/ready')
    return answer('It has not caught up, or an answer may no longer be so: a line for each chain says why', [
      'text/plain',
    ])
  if (path === '/graphql' && status === '400') return answer('It is no query', ['application/json'], 'Errors')
  return { $ref: `#/components/responses/status-${status}` }
}

function postingScores(): object {
  const body = { $ref: '#/components/schemas/ScoresQuestion' }
  const summary = "Votes of some accounts at the end of a block, as Snapshot's strategy api-post asks"
  return {
    operationId: 'snapshot-scores-post',
    summary,
    tags: ['files'],
    requestBody: { required: true, content: { 'application/json': { schema: body } } },
    responses: {
      200: answer(summary, ['application/json'], 'Scores'),
      ...Object.fromEntries(
        (['400', '404', '413', '422', '429', '503'] as const).map((status) => [status, answerOf('', status)]),
      ),
    },
  }
}

function postingGraphql(): object {
  const body = { $ref: '#/components/schemas/GraphqlRequest' }
  const summary = 'Answers a query of GraphQL that is too long for an address'
  return {
    operationId: 'graphql-post',
    summary,
    tags: ['graphql'],
    requestBody: { required: true, content: { 'application/json': { schema: body } } },
    responses: {
      200: answer(summary, ['application/json', 'application/graphql-response+json'], 'GraphqlAnswer'),
      400: answerOf('/graphql', '400'),
      413: answer('LIMIT_EXCEEDED: the body is too long', ['application/json'], 'Errors'),
      429: answerOf('/graphql', '429'),
    },
  }
}

const FILE_HEADERS = {
  ETag: { description: 'SHA-256 of the bytes, strong', schema: { type: 'string' } },
  'Repr-Digest': { description: 'The same as RFC 9530 has it', schema: { type: 'string' } },
  'Cache-Control': {
    description: 'Immutable where nothing can change any more, else some seconds',
    schema: { type: 'string' },
  },
}

const TEXT = { type: 'string' }

const SCHEMAS = {
  Table: {
    description: 'In JSON; in CSV the header is lines that begin with "# ", in NDJSON it is the first line',
    ...object({
      header: { type: 'object', required: ['format', 'rows'], properties: { format: TEXT, rows: { type: 'integer' } } },
      rows: { type: 'array', items: { type: 'object' } },
    }),
  },
  Error: object({ error: object({ code: TEXT, message: TEXT }) }),
  Errors: object({
    errors: { type: 'array', items: object({ message: TEXT, extensions: object({ code: TEXT }) }) },
  }),
  ScoresQuestion: {
    type: 'object',
    required: ['network', 'snapshot', 'addresses'],
    properties: {
      options: { type: 'object', properties: { overrides: { type: 'boolean' } } },
      network: { type: 'string', description: 'Chain id', examples: ['42161'] },
      snapshot: { description: 'A block, or latest', oneOf: [{ type: 'integer' }, { const: 'latest' }] },
      addresses: { type: 'array', maxItems: 1000, items: ADDRESS },
    },
  },
  Scores: object({
    score: { type: 'array', items: object({ address: ADDRESS, score: { ...TEXT, description: 'wei' } }) },
  }),
  GraphqlRequest: {
    type: 'object',
    required: ['query'],
    properties: { query: TEXT, variables: { type: 'object' }, operationName: TEXT },
  },
  GraphqlAnswer: {
    type: 'object',
    properties: { data: { type: ['object', 'null'] }, errors: { type: 'array' }, extensions: { type: 'object' } },
  },
}

/** The schema of what a path answers in JSON, where there is one. */
function schemaOf(path: string): keyof typeof SCHEMAS | undefined {
  if (path === '/graphql') return 'GraphqlAnswer'
  return path.endsWith('.{format}') ? 'Table' : undefined
}

function answer(description: string, types: readonly string[], schema?: keyof typeof SCHEMAS) {
  const content = types.map((type) => {
    const [name = type] = type.split(';')
    const isJson = /\bjson$/.test(name) && !name.includes('ndjson')
    const ofJson = schema === undefined ? {} : { $ref: `#/components/schemas/${schema}` }
    return [name, { schema: isJson ? ofJson : { type: 'string' } }] as const
  })
  return { description, content: Object.fromEntries(content) }
}

function refusal(description: string) {
  return answer(description, ['application/json'], 'Error')
}

function object(properties: Readonly<Record<string, object>>) {
  return { type: 'object', required: Object.keys(properties), properties }
}
