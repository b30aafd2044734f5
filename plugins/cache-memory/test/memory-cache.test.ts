import { type CacheChange, SwitchyardError } from '@switchyard/contract'
import { type RecordingLogger, recordingLogger, virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { entryBytes, type MemoryCache, memoryCache } from '../src/memory-cache.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const one = entryBytes('k0', bytes('v'), [])

function made(
  maxBytes: number,
  maxEntryBytes: number = maxBytes,
): { cache: MemoryCache; clock: ReturnType<typeof virtualClock>; log: RecordingLogger } {
  const [clock, log] = [virtualClock(0), recordingLogger()]
  return { cache: memoryCache({ maxBytes, maxEntryBytes, clock, log, random: () => 0.5 }), clock, log }
}

async function there(cache: MemoryCache, keys: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const key of keys) if ((await cache.get(key)) !== undefined) found.push(key)
  return found
}

test('bytes count key, value and tags in UTF-8, and what holding them takes', () => {
  expect(entryBytes('k', bytes(''), [])).toBe(448 + 1)
  expect(entryBytes('k', bytes('12345'), [])).toBe(448 + 1 + 5)
  expect(entryBytes('\u{1f6e4}', bytes('12345'), ['ab', '\u00e9'])).toBe(448 + 4 + 5 + 64 + 2 + 64 + 2)
})

