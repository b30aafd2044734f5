import { type Call, type Ending, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { bulkheadPolicy } from '../../src/bulkhead/bulkhead-policy.ts'
import type { OperationInput } from '../../src/options.ts'
import { countListeners, fakeCall, rejection, unavailable } from '../fake-call.ts'
import { testLanes } from '../test-lanes.ts'

function setup(bulkhead: OperationInput['bulkhead'] = { slots: 1 }, more: OperationInput = {}) {
  const clock = virtualClock()
  const made = testLanes({ bulkhead, ...more })
  const policy = bulkheadPolicy({ name: 'resilience/bulkhead', plugin: 'resilience', clock, lanes: made.lanes })
  const lane = made.lanes.at('sql.query', 'orders', clock.now())
  const served: string[] = []
  const running: ((ending: Ending) => void)[] = []
  /** Opens a stream under the name of the call. */
  const stream = (id: string, changes: Partial<Call> = {}): Promise<unknown> =>
    policy.around(fakeCall({ id, ...changes }), async () => {
      served.push(id)
      const { promise: ended, resolve } = Promise.withResolvers<Ending>()
      running.push(resolve)
      return { ended } as never
    })
  const endOne = async (): Promise<void> => {
    running.shift()?.({ outcome: 'complete' })
    await clock.advance(0)
  }
  return { clock, policy, lane, stream, endOne, served, running, ...made }
}

const of = (tenant: string, priority?: 'low' | 'normal' | 'high'): Partial<Call> => ({
  principal: { tenant, keyId: 'k', roles: [] },
  attributes: priority === undefined ? {} : { priority },
})

describe('a slot', () => {
  test("is held to the stream's end, not to its beginning", async () => {
    const { lane, stream, endOne, served, clock } = setup()
    await stream('first')
    void stream('second')
    await clock.advance(1_000)
    expect(served).toEqual(['first'])
    await endOne()
    expect(served).toEqual(['first', 'second'])
    await endOne()
    expect(lane.bulkhead.inUse).toBe(0)
    expect(clock.pending()).toBe(0)
  })

  test('comes back after an error, a whole reply and an `ended` that rejects', async () => {
    const { policy, lane, clock } = setup()
    await rejection(policy.around(fakeCall(), () => Promise.reject(unavailable())))
    await policy.around(fakeCall(), async () => ({ rows: [], rowCount: 0 }))
    await policy.around(fakeCall(), async () => ({ ended: Promise.reject(unavailable()) }) as never)
    await clock.advance(0)
    expect(lane.bulkhead.inUse).toBe(0)
  })

  test('is not needed where there is no limit', async () => {
    const { policy, lane, stream } = setup({ slots: false })
    await stream('one')
    expect(lane.bulkhead.inUse).toBe(0)
    expect(await policy.explain?.(fakeCall())).toEqual({ decisions: [{ decision: 'no-bulkhead' }] })
  })
})

describe('the queue', () => {
  test('takes tenants in turn, and within one the higher class first', async () => {
    const { stream, endOne, served } = setup()
    await stream('running')
    for (const [id, tenant, priority] of [
      ['a1', 'a', 'low'],
      ['a2', 'a', 'normal'],
      ['a3', 'a', 'high'],
      ['b1', 'b', undefined],
      ['c1', 'c', 'normal'],
    ] as const)
      void stream(id, of(tenant, priority))
    for (let i = 0; i < 6; i++) await endOne()
    expect(served).toEqual(['running', 'a3', 'b1', 'c1', 'a2', 'a1'])
  })

  test('gives a tenant as many turns as its weight', async () => {
    const { stream, endOne, served } = setup({ slots: 1, tenantWeights: { a: 2 } })
    await stream('running')
    for (const id of ['a1', 'a2', 'a3', 'b1', 'b2']) void stream(id, of(id[0] as string))
    for (let i = 0; i < 6; i++) await endOne()
    expect(served).toEqual(['running', 'a1', 'a2', 'b1', 'a3', 'b2'])
  })

  test('refuses at once what finds it full, and tells observers once until it has been empty', async () => {
    const { stream, endOne, clock, events, told } = setup({ slots: 1, queueSize: 1 })
    await stream('running')
    void stream('waiting')
    const refused = await rejection(stream('third'))
    expect(refused).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 100, plugin: 'resilience' })
    expect(refused.details).toMatchObject({ guard: 'bulkhead', reason: 'queue-full', sent: false })
    await rejection(stream('fourth'))
    expect(events()).toEqual(['bulkhead:filled'])
    expect(told[0]?.payload).toMatchObject({ deployment: 'orders', inUse: 1, waiting: 1 })
    await endOne()
    expect(events()).toEqual(['bulkhead:filled', 'bulkhead:cleared'])
    expect(clock.pending()).toBe(0)
  })

  test('makes room for a tenant that holds none of it, by the last of who holds most', async () => {
    const { stream, endOne, served } = setup({ slots: 1, queueSize: 3 })
    await stream('running')
    const greedy = ['g1', 'g2', 'g3'].map((id) =>
      stream(id, of('greedy')).then(
        () => id,
        (error: SwitchyardError) => error.details?.reason,
      ),
    )
    void stream('modest', of('modest'))
    expect(await greedy[2]).toBe('displaced')
    for (let i = 0; i < 4; i++) await endOne()
    expect(served).toEqual(['running', 'g1', 'modest', 'g2'])
  })

  test('bounds the wait', async () => {
    const { stream, clock, lane } = setup({ slots: 1, queueWaitMs: 500 })
    await stream('running')
    const waited = rejection(stream('waiting'))
    await clock.advance(499)
    expect(lane.bulkhead.waiting).toBe(1)
    await clock.advance(1)
    expect(await waited).toMatchObject({ code: 'OVERLOADED', details: { reason: 'queue-timeout' } })
    expect([lane.bulkhead.waiting, clock.pending()]).toEqual([0, 0])
  })

  test('is left in the same tick by one who aborts, and the next is not delayed', async () => {
    const { stream, endOne, clock, lane, served } = setup()
    await stream('running')
    const controller = new AbortController()
    const listeners = countListeners(controller.signal)
    const left = rejection(stream('leaving', { signal: controller.signal }))
    void stream('next')
    const reason = new SwitchyardError('ABORTED', 'the client left')
    controller.abort(reason)
    expect(lane.bulkhead.waiting).toBe(1)
    expect(clock.pending()).toBe(1)
    expect(listeners()).toBe(0)
    expect(await left).toBe(reason)
    await endOne()
    expect(served).toEqual(['running', 'next'])
  })

  test('is not joined by one who has left already', async () => {
    const { stream, lane } = setup()
    await stream('running')
    const reason = new SwitchyardError('ABORTED', 'the client left')
    expect(await rejection(stream('gone', { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(lane.bulkhead.waiting).toBe(0)
  })

  test('is not joined by one whose deadline would pass in it', async () => {
    const { stream, clock, endOne, lane } = setup()
    await stream('learned')
    await clock.advance(1_000)
    await endOne()
    await stream('running')
    const hopeless = await rejection(stream('hopeless', { deadline: clock.now() + 900 }))
    expect(hopeless).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_000, details: { reason: 'deadline-too-near' } })
    void stream('hopeful', { deadline: clock.now() + 1_100 })
    expect(lane.bulkhead.waiting).toBe(1)
  })

  test('is emptied when the breaker opens: nobody waits for a target that is given up', async () => {
    const { stream, clock, lane } = setup()
    await stream('running')
    const waiting = rejection(stream('waiting'))
    for (let i = 0; i < 5; i++) lane.breaker.record('failure', false, clock.now())
    expect(await waiting).toMatchObject({
      code: 'CIRCUIT_OPEN',
      retryAfterMs: 15_000,
      details: { guard: 'breaker', sent: false },
    })
    expect([lane.bulkhead.waiting, clock.pending()]).toEqual([0, 0])
  })

  test('notes how long was waited', async () => {
    const { stream, endOne, clock } = setup()
    await stream('running')
    const call = fakeCall({ id: 'waiting' })
    void stream('waiting', { trace: call.trace })
    await clock.advance(300)
    await endOne()
    expect(call.trace.measures.get('queueWaitMs')).toBe(300)
  })
})

describe('with an adaptive limit', () => {
  const learning = { limiter: { algorithm: 'aimd' as const, start: 2, min: 1, max: 10 } }

  test('slots follow what the target carries, up to the fixed number', async () => {
    const { policy, lane, clock } = setup({ slots: 3 }, learning)
    const good = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await policy.around(fakeCall(), async () => ({ rows: [], rowCount: 0 }))
    }
    await good(2)
    expect(lane.bulkhead.limit).toBe(3)
    await good(20)
    expect(lane.adaptive?.limit).toBeGreaterThan(3)
    expect(lane.bulkhead.limit).toBe(3)
    for (let i = 0; i < 20; i++) {
      await clock.advance(10)
      await rejection(policy.around(fakeCall(), () => Promise.reject(new SwitchyardError('RATE_LIMITED', '429'))))
    }
    expect(lane.bulkhead.limit).toBe(1)
  })

  test('a limit that grows lets in who waits, though nobody has left', async () => {
    const { policy, lane, clock, stream, served } = setup({ slots: 10 }, learning)
    const forever = new Promise<Ending>(() => {})
    for (let i = 0; i < 2; i++) {
      void policy.around(fakeCall(), async () => {
        await clock.sleep(50)
        return { ended: forever } as never
      })
    }
    void stream('waiting')
    expect([lane.bulkhead.inUse, lane.bulkhead.waiting]).toEqual([2, 1])
    await clock.advance(50)
    expect(served).toEqual(['waiting'])
    expect(lane.bulkhead.inUse).toBe(3)
  })

  test('what the target says it has room for bounds it, until it says otherwise', async () => {
    const { policy, lane } = setup({ slots: 50 }, { limiter: { algorithm: 'aimd', start: 20, min: 1, max: 50 } })
    const answer = (headers: object | undefined): Promise<unknown> =>
      policy.around(fakeCall({ attributes: { inputTokens: 100 } }), async () => ({ headers }) as never)
    await answer({ 'x-ratelimit-remaining-requests': '3', 'x-ratelimit-remaining-tokens': '10000' })
    expect(lane.bulkhead.limit).toBe(4)
    await answer({ 'x-ratelimit-remaining-requests': '0' })
    expect(lane.bulkhead.limit).toBe(1)
    await answer(undefined)
    expect(lane.bulkhead.limit).toBe(20)
  })

  test.each<[string, SwitchyardError, number]>([
    ['503', new SwitchyardError('UPSTREAM_UNAVAILABLE', 'x', { details: { status: 503 } }), 9],
    ['a timeout', new SwitchyardError('TIMEOUT', 'x'), 9],
    ['500', new SwitchyardError('UPSTREAM_UNAVAILABLE', 'x', { details: { status: 500 } }), 10],
    ['400', new SwitchyardError('UPSTREAM_REJECTED', 'x'), 10],
    ['an error of our own guards', new SwitchyardError('TIMEOUT', 'x', { details: { guard: 'x' } }), 10],
  ])('%s', async (_name, error, limit) => {
    const { policy, lane } = setup({ slots: 10 }, { limiter: { algorithm: 'aimd', start: 10, min: 1, max: 10 } })
    await rejection(policy.around(fakeCall(), () => Promise.reject(error)))
    await rejection(policy.around(fakeCall(), () => Promise.reject(new TypeError('a bug'))))
    expect(lane.adaptive?.limit).toBe(limit)
  })
})

