import { isIP } from 'node:net'
import { Command, InvalidArgumentError, Option } from 'commander'
import { isHttpUrl } from '../api/facts/rpc.ts'
import { DEFAULT_LIMITS, NO_LIMITS } from '../api/graphql/limits.ts'
import { isProxyList } from '../api/http/rate-limit.ts'
import { gatewayBase } from '../api/texts/ipfs-file.ts'
import { postJson } from './graph-node.ts'
import { StackError } from './processes.ts'
import { createProgressDisplay } from './progress.ts'
import { type Stack, type StackOptions, startStack } from './stack.ts'
import { headerLines, networkUrls, urlsByNetwork, withHeaders } from './subgraph-options.ts'
import { TraceError } from './trace.ts'

const display = createProgressDisplay(process.stdout)
/** A launcher passes the signal of a terminal on that came by itself already: only one later than this is a second one. */
const SAME_SIGNAL_MS = 500
const interruption = new AbortController()
/** Aborts where somebody who wanted it to stop cannot wait. */
const hurry = new AbortController()
let interruptedAt: number | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interruptedAt ??= performance.now()
    if (performance.now() - interruptedAt > SAME_SIGNAL_MS) hurry.abort()
    interruption.abort(new Interruption(signal))
  })
}
process.on('uncaughtException', (error) => {
  hurry.abort()
  interruption.abort(error)
})

/** The user wants to stop, or what runs this process. */
class Interruption extends Error {
  constructor(readonly signal: NodeJS.Signals) {
    super(signal)
  }
}

await main()

async function main(): Promise<void> {
  const { drainSeconds, ...options } = readOptions(process.argv)
  let stack: Stack | undefined
  let isReady = false
  try {
    stack = await startStack({
      ...options,
      log: (line) => display.line(line),
      onProgress: (progress) => display.update(progress),
      signal: interruption.signal,
    })
    await stack.ready
    isReady = true
    display.close()
    await welcome(stack)
    await aborted(stack.failure)
  } catch (error) {
    display.close()
    // At a terminal nobody else is waited for, and before it was ready nobody was sent here.
    const isTold = error instanceof Interruption && error.signal === 'SIGTERM' && isReady
    if (error instanceof Interruption) await stack?.drain(isTold ? drainSeconds : 0, hurry.signal)
    await stack?.stop()
    process.exit(farewell(error))
  }
}

/** Rejects, with the reason, when the signal aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Says why it ends, in one line where the user can do something about it; gives the exit code. */
function farewell(reason: unknown): number {
  if (reason instanceof Interruption) return 0
  const isForUser = reason instanceof StackError || reason instanceof TraceError
  process.stderr.write(`${isForUser ? reason.message : reason instanceof Error ? reason.stack : String(reason)}\n`)
  return 1
}

async function welcome(stack: Stack): Promise<void> {
  display.line(`\nGraphQL API    ${stack.url}/graphql`)
  display.line(`Query editor   ${stack.url}/editor`)
  const example = await exampleQuery(stack.url).catch(() => undefined)
  if (example) display.line(`\nA query to paste:\n${example.query}\nand its answer:\n${example.answer}\n`)
  // Last, so that it is what is seen: a page for people, which leads to all the rest.
  display.line(`\nLook at it     ${stack.url}/  (in a browser, works offline)`)
  if (process.stdout.isTTY) display.line('Ctrl-C stops everything.')
  else display.line(`ready ${stack.url}`)
}

/** The voting power of the biggest holder of the current round, undefined where nobody holds anything. */
async function exampleQuery(url: string): Promise<{ query: string; answer: string } | undefined> {
  const ask = async <T>(query: string) => {
    const { data } = await postJson<{ data: T }>(`${url}/graphql`, { query })
    return data
  }
  const { status } = await ask<{ status: { round: number | null }[] }>('{ status { round } }')
  const round = status.find((chain) => chain.round !== null)?.round
  if (round === undefined || round === null) return undefined
  const { stakeSnapshot } = await ask<{ stakeSnapshot: { holders: { nodes: { account: string }[] } } }>(
    `{ stakeSnapshot(round: ${round}) { holders(first: 1) { nodes { account } } } }`,
  )
  const [holder] = stakeSnapshot.holders.nodes
  if (!holder) return undefined
  const query = `{ votingPower(account: "${holder.account}", round: ${round}) { votes stake delegate } }`
  return { query, answer: JSON.stringify(await ask(query)) }
}

