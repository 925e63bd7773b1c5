/** A text as it is compared in a search: letter case is no matter, nor how an accent is written; ß is ss. */
export function folded(text: string): string {
  return text.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')
}
