/** The one place where a text becomes a whole number; a TypeError for what is not written in decimal digits. */
export function integer(text: string): bigint {
  if (!/^-?\d{1,100}$/.test(text)) throw new TypeError(`${JSON.stringify(text)} is not a whole number`)
  return BigInt(text)
}
