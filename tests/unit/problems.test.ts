import { expect, test } from 'vitest'
import type { ErrorCode } from '../../api/facts/errors.ts'
import {
  HEADINGS,
  kindOf,
  mayPass,
  type Problem,
  type ProblemKind,
  problemAt,
  RATE_LIMITED,
  UNREACHABLE,
} from '../../web/problems.ts'

const problem = (code: string, path?: (string | number)[]): Problem => ({
  code,
  message: 'of a test',
  ...(path === undefined ? {} : { path }),
})

type Expected = [kind: ProblemKind, again: boolean]

/** Every code of the API has its line: without, this does not compile. */
const OWN: Record<ErrorCode, Expected> = {
  UPSTREAM_UNAVAILABLE: ['DOWN', true],
  NOT_EXACT: ['NOT_EXACT', false],
  ROUND_NOT_INDEXED: ['NOT_THERE', false],
  ROUND_IN_FUTURE: ['NOT_THERE', false],
  BLOCK_NOT_INDEXED: ['NOT_THERE', false],
  BLOCK_IN_FUTURE: ['NOT_THERE', false],
  NO_ACTIVE_TRANSCODERS: ['NOT_THERE', false],
  BAD_USER_INPUT: ['NOT_THERE', false],
  NOT_FOUND: ['NOT_THERE', false],
  LIMIT_EXCEEDED: ['LIMIT', false],
  BLOCK_REORGED: ['REORGED', true],
}
const OTHERS: readonly [string, Expected][] = [
  [RATE_LIMITED, ['LIMIT', true]],
  [UNREACHABLE, ['FAULT', true]],
  ['INTERNAL_SERVER_ERROR', ['FAULT', true]],
  ['GRAPHQL_VALIDATION_FAILED', ['FAULT', true]],
  ['toString', ['FAULT', true]],
]

test.each([...Object.entries(OWN), ...OTHERS])('%s is shown and asked again as %j', (code, expected) => {
  const kind = kindOf(problem(code))
  expect([kind, mayPass(problem(code))]).toEqual(expected)
  expect(HEADINGS[kind]).toMatch(/^[A-Z][^.]+$/)
})

test('the problem of a part is its own or that of what it is a part of', () => {
  const problems = [problem('NOT_EXACT', ['proposal', 'votes', 3, 'weight']), problem('NOT_EXACT', ['round'])]
  const [weight, round] = problems
  expect(problemAt(problems, 'proposal', 'votes', 3, 'weight')).toBe(weight)
  expect(problemAt(problems, 'proposal', 'votes', 3)).toBeUndefined()
  expect(problemAt(problems, 'proposal', 'votes', 2, 'weight')).toBeUndefined()
  expect(problemAt(problems, 'round', 'totalStake')).toBe(round)
  expect(problemAt(problems, 'rounds')).toBeUndefined()
  // What is wrong with all of it is not the fault of a part.
  expect(problemAt([problem(UNREACHABLE)], 'round')).toBeUndefined()
})
