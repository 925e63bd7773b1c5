import { describe, expect, test } from 'vitest'
import { queuedOperation, type ScheduledCall } from '../../api/rules/timelock.ts'

const [LPT, OTHER] = [`0x${'1'.repeat(40)}`, `0x${'2'.repeat(40)}`]

/** A proposal of some calls, each told by its data. */
function proposal(...calldatas: string[]) {
  return { targets: calldatas.map(() => LPT), values: calldatas.map(() => 0n), calldatas }
}

/** The logs of an operation of some calls, from one index on. */
function scheduled(operation: string, from: number, ...datas: string[]): ScheduledCall[] {
  return datas.map((data, index) => {
    const at = { block: 9, logIndex: from + index, timestamp: 0, transactionHash: '0x09', round: 1 }
    return { operation, index: BigInt(index), target: LPT, value: 0n, data, at }
  })
}

describe('the operation a proposal was queued as', () => {
  const [one, two] = [scheduled('0xa', 0, '0x01', '0x02'), scheduled('0xb', 4, '0x01', '0x02')]

  test.each<[string, { queued: number; calls: ScheduledCall[] }, string | null]>([
    ['is that of the calls right before', { queued: 3, calls: one }, '0xa'],
    ['is the first of two of the same calls', { queued: 3, calls: [...one, ...two] }, '0xa'],
    ['is the second of two of the same calls', { queued: 7, calls: [...one, ...two] }, '0xb'],
    ['is none that is scheduled later', { queued: 3, calls: two }, null],
    ['is none where nothing was scheduled', { queued: 3, calls: [] }, null],
    ['is none of fewer calls', { queued: 3, calls: scheduled('0xc', 0, '0x02') }, null],
    ['is none of more calls', { queued: 9, calls: scheduled('0xc', 0, '0x01', '0x02', '0x02') }, null],
    ['is none with other data', { queued: 3, calls: scheduled('0xc', 0, '0x01', '0x03') }, null],
    ['is none to another target', { queued: 3, calls: one.map((call) => ({ ...call, target: OTHER })) }, null],
    ['is none of another value', { queued: 3, calls: one.map((call) => ({ ...call, value: 1n })) }, null],
    [
      'is not what somebody else scheduled before in the transaction',
      { queued: 7, calls: [...scheduled('0xc', 0, '0x02'), ...two] },
      '0xb',
    ],
  ])('%s', (_, { queued, calls }, operation) => {
    expect(queuedOperation(proposal('0x01', '0x02'), { logIndex: queued }, calls)).toBe(operation)
  })
})
