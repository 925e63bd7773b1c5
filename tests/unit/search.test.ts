import { expect, test } from 'vitest'
import { folded } from '../../api/texts/search.ts'

test.each([
  ['letter case', 'TREASURY', 'treasury'],
  ['an accent of its own', 'e\u0301ve\u0301nement', 'événement'],
  ['both', 'E\u0301VE\u0301NEMENT', 'événement'],
  ['ß and ss', 'Straße', 'STRASSE'],
  ['capital ẞ', 'STRAẞE', 'strasse'],
  ['Greek sigma at a word’s end', 'ΣΊΣΥΦΟΣ', 'σίσυφος'],
  ['Greek sigma where a part of a word ends', 'ΣΊΣ', 'σίσ'],
  ['an iota below', 'ᾼΔΗΣ', 'ᾳδης'],
  ['ligatures', 'eﬃcient ﬁnance', 'EFFICIENT FINANCE'],
  ['two accents in either order', 'a\u0323\u0302', 'ậ'],
  ['Hangul in parts', '\u1112\u1161\u11ab', '한'],
  ['letters beyond the basic plane', '𐐨', '𐐀'],
])('%s is no matter', (_, text, other) => {
  expect(folded(text)).toBe(folded(other))
})

test.each([
  ['straße', 'TRASS'],
  ['STRAẞE', 'rass'],
  ['ΟΔΟΣΗΜΑ', 'οδος'],
  ['Événement', 'E\u0301V'],
  ['ﬁnance', 'Fin'],
])('a part of a text is found: %s, %s', (text, part) => {
  expect(folded(text)).toContain(folded(part))
})

test('other letters are', () => {
  expect(folded('resume')).not.toBe(folded('résumé'))
})
