import { Bytes } from '@graphprotocol/graph-ts'

/** Bytes as 0x and lower-case hex digits, as toHexString() gives them, but made here: a call out of the sandbox costs more. */
export function toHex(bytes: Bytes): string {
  const text = new Uint16Array(2 + 2 * bytes.length)
  text[0] = 0x30
  text[1] = 0x78
  for (let i = 0; i < bytes.length; i++) {
    const byte: i32 = bytes[i]
    text[2 + 2 * i] = digit(byte >> 4)
    text[3 + 2 * i] = digit(byte & 15)
  }
  return String.UTF16.decode(text.buffer)
}

function digit(value: i32): u16 {
  return <u16>(value < 10 ? 0x30 + value : 0x57 + value)
}
