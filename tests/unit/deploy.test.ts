import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseToml } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'

// What deploy/ names is there: nothing else notices a name that is wrong before somebody starts it all.

const FOLDER = 'deploy'
const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8')

interface Service {
  image: string
  build?: { context: string; dockerfile: string; target: string }
  depends_on?: Record<string, { condition: string }>
  environment?: Record<string, string>
  networks: string[]
  ports?: string[]
  volumes?: string[]
  healthcheck?: { test: string[] }
  stop_grace_period?: string
  command?: string[]
}

const composeText = read('compose.yaml')
const compose = parseYaml(composeText, { merge: true }) as {
  services: Record<string, Service>
  networks: Record<string, { internal?: boolean; ipam?: { config: { subnet: string }[] } } | null>
  volumes: Record<string, null>
}
const services = Object.entries(compose.services)
const nodes = services.filter(([, { image }]) => image.startsWith('graphprotocol/graph-node:'))
const apis = services.filter(([, { image }]) => image === 'livepeer-governance')

interface NodeRule {
  node: string
  size: number
}
const toml = parseToml(read('graph-node.toml')) as unknown as {
  general: { query: string }
  store: { primary: { connection: string; pool_size: NodeRule[] } }
  chains: { ingestor: string } & Record<string, { shard: string; max_block_range_size: number; provider: object[] }>
  deployment: { rule: { shard: string; indexers: string[] }[] }
}
const { ingestor, ...chains } = toml.chains

const containerfile = read('Containerfile')
const proxy = read('haproxy.cfg')
const bound = [...proxy.matchAll(/^frontend (\w+)\n {2}bind :(\d+)$/gm)].map(([, name, port]) => ({ name, port }))

/** The options of `npm start` that the environment sets. */
const known = (() => {
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', 'stack/start.ts', '--help'], { encoding: 'utf8' })
  return [...stdout.replace(/\s+/g, ' ').matchAll(/\(?env: (\w+)/g)].map(([, name]) => name)
})()

/** The ports that a service takes requests at. */
function portsOf(name: string): string[] {
  const { image, environment = {} } = compose.services[name] ?? { image: '' }
  // The ones of graph-node: queries, deployments, indexing, metrics.
  if (image.startsWith('graphprotocol/graph-node:')) return ['8000', '8020', '8030', '8040']
  if (image.startsWith('postgres:')) return ['5432']
  if (image.startsWith('ipfs/kubo:')) return ['5001']
  if (image.startsWith('haproxy:')) return bound.map(({ port = '' }) => port)
  return environment.PORT === undefined ? [] : [environment.PORT]
}

/** The value of a variable of the environment without what comes from the operator. */
function hostsIn(text: string): [host: string, port: string][] {
  return [...text.replace(/\$\{[^}]*\}/g, '').matchAll(/([a-z][a-z0-9-]*):(\d+)(?![\d.])/g)].map(
    ([, host = '', port = '']) => [host, port],
  )
}

function sharesNetwork(one: string, other: string): boolean {
  return compose.services[one]?.networks.some((network) => compose.services[other]?.networks.includes(network)) ?? false
}

