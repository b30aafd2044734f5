import type { ModelEndpoint } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModelInput } from '../../src/model/options.ts'
import { type CallInput, callOf, type ModelCall, planned, plannerWith, wired } from './support/calls.ts'

type Draft = Record<string, unknown>

interface Asked {
  readonly call: CallInput
  readonly body: Draft
  readonly options: ModelInput
  readonly secret: string
}

/** Texts that are alike, and such as try to end a field early. */
const TEXTS = [
  '',
  'a',
  'a:',
  ':a',
  '1:a',
  '1',
  'null',
  '\n',
  '\u0000',
  '"',
  '","',
  'é',
  'e\u0301',
  '\ud83d\ude83',
  '{"a":1}',
  '[]',
  '-',
] as const
const word = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'grapheme', maxLength: 12 }))
const name = word.filter((text) => text !== '')
/** Numbers that no parser rounds: others are known by their bytes. */
const exact = fc.jsonValue({ maxDepth: 2 }).filter((value) => !/\d{16}|\de\+/.test(JSON.stringify(value)))
const value: fc.Arbitrary<unknown> = fc.oneof(word, fc.integer({ min: -3, max: 3 }), fc.boolean(), exact)

const asked: fc.Arbitrary<Asked> = fc
  .record({
    tenant: name,
    keyId: name,
    model: name,
    target: name,
    system: word,
    earlier: word,
    text: name,
    top_p: fc.constantFrom(1, 0.5),
    unknown: value,
    tag: fc.constantFrom('doc:1', 'doc:2'),
    secret: fc.constantFrom('s', 's2'),
  })
  .map(({ tenant, keyId, model, target, system, earlier, text, top_p, unknown, tag, secret }) => ({
    call: {
      principal: { tenant, keyId, user: 'u', team: 't' },
      target,
      request: {
        endpoint: 'chat/completions' as ModelEndpoint,
        model,
        headers: { 'x-switchyard-cache-tags': tag, 'x-portkey-provider': 'openai' },
      },
    },
    body: {
      model,
      top_p,
      x_unknown: unknown,
      response_format: { type: 'text' },
      tools: [{ type: 'function', function: { name: 'f', parameters: { properties: { a: { type: 'string' } } } } }],
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: earlier },
        { role: 'assistant', content: 'yes' },
        { role: 'user', content: text },
      ],
    },
    options: { scope: 'key', tools: true, sampling: 'any' },
    secret,
  }))

type Change = (asked: Asked) => Asked
const inCall =
  (change: (call: CallInput) => CallInput): Change =>
  (asked) => ({ ...asked, call: change(asked.call) })
const inPrincipal = (change: object): Change => inCall((call) => ({ ...call, principal: { ...call.principal, ...change } }))
const inRequest = (change: object): Change => inCall((call) => ({ ...call, request: { ...call.request, ...change } }))
const inHeaders = (headers: Record<string, string>): Change =>
  inCall((call) => ({ ...call, request: { ...call.request, headers: { ...call.request?.headers, ...headers } } }))
const inBody =
  (change: Draft): Change =>
  (asked) => ({ ...asked, body: { ...asked.body, ...change } })
const inMessage =
  (at: number, change: (message: Draft) => Draft): Change =>
  (asked) => {
    const messages = asked.body.messages as Draft[]
    return {
      ...asked,
      body: { ...asked.body, messages: messages.map((message, index) => (index === at ? change(message) : message)) },
    }
  }
const inOptions =
  (change: ModelInput): Change =>
  (asked) => ({ ...asked, options: { ...asked.options, ...change } })
const longer = (text: unknown): string => `${String(text)}'`
const again = (text: unknown): string => `${String(text)}:${String(text)}`

