// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references, as a configuration writes them
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findConfig, readSettings, validSettings } from '../src/config/read.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'

let folder: TemporaryFolder
let count = 0
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

/** Each file has a folder of its own, as a user's has. */
function write(name: string, text: string): Promise<string> {
  return folder.write(`${++count}/${name}`, text)
}

async function refusal(path: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const error = await readSettings(path, env).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
  return (error as Error).message
}

describe('a file that cannot be', () => {
  test('every problem is told at once; an unknown key names the nearest known one', async () => {
    const raw = {
      server: { prot: 1, port: 70_000 },
      logg: {},
      auth: { keys: [{ key: '', tenant: 'a' }, { key: 'sk-canary' }] },
    }
    const message = await refusal(await write('c.json', JSON.stringify(raw)))
    expect(message).toContain('unknown option "server.prot". Did you mean "server.port"?')
    expect(message).toContain('unknown option "logg". Did you mean "log"?')
    expect(message).toContain('option "server.port" is not valid')
    expect(message).toContain('option "auth.keys.0.key" is not valid: must not be empty')
    expect(message).toContain('option "auth.keys.1.tenant" is not valid')
    expect(message).not.toContain('canary')
  })

  test.each([
    ['a factory that was not called', () => ({})],
    ['an entry without "use"', { options: {} }],
    ['a name alone', '@switchyard/resilience'],
  ])('plugins: %s says what a plugin is', async (_, entry) => {
    await expect(validSettings({ plugins: [entry] }, 'test')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/"plugins\.0".*call its factory, or write \{ use:/),
    })
  })

  test.each([
    ['c.json', '{"server": ', /c\.json could not be read: .*JSON/],
    ['c.yaml', 'server: [', /c\.yaml could not be read: /],
    ['c.js', 'export default {', /c\.js could not be read: /],
    ['c.ts', 'throw new Error("its own reason")', /c\.ts could not be read: its own reason/],
    ['c.ts', 'export const config = {}', /c\.ts has no default export: write "export default defineConfig/],
    ['c.toml', 'port = 1', /c\.toml is of no known kind/],
    ['c.json', '[]', /c\.json:\n.*expected object/],
    ['c.yaml', 'only text', /c\.yaml:\n.*expected object/],
  ])('%s: %s', async (name, text, message) => {
    expect(await refusal(await write(name, text))).toMatch(message)
  })

  test('one that is not there', async () => {
    expect(await refusal('/nowhere/switchyard.config.ts')).toBe('/nowhere/switchyard.config.ts does not exist')
  })

  test('no wait of 0 for slow clients: it would drop every stream', async () => {
    await expect(validSettings({ server: { slowClientTimeoutMs: 0 } }, 'test')).rejects.toThrow(/slowClientTimeoutMs/)
  })
})

describe('references to the environment', () => {
  const text = '{"auth": {"keys": [{"key": "${ONE}", "tenant": "${TWO}-${THREE:-x}"}]}, "dataDir": "${ONE}/${FOUR}"}'

  test('all missing names are told at once, each once; an empty value is none', async () => {
    const message = await refusal(await write('c.json', text), { FOUR: '' })
    expect(message).toMatch(/not set, or empty: ONE, TWO, FOUR$/)
  })

  test.each([
    ['c.json', text],
    ['c.yaml', 'auth: { keys: [{ key: "${ONE}", tenant: "${TWO}-${THREE:-x}" }] }\ndataDir: ${ONE}/${FOUR}'],
  ])('%s is filled', async (name, given) => {
    const env = { ONE: 'sk-1', TWO: 'acme', FOUR: 'four' }
    const { auth, dataDir } = await readSettings(await write(name, given), env)
    expect(auth.keys[0]?.key.reveal()).toBe('sk-1')
    expect(auth.keys[0]?.tenant).toBe('acme-x')
    expect(dataDir).toBe('sk-1/four')
  })

  test('a module reads the environment itself, and keeps its ${…}', async () => {
    const { dataDir } = await readSettings(await write('c.mjs', "export default { dataDir: '${ONE}' }"), { ONE: 'no' })
    expect(dataDir).toBe('${ONE}')
  })
})

describe('every kind is read, and read again when it changed', () => {
  const module = (port: number): string => `export default { server: { port: ${port} } }`
  test.each<[string, (port: number) => string]>([
    ['switchyard.config.ts', (port) => `const port: number = ${port}\nexport default { server: { port } }`],
    ['switchyard.config.js', module],
    ['switchyard.config.mjs', module],
    ['switchyard.config.cjs', (port) => `module.exports = { server: { port: ${port} } }`],
    ['switchyard.config.json', (port) => `{ "server": { "port": ${port} } }`],
    ['switchyard.config.yaml', (port) => `server:\n  port: ${port}`],
    ['switchyard.config.yml', (port) => `server: { port: ${port} }`],
  ])('%s', async (name, text) => {
    const path = await write(name, text(1))
    expect((await readSettings(path, {})).server).toMatchObject({ port: 1, host: '127.0.0.1' })
    await folder.write(path.slice(folder.path.length + 1), text(2))
    expect((await readSettings(path, {})).server.port).toBe(2)
  })

  test('an empty YAML file, and no file, are the defaults', async () => {
    const empty = await readSettings(await write('c.yaml', ''), {})
    expect(empty).toEqual(await readSettings(undefined, {}))
    expect(empty).toMatchObject({ server: { port: 8080 }, auth: { keys: [] }, log: { level: 'info' }, dataDir: '.switchyard' })
  })
})

describe('finding it', () => {
  test('two in one folder are an error that names both', async () => {
    const path = await write('switchyard.config.ts', '')
    const here = path.slice(0, path.lastIndexOf('/'))
    await expect(findConfig(here)).resolves.toBe(path)
    await folder.write(`${count}/switchyard.config.yaml`, '')
    await expect(findConfig(here)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/config\.ts and .*config\.yaml are both here: keep one, or name it with --config$/),
    })
  })

  test('none is none', async () => {
    await expect(findConfig(`${folder.path}/nowhere`)).resolves.toBeUndefined()
  })
})
