import { type Cache, cache, flights } from '@switchyard/contract'
import {
  cacheSuite,
  conformance,
  plainCache,
  recordingLogger,
  type Subject,
  startPlugin,
  virtualClock,
} from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { cacheAdmin, responseCache } from '../src/index.ts'

// The port that the plugin provides is its own, without a suite; the store that its tests stand on is held to its port's.
const subject: Subject<Cache> = {
  name: 'plain-cache',
  async open() {
    const { now, advance } = virtualClock()
    return { instance: plainCache({ now }), now, advance, fixture: undefined, close: async () => {} }
  },
}

describe('the cache suite', () => conformance(cacheSuite, subject, test))

test('the plugin gives what it promises, and leaves nothing armed', async () => {
  const clock = virtualClock()
  const deps = { cache: plainCache({ now: () => clock.now() }), providers: new Map(), databases: new Map() }
  const plugin = await startPlugin(responseCache(), { clock, deps, log: recordingLogger() })
  expect(plugin.port(cacheAdmin).report().operations).toMatchObject({ 'model.invoke': { requests: 0, repeatCeiling: 0 } })
  expect(plugin.policies.map(({ name, stage, operations }) => [name, stage, operations])).toEqual([['cache', 'cache', '*']])
  await plugin.close()
  expect(clock.pending()).toBe(0)
})

test('what it stands on is asked for by port', () => {
  const { requires } = responseCache().definition
  expect(requires.cache).toBe(cache)
  expect(requires.flights).toMatchObject({ port: flights, arity: 'optional' })
})
