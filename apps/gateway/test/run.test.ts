import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Settings, SettingsInput } from '../src/config/settings.ts'
import { type Running, run } from '../src/run.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'
import { type RecordedLog, recordedLog } from './support/recorded-log.ts'

let folder: TemporaryFolder
let recorded: RecordedLog
let running: Running | undefined
beforeEach(async () => {
  folder = await temporaryFolder()
  recorded = recordedLog()
})
afterEach(async () => {
  await running?.close()
  running = undefined
  await folder.remove()
})

const CONFIG = 'switchyard.config.json'
const write = (input: SettingsInput): Promise<string> => folder.write(CONFIG, JSON.stringify(input))
const using = (provider: string): SettingsInput => ({
  server: { port: 0 },
  plugins: [{ use: '@switchyard/provider-openai', options: { provider, baseUrl: 'http://127.0.0.1:9/v1' } }],
})
const known = (): readonly string[] | undefined => running?.gateway.live().directory.known
const said = (level: string): unknown[] =>
  recorded
    .lines()
    .filter((line) => line.level === level)
    .map(({ msg }) => msg)
const status = async (path: string): Promise<number> => (await fetch(`${running?.gateway.url}${path}`)).status

async function start(
  input: SettingsInput,
  options: { watch?: boolean; override?(settings: Settings): Settings } = {},
): Promise<void> {
  const configPath = await write(input)
  const override = options.override ?? ((settings: Settings): Settings => settings)
  running = await run({ configPath, env: {}, log: recorded.log, watch: options.watch ?? false, override })
}

describe('a start that fails', () => {
  test('leaves no child of the embedded default behind', async () => {
    await start({ server: { port: 0 }, embedded: false })
    const port = Number(new URL(running?.gateway.url ?? '').port)
    const configPath = await folder.write(
      'second.json',
      JSON.stringify({ server: { port }, log: { level: 'debug' }, dataDir: 'data' }),
    )
    const options = { configPath, env: {}, log: recorded.log, watch: false, override: (settings: Settings) => settings }
    await expect(run(options)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('taken') })
    const child = recorded.lines().find(({ msg }) => msg === 'portkey started')
    expect(() => process.kill(child?.pid as number, 0)).toThrow(/ESRCH/)
  })

  test('for a data folder that cannot be made names it', async () => {
    await folder.write('file', 'not a folder')
    const started = start({ server: { port: 0 }, embedded: { portkey: false }, dataDir: 'file/data' })
    await expect(started).rejects.toMatchObject({
      code: 'STARTUP_FAILED',
      message: expect.stringContaining(join(folder.path, 'file/data')),
    })
  })
})

describe('a change of the file', () => {
  test('is served, a broken one changes nothing, and the next good one is served again', async () => {
    await start(using('one'), { watch: true })
    expect(known()).toEqual(['one/*'])
    await write(using('two'))
    await expect.poll(known).toEqual(['two/*'])
    await folder.write(CONFIG, '{"server": ')
    await expect.poll(() => said('error')).toHaveLength(1)
    expect(said('error')[0]).toMatch(/^configuration not reloaded, the running one stays: .*could not be read/)
    expect(known()).toEqual(['two/*'])
    expect(await status('/readyz')).toBe(200)
    await write(using('three'))
    await expect.poll(known).toEqual(['three/*'])
  })

  test('is nothing without watching, until reload is called', async () => {
    await start(using('one'))
    await write(using('two'))
    await running?.reload()
    expect(known()).toEqual(['two/*'])
    expect(said('info')).toEqual(['configuration reloaded'])
  })

  test('cannot be seen where the system watches no more: said, and still served', async () => {
    const gone = (settings: Settings): Settings => {
      rmSync(folder.path, { recursive: true })
      return settings
    }
    await start(using('one'), { watch: true, override: gone })
    expect(said('warn')).toEqual(['the configuration file is not watched; SIGHUP reads it again'])
    expect(await status('/healthz')).toBe(200)
  })
})

describe('a reload', () => {
  test('that breaks for another reason than the configuration is survived too', async () => {
    let broken = false
    await start(using('one'), {
      override(settings) {
        if (broken) throw new Error('a bug')
        return settings
      },
    })
    broken = true
    await running?.reload()
    expect(said('error')).toEqual(['configuration not reloaded, the running one stays: Error: a bug'])
  })

  test('takes the log level along, and flags win again', async () => {
    await start({ ...using('one'), log: { level: 'error' } })
    recorded.log.warn({}, 'not written')
    await write({ ...using('one'), log: { level: 'debug' } })
    await running?.reload()
    recorded.log.debug({}, 'written')
    expect(said('warn')).toEqual([])
    expect(said('debug')).toContain('written')
    await running?.close()
    await start(
      { ...using('one'), log: { level: 'debug' } },
      { override: (settings) => ({ ...settings, log: { level: 'warn' } }) },
    )
    recorded.log.debug({}, 'overridden')
    expect(said('debug')).not.toContain('overridden')
  })

  test('says that the embedded parts keep what they were started with', async () => {
    const server = { port: 0 }
    await start({ server, embedded: { portkey: false, demo: false }, dataDir: 'one' })
    await write({ server, embedded: { portkey: false, demo: false }, dataDir: 'two' })
    await running?.reload()
    expect(recorded.lines().find(({ level }) => level === 'warn')).toMatchObject({ embedded: ['dataDir'] })
    expect(said('info')).toEqual(['configuration reloaded'])
  })

  test('may switch the embedded default on', async () => {
    await start(using('one'))
    expect(running?.providers).toBeUndefined()
    await write({ ...using('one'), embedded: { portkey: false, demo: false } })
    await running?.reload()
    expect(await (await fetch(`${running?.gateway.url}/readyz`)).json()).toMatchObject({
      plugins: { 'connector-sqlite': 'ok', 'provider-openai': expect.any(String) },
    })
  })
})

describe('closing', () => {
  test('breaks off a reload whose plugins do not come up', async () => {
    const hang = `export const hang = (input, placement = {}) => ({ input, placement, definition: {
      name: 'hang', contract: 1, options: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } },
      setup() { globalThis.hanging = true; return new Promise(() => {}) },
    } })`
    await folder.write('hang.js', hang)
    await start(using('one'))
    await write({ ...using('one'), plugins: [{ use: './hang.js' }] })
    const reloading = running?.reload()
    await expect.poll(() => 'hanging' in globalThis).toBe(true)
    await running?.close()
    await reloading
    expect(said('error')).toEqual([expect.stringMatching(/^configuration not reloaded, the running one stays: .*clos/)])
  })

  test('is the end: a later reload starts nothing', async () => {
    await start(using('one'))
    await running?.close()
    await running?.reload()
    expect(said('error')).toEqual([])
    expect(said('info')).toEqual([])
    const { hostname, port } = new URL(running?.gateway.url ?? '')
    const refused = new Promise((resolve) => connect(Number(port), hostname).once('error', resolve))
    expect(await refused).toMatchObject({ code: 'ECONNREFUSED' })
  })
})
