import { ProcessTable, removeFolder } from './processes.ts'

// Runs beside the stack and outlives it: its standard input is a pipe from the stack, which ends when the stack does,
// however it ends. What the stack then left running is stopped, and a folder of throw-away data removed.
const [dir = '', keep] = process.argv.slice(2)

process.stdin.resume().once('close', async () => {
  const processes = new ProcessTable(dir)
  await processes.stopAll({ immediately: keep !== 'keep' })
  if (keep === 'keep') processes.release()
  else await removeFolder(dir)
})
