import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { tenantTag } from '../../src/keys/tags.ts'
import type { ModelInput } from '../../src/model/options.ts'
import { bypassOf, callOf, planned, plannerWith } from './support/calls.ts'

const plan = (headers: Record<string, string>, options: ModelInput = {}) =>
  planned(plannerWith({ ttlMs: 60_000, ...options }), callOf({ request: { headers } }))

function refusal(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    if (SwitchyardError.is(error, 'INVALID_REQUEST')) return error.details?.param
    throw error
  }
  return undefined
}

describe('cache-control', () => {
  test.each<[string, object]>([
    ['no-cache', { wish: 'no-cache', maxAgeMs: undefined }],
    ['No-Cache', { wish: 'no-cache' }],
    ['max-age=5', { wish: undefined, maxAgeMs: 5_000 }],
    ['max-age="5"', { maxAgeMs: 5_000 }],
    ['max-age=5, max-age=3', { maxAgeMs: 3_000 }],
    ['max-age=0', { wish: 'no-cache' }],
    ['max-age=99999999999999999999', { maxAgeMs: 2_147_483_648_000 }],
    ['only-if-cached', { wish: 'only-if-cached' }],
    ['only-if-cached, max-age=7', { wish: 'only-if-cached', maxAgeMs: 7_000 }],
    ['max-stale, min-fresh=3, no-transform, x="a,b"', { wish: undefined, maxAgeMs: undefined }],
    ['', { wish: undefined }],
  ])('%s', (control, expected) => expect(plan({ 'cache-control': control })).toMatchObject(expected))

  test('no-store goes past the cache, whatever else stands there', () => {
    const of = plannerWith()
    for (const control of ['no-store', 'no-cache, no-store', 'NO-STORE,max-age=5'])
      expect(bypassOf(of, callOf({ request: { headers: { 'cache-control': control } } }))).toBe('no-store')
  })

  test.each([
    'max-age',
    'max-age=',
    'max-age=x',
    'max-age=-1',
    'max-age=1.5',
    'max-age=" 5"',
    'only-if-cached, no-cache',
    'no-store, only-if-cached',
  ])('%s is refused', (control) => expect(refusal(() => plan({ 'cache-control': control }))).toBe('cache-control'))

  test('only-if-cached is told where nothing is ever stored', () => {
    const call = callOf({ request: { body: { messages: [] }, headers: { 'cache-control': 'only-if-cached' } } })
    expect(plannerWith().plan(call)).toEqual({ bypass: 'content', wish: 'only-if-cached' })
  })
})

describe('a caller may tighten', () => {
  test('the lifetime, and never lengthen it', () => {
    expect(plan({ 'x-switchyard-cache-ttl': '5' }).ttlMs).toBe(5_000)
    expect(plan({ 'x-switchyard-cache-ttl': '500' }).ttlMs).toBe(60_000)
  })

  test('the share of wrong answers, and never raise it', () => {
    const epsilon = (value: string, options: ModelInput = {}) => plan({ 'x-switchyard-cache-epsilon': value }, options).likeness
    expect(epsilon('0.005')).toMatchObject({ epsilon: 0.005 })
    expect(epsilon('0.005', { epsilon: 0.01 })).toMatchObject({ epsilon: 0.005 })
    expect(epsilon('.5', { epsilon: 0.01 })).toMatchObject({ epsilon: 0.01 })
    expect(epsilon('0')).toBeUndefined()
  })

  test('the scope, and never widen it', () => {
    const narrow = plan({ 'x-switchyard-cache-scope': 'key' }, { scope: 'tenant' })
    expect(narrow.likeness?.shared).toBe(false)
    expect(narrow.key).not.toBe(plan({}, { scope: 'tenant' }).key)
    for (const [scope, allowed] of [
      ['user', 'key'],
      ['tenant', 'team'],
      ['public', 'tenant'],
      ['everyone', 'public'],
    ] as const)
      expect(refusal(() => plan({ 'x-switchyard-cache-scope': scope }, { scope: allowed }))).toBe('x-switchyard-cache-scope')
  })

  test.each([
    ['x-switchyard-cache-ttl', '0'],
    ['x-switchyard-cache-ttl', '1.5'],
    ['x-switchyard-cache-ttl', ''],
    ['x-switchyard-cache-epsilon', '1'],
    ['x-switchyard-cache-epsilon', ''],
    ['x-switchyard-cache-epsilon', '.'],
    ['x-switchyard-cache-epsilon', '-0.1'],
    ['x-switchyard-cache-epsilon', '1e-3'],
    ['x-switchyard-cache-tags', 'a b'],
    ['x-switchyard-cache-tags', 'ä'],
    ['x-switchyard-cache-tags', 'x'.repeat(65)],
    ['x-switchyard-cache-tags', Array.from({ length: 17 }, (_, at) => `t${at}`).join(',')],
  ])('%s: %s is refused', (name, value) => expect(refusal(() => plan({ [name]: value }))).toBe(name))
})