/** Whatever a reply may depend on, or that says for whom it is. */
const CHANGES: Readonly<Record<string, Change>> = {
  tenant: inCall((call) => ({ ...call, principal: { ...call.principal, tenant: longer(call.principal?.tenant) } })),
  'tenant and key swapped': inCall((call) => ({
    ...call,
    principal: { ...call.principal, tenant: `${call.principal?.keyId}~`, keyId: String(call.principal?.tenant) },
  })),
  key: inCall((call) => ({ ...call, principal: { ...call.principal, keyId: again(call.principal?.keyId) } })),
  'the key’s user': inPrincipal({ user: 'v' }),
  'no user': inPrincipal({ user: undefined }),
  'scope user': inOptions({ scope: 'user' }),
  'scope team': inOptions({ scope: 'team' }),
  'scope tenant': inOptions({ scope: 'tenant' }),
  'scope public': inOptions({ scope: 'public' }),
  model: inCall((call) => ({ ...call, request: { ...call.request, model: longer(call.request?.model) } })),
  target: inCall((call) => ({ ...call, target: longer(call.target) })),
  endpoint: inRequest({ endpoint: 'messages' }),
  secret: (asked) => ({ ...asked, secret: `${asked.secret}.` }),
  epoch: inOptions({ epoch: '1' }),
  version: inOptions({ version: '1' }),
  route: inOptions({ routes: [{ name: 'r' }] }),
  'system prompt': inMessage(0, (message) => ({ ...message, content: longer(message.content) })),
  'system prompt, space': inMessage(0, (message) => ({ ...message, content: `${String(message.content)} ` })),
  'system role': inMessage(0, (message) => ({ ...message, role: 'developer' })),
  'system prompt in parts': inMessage(0, ({ content }) => ({ role: 'system', content: [{ type: 'text', text: content }] })),
  'earlier turn': inMessage(1, (message) => ({ ...message, content: longer(message.content) })),
  'earlier turn, space': inMessage(1, (message) => ({ ...message, content: ` ${String(message.content)}` })),
  'earlier answer': inMessage(2, (message) => ({ ...message, content: 'no' })),
  'earlier name': inMessage(1, (message) => ({ ...message, name: 'n' })),
  'name of the last': inMessage(3, (message) => ({ ...message, name: 'n' })),
  'last turn in parts': inMessage(3, ({ content }) => ({ role: 'user', content: [{ type: 'text', text: content }] })),
  'a turn more': (asked) => ({
    ...asked,
    body: { ...asked.body, messages: [{ role: 'user', content: '' }, ...(asked.body.messages as Draft[])] },
  }),
  'a turn less': (asked) => ({ ...asked, body: { ...asked.body, messages: (asked.body.messages as Draft[]).slice(1) } }),
  'turns swapped': (asked) => {
    const [first, ...rest] = asked.body.messages as [Draft, ...Draft[]]
    return { ...asked, body: { ...asked.body, messages: [rest[1], first, rest[0], rest[2]] } }
  },
  tools: inBody({ tools: [{ type: 'function', function: { name: 'g' } }] }),
  'no tools': inBody({ tools: [] }),
  'tools gone': inBody({ tools: undefined }),
  'tool schema': inBody({
    tools: [{ type: 'function', function: { name: 'f', parameters: { properties: { a: { type: 'number' } } } } }],
  }),
  'tool choice': inBody({ tool_choice: 'required' }),
  temperature: inBody({ temperature: 0 }),
  'temperature null': inBody({ temperature: null }),
  top_p: (asked) => ({ ...asked, body: { ...asked.body, top_p: (asked.body.top_p as number) - 0.25 } }),
  seed: inBody({ seed: 7 }),
  stop: inBody({ stop: ['x'] }),
  'max tokens': inBody({ max_tokens: 7 }),
  logprobs: inBody({ logprobs: true }),
  format: inBody({ response_format: { type: 'json_object' } }),
  'no format': inBody({ response_format: undefined }),
  reasoning: inBody({ reasoning_effort: 'low' }),
  'service tier': inBody({ service_tier: 'flex' }),
  'an unknown member': inBody({ x_other: 0 }),
  'an unknown member, null': inBody({ x_other: null }),
  'a member called __proto__': (asked) => ({
    ...asked,
    body: JSON.parse(`{"__proto__":{"a":1},${JSON.stringify(asked.body).slice(1)}`) as Draft,
  }),
  'a header of Portkey': inHeaders({ 'x-portkey-config': '{}' }),
  'its value': inHeaders({ 'x-portkey-provider': 'anthropic' }),
  'metadata that a config may choose by': (asked) => {
    const withConfig = inHeaders({ 'x-portkey-config': '{}' })(asked)
    return inHeaders({ 'x-portkey-metadata': '{"plan":"paid"}' })(withConfig)
  },
  'a header of Anthropic': inHeaders({ 'anthropic-beta': 'b' }),
  'a header of OpenAI': inHeaders({ 'openai-organization': 'o' }),
  'a credential': inHeaders({ authorization: 'Bearer sk' }),
  'another credential': inHeaders({ 'x-api-key': 'sk' }),
  tags: inHeaders({ 'x-switchyard-cache-tags': 'doc:3' }),
}

