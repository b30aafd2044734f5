import { describe, expect, test } from 'vitest'
import { router } from './support/route.ts'
import { call, catalogOf, entry, healthOf, providers, request } from './support/world.ts'

const TWO = providers({ openai: {}, anthropic: {} })
const three = { openai: {}, anthropic: {}, groq: {} }

describe('a public name', () => {
  const options = { routes: { chat: { targets: ['openai/big', 'anthropic/claude'] } } }

  test('becomes its first target, the rest alternatives, in the order given', async () => {
    const { routed } = await router({ options, providers: TWO })
    const given = await routed(call('routing', request('chat')))
    expect(given).toMatchObject({
      target: 'openai',
      request: { model: 'openai/big', endpoint: 'chat/completions' },
      attributes: { from: 'client', deployment: 'openai/openai/big', route: 'chat' },
      alternatives: [
        {
          target: 'anthropic',
          request: { model: 'anthropic/claude' },
          attributes: { from: 'client', deployment: 'anthropic/anthropic/claude', route: 'chat' },
        },
      ],
    })
    expect(given.request.raw).toBeDefined()
  })

  test('notes its ranking in the trace, and explains the same without a call', async () => {
    const { policy, routed } = await router({ options, providers: TWO })
    const asked = call('routing', request('chat'))
    await routed(asked)
    const ranked = {
      decision: 'ranked',
      because: { route: 'chat', strategy: 'priority', order: ['openai/openai/big', 'anthropic/anthropic/claude'] },
    }
    expect(asked.trace.decisions).toEqual([{ by: 'routing/route', ...ranked }])
    expect(await policy.explain?.(asked)).toMatchObject({ decisions: [ranked], call: { target: 'openai' } })
  })

  test('goes via the instance that is named, else by the exact id, by the prefix, by one that takes any', async () => {
    const instances = providers({
      all: { models: 'any' },
      prefix: { models: ['openai/*'] },
      exact: { models: ['openai/small'] },
    })
    const targets = ['openai/small', 'openai/big', 'groq/x', { model: 'openai/big', via: 'all' }]
    const { order } = await router({ options: { routes: { chat: { targets } } }, providers: instances })
    expect(await order(call('routing', request('chat')))).toEqual([
      'exact/openai/small',
      'prefix/openai/big',
      'all/groq/x',
      'all/openai/big',
    ])
  })

  test('whose targets nobody serves is refused at start, all of them at once', async () => {
    const bad = { routes: { chat: { targets: ['groq/x', { model: 'openai/big', via: 'opanai' }] } } }
    await expect(router({ options: bad, providers: TWO })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/groq\/x.*openai, anthropic.*"opanai"/),
    })
  })
})

describe('a model by its own name', () => {
  test('keeps its target, and gets the deployment that guards count by', async () => {
    const { routed } = await router({ options: {}, providers: TWO })
    const asked = call('openai', request('openai/big'))
    const given = await routed(asked)
    expect(given).toMatchObject({ target: 'openai', attributes: { from: 'client', deployment: 'openai/openai/big' } })
    expect(given.request).toBe(asked.request)
    expect(given.alternatives).toBeUndefined()
    expect(given.attributes.route).toBeUndefined()
  })

  test('more of them than are remembered', async () => {
    const { routed } = await router({ options: {}, providers: TWO })
    for (let index = 0; index < 4_200; index++) await routed(call('openai', request(`openai/${index}`)))
    expect((await routed(call('openai', request('openai/0')))).attributes.deployment).toBe('openai/openai/0')
  })

  test('that a person took out is refused, saying who and why', async () => {
    const health = healthOf({ 'openai/openai/big': { state: 'disabled', reason: 'ada: bill' } })
    const { routed } = await router({ options: {}, providers: TWO, health })
    await expect(routed(call('openai', request('openai/big')))).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: false,
      message: expect.stringContaining('ada: bill'),
    })
  })

  test('that is ejected is tried all the same: there is no other', async () => {
    const health = healthOf({ 'openai/openai/big': { state: 'ejected', reason: 'x' } })
    const { order } = await router({ options: {}, providers: TWO, health })
    expect(await order(call('openai', request('openai/big')))).toEqual(['openai/openai/big'])
  })
})

