import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { chatCall, openReply, rejection, sqlCall, startRig } from './support/rig.ts'

const limits = [{ name: 'calls', per: 'key', requests: { count: 4, windowMs: 60_000 } }] as const

describe('while the counters are away', () => {
  test('open: calls pass, the store is left alone for a second, and one call tries it again', async () => {
    const { admits, counters, clock, log } = await startRig({ limits })
    counters.away = 'before'
    for (let i = 0; i < 20; i++) expect(await admits()).toBe(true)
    expect(counters.calls.reserve).toBe(1)
    await clock.advance(1_000)
    await Promise.all(Array.from({ length: 20 }, () => admits()))
    expect(counters.calls.reserve).toBe(2)
    counters.away = false
    await clock.advance(1_000)
    for (let i = 0; i < 4; i++) expect(await admits()).toBe(true)
    expect(await admits()).toBe(false)
    expect(log.records.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'the counters of rate limits cannot be reached'],
      ['info', 'the counters of rate limits answer again'],
    ])
  })

  test('closed: calls are refused with a delay', async () => {
    const { send, counters } = await startRig({ limits, whenStoreAway: 'closed' })
    counters.away = 'before'
    const error = await rejection(send(sqlCall()))
    expect(error).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_000, plugin: 'rate-limit' })
    expect(error.message).toContain('whenStoreAway is "closed"; bring them back')
    expect(error.details).toMatchObject({ guard: 'rate-limit', reason: 'store-away', sent: false })
  })

  test("local: this node's share of the limit, in a window of its own", async () => {
    const { admits, counters, clock } = await startRig({ limits, whenStoreAway: 'local', nodes: 2 })
    for (let i = 0; i < 4; i++) await admits()
    counters.away = 'before'
    expect([await admits(), await admits(), await admits()]).toEqual([true, true, false])
    for (let i = 0; i < 29; i++) {
      await clock.advance(2_000)
      expect(await admits()).toBe(false)
    }
    await clock.advance(2_000)
    expect(await admits()).toBe(true)
  })

  test('local: tokens and slots too, corrected and given back', async () => {
    const both = [{ name: 'l', per: 'key', tokens: { count: 1_000, windowMs: 60_000 }, concurrency: 1 }] as const
    const { send, counters, clock, admits, explain } = await startRig({ limits: both, whenStoreAway: 'local' })
    counters.away = 'before'
    const { reply, end } = openReply()
    await send(chatCall(300, 200), async () => reply)
    expect(await admits(chatCall(1, 1))).toBe(false)
    await clock.advance(45_000)
    expect(await admits(chatCall(1, 1))).toBe(false)
    end({ usage: { inputTokens: 300, outputTokens: 0 } })
    await clock.advance(0)
    counters.away = 'before'
    // The store is asked again, fails again, and the node goes on counting by itself.
    expect(await admits(chatCall(700, 1))).toBe(false)
    expect(await admits(chatCall(700, 0))).toBe(true)
    expect((await explain(chatCall(1, 1))).map(({ because }) => because?.remaining)).toContain(0)
  })

  test('what was granted unheard of is given back', async () => {
    const { admits, counters, clock } = await startRig({ limits })
    counters.away = 'after'
    expect(await admits()).toBe(true)
    await clock.advance(0)
    expect(counters.live()).toBe(0)
  })

  test('a window that was reserved before the store went is given back, as far as it can', async () => {
    const two = [
      { name: 'a', per: 'key', requests: { count: 4, windowMs: 1_000 } },
      { name: 'b', per: 'key', requests: { count: 4, windowMs: 2_000 } },
    ] as const
    const { admits, counters, clock } = await startRig({ limits: two })
    const { reserve } = counters
    let calls = 0
    counters.reserve = (...given) => {
      if (++calls === 2) return Promise.reject(new SwitchyardError('TIMEOUT', 'no answer'))
      return reserve(...given)
    }
    expect(await admits()).toBe(true)
    await clock.advance(0)
    expect(counters.live()).toBe(0)
  })

  test('a correction, a renewal or a settling that fails breaks no call', async () => {
    const all = [{ name: 'l', per: 'key', tokens: { count: 1_000, windowMs: 60_000 }, concurrency: 1 }] as const
    const { send, counters, clock } = await startRig({ limits: all })
    const { reply, end } = openReply()
    await send(chatCall(300, 200), async () => reply)
    counters.away = 'before'
    await clock.advance(10_000)
    end()
    await clock.advance(60_000)
    counters.away = false
    expect(counters.live()).toBe(0)
  })

  test('a request that the store calls wrong is no absence', async () => {
    const { send, counters } = await startRig({ limits })
    counters.reserve = () => Promise.reject(new SwitchyardError('INVALID_REQUEST', 'no'))
    expect((await rejection(send(sqlCall()))).code).toBe('INVALID_REQUEST')
  })
})