/** What changes no answer. */
const SAME: Readonly<Record<string, Change>> = {
  stream: inRequest({ stream: true }),
  'how a stream is told': inBody({ stream: true, stream_options: { include_usage: true } }),
  user: inBody({ user: 'somebody' }),
  metadata: inBody({ metadata: { trace: '1' } }),
  'safety identifier': inBody({ safety_identifier: 'x' }),
  'prompt cache key': inBody({ prompt_cache_key: 'x', prompt_cache_retention: '24h' }),
  'store false': inBody({ store: false }),
  'model in the body': inBody({ model: 'another name' }),
  'trace headers': inHeaders({
    'x-portkey-trace-id': '1',
    'x-portkey-span-id': '2',
    'x-portkey-metadata': '{}',
    'user-agent': 'x',
    traceparent: 'y',
  }),
  'a tag said twice': inCall((call) => {
    const tag = call.request?.headers?.['x-switchyard-cache-tags']
    return {
      ...call,
      request: { ...call.request, headers: { ...call.request?.headers, 'x-switchyard-cache-tags': `${tag},, ${tag} ` } },
    }
  }),
  'the cache’s own headers': inHeaders({ 'x-switchyard-cache-ttl': '60', 'cache-control': 'max-age=5' }),
  team: inPrincipal({ team: 'another' }),
  roles: inPrincipal({ roles: ['admin'] }),
  'order of members': (asked) => ({ ...asked, body: Object.fromEntries(Object.entries(asked.body).reverse()) }),
  'an undefined member': inBody({ x_none: undefined }),
  'outer space': inMessage(3, (message) => ({ ...message, content: ` ${String(message.content)}\n` })),
  'decomposed letters': inMessage(3, (message) => ({ ...message, content: String(message.content).normalize('NFD') })),
}

const planners = new Map<string, ReturnType<typeof plannerWith>>()
function plan({ call, body, options, secret }: Asked, isWired = false) {
  const named = JSON.stringify([options, secret])
  const of = planners.get(named) ?? plannerWith(options, secret)
  planners.set(named, of)
  const request = { ...call.request, ...(isWired ? wired(body) : { body }) }
  return planned(of, callOf({ ...call, request }) as ModelCall)
}

