import type { Cache } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { cacheSuite, conformance, judgeMutants, runSuite, type Subject, virtualClock } from '../src/index.ts'
import { type PlainCacheOptions, plainCache } from '../src/stand-ins/plain-cache.ts'

function subject(options: Omit<PlainCacheOptions, 'now'> = {}): Subject<Cache> {
  return {
    name: 'a plain cache',
    async open() {
      const clock = virtualClock()
      const { now, advance } = clock
      return { instance: plainCache({ now, ...options }), now, advance, fixture: undefined, close: async () => {} }
    },
  }
}

describe('with tags', () => conformance(cacheSuite, subject(), test))
describe('without tags', () => conformance(cacheSuite, subject({ tags: false }), test))
describe('without marks, changes and counts', () => conformance(cacheSuite, subject({ optional: false }), test))
describe('late by what it declares', () => conformance(cacheSuite, subject({ lateMs: 40 }), test))
describe('refusing large values', () => conformance(cacheSuite, subject({ maxBytes: 65_536 }), test))

test('every mutant is killed by the case meant for it', async () => {
  const { problems, verdicts } = await judgeMutants(cacheSuite, subject())
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})

test('one millisecond too late is found', async () => {
  const { cases } = await runSuite(cacheSuite, subject({ secretlyLateMs: 1 }), { only: ['cache.get.gone-at-expiry'] })
  expect(cases[0]).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('still there') } })
})

test('one millisecond too early is found', async () => {
  const { cases } = await runSuite(cacheSuite, subject({ secretlyLateMs: -1 }), { only: ['cache.get.readable-until-expiry'] })
  expect(cases[0]).toMatchObject({ status: 'failed', error: { message: 'gone 1 ms early' } })
})
