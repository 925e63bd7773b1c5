import { Command, InvalidArgumentError } from 'commander'
import { runCampaign } from './campaign.ts'

const program = new Command()
  .name('npm run faults --')
  .description(
    'Lets a stack sync a recorded chain while parts of it are killed at random moments, blocks are replaced and its RPC fails,\n' +
      'then compares all answers with what the contracts said. All on this machine; exit code 1 where one differs.',
  )
  .option('--minutes <N>', 'after so many no more is done to it', wholeNumber, 45)
  .option('--seed <S>', 'what is left to chance is the same for the same one', wholeNumber)
  .option(
    '--kills <N>',
    'graph-node, a connection of the database, the database and npm start, in turn',
    wholeNumber,
    52,
  )
  .option('--reorganisations <N>', 'of 1 to 50 blocks', wholeNumber, 52)
  .option('--trace <name>', 'recording below tests/traces', 'livepeer/medium')
  .parse()
const {
  minutes,
  kills,
  reorganisations,
  trace,
  seed = Math.floor(Math.random() * 1e9),
} = program.opts<{
  minutes: number
  seed?: number
  kills: number
  reorganisations: number
  trace: string
}>()

const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interruption.abort(new Error('interrupted')))
}
const log = (line: string) => process.stdout.write(`${line}\n`)
log(`seed ${seed}`)
try {
  const report = await runCampaign({ trace, seed, kills, reorganisations, minutes, log, signal: interruption.signal })
  const { differences, compared, ...done } = report
  log(JSON.stringify(done, null, 2))
  for (const difference of differences.slice(0, 20)) log(difference)
  log(`seed ${seed}: ${compared} values of ${trace} compared, ${differences.length} differ`)
  process.exitCode = differences.length === 0 ? 0 : 1
} catch (error) {
  process.stderr.write(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
}

function wholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('It is no whole number.')
  return Number(value)
}
