import type { ModelProvider } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { modelDirectory } from '../src/model-directory.ts'

function provider(
  capabilities: Partial<ModelProvider['capabilities']>,
  models: ModelProvider['models'] = async () => [],
): ModelProvider {
  return {
    capabilities: {
      endpoints: ['chat/completions'],
      streaming: true,
      models: 'any',
      listing: true,
      cancels: true,
      ...capabilities,
    },
    models,
    invoke: async () => {
      throw new Error('not called here')
    },
    probe: async () => {},
  }
}

describe('resolve', () => {
  const directory = modelDirectory(
    new Map([
      ['patterns', provider({ models: ['openai/*', 'demo/*'] })],
      ['exact', provider({ models: ['openai/special'] })],
      ['picky', provider({ models: ['x/*'], selectors: ['x-portkey-provider', 'x-portkey-config'] })],
    ]),
  )

  test.each([
    ['openai/special', 'exact'],
    ['openai/gpt', 'patterns'],
    ['openai/deep/name', 'patterns'],
    ['demo/chat', 'patterns'],
  ])('%s -> %s', (model, target) => {
    expect(directory.resolve(model, {})).toEqual({ target, model })
  })

  test('a header that picks the upstream wins, and completes a bare model name', () => {
    expect(directory.resolve('gpt', { 'x-portkey-provider': 'openai' })).toEqual({ target: 'picky', model: 'openai/gpt' })
    expect(directory.resolve('openai/gpt', { 'x-portkey-provider': 'openai' })).toEqual({
      target: 'picky',
      model: 'openai/gpt',
    })
    expect(directory.resolve('gpt', { 'x-portkey-config': '{}' })).toEqual({ target: 'picky', model: 'gpt' })
  })

  test.each([
    ['gpt', /name it provider\/model .*openai\/\*/],
    ['nope/gpt', /no provider "nope" is on .*demo\/\*/],
    ['/gpt', /name it provider\/model/],
  ])('%s is not found, and the message names what is on', (model, message) => {
    expect(() => directory.resolve(model, {})).toThrow(
      expect.objectContaining({
        code: 'NOT_FOUND',
        message: expect.stringMatching(message),
        details: { code: 'model_not_found', param: 'model' },
      }),
    )
  })

  test('an instance that serves any model is the last resort', () => {
    const any = modelDirectory(
      new Map([
        ['hosted', provider({})],
        ['own', provider({ models: ['own/*'] })],
      ]),
    )
    expect(any.resolve('whatever', {})).toEqual({ target: 'hosted', model: 'whatever' })
    expect(any.resolve('own/x', {})).toEqual({ target: 'own', model: 'own/x' })
  })
})

test('lists are merged and sorted; an instance that fails is left out and reported', async () => {
  const failures: string[] = []
  const directory = modelDirectory(
    new Map([
      [
        'good',
        provider({}, async () => [
          { id: 'z/1', ownedBy: 'z' },
          { id: 'a/1', ownedBy: 'a' },
        ]),
      ],
      ['bad', provider({}, async () => Promise.reject(new Error('down')))],
      ['silent', provider({ listing: false }, async () => Promise.reject(new Error('must not be asked')))],
    ]),
  )
  const cards = await directory.list(AbortSignal.timeout(1_000), (instance) => failures.push(instance))
  expect(cards.map(({ id }) => id)).toEqual(['a/1', 'z/1'])
  expect(failures).toEqual(['bad'])
})
