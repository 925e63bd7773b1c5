import { Bytes } from '@graphprotocol/graph-ts'
import { assert, test } from 'matchstick-as/assembly/index'
import { countCalls } from '../../../subgraph/protocol/evm-script'

const CALLS_SCRIPT = '0x00000001'
const TARGET = '0000000000000000000000000000000000000a05'
const CALL = `${TARGET}00000004f6364846`

function expectCalls(script: string, calls: i32): void {
  assert.i32Equals(calls, countCalls(Bytes.fromHexString(script)), script)
}

test('the scripts of tests/subgraph/l1-aragon-nested-execution.test.json', () => {
  expectCalls(CALLS_SCRIPT + CALL, 1)
  expectCalls(`${CALLS_SCRIPT}0000000000000000000000000000000000000a0100000004f98a4eca${CALL}`, 2)
  expectCalls(CALLS_SCRIPT, 0)
})

test('calls without calldata, and with some of more than 255 bytes', () => {
  expectCalls(`${CALLS_SCRIPT}${TARGET}00000000`, 1)
  expectCalls(`${CALLS_SCRIPT}${TARGET}00000000${CALL}${TARGET}00000000`, 3)
  expectCalls(`${CALLS_SCRIPT}${TARGET}00000101${'ff'.repeat(257)}${CALL}`, 2)
})

test('none where nothing can be run, or another executor would', () => {
  expectCalls('0x', 0)
  expectCalls('0x000001', 0)
  expectCalls(`0x00000000${CALL}`, 0)
  expectCalls(`0x00000002${CALL}`, 0)
  expectCalls(`0x01000000${CALL}`, 0)
})

test('none where the last call is not whole, as all of it reverts', () => {
  expectCalls(`${CALLS_SCRIPT}${CALL}00`, 0)
  expectCalls(CALLS_SCRIPT + CALL + TARGET, 0)
  expectCalls(`${CALLS_SCRIPT}${CALL}${TARGET}000000`, 0)
  expectCalls(`${CALLS_SCRIPT}${CALL}${TARGET}00000001`, 0)
  // As a number of 32 bits with a sign, this length would be -1.
  expectCalls(`${CALLS_SCRIPT}${TARGET}ffffffffff`, 0)
})
