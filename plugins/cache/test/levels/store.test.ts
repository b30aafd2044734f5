import type { Cache } from '@switchyard/contract'
import { recordingLogger, virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import type { Kind } from '../../src/kind.ts'
import { storeLevel } from '../../src/levels/store.ts'
import { echoKind } from '../support/echo-kind.ts'
import { memoryCache } from '../support/rig.ts'

const kind = echoKind as unknown as Kind
const filing = {
  key: 'k',
  payload: new Uint8Array(1),
  by: 'x',
  tags: [],
  mark: undefined,
  createdAt: 0,
  freshUntil: 1,
  expiresAt: 2,
  tookMs: 1,
}

async function stand(over: Partial<Cache>) {
  const clock = virtualClock()
  const { mark: _mark, ...held } = await memoryCache(clock)
  const cache: Cache = { ...held, capabilities: { ...held.capabilities, shared: true }, ...over }
  const limits = { lookupTimeoutMs: 10, writeTimeoutMs: 1_000, maxBytes: 1_000, compressFrom: 1_000, maxWritesInFlight: 2 }
  return { clock, store: storeLevel({ cache, clock, log: recordingLogger(), ...limits }) }
}

test('more writes than fit are dropped at once', async () => {
  let asked = 0
  const { clock, store } = await stand({
    set() {
      asked += 1
      return new Promise(() => {})
    },
  })
  const slow = [store.set(kind, filing), store.set(kind, filing)]
  expect(await store.set(kind, filing)).toBe('store-away')
  await clock.advance(1_000)
  expect(await Promise.all(slow)).toEqual(['store-away', 'store-away'])
  expect(asked).toBe(2)
  expect(store.failures.writes).toBe(3)
})

test('a store that counts as away is not written to', async () => {
  let written = 0
  const { store } = await stand({
    get: () => Promise.reject(new Error('away')),
    async set() {
      written += 1
    },
  })
  for (let at = 0; at < 5; at += 1) await store.get('k', kind, new AbortController().signal)
  expect(store.isAway()).toBe(true)
  expect(await store.set(kind, filing)).toBe('store-away')
  expect(written).toBe(0)
})
