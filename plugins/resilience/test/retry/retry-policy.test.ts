import type { Reply } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { ConstantBackoff, retry as cockatielRetry, handleAll } from 'cockatiel'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { retryPolicy } from '../../src/retry/retry-policy.ts'
import type { RetrySettings } from '../../src/settings.ts'
import { fakeCall, rejection, unavailable } from '../fake-call.ts'
import { testLanes } from '../test-lanes.ts'

const SETTINGS = { maxAttempts: 3, backoffBaseMs: 250, backoffMaxMs: 8_000, retryAfterMaxMs: 30_000 }
const REPLY: Reply<'sql.query'> = { rows: [], rowCount: 0 }

function setup({ random = (): number => 0.5, settings = SETTINGS as Partial<RetrySettings> } = {}) {
  const clock = virtualClock()
  const { lanes, events } = testLanes({ retry: settings, attempts: { maxAttempts: 20 } })
  const policy = retryPolicy({ name: 'resilience/retry', clock, random, lanes })
  return { clock, policy, lanes, events }
}

/** Fails with each error in turn, then answers. Remembers the attempts it saw and when. */
function upstream(errors: readonly unknown[], now: () => number = () => 0) {
  const seen: { readonly attempt: number; readonly at: number }[] = []
  const next = async (call: { readonly attempt: number }): Promise<Reply<'sql.query'>> => {
    const error = errors[seen.length]
    seen.push({ attempt: call.attempt, at: now() })
    if (error !== undefined) throw error
    return REPLY
  }
  return { seen, next }
}

describe('a call that fails', () => {
  test('is sent again after the wait, one attempt further on, and says so in the trace', async () => {
    const { clock, policy } = setup()
    const start = clock.now()
    const { seen, next } = upstream([unavailable(), unavailable()], clock.now)
    const call = fakeCall()
    const reply = policy.around(call, next)
    await clock.runAll()
    expect(await reply).toBe(REPLY)
    expect(seen).toEqual([
      { attempt: 1, at: start },
      { attempt: 2, at: start + 125 },
      { attempt: 3, at: start + 125 + 250 },
    ])
    expect(call.trace.decisions).toEqual([
      {
        by: 'resilience/retry',
        decision: 'retry',
        because: { reason: 'backoff', attempt: 2, waitMs: 125, code: 'UPSTREAM_UNAVAILABLE' },
      },
      {
        by: 'resilience/retry',
        decision: 'retry',
        because: { reason: 'backoff', attempt: 3, waitMs: 250, code: 'UPSTREAM_UNAVAILABLE' },
      },
    ])
    expect(call.trace.measures).toEqual(
      new Map([
        ['retryCount', 2],
        ['retryWaitMs', 375],
      ]),
    )
  })

  test('rejects with the last error itself once the attempts are used up', async () => {
    const { clock, policy } = setup()
    const errors = [unavailable(), unavailable(), unavailable(), unavailable()]
    const { seen, next } = upstream(errors)
    const call = fakeCall()
    const failed = rejection(policy.around(call, next))
    await clock.runAll()
    expect(await failed).toBe(errors[2])
    expect(seen).toHaveLength(3)
    expect(call.trace.decisions.at(-1)).toMatchObject({
      decision: 'no-retry',
      because: { reason: 'attempts-used-up', attempt: 3 },
    })
  })

  test.each([
    ['an error that would come again', new SwitchyardError('INVALID_REQUEST', 'no such column'), {}, []],
    ['a bug', new TypeError('x is not a function'), {}, ['not-here']],
    ['a write whose bytes may have arrived', unavailable(), { idempotent: false }, ['not-idempotent']],
  ])('is not sent again: %s', async (_name, error, changes, noted) => {
    const { clock, policy } = setup()
    const { seen, next } = upstream([error])
    const call = fakeCall(changes)
    expect(await rejection(policy.around(call, next))).toBe(error)
    expect(seen).toHaveLength(1)
    expect(call.trace.decisions.map(({ because }) => because?.reason)).toEqual(noted)
    expect(clock.pending()).toBe(0)
  })

  test('is asked for again once where its answer was cut, and no more', async () => {
    const { clock, policy } = setup()
    const cut = new SwitchyardError('UPSTREAM_TRUNCATED', 'the answer was cut')
    const { seen, next } = upstream([cut, cut])
    const call = fakeCall()
    const failed = rejection(policy.around(call, next))
    await clock.runAll()
    expect(await failed).toBe(cut)
    expect(seen).toHaveLength(2)
    expect(call.trace.decisions.at(-1)).toMatchObject({ decision: 'no-retry', because: { reason: 'once-only' } })
  })

  test('may turn into one that is not repeated', async () => {
    const { clock, policy } = setup()
    const last = new SwitchyardError('FORBIDDEN', 'no')
    const { seen, next } = upstream([unavailable(), last])
    const failed = rejection(policy.around(fakeCall(), next))
    await clock.runAll()
    expect(await failed).toBe(last)
    expect(seen).toHaveLength(2)
  })

  test('passes on at once, with its delay, what could not be over before the deadline', async () => {
    const { clock, policy } = setup()
    const error = unavailable({ retryAfterMs: 5_000 })
    const { next } = upstream([error])
    const failed = await rejection(policy.around(fakeCall({ deadline: clock.now() + 4_000 }), next))
    expect(failed).toBe(error)
    expect(failed.retryAfterMs).toBe(5_000)
    expect(clock.pending()).toBe(0)
  })
})

