import { type Call, type Ending, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { breakerPolicy } from '../../src/breaker/breaker-policy.ts'
import type { OperationInput } from '../../src/options.ts'
import { fakeCall, rejection, unavailable } from '../fake-call.ts'
import { testLanes } from '../test-lanes.ts'

const REPLY = { rows: [], rowCount: 0 }

function setup(input: OperationInput = {}) {
  const clock = virtualClock()
  const made = testLanes(input)
  const policy = breakerPolicy({ name: 'resilience/breaker', plugin: 'resilience', clock, lanes: made.lanes })
  const lane = made.lanes.at('sql.query', 'orders', clock.now())
  const fail = (changes: Partial<Call> = {}, error: unknown = unavailable()): Promise<SwitchyardError> =>
    rejection(policy.around(fakeCall(changes), () => Promise.reject(error)))
  const fails = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await fail()
  }
  return { clock, policy, lane, fail, fails, ...made }
}

describe('an open breaker', () => {
  test('refuses without dialling, tells when to come back, and tells observers once', async () => {
    const { clock, policy, fails, told } = setup()
    await fails(5)
    let dialled = 0
    const refused = await rejection(
      policy.around(fakeCall(), async () => {
        dialled++
        return REPLY
      }),
    )
    expect(dialled).toBe(0)
    expect(refused).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 15_000, plugin: 'resilience' })
    expect(refused.details).toEqual({ guard: 'breaker', sent: false, deployment: 'orders' })
    expect(told).toEqual([
      {
        event: 'breaker:opened',
        payload: {
          plugin: 'resilience',
          operation: 'sql.query',
          deployment: 'orders',
          at: clock.now(),
          reason: 'consecutive-failures',
          until: clock.now() + 15_000,
        },
      },
    ])
  })

  test('is one of a deployment: its neighbour at the same target is served', async () => {
    const { policy, fails } = setup()
    await fails(5)
    expect(await policy.around(fakeCall({ attributes: { deployment: 'orders/replica' } }), async () => REPLY)).toBe(REPLY)
  })

  test('half-opens after its time and closes after three good ones', async () => {
    const { clock, policy, fails, events } = setup()
    await fails(5)
    await clock.advance(15_000)
    for (let i = 0; i < 3; i++) await policy.around(fakeCall(), async () => REPLY)
    expect(events()).toEqual(['breaker:opened', 'breaker:half-opened', 'breaker:closed'])
  })

  test('can be switched off', async () => {
    const { fails, fail } = setup({ breaker: { enabled: false } })
    await fails(50)
    expect((await fail()).code).toBe('UPSTREAM_UNAVAILABLE')
  })
})

describe('a stream', () => {
  const open = async (policy: ReturnType<typeof setup>['policy']) => {
    const { promise: ended, resolve } = Promise.withResolvers<Ending>()
    await policy.around(fakeCall(), async () => ({ ended }) as never)
    return resolve
  }

  test('is judged by its end, not by its beginning', async () => {
    const { clock, policy, lane } = setup()
    for (let i = 0; i < 4; i++) {
      const end = await open(policy)
      end({ outcome: 'truncated' })
    }
    const last = await open(policy)
    await clock.advance(0)
    expect(lane.breaker.state).toBe('closed')
    last({ outcome: 'truncated' })
    await clock.advance(0)
    expect(lane.breaker.state).toBe('open')
  })

  test('proves a probe good with its first content, so that nobody waits for its end; a cut then counts anew', async () => {
    const { clock, policy, lane, fails } = setup()
    await fails(5)
    await clock.advance(15_000)
    const ends = [await open(policy), await open(policy), await open(policy)]
    expect(lane.breaker.state).toBe('closed')
    for (const end of ends) end({ outcome: 'truncated' })
    await fails(2)
    expect(lane.breaker.state).toBe('open')
  })

  test.each<[string, Ending, boolean]>([
    ['an upstream that failed', { outcome: 'error', error: unavailable() }, true],
    ['an error event that is not its fault', { outcome: 'error', error: new SwitchyardError('RATE_LIMITED', 'x') }, false],
    ['a reader that left', { outcome: 'aborted' }, false],
  ])('that ended by %s', async (_name, ending, counts) => {
    const { clock, policy, lane } = setup()
    for (let i = 0; i < 5; i++) (await open(policy))(ending)
    await clock.advance(0)
    expect(lane.breaker.state).toBe(counts ? 'open' : 'closed')
  })
})

