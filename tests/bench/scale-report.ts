import type { IndexingSpan } from './growing-index.ts'
import type { KindResult, ScaleReport, StageResult } from './scale.ts'
import { CONCENTRATED, type Times } from './scale-loads.ts'
import { table } from './table.ts'

/** How a growing chain was coped with, as tables: a column for each stage, and how much more the last one takes. */
export function textOfScale(report: ScaleReport): string {
  const { chain, generation, kept, indexing, stages } = report
  const mebibytes = (generation.bytes / 2 ** 20).toFixed(1)
  return [
    `Made-up chain, seed ${chain.seed}: ${chain.accounts} accounts, ${chain.transcoders} transcoders, ${chain.rounds} rounds,`,
    `${generation.events} events, made up in ${generation.seconds.toFixed(1)} s (${mebibytes} MiB).`,
    ...(kept === undefined
      ? []
      : [`Measured on a copy of the index kept in ${kept}; of indexing it tells what was measured then.`]),
    '',
    spans(indexing),
    '',
    'From the jump of the head until the API answers as of it. Processor time of each program tells more than the clock',
    'where other work is on the machine.',
    '',
    sizes(stages),
    '',
    'Memory: resident, at the end of the loads;',
    "PostgreSQL's with shared memory counted once. An API by itself before the same graph-node: from the start of its",
    'process until /ready, and until it answered a first votingPower as of the head; first with nothing kept, then again',
    'with what that start kept.',
    '',
    latencies(stages),
    '',
    'p50 / p99 in ms, one at a time. new: never asked before; again: the same requests once more. × is the p50 of the last',
    'stage over that of the first. Where fewer than a hundred were asked in the time, the p99 is the slowest. The head moves',
    'four blocks a second.',
    '',
    throughputs(stages),
    '',
    ...stages.map(({ rounds, moved: { blocks, seconds, behind } }) => {
      const pace = `${blocks} blocks in ${seconds.toFixed(0)} s`
      return `After ${rounds} rounds the head moved ${pace}, and the API was ${behind} blocks behind at most.`
    }),
    '',
    told(stages),
    '',
    aims(stages),
    '',
    'The aims are those at the real size, of 1,700 rounds. Of what is measured with the head still and moving, and of load',
    'and restart, the worse counts.',
    '',
    ...stages.map(({ rounds, compared, differences }) =>
      [`After ${rounds} rounds ${compared} values compared with the model, ${differences.length} differ.`]
        .concat(differences.slice(0, 10))
        .join('\n  '),
    ),
    '',
  ].join('\n')
}

/** The API's own count of how long it took to have its facts. */
const LOAD_SECONDS = 'livepeer_api_load_seconds'

type Figure = (stage: StageResult) => number

function sizes(stages: readonly StageResult[]): string {
  const programs = Object.keys(stages[0]?.memory ?? {})
  const rows: [name: string, figure: Figure, digits: number][] = [
    ['events', ({ events }) => events, 0],
    ['head', ({ block }) => block, 0],
    ['database, MiB', ({ databaseBytes }) => databaseBytes / 2 ** 20, 0],
    ...programs.map((name): [string, Figure, number] => [
      `memory of ${name}, MiB`,
      ({ memory }) => (memory[name] ?? 0) / 2 ** 20,
      0,
    ]),
    ...(['load', 'restart'] as const).flatMap((start): [string, Figure, number][] => {
      const name = start === 'load' ? 'API by itself' : 'API again'
      return [
        [`${name}, ready after s`, (stage) => stage[start].ready, 1],
        [`${name}, first answer after s`, (stage) => stage[start].firstAnswer, 1],
        [`${name}, loading by its own count, s`, (stage) => stage[start].told[LOAD_SECONDS] ?? Number.NaN, 1],
        [`${name}, memory then, MiB`, (stage) => stage[start].memory / 2 ** 20, 0],
        ...CONCENTRATED.flatMap((of): [string, Figure, number][] => [
          [`${name}, concentration of ${of}, s`, (stage) => stage[start].concentration[of].first, 2],
          [`${name}, the same again, s`, (stage) => stage[start].concentration[of].again, 3],
        ]),
      ]
    }),
  ]
  return table(
    header('Size', stages),
    rows.map(([name, figure, digits]) => [
      name,
      ...stages.map((stage) => figure(stage).toFixed(digits)),
      ratio(stages.map(figure)),
    ]),
  )
}

function spans(indexing: readonly IndexingSpan[]): string {
  const programs = [...new Set(indexing.flatMap(({ cpuSeconds }) => Object.keys(cpuSeconds)))]
  const rows = indexing.map(({ from, to, events, seconds, cpuSeconds }) => {
    const perEvent = (spent: number) => ((1000 * spent) / events).toFixed(2)
    return [
      `${from} to ${to}`,
      String(events),
      seconds.toFixed(0),
      perEvent(seconds),
      ...programs.map((program) => perEvent(cpuSeconds[program] ?? 0)),
    ]
  })
  const columns = programs.map((program) => `processor of ${program}`)
  return table(['Indexing, blocks', 'events', 's', 'ms per event', ...columns], rows)
}