function readOptions(argv: string[]): StackOptions & { drainSeconds: number } {
  const program = new Command('npm start --')
    .description(
      'Indexes Livepeer governance and serves the GraphQL API. Without a network it runs on two recorded chains that ship\n' +
        'with the project, and with subgraphs that others index the API runs alone. graph-node listens on all interfaces of\n' +
        'this machine, PostgreSQL on 127.0.0.1 only, the API where --host says.',
    )
    .addOption(
      option(
        '--network <name>',
        'NETWORK',
        'network to index, by its name in the networks file (repeatable)',
      ).argParser(list),
    )
    .addOption(
      option(
        '--networks-file <file>',
        'NETWORKS_FILE',
        'addresses and start blocks by network, as graph-cli has them (default: subgraph/networks.json)',
      ),
    )
    .addOption(
      option(
        '--rpc <url>',
        'RPC',
        'RPC of the network, or name=URL, which names the network too (repeatable)',
      ).argParser(list),
    )
    .addOption(option('--trace <file>', 'TRACE', 'recorded trace to serve as the chain (repeatable)').argParser(list))
    .addOption(option('--port <number>', 'PORT', 'port of the API, 0 for any free one').argParser(port).default(4000))
    .addOption(
      option(
        '--host <address>',
        'HOST',
        'name or address of this machine that the API listens at, 0.0.0.0 or :: for all of them',
      )
        .argParser(host)
        .default('127.0.0.1'),
    )
    .addOption(
      option(
        '--subgraph <network=url>',
        'SUBGRAPH',
        'subgraph that others index, its URL taken as it is: of a graph-node, a hosted service, or The Graph’s gateway (repeatable)',
      ).argParser(networkUrls),
    )
    .addOption(
      option(
        '--subgraph-header <name: value>',
        'SUBGRAPH_HEADER',
        'header to send along to subgraphs, such as "Authorization: Bearer …"; network=name: value for one of them (repeatable, in the environment a line each)',
      ).argParser(headerLines),
    )
    .addOption(
      option(
        '--status <network=url>',
        'STATUS',
        'GraphQL of the index-node of those who index a network, where there is one (repeatable)',
      ).argParser(networkUrls),
    )
    .addOption(option('--alone', 'ALONE', 'refuse to index here: run the API alone, over subgraphs of others'))
    .addOption(
      option(
        '--graph-node <url>',
        'GRAPH_NODE',
        'query endpoint or subgraph URL of a graph-node that is already there',
      ),
    )
    .addOption(
      option(
        '--ipfs-gateway <url>',
        'IPFS_GATEWAY',
        'IPFS gateway to fetch the texts of polls from; of several the next is asked where one fails (repeatable, default: none)',
      ).argParser(gatewayUrls),
    )
    .addOption(
      option(
        '--data-dir <dir>',
        'DATA_DIR',
        'where data stays between starts (default: .data/<network>, and a temporary folder for recorded chains)',
      ),
    )
    .addOption(
      option('--rate-limit <number>', 'RATE_LIMIT', 'requests a minute of one client, 0 for any number')
        .argParser(wholeNumber)
        .default(DEFAULT_LIMITS.requestsPerMinute),
    )
    .addOption(
      option(
        '--trust-proxy <addresses>',
        'TRUST_PROXY',
        'proxies whose X-Forwarded-For tells clients apart: addresses, networks such as 10.0.0.0/8, loopback, linklocal or uniquelocal, with commas between (default: none)',
      ).argParser(proxies),
    )
    .addOption(
      option(
        '--follow-every <seconds>',
        'FOLLOW_EVERY',
        'how often the API asks the index for what is new (default: 1, with --subgraph 30)',
      ).argParser(seconds),
    )
    .addOption(
      option(
        '--max-age <seconds>',
        'MAX_AGE',
        'how long the API answers from what it holds while graph-node does not answer',
      )
        .argParser(seconds)
        .default(3600),
    )
    .addOption(
      option(
        '--max-head-age <seconds>',
        'MAX_HEAD_AGE',
        'how old by the clock the head of Ethereum mainnet or Arbitrum One may be before answers count as stale, 0 for any age',
      )
        .argParser(wholeNumber)
        .default(600),
    )
    .addOption(
      option('--max-facts <MiB>', 'MAX_FACTS', 'most memory that the API may hold facts in, for each chain')
        .argParser(wholeNumber)
        .default(2048),
    )
    .addOption(
      option(
        '--no-verify',
        'NO_VERIFY',
        'do not compare answers with the contracts over the RPC: some 25 calls a round',
      ),
    )
    .addOption(
      option(
        '--drain <seconds>',
        'DRAIN',
        'how long requests are still taken after SIGTERM, while /ready answers 503 (default: 0, where others index 5)',
      ).argParser(wholeNumber),
    )
    .addOption(option('--no-limits', 'NO_LIMITS', 'answer whatever is asked, for measurements'))
    .parse(argv)
  const chosen = program.opts<{
    network?: string[]
    networksFile?: string
    rpc?: string[]
    trace?: string[]
    port: number
    host: string
    subgraph?: string[]
    subgraphHeader?: string[]
    status?: string[]
    alone?: boolean
    graphNode?: string
    ipfsGateway?: string[]
    dataDir?: string
    rateLimit: number
    trustProxy?: string
    followEvery?: number
    maxAge: number
    maxHeadAge: number
    maxFacts: number
    drain?: number
    limits: boolean
    verify: boolean
  }>()
  const fail = (message: string): never => program.error(`error: ${message}`)
  const networks = chosen.network ?? []
  const subgraphUrls = urlsByNetwork('--subgraph', chosen.subgraph ?? [], fail)
  const subgraphs = withHeaders(subgraphUrls, chosen.subgraphHeader ?? [], fail)
  const isHosted = Object.keys(subgraphs).length > 0
  const isAlone = isHosted || chosen.graphNode !== undefined
  return {
    networks,
    rpcUrls: rpcUrls(chosen.rpc ?? [], networks, fail),
    subgraphs,
    statusUrls: urlsByNetwork('--status', chosen.status ?? [], fail),
    traces: chosen.trace ?? [],
    port: chosen.port,
    host: chosen.host,
    isAlone: chosen.alone ?? false,
    drainSeconds: chosen.drain ?? (isAlone ? 5 : 0),
    ipfsGateways: chosen.ipfsGateway ?? [],
    limits: chosen.limits ? { requestsPerMinute: chosen.rateLimit } : NO_LIMITS,
    trustProxy: chosen.trustProxy,
    verification: chosen.verify ? {} : undefined,
    following: {
      intervalMs: (chosen.followEvery ?? (isHosted ? 30 : 1)) * 1000,
      maxAgeSeconds: chosen.maxAge,
      maxHeadAgeSeconds: chosen.maxHeadAge,
      maxFactsMiB: chosen.maxFacts,
    },
    ...(chosen.networksFile === undefined ? {} : { networksFile: chosen.networksFile }),
    ...(chosen.graphNode === undefined ? {} : { graphNodeUrl: chosen.graphNode }),
    ...(chosen.dataDir === undefined ? {} : { dataDir: chosen.dataDir }),
  }
}

