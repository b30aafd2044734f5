import { request } from 'node:http'
import { SwitchyardError } from '@switchyard/contract'
import { routing } from '@switchyard/routing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Answer, type CachedGateway, cachedGateway, OTHER_KEY, TRACE_KEY } from './support/cached.ts'
import { stubProvider, wholeReply } from './support/stub-provider.ts'

let node: CachedGateway
beforeEach(async () => {
  node = await cachedGateway()
})
afterEach(() => node.close())

type Json = Record<string, unknown>
const TEXT = 'Grüße aus 🚃'
const SAID = `You said: ${TEXT}`
const turns = [{ role: 'user', content: TEXT }]

/** A request of each dialect, at a target that speaks it or not. */
const DIALECTS: readonly { endpoint: string; over: 'chat' | 'messages'; body: Json }[] = [
  { endpoint: 'chat/completions', over: 'chat', body: { model: 'chat/fake', messages: turns } },
  { endpoint: 'messages', over: 'messages', body: { model: 'messages/fake', max_tokens: 77, messages: turns } },
  { endpoint: 'responses', over: 'chat', body: { model: 'chat/fake', input: turns, store: false } },
  { endpoint: 'messages', over: 'chat', body: { model: 'chat/fake', max_tokens: 77, messages: turns } },
]

const events = (text: string): Json[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Json)

/** What an answer says, whole or streamed, in any of the dialects. */
function saidBy({ text }: Answer): string {
  // biome-ignore lint/suspicious/noExplicitAny: three dialects
  const said = (one: any): string =>
    one?.choices?.[0]?.message?.content ??
    one?.choices?.[0]?.delta?.content ??
    one?.content?.[0]?.text ??
    one?.output?.[0]?.content?.[0]?.text ??
    (typeof one?.delta === 'string' ? one.delta : (one?.delta?.text ?? ''))
  return text.startsWith('{')
    ? said(JSON.parse(text))
    : events(text)
        .filter(({ response }) => response === undefined)
        .map(said)
        .join('')
}

/** How a stream of the dialect ends. */
const LAST: Record<string, RegExp> = {
  'chat/completions': /data: \[DONE\]\n\n$/,
  messages: /event: message_stop\ndata: .*\n\n$/,
  responses: /event: response\.completed\ndata: .*\n\n$/,
}

describe.each(DIALECTS)('$endpoint over a $over target', ({ endpoint, over, body }) => {
  test.each([
    ['a whole answer', false],
    ['a stream', true],
  ])('%s is given again, whole and streamed, and nothing goes up', async (_, first) => {
    const stored = await node.ask(endpoint, { ...body, stream: first })
    expect(stored).toMatchObject({ status: 200, cache: 'miss' })
    expect(stored.headers.get('x-switchyard-attempts')).toBe('1')
    for (const stream of [first, !first]) {
      const again = await node.ask(endpoint, { ...body, stream })
      expect(again).toMatchObject({ status: 200, cache: 'hit l1' })
      expect(again.headers.get('content-type')).toMatch(stream ? /^text\/event-stream/ : /^application\/json/)
      expect(saidBy(again)).toBe(SAID)
      if (stream) expect(again.text).toMatch(LAST[endpoint] as RegExp)
    }
    expect(node[over].requests).toHaveLength(1)
  })
})

test('a hit says where it came from, how old it is, and that nobody was asked', async () => {
  const { headers: missed } = await node.ask('chat/completions', { model: 'chat/fake', messages: turns })
  expect(missed.get('x-switchyard-target')).toBe('chat/chat/fake')
  for (const name of ['age', 'x-switchyard-cache-level', 'x-switchyard-cache-entry']) expect(missed.get(name)).toBeNull()
  const { headers } = await node.ask('chat/completions', { model: 'chat/fake', messages: turns })
  expect(headers.get('age')).toMatch(/^\d+$/)
  // Which entry helps whoever looks for collisions, so that only some may see it.
  expect(headers.get('x-switchyard-cache-entry')).toBeNull()
  expect(headers.get('x-switchyard-target')).toBeNull()
  expect(headers.get('x-switchyard-attempts')).toBe('0')
  const lines = node.logged().filter(({ msg }) => msg === 'request')
  expect(lines.map(({ cache }) => cache)).toEqual(['miss', 'l1'])
  expect(lines[1]).toMatchObject({ attempts: 0, outcome: 'complete', status: 200 })
})

