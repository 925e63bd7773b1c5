import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { CliRun, RunningCli } from './cli-command.ts'
import { startCli } from './cli-command.ts'
import { listen, WatchedApi, type WatchedProposal, WebhookReceiver } from './watched-api.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const SECRET = `whsec_${KEY}`
const SECRET_VARIABLE = 'LIVEPEER_GOVERNANCE_WEBHOOK_SECRET'
const WATCHING = 'watching recorded; 0 changes so far are taken as told\n'
const WAIT = { timeout: 30_000, interval: 50 }

let folder: string
let state: string
let api: WatchedApi
let receiver: WebhookReceiver
let apiUrl: string
let hook: string
let servers: Server[]
let running: RunningCli[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'watch-test-'))
  state = join(folder, 'state.json')
  api = new WatchedApi()
  receiver = new WebhookReceiver()
  const [served, hooked] = [await listen(api), await listen(receiver)]
  apiUrl = served.url
  hook = `${hooked.url}/hook/token-in-path`
  servers = [served.server, hooked.server]
  running = []
})

afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL')
  await Promise.all(running.map(({ ended }) => ended))
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  rmSync(folder, { recursive: true })
})

function watch(args: readonly string[] = [], env: Record<string, string> = {}): RunningCli {
  const one = startCli(apiUrl, ['watch', '--state', state, '--interval', '1', ...args], env)
  running.push(one)
  return one
}

function stop({ child, ended }: RunningCli, signal: NodeJS.Signals = 'SIGTERM'): Promise<CliRun> {
  child.kill(signal)
  return ended
}

/** Waits until the index is watched, and nothing is told as new that is there by now. */
async function watched(one: RunningCli): Promise<void> {
  await vi.waitFor(() => expect(one.output.stderr).toContain('watching recorded;'), WAIT)
}

const event = (kind: string, second: number, isMarked = true) => ({
  kind,
  at: isMarked ? { block: String(second), transactionHash: `0x${second}` } : null,
  round: null,
  timestamp: `2026-01-01T00:00:0${second}Z`,
  estimated: kind === 'VOTING_CLOSED',
})

function poll(name: string, poll: Partial<WatchedProposal> = {}): WatchedProposal {
  return {
    __typename: 'Poll',
    id: `poll:0x${name}`,
    system: 'POLL',
    network: 'recorded',
    title: `Poll ${name}`,
    state: 'ACTIVE',
    outcome: { quorumReached: true, supportReached: true },
    timeline: [event('CREATED', 1), event('VOTING_OPENED', 2, false), event('VOTING_CLOSED', 4, false)],
    ...poll,
  }
}

const idsIn = (ndjson: string): string[] =>
  ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).id)
const OPENED = ['poll:0xa:CREATED', 'poll:0xa:VOTING_OPENED']
const CLOSED = 'poll:0xa:VOTING_CLOSED:PASSED'

