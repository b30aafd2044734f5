import { many, optional, type SetupContext, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { expect, test, vi } from 'vitest'
import { startKernel } from '../src/index.ts'
import { gate, line, logs, paper, plugin, rejection } from './fixtures.ts'

type Context = SetupContext<never, Record<string, never>>

/** A plugin that notes `+name` at its set-up and `-name` at its release. */
const noting = (notes: string[], name: string, parts: Parameters<typeof plugin>[1] = {}): ReturnType<typeof plugin> =>
  plugin(name, {
    ...parts,
    setup: async (ctx: Context) => {
      notes.push(`+${name}`)
      ctx.onClose(() => {
        notes.push(`-${name}`)
      })
      return parts.setup?.(ctx) ?? { ports: Object.fromEntries(Object.keys(parts.provides ?? {}).map((key) => [key, {}])) }
    },
  })

test('independent plugins start side by side, and each waits for what it needs', async () => {
  const doors = { a: gate(), b: gate() }
  const notes: string[] = []
  const waiting = (name: 'a' | 'b', provides: object): ReturnType<typeof plugin> =>
    noting(notes, name, {
      provides: provides as never,
      setup: async () => {
        await doors[name].opened
        return { ports: Object.fromEntries(Object.keys(provides).map((key) => [key, {}])) }
      },
    })
  const starting = startKernel({
    plugins: [noting(notes, 'c', { requires: { line, paper } }), waiting('a', { line }), waiting('b', { paper })],
  })
  await vi.waitFor(() => expect(notes).toEqual(['+a', '+b']))
  doors.b.open()
  await Promise.resolve()
  expect(notes).toEqual(['+a', '+b'])
  doors.a.open()
  const kernel = await starting
  expect(notes).toEqual(['+a', '+b', '+c'])
  await kernel.close()
  expect(notes.slice(3)).toEqual(['-c', '-b', '-a'])
})

test('setup is given what it asked for, under its keys', async () => {
  const seen: Record<string, unknown>[] = []
  const modem = (name: string): ReturnType<typeof plugin> =>
    plugin('modem', { provides: { way: line }, place: { as: name }, setup: () => ({ ports: { way: { dial: () => name } } }) })
  const kernel = await startKernel({
    plugins: [
      plugin('fax', {
        requires: { out: line, spare: optional(paper), all: many(line), some: many(line) },
        place: { bind: { out: 'second', some: 'first' } },
        setup: (ctx) => {
          seen.push(ctx.deps)
          return { ports: {} }
        },
      }),
      modem('first'),
      modem('second'),
    ],
  })
  const deps = seen[0] as unknown as {
    out: { dial(): string }
    spare: unknown
    all: Map<string, unknown>
    some: Map<string, unknown>
  }
  expect(deps.out.dial()).toBe('second')
  expect(deps.spare).toBeUndefined()
  expect([...deps.all.keys()]).toEqual(['first', 'second'])
  expect([...deps.some.keys()]).toEqual(['first'])
  expect(Object.isFrozen(deps)).toBe(true)
  await kernel.close()
})

test('setup is given options with defaults, its name, time and chance', async () => {
  const clock = virtualClock()
  const { log, lines } = logs()
  const z = await import('zod')
  let context: Context | undefined
  await startKernel(
    {
      plugins: [
        plugin('@acme/modem', {
          options: z.strictObject({ size: z.number().default(3) }),
          setup: (ctx) => {
            context = ctx
            ctx.log.warn({ size: 1 }, 'small')
            return { ports: {} }
          },
        }),
      ],
    },
    { clock, random: () => 0.25, log },
  )
  expect(context).toMatchObject({ options: { size: 3 }, instance: 'modem', clock })
  expect(context?.random()).toBe(0.25)
  expect(lines).toContainEqual({ level: 'warn', fields: { plugin: 'modem', size: 1 }, message: 'small' })
})

test('a failure half-way releases all that was acquired, in reverse, and names the plugin and its cause', async () => {
  const notes: string[] = []
  const boom = new Error('no dial tone')
  const error = await rejection(
    startKernel({
      plugins: [
        noting(notes, 'base', { provides: { line } }),
        plugin('fax', {
          requires: { line },
          setup: (ctx) => {
            ctx.onClose(() => void notes.push('-first'))
            ctx.onClose(() => void notes.push('-second'))
            throw boom
          },
        }),
        noting(notes, 'above', { requires: { line } }),
      ],
    }),
  )
  expect(error).toMatchObject({ code: 'STARTUP_FAILED', cause: boom, retryable: false })
  expect((error as Error).message).toContain('fax: its setup failed: no dial tone')
  expect((error as SwitchyardError).details?.problems).toMatchObject([{ plugin: 'fax', code: 'STARTUP_FAILED' }])
  const releases = notes.filter((note) => note.startsWith('-'))
  expect(releases.filter((note) => note !== '-above')).toEqual(['-second', '-first', '-base'])
})

test('a failure aborts the others, and starts none that still waits', async () => {
  const never = vi.fn()
  const door = gate()
  let signal: AbortSignal | undefined
  const starting = startKernel({
    plugins: [
      plugin('slow', {
        provides: { line },
        setup: async (ctx) => {
          signal = ctx.signal
          await door.opened
          throw new Error('late')
        },
      }),
      plugin('after', { requires: { line }, setup: never }),
      plugin('bad', {
        setup: () => {
          throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'gone')
        },
      }),
    ],
  })
  const error = await rejection(starting)
  expect((error as SwitchyardError).details?.problems).toMatchObject([{ plugin: 'bad', code: 'UPSTREAM_UNAVAILABLE' }])
  expect(signal?.aborted).toBe(true)
  expect(never).not.toHaveBeenCalled()
})

