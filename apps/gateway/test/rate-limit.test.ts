import { cacheMemory } from '@switchyard/cache-memory'
import { type Plugin, SwitchyardError } from '@switchyard/contract'
import { type RateLimitInput, rateLimit } from '@switchyard/rate-limit'
import { resilience } from '@switchyard/resilience'
import { routing } from '@switchyard/routing'
import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

const twoAMinute = { name: 'per-key', per: 'key', requests: { count: 2, windowMs: 60_000 } } as const
const KEYS = ['sk-one', 'sk-two'].map((key) => ({ key, tenant: 'acme' }))
let gateway: TestGateway
afterEach(() => gateway?.close())

/** A provider that answers, telling of limits of its own. */
function provider(name: string): Plugin {
  const headers = { 'content-type': 'application/json', 'x-ratelimit-remaining-tokens': '7' }
  return stubProvider({
    name,
    invoke: async () => ({ ...wholeReply({ object: 'chat.completion', choices: [], from: name }), headers }),
  })
}

async function start(limits: NonNullable<RateLimitInput['limits']>, more: readonly Plugin[] = [], others: RateLimitInput = {}) {
  const plugins = [...more, resilience(), rateLimit({ limits, ...others }), cacheMemory(), provider('a'), provider('b')]
  gateway = await testGateway(plugins, { auth: { keys: KEYS } })
}

function chat(key = 'sk-one', model = 'a/x'): Promise<Response> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], max_tokens: 10 })
  return fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body })
}

describe('two requests a minute, on the counters in memory', () => {
  test('the third is a 429 with every header that tells of it, and another key goes on', async () => {
    await start([twoAMinute])
    const first = await chat()
    expect(first.status).toBe(200)
    expect(Object.fromEntries(first.headers)).toMatchObject({
      ratelimit: '"per-key";r=1;t=60',
      'ratelimit-policy': '"per-key";q=2;w=60',
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
      'x-ratelimit-reset-requests': '1m0s',
    })
    expect(first.headers.has('x-ratelimit-remaining-tokens')).toBe(false)
    await chat()
    const third = await chat()
    expect(third.status).toBe(429)
    expect(await third.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } })
    expect(Object.fromEntries(third.headers)).toMatchObject({
      ratelimit: expect.stringMatching(/^"per-key";r=0;t=(60|59)$/),
      'ratelimit-policy': '"per-key";q=2;w=60',
      'x-ratelimit-remaining-requests': '0',
      'retry-after': expect.stringMatching(/^(60|59)$/),
      'x-should-retry': 'true',
    })
    expect((await chat('sk-two')).status).toBe(200)
  })

  test("OpenAI's SDK throws its RateLimitError, whose headers tell when to come again", async () => {
    await start([twoAMinute])
    const sdk = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-one', maxRetries: 0 })
    const ask = () => sdk.chat.completions.create({ model: 'a/x', messages: [{ role: 'user', content: 'hi' }] })
    const { response } = await ask().withResponse()
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    await ask()
    const error: unknown = await ask().catch((failure: unknown) => failure)
    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect((error as InstanceType<typeof OpenAI.RateLimitError>).headers?.get('x-ratelimit-remaining-requests')).toBe('0')
  })
})

test('without limits an upstream tells of its own', async () => {
  await start([])
  const reply = await chat()
  expect([reply.headers.get('x-ratelimit-remaining-tokens'), reply.headers.has('ratelimit')]).toEqual(['7', false])
})

describe('a limit per target', () => {
  const perTarget = { name: 'per-target', per: 'target', requests: { count: 2, windowMs: 60_000 } } as const
  const route = routing({ routes: { chat: { targets: ['a/x', 'b/x'] } } })

  test('sends a call on to the next target at once, and is no failure of the first', async () => {
    await start([perTarget], [route])
    const from: string[] = []
    for (let i = 0; i < 4; i++) from.push(((await (await chat('sk-one', 'chat')).json()) as { from: string }).from)
    expect(from).toEqual(['a', 'a', 'b', 'b'])
    const none = await chat('sk-one', 'chat')
    expect(none.status).toBe(503)
    expect(none.headers.get('retry-after')).toMatch(/^(60|59)$/)
    // Were it a failure, five of them would have opened the breakers, and calls be refused for that.
    for (let i = 0; i < 8; i++) await chat('sk-one', 'chat')
    const text = JSON.stringify(await (await chat('sk-one', 'a/x')).json())
    expect(text).toContain('allows 2 requests in 1m0s per target')
  })
})

test('a call that a later policy refuses for its budget is not counted', async () => {
  const spent = new SwitchyardError('BUDGET_EXCEEDED', 'the team has spent its budget; raise it')
  const broke = stubProvider({ name: 'broke', invoke: () => Promise.reject(spent) })
  await start([{ ...twoAMinute, tokens: { count: 100, windowMs: 60_000 } }], [broke])
  for (let i = 0; i < 5; i++) {
    expect(await (await chat('sk-one', 'broke/x')).json()).toMatchObject({ error: { code: 'insufficient_quota' } })
  }
  const reply = await chat()
  expect(reply.headers.get('x-ratelimit-remaining-requests')).toBe('1')
})

test('tokens are corrected on the counters in memory when the reply has ended', async () => {
  await start([{ name: 'words', per: 'key', tokens: { count: 1_000, windowMs: 60_000 } }])
  const left = async (): Promise<number> => Number((await chat()).headers.get('x-ratelimit-remaining-tokens'))
  const first = await left()
  expect(first).toBeGreaterThan(900)
  // What the first reserved went back to the 2 tokens that it took.
  expect(await left()).toBe(first - 2)
})

test('a slot is held to the end of a reply, and given back then', async () => {
  const held: (() => void)[] = []
  const slow = stubProvider({
    name: 'slow',
    invoke: () => new Promise((resolve) => held.push(() => resolve(wholeReply({})))),
  })
  await start([{ name: 'slots', per: 'key', concurrency: 1 }], [slow])
  const first = chat('sk-one', 'slow/x')
  await expect.poll(() => held.length).toBe(1)
  expect((await chat()).status).toBe(429)
  expect((await chat('sk-two')).status).toBe(200)
  held[0]?.()
  expect((await first).status).toBe(200)
  expect((await chat()).status).toBe(200)
})
