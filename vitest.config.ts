import { createRequire } from 'node:module'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  // As Node resolves it: the ES module Vite prefers would be a second graphql beside the one Apollo uses.
  resolve: { alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }] },
  test: {
    projects: [
      { extends: true, test: { name: 'unit', include: ['tests/unit/**/*.test.ts'] } },
      {
        extends: true,
        // The real parts; two at a time, as a stack that starts waits as much as it works.
        test: {
          name: 'system',
          include: ['tests/system/**/*.test.ts'],
          globalSetup: ['tests/system/setup.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        extends: true,
        // What is told by a clock; one after the other and after all else, so that nothing takes time from it.
        test: {
          name: 'timed',
          include: ['tests/timed/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        extends: true,
        // The explorer in a browser, before one stack for all files.
        test: {
          name: 'web',
          include: ['tests/web/*.test.ts'],
          globalSetup: ['tests/web/setup.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        // What a clock tells of it, before the same stack.
        test: {
          name: 'web timed',
          include: ['tests/web/timed/*.test.ts'],
          globalSetup: ['tests/web/setup.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 4 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
