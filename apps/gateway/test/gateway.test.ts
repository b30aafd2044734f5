import type { Plugin } from '@switchyard/contract'
import { openai } from '@switchyard/provider-openai'
import { type FakeUpstream, startFakeUpstream } from '@switchyard/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { validSettings } from '../src/config/read.ts'
import type { SettingsInput } from '../src/config/settings.ts'
import type { Configured } from '../src/gateway.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { CHAT_HEAD, rawRequest } from './support/raw-request.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

const KEY = { key: 'sk-one', tenant: 'acme' }
let gateway: TestGateway
afterEach(() => gateway?.close())

async function configured(plugins: readonly Plugin[], input: SettingsInput = {}): Promise<Configured> {
  return { settings: await validSettings({ ...input, server: { port: 0, ...input.server } }, 'test'), assembly: { plugins } }
}

function ask(model: string, key = 'none'): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model }),
  })
}

const ready = async (): Promise<number> => (await fetch(`${gateway.url}/readyz`)).status

const inFlight = async (): Promise<number> => (await gateway.gateway.kernel.inspect()).callsInFlight

/** A chat whose head the gateway has read, and whose body it waits for. */
async function halfway(body: string, headers = ''): Promise<{ finish(): Promise<string> }> {
  const head = `${CHAT_HEAD}${headers}connection: close\r\nexpect: 100-continue\r\ncontent-length: ${body.length}\r\n\r\n`
  const { socket, closed, received } = rawRequest(gateway.url, head)
  await expect.poll(received).toContain('100 Continue')
  return {
    finish() {
      socket.write(body)
      return closed
    },
  }
}

/** Answers once it is released. */
function heldProvider(): { readonly provider: Plugin; release(): void } {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  return { provider: stubProvider({ name: 'held', invoke: () => held.then(() => wholeReply({})) }), release: () => release() }
}

