import type { Cache } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import type { KeptReply } from '../../src/levels/kept-reply.ts'
import { nearLevel } from '../../src/levels/near.ts'
import { memoryCache } from '../support/rig.ts'

const clock = virtualClock()
const reply = (bytes = 100, expiresAt = Number.POSITIVE_INFINITY): KeptReply => ({
  operation: 'test.echo',
  createdAt: 0,
  freshUntil: expiresAt,
  expiresAt,
  tookMs: 1,
  by: 'x',
  ready: 'ready',
  bytes,
})

async function stand(maxBytes = 10_000) {
  const cache = await memoryCache(clock)
  return { cache, near: nearLevel(cache, maxBytes) }
}

test('a copy serves until its time, its tag or its key goes', async () => {
  const { cache, near } = await stand()
  const put = (key: string, expiresAt?: number) => near.set(key, reply(1, expiresAt), ['t'], cache.mark?.(['t']), near.moment())
  put('time', 5)
  expect(near.get('time', 4)).toBeDefined()
  expect(near.get('time', 5)).toBeUndefined()
  put('tag')
  await cache.deleteByTag('other')
  expect(near.get('tag', 0)).toBeDefined()
  await cache.deleteByTag('t')
  expect(near.get('tag', 0)).toBeUndefined()
  put('key')
  await cache.set('key', { value: new Uint8Array(1) })
  await cache.delete('key')
  expect(near.get('key', 0)).toBeUndefined()
})

test('what was read before a deletion is not kept behind it', async () => {
  const { cache, near } = await stand()
  const mark = cache.mark?.(['t'])
  const moment = near.moment()
  await cache.set('k', { value: new Uint8Array(1) })
  await cache.delete('k')
  near.set('k', reply(), ['t'], mark, moment)
  expect(near.get('k', 0)).toBeUndefined()
  const later = near.moment()
  await cache.deleteByTag('t')
  near.set('k', reply(), ['t'], mark, later)
  expect(near.get('k', 0)).toBeUndefined()
})

test('the least recently used go, and what could never fit is not kept', async () => {
  const { cache, near } = await stand(2_000)
  const put = (key: string, bytes: number) => near.set(key, reply(bytes), [], cache.mark?.([]), near.moment())
  put('a', 100)
  put('b', 100)
  near.get('a', 0)
  put('c', 500)
  expect([near.get('a', 0), near.get('b', 0), near.get('c', 0)].map((one) => one !== undefined)).toEqual([true, false, true])
  put('huge', 3_000)
  expect(near.get('huge', 0)).toBeUndefined()
  expect(near.bytes).toBeLessThanOrEqual(2_000)
  near.close()
  expect(near.entries).toBe(0)
})

test('while the store is not current nothing serves; once it lost sight, nothing is left', async () => {
  let current = true
  let tell: (change: { readonly kind: 'all' }) => void = () => {}
  const cache = {
    ...(await memoryCache(clock)),
    changes: {
      current: () => current,
      listen(listener: (change: { readonly kind: 'all' }) => void) {
        tell = listener
        return () => {}
      },
    },
  } as Cache
  const near = nearLevel(cache, 10_000)
  near.set('k', reply(), [], cache.mark?.([]), near.moment())
  expect(near.get('k', 0)).toBeDefined()
  current = false
  expect(near.get('k', 0)).toBeUndefined()
  current = true
  expect(near.get('k', 0)).toBeDefined()
  tell({ kind: 'all' })
  expect(near.get('k', 0)).toBeUndefined()
})

test('nothing is kept of a store that tells nothing, nor without room', async () => {
  const { mark: _mark, changes: _changes, ...plain } = await memoryCache(clock)
  for (const near of [nearLevel(plain, 10_000), nearLevel(await memoryCache(clock), 0)]) {
    near.set('k', reply(), [], '0', near.moment())
    expect(near.get('k', 0)).toBeUndefined()
    near.close()
  }
})

test('a reply that was just stored is made ready once, when it is first asked for', async () => {
  const { cache, near } = await stand()
  let opened = 0
  const open = (): KeptReply => {
    opened += 1
    return reply()
  }
  near.set('k', { expiresAt: Number.POSITIVE_INFINITY, bytes: 1, open }, [], cache.mark?.([]), near.moment())
  expect(opened).toBe(0)
  expect(near.get('k', 0)).toBe(near.get('k', 0))
  expect(opened).toBe(1)
})