test('the start time-out aborts the signal, names the plugin and releases the others', async () => {
  const clock = virtualClock()
  const notes: string[] = []
  let reason: unknown
  const starting = rejection(
    startKernel(
      {
        plugins: [
          noting(notes, 'modem'),
          plugin('stuck', {
            setup: (ctx) =>
              new Promise(() => {
                ctx.signal.addEventListener('abort', () => {
                  reason = ctx.signal.reason
                })
              }),
          }),
        ],
      },
      { clock, startTimeoutMs: 300 },
    ),
  )
  await clock.advance(299)
  expect(reason).toBeUndefined()
  await clock.advance(1)
  const error = (await starting) as SwitchyardError
  expect(error.code).toBe('STARTUP_FAILED')
  expect(error.details?.problems).toMatchObject([
    { plugin: 'stuck', code: 'TIMEOUT', message: expect.stringContaining('300 ms') },
  ])
  expect(reason).toMatchObject({ code: 'TIMEOUT' })
  expect(notes).toEqual(['+modem', '-modem'])
  expect(clock.pending()).toBe(0)
})

test('a plugin has its start time-out to itself, not what it waited for', async () => {
  const clock = virtualClock()
  const slow = (name: string, parts: Parameters<typeof plugin>[1]): ReturnType<typeof plugin> =>
    plugin(name, {
      ...parts,
      setup: async (ctx) => {
        await ctx.clock.sleep(80)
        return { ports: Object.fromEntries(Object.keys(parts?.provides ?? {}).map((key) => [key, {}])) }
      },
    })
  const starting = startKernel(
    { plugins: [slow('a', { provides: { line } }), slow('b', { requires: { line } })] },
    { clock, startTimeoutMs: 100 },
  )
  await clock.advance(160)
  const kernel = await starting
  expect((await kernel.inspect()).instances.map(({ startMs }) => startMs)).toEqual([80, 80])
})

test('a setup that settles late releases at once what it acquires, and its rejection goes to the log', async () => {
  const clock = virtualClock()
  const { log, lines } = logs()
  const notes: string[] = []
  const doors = [gate(), gate()] as const
  const late = (name: string, index: 0 | 1, after: () => unknown): ReturnType<typeof plugin> =>
    plugin(name, {
      setup: async (ctx) => {
        ctx.onClose(() => void notes.push(`-${name} early`))
        await doors[index].opened
        ctx.onClose(() => void notes.push(`-${name} late`))
        return after()
      },
    })
  const starting = rejection(
    startKernel(
      {
        plugins: [
          late('resolves', 0, () => ({ ports: {} })),
          late('rejects', 1, () => {
            throw new Error('too late')
          }),
        ],
      },
      { clock, log, startTimeoutMs: 50 },
    ),
  )
  await clock.advance(50)
  await starting
  expect(notes.toSorted()).toEqual(['-rejects early', '-resolves early'])
  doors[0].open()
  doors[1].open()
  await clock.advance(0)
  expect(notes.slice(2).toSorted()).toEqual(['-rejects late', '-resolves late'])
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ plugin: 'rejects' }) }),
  )
})

test('a caller may give up the start', async () => {
  const notes: string[] = []
  const controller = new AbortController()
  const starting = rejection(
    startKernel(
      { plugins: [noting(notes, 'modem'), plugin('stuck', { setup: () => new Promise(() => {}) })] },
      { signal: controller.signal },
    ),
  )
  await vi.waitFor(() => expect(notes).toEqual(['+modem']))
  controller.abort(new Error('SIGTERM'))
  expect(await starting).toMatchObject({ code: 'ABORTED', cause: new Error('SIGTERM') })
  expect(notes).toEqual(['+modem', '-modem'])
  const setup = vi.fn()
  expect(await rejection(startKernel({ plugins: [plugin('x', { setup })] }, { signal: controller.signal }))).toMatchObject({
    code: 'ABORTED',
  })
  expect(setup).not.toHaveBeenCalled()
})

const around = (): Promise<never> => Promise.reject(new Error('unused'))

test.each([
  ['no ports', { provides: { line } }, undefined, 'it has no `ports`'],
  [
    'a port that it declares but does not give',
    { provides: { line } },
    { ports: {} },
    'the port "line" of `provides` is missing',
  ],
  ['a port that it does not declare', {}, { ports: { line: {} } }, 'the port "line" is not declared'],
  [
    'a policy of no stage',
    {},
    { ports: {}, policies: [{ name: 'p', stage: 'sometime', operations: '*', around }] },
    'unknown stage "sometime"',
  ],
  ['a policy without around', {}, { ports: {}, policies: [{ name: 'p', stage: 'admit', operations: '*' }] }, 'no `around`'],
  [
    'a policy of no operations',
    {},
    { ports: {}, policies: [{ name: 'p', stage: 'admit', operations: 'fax.send', around }] },
    'neither a list nor',
  ],
  ['what it serves without a function', {}, { ports: {}, serves: { 'fax.send': 1 } }, 'no function for "fax.send"'],
  ['health that is no function', {}, { ports: {}, health: true }, '`health` is not a function'],
])('a setup that returns %s is a clear error', async (_, parts, result, message) => {
  const error = await rejection(startKernel({ plugins: [plugin('x', { ...parts, setup: () => result })] }))
  expect(error).toMatchObject({ code: 'STARTUP_FAILED', message: expect.stringContaining(message) })
})
