import type { KernelEvents } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { expect, test, vi } from 'vitest'
import { type Assembly, startKernel } from '../src/index.ts'
import { gate, line, plugin, rejection, server, stream, to } from './fixtures.ts'

/** An assembly whose fax answers `pages`, and notes when it opens and closes. */
const edition = (pages: number, notes: string[] = [], more: Assembly['plugins'] = []): Assembly => ({
  plugins: [
    plugin('fax', {
      provides: { line },
      setup: (ctx) => {
        notes.push(`+${pages}`)
        ctx.onClose(() => void notes.push(`-${pages}`))
        return { ports: { line: { dial: () => String(pages) } }, serves: { 'fax.send': async () => ({ pages }) } }
      },
    }),
    ...more,
  ],
})

test('new calls go to the new assembly, which is ready before the old one closes', async () => {
  const notes: string[] = []
  const kernel = await startKernel(edition(1, notes))
  const swapped: object[] = []
  kernel.on('assembly:swapped', (event) => swapped.push(event))
  await kernel.swap(edition(2, notes, [plugin('tray')]))
  expect(await kernel.call('fax.send', to)).toEqual({ pages: 2 })
  expect(kernel.get(line).dial()).toBe('2')
  expect(notes).toEqual(['+1', '+2', '-1'])
  await kernel.swap(edition(3, notes))
  expect(swapped).toEqual([
    { added: ['tray'], removed: [] },
    { added: [], removed: ['tray'] },
  ])
  await kernel.close()
  expect(notes).toEqual(['+1', '+2', '-1', '+3', '-2', '-3'])
})

test('1,000 calls in flight across a swap, half of them lasting, lose none and stay with the assembly they began in', async () => {
  const doors = { old: gate(), next: gate() }
  const replies: ReturnType<typeof stream>[] = []
  const closed: string[] = []
  let servedByOld = 0
  const build = (name: 'old' | 'next'): Assembly => ({
    plugins: [
      plugin('fax', {
        setup: (ctx) => {
          let open = true
          ctx.onClose(() => {
            open = false
            closed.push(name)
          })
          return {
            ports: {},
            serves: {
              'fax.send': async () => {
                await doors[name].opened
                if (!open) throw new Error('used after release')
                if (name === 'old') servedByOld += 1
                return { pages: name === 'old' ? 1 : 2 }
              },
              'fax.watch': async () => {
                const reply = stream()
                if (name === 'old') replies.push(reply)
                else reply.end()
                return reply
              },
            },
          }
        },
      }),
    ],
  })
  const kernel = await startKernel(build('old'))
  const outcomes: KernelEvents['call:ended'][] = []
  kernel.on('call:ended', (event) => outcomes.push(event))
  const started = Promise.withResolvers<void>()
  kernel.on('assembly:swapped', () => started.resolve())

  const sends = Array.from({ length: 500 }, () => kernel.call('fax.send', to))
  const watches = Array.from({ length: 500 }, () => kernel.call('fax.watch', to))
  const swapping = kernel.swap(build('next'))
  await started.promise
  const later = Array.from({ length: 100 }, () => kernel.call('fax.send', to))
  doors.next.open()
  expect(new Set((await Promise.all(later)).map(({ pages }) => pages))).toEqual(new Set([2]))
  expect(await kernel.inspect()).toMatchObject({ callsInFlight: 1_000, draining: 1 })

  doors.old.open()
  expect((await Promise.all(sends)).every(({ pages }) => pages === 1)).toBe(true)
  await Promise.all(watches)
  expect(closed).toEqual([])
  for (const reply of replies) reply.end()
  await swapping
  expect(closed).toEqual(['old'])
  expect(servedByOld).toBe(500)
  expect(outcomes).toHaveLength(1_100)
  expect(outcomes.every(({ outcome }) => outcome === 'ok')).toBe(true)
  expect(await kernel.inspect()).toMatchObject({ callsInFlight: 0, draining: 0 })
})

test.each([
  ['fails to start', () => ({ plugins: [plugin('bad', { setup: () => Promise.reject(new Error('no')) })] }), 'STARTUP_FAILED'],
  ['does not pass its check', () => ({ plugins: [plugin('bad', { requires: { line } })] }), 'DEPENDENCY_MISSING'],
])('a new assembly that %s leaves the old one untouched', async (_, next, code) => {
  const notes: string[] = []
  const kernel = await startKernel(edition(1, notes))
  const listener = vi.fn()
  kernel.on('assembly:swapped', listener)
  expect(await rejection(kernel.swap(next()))).toMatchObject({ code })
  expect(await kernel.call('fax.send', to)).toEqual({ pages: 1 })
  expect(kernel.ready()).toBe(true)
  expect(notes).toEqual(['+1'])
  expect(listener).not.toHaveBeenCalled()
  await kernel.swap(edition(2))
  expect(await kernel.call('fax.send', to)).toEqual({ pages: 2 })
})