describe('compose.yaml', () => {
  it.each(services)(
    '%s names services, networks, volumes and files that are there, and an image of one version',
    (name, service) => {
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(Object.keys(compose.services)).toContain(other)
        if (condition === 'service_healthy') expect(compose.services[other]?.healthcheck, other).toBeDefined()
      }
      expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining(service.networks))
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':')
        if (source.startsWith('.')) expect(existsSync(join(FOLDER, source)), source).toBe(true)
        else expect(Object.keys(compose.volumes)).toContain(source)
      }
      if (service.build === undefined) expect(service.image).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/)
      else {
        const { context, dockerfile, target } = service.build
        expect(readFileSync(join(FOLDER, context, dockerfile), 'utf8')).toMatch(
          new RegExp(`^FROM .* AS ${target}$`, 'm'),
        )
      }
      const told = [...Object.values(service.environment ?? {}), ...(service.command ?? [])].join(' ')
      for (const [host, port] of hostsIn(told)) {
        expect(portsOf(host), `${host} of ${name}`).toContain(port)
        expect(sharesNetwork(name, host), `${name} gets at ${host}`).toBe(true)
      }
    },
  )

  it('takes from the environment what env.example tells of, and nothing else', () => {
    const taken = [...composeText.matchAll(/\$\{(\w+)/g)].map(([, variable]) => variable)
    const told = [...read('env.example').matchAll(/^(\w+)=/gm)].map(([, variable]) => variable)
    expect([...new Set(taken)].sort()).toEqual(told.sort())
  })

  it('sets only options of npm start for the APIs, and so does the image', () => {
    expect(apis.map(([name]) => name)).toEqual(['api-1', 'api-2'])
    const set = apis.flatMap(([, { environment = {} }]) => Object.keys(environment))
    const [, line = ''] = /^ENV (.*)$/m.exec(containerfile) ?? []
    const setByImage = [...line.matchAll(/(\w+)=/g)].map(([, variable]) => variable)
    expect(setByImage).toContain('HOST')
    expect(known).toEqual(expect.arrayContaining([...set, ...setByImage.filter((variable) => variable !== 'NODE_ENV')]))
  })

  it('publishes the proxy, and Prometheus on this host alone; graph-node is on no network that anything else publishes from', () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]))
    expect(published).toEqual([
      ['proxy', `\${PUBLIC_PORT:-8080}:${bound.find(({ name }) => name === 'public')?.port}`],
      ['prometheus', '127.0.0.1:9090:9090'],
    ])
    expect(compose.networks.inner?.internal).toBe(true)
    for (const [name, { networks }] of nodes) expect(networks, name).not.toContain('public')
    // The APIs believe whom the proxy asks for by its address there, so they must see it there and nowhere else.
    const shared = compose.services.proxy?.networks.filter((network) =>
      apis.some(([, { networks }]) => networks.includes(network)),
    )
    expect(shared).toEqual(['inner'])
    expect(apis[0]?.[1].environment?.TRUST_PROXY).toBe(compose.networks.inner?.ipam?.config[0]?.subnet)
  })

  it('gives graph-node time where it helps: what answers has a minute, what indexes is ended at once', () => {
    const graces = nodes.map(([, { environment, stop_grace_period }]) => [environment?.node_role, stop_grace_period])
    expect(graces).toEqual([
      ['index-node', '0s'],
      ['query-node', '60s'],
      ['query-node', '60s'],
    ])
  })
})

describe('graph-node.toml', () => {
  const named = nodes.map(([, { environment }]) => ({
    id: environment?.node_id ?? '',
    role: environment?.node_role ?? '',
    ingestor: environment?.BLOCK_INGESTOR,
  }))
  const matches = (pattern: string, id: string) => new RegExp(`^(?:${pattern})$`).test(id)

  it('knows every node of compose.yaml by its name and role', () => {
    const query = named.filter(({ id }) => matches(toml.general.query, id))
    expect(query.map(({ role }) => role)).toEqual(['query-node', 'query-node'])
    const index = named.filter(({ role }) => role === 'index-node').map(({ id }) => id)
    expect(toml.deployment.rule).toEqual([{ shard: 'primary', indexers: index }])
    expect(index).toContain(ingestor)
    expect(new Set(named.map((node) => node.ingestor))).toEqual(new Set([ingestor]))
    // The image's start script has no other characters in a name.
    for (const { id } of named) expect(id).toMatch(/^\w+$/)
  })

  it('has a pool for each, which PostgreSQL has connections for', () => {
    const sizes = named.map(({ id }) => {
      const sizes = toml.store.primary.pool_size.filter(({ node }) => matches(node, id)).map(({ size }) => size)
      expect(sizes, id).toHaveLength(1)
      return sizes[0] ?? 0
    })
    const [, most] = /^max_connections=(\d+)$/m.exec(compose.services.postgres?.command?.join('\n') ?? '') ?? []
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(Number(most) - 10)
    const { host, username, pathname } = new URL(toml.store.primary.connection.replace(/\$\{\w+\}/, 'x'))
    const { POSTGRES_USER, POSTGRES_DB } = compose.services.postgres?.environment ?? {}
    expect([host, username, pathname]).toEqual(['postgres:5432', POSTGRES_USER, `/${POSTGRES_DB}`])
  })

  it('has the chains that are deployed and answered, and variables that each node is given', () => {
    const names = Object.keys(chains)
    const api = apis[0]?.[1].environment ?? {}
    for (const variable of ['SUBGRAPH', 'STATUS', 'RPC']) {
      expect(
        api[variable]?.split(',').map((part) => part.split('=')[0]),
        variable,
      ).toEqual(names)
    }
    expect(compose.services.deploy?.environment?.NETWORKS).toBe(names.join(' '))
    const networks = JSON.parse(readFileSync('subgraph/networks.json', 'utf8')) as object
    expect(Object.keys(networks)).toEqual(expect.arrayContaining(names))
    for (const [name, { shard, max_block_range_size, provider }] of Object.entries(chains)) {
      expect([shard, max_block_range_size > 0, provider.length], name).toEqual(['primary', true, 1])
    }
    const variables = [...read('graph-node.toml').matchAll(/\$\{(\w+)\}/g)].map(([, variable = '']) => variable)
    for (const [name, { environment }] of nodes)
      expect(Object.keys(environment ?? {}), name).toEqual(expect.arrayContaining(variables))
  })
})