describe('what a request needs', () => {
  const tools = { tools: [{ type: 'function', function: { name: 'f' } }] }
  const image = {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'what?' },
          { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
        ],
      },
    ],
  }
  const schema = { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } } }
  const catalog = catalogOf(
    entry('openai/plain', { caps: { tools: false, vision: false, jsonSchema: false, audioIn: false }, context: 1_000 }),
    entry('openai/able', { caps: { tools: true, vision: true, jsonSchema: true, audioIn: true }, context: 100_000 }),
    entry('openai/huge', { context: 1_000_000 }),
    entry('anthropic/other', { context: 500_000 }),
  )
  const options = { routes: { chat: { targets: ['openai/plain', 'openai/able'] }, small: { targets: ['openai/plain'] } } }

  test.each<[string, Record<string, unknown>]>([
    ['tools', tools],
    ['images', image],
    ['a JSON schema', schema],
    ['audio', { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] }],
    ['tools in the dialect of responses', { input: 'x', ...tools }],
    ['images in the dialect of messages', { messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] }],
    [
      'images in the dialect of responses',
      { messages: undefined, input: [{ role: 'user', content: [{ type: 'input_image' }] }] },
    ],
    ['a schema in the dialect of responses', { text: { format: { type: 'json_schema' } } }],
  ])('%s never go to a model without them', async (_, body) => {
    const { order, routed } = await router({ options, providers: TWO, catalog })
    expect(await order(call('routing', request('chat', body)))).toEqual(['openai/openai/able'])
    await expect(routed(call('routing', request('small', body)))).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await expect(routed(call('openai', request('openai/plain', body)))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('openai/plain'),
    })
  })

  test('what is plain goes to the first', async () => {
    const { order } = await router({ options, providers: TWO, catalog })
    for (const body of [{}, { tools: [] }, { tools: null }, { messages: [null, { content: [null] }] }, { messages: 'x' }]) {
      expect(await order(call('routing', request('chat', body)))).toEqual(['openai/openai/plain', 'openai/openai/able'])
    }
  })

  test('what the catalog does not know is taken as there', async () => {
    const { order } = await router({ options: { routes: { chat: { targets: ['openai/new'] } } }, providers: TWO, catalog })
    expect(await order(call('routing', request('chat', tools)))).toEqual(['openai/openai/new'])
  })

  test('a prompt goes to a window that has room for it and its reply', async () => {
    const { order } = await router({ options, providers: TWO, catalog })
    const words = { messages: [{ role: 'user', content: 'word '.repeat(2_000) }] }
    expect(await order(call('routing', request('chat', words)))).toEqual(['openai/openai/able'])
    const reply = { max_tokens: 999 }
    expect(await order(call('routing', request('chat', reply)))).toEqual(['openai/openai/able'])
    expect(await order(call('routing', request('chat', { max_completion_tokens: 100 })))).toHaveLength(2)
  })

  test('a prompt that fits nowhere is refused, naming the nearest that would do', async () => {
    const { routed } = await router({ options, providers: TWO, catalog })
    const words = { messages: [{ role: 'user', content: 'word '.repeat(200_000) }] }
    await expect(routed(call('routing', request('chat', words)))).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      details: { code: 'context_length_exceeded', nearest: 'openai/huge' },
      message: expect.stringContaining('openai/huge'),
    })
    const longer = { messages: [{ role: 'user', content: 'word '.repeat(1_200_000) }] }
    await expect(routed(call('openai', request('openai/able', longer)))).rejects.toMatchObject({
      message: expect.stringContaining('no model that is on'),
    })
  })

  test('is not looked at with checkCapabilities: false, or without a catalog', async () => {
    const off = await router({ options: { ...options, checkCapabilities: false }, providers: TWO, catalog })
    expect(await off.order(call('routing', request('chat', tools)))).toHaveLength(2)
    const without = await router({ options, providers: TWO })
    expect(await without.order(call('routing', request('chat', tools)))).toHaveLength(2)
  })

  test('an endpoint or a stream that a provider does not declare', async () => {
    const instances = providers({ openai: { streaming: false }, anthropic: { endpoints: ['embeddings'] } })
    const both = { routes: { chat: { targets: ['openai/big', 'anthropic/x'] } } }
    const { order, routed } = await router({ options: both, providers: instances })
    expect(await order(call('routing', request('chat')))).toEqual(['openai/openai/big'])
    await expect(routed(call('routing', request('chat', { stream: true })))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/openai does not stream.*anthropic does not serve chat\/completions/),
    })
  })
})

