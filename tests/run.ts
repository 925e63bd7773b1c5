import { spawn } from 'node:child_process'
import { Command } from 'commander'
import pLimit from 'p-limit'

interface Step {
  name: string
  command: string
  /** Its last line that fits is printed. */
  summary: RegExp
}

/** What `npm test` runs: one stage after the other, the steps of a stage two at a time. */
const STAGES: readonly (readonly Step[])[] = [
  // Writes what all others read.
  [{ name: 'generated', command: 'npm run --silent codegen', summary: /^$/ }],
  [
    {
      name: 'graph build',
      command: [
        buildOfNetwork('arbitrum-one', ''),
        buildOfNetwork('mainnet', '--networks-file tests/networks.json'),
        buildOfNetwork('arbitrum-sepolia', '--networks-file tests/networks.json'),
      ].join(' && '),
      summary: /^Build completed.*/,
    },
    { name: 'format, lint', command: 'biome ci --colors=off .', summary: /^Checked .*/ },
    { name: 'types', command: 'tsc --noEmit && tsc --noEmit -p web', summary: /^$/ },
    { name: 'mappings', command: 'tsx tests/subgraph/run.ts', summary: /^\d+ passed, \d+ failed.*/ },
    { name: 'unit', command: 'vitest run --project unit', summary: /^\s*Tests .*/ },
    { name: 'matchstick', command: 'tsx tests/matchstick/compile.ts', summary: /^\d+ compiled, \d+ failed.*/ },
    { name: 'dead code', command: 'knip', summary: /^$/ },
    {
      name: 'arrows',
      command: 'depcruise --config lint/arrows.mjs --output-type err-long .',
      summary: /no dependency violations found.*/,
    },
  ],
  [{ name: 'system', command: 'vitest run --project system --project timed', summary: /^\s*Tests .*/ }],
  [{ name: 'web', command: "vitest run --project web --project 'web timed'", summary: /^\s*Tests .*/ }],
]
const STEPS = STAGES.flat()

/** What a system test says it compared; shown even where everything passes. */
const COMPARED = /^.*\bvalues of .* compared\b.*$/gm

const program = new Command()
  .name('npm test --')
  .description('Runs all checks, one line of summary each; the whole output of a step that fails.')
  .option('--only <names...>', `only these: ${STEPS.map(({ name }) => `"${name}"`).join(', ')}`)
  .option('--verbose', 'the whole output of every step')
  .parse()
const { only, verbose } = program.opts<{ only?: string[]; verbose?: boolean }>()

const isWanted = ({ name }: Step) => only === undefined || only.includes(name)
const wanted = STEPS.filter(isWanted).length
if (wanted === 0) program.error(`no such step; there are ${STEPS.map(({ name }) => `"${name}"`).join(', ')}`)

let failed = 0
for (const stage of STAGES) await pLimit(2).map(stage.filter(isWanted), runStep)
console.log(`${wanted - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function runStep({ name, command, summary }: Step): Promise<void> {
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
