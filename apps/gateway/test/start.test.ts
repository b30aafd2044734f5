import { type FakeUpstream, startFakeUpstream } from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { banner } from '../src/cli/banner.ts'
import { PROVIDER_KEYS } from '../src/config/provider-keys.ts'
import { cli } from './support/cli.ts'
import { type TemporaryFolder, temporaryFolder } from './support/folder.ts'

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
type Signal = (typeof SIGNALS)[number]

let folder: TemporaryFolder
let before: Map<Signal, readonly unknown[]>
beforeEach(async () => {
  folder = await temporaryFolder()
  before = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal)]))
})
afterEach(async () => {
  vi.restoreAllMocks()
  for (const signal of SIGNALS) for (const listener of ours(signal)) process.off(signal, listener)
  await folder.remove()
})

function ours(signal: Signal): NodeJS.SignalsListener[] {
  return process.listeners(signal).filter((listener) => !before.get(signal)?.includes(listener))
}

/** What the signal would do to the process, had it been sent. */
function send(signal: Signal): void {
  for (const listener of ours(signal)) listener(signal)
}

describe('start', () => {
  let upstream: FakeUpstream
  beforeEach(async () => {
    upstream = await startFakeUpstream()
  })
  afterEach(() => upstream.close())

  const config = (provider: string, server: object = {}): Promise<string> => {
    const options = { provider, baseUrl: upstream.url, egress: { allow: ['127.0.0.0/8'] } }
    const plugins = [{ use: '@switchyard/provider-openai', options }]
    return folder.write('switchyard.config.json', JSON.stringify({ server: { port: 0, ...server }, plugins }))
  }
  const urlIn = (out: string): string => /API +(\S+)\/v1\n/.exec(out)?.[1] ?? 'no URL'
  const ask = (url: string, model: string): Promise<Response> =>
    fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model, messages: [], stream: true }) })

  test('serves, reloads on SIGHUP, and leaves with 0 on a signal once all is answered', async () => {
    await config('one')
    const { out, code } = await cli(['start', '--no-watch', '--log-level', 'silent'], folder.path)
    expect([out, code]).toEqual([expect.stringContaining('Switchyard is ready'), 0])
    const url = urlIn(out)
    expect((await ask(url, 'one/x')).status).toBe(200)
    await config('two')
    send('SIGHUP')
    await expect.poll(async () => (await ask(url, 'two/x')).status).toBe(200)

    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never)
    const stream = await ask(url, 'two/x!delay:tokens:20')
    send('SIGINT')
    expect(await stream.text()).toContain('[DONE]')
    await expect.poll(() => exit.mock.calls).toEqual([[0]])
    await expect(fetch(url)).rejects.toThrow()
  })

  test('leaves with 1 at once on a second signal', async () => {
    await config('one', { drainDelayMs: 300 })
    const { out } = await cli(['start', '--log-level', 'silent'], folder.path)
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never)
    send('SIGTERM')
    expect((await fetch(`${urlIn(out)}/readyz`)).status).toBe(503)
    expect(exit).not.toHaveBeenCalled()
    send('SIGTERM')
    expect(exit.mock.calls).toEqual([[1]])
    await expect.poll(() => exit.mock.calls, { timeout: 5_000 }).toContainEqual([0])
  })

  test('is refused for a port that is taken, or for two configurations, with exit code 1 and no stack', async () => {
    await config('one', { port: upstream.port })
    const taken = await cli(['start'], folder.path)
    expect(taken).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^switchyard: CONFIG_INVALID: cannot listen on .*\n$/),
    })
    await folder.write('switchyard.config.ts', '')
    const two = await cli(['start'], folder.path)
    expect(two).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^switchyard: CONFIG_INVALID: .* are both here: .*\n$/),
    })
  })
})

describe('the banner', () => {
  const facts = {
    url: 'http://127.0.0.1:1',
    models: ['demo/*'],
    env: {},
    keyNeeded: false,
    startedInMs: 1_234,
    providers: ['demo'],
  }
  const every = Object.fromEntries(PROVIDER_KEYS.flatMap(({ variables }) => variables.map((name) => [name, 'k'])))

  test('shows a request that works as it stands', () => {
    const text = banner(facts)
    expect(text).toContain('ready in 1.2 s')
    expect(text).toContain('"model":"demo/chat"')
    expect(text).toContain("apiKey: 'none-needed'")
    expect(text).not.toContain('authorization')
  })

  test('shows where the key goes where one is needed', () => {
    const text = banner({ ...facts, keyNeeded: true })
    expect(text).toContain(`-H 'authorization: Bearer YOUR_KEY'`)
    expect(text).toContain("apiKey: 'YOUR_KEY'")
  })

  test.each([
    [['own/*', 'own/small'], 'own/small'],
    [['own/*', 'any model'], 'PROVIDER/MODEL'],
    [['own/*', 'chat-default', 'any model'], 'chat-default'],
    [[], 'PROVIDER/MODEL'],
  ])('without the demo, of %j it asks for %s', (models, example) => {
    const text = banner({ ...facts, models, providers: undefined })
    expect(text).toContain(`"model":"${example}"`)
    expect(text).toContain(`Providers on   ${models.join(', ') || 'none'}`)
  })

  test('names variables that switch more on only where they do', () => {
    expect(banner(facts)).toMatch(/Switch on more by setting PORTKEY_API_KEY, OPENAI_API_KEY/)
    expect(banner({ ...facts, env: { GOOGLE_API_KEY: 'k' } })).not.toContain('GEMINI_API_KEY')
    expect(banner({ ...facts, providers: undefined })).not.toContain('Switch on')
    expect(banner({ ...facts, env: { ...every, PORTKEY_API_KEY: 'k' } })).not.toContain('Switch on')
  })
})
