import { expect, test } from 'vitest'
import { folded } from '../../api/texts/search.ts'

test.each([
  ['letter case', 'TREASURY', 'treasury'],
  ['an accent of its own', 'e\u0301ve\u0301nement', 'événement'],
  ['both', 'E\u0301VE\u0301NEMENT', 'événement'],
  ['ß and ss', 'Straße', 'STRASSE'],
  ['Greek sigma at a word’s end', 'ΣΊΣΥΦΟΣ', 'σίσυφος'],
])('%s is no matter', (_, text, other) => {
  expect(folded(text)).toBe(folded(other))
})

test('other letters are', () => {
  expect(folded('resume')).not.toBe(folded('résumé'))
})
