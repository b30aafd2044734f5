import { SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { expect, test, vi } from 'vitest'
import { type Kernel, startKernel } from '../src/index.ts'
import { gate, line, logs, plugin, rejection, server, stream, to } from './fixtures.ts'

test('close stops admitting, waits for calls in flight, then releases in reverse', async () => {
  const notes: string[] = []
  const door = gate()
  const resource = (name: string, parts: Parameters<typeof plugin>[1] = {}): ReturnType<typeof plugin> =>
    plugin(name, {
      ...parts,
      setup: (ctx) => {
        ctx.onClose(() => void notes.push(`${name} 1`))
        ctx.onClose(() => void notes.push(`${name} 2`))
        return { ports: parts.provides === undefined ? {} : { line: {} }, serves: parts.provides === undefined ? {} : serves }
      },
    })
  const serves = {
    'fax.send': async () => {
      await door.opened
      notes.push('call')
      return { pages: 1 }
    },
  }
  const kernel = await startKernel({
    plugins: [resource('above', { requires: { line } }), resource('fax', { provides: { line } })],
  })
  const call = kernel.call('fax.send', to)
  const closing = kernel.close()
  expect(kernel.ready()).toBe(false)
  expect(kernel.state).toBe('closing')
  expect(await rejection(kernel.call('fax.send', to))).toMatchObject({ code: 'CLOSED' })
  expect(await rejection(kernel.explain('fax.send', to))).toMatchObject({ code: 'CLOSED' })
  expect(notes).toEqual([])
  door.open()
  expect(await call).toEqual({ pages: 1 })
  await closing
  expect(notes).toEqual(['call', 'above 2', 'above 1', 'fax 2', 'fax 1'])
  expect(kernel.state).toBe('closed')
  expect(() => kernel.get(line)).toThrow(expect.objectContaining({ code: 'CLOSED' }))
})

test('close is idempotent and disposes', async () => {
  const release = vi.fn()
  let kernel: Kernel
  {
    await using started = await startKernel({
      plugins: [
        plugin('x', {
          setup: (ctx) => {
            ctx.onClose(release)
            return { ports: {} }
          },
        }),
      ],
    })
    kernel = started
  }
  expect(release).toHaveBeenCalledTimes(1)
  expect(kernel.close()).toBe(kernel.close())
  await kernel.close()
  expect(release).toHaveBeenCalledTimes(1)
})

test('calls left at the limit are aborted, and say why', async () => {
  const clock = virtualClock()
  let reason: unknown
  const kernel = await startKernel(
    {
      plugins: [
        server({
          'fax.send': (call) =>
            new Promise((_, reject) => {
              call.signal.addEventListener('abort', () => {
                reason = call.signal.reason
                reject(reason)
              })
            }),
        }),
      ],
    },
    { clock, drainTimeoutMs: 1_000 },
  )
  const call = rejection(kernel.call('fax.send', to))
  const closing = kernel.close()
  await clock.advance(999)
  expect(reason).toBeUndefined()
  await clock.advance(1)
  await closing
  expect(await call).toBe(reason)
  expect(reason).toMatchObject({ code: 'ABORTED', retryable: true, details: { closing: true } })
  expect(clock.pending()).toBe(0)
})

test('resources outlive the unwinding of an aborted call, but not a call that never ends', async () => {
  const clock = virtualClock()
  const notes: string[] = []
  const door = gate()
  const kernel = await startKernel(
    {
      plugins: [
        plugin('fax', {
          setup: (ctx) => {
            ctx.onClose(() => void notes.push('released'))
            return {
              ports: {},
              serves: {
                'fax.send': async () => {
                  await door.opened
                  notes.push('settled')
                  return { pages: 1 }
                },
                'fax.watch': () => new Promise(() => {}),
              },
            }
          },
        }),
      ],
    },
    { clock, unwindTimeoutMs: 500 },
  )
  const calls = [rejection(kernel.call('fax.send', to)), rejection(kernel.call('fax.watch', to))]
  const closing = kernel.close({ drainTimeoutMs: 0 })
  await clock.advance(0)
  expect(await Promise.all(calls)).toMatchObject([{ code: 'ABORTED' }, { code: 'ABORTED' }])
  expect(notes).toEqual([])
  door.open()
  await clock.advance(499)
  expect(notes).toEqual(['settled'])
  await clock.advance(1)
  await closing
  expect(notes).toEqual(['settled', 'released'])
})

test('a second close may shorten the wait', async () => {
  const clock = virtualClock()
  const reply = stream()
  let signal: AbortSignal | undefined
  const kernel = await startKernel(
    {
      plugins: [
        server({
          'fax.watch': async (call) => {
            signal = call.signal
            return reply
          },
        }),
      ],
    },
    { clock },
  )
  await kernel.call('fax.watch', to)
  const closing = kernel.close()
  expect(kernel.close({ drainTimeoutMs: 10 })).toBe(closing)
  await clock.advance(9)
  expect(signal?.aborted).toBe(false)
  await clock.advance(1)
  expect(signal?.aborted).toBe(true)
  reply.end({ outcome: 'aborted' })
  await closing
  expect(clock.pending()).toBe(0)
})

test('a kernel that was idle before still waits for the call it has now', async () => {
  const clock = virtualClock()
  const door = gate<{ pages: number }>()
  const answers = [Promise.resolve({ pages: 1 }), door.opened]
  const kernel = await startKernel(
    { plugins: [server({ 'fax.send': () => answers.shift() as Promise<{ pages: number }> })] },
    { clock },
  )
  await kernel.call('fax.send', to)
  const call = kernel.call('fax.send', to)
  const closing = kernel.close()
  await clock.advance(100)
  expect(kernel.state).toBe('closing')
  door.open({ pages: 2 })
  expect(await call).toEqual({ pages: 2 })
  await closing
})

test('a release that fails or hangs stops no other, and is told', async () => {
  const clock = virtualClock()
  const { log, lines } = logs()
  const notes: string[] = []
  const kernel = await startKernel(
    {
      plugins: [
        plugin('good', {
          setup: (ctx) => {
            ctx.onClose(() => void notes.push('released'))
            return { ports: {} }
          },
        }),
        plugin('bad', {
          setup: (ctx) => {
            ctx.onClose(() => new Promise<void>(() => {}))
            ctx.onClose(() => {
              throw new Error('stuck lid')
            })
            return { ports: {} }
          },
        }),
      ],
    },
    { clock, log, closeTimeoutMs: 100 },
  )
  const closed: object[] = []
  kernel.on('plugin:closed', (event) => closed.push(event))
  const closing = kernel.close()
  await clock.advance(100)
  await closing
  expect(notes).toEqual(['released'])
  expect(closed).toEqual([
    { plugin: 'bad', instance: 'bad', error: expect.any(AggregateError) },
    { plugin: 'good', instance: 'good' },
  ])
  const { errors } = (closed[0] as { error: AggregateError }).error
  expect(errors).toMatchObject([{ message: 'stuck lid' }, { code: 'TIMEOUT', message: expect.stringContaining('100 ms') }])
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(2)
})

test('a plugin may register releases while it runs, and its signal aborts when it closes', async () => {
  const notes: string[] = []
  const kernel = await startKernel({
    plugins: [
      plugin('fax', {
        setup: (ctx) => {
          ctx.signal.addEventListener('abort', () => notes.push(`abort ${ctx.signal.reason.code}`))
          return {
            ports: {},
            serves: {
              'fax.send': async () => {
                ctx.onClose(() => void notes.push('opened by a call'))
                return { pages: 1 }
              },
            },
          }
        },
      }),
    ],
  })
  await kernel.call('fax.send', to)
  await kernel.close()
  expect(notes).toEqual(['abort CLOSED', 'opened by a call'])
})

test('a call that the caller has left is not waited for beyond its unwinding', async () => {
  const kernel = await startKernel({
    plugins: [server({ 'fax.send': () => Promise.reject(new SwitchyardError('CONFLICT', 'x')) })],
  })
  await rejection(kernel.call('fax.send', to))
  await kernel.close({ drainTimeoutMs: 60_000 })
  expect((await kernel.inspect()).callsInFlight).toBe(0)
})

test('the signal that could give up the start has no effect on what is ready', async () => {
  const controller = new AbortController()
  let signal: AbortSignal | undefined
  const assembly = {
    plugins: [
      plugin('fax', {
        setup: (ctx) => {
          signal ??= ctx.signal
          return { ports: {}, serves: { 'fax.send': async () => ({ pages: 1 }) } }
        },
      }),
    ],
  }
  await using kernel = await startKernel(assembly, { signal: controller.signal })
  controller.abort()
  expect(signal?.aborted).toBe(false)
  expect(kernel.ready()).toBe(true)
  expect(await kernel.call('fax.send', to)).toEqual({ pages: 1 })
  await kernel.swap(assembly)
  expect(await kernel.call('fax.send', to)).toEqual({ pages: 1 })
})
