import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../src/digest.ts'
import { catalog, createCatalog, type Entry } from '../src/index.ts'
import { neighbours } from '../src/nearest.ts'
import { entryOf } from './support.ts'

const rejection = (run: () => unknown): SwitchyardError => {
  try {
    run()
  } catch (error) {
    if (SwitchyardError.is(error)) return error
    throw error
  }
  throw new Error('it did not throw')
}

const some = createCatalog([
  entryOf({ provider: 'openai', model: 'gpt-5.4', aliases: ['gpt-5-4'] }),
  entryOf({ provider: 'openai', model: 'gpt-4o' }),
  entryOf({ provider: 'openai', model: 'gpt-4' }),
  entryOf({ provider: 'vertex-ai', model: 'claude-x@20250929', baseModel: 'claude-x-20250929' }),
  entryOf({ provider: 'anthropic', model: 'claude-x-20250929' }),
  entryOf({ provider: 'fireworks-ai', model: 'accounts/fireworks/models/llama-x' }),
  entryOf({ provider: 'openrouter', model: 'openai/gpt-5.4' }),
  entryOf({ provider: 'huggingface', model: 'Qwen/Qwen3-32B' }),
])

describe('an unknown name', () => {
  test('is an error that names the three most alike, as data too', () => {
    const error = rejection(() => some.resolve('openai/gpt5.4'))
    expect(error.code).toBe('NOT_FOUND')
    expect(error.details).toEqual({ nearest: ['openai/gpt-5.4', 'openai/gpt-4', 'openai/gpt-4o'] })
    expect(error.message).toContain('openai/gpt-5.4, openai/gpt-4, openai/gpt-4o')
  })

  test.each(['', '/', 'x', 'gpt-5.4', 'openai/', '/gpt-5.4', 'openai/gpt-5.4 ', 'constructor', '__proto__/x', 'openai/gpt-5'])(
    '%j is never taken for a similar one',
    (name) => {
      expect(some.lookup(name)).toBeUndefined()
      expect(some.get(name)).toBeUndefined()
      expect(rejection(() => some.resolve(name)).code).toBe('NOT_FOUND')
    },
  )

  test('in an empty catalog has no neighbours', () => {
    expect(rejection(() => createCatalog([]).resolve('a/b')).details).toEqual({ nearest: [] })
  })

  test('of a megabyte is cut in the message', () => {
    expect(rejection(() => some.resolve(`openai/${'x'.repeat(1_000_000)}`)).message.length).toBeLessThan(400)
  })
})

describe('a name is found', () => {
  test.each([
    ['openai/gpt-5.4', 'openai/gpt-5.4'],
    ['OpenAI/GPT-5.4', 'openai/gpt-5.4'],
    ['openai/gpt-5-4', 'openai/gpt-5.4'],
    ['google-vertex/claude-x-20250929', 'vertex-ai/claude-x@20250929'],
    ['anthropic/claude-x@20250929', 'anthropic/claude-x-20250929'],
    ['fireworks/llama-x', 'fireworks-ai/accounts/fireworks/models/llama-x'],
    ['openrouter/OpenAI/gpt-5.4', 'openrouter/openai/gpt-5.4'],
    ['huggingface/qwen/qwen3-32b', 'huggingface/Qwen/Qwen3-32B'],
  ])('%s', (name, id) => {
    expect(some.resolve(name).id).toBe(id)
    expect(some.lookup(name)?.id).toBe(id)
  })

  test('get takes the exact id only', () => {
    expect(some.get('openai/gpt-5.4')?.id).toBe('openai/gpt-5.4')
    expect(some.get('openai/GPT-5.4')).toBeUndefined()
  })

  test('an alias never hides a name, nor an exact id one that folds to it', () => {
    const both = createCatalog([
      entryOf({ model: 'a', aliases: ['B'] }),
      entryOf({ model: 'b' }),
      entryOf({ model: 'C' }),
      entryOf({ model: 'c' }),
    ])
    expect(both.resolve('acme/B').id).toBe('acme/b')
    expect(both.resolve('acme/c').id).toBe('acme/c')
    expect(both.resolve('acme/C').id).toBe('acme/C')
  })
})