function latencies(stages: readonly StageResult[]): string {
  const rows = (['still', 'moving'] as const).flatMap((head) =>
    kinds(stages, head).flatMap((name) =>
      (['neverAsked', 'askedAgain'] as const).map((when) => {
        const times = stages.map((stage) => stage[head].find((kind) => kind.name === name)?.[when])
        const label = `${name}, ${when === 'neverAsked' ? 'new' : 'again'}, head ${head}`
        return [label, ...times.map(pair), ratio(times.map((found) => found?.p50 ?? Number.NaN))]
      }),
    ),
  )
  return table(header('Request', stages), rows)
}

function throughputs(stages: readonly StageResult[]): string {
  const rows = (['still', 'moving'] as const).flatMap((head) =>
    kinds(stages, head).flatMap((name) => {
      const perSecond = stages.map((stage) => stage[head].find((kind) => kind.name === name)?.perSecond ?? Number.NaN)
      if (perSecond.every(Number.isNaN)) return []
      return [[`${name}, head ${head}`, ...perSecond.map((figure) => figure.toFixed(0)), ratio(perSecond)]]
    }),
  )
  return table(header('Requests a second, 20 at a time', stages), rows)
}

function told(stages: readonly StageResult[]): string {
  const names = [...new Set(stages.flatMap((stage) => Object.keys(stage.told)))]
  const figures = (name: string) => stages.map((stage) => stage.told[name] ?? Number.NaN)
  const rows = names.map((name) => [name, ...figures(name).map(String), ratio(figures(name))])
  return table(header('What the API tells at /metrics', stages), rows)
}

/** What the last stage is to be, with what it is. */
function aims(stages: readonly StageResult[]): string {
  const stage = stages.at(-1)
  if (stage === undefined) return ''
  const heads = [stage.still, stage.moving]
  const kind = (results: readonly KindResult[], start: string) => results.find(({ name }) => name.startsWith(start))
  const worst = (figure: (results: readonly KindResult[]) => number | undefined) =>
    Math.max(...heads.map((results) => figure(results) ?? Number.NaN))
  const p50 = (start: string, when: 'neverAsked' | 'askedAgain' = 'neverAsked') =>
    worst((results) => kind(results, start)?.[when].p50)
  const overFloor = (figure: (result: KindResult) => number | undefined) =>
    worst((results) => {
      const [floor, own] = [kind(results, '__typename'), kind(results, 'votingPower')]
      return floor && own && (figure(own) ?? Number.NaN) / (figure(floor) ?? Number.NaN)
    })
  const starts = [stage.load, stage.restart]
  const concentration = (of: (typeof CONCENTRATED)[number], when: 'first' | 'again') =>
    Math.max(...starts.map((start) => start.concentration[of][when]))
  const rows: [what: string, figure: number, most: number, unit: string][] = [
    ['votingPower, new, over __typename', overFloor(({ neverAsked }) => neverAsked.p50), 2, '×'],
    [
      '__typename, requests a second, over votingPower',
      overFloor(({ perSecond }) => perSecond && 1 / perSecond),
      2,
      '×',
    ],
    ['votingPowers of 1,000, new', p50('votingPowers'), 40, 'ms'],
    ['stakeSnapshot, first 1,000 holders, new', p50('stakeSnapshot'), 60, 'ms'],
    ['the same again', p50('stakeSnapshot', 'askedAgain'), 10, 'ms'],
    ['votingPowerHistory of a transcoder, new', p50('votingPowerHistory'), 40, 'ms'],
    ['proposals(first: 50) with tallies, new', p50('proposals'), 40, 'ms'],
    ['concentration of HOLDERS at every round, new', concentration('HOLDERS', 'first'), 5, 's'],
    ['the same again', 1000 * concentration('HOLDERS', 'again'), 50, 'ms'],
    ['event loop held up at most', 1000 * (stage.told.nodejs_eventloop_lag_max_seconds ?? Number.NaN), 50, 'ms'],
    ['load', stage.load.firstAnswer, 120, 's'],
    ['restart', stage.restart.firstAnswer, 10, 's'],
    ['memory of the API', (stage.memory.API ?? Number.NaN) / 2 ** 20, 512, 'MiB'],
  ]
  return table(
    [`Aims, ${stage.rounds} rounds`, 'is', 'at most', ''],
    rows.map(([what, figure, most, unit]) => [
      what,
      `${figure.toFixed(1)} ${unit}`,
      `${most} ${unit}`,
      figure <= most ? 'met' : 'missed',
    ]),
  )
}

function kinds(stages: readonly StageResult[], head: 'still' | 'moving'): string[] {
  return (stages[0]?.[head] ?? []).map(({ name }: KindResult) => name)
}

function header(what: string, stages: readonly StageResult[]): string[] {
  return [what, ...stages.map(({ rounds }) => `${rounds} rounds`), '×']
}

function pair(times: Times | undefined): string {
  if (times === undefined || times.requests === 0) return '–'
  return `${times.p50.toFixed(1)} / ${times.p99.toFixed(1)}`
}

/** How many times the first is the last. */
function ratio(figures: readonly number[]): string {
  const times = (figures.at(-1) ?? Number.NaN) / (figures[0] ?? Number.NaN)
  return Number.isFinite(times) ? times.toFixed(2) : '–'
}