describe('what is told', () => {
  test('of each state what has come to pass, by time, each of a proposal in its own order', async () => {
    const treasury = (name: string, proposalState: string, later: WatchedProposal['timeline'] = []): WatchedProposal =>
      poll(name, {
        __typename: 'TreasuryProposal',
        id: `treasury:${name}`,
        system: 'TREASURY',
        title: `Proposal ${name}`,
        state: proposalState,
        timeline: [...poll('').timeline, ...later],
      })
    api.proposals = [
      treasury('1', 'PENDING'),
      treasury('2', 'ACTIVE'),
      treasury('3', 'DEFEATED'),
      treasury('4', 'SUCCEEDED'),
      treasury('5', 'QUEUED', [event('QUEUED', 5)]),
      // Its closing is told to be later than what followed it.
      treasury('6', 'EXECUTED', [event('QUEUED', 3), event('EXECUTED', 6)]),
      { ...treasury('7', 'CANCELED'), timeline: [event('CREATED', 1), event('CANCELED', 2)] },
      {
        ...treasury('8', 'CANCELED', [event('CANCELED', 7)]),
        outcome: { quorumReached: true, supportReached: false },
      },
      poll('a', { state: new Error('NOT_EXACT'), title: 'two\nlines\u009b31m' }),
    ]
    const one = watch(['--from-start'])
    await vi.waitFor(() => expect(one.output.stdout.split('\n')).toHaveLength(26), WAIT)
    const { code, stdout, stderr } = await stop(one)
    const at = (second: number, what: string, id: string) => {
      const [system, name] = id.split(':')
      const title = system === 'poll' ? 'two lines 31m' : `Proposal ${name}`
      return `${what.startsWith('VOTING_CLOSED') ? '~' : ''}2026-01-01T00:00:0${second}Z ${what} ${id} (recorded) ${title}`
    }
    const all = (second: number, what: string, names: number[]) =>
      names.map((name) => at(second, what, `treasury:${name}`))
    expect(stdout.trimEnd().split('\n')).toEqual([
      ...all(1, 'CREATED', [1, 2, 3, 4, 5, 6, 7, 8]),
      at(1, 'CREATED', 'poll:0xa'),
      ...all(2, 'VOTING_OPENED', [2, 3, 4, 5, 6]),
      ...all(2, 'CANCELED', [7]),
      ...all(2, 'VOTING_OPENED', [8]),
      ...all(4, 'VOTING_CLOSED did not pass', [3]),
      ...all(4, 'VOTING_CLOSED passed', [4, 5, 6]),
      ...all(3, 'QUEUED', [6]),
      ...all(4, 'VOTING_CLOSED did not pass', [8]),
      ...all(5, 'QUEUED', [5]),
      ...all(6, 'EXECUTED', [6]),
      ...all(7, 'CANCELED', [8]),
    ])
    expect([code, stderr]).toEqual([
      0,
      `the state of poll:0xa cannot be told (NOT_EXACT), nor when its voting opens and closes\n${WATCHING}`,
    ])
  })

  test('nothing that was there at the first start, and all from then on', async () => {
    api.proposals = [poll('a')]
    const one = watch(['--format', 'ndjson'])
    await watched(one)
    api.proposals = [poll('a', { state: 'DEFEATED' })]
    await vi.waitFor(() => expect(one.output.stdout).not.toBe(''), WAIT)
    const { stdout, stderr } = await stop(one)
    expect(stdout.split('\n').map((line) => line && JSON.parse(line))).toEqual([
      {
        id: 'poll:0xa:VOTING_CLOSED:NOT_PASSED',
        proposal: 'poll:0xa',
        system: 'POLL',
        network: 'recorded',
        title: 'Poll a',
        kind: 'VOTING_CLOSED',
        passed: false,
        state: 'DEFEATED',
        time: '2026-01-01T00:00:04Z',
        estimated: true,
        round: null,
        block: null,
        transaction: null,
      },
      '',
    ])
    expect(stderr).toBe('watching recorded; 2 changes so far are taken as told\n')
  })

  test.each([
    ['an index that is behind', { synced: false }],
    ['an index that does not answer', { error: 'down' }],
    ['a state that cannot be had just now', { state: new Error('UPSTREAM_UNAVAILABLE') }],
  ])('nothing old after %s either', async (_, { state: refused, ...status }: Record<string, unknown>) => {
    const [network] = api.networks
    Object.assign(network ?? {}, status)
    api.proposals = refused instanceof Error ? [poll('a', { state: refused })] : []
    const one = watch(['--format', 'ndjson'])
    await vi.waitFor(() => expect(one.output.stderr).toContain('waiting until the API has indexed recorded'), WAIT)
    api.proposals = [poll('a', { state: 'SUCCEEDED' })]
    api.networks = new WatchedApi().networks
    await watched(one)
    api.proposals.push(poll('b', { state: 'ACTIVE' }))
    await vi.waitFor(() => expect(idsIn(one.output.stdout)).toHaveLength(2), WAIT)
    expect(idsIn((await stop(one)).stdout)).toEqual(['poll:0xb:CREATED', 'poll:0xb:VOTING_OPENED'])
  })
})

