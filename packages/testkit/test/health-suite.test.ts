import type { Health } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { conformance, healthSuite, judgeMutants, type Subject, virtualClock } from '../src/index.ts'
import { plainHealth } from './support/plain-health.ts'

const subject: Subject<Health> = {
  name: 'plain health',
  async open() {
    const { now, advance } = virtualClock()
    return { instance: plainHealth(now), now, advance, fixture: undefined, close: async () => {} }
  },
}

describe('plain health', () => conformance(healthSuite, subject, test))

test('every mutant is killed by the case meant for it', async () => {
  const { problems, verdicts } = await judgeMutants(healthSuite, subject)
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})