describe('a client that leaves', () => {
  const usual = 100
  const leave = async ({ clock, policy }: ReturnType<typeof setup>, afterMs: number, queuedMs = 0): Promise<void> => {
    const controller = new AbortController()
    const call = fakeCall({ signal: controller.signal })
    const failed = rejection(
      policy.around(call, async () => {
        call.trace.measure('queueWaitMs', queuedMs)
        await clock.sleep(60_000, controller.signal)
        return REPLY
      }),
    )
    await clock.advance(afterMs)
    controller.abort(new SwitchyardError('ABORTED', 'the client left'))
    await failed
  }
  const learned = () => {
    const made = setup()
    for (let i = 0; i < 20; i++) made.lane.wholeTimes.record(usual, made.clock.now())
    return made
  }

  test('says nothing of the target, however many leave', async () => {
    const made = learned()
    for (let i = 0; i < 50; i++) await leave(made, 250)
    expect(made.lane.breaker.state).toBe('closed')
  })

  test('after more than three times the usual wait shows that it hangs', async () => {
    const made = learned()
    for (let i = 0; i < 5; i++) await leave(made, 400)
    expect(made.lane.breaker.state).toBe('open')
  })

  test('and waited in our own queue says nothing', async () => {
    const made = learned()
    for (let i = 0; i < 5; i++) await leave(made, 400, 300)
    expect(made.lane.breaker.state).toBe('closed')
  })

  test('by its deadline, which a clock may notice before the signal does, says nothing', async () => {
    const made = learned()
    const late = new SwitchyardError('TIMEOUT', 'the call did not end before its deadline')
    for (let i = 0; i < 50; i++) await made.fail({ deadline: made.clock.now() }, late)
    expect(made.lane.breaker.state).toBe('closed')
    for (let i = 0; i < 5; i++) await made.fail({ deadline: made.clock.now() + 1 }, late)
    expect(made.lane.breaker.state).toBe('open')
  })

  test('of a target that nobody knows yet says nothing', async () => {
    const made = setup()
    for (let i = 0; i < 20; i++) await leave(made, 50_000)
    expect(made.lane.breaker.state).toBe('closed')
  })
})

test('slow first replies open it where they are to count', async () => {
  const made = setup({ breaker: { slowMs: 100, minSamples: 5, slowRate: 1 } })
  const { clock, policy, told } = made
  for (let i = 0; i < 5; i++) {
    const reply = policy.around(fakeCall(), async () => {
      await clock.sleep(101)
      return REPLY
    })
    await clock.advance(101)
    await reply
  }
  expect(told[0]).toMatchObject({ event: 'breaker:opened', payload: { reason: 'slow-rate' } })
})

describe('a target that asks for a pause', () => {
  const limited = new SwitchyardError('RATE_LIMITED', '429', { retryAfterMs: 2_000, details: { status: 429 } })

  test('gets it from the tenant that was told, and from no other', async () => {
    const { clock, policy, fail } = setup()
    await fail({}, limited)
    const other = { tenant: 'other', keyId: 'k', roles: [] }
    expect(await policy.around(fakeCall({ principal: other }), async () => REPLY)).toBe(REPLY)
    const refused = await fail()
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 2_000, details: { guard: 'cooldown', sent: false } })
    await clock.advance(2_000)
    expect(await policy.around(fakeCall(), async () => REPLY)).toBe(REPLY)
  })

  test('is not asked for a longer one by our own refusals, nor for ever', async () => {
    const { clock, fail, lane } = setup()
    await fail({}, new SwitchyardError('RATE_LIMITED', '429', { retryAfterMs: 1e12 }))
    await clock.advance(1_000)
    await fail()
    expect(lane.cooldowns.left('acme', clock.now())).toBe(299_000)
    expect(lane.idle(clock.now())).toBe(false)
    await clock.advance(299_000)
    expect(lane.idle(clock.now())).toBe(true)
  })

  test('and many tenants are remembered in bounds', () => {
    const { lane, clock } = setup()
    for (let i = 0; i < 1_001; i++) lane.cooldowns.set(`tenant-${i}`, clock.now() + 1_000 + i)
    expect(lane.cooldowns.left('tenant-0', clock.now())).toBe(0)
    expect(lane.cooldowns.left('tenant-1', clock.now())).toBe(1_001)
    lane.cooldowns.set('tenant-1', clock.now() + 5)
    expect(lane.cooldowns.left('tenant-1', clock.now())).toBe(1_001)
  })
})

describe('explain', () => {
  test('says what would become of a call and changes nothing', async () => {
    const { clock, policy, fails, fail, events } = setup()
    const explained = async () => (await policy.explain?.(fakeCall()))?.decisions[0]
    expect(await explained()).toEqual({ decision: 'let-through', because: { deployment: 'orders', state: 'closed' } })
    await fails(5)
    expect(await explained()).toMatchObject({ decision: 'refused', because: { reason: 'breaker', retryAfterMs: 15_000 } })
    await clock.advance(15_000)
    expect(await explained()).toMatchObject({ decision: 'let-through' })
    expect(events()).toEqual(['breaker:opened'])
    await fail({}, new SwitchyardError('RATE_LIMITED', '429', { retryAfterMs: 500 }))
    expect(await explained()).toMatchObject({ decision: 'refused', because: { reason: 'cooldown', retryAfterMs: 500 } })
  })

  test('says when there is none', async () => {
    const { policy } = setup({ breaker: { enabled: false } })
    expect(await policy.explain?.(fakeCall())).toEqual({ decisions: [{ decision: 'no-breaker' }] })
  })
})
