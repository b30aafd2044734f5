import { definePort, many, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test, vi } from 'vitest'
import { formatInspection, startKernel } from '../src/index.ts'
import { type Line, line, plugin, policy, rejection, server, to } from './fixtures.ts'

const capabilities = { tones: true }
const modem = plugin('@acme/modem', {
  version: '1.2.3',
  provides: { line },
  setup: () => ({ ports: { line: { capabilities, dial: () => 'tone' } }, health: async () => {} }),
})
const fax = plugin('@acme/fax', {
  requires: { out: line, all: many(line) },
  setup: () => ({ ports: {}, serves: { 'fax.send': async () => ({ pages: 1 }) } }),
})
const pass = policy('admit', 'pass', (call, next) => next(call), { operations: ['fax.send'] })

test('shows the graph, versions, capabilities, milliseconds, health and the way of each operation', async () => {
  await using kernel = await startKernel({ plugins: [pass, fax, modem] })
  expect(await kernel.inspect()).toEqual({
    state: 'ready',
    contract: 1,
    callsInFlight: 0,
    draining: 0,
    instances: [
      expect.objectContaining({ instance: 'pass', health: { status: 'none' } }),
      {
        instance: 'fax',
        plugin: '@acme/fax',
        version: undefined,
        contract: 1,
        requires: [
          { key: 'out', port: 'acme/line@1', arity: 'once', boundTo: ['modem'] },
          { key: 'all', port: 'acme/line@1', arity: 'many', boundTo: ['modem'] },
        ],
        provides: [],
        serves: ['fax.send'],
        startMs: expect.any(Number),
        health: { status: 'none' },
      },
      {
        instance: 'modem',
        plugin: '@acme/modem',
        version: '1.2.3',
        contract: 1,
        requires: [],
        provides: [{ key: 'line', port: 'acme/line@1', capabilities }],
        serves: [],
        startMs: expect.any(Number),
        health: { status: 'ok', checkedAt: expect.any(Number), durationMs: expect.any(Number) },
      },
    ],
    operations: [{ operation: 'fax.send', policies: [{ stage: 'admit', name: 'pass', instance: 'pass' }], targets: ['fax'] }],
  })
})

test('prints as a tree, with the way of each operation', async () => {
  await using kernel = await startKernel({ plugins: [pass, fax, modem] }, { clock: virtualClock() })
  expect(formatInspection(await kernel.inspect())).toBe(
    [
      'ready, 0 calls in flight',
      '├─ pass (pass) 0.0 ms',
      '└─ fax (@acme/fax) 0.0 ms',
      '   └─ modem (@acme/modem 1.2.3) 0.0 ms',
      'fax.send: admit:pass -> [fax]',
    ].join('\n'),
  )
})

test('counts calls in flight', async () => {
  const clock = virtualClock()
  const kernel = await startKernel({ plugins: [server({ 'fax.send': () => new Promise(() => {}) })] }, { clock })
  void kernel.call('fax.send', to)
  void kernel.call('fax.send', to)
  expect((await kernel.inspect()).callsInFlight).toBe(2)
})

describe('health', () => {
  const probed = async (health: (signal: AbortSignal) => Promise<void>) => {
    const clock = virtualClock()
    const probe = vi.fn(health)
    const kernel = await startKernel(
      { plugins: [plugin('x', { setup: () => ({ ports: {}, health: probe }) })] },
      { clock, healthTimeoutMs: 200 },
    )
    const look = async () => (await kernel.inspect()).instances[0]?.health
    return { clock, probe, look, kernel }
  }

  test('a probe is asked at most once a second, and once for all who ask at the same time', async () => {
    const { clock, probe, look } = await probed(async () => {})
    await Promise.all([look(), look()])
    await clock.advance(999)
    await look()
    expect(probe).toHaveBeenCalledTimes(1)
    await clock.advance(1)
    expect(await look()).toMatchObject({ status: 'ok', checkedAt: clock.now() })
    expect(probe).toHaveBeenCalledTimes(2)
  })

  test.each([
    [new SwitchyardError('UPSTREAM_UNAVAILABLE', 'no tone'), { code: 'UPSTREAM_UNAVAILABLE', message: 'no tone' }],
    [new Error('bug'), { code: 'INTERNAL', message: 'bug' }],
    ['text', { code: 'INTERNAL', message: 'text' }],
  ])('a probe that rejects with %s is an error', async (thrown, error) => {
    const { look, kernel } = await probed(() => Promise.reject(thrown))
    expect(await look()).toMatchObject({ status: 'error', error })
    expect(formatInspection(await kernel.inspect())).toContain(`UNHEALTHY: ${error.message}`)
  })

  test('a probe that hangs is bounded, and told that it is over', async () => {
    let signal: AbortSignal | undefined
    const { clock, look } = await probed((given) => {
      signal = given
      return new Promise(() => {})
    })
    const looked = look()
    await clock.advance(200)
    expect(await looked).toMatchObject({ status: 'error', durationMs: 200, error: { code: 'TIMEOUT' } })
    expect(signal?.aborted).toBe(true)
  })
})

describe('get and all', () => {
  const dialler = (name: string): ReturnType<typeof plugin> =>
    plugin('modem', { provides: { line }, place: { as: name }, setup: () => ({ ports: { line: { dial: () => name } } }) })

  test('find implementations by port and instance', async () => {
    const kernel = await startKernel({ plugins: [dialler('first'), dialler('second')] })
    expect(kernel.get(line, 'second').dial()).toBe('second')
    expect([...kernel.all(line)].map(([name, port]) => [name, port.dial()])).toEqual([
      ['first', 'first'],
      ['second', 'second'],
    ])
    expect(kernel.all(definePort('acme/line', 2)).size).toBe(0)
  })

  test('say what is missing or not clear', async () => {
    const kernel = await startKernel({ plugins: [dialler('first'), dialler('second')] })
    const failure = (get: () => Line): Promise<never> => rejection(Promise.resolve().then(get))
    expect(await failure(() => kernel.get(line))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('first, second'),
    })
    expect(await failure(() => kernel.get(line, 'third'))).toMatchObject({
      code: 'DEPENDENCY_MISSING',
      message: expect.stringContaining('"third"'),
    })
    expect(await failure(() => kernel.get(definePort<Line>('acme/line', 2)))).toMatchObject({ code: 'DEPENDENCY_MISSING' })
  })
})
