import { createCatalog, type Import, type SourceRow } from '@switchyard/catalog'
import { expect, test } from 'vitest'
import type { FeedKeeper } from '../src/catalog/feed-keeper.ts'
import { liveCatalog } from '../src/catalog/live-catalog.ts'

const row: SourceRow = { source: 'portkey', asOf: '2026-10-01', provider: 'acme', model: 'new' }
const content: Import = { rows: [row], rejected: [], seen: 1, dropped: [], toCheck: [], unknownKeys: {} }
const keeper: FeedKeeper = {
  content,
  load: () => Promise.reject(new Error('not used')),
  refresh: () => Promise.reject(new Error('not used')),
  status: () => ({ feed: 'f', rows: 1, goodAt: undefined, ageMs: undefined, failures: 0, error: undefined }),
}

/** A catalog whose clock ends a slice at each step, so that every step that can be interrupted is. */
function sliced(pause: () => Promise<void>) {
  let ms = 0
  const slicing = { now: () => (ms += 10), pause, sliceMs: 5 }
  return liveCatalog({ seed: createCatalog([]), overrides: [], keepers: [keeper], slicing })
}

test('between the slices of an update the catalog in force is the old one, then the new one, whole', async () => {
  const seen: number[] = []
  const live = sliced(async () => {
    seen.push(live.current().size)
  })
  expect((await live.rebuild()).added).toEqual(['acme/new'])
  expect(seen.length).toBeGreaterThan(5)
  expect(new Set(seen)).toEqual(new Set([0]))
  expect(live.current().get('acme/new')).toBeDefined()
})

test('an update that is broken off leaves the old one', async () => {
  const closed = new Error('closed')
  let pauses = 0
  const live = sliced(async () => {
    pauses += 1
    if (pauses === 4) throw closed
  })
  await expect(live.rebuild()).rejects.toBe(closed)
  expect(pauses).toBe(4)
  expect(live.current().size).toBe(0)
  expect((await live.rebuild()).added).toEqual(['acme/new'])
})
