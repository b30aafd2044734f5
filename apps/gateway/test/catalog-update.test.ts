import { microUsd } from '@switchyard/catalog'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { UpdateInput } from '../src/catalog/options.ts'
import { type CatalogUnderTest, catalogUnderTest, START } from './support/catalog.ts'
import { type Answer, type FeedServer, feedServer, modelsDev, updateFrom } from './support/feed-server.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'

let folder: TemporaryFolder
let feeds: FeedServer
let it: CatalogUnderTest
beforeEach(async () => {
  folder = await temporaryFolder()
  feeds = await feedServer()
  it = catalogUnderTest()
})
afterEach(async () => {
  await it.close()
  feeds.close()
  await folder.remove()
})

const update = (urls?: UpdateInput['urls']): UpdateInput => updateFrom(feeds, urls)
/** A feed of `count` models, above the size from which a provider's shrinkage counts. */
const many = (count: number): object => modelsDev(Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, 1])))

test('brings what is new at once, and tells it', async () => {
  feeds.serve('/dev', modelsDev({ one: 3 }))
  await it.start({ update: update() })
  await it.firstRound()
  expect(it.input('acme/one')).toBe(3_000_000)
  expect(it.changes()).toMatchObject([{ added: ['acme/one'], removed: [], quarantined: [], version: it.current().version }])
  expect(it.status().feeds).toEqual([{ feed: 'models-dev', rows: 1, goodAt: START, ageMs: 0, failures: 0, error: undefined }])
})

test('asks again at each interval, with the ETag, and takes a 304 for good news', async () => {
  feeds.serve('/dev', modelsDev({ one: 3 }), '"v1"')
  await it.start({ update: update() })
  await it.firstRound()
  const held = it.current()
  await it.next()
  expect(feeds.requests.map(({ etag }) => etag)).toEqual([undefined, '"v1"'])
  expect(it.current()).toBe(held)
  expect(it.changes()).toHaveLength(1)
  expect(it.status().feeds[0]).toMatchObject({ goodAt: it.clock.now(), failures: 0 })
})

test.each<[string, Answer]>([
  ['a page of HTML', { status: 200, body: '<html>sorry</html>' }],
  ['JSON that is cut off', { status: 200, body: '{"acme":{"models":{' }],
  ['another shape', { status: 200, body: '[]' }],
  ['an empty object', { status: 200, body: '{}' }],
  ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }],
  ['an error', { status: 503, body: 'busy' }],
  ['nothing there', { status: 404 }],
  [
    'over 16 MiB, though it be a feed',
    { status: 200, body: JSON.stringify(modelsDev({ one: 5 })).padEnd(16 * 1024 * 1024 + 1) },
  ],
])('%s leaves the last good in force, is logged, and is shown with its age', async (_, answer) => {
  feeds.serve('/dev', modelsDev({ one: 3 }))
  await it.start({ update: update() })
  await it.firstRound()
  const held = it.current()
  feeds.answers.set('/dev', answer)
  await it.next()
  await it.next()
  expect(it.current()).toBe(held)
  expect(it.status().feeds[0]).toMatchObject({
    rows: 1,
    goodAt: START,
    ageMs: it.clock.now() - START,
    failures: 2,
    error: expect.any(String),
  })
  expect(it.log.records.filter(({ level }) => level === 'warn')).toHaveLength(2)
  feeds.serve('/dev', modelsDev({ one: 4 }))
  await it.next()
  expect(it.status().feeds[0]).toMatchObject({ failures: 0, error: undefined, ageMs: 0 })
  expect(it.input('acme/one')).toBe(4_000_000)
})

test('a feed that shrank by more than 30 % is refused', async () => {
  feeds.serve('/dev', many(100))
  await it.start({ update: update() })
  await it.firstRound()
  feeds.serve('/dev', many(69))
  await it.next()
  expect(it.status().feeds[0]).toMatchObject({
    rows: 100,
    error: expect.stringMatching(/refused: 69 entries where there were 100/),
  })
  feeds.serve('/dev', many(71))
  await it.next()
  expect(it.status().feeds[0]).toMatchObject({ rows: 71, error: undefined })
})

test('a price that moved more than tenfold keeps its old value, and is listed for a person', async () => {
  feeds.serve('/dev', modelsDev({ one: 3, two: 3 }))
  await it.start({ update: update() })
  await it.firstRound()
  feeds.serve('/dev', modelsDev({ one: 31, two: 29 }))
  await it.next()
  expect([it.input('acme/one'), it.input('acme/two')]).toEqual([3_000_000, 29_000_000])
  expect(it.status().quarantined).toContainEqual(
    expect.objectContaining({ id: 'acme/one', field: 'input', reason: 'jumped', was: 3_000_000, now: 31_000_000 }),
  )
  expect(it.changes().at(-1)?.repriced).toEqual(['acme/two'])
})

test('overrides stay above the feeds', async () => {
  feeds.serve('/dev', modelsDev({ one: 3 }))
  const overrides = await folder.write('o.json', '[{"model":"acme/one","from":"2020-01-01","input":7,"output":7}]')
  await it.start({ overrides, update: update() })
  await it.firstRound()
  const cost = it.current().price(it.current().resolve('acme/one'), { inputTokens: 1_000_000, outputTokens: 0 })
  expect(microUsd(cost?.pico ?? 0n)).toBe(7_000_000)
})
