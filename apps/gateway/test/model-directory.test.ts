import { seedCatalog } from '@switchyard/catalog'
import type { ModelProvider, Router, SwitchyardError } from '@switchyard/contract'
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
    expect(directory.resolve(model, {})).toEqual({ target, model, deployment: `${target}/${model}` })
  })

  test('a header that picks the upstream wins, and completes a bare model name', () => {
    const picked = { target: 'picky', model: 'openai/gpt', deployment: 'picky/openai/gpt' }
    expect(directory.resolve('gpt', { 'x-portkey-provider': 'openai' })).toEqual(picked)
    expect(directory.resolve('openai/gpt', { 'x-portkey-provider': 'openai' })).toEqual(picked)
    expect(directory.resolve('gpt', { 'x-portkey-config': '{}' })).toMatchObject({ target: 'picky', model: 'gpt' })
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
    expect(any.resolve('whatever', {})).toMatchObject({ target: 'hosted', model: 'whatever' })
    expect(any.resolve('own/x', {})).toMatchObject({ target: 'own', model: 'own/x' })
  })
})

describe('with a router', () => {
  const router: Router = { routes: () => [{ id: 'chat-default', ownedBy: 'switchyard' }] }
  const directory = modelDirectory(
    new Map([['own', provider({ models: ['own/*'] }, async () => [{ id: 'own/x', ownedBy: 'own' }])]]),
    { routers: new Map([['routing', router]]) },
  )

  test('its public names lead to it, are known and listed, and deployments are its own to name', async () => {
    expect(directory.resolve('chat-default', {})).toEqual({ target: 'routing', model: 'chat-default', deployment: undefined })
    expect(directory.resolve('own/x', {})).toEqual({ target: 'own', model: 'own/x', deployment: undefined })
    expect(directory.known).toEqual(['own/*', 'chat-default'])
    const cards = await directory.list(AbortSignal.timeout(1_000), () => {})
    expect(cards.map(({ id }) => id)).toEqual(['chat-default', 'own/x'])
  })

  test('a name that is like one of its names is still none', () => {
    expect(() => directory.resolve('chat-defaul', {})).toThrow(/on now: own\/\*, chat-default/)
  })
})

describe('with the catalog', () => {
  const catalog = { current: seedCatalog }
  const notFound = (model: string): SwitchyardError => {
    try {
      modelDirectory(new Map(), { catalog }).resolve(model, {})
    } catch (error) {
      return error as SwitchyardError
    }
    throw new Error('it was found')
  }

  test('a name that nobody serves is told with the three nearest', () => {
    const { message, details } = notFound('openai/gpt-5.4-minni')
    expect(details?.nearest).toHaveLength(3)
    expect(details?.nearest).toContain('openai/gpt-5.4-mini')
    expect(message).toContain(`the nearest names in the catalog are ${String(details?.nearest).replaceAll(',', ', ')}`)
  })

  test('a name that the catalog knows is told without', () => {
    const { message, details } = notFound('openai/gpt-5.4')
    expect(details).toEqual({ code: 'model_not_found', param: 'model' })
    expect(message).toMatch(/no provider "openai" is on \(no provider is on\)$/)
  })

  test('a name without end is cut in the message', () => {
    expect(notFound('x'.repeat(1_000_000)).message.length).toBeLessThan(1_000)
    expect(notFound(`${'x'.repeat(100_000)}/y`).message.length).toBeLessThan(1_000)
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