describe('attributes mean what headers mean', () => {
  const of = plannerWith()
  test('the stricter of the two counts', () => {
    expect(bypassOf(of, callOf({ attributes: { cache: 'no-store' } }))).toBe('no-store')
    const both = callOf({
      attributes: { cacheMaxAgeMs: 500 },
      request: { headers: { 'cache-control': 'max-age=1, no-cache' } },
    })
    expect(planned(of, both)).toMatchObject({ maxAgeMs: 500, wish: 'no-cache' })
  })

  test('tags are added up', () => {
    const call = callOf({ attributes: { cacheTags: 'b, a' }, request: { headers: { 'x-switchyard-cache-tags': 'c' } } })
    expect(planned(of, call).tags).toEqual(
      expect.arrayContaining(['a', 'b', 'c'].map((tag) => tenantTag('acme', `tag:${tag}`))),
    )
  })

  test.each([
    ['cache', { cache: 'sometimes' }],
    ['cacheMaxAgeMs', { cacheMaxAgeMs: -1 }],
    ['cacheMaxAgeMs', { cacheMaxAgeMs: 'x' }],
    ['cacheTags', { cacheTags: 'a b' }],
  ])('%s %j is refused', (name, attributes) => {
    expect(refusal(() => of.plan(callOf({ attributes: attributes as unknown as Record<string, string> })))).toBe(name)
  })
})

describe('tags', () => {
  test('each begins with the tenant, and they name what an entry hangs on', () => {
    const options: ModelInput = { routes: [{ name: 'faq' }], scope: 'team' }
    const call = callOf({
      principal: { team: 'red' },
      request: {
        body: {
          messages: [
            { role: 'system', content: 's' },
            { role: 'user', content: 'u' },
          ],
        },
        headers: { 'x-switchyard-cache-tags': 'doc:1' },
      },
    })
    const planner = plannerWith(options)
    const prompt = planner.explain(call).prompt
    expect(prompt).toMatch(/^[\w-]{22}$/)
    const names = [undefined, 'model:m', 'tag:doc:1', 'route:faq', `prompt:${String(prompt)}`, 'team:red']
    expect(new Set(planned(planner, call).tags)).toEqual(new Set(['*', ...names.map((name) => tenantTag('acme', name))]))
  })

  test('those of an answer for all tenants are nobody’s', () => {
    const tags = planned(plannerWith({ scope: 'public' }), callOf()).tags
    expect(tags).toEqual(['*', 'p:model:m'])
  })

  test('names of any length are bounded', () => {
    const model = 'm'.repeat(100_000)
    const [long, other] = [model, `${model}x`].map((name) => planned(plannerWith(), callOf({ request: { model: name } })).tags)
    for (const tag of long ?? []) expect(tag.length).toBeLessThan(300)
    expect(long).not.toEqual(other)
  })
})

