import {
  type Cache,
  cache,
  counters,
  definePlugin,
  many,
  optional,
  type Plugin,
  type Policy,
  SwitchyardError,
} from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { recordingLogger, startPlugin, virtualClock } from '../src/index.ts'

const strict = z.strictObject({ size: z.int().positive().default(3) })
const store = { capabilities: { shared: false } } as unknown as Cache

function plugin(definition: Partial<Plugin['definition']>, input: unknown = {}): Plugin {
  const whole = { name: '@acme/fax', contract: 1, options: strict, setup: () => ({ ports: {} }), ...definition }
  return { definition: whole as Plugin['definition'], input, placement: {} }
}

describe('startPlugin refuses, with a code and a mend', () => {
  test.each<[string, Plugin, string, RegExp]>([
    ['no name', plugin({ name: '' }), 'CONFIG_INVALID', /npm package name/],
    ['another contract', plugin({ contract: 2 as 1 }), 'CONTRACT_UNSUPPORTED', /contract 2.*update the older/],
    ['options that are no schema', plugin({ options: {} }), 'CONFIG_INVALID', /Standard Schema/],
    ['an unknown option', plugin({}, { sise: 3 }), 'CONFIG_INVALID', /sise/],
    ['a wrong option', plugin({}, { size: -1 }), 'CONFIG_INVALID', /@acme\/fax are wrong: size: /],
    ['a missing port', plugin({ requires: { store: cache } }), 'DEPENDENCY_MISSING', /cache@1: give it as deps.store/],
    [
      'a promised port that is not returned',
      plugin({ provides: { cache } }),
      'STARTUP_FAILED',
      /must return in `ports`: cache/,
    ],
    ['nothing returned', plugin({ setup: () => undefined as never }), 'STARTUP_FAILED', /must return in `ports`: an object/],
    [
      'a port it did not promise',
      plugin({ setup: () => ({ ports: { cache: store } }) }),
      'STARTUP_FAILED',
      /missing in `provides`: cache/,
    ],
  ])('%s', async (_, given, code, message) => {
    const error = await startPlugin(given).catch((reason: unknown) => reason)
    expect(SwitchyardError.is(error) && error.code).toBe(code)
    expect((error as Error).message).toMatch(message)
  })

  test('a dependency that was not asked for', async () => {
    await expect(startPlugin(plugin({}), { deps: { store } })).rejects.toThrow(/requires nothing, but the test gave deps.store/)
  })

  test('a set-up that throws, which is wrapped, and what it acquired is released in reverse', async () => {
    const released: string[] = []
    const cause = new Error('port taken')
    const given = plugin({
      setup({ onClose }) {
        onClose(() => void released.push('first'))
        onClose(() => void released.push('second'))
        throw cause
      },
    })
    await expect(startPlugin(given)).rejects.toMatchObject({ code: 'STARTUP_FAILED', cause })
    expect(released).toEqual(['second', 'first'])
  })

  test('a set-up that rejects with a SwitchyardError, which goes through as it is', async () => {
    const error = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'no server')
    await expect(startPlugin(plugin({ setup: () => Promise.reject(error) }))).rejects.toBe(error)
  })
})

describe('a started plugin', () => {
  const policy: Policy = { name: 'p', stage: 'admit', operations: '*', around: (call, next) => next(call) }
  const fax = definePlugin({
    name: '@acme/fax',
    contract: 1,
    options: strict,
    requires: { entries: cache, spare: optional(cache), all: many(counters) },
    provides: { cache },
    setup: ({ deps, clock, log, random, on, instance, signal }) => {
      log.info({ at: clock.now(), instance, random: random(), spare: deps.spare, all: deps.all.size })
      on('plugin:ready', ({ instance: ready }) => log.warn({ ready }))
      return {
        ports: { cache: deps.entries },
        policies: [policy],
        health: async (probe) => probe.throwIfAborted(),
        serves: { 'sql.query': async () => ({ rows: [], rowCount: signal.aborted ? 0 : 1 }) },
      }
    },
  })

  test('has its ports, policies, operations, health and options', async () => {
    const log = recordingLogger()
    const clock = virtualClock(5)
    const started = await startPlugin(fax({ size: 7 }, { as: 'second' }), {
      deps: { entries: store },
      log,
      clock,
      random: () => 0.25,
    })
    expect(started.port(cache)).toBe(store)
    expect(started.ports).toEqual({ cache: store })
    expect(() => started.port(counters)).toThrow(/does not provide counters@1/)
    expect(started.policies).toEqual([policy])
    expect(Object.keys(started.serves)).toEqual(['sql.query'])
    expect(started.options).toEqual({ size: 7 })
    expect(started.usesClock).toBe(true)
    await expect(started.health?.()).resolves.toBeUndefined()
    await expect(started.health?.(AbortSignal.abort(new Error('late')))).rejects.toThrow('late')
    started.emit('plugin:ready', { plugin: 'x', instance: 'y', durationMs: 1 })
    expect(log.records.map(({ fields }) => fields)).toEqual([
      { at: 5, instance: 'second', random: 0.25, spare: undefined, all: 0 },
      { ready: 'y' },
    ])
  })

  test('has none of what the plugin does not give, and its own name less the scope', async () => {
    let instance = ''
    const started = await startPlugin(
      plugin({
        setup(ctx) {
          instance = ctx.instance
          return { ports: {} }
        },
      }),
    )
    expect([started.policies, started.serves, started.health, started.usesClock]).toEqual([[], {}, undefined, false])
    expect([instance, started.options]).toEqual(['fax', { size: 3 }])
  })

  test('closes in reverse, once, with its signal aborted, and releases at once what comes late', async () => {
    const log: string[] = []
    let late: (() => void) | undefined
    const started = await startPlugin(
      plugin({
        setup({ onClose, signal }) {
          onClose(() => void log.push('first'))
          onClose(async () => {
            await Promise.resolve()
            log.push(`second ${signal.aborted}`)
          })
          late = () => onClose(() => void log.push('late'))
          return { ports: {} }
        },
      }),
    )
    await Promise.all([started.close(), started.close()])
    expect(log).toEqual(['second true', 'first'])
    late?.()
    await started[Symbol.asyncDispose]()
    expect(log).toEqual(['second true', 'first', 'late'])
  })

  test('runs every release though some fail, then says which', async () => {
    const log: string[] = []
    const failing = (count: number): Plugin =>
      plugin({
        setup({ onClose }) {
          onClose(() => void log.push('still released'))
          for (let at = 0; at < count; at += 1) onClose(() => Promise.reject(new Error(`release ${at}`)))
          return { ports: {} }
        },
      })
    await expect((await startPlugin(failing(1))).close()).rejects.toThrow('release 0')
    const both = await (await startPlugin(failing(2))).close().catch((reason: unknown) => reason)
    expect((both as AggregateError).errors.map(String)).toEqual(['Error: release 1', 'Error: release 0'])
    expect(log).toEqual(['still released', 'still released'])
  })
})

test('recordingLogger keeps level, fields and message, and shows errors and bigints as text', () => {
  const log = recordingLogger()
  log.debug({ n: 1n })
  log.error({ error: new Error('broken', { cause: 'why' }) }, 'said')
  expect(log.records[1]).toMatchObject({ level: 'error', message: 'said' })
  const [first, second] = log.text().split('\n')
  expect(JSON.parse(first ?? '')).toEqual({ level: 'debug', fields: { n: '1' } })
  expect(JSON.parse(second ?? '').fields.error).toMatchObject({ message: 'broken', cause: 'why' })
})