test('what an upstream says of caches of its own is handed out as none of ours', async () => {
  const headers = {
    'x-switchyard-cache': 'hit',
    'x-switchyard-cache-level': 'l1',
    age: '99',
    'x-switchyard-cache-reason': 'off',
  }
  const invoke = async () => ({ ...wholeReply({}), headers: { 'content-type': 'application/json', ...headers } })
  await node.close()
  node = await cachedGateway({ more: [stubProvider({ name: 'own', invoke })] })
  for (const [more, cache] of [
    [{}, 'miss'],
    [{ n: 2 }, 'bypass many-answers'],
  ] as const) {
    const reply = await node.ask('chat/completions', { model: 'own/x', messages: turns, ...more })
    expect(reply.cache).toBe(cache)
    expect(reply.headers.get('age')).toBeNull()
  }
})

test('no key gets another key’s answers, unless the operator lets a tenant share', async () => {
  const ask = { model: 'chat/fake', messages: turns }
  await node.ask('chat/completions', ask)
  expect((await node.ask('chat/completions', ask, {}, OTHER_KEY)).cache).toBe('miss')
  const wish = await node.ask('chat/completions', ask, { 'x-switchyard-cache-scope': 'tenant' }, OTHER_KEY)
  expect(wish.status).toBe(400)
  const shared = await cachedGateway({ cache: { models: { scope: 'tenant' } } })
  try {
    await shared.ask('chat/completions', ask)
    expect((await shared.ask('chat/completions', ask, {}, OTHER_KEY)).cache).toBe('hit l1')
    const alone = await shared.ask('chat/completions', ask, { 'x-switchyard-cache-scope': 'key' }, OTHER_KEY)
    expect(alone.cache).toBe('miss')
  } finally {
    await shared.close()
  }
})

test.each([
  ['many answers', { n: 2 }, 'many-answers'],
  ['a temperature above 0', { temperature: 0.7 }, 'sampling'],
  ['tools', { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] }, 'tools'],
])('%s go past the cache, and the reply says why', async (_, more, reason) => {
  const ask = { model: 'chat/fake', messages: turns, ...more }
  for (let time = 0; time < 2; time++) expect((await node.ask('chat/completions', ask)).cache).toBe(`bypass ${reason}`)
  expect(node.chat.requests).toHaveLength(2)
  expect(node.logged().find(({ cache }) => cache === 'bypass')).toMatchObject({ cacheReason: reason })
})

test('answers that may be gone on from by their id are not kept', async () => {
  const ask = { model: 'chat/fake', input: turns }
  for (let time = 0; time < 2; time++) expect((await node.ask('responses', ask)).cache).toBe('bypass server-state')
})

test.each(['status:500', 'end:mid', 'error:mid', 'malformed:mid'])(
  'what an upstream broke (%s) is never given again',
  async (fault) => {
    const ask = { model: 'chat/fake', messages: turns, stream: true }
    node.chat.script(fault)
    const broken = await node.ask('chat/completions', ask)
    expect(broken.text).not.toMatch(LAST['chat/completions'] as RegExp)
    const next = await node.ask('chat/completions', ask)
    expect(next.cache).toBe('miss')
    expect(saidBy(next)).toBe(SAID)
  },
)

