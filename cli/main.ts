import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { Api } from './api.ts'
import { type AuditOptions, audit } from './audit.ts'
import { download, writeTo } from './download.ts'
import { CliError } from './errors.ts'
import { LAYOUTS, type Row, type TableLayout, tableText } from './tables.ts'
import { type VerifyOptions, verify } from './verify.ts'
import { SECRET_VARIABLE } from './watch/outlets.ts'
import { type WatchOptions, watch } from './watch/watch.ts'

const FORMATS = ['csv', 'json', 'ndjson', 'table'] as const

interface OutputOptions {
  header: boolean
  format?: (typeof FORMATS)[number]
  output?: string
  network?: string
}

interface RecountOptions extends OutputOptions {
  round?: string
  quorum?: string
  support?: string
  strict?: boolean
  overrides: boolean
  ofActiveStake?: true
  without?: string[]
  choice?: string[]
}

interface HistoryOptions {
  format?: string
  output?: string
  toRound?: string
  network?: string
}

/** Voters that fit into the address of a request. */
const MAX_VOTERS = 250

const program = new Command('livepeer-governance')
  .description(
    'Livepeer governance from a running API, exact to the wei: to a terminal as a table with amounts in whole tokens, to ' +
      'a pipe as CSV with amounts in wei. It starts nothing; npm start does.',
  )
  .addOption(
    new Option('--api <url>', 'URL of the API').env('LIVEPEER_GOVERNANCE_API').default('http://127.0.0.1:4000'),
  )
  .exitOverride()

fileCommand('snapshot', 'everybody with stake or votes at the start of a round, or at the end of a block')
  .argument('[round]', 'Livepeer round', wholeNumber)
  .addOption(blockOption())
  .addOption(networkOption())
  .action((round: string | undefined, options: OutputOptions & BlockOptions) =>
    writeFile(`/snapshots/${moment(round, options)}`, {}, LAYOUTS.snapshot, options),
  )

fileCommand('allocation', 'voting tokens dealt to the active transcoders of a round by stake')
  .argument('<round>', 'Livepeer round', wholeNumber)
  .addOption(networkOption())
  .option('--supply <wei>', 'what is dealt, wei of the token (default: 100 tokens)', wholeNumber)
  .option('--seats <number>', 'how many transcoders are seated (default: 25)', wholeNumber)
  .action((round: string, options: OutputOptions & { supply?: string; seats?: string }) => {
    const { supply, seats } = options
    return writeFile(`/allocations/${round}`, { supply, seats }, LAYOUTS.allocation, options)
  })

fileCommand('proposals', 'treasury proposals, polls and Aragon votes, oldest first')
  .addOption(networkOption())
  .action((options: OutputOptions) => writeFile('/proposals', {}, LAYOUTS.proposals, options))

fileCommand('votes', 'the votes on a proposal')
  .argument('<id>', 'its id as proposals lists it')
  .action((id: string, options: OutputOptions) =>
    writeFile(`/proposals/${encodeURIComponent(id)}/votes`, {}, LAYOUTS.votes, options),
  )

fileCommand('absentees', 'who could have added weight to a proposal and did not vote, most first')
  .argument('<id>', 'its id as proposals lists it')
  .action((id: string, options: OutputOptions) =>
    writeFile(`/proposals/${encodeURIComponent(id)}/absentees`, {}, LAYOUTS.absentees, options),
  )

fileCommand('recount', 'hypothetical: a proposal counted anew under other conditions; it changes nothing')
  .argument('<id>', 'its id as proposals lists it')
  .option('--round <round>', "stake at the start of this round instead of the proposal's own moment", wholeNumber)
  .option('--quorum <part>', 'another quorum: parts per million such as 333300, or percent such as 33.33%', part)
  .option('--support <part>', 'another support needed, in the same way', part)
  .option('--strict', 'support must be more than its part')
  .option('--no-strict', 'support may be equal to its part')
  .option('--no-overrides', "nobody's vote is taken off anybody's")
  .option('--of-active-stake', "a poll's quorum is of the active set's stake, not of all stake")
  .option('--without <voters...>', 'as if these had not voted')
  .option('--choice <voter=choice...>', 'as if these had chosen so: FOR, AGAINST or ABSTAIN')
  .action((id: string, options: RecountOptions) =>
    writeFile(`/proposals/${encodeURIComponent(id)}/recount`, recountParameters(options), LAYOUTS.recount, options),
  )

fileCommand('power', 'voting power and stake of one account at the start of a round, or at the end of a block')
  .argument('<address>', 'the account')
  .argument('[round]', 'Livepeer round', wholeNumber)
  .addOption(blockOption())
  .addOption(networkOption())
  .action((address: string, round: string | undefined, options: OutputOptions & BlockOptions) =>
    writeFile(`/snapshots/${moment(round, options)}/power/${encodeURIComponent(address)}`, {}, LAYOUTS.power, options),
  )

