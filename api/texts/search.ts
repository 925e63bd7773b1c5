/**
 * A text as it is compared in a search: letter case is no matter, nor how an accent is written; ß is ss, as is ẞ. A part of
 * a text is a part of what this makes of it, wherever its letters stand in a word.
 */
export function folded(text: string): string {
  // Lower case first for what has none above it, such as ẞ; and last for all. A sigma ends words in a form of its own.
  return text.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}