describe('no answer is given to another question', () => {
  const total = Object.keys(CHANGES).length

  test(`whatever is changed changes key and partition: 10^5 pairs over ${total} kinds of change`, () => {
    let pairs = 0
    fc.assert(
      fc.property(asked, (one) => {
        const before = plan(one)
        for (const [what, change] of Object.entries(CHANGES)) {
          const after = plan(change(one))
          if (after.key === before.key || after.partition === before.partition) throw new Error(`a change of ${what} hits`)
          pairs++
        }
      }),
      { numRuns: Math.ceil(100_000 / total) },
    )
    expect(pairs).toBeGreaterThanOrEqual(100_000)
  }, 30_000)

  test('other words of the last turn change the key and not the partition', () => {
    fc.assert(
      fc.property(asked, name, (one, text) => {
        const other = inMessage(3, (message) => ({ ...message, content: text }))(one)
        const words = (asked: Asked): string =>
          String((asked.body.messages as Draft[])[3]?.content)
            .normalize('NFC')
            .trim()
        const [before, after] = [plan(one), plan(other)]
        expect(after.partition).toBe(before.partition)
        expect(after.key === before.key).toBe(words(one) === words(other))
      }),
      { numRuns: 3_000 },
    )
  })

  test('what changes no answer changes neither', () => {
    fc.assert(
      fc.property(asked, fc.boolean(), (one, isWired) => {
        const before = plan(one, isWired)
        for (const [what, change] of Object.entries(SAME)) {
          const after = plan(change(one), isWired)
          if (after.key !== before.key || after.partition !== before.partition) throw new Error(`${what} misses`)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('keys meet only where questions are equal: crafted fields, every pair of them', () => {
    const few = fc.constantFrom(...TEXTS)
    const filled = few.filter((text) => text !== '')
    const body = fc.record({
      a: few,
      b: few,
      messages: fc.array(fc.record({ role: fc.constantFrom('user', 'system'), content: few }), { minLength: 1, maxLength: 2 }),
    })
    const asks = fc.record({
      tenant: filled,
      keyId: filled,
      user: fc.option(filled, { nil: undefined }),
      model: few,
      target: few,
      body,
    })
    const byQuestion = new Map<string, string>()
    const byKey = new Map<string, string>()
    const of = plannerWith()
    fc.assert(
      fc.property(asks, ({ tenant, keyId, user, model, target, body }) => {
        const { key } = planned(
          of,
          callOf({ principal: { tenant, keyId, ...(user !== undefined && { user }) }, target, request: { model, body } }),
        )
        const last = body.messages.at(-1)
        const said: [string, string][] = body.messages.map(({ role, content }) => [role, content])
        if (last?.role === 'user') said[said.length - 1] = ['user', last.content.normalize('NFC').trim()]
        const question = JSON.stringify([tenant, keyId, user ?? null, model, target, body.a, body.b, said])
        expect(byQuestion.get(question) ?? key).toBe(key)
        expect(byKey.get(key) ?? question).toBe(question)
        byQuestion.set(question, key)
        byKey.set(key, question)
      }),
      { numRuns: 20_000 },
    )
    expect(byKey.size).toBe(byQuestion.size)
  }, 30_000)
})

describe('bodies on the wire', () => {
  const of = plannerWith()
  const keyOf = (text: string): string => planned(of, callOf({ request: wired(undefined, text) })).key
  const chat = (more: string): string => `{"model":"m","messages":[{"role":"user","content":"hi"}]${more}}`

  test.each([
    ['numbers in any form', [',"x":1', ',"x":1.0', ',"x":1e0', ',"x":10E-1']],
    ['a zero below zero', [',"x":0', ',"x":-0', ',"x":0.0']],
    ['spelt with escapes', [',"x":"é"', ',"x":"\\u00e9"', ',"\\u0078":"é"']],
    ['white space', [',"x":[1,2]', ' ,\n"x" : [ 1,\t2 ]']],
    ['order of members', [',"x":{"a":1,"b":2},"y":3', ',"y":3,"x":{"b":2,"a":1}']],
  ])('are one: %s', (_, forms) => {
    expect(new Set(forms.map((more) => keyOf(chat(more)))).size).toBe(1)
  })

  test.each([
    ['numbers beyond a double', [',"seed":9007199254740993', ',"seed":9007199254740992', ',"seed":9007199254740994']],
    ['numbers that are infinite to us', [',"x":1e400', ',"x":1e500', ',"x":null', ',"x":-1e400']],
    ['a member twice', [',"x":1,"x":2', ',"x":2', ',"x":2,"x":2', ',"x":1']],
    ['a member twice further in', [',"x":{"y":[{"z":1,"z":2}]}', ',"x":{"y":[{"z":2}]}']],
    ['messages twice', [',"messages":[{"role":"user","content":"ho"}]', '']],
    ['a member twice, spelt in two ways', [',"x":1,"\\u0078":2', ',"x":2']],
    ['halves of surrogate pairs', [',"x":"\\ud83d"', ',"x":"\\ude83"', ',"x":"\\ufffd"', ',"x":"\\ud83d\\ude83"']],
    ['__proto__', [',"__proto__":{"x":1}', ',"__proto__":{"x":2}', ',"x":1', '']],
    ['lists and objects', [',"x":["a","b"]', ',"x":[["a"],"b"]', ',"x":{"0":"a","1":"b"}', ',"x":"[\\"a\\",\\"b\\"]"']],
    ['texts and what they look like', [',"x":"1"', ',"x":1', ',"x":"true"', ',"x":true', ',"x":"null"', ',"x":null']],
    ['colons and quotes within texts', [',"x":"\\":1,\\"y"', ',"x":"","y":1', ',"x:":"\\\\"']],
    ['what looks like a hole', [',"x":"\\u0000"', ',"x":""']],
  ])('are told apart: %s', (_, forms) => {
    expect(new Set(forms.map((more) => keyOf(chat(more)))).size).toBe(forms.length)
  })

  test('bytes that are no UTF-8 are told apart by themselves', () => {
    const raw = (byte: number): Uint8Array =>
      Buffer.concat([Buffer.from('{"messages":[{"role":"user","content":"'), Buffer.of(byte), Buffer.from('"}]}')])
    const keys = [0xff, 0xfe].map((byte) => {
      const bytes = raw(byte)
      return planned(of, callOf({ request: { body: JSON.parse(Buffer.from(bytes).toString()), raw: bytes } })).key
    })
    expect(keys[0]).not.toBe(keys[1])
  })

  test('bytes that two servers may read in two ways are never looked up by likeness', () => {
    const likeness = (more: string) => planned(of, callOf({ request: wired(undefined, chat(more)) })).likeness
    expect(likeness('')).toBeDefined()
    expect(likeness(',"x":1,"x":1')).toBeUndefined()
    expect(likeness(',"x":1e400')).toBeUndefined()
  })

  test('nesting without end is known by its bytes, and without bytes left alone', () => {
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
    const text = chat(`,"x":${deep}`)
    expect(keyOf(text)).not.toBe(keyOf(chat(`,"x":[${deep}]`)))
    expect(of.plan(callOf({ request: { body: JSON.parse(text) } }))).toEqual({ bypass: 'content' })
  })

  test('nesting without end where a reply repeats it, or in how it is streamed, is left alone', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
    const streamed = wired(undefined, chat(`,"stream":true,"stream_options":${deep}`))
    expect(of.plan(callOf({ request: { ...streamed, stream: true } }))).toEqual({ bypass: 'content' })
    const repeated = wired(undefined, `{"input":"a","store":false,"metadata":${deep}}`)
    expect(of.plan(callOf({ request: { ...repeated, endpoint: 'responses' } }))).toEqual({ bypass: 'content' })
  })

  test('a body that a policy made has the key of the same on the wire', () => {
    expect(planned(of, callOf({ request: { body: JSON.parse(chat(',"x":1')) } })).key).toBe(keyOf(chat(',"x":1.0')))
  })

  test('what a policy made and JSON cannot say is left alone', () => {
    for (const x of [1n, Number.NaN, () => 1, Symbol('x')])
      expect(of.plan(callOf({ request: { body: { messages: [{ role: 'user', content: 'hi' }], x } } }))).toEqual({
        bypass: 'content',
      })
  })

  test('half a surrogate pair in the question is known by its bytes', () => {
    const asked = (text: string): string => keyOf(`{"messages":[{"role":"user","content":"${text}"}]}`)
    expect(new Set(['\\ud83d', '\\ude83', '\\ufffd'].map(asked)).size).toBe(3)
  })
})

describe('where keys lie', () => {
  test('an entry begins with its partition as a hash tag of Redis Cluster', () => {
    const { key, partition } = planned(plannerWith(), callOf())
    expect(key).toMatch(/^c:\{[\w-]{22}\}:[\w-]{43}$/)
    expect(key.slice(3, 25)).toBe(partition.slice(0, 22))
  })

  test('without a secret keys are the same on every node, and with another one none is', () => {
    const key = (secret?: string): string => planned(plannerWith({}, secret), callOf()).key
    expect(key('one')).toBe(key('one'))
    expect(key('one')).not.toBe(key('two'))
  })
})
