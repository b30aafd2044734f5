import { type Call, type Ending, type Reply, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deadlinePolicy } from '../../src/deadline/deadline-policy.ts'
import { countListeners, fakeCall, rejection, unavailable } from '../fake-call.ts'

const REPLY: Reply<'sql.query'> = { rows: [], rowCount: 0 }

function setup(totalMs: number | false = 1_000) {
  const clock = virtualClock()
  const policy = deadlinePolicy({ name: 'resilience/deadline', plugin: 'resilience', clock, settings: () => ({ totalMs }) })
  const controller = new AbortController()
  const listeners = countListeners(controller.signal)
  return { clock, policy, controller, signal: controller.signal, listeners }
}

function hang(): { readonly next: (call: Call) => Promise<never>; readonly signal: () => AbortSignal } {
  let seen: AbortSignal | undefined
  return {
    next: (call) => {
      seen = call.signal
      return new Promise(() => {})
    },
    signal: () => seen as AbortSignal,
  }
}

describe('a call that takes too long', () => {
  test('rejects with TIMEOUT at the deadline, though nobody inside heeds the signal, and frees everything', async () => {
    const { clock, policy, signal, listeners } = setup()
    const { next, signal: inner } = hang()
    const failed = rejection(policy.around(fakeCall({ signal }), next))
    await clock.advance(999)
    expect(inner().aborted).toBe(false)
    await clock.advance(1)
    const error = await failed
    expect(error).toMatchObject({ code: 'TIMEOUT', plugin: 'resilience', details: { totalMs: 1_000 } })
    expect(error.message).toContain('sql.query at orders')
    expect(inner().reason).toBe(error)
    expect(signal.aborted).toBe(false)
    expect(clock.pending()).toBe(0)
    expect(listeners()).toBe(0)
  })

  test('takes no harm from a reply or an error that comes afterwards', async () => {
    for (const late of [() => Promise.resolve(REPLY), () => Promise.reject(unavailable())]) {
      const { clock, policy } = setup()
      const failed = rejection(policy.around(fakeCall(), () => clock.sleep(5_000).then(late)))
      await clock.runAll()
      expect((await failed).code).toBe('TIMEOUT')
      expect(clock.pending()).toBe(0)
    }
  })
})

describe('a reply that goes on', () => {
  test('stays under the deadline until it has ended', async () => {
    const { clock, policy, signal, listeners } = setup()
    let inner: AbortSignal | undefined
    const reply = { ended: new Promise<Ending>(() => {}) }
    const got = policy.around(fakeCall({ signal }), async (call) => {
      inner = call.signal
      await clock.sleep(400)
      return reply as never
    })
    await clock.advance(400)
    expect(await got).toBe(reply)
    expect(clock.pending()).toBe(1)
    await clock.advance(599)
    expect(inner?.aborted).toBe(false)
    await clock.advance(1)
    expect(inner?.reason).toMatchObject({ code: 'TIMEOUT' })
    expect(clock.pending()).toBe(0)
    expect(listeners()).toBe(0)
  })

  test.each(['complete', 'truncated', 'aborted', 'error'] as const)('is let go when it ends: %s', async (outcome) => {
    const { clock, policy, signal, listeners } = setup()
    const { promise: ended, resolve } = Promise.withResolvers<Ending>()
    let inner: AbortSignal | undefined
    await policy.around(fakeCall({ signal }), async (call) => {
      inner = call.signal
      return { ended } as never
    })
    expect([clock.pending(), listeners()]).toEqual([1, 1])
    resolve({ outcome })
    await clock.advance(0)
    expect([clock.pending(), listeners()]).toEqual([0, 0])
    await clock.advance(10_000)
    expect(inner?.aborted).toBe(false)
  })
})

