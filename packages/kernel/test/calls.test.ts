import { type Call, type KernelEvents, SwitchyardError } from '@switchyard/contract'
import { type VirtualClock, virtualClock } from '@switchyard/testkit'
import { expect, test, vi } from 'vitest'
import { type Kernel, startKernel } from '../src/index.ts'
import { gate, policy, rejection, server, stream, to } from './fixtures.ts'

type Ended = KernelEvents['call:ended']

interface Bench {
  readonly kernel: Kernel
  readonly clock: VirtualClock
  readonly ended: Ended[]
  /** The call that the handler was given. */
  seen(): Call
}

/** A kernel on a virtual clock whose fax does what `handler` does. */
async function bench(handler: (call: Call) => Promise<unknown>, ...policies: ReturnType<typeof policy>[]): Promise<Bench> {
  const clock = virtualClock(1_000_000)
  const ended: Ended[] = []
  let seen: Call | undefined
  const run = (call: Call): Promise<never> => {
    seen = call
    return handler(call) as Promise<never>
  }
  const kernel = await startKernel({ plugins: [...policies, server({ 'fax.send': run, 'fax.watch': run })] }, { clock })
  kernel.on('call:ended', (event) => ended.push(event))
  return { kernel, clock, ended, seen: () => seen as Call }
}

/** Resolves never, and rejects with the signal's reason. */
const untilAborted = (call: Call): Promise<never> =>
  new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason)))

const inFlight = async (kernel: Kernel): Promise<number> => (await kernel.inspect()).callsInFlight

test("the caller's abort reaches the handler as ABORTED", async () => {
  const { kernel, seen, ended } = await bench(untilAborted)
  const controller = new AbortController()
  const call = rejection(kernel.call('fax.send', { ...to, signal: controller.signal }))
  expect(seen().signal.aborted).toBe(false)
  controller.abort(new Error('client gone'))
  expect(await call).toMatchObject({ code: 'ABORTED', cause: new Error('client gone') })
  expect(seen().signal.reason).toMatchObject({ code: 'ABORTED' })
  await vi.waitFor(() => expect(ended).toMatchObject([{ outcome: 'ABORTED' }]))
})

test.each(['ABORTED', 'TIMEOUT'] as const)("a caller's own %s stays what it is", async (code) => {
  const { kernel, seen } = await bench(untilAborted)
  const controller = new AbortController()
  const call = rejection(kernel.call('fax.send', { ...to, signal: controller.signal }))
  const reason = new SwitchyardError(code, 'mine')
  controller.abort(reason)
  expect(await call).toBe(reason)
  expect(seen().signal.reason).toBe(reason)
})

test('the deadline reaches the handler as TIMEOUT, to the millisecond', async () => {
  const { kernel, clock, seen, ended } = await bench(untilAborted)
  const call = rejection(kernel.call('fax.send', { ...to, deadline: clock.now() + 100 }))
  expect(seen().deadline).toBe(1_000_100)
  await clock.advance(99)
  expect(seen().signal.aborted).toBe(false)
  await clock.advance(1)
  expect(await call).toMatchObject({ code: 'TIMEOUT' })
  expect(seen().signal.reason).toMatchObject({ code: 'TIMEOUT' })
  expect(ended).toMatchObject([{ outcome: 'TIMEOUT', durationMs: 100 }])
  expect(clock.pending()).toBe(0)
})

test('whichever of signal and deadline comes first decides', async () => {
  const { kernel, clock } = await bench(untilAborted)
  const controller = new AbortController()
  const init = { ...to, signal: controller.signal, deadline: clock.now() + 100 }
  const first = rejection(kernel.call('fax.send', init))
  await clock.advance(100)
  controller.abort()
  expect(await first).toMatchObject({ code: 'TIMEOUT' })
})