describe('an abort', () => {
  test('ends the wait at once with its own reason and leaves nothing behind', async () => {
    const { clock, policy } = setup()
    const controller = new AbortController()
    const { seen, next } = upstream([unavailable({ retryAfterMs: 20_000 })])
    const failed = rejection(policy.around(fakeCall({ signal: controller.signal }), next))
    await clock.advance(10_000)
    expect(clock.pending()).toBe(1)
    const reason = new SwitchyardError('ABORTED', 'the client left')
    controller.abort(reason)
    expect(await failed).toBe(reason)
    expect(seen).toHaveLength(1)
    expect(clock.pending()).toBe(0)
  })

  test('before the failure came is not answered with a repeat', async () => {
    const { policy } = setup()
    const reason = new SwitchyardError('TIMEOUT', 'too late')
    const { seen, next } = upstream([unavailable()])
    const call = fakeCall({ signal: AbortSignal.abort(reason) })
    expect(await rejection(policy.around(call, next))).toBe(reason)
    expect(seen).toHaveLength(1)
    expect(call.trace.decisions).toEqual([])
  })
})

test('a reply that was given is never asked for again, however it ends', async () => {
  const { policy } = setup()
  const reply = { ended: Promise.resolve({ outcome: 'truncated' }) }
  let calls = 0
  const got = await policy.around(fakeCall(), async () => {
    calls++
    return reply as never
  })
  expect(got).toBe(reply)
  await reply.ended
  expect(calls).toBe(1)
})

test('a call that succeeds reaches next as it came, and needs no chance and no sleep', async () => {
  const never = (): never => {
    throw new Error('used')
  }
  const { lanes } = testLanes()
  const policy = retryPolicy({ name: 'r', clock: { now: () => 0, sleep: never }, random: never, lanes })
  const call = fakeCall()
  let seen: unknown
  await policy.around(call, async (given) => {
    seen = given
    return REPLY
  })
  expect(seen).toBe(call)
  expect(call.trace.decisions).toEqual([])
})

describe('the budget', () => {
  const firsts = async (policy: ReturnType<typeof setup>['policy'], count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await policy.around(fakeCall(), async () => REPLY)
  }

  test('of a target that is dry stops retries at once, and says so; first attempts fill it again', async () => {
    const settings = { ...SETTINGS, backoffBaseMs: 0, budgetFloor: 0.1, maxAttempts: 2 }
    const { policy, events } = setup({ settings })
    const { seen, next } = upstream(Array.from({ length: 4 }, () => unavailable()))
    const call = fakeCall()
    await rejection(policy.around(fakeCall(), next))
    expect(seen).toHaveLength(2)
    await rejection(policy.around(call, next))
    expect(seen).toHaveLength(3)
    expect(call.trace.decisions.at(-1)).toMatchObject({ decision: 'no-retry', because: { reason: 'budget-dry' } })
    expect(events()).toEqual(['retry-budget:drained'])
    await firsts(policy, 10)
    await policy.around(fakeCall(), next)
    expect(seen).toHaveLength(5)
    expect(events()).toEqual(['retry-budget:drained', 'retry-budget:refilled'])
  })

  test('of a tenant is used up at one target and missing at the next, while another tenant has its own', async () => {
    const settings = { ...SETTINGS, backoffBaseMs: 0, budgetFloor: 0.1, maxAttempts: 2 }
    const { policy } = setup({ settings })
    const tries = async (target: string, tenant: string): Promise<number> => {
      const { seen, next } = upstream([unavailable()])
      const principal = { tenant, keyId: 'k', roles: [] }
      await policy.around(fakeCall({ target, principal }), next).catch(() => {})
      return seen.length
    }
    expect(await tries('one', 'acme')).toBe(2)
    expect(await tries('two', 'acme')).toBe(1)
    expect(await tries('two', 'other')).toBe(2)
  })
})

