import { type Call, type Ending, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { attemptPolicy } from '../../src/attempt/attempt-policy.ts'
import type { OperationInput } from '../../src/options.ts'
import { countListeners, fakeCall, rejection, unavailable } from '../fake-call.ts'
import { testLanes } from '../test-lanes.ts'

const REPLY = { rows: [], rowCount: 0 }

function setup(input: OperationInput = {}) {
  const clock = virtualClock()
  const { lanes } = testLanes(input)
  const policy = attemptPolicy({ name: 'resilience/attempt', plugin: 'resilience', clock, lanes })
  const lane = lanes.at('model.invoke', 'remote', clock.now())
  return { clock, policy, lane }
}

function model(stream: boolean, changes: Partial<Call> = {}): Call {
  const request = { endpoint: 'chat/completions', model: 'm', body: {}, stream } as const
  return fakeCall({ operation: 'model.invoke', target: 'remote', request, ...changes })
}

describe('an attempt', () => {
  test('is counted in the ledger, whether it succeeds or not', async () => {
    const { policy } = setup()
    const call = model(false)
    await policy.around(call, async () => REPLY)
    await rejection(policy.around(call, () => Promise.reject(unavailable())))
    expect(call.trace.measures.get('attemptCount')).toBe(2)
  })

  test('of a stream that gives no content in time is aborted and rejects with TIMEOUT, of its phase', async () => {
    const { clock, policy } = setup()
    const controller = new AbortController()
    const listeners = countListeners(controller.signal)
    let inner: AbortSignal | undefined
    const failed = rejection(
      policy.around(model(true, { signal: controller.signal }), (call) => {
        inner = call.signal
        return new Promise(() => {})
      }),
    )
    await clock.advance(59_999)
    expect(inner?.aborted).toBe(false)
    await clock.advance(1)
    const error = await failed
    expect(error).toMatchObject({ code: 'TIMEOUT', plugin: 'resilience', details: { phase: 'first', sent: true } })
    expect(error.message).toContain('attempts.streamFirstMs')
    expect(inner?.reason).toBe(error)
    expect([clock.pending(), listeners()]).toEqual([0, 0])
  })

  test('keeps the signal of a stream that began until it has ended, but not the timer', async () => {
    const { clock, policy } = setup()
    const controller = new AbortController()
    const listeners = countListeners(controller.signal)
    const { promise: ended, resolve } = Promise.withResolvers<Ending>()
    let inner: AbortSignal | undefined
    await policy.around(model(true, { signal: controller.signal }), async (call) => {
      inner = call.signal
      return { ended } as never
    })
    expect([clock.pending(), listeners()]).toEqual([0, 1])
    await clock.advance(600_000)
    expect(inner?.aborted).toBe(false)
    resolve({ outcome: 'complete' })
    await clock.advance(0)
    expect(listeners()).toBe(0)
  })

  test.each<[string, Call, OperationInput]>([
    ['a whole reply, for which the deadline alone counts', model(false), {}],
    ['a deadline that is nearer than the limit', model(true, { deadline: Date.UTC(2026, 0, 1) + 60_000 }), {}],
    ['a limit that is off', model(true), { attempts: { streamFirstMs: false } }],
    ['a call that was aborted before', model(true, { signal: AbortSignal.abort() }), {}],
  ])('passes untouched, with no timer: %s', async (_name, call, input) => {
    const { clock, policy } = setup(input)
    await policy.around(call, async (given) => {
      expect(given).toBe(call)
      expect(clock.pending()).toBe(0)
      return REPLY
    })
  })

  test('of a whole reply has a limit where one is set', async () => {
    const { clock, policy } = setup({ attempts: { wholeReplyMs: 500 } })
    const failed = rejection(policy.around(model(false), () => new Promise(() => {})))
    await clock.advance(500)
    expect((await failed).message).toContain('attempts.wholeReplyMs')
  })

  test('that throws before it made a promise rejects', async () => {
    const { policy, clock } = setup()
    for (const stream of [true, false]) {
      const thrown = (): never => {
        throw unavailable()
      }
      expect((await rejection(policy.around(model(stream), thrown))).code).toBe('UPSTREAM_UNAVAILABLE')
    }
    expect(clock.pending()).toBe(0)
  })
})

describe('the time to the first reply', () => {
  const answered = async ({ clock, policy }: ReturnType<typeof setup>, stream: boolean, afterMs: number): Promise<void> => {
    const reply = policy.around(model(stream), async () => {
      await clock.sleep(afterMs)
      return REPLY
    })
    await clock.advance(afterMs)
    await reply
  }

  test('is kept, of streams and of whole replies apart, and not of failures', async () => {
    const made = setup()
    await answered(made, true, 100)
    await answered(made, false, 1_000)
    await rejection(made.policy.around(model(true), () => Promise.reject(unavailable())))
    const now = made.clock.now()
    expect([made.lane.streamTimes.count(now), made.lane.wholeTimes.count(now)]).toEqual([1, 1])
    expect(made.lane.streamTimes.p50(now, 1)).toBeLessThan(115)
  })

  test('refuses an attempt that has less left than the target usually takes, without dialling', async () => {
    const made = setup()
    for (let i = 0; i < 20; i++) await answered(made, true, 100)
    const { clock, policy } = made
    const call = model(true, { deadline: clock.now() + 90 })
    const error = await rejection(policy.around(call, () => Promise.reject(new Error('dialled'))))
    expect(error).toMatchObject({ code: 'TIMEOUT', details: { phase: 'too-near', sent: false } })
    expect(call.trace.measures.has('attemptCount')).toBe(false)
    expect(await policy.around(model(true, { deadline: clock.now() + 200 }), async () => REPLY)).toBe(REPLY)
    expect(await policy.around(model(false, { deadline: clock.now() + 90 }), async () => REPLY)).toBe(REPLY)
  })
})

test('explain says the limit and what is usual', async () => {
  const { policy } = setup()
  const because = { deployment: 'remote', firstReplyMs: 60_000, usualMs: undefined }
  expect(await policy.explain?.(model(true))).toEqual({ decisions: [{ decision: 'attempt', because }] })
  expect(await policy.explain?.(model(false))).toMatchObject({ decisions: [{ because: { firstReplyMs: false } }] })
})

test('an abort goes inward with its reason', async () => {
  const { policy } = setup()
  const controller = new AbortController()
  let inner: AbortSignal | undefined
  void policy.around(model(true, { signal: controller.signal }), (call) => {
    inner = call.signal
    return new Promise(() => {})
  })
  const reason = new SwitchyardError('ABORTED', 'the client left')
  controller.abort(reason)
  expect(inner?.reason).toBe(reason)
})