describe('the index', () => {
  test('keeps entries in order of id, the later of two with one id', () => {
    const twice = createCatalog([entryOf({ model: 'b' }), entryOf({ model: 'a' }), entryOf({ model: 'b', name: 'B' })])
    expect(twice.entries.map(({ id, name }) => [id, name])).toEqual([
      ['acme/a', undefined],
      ['acme/b', 'B'],
    ])
    expect(twice.size).toBe(2)
  })

  test('cannot be changed', () => {
    expect(() => (some.entries as Entry[]).push(entryOf())).toThrow(TypeError)
    expect(() => Object.assign(some, { size: 0 })).toThrow(TypeError)
    expect(() => Object.assign(some.entries[0] as object, { id: 'x' })).toThrow(TypeError)
    expect(() => Object.assign(some.entries[0]?.caps as object, { tools: true })).toThrow(TypeError)
  })

  test('does not see a change of the list it was made of', () => {
    const list = [entryOf({ model: 'a' })]
    const made = createCatalog(list)
    list.push(entryOf({ model: 'b' }))
    expect(made.size).toBe(1)
  })

  test('names its providers and finds the same weights everywhere', () => {
    expect(some.providers).toEqual(['anthropic', 'fireworks-ai', 'huggingface', 'openai', 'openrouter', 'vertex-ai'])
    expect(some.sameModel('claude-x-20250929').map(({ provider }) => provider)).toEqual(['anthropic', 'vertex-ai'])
    expect(some.sameModel('nothing')).toEqual([])
  })

  test('prices under its own version', () => {
    const one = createCatalog([entryOf({ prices: [{ perToken: { input: 7 } }] })])
    const cost = one.price(one.resolve('acme/m'), { inputTokens: 1, outputTokens: 0 }, { version: 'mine' })
    expect(cost).toMatchObject({ pico: 7n, version: one.version })
  })
})

describe('the version', () => {
  const [a, b] = [entryOf({ model: 'a' }), entryOf({ model: 'b' })]

  test('is that of the content, whatever the order of entries and members', () => {
    const shuffled = Object.freeze(Object.fromEntries(Object.entries(a).reverse())) as unknown as Entry
    expect(createCatalog([b, shuffled]).version).toBe(createCatalog([a, b]).version)
    expect(createCatalog([a, b]).version).toMatch(/^[0-9a-f]{16}$/)
  })

  test('changes with any content', () => {
    const versions = [[a], [b], [a, b], [], [entryOf({ model: 'a', prices: [{ perToken: { input: 1 } }] })]].map(
      (entries) => createCatalog(entries).version,
    )
    expect(new Set(versions).size).toBe(5)
  })

  test('canonical JSON sorts members and leaves out what is undefined', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined })).toBe('{"b":[1,{"c":"x","d":null}]}')
  })
})

describe('neighbours', () => {
  test('of nothing alike there are none, and never more than asked for', () => {
    expect(neighbours(['abc', 'abd']).nearest('zzz', 3)).toEqual([])
    expect(neighbours(['abc', 'abd', 'abe']).nearest('abc', 2)).toEqual(['abc', 'abd'])
    expect(neighbours([]).nearest('abc', 2)).toEqual([])
  })

  test('a name of thousands is found by a misspelling', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `provider-${i % 50}/model-${i}`)
    expect(neighbours([...names, 'anthropic/claude-sonnet-4-5']).nearest('antropic/claude-sonet-4.5', 1)).toEqual([
      'anthropic/claude-sonnet-4-5',
    ])
  })
})

test('the port token is one that every copy of this package shares', () => {
  expect(catalog).toEqual({ id: 'catalog', version: 1 })
})
