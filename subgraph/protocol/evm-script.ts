import { Bytes } from '@graphprotocol/graph-ts'

// EVMScriptRunner picks the executor by the first four bytes; 1 is CallsScript.
const SPEC_ID_LENGTH = 4
const CALLS_SCRIPT_SPEC_ID = 1
const ADDRESS_LENGTH = 20
const CALLDATA_LENGTH_LENGTH = 4

/**
 * How many calls an EVM script makes: after the spec id each is an address (20 bytes), the calldata's length (4 bytes,
 * big endian) and the calldata. 0 for an empty script, for one of another executor, and for what is not whole: that
 * reverts. Source: aragonOS CallsScript.execScript.
 */
export function countCalls(script: Bytes): i32 {
  if (script.length < SPEC_ID_LENGTH || uint32At(script, 0) != CALLS_SCRIPT_SPEC_ID) return 0
  let calls = 0
  let position: i64 = SPEC_ID_LENGTH
  while (position < script.length) {
    const calldataAt = position + ADDRESS_LENGTH + CALLDATA_LENGTH_LENGTH
    if (calldataAt > script.length) return 0
    position = calldataAt + uint32At(script, <i32>calldataAt - CALLDATA_LENGTH_LENGTH)
    calls += 1
  }
  return position == script.length ? calls : 0
}

function uint32At(bytes: Bytes, position: i32): i64 {
  let number: i64 = 0
  for (let i = 0; i < 4; i++) number = number * 256 + bytes[position + i]
  return number
}
