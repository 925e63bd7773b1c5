import { startStack } from '../stack/stack.ts'
import { SHARED_RECORDINGS } from './shared-stack.ts'
import { traceFile } from './system/livepeer-truth.ts'

// The stack that several tests share, as a process of its own: prints where it is as JSON once it is there, and runs until it
// is told to end.
const stack = await startStack({ traces: SHARED_RECORDINGS.map(traceFile) })
process.once('SIGTERM', () => void stack.stop().then(() => process.exit()))
try {
  await stack.ready
} catch (error) {
  await stack.stop()
  throw error
}
console.log(JSON.stringify({ url: stack.url, chains: stack.chains }))
