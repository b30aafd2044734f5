import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { microUsd, seedCatalog } from '@switchyard/catalog'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { UpdateInput } from '../src/catalog/options.ts'
import { type CatalogUnderTest, catalogUnderTest } from './support/catalog.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'

let folder: TemporaryFolder
let it: CatalogUnderTest
beforeEach(async () => {
  folder = await temporaryFolder()
  it = catalogUnderTest()
})
afterEach(async () => {
  await it.close()
  await folder.remove()
})

test('by default it is the seed, no file is touched, and nothing waits', async () => {
  await it.start({ dataDir: folder.path })
  expect(it.current()).toBe(seedCatalog())
  expect(it.status()).toMatchObject({ updates: false, feeds: [], version: seedCatalog().version, models: seedCatalog().size })
  expect(it.clock.pending()).toBe(0)
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
    await expect(it.start({ overrides: path })).rejects.toMatchObject({ message: expect.stringMatching(message) })
  })

  test('that are not there are refused', async () => {
    await expect(it.start({ overrides: join(folder.path, 'gone.json') })).rejects.toThrow(/gone\.json cannot be read/)
  })

  test('lie over the seed, and change the version', async () => {
    const rows = [{ model: 'acme/own', from: '2026-01-01', input: 2, output: 4, context: 8_000 }]
    await it.start({ overrides: await file(JSON.stringify(rows)) })
    const entry = it.current().resolve('acme/own')
    expect(entry.limits.context).toBe(8_000)
    const cost = it.current().price(entry, { inputTokens: 1_000_000, outputTokens: 0 })
    expect(microUsd(cost?.pico ?? 0n)).toBe(2_000_000)
    expect(it.current().version).not.toBe(seedCatalog().version)
    expect(it.current().size).toBe(seedCatalog().size + 1)
  })

  test('may be said as rows, which a file outdoes and which are checked alike', async () => {
    const row = { model: 'acme/own', from: '2026-01-01', input: 2 }
    const costOf = (name: string): bigint | undefined =>
      it.current().price(it.current().resolve(name), { inputTokens: 1, outputTokens: 0 })?.pico
    await expect(it.start({ rows: [{ ...row, inputt: 1 }] })).rejects.toThrow(/rows:\n.*row 1: .*inputt/)
    await it.start({
      rows: [row, { ...row, model: 'acme/two' }],
      overrides: await file(JSON.stringify([{ ...row, input: 3 }])),
    })
    expect([costOf('acme/own'), costOf('acme/two')]).toEqual([3_000_000n, 2_000_000n])
  })
})

describe('where the feeds are', () => {
  test.each<[string, UpdateInput, RegExp]>([
    ['a host that is not listed', { urls: { modelsDev: 'https://evil.example/api.json' } }, /other hosts .*evil\.example/],
    ['a list without the host', { hosts: ['models.dev'] }, /configs\.portkey\.ai/],
    ['no URL', { urls: { liteLlm: 'file:///etc/passwd' } }, /http or https/],
    ['an interval that would flood', { intervalMs: 1_000 }, /intervalMs/],
  ])('%s is refused at start', async (_, update, message) => {
    await expect(it.start({ update: { enabled: true, ...update } })).rejects.toThrow(message)
  })
})
