import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type CatalogChange, catalog, microUsd, seedCatalog } from '@switchyard/catalog'
import type { Clock } from '@switchyard/contract'
import {
  type RecordingLogger,
  recordingLogger,
  type StartedPlugin,
  startPlugin,
  type VirtualClock,
  virtualClock,
} from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CatalogInput, UpdateInput } from '../src/catalog/options.ts'
import { modelCatalog } from '../src/catalog/plugin.ts'
import { type CatalogStatus, catalogKeeper } from '../src/catalog/port.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'

const START = Date.parse('2026-11-20T12:00:00Z')
const HOUR = 3_600_000

let folder: TemporaryFolder
let clock: VirtualClock
/** Rounds that came to their end: after each the plugin sleeps. */
let ended: number
let log: RecordingLogger
let started: StartedPlugin | undefined
beforeEach(async () => {
  folder = await temporaryFolder()
  clock = virtualClock(START)
  ended = 0
  log = recordingLogger()
})
afterEach(async () => {
  await started?.close()
  started = undefined
  await folder.remove()
})

async function start(input: CatalogInput): Promise<StartedPlugin> {
  const counted: Clock = {
    ...clock,
    sleep(ms, signal) {
      ended++
      return clock.sleep(ms, signal)
    },
  }
  started = await startPlugin(modelCatalog(input), { clock: counted, log })
  return started
}
const current = (): ReturnType<typeof seedCatalog> => (started as StartedPlugin).port(catalog).current()
const status = (): CatalogStatus => (started as StartedPlugin).port(catalogKeeper).status()
const changes = (): readonly CatalogChange[] =>
  (started as StartedPlugin).emitted
    .filter(({ event }) => event === 'catalog:updated')
    .map(({ payload }) => payload as CatalogChange)

test('by default it is the seed, no file is touched, and nothing waits', async () => {
  await start({ dataDir: folder.path })
  expect(current()).toBe(seedCatalog())
  expect(status()).toMatchObject({ updates: false, feeds: [], version: seedCatalog().version, models: seedCatalog().size })
  expect(clock.pending()).toBe(0)
  expect(await readdir(folder.path)).toEqual([])
})

describe("a team's overrides", () => {
  const file = (text: string): Promise<string> => folder.write('prices.json', text)

  test.each<[string, string, RegExp]>([
    ['a file that is cut off', '[{', /prices\.json cannot be read/],
    ['an object', '{}', /no JSON array/],
    [
      'bad rows, all at once',
      '[{"model":"a/b"},{"model":"a/c","from":"2026-01-01","inputt":1}]',
      /row 1: .*\n.*row 2: .*inputt.*input/,
    ],
    [
      'a price of one tenant',
      '[{"model":"a/b","from":"2026-01-01","input":1,"tenant":"acme"}]',
      /a\/b: .*single tenant \(acme\)/,
    ],
    ['a price of zero', '[{"model":"a/b","from":"2026-01-01","input":0}]', /free: true/],
  ])('%s are refused', async (_, text, message) => {
    const path = await file(text)
    await expect(start({ overrides: path })).rejects.toMatchObject({ message: expect.stringMatching(message) })
  })

  test('that are not there are refused', async () => {
    await expect(start({ overrides: join(folder.path, 'gone.json') })).rejects.toThrow(/gone\.json cannot be read/)
  })

  test('lie over the seed, and change the version', async () => {
    const rows = [{ model: 'acme/own', from: '2026-01-01', input: 2, output: 4, context: 8_000 }]
    await start({ overrides: await file(JSON.stringify(rows)) })
    const entry = current().resolve('acme/own')
    expect(entry.limits.context).toBe(8_000)
    const cost = current().price(entry, { inputTokens: 1_000_000, outputTokens: 0 })
    expect(microUsd(cost?.pico ?? 0n)).toBe(2_000_000)
    expect(current().version).not.toBe(seedCatalog().version)
    expect(current().size).toBe(seedCatalog().size + 1)
  })
})

