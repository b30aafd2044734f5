import { join } from 'node:path'
import { resilience } from '@switchyard/resilience'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { choose } from '../src/config/configure.ts'
import { validSettings } from '../src/config/read.ts'
import type { NamedPlugin, SettingsInput } from '../src/config/settings.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'

let folder: TemporaryFolder
let config: string
beforeAll(async () => {
  folder = await temporaryFolder()
  config = join(folder.path, 'switchyard.config.json')
  const factory = (name: string): string =>
    `(options, placement = {}) => ({ definition: { name: '${name}' }, input: options, placement })`
  await folder.write('one.js', `export const one = ${factory('one')}\nexport const help = 'no function'`)
  await folder.write(
    'several.ts',
    `export const first = ${factory('first')}
     export const second = ${factory('second')}
     export class Other {}
     export async function connect() { throw new Error('called without need') }
     export function strict(options) { if (!options.url) throw new Error('no url'); return {} }`,
  )
  await folder.write('none.js', 'export const value = 1')
  await folder.write('broken.js', "throw new Error('its own reason')")
  await folder.write('needy.js', "import 'a-package-that-is-not-there'")
})
afterAll(() => folder.remove())

async function chosen(input: SettingsInput, env: NodeJS.ProcessEnv = {}): ReturnType<typeof choose> {
  return choose(await validSettings(input, 'test'), config, env)
}

async function refusal(...plugins: NamedPlugin[]): Promise<string> {
  const error = await chosen({ plugins }).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
  return (error as Error).message
}

describe('a plugin that cannot be had', () => {
  test.each<[NamedPlugin, RegExp]>([
    [{ use: './gone.js' }, /^plugin ".\/gone\.js" could not be loaded: there is no \/.*gone\.js$/],
    [{ use: 'switchyard-gone' }, /^plugin "switchyard-gone" could not be loaded .*; npm install switchyard-gone$/s],
    [{ use: '@acme/gone' }, /; npm install @acme\/gone$/],
    [{ use: './broken.js' }, /^plugin ".\/broken\.js" could not be loaded \(its own reason\)$/],
    [{ use: './needy.js' }, /a-package-that-is-not-there[^;]*$/],
    [{ use: './none.js' }, /^\.\/none\.js: it exports no plugin factory/],
    [{ use: './none.js', export: 'value' }, /^\.\/none\.js: it exports no plugin factory/],
    [{ use: './several.ts' }, /^\.\/several\.ts: it exports several plugins; set "export" to one of: first, second$/],
    [{ use: './several.ts', export: 'third' }, /it exports no plugin "third"; set "export" to one of: first, second$/],
    [{ use: './one.js', export: 'help' }, /it exports no plugin "help"; set "export" to one of: one$/],
  ])('%j', async (entry, message) => {
    expect(await refusal(entry)).toMatch(message)
  })

  test('several are told at once', async () => {
    const message = await refusal({ use: './gone.js' }, { use: './one.js' }, { use: './broken.js' })
    expect(message).toMatch(/^2 plugins cannot be had:\n {2}.*gone\.js.*\n {2}.*broken\.js.*$/)
  })

  test('exports that are no factories may reject: nothing is left unhandled', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    await refusal({ use: './several.ts' })
    await new Promise(setImmediate)
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })
})

describe('a plugin by name', () => {
  test('gets its options and its place', async () => {
    const bind = { sql: 'main' }
    const { own } = await chosen({ plugins: [{ use: './one.js', options: { a: 1 }, as: 'mine', bind }] })
    expect(own).toEqual([{ definition: { name: 'one' }, input: { a: 1 }, placement: { as: 'mine', bind } }])
  })

  test('is picked by "export", by an absolute path, and from what ships with the gateway', async () => {
    const { own } = await chosen({
      plugins: [
        { use: './several.ts', export: 'second' },
        { use: join(folder.path, 'one.js') },
        { use: '@switchyard/resilience' },
        resilience(),
      ],
    })
    expect(own.map(({ definition }) => definition.name)).toEqual([
      'second',
      'one',
      '@switchyard/resilience',
      '@switchyard/resilience',
    ])
    expect(own[0]).toMatchObject({ input: {}, placement: {} })
  })
})

describe('an open host', () => {
  test.each(['0.0.0.0', '::', '192.168.1.5', 'localhost.example.com', '127.0.0.1.example.com'])(
    '%s without keys is refused, with one is not',
    async (host) => {
      await expect(chosen({ server: { host }, embedded: false })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`server.host ${host} lets other machines in, but auth.keys is empty`),
      })
      await chosen({ server: { host }, embedded: false, auth: { keys: [{ key: 'sk-a-long-enough-key', tenant: 'acme' }] } })
    },
  )

  test.each(['sk-1234', 'YOUR_KEY', 'sk-xxxxxxxxxxxxxxxxxxxx', '0123456789abcde'])(
    'with the key %s, which can be guessed, is refused, and loopback is not (A22)',
    async (key) => {
      const keys = [
        { key: 'sk-a-long-enough-key', tenant: 'acme' },
        { key, tenant: 'acme' },
      ]
      const input = { embedded: false, auth: { keys } }
      const refused = await chosen({ server: { host: '0.0.0.0' }, ...input }).catch((error: unknown) => error as Error)
      expect(refused).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('auth.keys[1] can be guessed') })
      expect(String(refused)).not.toContain(key)
      await chosen(input)
    },
  )

  test.each(['localhost', '127.0.0.1', '127.8.0.1', '::1'])('%s needs no key', async (host) => {
    await expect(chosen({ server: { host }, embedded: false })).resolves.toBeDefined()
  })
})

test.each<[SettingsInput, object | undefined]>([
  [{}, { portkey: true, demo: true }],
  [{ plugins: [] }, undefined],
  [{ embedded: false }, undefined],
  [
    { embedded: true, plugins: [] },
    { portkey: true, demo: true },
  ],
  [{ embedded: { demo: false } }, { portkey: true, demo: false }],
])('the embedded default for %j is %j', async (input, parts) => {
  const { embedded } = await chosen({ ...input, dataDir: 'data' })
  const catalog = { update: false }
  expect(embedded).toEqual(parts && { ...parts, catalog, env: {}, dataDir: join(folder.path, 'data') })
})

test("the catalog's overrides are looked for beside the configuration", async () => {
  const { embedded } = await chosen({ catalog: { overrides: 'prices.json', update: true } })
  expect(embedded?.catalog).toEqual({ overrides: join(folder.path, 'prices.json'), update: true })
})
