import { spawn } from 'node:child_process'
import { Command } from 'commander'

/** What `npm test` runs, in this order; each prints its last line that fits `summary`. */
const STEPS = [
  { name: 'format, lint', command: 'biome ci --colors=off .', summary: /^Checked .*/ },
  { name: 'types', command: 'npm run --silent codegen && tsc --noEmit && tsc --noEmit -p web', summary: /^$/ },
  { name: 'dead code', command: 'knip', summary: /^$/ },
  {
    name: 'arrows',
    command: 'depcruise --config lint/arrows.mjs --output-type err-long .',
    summary: /no dependency violations found.*/,
  },
  { name: 'unit', command: 'vitest run --project unit', summary: /^\s*Tests .*/ },
  {
    name: 'graph build',
    command: [
      buildOfNetwork('arbitrum-one', ''),
      buildOfNetwork('mainnet', '--networks-file tests/networks.json'),
      buildOfNetwork('arbitrum-sepolia', '--networks-file tests/networks.json'),
    ].join(' && '),
    summary: /^Build completed.*/,
  },
  { name: 'matchstick', command: 'tsx tests/matchstick/compile.ts', summary: /^\d+ compiled, \d+ failed.*/ },
  { name: 'mappings', command: 'tsx tests/subgraph/run.ts', summary: /^\d+ passed, \d+ failed.*/ },
  { name: 'system', command: 'vitest run --project system --project timed', summary: /^\s*Tests .*/ },
  { name: 'web', command: 'vitest run --project web', summary: /^\s*Tests .*/ },
]

/** What a system test says it compared; shown even where everything passes. */
const COMPARED = /^.*\bvalues of .* compared\b.*$/gm

const program = new Command()
  .name('npm test --')
  .description('Runs all checks, one line of summary each; the whole output of a step that fails.')
  .option('--only <names...>', `only these: ${STEPS.map(({ name }) => `"${name}"`).join(', ')}`)
  .option('--verbose', 'the whole output of every step')
  .parse()
const { only, verbose } = program.opts<{ only?: string[]; verbose?: boolean }>()

const steps = STEPS.filter(({ name }) => only === undefined || only.includes(name))
if (steps.length === 0) program.error(`no such step; there are ${STEPS.map(({ name }) => `"${name}"`).join(', ')}`)

let failed = 0
for (const { name, command, summary } of steps) {
  const started = Date.now()
  const { code, output } = await run(command)
  const seconds = `${((Date.now() - started) / 1000).toFixed(0)} s`
  const line = output
    .split('\n')
    .findLast((text) => text !== '' && summary.test(text))
    ?.trim()
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name}: ${[line, seconds].filter(Boolean).join(', ')}`)
  for (const [compared] of output.matchAll(COMPARED)) console.log(`       ${compared.trim()}`)
  if (code !== 0 && !verbose) console.log(output)
  if (code !== 0) failed += 1
}
console.log(`${steps.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** What whoever deploys the subgraph elsewhere runs: as is, with a DAO of their own, on a test network. */
function buildOfNetwork(network: string, options: string): string {
  const written = `deploy.${network}`
  const build = `graph build ${written}.yaml --network ${network} --network-file ${written}.json --output-dir build/deploy-${network}`
  return `tsx stack/manifest.ts ${network} ${options} && ${build}`
}

function run(command: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, {
      shell: true,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (verbose) process.stdout.write(text)
      })
    }
    child.on('close', (code) => resolve({ code, output }))
  })
}