describe('every other ending frees timer and listener', () => {
  test.each<[string, (call: Call) => Promise<never>]>([
    ['a reply', async () => REPLY as never],
    ['a reply of null', async () => null as never],
    ['an `ended` that is no promise', async () => ({ ended: true }) as never],
    ['an error', async () => Promise.reject(unavailable())],
    [
      'a throw before any promise',
      () => {
        throw unavailable()
      },
    ],
  ])('%s', async (_name, next) => {
    const { clock, policy, signal, listeners } = setup()
    await policy.around(fakeCall({ signal }), next).catch((error) => expect(error.code).toBe('UPSTREAM_UNAVAILABLE'))
    expect([clock.pending(), listeners()]).toEqual([0, 0])
  })

  test("the caller's abort, whose reason goes inward", async () => {
    const { clock, policy, controller, signal, listeners } = setup()
    const { next, signal: inner } = hang()
    policy.around(fakeCall({ signal }), next)
    const reason = new SwitchyardError('ABORTED', 'the client left')
    controller.abort(reason)
    expect(inner().reason).toBe(reason)
    expect([clock.pending(), listeners()]).toEqual([0, 0])
  })
})

describe('a call that needs no deadline of ours passes untouched, with no timer', () => {
  test.each<[string, number | false, Partial<Call>]>([
    ['its own is earlier', 1_000, { deadline: Date.UTC(2026, 0, 1) + 999 }],
    ['its own is the same', 1_000, { deadline: Date.UTC(2026, 0, 1) + 1_000 }],
    ['ours is off', false, {}],
    ['it was aborted before', 1_000, { signal: AbortSignal.abort() }],
  ])('%s', async (_name, totalMs, changes) => {
    const { clock, policy } = setup(totalMs)
    const call = fakeCall(changes)
    let seen: unknown
    let armed: number | undefined
    await policy.around(call, async (given) => {
      seen = given
      armed = clock.pending()
      return REPLY
    })
    expect(seen).toBe(call)
    expect(armed).toBe(0)
  })
})

test('a later deadline is shortened in the call that goes inward, and nothing else is changed', async () => {
  const { clock, policy } = setup()
  const call = fakeCall({ deadline: clock.now() + 1_001 })
  let seen: Call | undefined
  await policy.around(call, async (given) => {
    seen = given
    return REPLY
  })
  expect({ ...seen, signal: undefined }).toEqual({ ...call, signal: undefined, deadline: clock.now() + 1_000 })
})

test('whenever what ends: one outcome, at the earlier of the two, and nothing left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 50 }), fc.nat(60), fc.boolean(), async (totalMs, takesMs, fails) => {
      const { clock, policy, signal, listeners } = setup(totalMs)
      const start = clock.now()
      let endedAt: number | undefined
      const outcome = policy
        .around(fakeCall({ signal }), async () => {
          await clock.sleep(takesMs)
          if (fails) throw unavailable()
          return REPLY
        })
        .then(
          () => 'ok',
          (error: SwitchyardError) => error.code,
        )
        .finally(() => {
          endedAt = clock.now() - start
        })
      await clock.runAll()
      const inTime = takesMs < totalMs
      if (takesMs !== totalMs) expect(await outcome).toBe(inTime ? (fails ? 'UPSTREAM_UNAVAILABLE' : 'ok') : 'TIMEOUT')
      expect(endedAt).toBe(Math.min(totalMs, takesMs))
      expect([clock.pending(), listeners()]).toEqual([0, 0])
    }),
  )
})

describe('explain', () => {
  test.each<[string, number | false, number | undefined, object, number | undefined]>([
    ['set', 1_000, undefined, { decision: 'deadline-set', because: { totalMs: 1_000, leftMs: 1_000 } }, 1_000],
    ['shortened', 1_000, 5_000, { decision: 'deadline-set', because: { totalMs: 1_000, leftMs: 1_000 } }, 1_000],
    ['kept', 1_000, 300, { decision: 'deadline-kept', because: { totalMs: 1_000, leftMs: 300 } }, undefined],
    ['off', false, undefined, { decision: 'no-deadline', because: { totalMs: false } }, undefined],
  ])('%s', async (_name, totalMs, leftMs, decision, inward) => {
    const { clock, policy } = setup(totalMs)
    const now = clock.now()
    const explained = await policy.explain?.(fakeCall({ deadline: leftMs === undefined ? undefined : now + leftMs }))
    expect(explained?.decisions).toEqual([decision])
    expect(explained?.call?.deadline).toBe(inward === undefined ? undefined : now + inward)
    expect(clock.pending()).toBe(0)
  })
})
