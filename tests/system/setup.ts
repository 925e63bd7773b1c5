import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { type SharedStack, startSharedStack } from '../shared-stack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Starts the stack that tests share when first asked, and tells of it as JSON once it is there. */
    sharedStackUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let stack: SharedStack | undefined
  const server = createServer((_, response) => {
    stack ??= startSharedStack()
    stack.ready.then(
      (told) => response.end(JSON.stringify(told)),
      (error: Error) => response.writeHead(500).end(error.message),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  project.provide('sharedStackUrl', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return async () => {
    server.close()
    await stack?.stop()
  }
}