describe('webhooks', () => {
  const args = () => ['--format', 'ndjson', '--webhook', hook]
  const env = { [SECRET_VARIABLE]: SECRET }
  const verified = () =>
    receiver.received.map(({ headers, body, status }) => {
      expect(new Webhook(SECRET).verify(body, headers)).toEqual(JSON.parse(body))
      return [headers['webhook-id'], status]
    })

  test('each change once on the terminal, at least once there and in order, through a kill between two changes', async () => {
    const first = watch(args(), env)
    await watched(first)
    receiver.statuses = Array(50).fill(503)
    api.proposals = [poll('a')]
    await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(0), WAIT)
    await vi.waitFor(() => expect(idsIn(first.output.stdout)).toEqual(OPENED), WAIT)
    await vi.waitFor(() => expect(readFileSync(state, 'utf8')).toContain('"poll:0xa:VOTING_OPENED"'), WAIT)
    const before = await stop(first, 'SIGKILL')
    receiver.statuses = []
    api.proposals = [poll('a', { state: 'SUCCEEDED' })]
    const second = watch(args(), env)
    await vi.waitFor(() => expect(verified().at(-1)).toEqual([CLOSED, 200]), WAIT)
    const after = await stop(second)
    expect(idsIn(before.stdout + after.stdout)).toEqual([...OPENED, CLOSED])
    const ids = verified()
    expect(ids.filter(([, status]) => status === 200)).toEqual([...OPENED, CLOSED].map((id) => [id, 200]))
    expect(new Set(ids.filter(([, status]) => status === 503).map(([id]) => id))).toEqual(new Set([OPENED[0]]))
    expect([after.code, after.stderr]).toEqual([0, ''])
  })

  test('one that answers 500 twice has the same message again, and the next after it', async () => {
    receiver.statuses = [500, 500]
    api.proposals = [poll('a')]
    const one = watch([...args(), '--from-start'], env)
    await vi.waitFor(() => expect(receiver.received).toHaveLength(4), WAIT)
    const { stdout, stderr } = await stop(one)
    expect(verified()).toEqual([
      [OPENED[0], 500],
      [OPENED[0], 500],
      [OPENED[0], 200],
      [OPENED[1], 200],
    ])
    const bodies = receiver.received.map(({ body }) => body)
    expect(bodies.slice(1, 3)).toEqual([bodies[0], bodies[0]])
    expect(JSON.parse(bodies[0] ?? '')).toEqual({
      type: 'proposal.created',
      timestamp: '2026-01-01T00:00:01Z',
      data: JSON.parse(stdout.split('\n')[0] ?? ''),
    })
    expect(stderr).toBe(
      `${WATCHING}the webhook at ${new URL(hook).host} answered 500; it is tried again until it takes ${OPENED[0]}\n`,
    )
  })

  test('what was not taken is kept when it is told to stop while it waits', async () => {
    receiver.statuses = [500]
    api.proposals = [poll('a')]
    const one = watch([...args(), '--from-start'], env)
    await vi.waitFor(() => expect(one.output.stderr).toContain('tried again'), WAIT)
    expect((await stop(one, 'SIGINT')).code).toBe(0)
    expect(JSON.parse(readFileSync(state, 'utf8')).waiting.webhook.map(({ id }: { id: string }) => id)).toEqual(OPENED)
  })
})

describe('--exec', () => {
  test('has each change on standard input and in variables, as they are, without the secret', async () => {
    const title = `$(touch ${folder}/owned) "'; touch ${folder}/owned #`
    api.proposals = [poll('a', { title, state: 'SUCCEEDED' })]
    const command = `cat >> ${folder}/stdin; env >> ${folder}/env; printf '%s\\n' "$CHANGE_TITLE" >> ${folder}/titles; echo printed; exit 3`
    const one = watch(['--from-start', '--format', 'ndjson', '--exec', command], { [SECRET_VARIABLE]: SECRET })
    await vi.waitFor(() => expect(one.output.stderr).toContain(`--exec ended with 3 for ${CLOSED}`), WAIT)
    const { code, stdout } = await stop(one)
    expect(code).toBe(0)
    expect(readFileSync(join(folder, 'stdin'), 'utf8')).toBe(stdout)
    expect(readFileSync(join(folder, 'titles'), 'utf8')).toBe(`${title}\n`.repeat(3))
    expect(() => readFileSync(join(folder, 'owned'))).toThrow('ENOENT')
    const variables = readFileSync(join(folder, 'env'), 'utf8')
    expect(variables.match(/^CHANGE_(ID|PASSED)=.*$/gm)?.sort()).toEqual(
      [
        ...[...OPENED, CLOSED].map((id) => `CHANGE_ID=${id}`),
        'CHANGE_PASSED=',
        'CHANGE_PASSED=',
        'CHANGE_PASSED=true',
      ].sort(),
    )
    expect(variables).not.toContain(KEY)
  })
})

