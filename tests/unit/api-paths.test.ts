import { expect, test } from 'vitest'
import { openApi } from '../../api/files/openapi.ts'
import { type ApiPath, addressOf, factsOf, formatsOf, readPaths, rowsIn, sizeText } from '../../web/pages/api-paths.ts'

const SNAPSHOT: ApiPath = {
  method: 'GET',
  path: '/snapshots/{moment}.{format}',
  tag: 'files',
  about: 'Everybody',
  types: ['text/csv'],
  parameters: [
    { name: 'moment', place: 'path', about: 'A round', values: [], usual: undefined, example: '84' },
    { name: 'format', place: 'path', about: 'The ending', values: ['csv', 'json'], usual: undefined, example: 'csv' },
  ],
}

test('a description is read, with parameters of its own and by reference', () => {
  const reference = { $ref: '#/components/parameters/moment' }
  const format = { name: 'format', in: 'path', description: 'The ending', schema: { enum: ['csv', 'json'] } }
  const described = {
    paths: {
      '/snapshots/{moment}.{format}': {
        get: {
          summary: 'Everybody',
          tags: ['files'],
          parameters: [reference, format],
          responses: { '200': { content: { 'text/csv': {} } } },
        },
      },
      '/snapshot/scores': { post: { summary: 'Some', tags: ['files'] } },
      '/nothing': {},
    },
    components: {
      parameters: { moment: { name: 'moment', in: 'path', description: 'A round', schema: { examples: [84] } } },
    },
  }
  const scores = { method: 'POST', path: '/snapshot/scores', tag: 'files', about: 'Some', parameters: [], types: [] }
  expect(readPaths(described)).toEqual([SNAPSHOT, scores])
  expect(readPaths({})).toEqual([])
})

test('of the API’s own description every path is read, and each of its parameters has an example', () => {
  const described = openApi(['recorded']) as Parameters<typeof readPaths>[0]
  const paths = readPaths(described)
  expect(paths.map(({ path }) => path)).toEqual(Object.keys(described.paths ?? {}))
  for (const one of paths) {
    for (const { name, about, example } of one.parameters) {
      expect([name, about !== '', example !== '']).toEqual([name, true, true])
    }
    expect(addressOf(one, {})).not.toMatch(/[{}]/)
  }
})

test('an address is filled in with what is given, else with examples', () => {
  expect(addressOf(SNAPSHOT, { moment: '61', format: 'json' })).toBe('/snapshots/61.json')
  expect(addressOf(SNAPSHOT, { moment: '' })).toBe('/snapshots/84.csv')
  expect(addressOf(SNAPSHOT, { moment: '../x' })).toBe('/snapshots/..%2Fx.csv')
  const votes = { ...SNAPSHOT, path: '/proposals/{id}/votes.csv' }
  expect(addressOf(votes, { id: 'treasury:1' })).toBe('/proposals/treasury:1/votes.csv')
  expect(addressOf(votes, {})).toBe('/proposals/id/votes.csv')
})

test('formats are those of the ending', () => {
  expect(formatsOf(SNAPSHOT)).toEqual({ parameter: 'format', values: ['csv', 'json'] })
  expect(formatsOf({ ...SNAPSHOT, path: '/proposals.atom' })).toBeUndefined()
})

test('what headers and first lines say', () => {
  const headers = (of: Record<string, string>) => factsOf(new Headers(of))
  expect(
    headers({ 'content-length': '7930', etag: '"x"', 'cache-control': 'public, max-age=31536000, immutable' }),
  ).toEqual({ size: 7930, etag: '"x"', isFinal: true })
  expect(headers({ 'cache-control': 'public, max-age=5' })).toEqual({
    size: undefined,
    etag: undefined,
    isFinal: false,
  })
  expect(rowsIn('# round: 61\n# rows: 40\naccount,votes\n')).toBe(40)
  expect(rowsIn('account,votes\n')).toBeUndefined()
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [7_999, '7.9 kB'],
  [1_234_567_890, '1,234.5 MB'],
])('%i bytes', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text)
})
