import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { seedCatalog } from '@switchyard/catalog'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { UpdateInput } from '../src/catalog/options.ts'
import { type CatalogUnderTest, catalogUnderTest, HOUR, START } from './support/catalog.ts'
import { type FeedServer, feedServer, modelsDev, NO_FEEDS, portkeyPricing, updateFrom } from './support/feed-server.ts'
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
const bySlug = (): UpdateInput => update({ ...NO_FEEDS, portkeyPricing: `${feeds.url}/p/{slug}` })

test('the last good outlives a restart without network, ETag and age included', async () => {
  feeds.serve('/dev', modelsDev({ one: 3 }), '"v1"')
  await it.start({ dataDir: folder.path, update: update() })
  await it.firstRound()
  const { version } = it.current()
  await it.close()
  feeds.answers.set('/dev', { status: 503 })
  await it.clock.advance(HOUR)
  await it.start({ dataDir: folder.path, update: update() })
  expect(it.current().version).toBe(version)
  await expect.poll(() => feeds.requests.at(-1)).toEqual({ path: '/dev', etag: '"v1"' })
  await expect.poll(() => it.status().feeds[0]?.failures).toBe(1)
  expect(it.status().feeds[0]).toMatchObject({ rows: 1, goodAt: START, ageMs: HOUR })
})

test.each(['', 'no head', '{"asOf":"soon"}\n{}', '{"asOf":1}\n<html>'])(
  'a kept file that holds %j is as if it were not there',
  async (text) => {
    await mkdir(join(folder.path, 'catalog/models-dev'), { recursive: true })
    await writeFile(join(folder.path, 'catalog/models-dev/models-dev.feed'), text)
    feeds.answers.set('/dev', { status: 503 })
    await it.start({ dataDir: folder.path, update: update() })
    expect(it.current()).toBe(seedCatalog())
    await it.firstRound()
    expect(it.status().feeds[0]).toMatchObject({ rows: 0, goodAt: undefined, ageMs: undefined, failures: 1 })
  },
)

test('a folder that cannot be written costs nothing but the memory of it', async () => {
  const dataDir = await folder.write('a-file', '')
  feeds.serve('/dev', modelsDev({ one: 3 }))
  await it.start({ dataDir, update: update() })
  await it.firstRound()
  expect(it.input('acme/one')).toBe(3_000_000)
  expect(it.status().feeds[0]?.error).toMatch(/^not kept: /)
})

test('a feed of many files takes those that are there, and goes on where one fails', async () => {
  feeds.serve('/p/openai', portkeyPricing('gpt-test', 0.0003))
  feeds.serve('/p/groq', portkeyPricing('gpt-test', 0.0001), '"g"')
  await it.start({ dataDir: folder.path, update: bySlug() })
  await it.firstRound()
  expect([it.input('openai/gpt-test'), it.input('groq/gpt-test')]).toEqual([3_000_000, 1_000_000])
  expect((await readdir(join(folder.path, 'catalog/portkey-pricing'))).sort()).toEqual(['groq.feed', 'openai.feed'])
  feeds.answers.set('/p/openai', { status: 500 })
  feeds.serve('/p/groq', portkeyPricing('gpt-test', 0.0002), '"h"')
  await it.next()
  expect([it.input('openai/gpt-test'), it.input('groq/gpt-test')]).toEqual([3_000_000, 2_000_000])
  expect(it.status().feeds[0]).toMatchObject({ rows: 2, error: expect.stringContaining('/p/openai answered 500') })
})

test('a file that is there no more is given up, and kept no longer', async () => {
  const slugs = ['groq', 'openai', 'x-ai', 'z-ai']
  for (const slug of slugs) feeds.serve(`/p/${slug}`, portkeyPricing('gpt-test', 0.0001))
  await it.start({ dataDir: folder.path, update: bySlug() })
  await it.firstRound()
  expect(it.current().get('z-ai/gpt-test')).toBeDefined()
  feeds.answers.delete('/p/z-ai')
  await it.next()
  expect(it.current().get('z-ai/gpt-test')).toBeUndefined()
  expect(it.changes().at(-1)).toMatchObject({ removed: ['z-ai/gpt-test'] })
  expect(await readdir(join(folder.path, 'catalog/portkey-pricing'))).toHaveLength(3)
  expect(it.status().feeds[0]).toMatchObject({ rows: 3, failures: 0 })
})

test('all feeds together: what one does not know another does', async () => {
  const litellm = {
    'groq/joint': {
      litellm_provider: 'groq',
      mode: 'chat',
      max_input_tokens: 4_000,
      input_cost_per_token: 1e-6,
      output_cost_per_token: 2e-6,
    },
  }
  feeds.serve('/p/groq', { joint: portkeyPricing('gpt-test', 0.0001)['gpt-test' as never] })
  feeds.serve('/g/groq', { joint: { type: { primary: 'chat', supported: ['tools'] } } })
  feeds.serve('/dev', {
    groq: {
      id: 'groq',
      models: {
        joint: {
          id: 'joint',
          modalities: { input: ['text', 'image'], output: ['text'] },
          limit: { context: 4_000 },
          cost: { input: 1, output: 1 },
        },
      },
    },
  })
  feeds.serve('/lite', litellm)
  const urls = {
    portkeyPricing: `${feeds.url}/p/{slug}`,
    portkeyGeneral: `${feeds.url}/g/{slug}`,
    modelsDev: `${feeds.url}/dev`,
    liteLlm: `${feeds.url}/lite`,
  }
  await it.start({ update: update(urls) })
  await it.firstRound()
  expect(it.status().feeds.map(({ feed, rows, error }) => [feed, rows, error])).toEqual([
    ['portkey-pricing', 1, undefined],
    ['portkey-general', 1, undefined],
    ['models-dev', 1, undefined],
    ['litellm', 1, undefined],
  ])
  expect(it.current().resolve('groq/joint')).toMatchObject({ caps: { tools: true, vision: true }, limits: { context: 4_000 } })
})

test('closing breaks off a round that waits, and leaves no timer', async () => {
  feeds.answers.set('/dev', 'hang')
  await it.start({ update: update() })
  await expect.poll(() => feeds.requests.length).toBe(1)
  await it.close()
  expect(it.clock.pending()).toBe(0)
  expect(it.log.records.filter(({ level }) => level === 'error')).toEqual([])
})
