import type { VectorIndex } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { conformance, judgeMutants, type Subject, vectorsSuite, virtualClock } from '../src/index.ts'
import { type PlainVectorsOptions, plainVectors } from './support/plain-vectors.ts'

function subject(options: Omit<PlainVectorsOptions, 'now'> = {}): Subject<VectorIndex> {
  return {
    name: 'plain vectors',
    async open() {
      const { now, advance } = virtualClock()
      return { instance: plainVectors({ now, ...options }), now, advance, fixture: undefined, close: async () => {} }
    },
  }
}

describe('of any length', () => conformance(vectorsSuite, subject(), test))
describe('of one length', () => conformance(vectorsSuite, subject({ dimensions: 50 }), test))
describe('approximate', () => conformance(vectorsSuite, subject({ approximate: true }), test))

test('every mutant is killed by the case meant for it', async () => {
  const { problems, verdicts } = await judgeMutants(vectorsSuite, subject())
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})
