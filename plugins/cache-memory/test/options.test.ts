import { cache } from '@switchyard/contract'
import { startPlugin } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { type CacheMemoryInput, cacheMemory } from '../src/index.ts'

describe('options refuse', () => {
  test.each<[string, object, RegExp]>([
    ['an unknown name', { maxByte: 5 }, /maxByte/],
    ['no bytes', { maxBytes: 0 }, /maxBytes: /],
    ['parts of a byte', { maxBytes: 1.5 }, /maxBytes: /],
    ['bytes without an end', { maxBytes: Number.POSITIVE_INFINITY }, /maxBytes: /],
    ['a text', { maxBytes: '64MB' }, /maxBytes: /],
    ['an entry larger than all', { maxBytes: 100, maxEntryBytes: 101 }, /maxEntryBytes: must not pass maxBytes/],
    ['an entry larger than the default of all', { maxEntryBytes: 2 ** 30 }, /maxEntryBytes: must not pass maxBytes/],
    ['no counters', { maxCounters: 0 }, /maxCounters: /],
    ['fewer than no leases', { maxLeases: -1 }, /maxLeases: /],
    ['no subscriptions', { maxSubscriptions: 0 }, /maxSubscriptions: /],
    ['no flights', { maxFlights: 0 }, /maxFlights: /],
    ['flights of no bytes', { maxFlightBytes: 0 }, /maxFlightBytes: /],
    ['no bytes for vectors', { maxVectorBytes: 0 }, /maxVectorBytes: /],
    ['vectors of more than 4 GiB', { maxVectorBytes: 2 ** 32 + 1 }, /maxVectorBytes: /],
  ])('%s', async (_, input, message) => {
    await expect(startPlugin(cacheMemory(input))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
    })
  })
})

const STANDARD = {
  maxBytes: 67_108_864,
  maxCounters: 1_000_000,
  maxLeases: 1_000_000,
  maxSubscriptions: 10_000,
  maxFlights: 100_000,
  maxFlightBytes: 8_388_608,
  maxVectorBytes: 134_217_728,
}

describe('options default', () => {
  test.each<[CacheMemoryInput | undefined, object]>([
    [undefined, STANDARD],
    [{ maxBytes: 4096 }, { ...STANDARD, maxBytes: 4096 }],
    [{ maxEntryBytes: 5 }, { ...STANDARD, maxEntryBytes: 5 }],
  ])('%j gives %j', async (input, wanted) => {
    expect((await startPlugin(cacheMemory(input))).options).toEqual(wanted)
  })

  test('an entry may take an eighth of all bytes', async () => {
    const entries = (await startPlugin(cacheMemory({ maxBytes: 8000 }))).port(cache)
    const overhead = 448 + 1
    await entries.set('k', { value: new Uint8Array(1000 - overhead) })
    await expect(entries.set('k', { value: new Uint8Array(1001 - overhead) })).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })
})