describe('an open host without keys', () => {
  test('is refused at the start, before a plugin is set up', async () => {
    const plugin = stubProvider({ name: 'a', setup: () => Promise.reject(new Error('was set up')) })
    await expect(testGateway([plugin], { server: { host: '0.0.0.0' } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('auth.keys is empty'),
    })
  })

  test.each([
    ['0.0.0.0', 'as it was'],
    ['127.0.0.1', 'changed to loopback, which only a restart applies'],
  ])('is refused by a reload that drops the keys, with the host %s (%s)', async (host) => {
    const key = 'sk-a-long-enough-key'
    const auth = { keys: [{ key, tenant: 'acme' }] }
    gateway = await testGateway([stubProvider({ name: 'a' })], { server: { host: '0.0.0.0' }, auth })
    const next = await configured([stubProvider({ name: 'a' })], { server: { host } })
    await expect(gateway.gateway.reload(next)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect((await ask('a/x')).status).toBe(401)
    expect((await ask('a/x', key)).status).toBe(200)
  })
})

describe('a reload', () => {
  beforeEach(async () => {
    gateway = await testGateway([stubProvider({ name: 'old' })], { auth: { keys: [KEY] } })
  })
  const reload = async (plugins: readonly Plugin[], input: SettingsInput = {}): Promise<void> =>
    gateway.gateway.reload(await configured(plugins, { auth: { keys: [KEY] }, ...input }))
  const warned = (): unknown =>
    gateway
      .logged()
      .filter(({ level }) => level === 'warn')
      .map(({ settings }) => settings)

  test('that cannot start changes neither plugins nor keys nor times', async () => {
    const broken = stubProvider({ name: 'new', setup: () => Promise.reject(new Error('no')) })
    const input = { auth: { keys: [{ key: 'sk-two', tenant: 'acme' }] }, server: { maxBodyBytes: 1 } }
    await expect(reload([broken], input)).rejects.toMatchObject({ code: 'STARTUP_FAILED' })
    await expect(reload([stubProvider({ name: 'new' })], { auth: { keys: [KEY, KEY] } })).rejects.toThrow(/listed twice/)
    expect((await ask('old/x', 'sk-one')).status).toBe(200)
    expect((await ask('old/x', 'sk-two')).status).toBe(401)
  })

  test('brings new plugins, keys and limits, and takes the old ones away', async () => {
    const input = { auth: { keys: [{ key: 'sk-two', tenant: 'acme' }] }, server: { maxBodyBytes: 20 } }
    await reload([stubProvider({ name: 'new' })], input)
    expect((await ask('new/x', 'sk-one')).status).toBe(401)
    expect(await (await ask('new/x', 'sk-two')).json()).toEqual({ from: 'new' })
    expect((await ask('old/x', 'sk-two')).status).toBe(404)
    expect((await ask('new/a-model-with-a-long-name', 'sk-two')).status).toBe(413)
    expect(warned()).toEqual([])
  })

  test('of what only a restart applies is told each time, against what is at work', async () => {
    const server = { host: 'localhost', port: 1, maxHeaderBytes: 2_048 }
    await reload([stubProvider({ name: 'old' })], { server })
    await reload([stubProvider({ name: 'old' })], { server })
    expect(warned()).toEqual([Object.keys(server), Object.keys(server)])
    expect((await ask('old/x', 'sk-one')).status).toBe(200)
  })

  test('of a time takes hold at once, also where the headers could take longer than the whole', async () => {
    await reload([stubProvider({ name: 'old' })], { server: { requestTimeoutMs: 100, headersTimeoutMs: 60_000 } })
    const reply = await rawRequest(gateway.url, `${CHAT_HEAD}authorization: sk-one\r\ncontent-length: 5\r\n\r\n`).closed
    expect(reply).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('while a body comes in: the call goes to what is there after it', async () => {
    const sending = await halfway('{"model":"new/x"}', 'authorization: sk-one\r\n')
    await reload([stubProvider({ name: 'new' })])
    expect(await sending.finish()).toContain('{"from":"new"}')
  })

  test('at the same time as another: both take hold, the later one last', async () => {
    const slow = stubProvider({ name: 'slow', setup: () => new Promise((resolve) => setImmediate(resolve)) })
    const refused = stubProvider({ name: 'never', setup: () => Promise.reject(new Error('no')) })
    const other = { auth: { keys: [{ key: 'sk-other', tenant: 'acme' }] } }
    const outcomes = await Promise.allSettled([reload([slow]), reload([refused], other)])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect((await ask('slow/x', 'sk-one')).status).toBe(200)
    expect((await ask('slow/x', 'sk-other')).status).toBe(401)
  })
})

describe('readiness', () => {
  test('is off while a plugin is not well, which is named', async () => {
    gateway = await testGateway([
      stubProvider({ name: 'well', health: async () => {} }),
      stubProvider({ name: 'ill', health: () => Promise.reject(new Error('no connection to canary')) }),
    ])
    const reply = await fetch(`${gateway.url}/readyz`)
    expect(reply.status).toBe(503)
    expect(await reply.json()).toEqual({ status: 'not ready', plugins: { well: 'ok', ill: 'error' } })
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
  })

  test('is off for the whole drain delay, while requests are still served and asked to come no more', async () => {
    gateway = await testGateway([stubProvider({ name: 'a' })])
    expect(await ready()).toBe(200)
    const closed = gateway.gateway.close({ drainDelayMs: 500 })
    const reply = await fetch(`${gateway.url}/readyz`)
    expect([reply.status, await reply.json()]).toEqual([503, { status: 'draining' }])
    expect(reply.headers.get('connection')).toBe('close')
    expect((await ask('a/x')).status).toBe(200)
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
    await closed
    await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow()
    expect(gateway.gateway.close()).toBe(closed)
  })
})

describe('closing', () => {
  let upstream: FakeUpstream
  beforeEach(async () => {
    upstream = await startFakeUpstream()
  })
  afterEach(() => upstream.close())
  const provider = (): Plugin => openai({ provider: 'fake', baseUrl: upstream.url, egress: { allow: ['127.0.0.0/8'] } })
  const stream = (model: string): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ model, stream: true, messages: [] }) })

  test('waits for a stream in flight to its [DONE], and takes nothing new', async () => {
    gateway = await testGateway([provider()])
    const reply = await stream('fake/x!delay:tokens:30')
    const closed = gateway.close()
    expect(await reply.text()).toMatch(/data: \[DONE\]\n\n$/)
    await closed
    await expect(ready()).rejects.toThrow()
  })

  test('after drainTimeoutMs, as the last reload has it, ends a stream with an error event', async () => {
    gateway = await testGateway([provider()])
    const { live, reload } = gateway.gateway
    const { settings } = live()
    await reload({
      settings: { ...settings, server: { ...settings.server, drainTimeoutMs: 50 } },
      assembly: { plugins: [provider()] },
    })
    const reply = await stream('fake/x!endless:5')
    const closed = gateway.close()
    const text = await reply.text()
    expect(text).not.toContain('[DONE]')
    expect(JSON.parse(text.trim().split('\n\n').at(-1)?.slice(6) ?? '')).toMatchObject({ error: { code: 'aborted' } })
    await closed
    expect((await upstream.whenClosed(0)).closedBeforeEnd).toBe(true)
  })

  test('answers 503 to a request that was not whole when it began', async () => {
    const { provider: held, release } = heldProvider()
    gateway = await testGateway([held])
    const first = ask('held/x')
    await expect.poll(inFlight).toBe(1)
    const late = await halfway('{"model":"held/x"}')
    const done = gateway.close()
    const reply = await late.finish()
    expect(reply).toMatch(/HTTP\/1\.1 503 /)
    expect(reply).toContain('shutting_down')
    release()
    expect((await first).status).toBe(200)
    await done
  })
})

test('a client that leaves aborts the call', async () => {
  let reason: unknown
  const invoke = (_: unknown, { signal }: { readonly signal?: AbortSignal }): Promise<never> =>
    new Promise((_, reject) => {
      signal?.addEventListener('abort', () => {
        reason = signal.reason
        reject(signal.reason)
      })
    })
  gateway = await testGateway([stubProvider({ name: 'waits', invoke })])
  const body = '{"model":"waits/x"}'
  const { socket } = rawRequest(gateway.url, `${CHAT_HEAD}content-length: ${body.length}\r\n\r\n${body}`)
  await expect.poll(inFlight).toBe(1)
  socket.destroy()
  await expect.poll(() => reason).toMatchObject({ code: 'ABORTED' })
  await expect.poll(() => gateway.logged().find(({ msg }) => msg === 'request')).toMatchObject({ status: 499 })
})
