import { describe, expect, test } from 'vitest'
import { scalars } from '../../api/graphql/scalars.ts'

describe('a DateTime', () => {
  test.each([
    ['2024-01-31T12:00:00Z', '2024-01-31T12:00:00.000Z'],
    ['2024-01-31T12:00:00', '2024-01-31T12:00:00.000Z'],
    ['2024-01-31T12:00:00.25', '2024-01-31T12:00:00.250Z'],
    ['2024-01-31T12:00:00+02:00', '2024-01-31T10:00:00.000Z'],
    ['2024-01-31T12:00', '2024-01-31T12:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('%s is understood, as UTC where it names no zone', (text, time) => {
    expect(scalars.DateTime.parseValue(text)).toBe(time)
  })

  test.each(['', '2024', '2024-13-01', '2024-02-30', '2023-02-29T12:00:00Z', '2024-01-31T25:00:00Z', '1706702400'])(
    '%j is refused',
    (text) => {
      expect(() => scalars.DateTime.parseValue(text)).toThrow('is not a time; one is 2024-01-31T12:00:00Z')
    },
  )
})
