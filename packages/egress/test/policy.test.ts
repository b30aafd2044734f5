import { describe, expect, test } from 'vitest'
import { createEgress } from '../src/index.ts'
import { resolvePolicy } from '../src/policy.ts'
import { systemClock } from '../src/system-clock.ts'

describe('policy', () => {
  test('closed by default, with every bound finite', () => {
    const policy = resolvePolicy()
    expect(policy).toMatchObject({ schemes: ['https:'], ports: 'any', allow: [], deny: [], maxRedirects: 0 })
    for (const value of Object.values(policy)) if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true)
    expect(Object.isFrozen(policy)).toBe(true)
  })

  test('undefined leaves the default', () => {
    expect(resolvePolicy({ maxRedirects: undefined as never }).maxRedirects).toBe(0)
  })

  test.each([
    [{ allowed: [] }, 'allowed'],
    [{ schemes: ['ftp:'] }, 'schemes'],
    [{ schemes: ['https'] }, 'schemes'],
    [{ ports: [0] }, 'ports'],
    [{ ports: [70_000] }, 'ports'],
    [{ ports: [1.5] }, 'ports'],
    [{ allow: ['10.0.0.0/64'] }, 'allow'],
    [{ deny: ['nowhere'] }, 'deny'],
    [{ connections: 0 }, 'connections'],
    [{ connections: Number.POSITIVE_INFINITY }, 'connections'],
    [{ connectTimeoutMs: 0 }, 'connectTimeoutMs'],
    [{ keepAliveTimeoutMs: Number.NaN }, 'keepAliveTimeoutMs'],
    [{ totalTimeoutMs: -1 }, 'totalTimeoutMs'],
    [{ maxResponseBytes: '5' }, 'maxResponseBytes'],
  ])('%j is refused by name', (policy, name) => {
    expect(() => createEgress(policy as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(name) }),
    )
  })
})

describe('systemClock', () => {
  test('schedules, cancels, and sleeps until a signal', async () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000)
    const before = systemClock.monotonic()
    await systemClock.sleep(1)
    expect(systemClock.monotonic()).toBeGreaterThan(before)
    const cancel = systemClock.schedule(0, () => expect.unreachable())
    cancel()
    cancel()
    await new Promise<void>((resolve) => systemClock.schedule(1, resolve))
    const controller = new AbortController()
    const sleeping = systemClock.sleep(60_000, controller.signal)
    controller.abort('stop')
    await expect(sleeping).rejects.toBe('stop')
    await expect(systemClock.sleep(1, controller.signal)).rejects.toBe('stop')
  })
})