describe('what a client asks of the cache', () => {
  const ask = { model: 'chat/fake', messages: turns }
  const control = (value: string): Promise<Answer> => node.ask('chat/completions', ask, { 'cache-control': value })

  test('no-store neither looks nor keeps', async () => {
    expect((await control('no-store')).cache).toBe('bypass no-store')
    expect((await control('max-age=60')).cache).toBe('miss')
    expect((await control('no-store')).cache).toBe('bypass no-store')
    expect(node.chat.requests).toHaveLength(3)
  })

  test('no-cache fetches anew, and keeps that', async () => {
    await control('max-age=60')
    expect((await control('no-cache')).cache).toBe('miss')
    expect((await control('max-age=60')).cache).toBe('hit l1')
    expect(node.chat.requests).toHaveLength(2)
  })

  test('max-age: an older answer will not do', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      await control('max-age=60')
      vi.setSystemTime(Date.now() + 61_000)
      expect((await node.ask('chat/completions', ask)).headers.get('age')).toBe('61')
      expect((await control('max-age=60')).cache).toBe('miss')
      expect((await control('max-age=60')).cache).toBe('hit l1')
    } finally {
      vi.useRealTimers()
    }
  })

  test('only-if-cached without a stored answer is a 504 in the client’s words, as RFC 9111 has it', async () => {
    const none = await control('only-if-cached')
    expect(none).toMatchObject({ status: 504, cache: 'miss' })
    expect(JSON.parse(none.text)).toMatchObject({
      error: { code: 'not_cached', message: expect.stringContaining('only-if-cached') },
    })
    expect(none.headers.get('x-should-retry')).toBe('false')
    const never = await node.ask('chat/completions', { ...ask, n: 2 }, { 'cache-control': 'only-if-cached' })
    expect(never).toMatchObject({ status: 504, cache: 'bypass many-answers' })
    expect(node.chat.requests).toHaveLength(0)
    await control('max-age=60')
    expect(await control('only-if-cached')).toMatchObject({ status: 200, cache: 'hit l1' })
  })

  test.each([
    ['cache-control', 'max-age=soon'],
    ['cache-control', 'only-if-cached, no-cache'],
    ['x-switchyard-cache-scope', 'everybody'],
    ['x-switchyard-cache-tags', 'no blanks'],
    ['x-switchyard-cache-ttl', '-1'],
  ])('%s: %s is a 400 that names it', async (header, value) => {
    const refused = await node.ask('chat/completions', ask, { [header]: value })
    expect(refused.status).toBe(400)
    expect(JSON.parse(refused.text)).toMatchObject({ error: { param: header } })
    expect(node.chat.requests).toHaveLength(0)
  })
})