test.each([
  ['an aborted signal', { signal: AbortSignal.abort() }, 'ABORTED'],
  ['a deadline that has passed', { deadline: 1_000_000 }, 'TIMEOUT'],
])('%s reaches no policy and no target', async (_, init, code) => {
  const handler = vi.fn()
  const around = vi.fn()
  const { kernel, ended, clock } = await bench(handler, policy('observe', 'watch', around))
  expect(await rejection(kernel.call('fax.send', { ...to, ...init }))).toMatchObject({ code })
  expect(handler).not.toHaveBeenCalled()
  expect(around).not.toHaveBeenCalled()
  expect(ended).toMatchObject([{ outcome: code }])
  expect(clock.pending()).toBe(0)
})

test('an abort or a deadline while a policy waits never reaches the target', async () => {
  const handler = vi.fn()
  const door = gate()
  const wait = policy('admit', 'wait', async (call, next) => {
    await door.opened
    return next(call)
  })
  const { kernel, ended } = await bench(handler, wait)
  const controller = new AbortController()
  const call = rejection(kernel.call('fax.send', { ...to, signal: controller.signal }))
  controller.abort()
  await call
  door.open()
  await vi.waitFor(() => expect(ended).toHaveLength(1))
  expect(handler).not.toHaveBeenCalled()
})

test.each([
  ['a signal', (call: Call) => ({ ...call, signal: AbortSignal.abort('enough') }), 'ABORTED'],
  ['a deadline', (call: Call) => ({ ...call, deadline: 5 }), 'TIMEOUT'],
])('%s that a policy set and that is over never reaches the target', async (_, change, code) => {
  const handler = vi.fn()
  const { kernel } = await bench(
    handler,
    policy('resilience', 'limit', (call, next) => next(change(call))),
  )
  expect(await rejection(kernel.call('fax.send', to))).toMatchObject({ code })
  expect(handler).not.toHaveBeenCalled()
})

test('a handler that honours no abort keeps nobody waiting, and is let go of after its unwinding', async () => {
  const door = gate<{ pages: number }>()
  const { kernel, clock, ended } = await bench(() => door.opened)
  const call = rejection(kernel.call('fax.send', { ...to, deadline: clock.now() + 10 }))
  await clock.advance(10)
  expect(await call).toMatchObject({ code: 'TIMEOUT' })
  expect(await inFlight(kernel)).toBe(1)
  await clock.advance(5_000)
  expect(await inFlight(kernel)).toBe(0)
  expect(clock.pending()).toBe(0)
  door.open({ pages: 1 })
  await clock.advance(0)
  expect(ended).toMatchObject([{ outcome: 'TIMEOUT' }])
})

test('what a handler makes of an abort does not change how the call is told to have ended', async () => {
  const clumsy = (call: Call): Promise<never> =>
    new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(new Error('socket hang up'))))
  const { kernel, ended } = await bench(clumsy)
  const controller = new AbortController()
  const call = rejection(kernel.call('fax.send', { ...to, signal: controller.signal }))
  controller.abort()
  expect(await call).toMatchObject({ code: 'ABORTED' })
  await vi.waitFor(() => expect(ended).toMatchObject([{ outcome: 'ABORTED' }]))
})

test('a reply that comes after the abort is dropped', async () => {
  const door = gate<{ pages: number }>()
  const { kernel, ended } = await bench(() => door.opened)
  const controller = new AbortController()
  const call = rejection(kernel.call('fax.send', { ...to, signal: controller.signal }))
  controller.abort()
  door.open({ pages: 1 })
  expect(await call).toMatchObject({ code: 'ABORTED' })
  await vi.waitFor(() => expect(ended).toMatchObject([{ outcome: 'ABORTED' }]))
})

test('a call leaves no timer and no listener behind', async () => {
  const { kernel, clock } = await bench(async () => ({ pages: 1 }))
  const controller = new AbortController()
  const add = vi.spyOn(controller.signal, 'addEventListener')
  const remove = vi.spyOn(controller.signal, 'removeEventListener')
  await kernel.call('fax.send', { ...to, signal: controller.signal, deadline: clock.now() + 1_000 })
  await vi.waitFor(() => expect(remove).toHaveBeenCalledTimes(1))
  expect(add).toHaveBeenCalledTimes(1)
  expect(remove.mock.calls[0]?.[1]).toBe(add.mock.calls[0]?.[1])
  expect(clock.pending()).toBe(0)
})