describe('explain', () => {
  test('says whether a slot is free, would be waited for, or refused', async () => {
    const { policy, stream, clock } = setup({ slots: 1, queueSize: 1 })
    const decision = async (changes: Partial<Call> = {}) => (await policy.explain?.(fakeCall(changes)))?.decisions[0]
    expect(await decision()).toEqual({
      decision: 'slot-free',
      because: { deployment: 'orders', slots: 1, inUse: 0, waiting: 0, priority: 1 },
    })
    await stream('running')
    expect(await decision()).toMatchObject({ decision: 'would-wait' })
    expect(await decision({ deadline: clock.now() })).toMatchObject({
      decision: 'refused',
      because: { reason: 'deadline-too-near' },
    })
    void stream('waiting').catch(() => {})
    expect(await decision()).toMatchObject({ decision: 'refused', because: { waiting: 1 } })
  })
})

test('a queue that stands is cut down: the lowest class first, with a reason and a delay, and no timer is left', async () => {
  const { policy, clock, lane } = setup({ slots: 1, queueWaitMs: 60_000 })
  const outcomes = new Map<string, unknown>()
  const ask = (id: string, changes: Partial<Call>): void =>
    void policy
      .around(fakeCall({ id, ...changes }), async () => {
        await clock.sleep(5)
        return { rows: [], rowCount: 0 }
      })
      .then(
        () => outcomes.set(id, 'served'),
        (error: unknown) => outcomes.set(id, error),
      )
  for (let i = 0; i < 60; i++) ask(`normal-${i}`, of('acme'))
  for (let i = 0; i < 3; i++) ask(`low-${i}`, of('acme', 'low'))
  await clock.advance(230)
  expect(lane.bulkhead.over).toBe(true)
  expect(outcomes.get('low-0')).toMatchObject({
    code: 'OVERLOADED',
    details: { guard: 'bulkhead', reason: 'overload', sent: false },
  })
  expect((outcomes.get('low-0') as SwitchyardError).retryAfterMs).toBeGreaterThanOrEqual(100)
  expect(outcomes.has('low-1')).toBe(false)
  // The newest goes first while it is over.
  expect(outcomes.get('normal-59')).toBe('served')
  expect(outcomes.has('normal-50')).toBe(false)
  await clock.advance(2_000)
  expect(outcomes.size).toBe(63)
  expect([lane.bulkhead.inUse, lane.bulkhead.waiting, clock.pending()]).toEqual([0, 0, 0])
})