function option(flags: string, variable: string, description: string): Option {
  return new Option(flags, description).env(variable)
}

function list(value: string, previous: string[] = []): string[] {
  return [...previous, ...value.split(',')]
}

function host(value: string): string {
  if (isIP(value) !== 0 || /^(?!\d)[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(value)) return value
  throw new InvalidArgumentError('It is no name or address of a machine, such as 0.0.0.0.')
}

function port(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number > 65535) throw new InvalidArgumentError('It is no port number.')
  return number
}

function wholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('It is no whole number.')
  return Number(value)
}

/** Anything else would trust whoever asks, or nobody. */
function proxies(value: string): string {
  if (isProxyList(value)) return value
  throw new InvalidArgumentError(
    'It must be addresses such as 10.0.0.1 or 10.0.0.0/8, loopback, linklocal or uniquelocal.',
  )
}

/** A tenth of one at the least: less would only keep graph-node busy. */
function seconds(value: string): number {
  const number = Number(value)
  if (!/^\d{1,6}(\.\d)?$/.test(value) || number < 0.1) throw new InvalidArgumentError('It is no number of seconds.')
  return number
}

/** What the API refuses too, here in one line with the option's name. */
function gatewayUrls(value: string, previous: string[] = []): string[] {
  const added = value.split(',')
  try {
    for (const url of added) gatewayBase(url)
  } catch {
    throw new InvalidArgumentError('It is no http or https URL without a user, such as https://ipfs.io.')
  }
  return [...previous, ...added]
}

function rpcUrls(values: string[], networks: string[], fail: (message: string) => never): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const [, name, url = value] = /^([\w-]+)=(.*)$/.exec(value) ?? []
      const [only, ...others] = networks
      const network = name ?? (only !== undefined && others.length === 0 ? only : undefined)
      if (network === undefined) return fail('--rpc needs a network: give --network NAME, or --rpc NAME=URL')
      if (!isHttpUrl(url)) return fail(`--rpc of ${network} is not a URL`)
      return [network, url]
    }),
  )
}
