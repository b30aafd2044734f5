import { type Call, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { fallbackPolicy } from '../../src/fallback/fallback-policy.ts'
import { Hedges } from '../../src/fallback/hedges.ts'
import type { OperationInput } from '../../src/options.ts'
import { fakeCall, rejection, unavailable } from '../fake-call.ts'
import { scripted, stack } from '../stack.ts'
import { alternative, testLanes } from '../test-lanes.ts'

const REPLY = { rows: [], rowCount: 0 }
const rejected = (code: string): SwitchyardError =>
  new SwitchyardError('UPSTREAM_REJECTED', 'no', { details: { status: 400, error: { message: 'no', code } } })

function setup(input: OperationInput = {}) {
  const clock = virtualClock()
  const hedges = new Hedges()
  const policy = fallbackPolicy({ name: 'resilience/fallback', clock, settings: testLanes(input).settings, hedges })
  const seen: Call[] = []
  /** Fails at each target as told; counts as the innermost policy would. */
  const next = (errors: Readonly<Record<string, unknown>>) => async (call: Call) => {
    seen.push(call)
    call.trace.measure('attemptCount', 1)
    if (call.target in errors) throw errors[call.target]
    return { ...REPLY, target: call.target } as never
  }
  return { clock, policy, hedges, seen, next, targets: () => seen.map(({ target }) => target) }
}

const two = [alternative('second', { deployment: 'second/model', region: 'eu' }), alternative('third')]

describe('a call that fails at its target', () => {
  test('is served by the first alternative that can, with its request and attributes, and says so', async () => {
    const { policy, seen, next } = setup()
    const call = fakeCall({ alternatives: two })
    const reply = await policy.around(call, next({ orders: unavailable() }))
    expect(reply).toMatchObject({ target: 'second' })
    expect(seen[1]).toMatchObject({ target: 'second', attempt: 2, attributes: { region: 'eu' }, alternatives: [two[1]] })
    expect(call.trace.decisions).toEqual([
      {
        by: 'resilience/fallback',
        decision: 'fallback',
        because: { from: 'orders', to: 'second/model', code: 'UPSTREAM_UNAVAILABLE', attempt: 2 },
      },
    ])
    expect(call.trace.measures.get('fallbackCount')).toBe(1)
  })

  test('rejects with the most useful error of all when none can', async () => {
    const { policy, next, targets } = setup()
    const useful = new SwitchyardError('RATE_LIMITED', '429', { retryAfterMs: 700 })
    const call = fakeCall({ alternatives: two })
    const errors = { orders: unavailable(), second: useful, third: unavailable() }
    expect(await rejection(policy.around(call, next(errors)))).toBe(useful)
    expect(targets()).toEqual(['orders', 'second', 'third'])
    expect(call.trace.decisions.at(-1)).toMatchObject({
      decision: 'no-fallback',
      because: { reason: 'no-more-targets', from: 'third' },
    })
  })

  test.each<[string, unknown, Partial<Call>, OperationInput, string]>([
    ['that would fail anywhere', rejected('invalid_value'), {}, {}, 'not-elsewhere'],
    ['whose content was refused, unless asked for', rejected('content_filter'), {}, {}, 'not-elsewhere'],
    ['that may have been carried out', unavailable(), { idempotent: false }, {}, 'not-idempotent'],
    ['whose ledger is used up', unavailable(), {}, { attempts: { maxAttempts: 1 } }, 'attempts-used-up'],
  ])('stays failed: one %s', async (_name, error, changes, input, reason) => {
    const { policy, next, targets } = setup(input)
    const call = fakeCall({ alternatives: two, ...changes })
    expect(await rejection(policy.around(call, next({ orders: error })))).toBe(error)
    expect(targets()).toEqual(['orders'])
    expect(call.trace.decisions.at(-1)).toMatchObject({ decision: 'no-fallback', because: { reason } })
  })

  test.each<[string, unknown, Partial<Call>, OperationInput]>([
    ['for which the window was too small', rejected('context_length_exceeded'), {}, {}],
    ['whose content was refused, where asked for', rejected('content_filter'), {}, { fallback: { onContentRefused: true } }],
    ['of which no byte left', unavailable({ details: { sent: false } }), { idempotent: false }, {}],
    ['that met our own bug', new TypeError('x'), {}, {}],
  ])('is hedges elsewhere: one %s', async (_name, error, changes, input) => {
    const { policy, next } = setup(input)
    const reply = policy.around(fakeCall({ alternatives: two, ...changes }), next({ orders: error }))
    expect(await reply).toMatchObject({ target: 'second' })
  })

  test('is not hedges elsewhere once its deadline has passed, nor for a client that left', async () => {
    const { clock, policy, next, targets } = setup()
    const error = unavailable()
    expect(
      await rejection(policy.around(fakeCall({ alternatives: two, deadline: clock.now() }), next({ orders: error }))),
    ).toBe(error)
    const reason = new SwitchyardError('ABORTED', 'the client left')
    const call = fakeCall({ alternatives: two, signal: AbortSignal.abort(reason) })
    expect(await rejection(policy.around(call, next({ orders: error })))).toBe(reason)
    expect(targets()).toEqual(['orders', 'orders'])
  })

  test('is not hedges again where a hedge was sent', async () => {
    const { policy, hedges, next, targets } = setup()
    const call = fakeCall({ alternatives: two })
    hedges.set(call.trace, two[0] as (typeof two)[number])
    await policy.around(call, next({ orders: unavailable() }))
    expect(targets()).toEqual(['orders', 'third'])
  })

  test('is not hedges where only a step down is left', async () => {
    const { policy, next, seen, targets } = setup()
    const cheap = alternative('cheap', { degrade: 'cheaper-model' })
    const call = fakeCall({ alternatives: [cheap, ...two] })
    await rejection(policy.around(call, next({ orders: unavailable(), second: unavailable(), third: unavailable() })))
    expect(targets()).toEqual(['orders', 'second', 'third'])
    expect(seen[0]?.alternatives).toEqual(two)
  })
})

describe('a call passes untouched', () => {
  test.each<[string, Partial<Call>, OperationInput]>([
    ['without alternatives', {}, {}],
    ['with none left', { alternatives: [] }, {}],
    ['where fallback is off', { alternatives: two }, { fallback: { enabled: false } }],
  ])('%s', async (_name, changes, input) => {
    const { policy, next, targets } = setup(input)
    const error = unavailable()
    expect(await rejection(policy.around(fakeCall(changes), next({ orders: error })))).toBe(error)
    expect(targets()).toEqual(['orders'])
    expect((await policy.explain?.(fakeCall(changes)))?.decisions).toEqual([{ decision: 'no-fallback' }])
  })
})

test('with retries inside, the ledger bounds all attempts, and one is kept for every target', async () => {
  const seen: string[] = []
  const guards = stack(
    { retry: { backoffBaseMs: 0 } },
    scripted((call) => {
      seen.push(call.target)
      return call.target === 'third' ? { kind: 'whole', afterMs: 0 } : { kind: 'fails', afterMs: 0, error: unavailable() }
    }),
  )
  const reply = guards.call(fakeCall({ alternatives: two }))
  await guards.clock.advance(10)
  expect(await reply).toMatchObject({ rowCount: 0 })
  expect(seen).toEqual(['orders', 'orders', 'second', 'third'])
})

test('explain names the targets in their order', async () => {
  const { policy } = setup()
  expect(await policy.explain?.(fakeCall({ alternatives: two }))).toEqual({
    decisions: [
      { decision: 'may-fall-back', because: { targets: ['second/model', 'third'], maxAttempts: 4, onlyIfUnsent: false } },
    ],
  })
})