it('haproxy.cfg and prometheus.yaml lead to services of compose.yaml at ports that they have', () => {
  const servers = [...proxy.matchAll(/^ {2}server (\S+) (\S+):(\d+)/gm)].map(([, name, host = '', port]) => {
    expect(name).toBe(host)
    return { from: 'proxy', host, port }
  })
  const { scrape_configs, rule_files } = parseYaml(read('prometheus.yaml')) as {
    scrape_configs: { static_configs: { targets: string[] }[] }[]
    rule_files: string[]
  }
  const targets = scrape_configs.flatMap(({ static_configs }) => static_configs.flatMap((config) => config.targets))
  const scraped = targets.map((target) => ({
    from: 'prometheus',
    host: target.split(':')[0] ?? '',
    port: target.split(':')[1],
  }))
  for (const { from, host, port } of [...servers, ...scraped]) {
    expect(portsOf(host), host).toContain(port)
    expect(sharesNetwork(from, host), `${from} gets at ${host}`).toBe(true)
  }
  expect(servers.map(({ host }) => host).sort()).toEqual(
    [...apis, ...apis, ...nodes, ...nodes.filter(([, { environment }]) => environment?.node_role === 'query-node')]
      .map(([name]) => name)
      .sort(),
  )
  expect(scraped.map(({ host }) => host).sort()).toEqual([...apis, ...nodes].map(([name]) => name).sort())
  const mounted = compose.services.prometheus?.volumes?.map((volume) => volume.split(':')[1])
  for (const file of rule_files) expect(mounted).toContain(`/etc/prometheus/${file}`)
})

it('the image and deploy-subgraphs.sh run scripts that package.json has', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object }
  const run = [containerfile, read('deploy-subgraphs.sh')].flatMap((text) => [
    ...text.matchAll(/npm run (?:--\S+ )?([\w:]+)/g),
  ])
  expect(run.map(([, script]) => script)).toEqual(['build:api', 'manifest'])
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(run.map(([, script]) => script)))
})

it('deploy-subgraphs.sh is given what it reads', () => {
  const script = read('deploy-subgraphs.sh')
  const own = [...script.matchAll(/(?:for |^\s*)(\w+)(?: in|=)/gm)].map(([, variable]) => variable)
  const asked = [...script.matchAll(/\$(\w+)/g)]
    .map(([, variable]) => variable)
    .filter((variable) => !own.includes(variable))
  expect([...new Set(asked)].sort()).toEqual(Object.keys(compose.services.deploy?.environment ?? {}).sort())
  expect(spawnSync('sh', ['-n', join(FOLDER, 'deploy-subgraphs.sh')]).status).toBe(0)
})

it('docs/operation.md says what to do about every alert', () => {
  const { groups } = parseYaml(read('alerts.yaml')) as { groups: { rules: { alert: string }[] }[] }
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
  const told = [...readFileSync('docs/operation.md', 'utf8').matchAll(/^\| `([A-Z]\w+)` \|/gm)].map(
    ([, alert]) => alert,
  )
  expect(told).toEqual(alerts)
})

/** Programs that look at these files themselves: not on every machine. */
const CHECKS: [string, string[], Record<string, string>][] = [
  [
    'docker',
    ['compose', '--file', join(FOLDER, 'compose.yaml'), 'config', '--quiet'],
    { POSTGRES_PASSWORD: 'x', ARBITRUM_RPC: 'http://x', MAINNET_RPC: 'http://x' },
  ],
  ['haproxy', ['-c', '-f', join(FOLDER, 'haproxy.cfg')], {}],
  ['promtool', ['check', 'rules', join(FOLDER, 'alerts.yaml')], {}],
]
for (const [program, args, env] of CHECKS) {
  const isThere =
    spawnSync(program, program === 'docker' ? ['compose', 'version'] : ['--help']).status === 0 ||
    (program === 'haproxy' && spawnSync(program, ['-v']).status === 0)
  it.skipIf(!isThere)(
    `${program} ${args.join(' ')} finds nothing wrong${isThere ? '' : `: not looked at, there is no ${program === 'docker' ? 'docker compose' : program} here`}`,
    () => {
      const { status, stderr, stdout } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } })
      expect(status, `${stdout}${stderr}`).toBe(0)
    },
  )
}