describe('an API in trouble', () => {
  test.each([
    ['asks to wait', { status: 429, headers: { 'retry-after': '2' } }, '/graphql answered 429'],
    ['is not available', { status: 503 }, '/graphql answered 503'],
  ])('that %s is waited out, which is said once', async (_, refusal, message) => {
    api.refusal = refusal
    const one = watch(['--from-start', '--format', 'ndjson'])
    await vi.waitFor(() => expect(api.requests).toBe(2), WAIT)
    api.refusal = null
    api.proposals = [poll('a')]
    await vi.waitFor(() => expect(idsIn(one.output.stdout)).toEqual(OPENED), WAIT)
    const { stderr } = await stop(one)
    expect(stderr.split('\n')).toEqual([
      `${apiUrl}${message}; waiting`,
      'the API answers again',
      WATCHING.trimEnd(),
      '',
    ])
  })

  test('that is not there is waited for', async () => {
    const [server] = servers
    server?.closeAllConnections()
    await new Promise((done) => server?.close(done))
    const one = watch(['--from-start', '--format', 'ndjson'])
    await vi.waitFor(() => expect(one.output.stderr).toContain(`The API at ${apiUrl} does not answer`), WAIT)
    api.proposals = [poll('a')]
    servers.push((await listen(api, Number(new URL(apiUrl).port))).server)
    await vi.waitFor(() => expect(idsIn(one.output.stdout)).toEqual(OPENED), WAIT)
    expect((await stop(one)).stderr.split('\n').slice(1)).toEqual(['the API answers again', WATCHING.trimEnd(), ''])
  })

  test('that does not know what is asked ends it', async () => {
    api.refusal = { status: 404 }
    expect(await watch().ended).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: ${apiUrl}/graphql answered 404: is this the right --api?\n`,
    })
  })
})

describe('its end', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it quietly', async (signal) => {
    const one = watch()
    await watched(one)
    expect(await stop(one, signal)).toEqual({ code: 0, stdout: '', stderr: WATCHING })
  })

  test('a reader that goes ends it quietly, and what it did not read is told again', async () => {
    const one = watch(['--format', 'ndjson'])
    await watched(one)
    one.child.stdout.destroy()
    api.proposals = [poll('a')]
    expect(await one.ended).toEqual({ code: 0, stdout: '', stderr: WATCHING })
    const again = watch(['--format', 'ndjson'])
    await vi.waitFor(() => expect(idsIn(again.output.stdout)).toEqual(OPENED), WAIT)
  })
})

describe('what is refused, in one line that shows no secret', () => {
  test.each([
    ['empty', ''],
    ['cut', '{"format":"livepeer-governance/watch/1","networks":["rec'],
    [
      'of another format',
      '{"format":"livepeer-governance/watch/2","networks":[],"told":[],"waiting":{"exec":[],"webhook":[]}}',
    ],
    ['without a part', '{"format":"livepeer-governance/watch/1","networks":[],"told":[]}'],
    [
      'with another part',
      '{"format":"livepeer-governance/watch/1","networks":[],"told":[1],"waiting":{"exec":[],"webhook":[]}}',
    ],
  ])('a state file that is %s', async (_, text) => {
    writeFileSync(state, text)
    expect(await watch().ended).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: --state ${state} is damaged or no file of watch, so what was told is not known; move it away to begin anew, or give another\n`,
    })
    expect(readFileSync(state, 'utf8')).toBe(text)
  })

  test.each([
    [['--interval', '0'], {}, '--interval is 1 to 86400 seconds'],
    [['--interval', '86401'], {}, '--interval is 1 to 86400 seconds'],
    [['--webhook', 'http://127.0.0.1:9'], {}, `--webhook needs --secret, or ${SECRET_VARIABLE}`],
    [['--webhook', 'http://a:b@127.0.0.1:9', '--secret', SECRET], {}, '--webhook takes no user and password'],
    [['--webhook', `ftp://${KEY}`, '--secret', SECRET], {}, '--webhook is not an http URL'],
    ...[`${SECRET}!`, KEY, `whsec_${KEY.slice(4, 24)}`].flatMap(
      (secret): [string[], Record<string, string>, string][] => [
        [
          ['--webhook', 'http://127.0.0.1:9', '--secret', secret],
          {},
          '--secret must be whsec_ and 24 to 64 bytes in base64',
        ],
        [
          ['--webhook', 'http://127.0.0.1:9'],
          { [SECRET_VARIABLE]: secret },
          '--secret must be whsec_ and 24 to 64 bytes in base64',
        ],
      ],
    ),
    [['--secret', SECRET, SECRET], {}, "too many arguments for 'watch'. Expected 0 arguments but got 1."],
  ] as [string[], Record<string, string>, string][])('options: %o', async (args, env, message) => {
    expect(await watch(args, env).ended).toEqual({ code: 1, stdout: '', stderr: `error: ${message}\n` })
  })

  test('help shows none either', async () => {
    const { code, stdout, stderr } = await watch(['--help'], { [SECRET_VARIABLE]: SECRET }).ended
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`\\(env:\\s+${SECRET_VARIABLE}\\)`))
    expect(stdout + stderr).not.toContain(KEY)
  })
})