describe('principals', () => {
  const of = plannerWith({ scope: 'team' })
  test.each([{ tenant: '' }, { keyId: '' }, { user: '' }, { team: '' }])('%j is an error', (principal) => {
    expect(refusal(() => of.plan(callOf({ principal })))).toBe(Object.keys(principal)[0])
  })

  test('whoever has no team or user shares with less', () => {
    expect(planned(of, callOf()).likeness?.shared).toBe(false)
    expect(of.explain(callOf())).toMatchObject({ scope: 'key' })
    expect(of.explain(callOf({ principal: { user: 'u' } }))).toMatchObject({ scope: 'user' })
    expect(of.explain(callOf({ principal: { user: 'u', team: 't' } }))).toMatchObject({ scope: 'team' })
  })

  test('members of a team share, and nobody beside them', () => {
    const key = (principal: object): string => planned(of, callOf({ principal })).key
    expect(key({ team: 't', keyId: '1', user: 'u' })).toBe(key({ team: 't', keyId: '2', user: 'v' }))
    expect(key({ team: 't' })).not.toBe(key({ team: 's' }))
    expect(key({ user: 't' })).not.toBe(key({ team: 't' }))
    expect(key({ keyId: 't' })).not.toBe(key({ user: 't' }))
  })

  test('tenants share what is public, and nothing else', () => {
    for (const scope of ['key', 'user', 'team', 'tenant', 'public'] as const) {
      const planner = plannerWith({ scope })
      const key = (tenant: string): string => planned(planner, callOf({ principal: { tenant, user: 'u', team: 't' } })).key
      expect(key('a') === key('b')).toBe(scope === 'public')
    }
  })
})

describe('headers', () => {
  const key = (headers: Record<string, string>, options: ModelInput = {}): string => plan(headers, options).key

  test('metadata counts where a config of the client may choose by it, and where an operator says so', () => {
    const config = { 'x-portkey-config': 'pc-1' }
    const metadata = (plan: string): Record<string, string> => ({ 'x-portkey-metadata': `{"plan":"${plan}"}` })
    expect(key(metadata('a'))).toBe(key(metadata('b')))
    expect(key({ ...config, ...metadata('a') })).not.toBe(key({ ...config, ...metadata('b') }))
    const vary = { varyHeaders: ['X-Portkey-Metadata'] }
    expect(key(metadata('a'), vary)).not.toBe(key(metadata('b'), vary))
  })

  test('those that a provider hands on count where they are named', () => {
    expect(key({ 'x-own': 'a' })).toBe(key({ 'x-own': 'b' }))
    expect(key({ 'x-own': 'a' }, { varyHeaders: ['x-own'] })).not.toBe(key({ 'x-own': 'b' }, { varyHeaders: ['x-own'] }))
  })

  test('names and values do not run into each other', () => {
    const keys = [
      { 'x-portkey-a': 'b', 'x-portkey-c': 'd' },
      { 'x-portkey-a': 'b"],["x-portkey-c","d' },
      { 'x-portkey-a': 'bx-portkey-cd' },
      { 'x-portkey-c': 'd', 'x-portkey-a': 'b' },
    ].map((headers) => key(headers as Record<string, string>))
    expect(new Set(keys.slice(0, 3)).size).toBe(3)
    expect(keys[3]).toBe(keys[0])
  })
})

describe('explain', () => {
  test('tells what was looked at, and no secret, no header’s value and no word of the request', () => {
    const call = callOf({
      request: {
        body: {
          messages: [
            { role: 'system', content: 'confidential' },
            { role: 'user', content: 'my question' },
          ],
        },
        headers: { authorization: 'Bearer sk-very-secret', 'x-portkey-provider': 'openai' },
      },
    })
    const told = plannerWith({}, 'the hidden key').explain(call)
    expect(told).toMatchObject({
      endpoint: 'chat/completions',
      model: 'm',
      scope: 'key',
      headers: ['authorization', 'x-portkey-provider'],
      turns: 1,
      likeness: true,
    })
    expect(told).toMatchObject({ entry: planned(plannerWith({}, 'the hidden key'), call).key })
    expect(JSON.stringify(told)).not.toMatch(/confidential|question|very-secret|hidden/)
  })

  test('tells why a call is left alone', () => {
    expect(plannerWith().explain(callOf({ request: { body: { messages: [] } } }))).toMatchObject({ bypass: 'content' })
  })
})

