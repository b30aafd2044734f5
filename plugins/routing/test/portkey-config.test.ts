import { describe, expect, test } from 'vitest'
import { portkeyConfig, type RouteInput, routingOptions } from '../src/index.ts'

/** A branch of a conditional strategy. */
const branch = (name: string, query?: object): object =>
  Object.fromEntries([['then', name], ...(query ? [['query', query]] : [])])
const named = (model: string): object => {
  const [provider, name] = model.split('/')
  return { provider, override_params: { model: name } }
}

describe('a route as a Portkey config', () => {
  test('of one target is that target', () => {
    expect(portkeyConfig({ targets: ['openai/a'] })).toEqual(named('openai/a'))
  })

  test('priority is a fallback in that order, with credentials and retries where asked for', () => {
    expect(portkeyConfig({ targets: ['openai/a', 'anthropic/b/c'] })).toEqual({
      strategy: { mode: 'fallback' },
      targets: [named('openai/a'), { provider: 'anthropic', override_params: { model: 'b/c' } }],
    })
    expect(
      portkeyConfig(
        { targets: ['openai/a', 'groq/b'] },
        {
          credentials: ({ model }) => ({ virtual_key: `vk-${model}` }),
          retry: { attempts: 2, onStatusCodes: [429] },
        },
      ),
    ).toEqual({
      strategy: { mode: 'fallback' },
      targets: ['openai/a', 'groq/b'].map((model) => ({
        ...named(model),
        virtual_key: `vk-${model}`,
        retry: { attempts: 2, on_status_codes: [429] },
      })),
    })
  })

  test('weighted balances the load over fallbacks, since Portkey’s own never fails over', () => {
    const targets = [
      { model: 'openai/a', weight: 1 },
      { model: 'openai/b', weight: 3 },
      { model: 'openai/spare', weight: 0 },
    ]
    expect(portkeyConfig({ strategy: 'weighted', targets })).toEqual({
      strategy: { mode: 'loadbalance' },
      targets: [
        { strategy: { mode: 'fallback' }, targets: [named('openai/a'), named('openai/b'), named('openai/spare')], weight: 1 },
        { strategy: { mode: 'fallback' }, targets: [named('openai/b'), named('openai/a'), named('openai/spare')], weight: 3 },
      ],
    })
  })

  test('a canary is a branch of its share', () => {
    const targets = [{ model: 'openai/new', canaryPercent: 10 }, 'openai/old']
    expect(portkeyConfig({ targets })).toEqual({
      strategy: { mode: 'loadbalance' },
      targets: [
        { strategy: { mode: 'fallback' }, targets: [named('openai/new'), named('openai/old')], weight: 10 },
        { strategy: { mode: 'fallback' }, targets: [named('openai/old'), named('openai/new')], weight: 90 },
      ],
    })
  })

  test('price is a fallback in the order that was handed in', () => {
    const cheap: RouteInput = { strategy: 'price', targets: ['openai/a', 'openai/b', 'openai/c'] }
    expect(portkeyConfig(cheap, { cheapestFirst: ['openai/c', 'openai/a'] })).toEqual({
      strategy: { mode: 'fallback' },
      targets: ['openai/c', 'openai/a', 'openai/b'].map(named),
    })
    expect(() => portkeyConfig(cheap)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
  })

  test('conditions become branches, those with most conditions first', () => {
    const prod = { metadata: { env: 'prod' } }
    const config = portkeyConfig({
      targets: [{ model: 'openai/a', when: prod }, { model: 'openai/b', when: { stream: true } }, 'openai/c'],
    })
    expect(config).toMatchObject({
      strategy: {
        mode: 'conditional',
        conditions: [
          branch('when-3', { $and: [{ 'metadata.env': { $eq: 'prod' } }, { 'params.stream': { $eq: true } }] }),
          branch('when-2'),
          branch('when-1', { $and: [{ 'metadata.env': { $eq: 'prod' } }] }),
        ],
        default: 'when-0',
      },
      targets: [
        { name: 'when-3', targets: ['openai/a', 'openai/b', 'openai/c'].map(named) },
        { name: 'when-2', targets: ['openai/b', 'openai/c'].map(named) },
        { name: 'when-1', targets: ['openai/a', 'openai/c'].map(named) },
        { name: 'when-0', ...named('openai/c') },
      ],
    })
  })

  test('without a target that is always there, no match is no default', () => {
    const config = portkeyConfig({ targets: [{ model: 'openai/a', when: { metadata: { env: ['x', 'y'] } } }] })
    expect(config.strategy).toEqual({
      mode: 'conditional',
      conditions: [branch('when-1', { $and: [{ 'metadata.env': { $in: ['x', 'y'] } }] })],
    })
  })

  test.each<[string, RouteInput]>([
    ['least-busy', { strategy: 'least-busy', targets: ['openai/a'] }],
    ['latency', { strategy: 'latency', targets: ['openai/a'] }],
    ['sticky', { strategy: 'weighted', stickyBy: 'user', targets: ['openai/a'] }],
    ['tools', { targets: [{ model: 'openai/a', when: { tools: true } }] }],
    ['many', { targets: [1, 2, 3, 4, 5].map((n) => ({ model: 'openai/a', when: { metadata: { n: String(n) } } })) }],
  ])('what Portkey cannot decide is refused: %s', (_, input) => {
    expect(() => portkeyConfig(input)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
  })
})

test('what is no route is CONFIG_INVALID', () => {
  expect(() => portkeyConfig({ targets: ['gpt'] })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('targets') }),
  )
})

describe('options', () => {
  test.each<[string, unknown]>([
    ['a name with a slash', { routes: { 'a/b': { targets: ['openai/a'] } } }],
    ['no targets', { routes: { a: { targets: [] } } }],
    ['a target without a provider', { routes: { a: { targets: ['gpt'] } } }],
    ['an unknown key', { routes: { a: { targets: ['openai/a'], stratgy: 'price' } } }],
    ['sticky without a draw', { routes: { a: { targets: ['openai/a'], stickyBy: 'user' } } }],
    ['sticky by what is not known', { routes: { a: { strategy: 'weighted', targets: ['openai/a'], stickyBy: 'ip' } } }],
    ['canaries only', { routes: { a: { targets: [{ model: 'openai/a', canaryPercent: 5 }] } } }],
    ['a share above all', { routes: { a: { targets: ['openai/b', { model: 'openai/a', canaryPercent: 101 }] } } }],
    [
      'canaries of more than all',
      {
        routes: {
          a: { targets: ['openai/b', { model: 'openai/a', canaryPercent: 60 }, { model: 'openai/c', canaryPercent: 60 }] },
        },
      },
    ],
  ])('%s is refused', (_, input) => {
    expect(routingOptions['~standard'].validate(input)).toMatchObject({ issues: expect.arrayContaining([expect.anything()]) })
  })
})