program
  .command('history')
  .description(
    'what everybody had at the start of each round, a row for each account and span of rounds without a change',
  )
  .addOption(
    new Option('--format <format>', 'default: csv; of --output its ending').choices(['csv', 'ndjson', 'parquet']),
  )
  .option('--output <file>', 'save it there')
  .option('--to-round <round>', 'the last round whose start it tells (default: the last that began)', wholeNumber)
  .addOption(networkOption())
  .action(async ({ format, output, toRound, network }: HistoryOptions) => {
    const chosen = format ?? /\.(csv|ndjson|parquet)$/.exec(output ?? '')?.[1] ?? 'csv'
    const path = `/history.${chosen}${queryOf({ toRound, network })}`
    if (output !== undefined) return save(path, output)
    if (chosen === 'parquet' && process.stdout.isTTY)
      throw new CliError('Parquet is not for a terminal; give --output FILE')
    return writeTo(api(), path, process.stdout)
  })

program
  .command('verify')
  .description(
    "compares a snapshot or a proposal's tally with what the contracts answer themselves. Exits with 0 where all is equal, " +
      '1 where something differs or fails, 2 where there is nothing to compare with',
  )
  .addOption(
    new Option('--round <round>', 'the snapshot of this round').conflicts(['block', 'proposal']).argParser(wholeNumber),
  )
  .addOption(
    new Option('--block <block>', 'the snapshot at the end of this block').conflicts('proposal').argParser(wholeNumber),
  )
  .option('--proposal <id>', 'the tally of this proposal, by its id as proposals lists it')
  .option('--rpc <url>', 'JSON-RPC of the chain')
  .addOption(networkOption())
  .addOption(
    new Option('--sample <accounts>', 'how many holders to compare, spread evenly over the snapshot')
      .conflicts('all')
      .default('100')
      .argParser(wholeNumber),
  )
  .option('--all', 'compare all holders', false)
  .option('--networks-file <file>', 'addresses by network, as graph-cli has them (default: subgraph/networks.json)')
  .action(async (options: VerifyOptions) => {
    process.exitCode = await verify(api(), options)
  })

program
  .command('audit')
  .description(
    'compares the whole history of a chain with what its contracts answer: each round, as verify does, and everything that ' +
      'was proposed and is over. Exits with 0 where everything was compared and is equal, 1 where something differs or it ' +
      'fails, 2 where there is nothing to compare with, 3 where all that could be compared is equal, but not everything could',
  )
  .requiredOption('--rpc <url>', 'JSON-RPC of the chain, of an archive node: others have no state of old blocks')
  .addOption(networkOption())
  .addOption(new Option('--from <round>', 'first round (default: the first indexed)').argParser(wholeNumber))
  .addOption(new Option('--to <round>', 'last round (default: the last that is over)').argParser(wholeNumber))
  .addOption(new Option('--every <rounds>', 'compare every so many rounds').default('1').argParser(positive))
  .addOption(
    new Option('--sample <accounts>', 'how many holders of a round to compare, others in each')
      .conflicts('all')
      .default('20')
      .argParser(wholeNumber),
  )
  .option('--all', 'compare all holders', false)
  .addOption(
    new Option('--figures <which>', 'votes alone, by BondingVotes, can be compared over any node')
      .choices(['all', 'votes'])
      .default('all'),
  )
  .option('--networks-file <file>', 'addresses by network, as graph-cli has them (default: subgraph/networks.json)')
  .option(
    '--output <file>',
    'the report, NDJSON: what was asked, a line for each round and proposal, the sums. Until it is whole it is FILE.part, ' +
      'and the same command again goes on from there',
  )
  .action(async (options: AuditOptions) => {
    process.exitCode = await audit(api(), options)
  })

program
  .command('watch')
  .description(
    'prints each change of a proposal (created, voting opened, voting closed, queued, executed, canceled) once, in order, ' +
      'also across restarts, until it is stopped. When it first sees a chain it takes what happened so far as told. ' +
      'While the API does not answer it waits',
  )
  .option('--from-start', 'tell also what happened before it first saw a chain', false)
  .addOption(
    new Option('--state <file>', 'what was told so far; one file for one API').default(
      'livepeer-governance-watch.json',
    ),
  )
  .option(
    '--exec <command>',
    'a shell command run for each change, one after the other: the change is JSON on its standard input, and CHANGE_ID, ' +
      'CHANGE_PROPOSAL, CHANGE_KIND, CHANGE_TITLE and so on; what it prints goes to standard error, one that fails is not ' +
      'run again',
  )
  .option(
    '--webhook <url>',
    'sends each change there as Standard Webhooks say, at least once and in order, again until the answer is 2xx',
  )
  .addOption(
    new Option(
      '--secret <secret>',
      'to sign webhooks with: whsec_ and base64. Others on the machine can see options, not variables',
    ).env(SECRET_VARIABLE),
  )
  .addOption(new Option('--interval <seconds>', 'how often to ask, from 1').default('30').argParser(wholeNumber))
  .addOption(new Option('--format <format>', 'how changes are printed').choices(['text', 'ndjson']).default('text'))
  .action((options: WatchOptions) => watch(api(), options))

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCode(error)
}