describe('conditions', () => {
  const when = async (condition: object, body: Record<string, unknown>, principal: object = {}): Promise<boolean> => {
    const targets = [{ model: 'openai/a', when: condition }, 'anthropic/b']
    const { order } = await router({ options: { routes: { chat: { targets } } }, providers: TWO })
    return (await order(call('routing', request('chat', body), principal)))[0] === 'openai/openai/a'
  }

  test.each<[object, Record<string, unknown>, object, boolean]>([
    [{ metadata: { env: 'prod' } }, { metadata: { env: 'prod' } }, {}, true],
    [{ metadata: { env: 'prod' } }, { metadata: { env: 'dev' } }, {}, false],
    [{ metadata: { env: ['dev', 'test'] } }, { metadata: { env: 'dev' } }, {}, true],
    [{ metadata: { env: 'prod' } }, {}, {}, false],
    [{ metadata: { constructor: 'x' } }, { metadata: {} }, {}, false],
    [{ tenants: ['acme'] }, {}, {}, true],
    [{ tenants: ['other'] }, {}, {}, false],
    [{ teams: ['red'] }, {}, { team: 'red' }, true],
    [{ teams: ['red'] }, {}, {}, false],
    [{ stream: true }, { stream: true }, {}, true],
    [{ stream: true }, {}, {}, false],
    [{ tools: false }, {}, {}, true],
    [{ tools: true }, { tools: [{}] }, {}, true],
    [{ vision: true }, {}, {}, false],
    [{ jsonSchema: true }, { response_format: { type: 'json_schema' } }, {}, true],
    [{ inputTokensUpTo: 100 }, {}, {}, true],
    [{ inputTokensOver: 100 }, {}, {}, false],
    [{ inputTokensOver: 100 }, { messages: [{ role: 'user', content: 'word '.repeat(300) }] }, {}, true],
    [{ stream: false, tenants: ['acme'], tools: true }, {}, {}, false],
  ])('%j of %j by %j is %s', async (condition, body, principal, expected) => {
    expect(await when(condition, body, principal)).toBe(expected)
  })

  test('none of which holds leave nothing: NOT_FOUND', async () => {
    const { routed } = await router({
      options: { routes: { chat: { targets: [{ model: 'openai/a', when: { stream: true } }] } } },
      providers: TWO,
    })
    await expect(routed(call('routing', request('chat')))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('health', () => {
  const options = { routes: { chat: { targets: ['openai/a', 'anthropic/b', 'groq/c'] } } }
  const names = ['openai/openai/a', 'anthropic/anthropic/b', 'groq/groq/c'] as const

  test('leaves out what is ejected, and says so', async () => {
    const health = healthOf({ [names[0]]: { state: 'ejected', reason: '5 failures in a row' } })
    const { order, routed } = await router({ options, providers: providers(three), health })
    const asked = call('routing', request('chat'))
    expect(await order(asked)).toEqual([names[1], names[2]])
    await routed(asked)
    expect(asked.trace.decisions[0]?.because).toMatchObject({
      leftOut: [{ deployment: names[0], why: 'ejected', because: '5 failures in a row' }],
    })
  })

  test('is ignored when more than half of the targets are ejected, but for what a person took out', async () => {
    const health = healthOf({
      [names[0]]: { state: 'ejected' },
      [names[1]]: { state: 'ejected' },
      [names[2]]: { state: 'disabled', reason: 'ada' },
    })
    const { order, routed } = await router({ options, providers: providers(three), health })
    const asked = call('routing', request('chat'))
    expect(await order(asked)).toEqual([names[0], names[1]])
    await routed(asked)
    expect(asked.trace.decisions[0]?.because).toMatchObject({ panic: true })
  })
})

test('the port names the routes, for lists of models', async () => {
  const { startPlugin } = await import('@switchyard/testkit')
  const { routing } = await import('../src/index.ts')
  const { router: port } = await import('@switchyard/contract')
  const started = await startPlugin(routing({ routes: { a: { targets: ['openai/x'] }, b: { targets: ['openai/y'] } } }), {
    deps: { providers: TWO },
  })
  expect(started.port(port).routes()).toEqual([
    { id: 'a', ownedBy: 'switchyard' },
    { id: 'b', ownedBy: 'switchyard' },
  ])
})