test('call:ended tells the call, how long it took and how it came out', async () => {
  const door = gate<{ pages: number }>()
  const { kernel, clock, ended } = await bench(() => door.opened)
  const call = kernel.call('fax.send', { ...to, id: 'c-1' })
  await clock.advance(25)
  door.open({ pages: 1 })
  await call
  expect(ended).toMatchObject([{ outcome: 'ok', durationMs: 25, call: { id: 'c-1', operation: 'fax.send' } }])
})

test('a lasting reply stays one call until it has ended', async () => {
  const reply = stream()
  const { kernel, clock, ended, seen } = await bench(async () => reply)
  const controller = new AbortController()
  const init = { ...to, signal: controller.signal, deadline: clock.now() + 100 }
  expect(await kernel.call('fax.watch', init)).toBe(reply)
  await clock.advance(40)
  expect(await inFlight(kernel)).toBe(1)
  expect(ended).toEqual([])
  expect(clock.pending()).toBe(1)
  reply.end()
  await clock.advance(0)
  expect(await inFlight(kernel)).toBe(0)
  expect(ended).toMatchObject([{ outcome: 'ok', durationMs: 40 }])
  expect(clock.pending()).toBe(0)
  controller.abort()
  await clock.advance(100)
  expect(seen().signal.aborted).toBe(false)
  expect(ended).toHaveLength(1)
})

test.each([
  [{ outcome: 'complete' }, 'ok'],
  [{ outcome: 'truncated' }, 'UPSTREAM_TRUNCATED'],
  [{ outcome: 'aborted' }, 'ABORTED'],
  [{ outcome: 'error' }, 'INTERNAL'],
  [{ outcome: 'error', error: new SwitchyardError('UPSTREAM_UNAVAILABLE', 'x') }, 'UPSTREAM_UNAVAILABLE'],
] as const)('a lasting reply that ends as %o is told as %s', async (ending, outcome) => {
  const reply = stream()
  const { kernel, ended } = await bench(async () => reply)
  await kernel.call('fax.watch', to)
  reply.end(ending)
  await vi.waitFor(() => expect(ended).toMatchObject([{ outcome }]))
})

test('an `ended` that rejects, against the contract, still ends the call', async () => {
  const { kernel, ended } = await bench(async () => ({ ended: Promise.reject(new Error('no')) }))
  await kernel.call('fax.watch', to)
  await vi.waitFor(() => expect(ended).toMatchObject([{ outcome: 'INTERNAL' }]))
})

test.each([
  ['the deadline', 'TIMEOUT'],
  ["the caller's abort", 'ABORTED'],
])('%s cuts a lasting reply off, and its ending is waited for', async (_, code) => {
  const reply = stream()
  const { kernel, clock, ended, seen } = await bench(async () => reply)
  const controller = new AbortController()
  await kernel.call('fax.watch', {
    ...to,
    signal: controller.signal,
    deadline: code === 'TIMEOUT' ? clock.now() + 100 : undefined,
  })
  if (code === 'ABORTED') controller.abort()
  await clock.advance(100)
  expect(seen().signal.reason).toMatchObject({ code })
  expect(ended).toEqual([])
  reply.end({ outcome: 'aborted' })
  await clock.advance(0)
  expect(ended).toMatchObject([{ outcome: code }])
})

test('a lasting reply that never ends is let go of after its unwinding', async () => {
  const { kernel, clock, ended } = await bench(async () => stream())
  await kernel.call('fax.watch', { ...to, deadline: clock.now() + 100 })
  await clock.advance(5_100)
  expect(ended).toMatchObject([{ outcome: 'TIMEOUT' }])
  expect(await inFlight(kernel)).toBe(0)
})

test('an endless deadline sets no timer; one that is no time is refused', async () => {
  const { kernel, clock } = await bench(() => new Promise(() => {}))
  void kernel.call('fax.send', { ...to, deadline: Number.POSITIVE_INFINITY })
  expect(clock.pending()).toBe(0)
  expect(await rejection(kernel.call('fax.send', { ...to, deadline: Number.NaN }))).toMatchObject({ code: 'INVALID_REQUEST' })
})
