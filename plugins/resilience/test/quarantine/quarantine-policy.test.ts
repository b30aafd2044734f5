import { type Alternative, type Call, type ErrorOptions, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import type { OperationInput } from '../../src/options.ts'
import { quarantinePolicy } from '../../src/quarantine/quarantine-policy.ts'
import { fakeCall, rejection, unavailable } from '../fake-call.ts'
import { scripted, stack } from '../stack.ts'
import { testLanes } from '../test-lanes.ts'

const SELECTORS = new Map([['portkey', ['x-portkey-virtual-key']]])

function refusal(status: number, error: object = {}, options: ErrorOptions = {}): SwitchyardError {
  const code = status === 429 ? 'RATE_LIMITED' : 'UPSTREAM_REJECTED'
  return new SwitchyardError(code, 'the upstream refused', { ...options, details: { status, error } })
}

function to(model: string, more: Partial<Call> & { headers?: Record<string, string> } = {}): Call {
  const { headers, target = 'portkey', ...rest } = more
  const request = { endpoint: 'chat/completions', model, body: {}, stream: false, ...(headers && { headers }) } as const
  return fakeCall({ operation: 'model.invoke', target, request, attributes: { deployment: `${target}/${model}` }, ...rest })
}

function setup(input: OperationInput = {}) {
  const clock = virtualClock()
  const made = testLanes(input, () => 0.5, { selectors: SELECTORS })
  const dialled: string[] = []
  const { lanes, emit, told } = made
  const policy = quarantinePolicy({
    name: 'resilience/quarantine',
    plugin: 'resilience',
    clock,
    random: () => 0.5,
    lanes,
    emit,
  })
  const ask = (call: Call, outcome?: unknown): Promise<unknown> =>
    policy.around(call, (given) => {
      dialled.push((given.request as { model: string }).model)
      return (outcome === undefined ? Promise.resolve({ rows: [] }) : Promise.reject(outcome)) as never
    })
  const isHeld = async (call: Call): Promise<boolean> => {
    const before = dialled.length
    await ask(call, unavailable()).catch(() => {})
    return dialled.length === before
  }
  return { clock, ask, dialled, told, policy, isHeld, lanes }
}

describe('a refused credential', () => {
  test.each([
    ['401', refusal(401), 'rejected'],
    ['402', refusal(402), 'quota'],
    ['403', refusal(403), 'forbidden'],
    ['429 with the quota used up', refusal(429, { code: 'insufficient_quota' }), 'quota'],
    ['an authentication error inside a 200', refusal(undefined as never, { type: 'authentication_error' }), 'rejected'],
    ['a permission error inside a 200', refusal(undefined as never, { type: 'permission_error' }), 'forbidden'],
  ])('by %s is not dialled again, whatever the model; the next call goes elsewhere', async (_name, error, reason) => {
    const { clock, ask, dialled, told, isHeld } = setup()
    const at = clock.now()
    expect(await rejection(ask(to('openai/gpt'), error))).toBe(error)
    const held = await rejection(ask(to('openai/gpt-mini')))
    expect(held).toMatchObject({ code: 'CIRCUIT_OPEN', plugin: 'resilience', retryAfterMs: 300_000 })
    expect(held.details).toEqual({
      guard: 'quarantine',
      sent: false,
      deployment: 'portkey/openai/gpt-mini',
      credential: 'portkey/openai',
    })
    expect(dialled).toEqual(['openai/gpt'])
    expect(await isHeld(to('anthropic/claude'))).toBe(false)
    expect(await isHeld(to('openai/gpt', { target: 'other' }))).toBe(false)
    expect(told).toEqual([
      {
        event: 'credential:quarantined',
        payload: {
          plugin: 'resilience',
          operation: 'model.invoke',
          deployment: 'portkey/openai/gpt',
          at,
          credential: 'portkey/openai',
          scope: 'credential',
          reason,
          until: at + 300_000,
        },
      },
    ])
  })

  test.each([
    ['400', refusal(400)],
    ['404', refusal(404)],
    ['429 with a delay', refusal(429, {}, { retryAfterMs: 5_000 })],
    ['500', unavailable({ details: { status: 500 } })],
    ['a 403 for content', refusal(403, { code: 'content_policy_violation' })],
    ['a 403 for a model that is not there', refusal(403, { code: 'model_not_found' })],
    ['a guard of ours', new SwitchyardError('RATE_LIMITED', 'x', { details: { guard: 'g', error: { code: 'billing' } } })],
    ['a bug', new TypeError('x')],
  ])('is not what %s says', async (_name, error) => {
    const { ask, isHeld, told } = setup()
    await ask(to('openai/gpt'), error).catch(() => {})
    expect(await isHeld(to('openai/gpt'))).toBe(false)
    expect(told).toEqual([])
  })

  test('is released by the first probe that is served, and told of', async () => {
    const { clock, ask, isHeld, told } = setup()
    await ask(to('openai/gpt'), refusal(401)).catch(() => {})
    await clock.advance(299_999)
    expect(await isHeld(to('openai/gpt'))).toBe(true)
    await clock.advance(1)
    // A fault of the target's says nothing of the key: the next may probe.
    expect(await isHeld(to('openai/gpt'))).toBe(false)
    const probe = ask(to('openai/gpt-mini'))
    expect(await isHeld(to('openai/gpt'))).toBe(true)
    await probe
    expect(await isHeld(to('openai/gpt'))).toBe(false)
    expect(told.map(({ event }) => event)).toEqual(['credential:quarantined', 'credential:released'])
    expect(told[1]?.payload).toMatchObject({ credential: 'portkey/openai', scope: 'credential' })
  })

  test('stays, twice as long, where the probe is refused too', async () => {
    const { clock, ask, isHeld, told } = setup({ quarantine: { forMs: 1_000, maxMs: 4_000 } })
    await ask(to('openai/gpt'), refusal(401)).catch(() => {})
    await clock.advance(1_000)
    await ask(to('openai/gpt'), refusal(401)).catch(() => {})
    await clock.advance(1_999)
    expect(await isHeld(to('openai/gpt'))).toBe(true)
    await clock.advance(1)
    expect(await isHeld(to('openai/gpt'))).toBe(false)
    expect(told.map(({ event }) => event)).toEqual(['credential:quarantined', 'credential:quarantined'])
  })

  test('of many calls under way is told of once', async () => {
    const { ask, told } = setup()
    await Promise.all(Array.from({ length: 50 }, () => ask(to('openai/gpt'), refusal(401)).catch(() => {})))
    expect(told).toHaveLength(1)
  })

  test('is left alone where the operation says so', async () => {
    const { ask, isHeld, policy } = setup({ quarantine: { enabled: false } })
    await ask(to('openai/gpt'), refusal(401)).catch(() => {})
    expect(await isHeld(to('openai/gpt'))).toBe(false)
    expect((await policy.explain?.(to('openai/gpt')))?.decisions).toEqual([{ decision: 'no-quarantine' }])
  })
})

describe('a 403 of a credential that served before', () => {
  test('bars the deployment alone, and is released with it', async () => {
    const { clock, ask, isHeld, told, policy } = setup()
    await ask(to('openai/gpt'))
    await ask(to('openai/secret'), refusal(403)).catch(() => {})
    expect(await isHeld(to('openai/secret'))).toBe(true)
    expect(await isHeld(to('openai/gpt'))).toBe(false)
    expect((await policy.explain?.(to('openai/secret')))?.decisions).toEqual([
      { decision: 'refused', because: { credential: 'portkey/openai', reason: 'quarantine', retryAfterMs: 300_000 } },
    ])
    expect((await policy.explain?.(to('openai/gpt')))?.decisions[0]?.decision).toBe('let-through')
    await clock.advance(300_000)
    await ask(to('openai/secret'))
    expect(await isHeld(to('openai/secret'))).toBe(false)
    expect(told.map(({ event, payload }) => [event, payload.scope, payload.deployment])).toEqual([
      ['credential:quarantined', 'deployment', 'portkey/openai/secret'],
      ['credential:released', 'deployment', 'portkey/openai/secret'],
    ])
  })

  test('does not shield the credential from a 401', async () => {
    const { ask, isHeld } = setup()
    await ask(to('openai/gpt'))
    await ask(to('openai/gpt'), refusal(401)).catch(() => {})
    expect(await isHeld(to('openai/gpt-mini'))).toBe(true)
  })

  test('a probe of the credential is not lost on a deployment that is barred', async () => {
    const { clock, ask, isHeld } = setup({ quarantine: { forMs: 1_000 } })
    await ask(to('openai/gpt'))
    await ask(to('openai/gpt'), refusal(401)).catch(() => {})
    await clock.advance(1_000)
    await ask(to('openai/gpt'))
    await ask(to('openai/secret'), refusal(403, {}, { retryAfterMs: 60_000 })).catch(() => {})
    await ask(to('openai/gpt'), refusal(401)).catch(() => {})
    await clock.advance(1_000)
    expect(await isHeld(to('openai/secret'))).toBe(true)
    expect(await isHeld(to('openai/gpt'))).toBe(false)
  })
})

describe('what a client brings along', () => {
  const own = { headers: { authorization: 'Bearer theirs' } }
  const picked = { headers: { 'x-portkey-virtual-key': 'theirs' } }
  const as = (keyId: string): Partial<Call> => ({ principal: { tenant: 'acme', keyId, roles: [] } })

  test('an upstream of its own is not quarantined, nor kept from one that is', async () => {
    const { ask, isHeld, policy, told } = setup()
    await ask(to('openai/gpt', picked), refusal(401)).catch(() => {})
    expect(await isHeld(to('openai/gpt'))).toBe(false)
    expect(told).toEqual([])
    await ask(to('openai/gpt'), refusal(401)).catch(() => {})
    expect(await isHeld(to('openai/gpt', picked))).toBe(false)
    expect((await policy.explain?.(to('openai/gpt', picked)))?.decisions[0]?.decision).toBe('no-quarantine')
  })

  test('a key of its own is quarantined for itself alone', async () => {
    const { ask, isHeld } = setup()
    await ask(to('openai/gpt', { ...own, ...as('a') }), refusal(401)).catch(() => {})
    expect(await isHeld(to('openai/gpt', { ...own, ...as('a') }))).toBe(true)
    expect(await isHeld(to('openai/gpt', { ...own, ...as('b') }))).toBe(false)
    expect(await isHeld(to('openai/gpt', as('a')))).toBe(false)
  })

  test('made-up names do not fill the memory, nor push out a quarantine', async () => {
    const { ask, isHeld } = setup()
    await ask(to('openai/gpt'), refusal(401)).catch(() => {})
    for (let i = 0; i < 10_000; i++) await ask(to(`made-up-${i}/x`))
    expect(await isHeld(to('openai/gpt'))).toBe(true)
  })
})

test('other operations have credentials too, by target', async () => {
  const { ask, lanes } = setup()
  await ask(fakeCall(), refusal(401)).catch(() => {})
  expect(await rejection(ask(fakeCall()))).toMatchObject({ details: { credential: 'orders' } })
  expect(lanes.credentials.of(fakeCall({ request: { sql: 'select 1', params: [], model: '/x' } as never }), 0)?.name).toBe(
    'orders',
  )
})

test('among all guards: no call is lost, the bad key is asked once, and its target’s breaker stays closed', async () => {
  const asked: string[] = []
  const guards = stack(
    {},
    scripted((call) => {
      asked.push(call.target)
      if (call.target === 'bad') return { kind: 'fails', afterMs: 5, error: refusal(401) }
      return { kind: 'whole', afterMs: 5 }
    }),
  )
  const spare: Alternative = { target: 'good', request: to('openai/gpt').request, attributes: {} }
  let served = 0
  for (let i = 0; i < 20; i++) {
    void guards.call(to('openai/gpt', { target: 'bad', attributes: {}, alternatives: [spare] })).then(() => served++)
    await guards.clock.advance(20)
  }
  expect(served).toBe(20)
  expect(asked.filter((target) => target === 'bad')).toHaveLength(1)
  expect(guards.events()).toEqual(['credential:quarantined'])
  const lane = guards.lanes.at('model.invoke', 'good', guards.clock.now())
  const back: Alternative = { target: 'bad', request: to('openai/gpt').request, attributes: {} }
  expect(guards.lanes.canReplace(lane, to('openai/gpt'), back, guards.clock.now())).toBe(false)
  expect(guards.lanes.at('model.invoke', 'bad', guards.clock.now()).breaker.state).toBe('closed')
})