/** Says why it failed, unless commander did; gives the exit code. */
function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode
  const isForUser = error instanceof CliError || isFileError(error)
  process.stderr.write(
    `${isForUser ? `error: ${error.message}` : error instanceof Error ? error.stack : String(error)}\n`,
  )
  return error instanceof CliError ? error.exitCode : 1
}

/** Such as a folder that is not there, or a full disk. */
function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error
}

function fileCommand(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .addOption(
      new Option('--format <format>', 'default: table to a terminal, else csv; of --output its ending').choices(
        FORMATS,
      ),
    )
    .option('--no-header', 'csv and ndjson: columns first, without what the file says of itself')
    .option('--output <file>', 'save it there; a download that broke off is resumed')
}

interface BlockOptions {
  block?: string
}

function blockOption(): Option {
  return new Option('--block <block>', "instead of a round: the end of this block, of the chain's own").argParser(
    wholeNumber,
  )
}

/** A moment as the API's paths have it; CliError unless exactly one of round and block is given. */
function moment(round: string | undefined, { block }: BlockOptions): string {
  if (round !== undefined && block === undefined) return round
  if (block !== undefined && round === undefined) return `block-${block}`
  throw new CliError('give exactly one of ROUND and --block BLOCK')
}

function networkOption(): Option {
  return new Option('--network <name>', 'the chain, by its name in the networks file, where several are indexed')
}

/** Writes a file of the API, given without its ending, to where the options say. */
async function writeFile(
  path: string,
  parameters: Readonly<Record<string, string | undefined>>,
  layout: TableLayout,
  { format, output, network, header }: OutputOptions,
): Promise<void> {
  if (format === 'table' && !header) throw new CliError('--no-header is for csv and ndjson')
  const query = queryOf({ ...parameters, network, header: header ? undefined : 'none' })
  const fileOf = (ending: string) => `${path}.${ending}${query}`
  if (output !== undefined) {
    if (format === 'table') throw new CliError('--output takes csv, json or ndjson; a table is for a terminal')
    const ending = /\.(csv|json|ndjson)$/.exec(output)?.[1]
    return save(fileOf(format ?? ending ?? 'csv'), output)
  }
  const chosen = format ?? (process.stdout.isTTY && header ? 'table' : 'csv')
  if (chosen !== 'table') return writeTo(api(), fileOf(chosen), process.stdout)
  const { head, rows } = await api().rows<Row, Row>(fileOf('ndjson'))
  process.stdout.write(tableText(head, rows, layout))
}

/** The parameters of a request that are given, as its address has them. */
function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const asked = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return asked.length === 0 ? '' : `?${new URLSearchParams(asked)}`
}

/** Saves a file of the API and says how large it is. */
async function save(path: string, output: string): Promise<void> {
  const { bytes, resumedAt } = await download(api(), path, output)
  const resumed = resumedAt === 0 ? '' : `, resumed at ${resumedAt}`
  process.stderr.write(`${output}: ${bytes} bytes${resumed}\n`)
}

/** What the API is told of a recount's options; CliError for more voters than fit. */
function recountParameters(options: RecountOptions) {
  const { round, quorum, support, strict, overrides, ofActiveStake, without, choice } = options
  const voters = (without?.length ?? 0) + (choice?.length ?? 0)
  if (voters > MAX_VOTERS) throw new CliError(`${voters} voters are given; at most ${MAX_VOTERS}, GraphQL takes more`)
  return {
    round,
    quorumPartsPerMillion: quorum,
    supportPartsPerMillion: support,
    strict: strict === undefined ? undefined : String(strict),
    overrides: overrides ? undefined : 'false',
    ofActiveStake: ofActiveStake && 'true',
    without: without?.join(','),
    choices: choice?.map((one) => one.replace(/=.*$/, (text) => text.toUpperCase())).join(','),
  }
}

function api(): Api {
  return new Api(program.opts<{ api: string }>().api)
}

function wholeNumber(text: string): string {
  if (!/^\d{1,78}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return text
}

function positive(text: string): string {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.')
  return text
}

/** Parts per million, of a percentage too. */
function part(text: string): string {
  const [, whole, decimals = ''] = /^(\d{1,3})(?:\.(\d{1,4}))?%$/.exec(text) ?? []
  if (whole !== undefined) return String(BigInt(whole) * 10_000n + BigInt(decimals.padEnd(4, '0')))
  if (/^\d{1,7}$/.test(text)) return text
  throw new InvalidArgumentError('It must be parts per million such as 333300, or percent such as 33.33%.')
}