describe('calls under way are shared', () => {
  const of = plannerWith()
  const mode = (endpoint: 'chat/completions' | 'responses', stream: boolean, more: object = {}): string => {
    const asked = endpoint === 'responses' ? { input: 'hi', store: false } : { messages: [{ role: 'user', content: 'hi' }] }
    return planned(of, callOf({ request: { endpoint, stream, body: { ...asked, ...more } } })).mode
  }

  test('by those whose replies are the same on the wire', () => {
    const usage = { stream_options: { include_usage: true } }
    expect(mode('chat/completions', false)).toBe('whole')
    expect(mode('chat/completions', true)).toBe('stream')
    expect(mode('chat/completions', true, { ...usage, user: 'a' })).toBe(
      mode('chat/completions', true, { ...usage, user: 'b' }),
    )
    const modes = [
      mode('chat/completions', false),
      mode('chat/completions', true),
      mode('chat/completions', true, usage),
      mode('chat/completions', true, { stream_options: { include_usage: true, include_obfuscation: false } }),
    ]
    expect(new Set(modes).size).toBe(modes.length)
  })

  test('by no two responses that repeat something else of their requests', () => {
    for (const stream of [true, false]) {
      const modes = [
        {},
        { metadata: { a: '1' } },
        { metadata: { a: '2' } },
        { user: 'u' },
        { safety_identifier: 'u' },
        { prompt_cache_key: 'u' },
      ]
      expect(new Set(modes.map((more) => mode('responses', stream, more))).size).toBe(modes.length)
    }
  })
})

describe('the memo', () => {
  const body = (text: string): { body: Record<string, unknown>; raw: Uint8Array } => {
    const raw = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: text }] }))
    return { raw, body: JSON.parse(raw.toString()) as Record<string, unknown> }
  }

  test('gives the very plan again, and another to whoever differs in anything', () => {
    const of = plannerWith()
    const asked = body('hi')
    const first = of.plan(callOf({ request: asked }))
    expect(of.plan(callOf({ request: { ...asked, raw: Buffer.from(asked.raw) } }))).toBe(first)
    const others = [
      callOf({ request: body('ho') }),
      callOf({ request: { ...asked, model: 'n' } }),
      callOf({ request: { ...asked, endpoint: 'messages' } }),
      callOf({ request: { ...asked, stream: true } }),
      callOf({ request: { ...asked, headers: { 'anthropic-version': '1' } } }),
      callOf({ request: { ...asked, headers: { 'x-switchyard-cache-tags': 'a' } } }),
      callOf({ request: asked, target: 'other' }),
      callOf({ request: asked, principal: { tenant: 'b' } }),
      callOf({ request: asked, principal: { keyId: 'b' } }),
      callOf({ request: asked, principal: { user: 'b' } }),
    ].map((call) => planned(of, call))
    const told = [first, ...others].map((plan) => ('key' in plan ? `${plan.key} ${plan.mode} ${plan.tags.join()}` : ''))
    expect(new Set(told).size).toBe(told.length)
  })

  test('and a plan without one is the same', () => {
    const [kept, anew] = [plannerWith(), plannerWith({ memoBytes: 0 })]
    for (const text of ['a', 'b', 'a']) {
      const call = callOf({ request: body(text) })
      expect(kept.plan(call)).toEqual(anew.plan(call))
    }
  })

  test('holds reasons too', () => {
    const of = plannerWith()
    const call = callOf({ request: { body: {}, raw: Buffer.from('{}') } })
    expect(of.plan(call)).toBe(of.plan(call))
  })
})