describe('memoryCache', () => {
  test('evicts the least recently used, where being read counts as use and being refused does not', async () => {
    const { cache } = made(3 * one, 2 * one)
    for (const key of ['k0', 'k1', 'k2']) await cache.set(key, { value: bytes('v') })
    await cache.get('k0')
    await expect(cache.set('k1', { value: new Uint8Array(2 * one) })).rejects.toMatchObject({ code: 'TOO_LARGE' })
    await cache.set('k3', { value: bytes('v') })
    expect(await there(cache, ['k0', 'k1', 'k2', 'k3'])).toEqual(['k0', 'k2', 'k3'])
  })

  test('a refused entry leaves the one before, and says by how much', async () => {
    const { cache } = made(2 * one, one)
    await cache.set('k0', { value: bytes('v') })
    await expect(cache.set('k0', { value: bytes('vw') })).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('maxEntryBytes'),
      details: { bytes: one + 1, maxEntryBytes: one },
    })
    expect((await cache.get('k0'))?.value).toEqual(bytes('v'))
    await expect(cache.set('x'.repeat(5000), { value: bytes('') })).rejects.toThrow(/"x{64}\.\.\."/)
  })

  test('is exact to the millisecond', async () => {
    const { cache, clock } = made(10 * one)
    await cache.set('k', { value: bytes('v'), expiresAt: 5 })
    await clock.advance(4)
    expect(await cache.get('k')).toBeDefined()
    await clock.advance(1)
    expect(await cache.get('k')).toBeUndefined()
  })

  test('lets expired entries go before live ones, and holds nothing of them', async () => {
    const { cache, clock } = made(2 * one)
    await cache.set('k0', { value: bytes('v') })
    await cache.set('k1', { value: bytes('v'), expiresAt: 10, tags: [] })
    await clock.advance(10)
    await cache.set('k2', { value: bytes('v') })
    expect(await there(cache, ['k0', 'k1', 'k2'])).toEqual(['k0', 'k2'])
    expect(cache.usage()).toEqual({ entries: 2, tags: 0, bytes: 2 * one, expiring: 0 })
  })

  test('an entry that is over as it comes evicts nothing, and takes the one before with it', async () => {
    const { cache, clock } = made(2 * one)
    await clock.advance(10)
    for (const key of ['k0', 'k1']) await cache.set(key, { value: bytes('v') })
    await cache.set('k2', { value: bytes('v'), expiresAt: 10 })
    await cache.set('k1', { value: bytes('v'), expiresAt: 9 })
    expect(cache.usage()).toEqual({ entries: 1, tags: 0, bytes: one, expiring: 0 })
    expect(await there(cache, ['k0', 'k1', 'k2'])).toEqual(['k0'])
  })

  test('cleared, it holds nothing and may be filled again', async () => {
    const { cache } = made(10 * one)
    const entry = { value: bytes('v'), expiresAt: 10, tags: ['t'] }
    await cache.set('k', entry)
    cache.clear()
    expect(cache.usage()).toEqual({ entries: 0, tags: 0, bytes: 0, expiring: 0 })
    await cache.set('k', entry)
    expect(await cache.get('k')).toEqual(entry)
  })

  test('arms no timer', async () => {
    const { cache, clock } = made(10 * one)
    await cache.set('k', { value: bytes('v'), expiresAt: 5 })
    expect(clock.pending()).toBe(0)
  })

  test('takes a time that never comes for never, and refuses what is no time', async () => {
    const { cache } = made(10 * one)
    await cache.set('k', { value: bytes('v'), expiresAt: Number.POSITIVE_INFINITY })
    expect(await cache.get('k')).toEqual({ value: bytes('v') })
    await expect(cache.set('k', { value: bytes('v'), expiresAt: Number.NaN })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    })
  })

  test('passes on why a call was aborted', async () => {
    const { cache } = made(10 * one)
    const late = new SwitchyardError('TIMEOUT', 'the deadline has passed')
    await expect(cache.get('k', { signal: AbortSignal.abort(late) })).rejects.toBe(late)
  })

  test('holds nothing after a long life of replacing, evicting, expiring and deleting', async () => {
    const { cache, clock } = made(50 * 600)
    for (let round = 0; round < 5000; round += 1) {
      const key = `k${round % 97}`
      await cache.set(key, { value: bytes('v'), expiresAt: clock.now() + 1_000_000, tags: [`t${round}`, 'all'] })
      if (round % 7 === 0) await cache.delete(`k${(round * 3) % 97}`)
      const { entries, tags, expiring } = cache.usage()
      expect(expiring).toBe(entries)
      expect(tags).toBeLessThanOrEqual(entries + 1)
    }
    await cache.deleteByTag('all')
    expect(cache.usage()).toEqual({ entries: 0, tags: 0, bytes: 0, expiring: 0 })
  })

  test('a mark of a cache that was here before stores nothing', async () => {
    const { cache } = made(10 * one)
    const other = memoryCache({
      maxBytes: 1000,
      maxEntryBytes: 1000,
      clock: virtualClock(),
      log: recordingLogger(),
      random: () => 0.25,
    })
    await cache.set('k', { value: bytes('v'), mark: other.mark([]) as string })
    expect(await cache.get('k')).toBeUndefined()
    await cache.set('k', { value: bytes('v'), mark: cache.mark([]) as string })
    expect(await cache.get('k')).toBeDefined()
  })

  test('tells nobody of what expires, is evicted or replaced, and everybody when it is cleared', async () => {
    const { cache, clock } = made(2 * one)
    const told: CacheChange[] = []
    cache.changes.listen((change) => void told.push(change))
    await cache.set('k0', { value: bytes('v'), expiresAt: 5, tags: [] })
    await clock.advance(5)
    for (const key of ['k1', 'k2', 'k3', 'k3']) await cache.set(key, { value: bytes('v') })
    expect(await there(cache, ['k0', 'k1', 'k2', 'k3'])).toEqual(['k2', 'k3'])
    expect(told).toEqual([])
    cache.clear()
    expect(told).toEqual([{ kind: 'all' }])
  })

  test('logs a listener that fails once, whether it throws or rejects', async () => {
    const { cache, log } = made(2 * one)
    cache.changes.listen(() => {
      throw new Error('thrown')
    })
    cache.changes.listen(async () => {
      throw new Error('rejected')
    })
    await cache.delete('k')
    await cache.delete('k')
    await new Promise((resolve) => setImmediate(resolve))
    expect(log.records.map(({ level }) => level)).toEqual(['error', 'error'])
  })

  test('a listener may listen, end others and delete while it is told', async () => {
    const { cache } = made(2 * one)
    const told: string[] = []
    let end = (): void => {}
    cache.changes.listen((change) => {
      end()
      if (told.push(`first ${change.kind}`) > 5) return
      cache.changes.listen(({ kind }) => void told.push(`inner ${kind}`))
      if (change.kind === 'key') void cache.deleteByTag('t')
    })
    end = cache.changes.listen(() => void told.push('ended'))
    await cache.delete('k')
    expect(told).toEqual(['first key', 'first tag', 'inner tag'])
  })

  test('a fill that began before the listener was told may not come after it', async () => {
    const { cache } = made(2 * one)
    const mark = cache.mark(['t']) as string
    let filling: Promise<void> | undefined
    cache.changes.listen(() => {
      filling = cache.set('k0', { value: bytes('v'), tags: ['t'], mark })
    })
    await cache.deleteByTag('t')
    await filling
    expect(await cache.get('k0')).toBeUndefined()
  })
})