describe('calls under way', () => {
  test('20 equal streams at once are one upstream call, and all say the same', async () => {
    await node.close()
    node = await cachedGateway({ upstream: { delayMs: 50, tokenDelayMs: 2 } })
    const ask = { model: 'chat/fake', messages: turns, stream: true }
    const all = await Promise.all(Array.from({ length: 20 }, () => node.ask('chat/completions', ask)))
    expect(node.chat.requests).toHaveLength(1)
    expect(all.map(saidBy)).toEqual(Array(20).fill(SAID))
    expect(all.every(({ text }) => LAST['chat/completions']?.test(text))).toBe(true)
    const outcomes = all.map(({ cache }) => cache).sort()
    expect(outcomes).toEqual([...Array(19).fill('hit coalesced'), 'miss'])
    const attempts = all.map(({ headers }) => headers.get('x-switchyard-attempts')).sort()
    expect(attempts).toEqual([...Array(19).fill('0'), '1'])
  })

  test.each(['status:500', 'status:400', 'status:429'])(
    'share one failure (%s) with its status, and nothing of it is kept',
    async (fault) => {
      await node.close()
      node = await cachedGateway({ upstream: { delayMs: 100 } })
      node.chat.always(fault)
      const ask = { model: 'chat/fake', messages: turns }
      const all = await Promise.all(Array.from({ length: 5 }, () => node.ask('chat/completions', ask)))
      expect(node.chat.requests).toHaveLength(1)
      expect(new Set(all.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
      node.chat.always(undefined)
      expect(await node.ask('chat/completions', ask)).toMatchObject({ status: 200, cache: 'miss' })
    },
  )

  test('that no target served are 503 for all who share one', async () => {
    await node.close()
    const routes = { any: { targets: ['one/x', 'two/x'] } }
    let invoked = 0
    const invoke = async (): Promise<never> => {
      invoked += 1
      await new Promise((resolve) => setTimeout(resolve, 50))
      throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'down')
    }
    node = await cachedGateway({
      more: [routing({ routes }), stubProvider({ name: 'one', invoke }), stubProvider({ name: 'two', invoke })],
      attempts: 2,
    })
    const all = await Promise.all(
      Array.from({ length: 5 }, () => node.ask('chat/completions', { model: 'any', messages: turns })),
    )
    expect(invoked).toBe(2)
    expect(all.map(({ status }) => status)).toEqual(Array(5).fill(503))
  })

  test('an answer that was under way when it was invalidated serves nobody who asks later', async () => {
    await node.close()
    node = await cachedGateway({ upstream: { delayMs: 100 } })
    const ask = { model: 'chat/fake', messages: turns }
    const before = node.ask('chat/completions', ask)
    await vi.waitFor(() => expect(node.chat.requests).toHaveLength(1))
    await node.admin('POST', 'cache/invalidate', { tenant: 'acme' })
    const after = await node.ask('chat/completions', ask)
    expect((await before).cache).toBe('miss')
    expect(after.cache).toBe('miss')
    expect(node.chat.requests).toHaveLength(2)
    expect((await node.ask('chat/completions', ask)).cache).toBe('hit l1')
  })

  test('the first of them may leave: the others are answered', async () => {
    await node.close()
    node = await cachedGateway({ upstream: { tokenDelayMs: 20 } })
    const ask = { model: 'chat/fake', messages: turns, stream: true }
    const leader = await opened(node.url, ask)
    const others = Promise.all([1, 2, 3].map(() => node.ask('chat/completions', ask)))
    await vi.waitFor(async () => expect((await node.admin('GET', 'cache')).body.under_way).toBe(1))
    leader.destroy()
    for (const one of await others) expect(saidBy(one)).toBe(SAID)
    expect(node.chat.requests).toHaveLength(1)
  })
})

test('a client that leaves in the middle of a replay harms nobody', async () => {
  await node.close()
  node = await cachedGateway({ cache: { models: { paceMs: 20 } } })
  const ask = { model: 'chat/fake', messages: turns, stream: true }
  await node.ask('chat/completions', ask)
  const replay = await opened(node.url, ask)
  replay.destroy()
  await vi.waitFor(() =>
    expect(node.logged().filter(({ msg }) => msg === 'request')).toMatchObject([
      { status: 200, cache: 'miss' },
      { status: 499, cache: 'l1' },
    ]),
  )
  const next = await node.ask('chat/completions', ask)
  expect(next.cache).toBe('hit l1')
  expect(saidBy(next)).toBe(SAID)
  expect(node.chat.requests).toHaveLength(1)
})

test('who may see decisions is told which entry it was, and by a dry run what the cache would do', async () => {
  const ask = { model: 'chat/fake', messages: turns }
  const explained = async (): Promise<unknown> => {
    const { text } = await node.ask('explain', ask, {}, TRACE_KEY)
    const { decisions } = JSON.parse(text) as { decisions: { by: string }[] }
    return decisions.find(({ by }) => by === 'cache')
  }
  expect(await explained()).toMatchObject({ decision: 'would-miss' })
  await node.ask('chat/completions', ask, {}, TRACE_KEY)
  expect(await explained()).toMatchObject({ decision: 'would-hit', because: { level: 'l1' } })
  const { headers } = await node.ask('chat/completions', ask, { 'x-switchyard-trace': '1' }, TRACE_KEY)
  expect(headers.get('x-switchyard-cache-entry')).toMatch(/^[\w-]{16}$/)
  const { decisions } = JSON.parse(headers.get('x-switchyard-trace') as string) as { decisions: unknown[] }
  expect(decisions).toContainEqual(expect.objectContaining({ decision: 'hit', because: { level: 'l1' } }))
  expect(node.chat.requests).toHaveLength(1)
})

/** A stream of which the first bytes have come. */
function opened(url: string, body: object): Promise<{ destroy(): void }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-of-ann' },
    })
    sent.on('error', () => {})
    sent.on('response', (response) => {
      response.on('error', () => {})
      response.once('data', () => resolve({ destroy: () => sent.destroy() }))
      response.once('error', reject)
    })
    sent.end(JSON.stringify(body))
  })
}
