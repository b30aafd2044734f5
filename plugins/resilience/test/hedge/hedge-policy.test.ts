import { type Call, type Ending, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { Hedges } from '../../src/fallback/hedges.ts'
import { hedgePolicy } from '../../src/hedge/hedge-policy.ts'
import type { OperationInput } from '../../src/options.ts'
import { countListeners, fakeCall, rejection, unavailable } from '../fake-call.ts'
import { alternative, testLanes } from '../test-lanes.ts'

const ON: OperationInput = { hedge: { enabled: true, ratio: 1, minSamples: 20 } }
const two = [alternative('second'), alternative('third')]

/** What a target does: replies after so many ms, or fails then. */
interface Script {
  readonly afterMs: number
  readonly error?: unknown
  readonly ended?: Promise<Ending>
}

function setup(scripts: Readonly<Record<string, Script>>, input: OperationInput = ON, usualMs = 99) {
  const clock = virtualClock()
  const made = testLanes(input)
  const { lanes } = made
  const hedges = new Hedges()
  const state = { sheds: false }
  const policy = hedgePolicy({ name: 'resilience/hedge', clock, lanes, hedges, sheds: () => state.sheds })
  const first = lanes.at('sql.query', 'orders', clock.now())
  for (let i = 0; i < 100; i++) first.wholeTimes.record(usualMs, clock.now())
  const delayMs = first.wholeTimes.p95(clock.now(), 1) as number
  const seen: Call[] = []
  const next = async (call: Call) => {
    seen.push(call)
    call.trace.measure('attemptCount', 1)
    const script = scripts[call.target] as Script
    await clock.sleep(script.afterMs, call.signal)
    if (script.error !== undefined) throw script.error
    return { target: call.target, ...(script.ended !== undefined && { ended: script.ended }) } as never
  }
  const ask = (call: Call) => policy.around(call, next)
  return { clock, policy, lanes, hedges, state, first, seen, ask, delayMs, targets: () => seen.map(({ target }) => target) }
}

describe('a call whose first reply is late', () => {
  test('is sent to another target at the 95th percentile; the first reply wins and the loser is aborted at once', async () => {
    const { clock, ask, seen, targets, delayMs } = setup({ orders: { afterMs: 10_000 }, second: { afterMs: 50 } })
    const controller = new AbortController()
    const listeners = countListeners(controller.signal)
    const call = fakeCall({ alternatives: two, signal: controller.signal })
    const reply = ask(call)
    await clock.advance(Math.floor(delayMs))
    expect(targets()).toEqual(['orders'])
    await clock.advance(1)
    expect(targets()).toEqual(['orders', 'second'])
    expect(seen[1]).toMatchObject({ attempt: 2, alternatives: [two[1]] })
    await clock.advance(50)
    expect(await reply).toMatchObject({ target: 'second' })
    expect(seen[0]?.signal.reason).toMatchObject({ code: 'ABORTED', details: { hedge: true } })
    expect(seen[1]?.signal.aborted).toBe(false)
    expect([clock.pending(), listeners()]).toEqual([0, 0])
    expect(call.trace.measures.get('hedgeCount')).toBe(1)
    expect(call.trace.measures.get('hedgeWonCount')).toBe(1)
    expect(call.trace.decisions).toMatchObject([{ decision: 'hedge', because: { from: 'orders', to: 'second', attempt: 2 } }])
  })

  test('may still be won by the first copy', async () => {
    const { clock, ask, seen } = setup({ orders: { afterMs: 150 }, second: { afterMs: 10_000 } })
    const call = fakeCall({ alternatives: two })
    const reply = ask(call)
    await clock.advance(200)
    expect(await reply).toMatchObject({ target: 'orders' })
    expect(seen[1]?.signal.aborted).toBe(true)
    expect(call.trace.measures.has('hedgeWonCount')).toBe(false)
    expect(clock.pending()).toBe(0)
  })

  test('waits for the other copy when one fails, and rejects with the more useful error when both do', async () => {
    const useful = new SwitchyardError('RATE_LIMITED', '429', { retryAfterMs: 10 })
    const { clock, ask } = setup({ orders: { afterMs: 200, error: unavailable() }, second: { afterMs: 400, error: useful } })
    const controller = new AbortController()
    const listeners = countListeners(controller.signal)
    const failed = rejection(ask(fakeCall({ alternatives: two, signal: controller.signal })))
    await clock.advance(1_000)
    expect(await failed).toBe(useful)
    expect([clock.pending(), listeners()]).toEqual([0, 0])
    const served = setup({ orders: { afterMs: 200, error: unavailable() }, second: { afterMs: 400 } })
    const reply = served.ask(fakeCall({ alternatives: two }))
    await served.clock.advance(1_000)
    expect(await reply).toMatchObject({ target: 'second' })
  })

  test('keeps its stream under the signal of the caller until that has ended', async () => {
    const { promise: ended, resolve } = Promise.withResolvers<Ending>()
    const { clock, ask, seen } = setup({ orders: { afterMs: 10_000 }, second: { afterMs: 50, ended } })
    const controller = new AbortController()
    const listeners = countListeners(controller.signal)
    const reply = ask(fakeCall({ alternatives: two, signal: controller.signal }))
    await clock.advance(500)
    await reply
    expect(listeners()).toBe(1)
    const reason = new SwitchyardError('ABORTED', 'the client left')
    controller.abort(reason)
    expect(seen[1]?.signal.reason).toBe(reason)
    resolve({ outcome: 'aborted' })
    await clock.advance(0)
    expect(listeners()).toBe(0)
  })

  test('takes both copies along when the client leaves', async () => {
    const { clock, ask, seen } = setup({ orders: { afterMs: 10_000 }, second: { afterMs: 10_000 } })
    const controller = new AbortController()
    const failed = rejection(ask(fakeCall({ alternatives: two, signal: controller.signal })))
    await clock.advance(500)
    const reason = new SwitchyardError('ABORTED', 'the client left')
    controller.abort(reason)
    expect(await failed).toBe(reason)
    expect(seen.map(({ signal }) => signal.reason)).toEqual([reason, reason])
    expect(clock.pending()).toBe(0)
  })

  test('goes to a target that is well and has room', async () => {
    const { clock, ask, lanes, targets, hedges } = setup({ orders: { afterMs: 10_000 }, third: { afterMs: 1 } })
    const second = lanes.at('sql.query', 'second', clock.now())
    for (let i = 0; i < 5; i++) second.breaker.record('failure', false, clock.now())
    const call = fakeCall({ alternatives: two })
    const reply = ask(call)
    await clock.advance(500)
    await reply
    expect(targets()).toEqual(['orders', 'third'])
    expect(hedges.of(call.trace)).toBe(two[1])
  })
})

describe('no second copy', () => {
  const slow = { orders: { afterMs: 1_000 }, second: { afterMs: 1 }, third: { afterMs: 1 } }

  test.each<[string, Partial<Call>, OperationInput, string]>([
    ['where it is off', {}, {}, 'off'],
    ['of a call that may not be repeated', { idempotent: false }, ON, 'not-idempotent'],
    ['without another target', { alternatives: [] }, ON, 'no-alternative'],
    [
      'where only a step down is left',
      { alternatives: [alternative('cheap', { degrade: 'cheaper-model' })] },
      ON,
      'no-alternative',
    ],
    ['before enough is known', {}, { hedge: { enabled: true, minSamples: 101 } }, 'too-few-samples'],
  ])('%s: it goes out as it came', async (_name, changes, input, reason) => {
    const { clock, policy, ask, seen } = setup(slow, input)
    const call = fakeCall({ alternatives: two, ...changes })
    expect((await policy.explain?.(call))?.decisions).toEqual([{ decision: 'no-hedge', because: { reason } }])
    const reply = ask(call)
    expect(clock.pending()).toBe(1)
    await clock.advance(1_000)
    await reply
    expect(seen).toEqual([call])
  })

  test.each<[string, OperationInput, (made: ReturnType<typeof setup>, call: Call) => void, string]>([
    ['while the node sheds', ON, ({ state }) => void Object.assign(state, { sheds: true }), 'shedding'],
    ['after one was sent', ON, ({ hedges }, call) => hedges.set(call.trace, alternative('other')), 'hedged-before'],
    ['when the attempts are used up', ON, (_made, call) => call.trace.measure('attemptCount', 3), 'attempts-used-up'],
    ['beyond the share of calls', { hedge: { enabled: true, ratio: 0.05, minSamples: 20 } }, () => {}, 'budget-dry'],
    [
      'where no other has room',
      { ...ON, bulkhead: { slots: 1 } },
      ({ lanes, clock }) => {
        for (const target of ['second', 'third']) lanes.at('sql.query', target, clock.now()).bulkhead.enter()
      },
      'no-free-target',
    ],
    [
      'while the breaker is half-open',
      ON,
      ({ first, clock }) => {
        for (let i = 0; i < 5; i++) first.breaker.record('failure', false, clock.now())
        first.breaker.admit(clock.now() + 60_000)
      },
      'half-open',
    ],
  ])('%s', async (_name, input, prepare, reason) => {
    const made = setup(slow, input)
    const call = fakeCall({ alternatives: two })
    prepare(made, call)
    const reply = made.ask(call)
    await made.clock.advance(1_000)
    expect(await reply).toMatchObject({ target: 'orders' })
    expect(call.trace.decisions).toEqual([{ by: 'resilience/hedge', decision: 'no-hedge', because: { reason } }])
  })

  test('when the first copy fails before its time', async () => {
    const error = unavailable()
    const { clock, ask, targets } = setup({ orders: { afterMs: 10, error } })
    const failed = rejection(ask(fakeCall({ alternatives: two })))
    await clock.advance(1_000)
    expect(await failed).toBe(error)
    expect(targets()).toEqual(['orders'])
    expect(clock.pending()).toBe(0)
  })

  test('for a client that had left', async () => {
    const { clock, ask } = setup(slow)
    const reason = new SwitchyardError('ABORTED', 'the client left')
    expect(await rejection(ask(fakeCall({ alternatives: two, signal: AbortSignal.abort(reason) })))).toBe(reason)
    expect(clock.pending()).toBe(0)
  })
})

test('explain says when', async () => {
  const { policy, delayMs } = setup({})
  expect((await policy.explain?.(fakeCall({ alternatives: two })))?.decisions).toEqual([
    { decision: 'may-hedge', because: { afterMs: delayMs } },
  ])
})
