import { describe, expect, test } from 'vitest'
import { conformance, judgeMutants, modelSuite, runSuite } from '../src/index.ts'
import { referenceSubject } from './support/reference-subject.ts'

describe('the model suite on a right provider', () => {
  conformance(modelSuite, referenceSubject(), test)
})

describe('the model suite where less is declared', () => {
  test.each([
    ['no streams', { streaming: false }],
    ['no chats', { endpoints: ['embeddings'] }],
    ['no embeddings', { endpoints: ['chat/completions'] }],
    ['no listing, any model, no cancelling', { listing: false, models: 'any', cancels: false }],
  ] as const)(
    'passes with %s',
    async (_, capabilities) => {
      const { cases, failed } = await runSuite(modelSuite, referenceSubject(capabilities))
      expect(cases.filter(({ status }) => status === 'failed')).toEqual([])
      expect(failed).toBe(0)
      expect(cases.some(({ ran }) => ran === 'undeclared')).toBe(true)
    },
    60_000,
  )
})

test('every mutant of the model suite is killed by the case meant for it', async () => {
  const { problems, verdicts } = await judgeMutants(modelSuite, referenceSubject())
  expect(problems).toEqual([])
  expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set(['killed']))
}, 120_000)