test('attempts go on from the number that the call came with', async () => {
  const { clock, policy } = setup()
  const { seen, next } = upstream([unavailable()])
  const reply = policy.around(fakeCall({ attempt: 4 }), next)
  await clock.runAll()
  await reply
  expect(seen.map(({ attempt }) => attempt)).toEqual([4, 5])
})

test('any run of failures: attempts, waits and total time stay in their bounds', async () => {
  const failure = fc.record({
    code: fc.constantFrom('UPSTREAM_UNAVAILABLE', 'RATE_LIMITED', 'INVALID_REQUEST') as fc.Arbitrary<'RATE_LIMITED'>,
    retryAfterMs: fc.option(fc.nat(60_000), { nil: undefined }),
    sent: fc.boolean(),
  })
  const run = fc.record({
    failures: fc.array(failure, { maxLength: 12 }),
    maxAttempts: fc.integer({ min: 1, max: 8 }),
    leftMs: fc.option(fc.nat(60_000), { nil: undefined }),
    idempotent: fc.boolean(),
    chances: fc.infiniteStream(fc.double({ min: 0, max: 1 - Number.EPSILON, noNaN: true })),
  })
  await fc.assert(
    fc.asyncProperty(run, async ({ failures, maxAttempts, leftMs, idempotent, chances }) => {
      const settings = { ...SETTINGS, maxAttempts }
      const { clock, policy } = setup({ settings, random: () => chances.next().value as number })
      const start = clock.now()
      const errors = failures.map(
        ({ code, retryAfterMs, sent }) =>
          new SwitchyardError(code, 'x', { ...(retryAfterMs === undefined ? {} : { retryAfterMs }), details: { sent } }),
      )
      const { seen, next } = upstream(errors, clock.now)
      const deadline = leftMs === undefined ? undefined : start + leftMs
      const outcome = policy.around(fakeCall({ deadline, idempotent }), next).then(
        () => 'ok',
        (error: unknown) => error,
      )
      await clock.runAll()
      const result = await outcome
      expect(result).toBe(result === 'ok' ? 'ok' : errors[seen.length - 1])
      expect(seen.length).toBeLessThanOrEqual(maxAttempts)
      for (const [i, { at, attempt }] of seen.entries()) {
        expect(attempt).toBe(i + 1)
        if (i === 0) continue
        const failed = failures[i - 1]
        const waited = at - (seen[i - 1]?.at ?? 0)
        expect(failed?.code).not.toBe('INVALID_REQUEST')
        expect(idempotent || failed?.sent === false).toBe(true)
        expect(waited).toBeGreaterThanOrEqual(failed?.retryAfterMs ?? 0)
        expect(waited).toBeLessThanOrEqual(Math.max(failed?.retryAfterMs ?? 0, Math.min(8_000, 250 * 2 ** (i - 1))))
        if (deadline !== undefined) expect(at).toBeLessThan(deadline)
      }
      expect(clock.pending()).toBe(0)
    }),
  )
})

test('cockatiel makes the same attempts of the same failures', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(6), fc.integer({ min: 1, max: 5 }), async (failures, maxAttempts) => {
      const settings = { ...SETTINGS, maxAttempts, backoffBaseMs: 0 }
      const { clock, policy } = setup({ settings })
      const ours = upstream(Array.from({ length: failures }, () => unavailable()))
      const theirs = upstream(Array.from({ length: failures }, () => unavailable()))
      const oracle = cockatielRetry(handleAll, { maxAttempts: maxAttempts - 1, backoff: new ConstantBackoff(0) })
      const settled = Promise.allSettled([
        policy.around(fakeCall(), ours.next),
        oracle.execute(({ attempt }) => theirs.next({ attempt: attempt + 1 })),
      ])
      await clock.runAll()
      const [our, their] = await settled
      expect(our.status).toBe(their.status)
      expect(ours.seen).toEqual(theirs.seen)
    }),
    { numRuns: 40 },
  )
})

describe('explain', () => {
  test('says what may happen and touches nothing', async () => {
    const { clock, policy } = setup()
    const call = fakeCall({ idempotent: false })
    expect(await policy.explain?.(call)).toEqual({
      decisions: [{ decision: 'may-retry', because: { ...SETTINGS, retriesLeft: 100, onlyIfUnsent: true } }],
    })
    expect(call.trace.decisions).toEqual([])
    expect(clock.pending()).toBe(0)
  })

  test('says when there is no retry', async () => {
    const { policy } = setup({ settings: { ...SETTINGS, maxAttempts: 1 } })
    expect(await policy.explain?.(fakeCall())).toEqual({ decisions: [{ decision: 'no-retry', because: { maxAttempts: 1 } }] })
  })
})
