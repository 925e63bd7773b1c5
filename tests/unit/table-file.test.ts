import { createHash } from 'node:crypto'
import { parse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  type Format,
  type HeadPlace,
  type RenderedFile,
  renderTable,
  type Table,
} from '../../api/files/table-file.ts'

interface Row {
  amount: bigint | null
  text: string
}

const table = (rows: Row[]): Table<Row> => ({
  head: { format: 'test/1', total: 12n, blocks: [{ network: 'a', block: 7 }], nothing: null },
  columns: [
    { name: 'amount', cellOf: ({ amount }) => amount },
    { name: 'known', cellOf: ({ amount }) => amount !== null },
    { name: 'text', cellOf: ({ text }) => text, isFreeText: true },
  ],
  rows,
})

async function textOf(rows: Row[], format: Format, headPlace?: HeadPlace): Promise<string> {
  return Buffer.concat((await renderTable(table(rows), format, headPlace)).pieces).toString()
}

describe('a table as a file', () => {
  const rows = [
    { amount: 10n ** 30n, text: 'plain' },
    { amount: null, text: '' },
  ]

  test('as CSV', async () => {
    expect(await textOf(rows, 'csv')).toBe(
      [
        '# format: test/1',
        '# total: 12',
        '# blocks: [{"network":"a","block":7}]',
        '# nothing: ',
        'amount,known,text',
        '1000000000000000000000000000000,true,plain',
        ',false,',
        '',
      ].join('\n'),
    )
  })

  test('as JSON and as one line each', async () => {
    const header = { format: 'test/1', total: '12', blocks: [{ network: 'a', block: 7 }], nothing: null }
    const records = [
      { amount: '1000000000000000000000000000000', known: true, text: 'plain' },
      { amount: null, known: false, text: '' },
    ]
    expect(JSON.parse(await textOf(rows, 'json'))).toEqual({ header, rows: records })
    const lines = (await textOf(rows, 'ndjson')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([header, ...records])
    expect(JSON.parse(await textOf([], 'json'))).toEqual({ header, rows: [] })
    expect(await textOf([], 'csv')).toMatch(/amount,known,text\n$/)
  })

  test('without its head has its columns first', async () => {
    const [csv, ndjson, json] = await Promise.all(
      (['csv', 'ndjson', 'json'] as const).map((format) => textOf(rows, format, 'NONE')),
    )
    expect(csv).toBe('amount,known,text\n1000000000000000000000000000000,true,plain\n,false,\n')
    expect(ndjson).toBe((await textOf(rows, 'ndjson')).split('\n').slice(1).join('\n'))
    expect(json).toBe(await textOf(rows, 'json'))
    expect(await textOf([], 'csv', 'NONE')).toBe('amount,known,text\n')
    expect(await textOf([], 'ndjson', 'NONE')).toBe('')
  })

  test('keeps any text exactly, and none is a formula to a spreadsheet', async () => {
    const texts = [
      '=1+1',
      '+1',
      '-1',
      '@SUM(A1)',
      '\t=1',
      '\r=1',
      '\n=1',
      '＝1',
      "'quoted'",
      "''",
      'a,b',
      'a"b"',
      'a\r\nb\nc\rd',
      '# no comment',
      '#no comment',
      '  =1+1',
      '\uFEFF=1+1',
      '\u00A0＠SUM(A1)',
      'a;=1+1',
      'a; -1;b',
      'a;b',
      'a\tb',
      ' é中\u{1F600}',
    ]
    const csv = await textOf(
      texts.map((text) => ({ amount: 1n, text })),
      'csv',
    )
    const cells = (parse(csv, { columns: true, comment: '# ', comment_no_infix: true }) as Row[]).map(
      ({ text }) => text,
    )
    expect(cells.map((cell) => cell.replace(/^'/, ''))).toEqual(texts)
    for (const cell of cells) expect(cell).not.toMatch(/^[\s\uFEFF]*[=+\-@\t\r\n＝＠]/)
    const line = (text: string) => csv.split('\n').find((candidate) => candidate.endsWith(text))
    expect(line(`=1+1"`)).toBeDefined()
    for (const text of [`,"'a;=1+1"`, `,"a;b"`, `,"a\tb"`, `,"# no comment"`]) expect(line(text)).toBeDefined()
  })

  test.each([
    ['\uD83D', '\uFFFD'],
    ['a\uDCA7b', 'a\uFFFDb'],
    ['\uDCA7\uD83D', '\uFFFD\uFFFD'],
  ])('%j: half a character is U+FFFD in every format, and all is UTF-8', async (text, whole) => {
    const record = { amount: '1', known: true, text: whole }
    const texts = await Promise.all(
      (['csv', 'json', 'ndjson'] as const).map(async (format) => {
        const { pieces } = await renderTable(table([{ amount: 1n, text }]), format)
        return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces))
      }),
    )
    const [csv = '', json = '', ndjson = ''] = texts
    expect(csv).toMatch(new RegExp(`\n1,true,${whole}\n$`))
    expect((JSON.parse(json) as { rows: unknown[] }).rows).toEqual([record])
    expect(JSON.parse(ndjson.split('\n')[1] ?? '')).toEqual(record)
  })

  test('of many rows has its hash and its length', async () => {
    const many = Array.from({ length: 1777 }, (_, index) => ({ amount: BigInt(index), text: `row ${index}` }))
    const file = await renderTable(table(many), 'json')
    const whole = Buffer.concat(file.pieces)
    expect(file.pieces.length).toBeGreaterThan(3)
    expect(file.length).toBe(whole.length)
    expect(file.sha256).toEqual(createHash('sha256').update(whole).digest())
    expect((JSON.parse(whole.toString()) as { rows: unknown[] }).rows).toHaveLength(1777)
  })
})

test('any part of a file is what lies there, across its pieces', () => {
  const pieces = ['abc', 'd', 'efgh'].map((text) => Buffer.from(text))
  const file: RenderedFile = { pieces, length: 8, sha256: Buffer.alloc(32) }
  for (let start = 0; start <= 8; start++) {
    for (let end = start; end <= 8; end++) {
      expect(Buffer.concat([...bytesOf(file, start, end)]).toString()).toBe('abcdefgh'.slice(start, end))
    }
  }
})
