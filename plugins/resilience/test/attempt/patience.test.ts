import type { Call } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { attemptPolicy } from '../../src/attempt/attempt-policy.ts'
import type { OperationInput } from '../../src/options.ts'
import { fakeCall } from '../fake-call.ts'
import { alternative, testLanes } from '../test-lanes.ts'

const REPLY = { rows: [], rowCount: 0 }
const OTHERS = { alternatives: [alternative('spare')] }

/** A target that has answered so often within 200 ms, and a call to it that nobody answers. */
async function setup(input: OperationInput = {}, { known = 100, call = OTHERS as Partial<Call> } = {}) {
  const clock = virtualClock()
  const { lanes } = testLanes(input)
  const policy = attemptPolicy({ name: 'resilience/attempt', plugin: 'resilience', clock, lanes })
  const lane = lanes.at('sql.query', 'orders', clock.now())
  const spare = lanes.at('sql.query', 'spare', clock.now())
  for (let each = 0; each < known; each++) lane.answered(false, 190, clock.now())
  const given = fakeCall(call)
  const outcome: { error?: unknown; reply?: unknown } = {}
  const silent = Promise.withResolvers<typeof REPLY>()
  let inner: AbortSignal | undefined
  const send = (): void =>
    void policy
      .around(given, (copy) => {
        inner = copy.signal
        return silent.promise as never
      })
      .then(
        (reply) => Object.assign(outcome, { reply }),
        (error: unknown) => Object.assign(outcome, { error }),
      )
  await clock.advance(1)
  return { clock, policy, lane, spare, lanes, given, outcome, silent, send, inner: () => inner }
}

describe('an attempt that nobody answers', () => {
  test('is given up for another target after ten times the usual, pays for it, and says so', async () => {
    const { clock, lane, given, outcome, send, inner } = await setup()
    send()
    await clock.advance(1_800)
    expect(outcome).toEqual({})
    const before = lane.budget.balance(clock.now())
    await clock.advance(300)
    expect(outcome.error).toMatchObject({ code: 'TIMEOUT', details: { phase: 'first', sent: true } })
    expect((outcome.error as Error).message).toContain('attempts.lateFactor')
    expect(inner()?.reason).toBe(outcome.error)
    expect(given.trace.decisions.map(({ decision }) => decision)).toContain('given-up')
    expect(lane.budget.balance(clock.now())).toBe(before - 1)
    expect(clock.pending()).toBe(0)
  })

  test('is waited for a second where replies are quick', async () => {
    const { clock, lane, outcome, send } = await setup({}, { known: 0 })
    for (let each = 0; each < 100; each++) lane.answered(false, 10, clock.now())
    await clock.advance(20)
    send()
    await clock.advance(999)
    expect(outcome).toEqual({})
    await clock.advance(1)
    expect(outcome.error).toMatchObject({ code: 'TIMEOUT' })
  })

  test.each<[string, OperationInput, { known?: number; call?: Partial<Call> }]>([
    ['no other target', {}, { call: {} }],
    ['a step down alone', {}, { call: { alternatives: [alternative('spare', { degrade: 'cheaper-model' })] } }],
    ['fallback off', { fallback: { enabled: false } }, {}],
    ['a call that may not be repeated', {}, { call: { ...OTHERS, idempotent: false } }],
    ['too few replies known', {}, { known: 99 }],
    ['the option off', { attempts: { lateFactor: false } }, {}],
    ['no attempt left', { attempts: { maxAttempts: 1 } }, {}],
    ['a dry budget', { retry: { budgetRatio: 0, budgetFloor: 0 } }, {}],
  ])('is waited for: %s', async (_name, input, more) => {
    const { clock, outcome, send, silent } = await setup(input, more)
    send()
    await clock.advance(50_000)
    expect(outcome).toEqual({})
    silent.resolve(REPLY)
    await clock.advance(0)
    expect(outcome).toEqual({ reply: REPLY })
    expect(clock.pending()).toBe(0)
  })

  test('is waited for where one that began later was answered, but not for one that began before', async () => {
    for (const [answeredAfter, tookMs, givenUp] of [
      [1_000, 900, false],
      [1_000, 1_100, true],
    ] as const) {
      const { clock, lane, outcome, send } = await setup()
      send()
      await clock.advance(answeredAfter)
      lane.answered(false, tookMs, clock.now())
      await clock.advance(1_100)
      expect(outcome.error !== undefined).toBe(givenUp)
    }
  })

  test('is waited for while the other target is full or failing, and given up when it is free again', async () => {
    const { clock, spare, outcome, send } = await setup(
      { bulkhead: { slots: 1 } },
      { call: { alternatives: [alternative('spare'), alternative('cheap', { degrade: 'cheaper-model' })] } },
    )
    spare.bulkhead.enter()
    send()
    await clock.advance(3_000)
    expect(outcome).toEqual({})
    spare.bulkhead.leave(0, 0)
    await clock.advance(2_000)
    expect(outcome.error).toMatchObject({ code: 'TIMEOUT' })
  })

  test('still ends at the limit of its first reply', async () => {
    const { clock, outcome, send } = await setup({
      attempts: { wholeReplyMs: 5_000 },
      retry: { budgetRatio: 0, budgetFloor: 0 },
    })
    send()
    await clock.advance(4_999)
    expect(outcome).toEqual({})
    await clock.advance(1)
    expect((outcome.error as Error).message).toContain('attempts.wholeReplyMs')
  })
})

test('explain says when an attempt is late', async () => {
  const { policy, given } = await setup()
  const explained = await policy.explain?.(given)
  expect(explained?.decisions[0]?.because?.lateMs).toBeGreaterThan(1_900)
})