describe('where the feeds are', () => {
  test.each<[string, UpdateInput, RegExp]>([
    ['a host that is not listed', { urls: { modelsDev: 'https://evil.example/api.json' } }, /other hosts .*evil\.example/],
    ['a list without the host', { hosts: ['models.dev'] }, /configs\.portkey\.ai/],
    ['no URL', { urls: { liteLlm: 'file:///etc/passwd' } }, /http or https/],
    ['an interval that would flood', { intervalMs: 1_000 }, /intervalMs/],
  ])('%s is refused at start', async (_, update, message) => {
    await expect(start({ update: { enabled: true, ...update } })).rejects.toThrow(message)
  })
})

interface Answer {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** models.dev's shape: prices of `acme`, in USD per million tokens. */
const dev = (prices: Readonly<Record<string, number>>): object => ({
  acme: {
    id: 'acme',
    models: Object.fromEntries(
      Object.entries(prices).map(([id, input]) => [
        id,
        { id, modalities: { input: ['text'], output: ['text'] }, limit: { context: 9_000 }, cost: { input, output: input } },
      ]),
    ),
  },
})

describe('hot update', () => {
  let server: Server
  let base: string
  let requests: { readonly path: string; readonly etag: string | undefined }[]
  let answers: Map<string, Answer | 'hang'>

  beforeEach(async () => {
    requests = []
    answers = new Map()
    server = createServer((request: IncomingMessage, response) => {
      const path = request.url ?? ''
      requests.push({ path, etag: request.headers['if-none-match'] })
      const answer = answers.get(path) ?? { status: 404 }
      if (answer === 'hang') return
      const same = answer.headers?.etag !== undefined && answer.headers.etag === request.headers['if-none-match']
      response.writeHead(same ? 304 : answer.status, answer.headers).end(same ? undefined : answer.body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const serve = (path: string, content: unknown, etag?: string): void => {
    const body = typeof content === 'string' ? content : JSON.stringify(content)
    answers.set(path, { status: 200, body, ...(etag !== undefined && { headers: { etag } }) })
  }
  const update = (more: Partial<UpdateInput> = {}): UpdateInput => ({
    enabled: true,
    hosts: ['127.0.0.1'],
    allow: ['127.0.0.1/32'],
    urls: { portkeyPricing: false, portkeyGeneral: false, modelsDev: `${base}/dev`, liteLlm: false },
    ...more,
  })
  const bySlug = (): UpdateInput =>
    update({ urls: { portkeyPricing: `${base}/p/{slug}`, portkeyGeneral: false, modelsDev: false, liteLlm: false } })
  /** A feed of `count` models, above the size from which a provider's shrinkage counts. */
  const many = (count: number): object => dev(Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}`, 1])))
  const input = (id: string): number | undefined => current().get(id)?.prices[0]?.perToken.input
  const firstRound = (): Promise<unknown> => expect.poll(() => ended).toBe(1)
  /** The next round, to its end. It begins at the very end of the wait: the bounds of its requests run on the same clock. */
  const next = async (): Promise<void> => {
    const before = ended
    await clock.advance(HOUR)
    await expect.poll(() => ended).toBe(before + 1)
  }

  test('brings what is new at once, and tells it', async () => {
    serve('/dev', dev({ one: 3 }))
    await start({ update: update() })
    await firstRound()
    expect(input('acme/one')).toBe(3_000_000)
    expect(changes()).toMatchObject([{ added: ['acme/one'], removed: [], quarantined: [], version: current().version }])
    expect(status().feeds).toEqual([{ feed: 'models-dev', rows: 1, goodAt: START, ageMs: 0, failures: 0, error: undefined }])
  })

  test('asks again at each interval, with the ETag, and takes a 304 for good news', async () => {
    serve('/dev', dev({ one: 3 }), '"v1"')
    await start({ update: update() })
    await firstRound()
    const held = current()
    await next()
    expect(requests.map(({ etag }) => etag)).toEqual([undefined, '"v1"'])
    expect(current()).toBe(held)
    expect(changes()).toHaveLength(1)
    expect(status().feeds[0]).toMatchObject({ goodAt: clock.now(), failures: 0 })
  })

  test.each<[string, Answer]>([
    ['a page of HTML', { status: 200, body: '<html>sorry</html>' }],
    ['JSON that is cut off', { status: 200, body: '{"acme":{"models":{' }],
    ['another shape', { status: 200, body: '[]' }],
    ['an empty object', { status: 200, body: '{}' }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }],
    ['an error', { status: 503, body: 'busy' }],
    ['nothing there', { status: 404 }],
    ['over 16 MiB, though it be a feed', { status: 200, body: JSON.stringify(dev({ one: 5 })).padEnd(16 * 1024 * 1024 + 1) }],
  ])('%s leaves the last good in force, is logged, and is shown with its age', async (_, answer) => {
    serve('/dev', dev({ one: 3 }))
    await start({ update: update() })
    await firstRound()
    const held = current()
    answers.set('/dev', answer)
    await next()
    await next()
    expect(current()).toBe(held)
    expect(status().feeds[0]).toMatchObject({
      rows: 1,
      goodAt: START,
      ageMs: clock.now() - START,
      failures: 2,
      error: expect.any(String),
    })
    expect(log.records.filter(({ level }) => level === 'warn')).toHaveLength(2)
    serve('/dev', dev({ one: 4 }))
    await next()
    expect(status().feeds[0]).toMatchObject({ failures: 0, error: undefined, ageMs: 0 })
    expect(input('acme/one')).toBe(4_000_000)
  })

  test('a feed that shrank by more than 30 % is refused', async () => {
    serve('/dev', many(100))
    await start({ update: update() })
    await firstRound()
    serve('/dev', many(69))
    await next()
    expect(status().feeds[0]).toMatchObject({
      rows: 100,
      error: expect.stringMatching(/refused: 69 entries where there were 100/),
    })
    serve('/dev', many(71))
    await next()
    expect(status().feeds[0]).toMatchObject({ rows: 71, error: undefined })
  })

  test('a price that moved more than tenfold keeps its old value, and is listed for a person', async () => {
    serve('/dev', dev({ one: 3, two: 3 }))
    await start({ update: update() })
    await firstRound()
    serve('/dev', dev({ one: 31, two: 29 }))
    await next()
    expect([input('acme/one'), input('acme/two')]).toEqual([3_000_000, 29_000_000])
    expect(status().quarantined).toContainEqual(
      expect.objectContaining({ id: 'acme/one', field: 'input', reason: 'jumped', was: 3_000_000, now: 31_000_000 }),
    )
    expect(changes().at(-1)?.repriced).toEqual(['acme/two'])
  })

  test('overrides stay above the feeds', async () => {
    serve('/dev', dev({ one: 3 }))
    const overrides = await folder.write('o.json', '[{"model":"acme/one","from":"2020-01-01","input":7,"output":7}]')
    await start({ overrides, update: update() })
    await firstRound()
    const cost = current().price(current().resolve('acme/one'), { inputTokens: 1_000_000, outputTokens: 0 })
    expect(microUsd(cost?.pico ?? 0n)).toBe(7_000_000)
  })

  test('the last good outlives a restart without network, ETag and age included', async () => {
    serve('/dev', dev({ one: 3 }), '"v1"')
    await start({ dataDir: folder.path, update: update() })
    await firstRound()
    const { version } = current()
    await started?.close()
    answers.set('/dev', { status: 503 })
    await clock.advance(HOUR)
    await start({ dataDir: folder.path, update: update() })
    expect(current().version).toBe(version)
    await expect.poll(() => requests.at(-1)).toEqual({ path: '/dev', etag: '"v1"' })
    await expect.poll(() => status().feeds[0]?.failures).toBe(1)
    expect(status().feeds[0]).toMatchObject({ rows: 1, goodAt: START, ageMs: HOUR })
  })

  test.each(['', 'no head', '{"asOf":"soon"}\n{}', '{"asOf":1}\n<html>'])(
    'a kept file that holds %j is as if it were not there',
    async (text) => {
      await mkdir(join(folder.path, 'catalog/models-dev'), { recursive: true })
      await writeFile(join(folder.path, 'catalog/models-dev/models-dev.feed'), text)
      answers.set('/dev', { status: 503 })
      await start({ dataDir: folder.path, update: update() })
      expect(current()).toBe(seedCatalog())
      await firstRound()
      expect(status().feeds[0]).toMatchObject({ rows: 0, goodAt: undefined, ageMs: undefined, failures: 1 })
    },
  )

  test('a folder that cannot be written costs nothing but the memory of it', async () => {
    const dataDir = await folder.write('a-file', '')
    serve('/dev', dev({ one: 3 }))
    await start({ dataDir, update: update() })
    await firstRound()
    expect(input('acme/one')).toBe(3_000_000)
    expect(status().feeds[0]?.error).toMatch(/^not kept: /)
  })

  /** Portkey's shape, in US cents a token. */
  const file = (cents: number): object => ({
    'gpt-test': { pricing_config: { pay_as_you_go: { request_token: { price: cents }, response_token: { price: cents } } } },
  })

  test('a feed of many files takes those that are there, and goes on where one fails', async () => {
    serve('/p/openai', file(0.0003))
    serve('/p/groq', file(0.0001), '"g"')
    await start({ dataDir: folder.path, update: bySlug() })
    await firstRound()
    expect([input('openai/gpt-test'), input('groq/gpt-test')]).toEqual([3_000_000, 1_000_000])
    expect((await readdir(join(folder.path, 'catalog/portkey-pricing'))).sort()).toEqual(['groq.feed', 'openai.feed'])
    answers.set('/p/openai', { status: 500 })
    serve('/p/groq', file(0.0002), '"h"')
    await next()
    expect([input('openai/gpt-test'), input('groq/gpt-test')]).toEqual([3_000_000, 2_000_000])
    expect(status().feeds[0]).toMatchObject({ rows: 2, error: expect.stringContaining('/p/openai answered 500') })
  })

  test('a file that is there no more is given up, and kept no longer', async () => {
    const slugs = ['groq', 'openai', 'x-ai', 'z-ai']
    for (const slug of slugs) serve(`/p/${slug}`, file(0.0001))
    await start({ dataDir: folder.path, update: bySlug() })
    await firstRound()
    expect(current().get('z-ai/gpt-test')).toBeDefined()
    answers.delete('/p/z-ai')
    await next()
    expect(current().get('z-ai/gpt-test')).toBeUndefined()
    expect(changes().at(-1)).toMatchObject({ removed: ['z-ai/gpt-test'] })
    expect(await readdir(join(folder.path, 'catalog/portkey-pricing'))).toHaveLength(3)
    expect(status().feeds[0]).toMatchObject({ rows: 3, failures: 0 })
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
    serve('/p/groq', { joint: file(0.0001)['gpt-test' as never] })
    serve('/g/groq', { joint: { type: { primary: 'chat', supported: ['tools'] } } })
    serve('/dev', {
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
    serve('/lite', litellm)
    const urls = {
      portkeyPricing: `${base}/p/{slug}`,
      portkeyGeneral: `${base}/g/{slug}`,
      modelsDev: `${base}/dev`,
      liteLlm: `${base}/lite`,
    }
    await start({ update: update({ urls }) })
    await firstRound()
    expect(status().feeds.map(({ feed, rows, error }) => [feed, rows, error])).toEqual([
      ['portkey-pricing', 1, undefined],
      ['portkey-general', 1, undefined],
      ['models-dev', 1, undefined],
      ['litellm', 1, undefined],
    ])
    expect(current().resolve('groq/joint')).toMatchObject({ caps: { tools: true, vision: true }, limits: { context: 4_000 } })
  })

  test('closing breaks off a round that waits, and leaves no timer', async () => {
    answers.set('/dev', 'hang')
    const { close } = await start({ update: update() })
    await expect.poll(() => requests.length).toBe(1)
    await close()
    expect(clock.pending()).toBe(0)
    expect(log.records.filter(({ level }) => level === 'error')).toEqual([])
  })
})