test('swaps asked for at the same time take over in order, and the last one stays', async () => {
  const notes: string[] = []
  const kernel = await startKernel(edition(1, notes))
  const bad = rejection(kernel.swap({ plugins: [plugin('bad', { requires: { line } })] }))
  await Promise.all([kernel.swap(edition(2, notes)), kernel.swap(edition(3, notes)), bad])
  expect(notes.filter((note) => note.startsWith('+'))).toEqual(['+1', '+2', '+3'])
  expect(notes.filter((note) => note.startsWith('-'))).toEqual(['-1', '-2'])
  expect(await kernel.call('fax.send', to)).toEqual({ pages: 3 })
})

test('the next swap does not wait for the old one to drain', async () => {
  const clock = virtualClock()
  const reply = stream()
  const kernel = await startKernel({ plugins: [server({ 'fax.watch': async () => reply })] }, { clock })
  await kernel.call('fax.watch', to)
  const first = kernel.swap(edition(2))
  await kernel.swap(edition(3))
  expect(await kernel.call('fax.send', to)).toEqual({ pages: 3 })
  reply.end()
  await first
})

test('what the old assembly does not end in time is aborted', async () => {
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
    { clock, drainTimeoutMs: 70 },
  )
  const call = rejection(kernel.call('fax.send', to))
  const swapping = kernel.swap(edition(2))
  await clock.advance(69)
  expect(reason).toBeUndefined()
  await clock.advance(1)
  await swapping
  expect(await call).toMatchObject({ code: 'ABORTED', retryable: true })
})

test('a swap after close rejects CLOSED', async () => {
  const kernel = await startKernel(edition(1))
  await kernel.close()
  const notes: string[] = []
  expect(await rejection(kernel.swap(edition(2, notes)))).toMatchObject({ code: 'CLOSED' })
  expect(notes).toEqual([])
})

test('close gives up a swap that is starting, releases it, and closes the old one', async () => {
  const notes: string[] = []
  const kernel = await startKernel(edition(1, notes))
  const stuck = plugin('stuck', { requires: { line }, setup: () => new Promise(() => {}) })
  const swapping = rejection(kernel.swap(edition(2, notes, [stuck])))
  const queued = rejection(kernel.swap(edition(3, notes)))
  await vi.waitFor(() => expect(notes).toEqual(['+1', '+2']))
  await kernel.close()
  expect(await swapping).toMatchObject({ code: 'CLOSED' })
  expect(await queued).toMatchObject({ code: 'CLOSED' })
  expect(notes).toEqual(['+1', '+2', '-2', '-1'])
})

test('close shortens the drain of an assembly that was swapped out', async () => {
  const clock = virtualClock()
  const reply = stream()
  let signal: AbortSignal | undefined
  const watch = server({
    'fax.watch': async (call) => {
      signal = call.signal
      return reply
    },
  })
  const kernel = await startKernel({ plugins: [watch] }, { clock })
  await kernel.call('fax.watch', to)
  const swapping = kernel.swap(edition(2))
  await clock.advance(0)
  const closing = kernel.close({ drainTimeoutMs: 5 })
  await clock.advance(5)
  expect(signal?.aborted).toBe(true)
  reply.end({ outcome: 'aborted' })
  await Promise.all([closing, swapping])
  expect(clock.pending()).toBe(0)
})

test('whenever close comes during a swap, everything that was opened is closed once', async () => {
  const outcomes = new Set<string>()
  for (let turns = 0; turns < 60; turns++) {
    const notes: string[] = []
    const kernel = await startKernel(edition(1, notes))
    const swapping = kernel.swap(edition(2, notes)).then(
      () => 'moved',
      (error: { code: string }) => error.code,
    )
    for (let turn = 0; turn < turns; turn++) await undefined
    await kernel.close()
    outcomes.add(await swapping)
    const opened = notes.filter((note) => note.startsWith('+')).map((note) => note.slice(1))
    const closed = notes.filter((note) => note.startsWith('-')).map((note) => note.slice(1))
    expect(closed.toSorted()).toEqual(opened)
  }
  expect(outcomes).toEqual(new Set(['CLOSED', 'moved']))
})
