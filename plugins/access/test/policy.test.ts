import type { Call, Next, SwitchyardError } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { matcherOf } from '../src/name-match.ts'
import { scopesPolicy } from '../src/scopes-policy.ts'

type ModelCall = Call<'model.invoke'>

const policy = scopesPolicy({ headers: ['x-portkey-config'], fields: ['models'] })

function call(scopes: object | undefined, request: object = {}): ModelCall {
  const principal = { tenant: 'acme', keyId: 'k', roles: [], ...(scopes && { scopes }) }
  const decide = vi.fn()
  const asked = { endpoint: 'chat/completions', model: 'openai/gpt-5', headers: {}, ...request }
  return { principal, request: asked, trace: { decide } } as unknown as ModelCall
}
const ANY = { models: ['*'], endpoints: ['*'] }
const passed: Next<'model.invoke'> = async () => 'passed' as never

describe('a call passes', () => {
  test.each([
    ['of code of this process, which has no scopes', undefined, {}],
    ['of a key for anything', ANY, { headers: { 'x-portkey-config': 'pc' } }],
    ['of a named model', { ...ANY, models: ['a', 'openai/gpt-5'] }, {}],
    ['of a pattern', { ...ANY, models: ['openai/*'] }, {}],
    [
      'of a pattern, with fields of any name within',
      { ...ANY, models: ['openai/*'] },
      { body: { model: 'x', tools: [{ models: 1 }] } },
    ],
    ['of any model, steered', ANY, { body: { models: ['a'], Model: 'b' } }],
    ['of a named endpoint', { ...ANY, endpoints: ['chat/completions'] }, {}],
  ])('%s', async (_, scopes, request) => {
    expect(await policy.around(call(scopes, request), passed)).toBe('passed')
    expect((await policy.explain?.(call(scopes, request)))?.decisions).toMatchObject([{ decision: 'pass' }])
  })
})

describe('a call is refused', () => {
  test.each([
    [
      'of another model',
      { ...ANY, models: ['anthropic/*', 'a'] },
      {},
      'model',
      /model "openai\/gpt-5": it may call anthropic\/\*, a$/,
    ],
    ['of any model by a key for none', { ...ANY, models: [] }, {}, 'model', /it may call none$/],
    [
      'of another endpoint',
      { ...ANY, endpoints: ['embeddings'] },
      {},
      'endpoint',
      /"chat\/completions": it may call embeddings$/,
    ],
    ['of any endpoint by a key for none', { ...ANY, endpoints: [] }, {}, 'endpoint', /none$/],
    [
      'that could be steered elsewhere',
      { ...ANY, models: ['openai/*'] },
      { headers: { 'x-portkey-config': '{}' } },
      'x-portkey-config',
      /header/,
    ],
    ...['models', 'Models', 'Model', 'MODEL'].map((name): [string, object, object, string, RegExp] => [
      `with the field ${name}`,
      { ...ANY, models: ['openai/*'] },
      { body: { model: 'openai/gpt-5', [name]: 'anthropic/claude' } },
      name,
      /field [Mm]odels?, which can name another|field MODEL/,
    ]),
    ...['openai/../anthropic/x', 'openai/x?y', 'openai/x#y', 'openai/%2e%2e/x', 'openai/..', 'openai/a\\b', 'openai/a\nb'].map(
      (model): [string, object, object, string, RegExp] => [
        `of ${JSON.stringify(model)}, which a pattern alone allows`,
        { ...ANY, models: ['openai/*'] },
        { model },
        'model',
        /it may call openai/,
      ],
    ),
    [
      'with a list too long to tell',
      { ...ANY, models: Array.from({ length: 25 }, (_, at) => `m${at}`) },
      {},
      'model',
      /m19, and 5 more$/,
    ],
  ])('%s, saying what is allowed', async (_, scopes, request, param, message) => {
    const refused = call(scopes, request)
    const next = vi.fn()
    const error = await policy.around(refused, next).catch((thrown: unknown) => thrown as SwitchyardError)
    expect(error).toMatchObject({
      code: 'FORBIDDEN',
      retryable: false,
      details: { param },
      message: expect.stringMatching(message),
    })
    expect(next).not.toHaveBeenCalled()
    expect(refused.trace.decide).toHaveBeenCalledWith('access/scopes', 'refused', expect.anything())
    expect(await policy.explain?.(call(scopes, request))).toMatchObject({
      decisions: [{ decision: 'refuse', because: { code: 'FORBIDDEN' } }],
    })
  })
})

test('a pattern means what the plain reading of it means', () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 4 })
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), fc.array(piece, { maxLength: 4 }), (pieces, texts) => {
      const pattern = pieces.join('*')
      const oracle = new RegExp(`^${pieces.map((text) => text.replaceAll('.', '\\.')).join('.*')}$`)
      const fits = matcherOf([pattern])
      for (const name of [texts.join(''), pieces.join(texts[0] ?? ''), pieces.join(''), pattern]) {
        // Steps along a path are no text that a star stands for.
        const steps = /(^|\/)\.{1,2}(\/|$)/.test(name)
        const expected = pattern.includes('*') ? oracle.test(name) && !steps : name === pattern
        expect(fits(name)).toBe(expected)
        expect(fits(name)).toBe(expected)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('names that are kept are bounded, and answers stay right', () => {
  const fits = matcherOf(['a*'])
  const long = 'x'.repeat(100_000)
  expect([fits(`a${long}`), fits(`b${long}`), fits(`a${long}`)]).toEqual([true, false, true])
  for (let at = 0; at < 3_000; at++) expect(fits(`${at % 2 === 0 ? 'a' : 'b'}${at}`)).toBe(at % 2 === 0)
})
