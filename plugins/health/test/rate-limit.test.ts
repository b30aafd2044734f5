import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { startNode } from './support/node.ts'

const A = 'p/acme/a'
const B = 'p/acme/b'

const limited = (retryAfterMs?: number): SwitchyardError =>
  new SwitchyardError('RATE_LIMITED', 'slow down', retryAfterMs === undefined ? {} : { retryAfterMs })

const left = (remaining: number, reset?: string): { headers: Record<string, string> } => ({
  headers: {
    'x-ratelimit-remaining-tokens': String(remaining),
    'x-ratelimit-limit-tokens': '1000',
    ...(reset !== undefined && { 'x-ratelimit-reset-tokens': reset }),
  },
})

test('a refusal with a delay takes it out for just that time, and counts as no failure', async () => {
  const { bad, good, health, clock } = await startNode()
  await good(1, { deployment: B })
  await bad(1, {}, limited(2_000))
  expect(health.of(A)).toMatchObject({ state: 'ejected', weight: 0, successRate: undefined })
  expect(health.of(A).reason).toBe('it refused for a limit and asked to wait 2000 ms')
  await clock.advance(1_999)
  expect(health.of(A).state).toBe('ejected')
  await clock.advance(1)
  expect(health.of(A)).toMatchObject({ state: 'healthy', weight: 1 })
})

test('both of two may cool, but the last is only degraded', async () => {
  const { bad, good, health } = await startNode()
  for (const deployment of [A, B, 'p/acme/c']) await good(1, { deployment })
  await bad(1, { deployment: A }, limited(2_000))
  await bad(1, { deployment: B }, limited(2_000))
  await bad(1, { deployment: 'p/acme/c' }, limited(2_000))
  expect([A, B, 'p/acme/c'].map((name) => health.of(name).state)).toEqual(['ejected', 'ejected', 'degraded'])
})

test('an absurd delay is bounded', async () => {
  const { bad, good, health, clock } = await startNode({ options: { rateLimit: { maxCooldownMs: 5_000 } } })
  await good(1, { deployment: B })
  await bad(1, {}, limited(1e12))
  await clock.advance(5_000)
  expect(health.of(A).state).toBe('healthy')
})

test.each([undefined, 0, -5, Number.NaN])('a refusal that states the delay %s degrades for a while', async (delay) => {
  const { bad, good, health, clock } = await startNode()
  await good(1, { deployment: B })
  await bad(1, {}, limited(delay))
  expect(health.of(A)).toMatchObject({ state: 'degraded', weight: 0.25 })
  await clock.advance(5_000)
  expect(health.of(A).state).toBe('healthy')
})

describe('refusals in a row that state no delay', () => {
  test('take it out for a while, and the next one of them at once', async () => {
    const { bad, good, health, clock } = await startNode()
    await good(1, { deployment: B })
    await bad(4, {}, limited())
    expect(health.of(A).state).toBe('degraded')
    await bad(1, {}, limited())
    expect(health.of(A)).toMatchObject({ state: 'ejected', successRate: undefined })
    expect(health.of(A).reason).toBe('it refused 5 attempts in a row for a limit and stated no delay')
    await clock.advance(5_000)
    expect(health.of(A)).toMatchObject({ state: 'healthy', weight: 1 })
    await bad(1, {}, limited())
    expect(health.of(A).state).toBe('ejected')
  })

  test('count from the last success', async () => {
    const { bad, good, health } = await startNode()
    await good(1, { deployment: B })
    await bad(4, {}, limited())
    await good(1)
    await bad(4, {}, limited())
    expect(health.of(A).state).toBe('degraded')
  })

  test('leave the last of its pool degraded', async () => {
    const { bad, health } = await startNode()
    await bad(9, {}, limited())
    expect(health.of(A).state).toBe('degraded')
  })
})

test('a stream that ends with a refusal counts as one', async () => {
  const { attempt, good, health } = await startNode()
  await good(1, { deployment: B })
  const one = attempt({ stream: true })
  await one.reply('lasting')
  await one.end({ outcome: 'error', error: limited(2_000) })
  expect(health.of(A).state).toBe('ejected')
})

test('a quota near its end lowers the weight with what is left, until its reset', async () => {
  const { good, health, clock, changes } = await startNode()
  await good(1, left(100, '9s'))
  expect(health.of(A)).toMatchObject({ state: 'healthy', weight: 1 })
  await good(1, left(50, '9s'))
  expect(health.of(A)).toMatchObject({ state: 'degraded', reason: '5 % of its tokens are left' })
  expect(health.of(A).weight).toBeCloseTo(0.125, 9)
  await good(1, left(1, '9s'))
  expect(health.of(A).weight).toBeCloseTo(0.025, 9)
  await clock.advance(9_000)
  expect(health.of(A)).toMatchObject({ state: 'healthy', weight: 1 })
  expect(changes()).toEqual(['healthy>degraded', 'degraded>healthy'])
})

test('a quota that is whole again is believed at once', async () => {
  const { good, health } = await startNode()
  await good(1, left(10, '60s'))
  expect(health.of(A).state).toBe('degraded')
  await good(1, left(900, '1s'))
  expect(health.of(A)).toMatchObject({ state: 'healthy', reason: 'tokens are left again' })
})

test('a quota at its end takes it out until its reset; without one it is degraded for a while', async () => {
  const { good, health, clock } = await startNode()
  await good(1, { deployment: B })
  await good(1, left(0, '3s'))
  expect(health.of(A)).toMatchObject({ state: 'ejected', reason: 'no tokens are left for 3000 ms' })
  await clock.advance(3_000)
  expect(health.of(A).state).toBe('healthy')
  await good(1, left(0))
  expect(health.of(A).state).toBe('degraded')
})

test('a quota whose reset is now changes nothing', async () => {
  const { good, changes } = await startNode()
  await good(3, left(10, '0s'))
  expect(changes()).toEqual([])
})
