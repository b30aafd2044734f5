import { SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainCounters } from './support/plain-counters.ts'
import { chatCall, openReply, rejection, sqlCall, startRig } from './support/rig.ts'

const limits = [{ name: 'slots', per: 'key', concurrency: 2 }] as const
const LEASE_MS = 30_000

describe('calls at once', () => {
  test('hold a slot to the last byte of a stream', async () => {
    const { send, admits, clock, counters } = await startRig({ limits })
    const first = openReply()
    const second = openReply()
    await send(chatCall(1), async () => first.reply)
    await send(chatCall(1), async () => second.reply)
    const error = await rejection(send(chatCall(1)))
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1_000 })
    expect(error.message).toBe('model.invoke: the limit "slots" of rate-limit allows 2 at a time per key; try again in 1s')
    expect(error.details).toMatchObject({ unit: 'concurrency', count: 2, available: 0 })
    expect(error.details?.headers).toEqual({
      ratelimit: '"slots";r=0;t=1',
      'ratelimit-policy': '"slots";q=2;qu="concurrent-requests"',
    })
    first.end({ outcome: 'aborted' })
    await clock.advance(0)
    expect(await admits(chatCall(1))).toBe(true)
    second.end()
    await clock.advance(0)
    expect(counters.live()).toBe(0)
  })

  test.each([
    ['a whole reply', async () => ({ rows: [], rowCount: 0 })],
    ['an error', () => Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'no'))],
    [
      'what is no promise',
      () => {
        throw new TypeError('no')
      },
    ],
  ])('%s gives it back', async (_name, next) => {
    const { send, clock, counters } = await startRig({ limits })
    await send(sqlCall(), next as never).catch(() => {})
    await clock.advance(0)
    expect(counters.live()).toBe(0)
  })

  test('a reply that lives for an hour keeps its slot, by one timer, which stops after it', async () => {
    const { send, admits, clock, counters } = await startRig({ limits })
    const open = [openReply(), openReply()]
    for (const { reply } of open) await send(chatCall(1), async () => reply)
    expect(clock.pending()).toBe(1)
    for (let i = 0; i < 360; i++) {
      await clock.advance(10_000)
      expect(await admits(chatCall(1))).toBe(false)
    }
    for (const { end } of open) end()
    await clock.advance(LEASE_MS)
    expect([clock.pending(), counters.live()]).toEqual([0, 0])
  })

  test('slots of a node that died are free when their lease is over', async () => {
    const clock = virtualClock()
    const shared = { clock, counters: plainCounters(clock) }
    const dying = await startRig({ limits }, shared)
    const other = await startRig({ limits }, shared)
    for (let i = 0; i < 2; i++) await dying.send(chatCall(1), async () => openReply().reply)
    await clock.advance(15_000)
    expect(await other.admits(chatCall(1))).toBe(false)
    await dying.plugin.close()
    await clock.advance(LEASE_MS - 5_001)
    expect(await other.admits(chatCall(1))).toBe(false)
    await clock.advance(1)
    expect(await other.admits(chatCall(1))).toBe(true)
  })

  test('a call that does not end after its abort loses its slot', async () => {
    const { send, admits, clock } = await startRig({ limits: [{ name: 'slots', per: 'key', concurrency: 1 }] })
    const leaving = new AbortController()
    void send(chatCall(1, 1, { signal: leaving.signal }), () => new Promise(() => {}))
    await clock.advance(1_000)
    leaving.abort(new SwitchyardError('ABORTED', 'gone'))
    await clock.advance(LEASE_MS)
    expect(await admits(chatCall(1))).toBe(true)
  })

  test('a process that stood still takes the slots of its calls again', async () => {
    const clock = virtualClock()
    const counters = plainCounters(clock)
    const { send, admits } = await startRig({ limits: [{ name: 'slots', per: 'key', concurrency: 1 }] }, { clock, counters })
    const { reply, end } = openReply()
    await send(chatCall(1), async () => reply)
    // The renewals of one lease are lost, as they are while a process does not run.
    const { renew } = counters
    counters.renew = async () => {
      throw new SwitchyardError('TIMEOUT', 'late')
    }
    await clock.advance(LEASE_MS - 1)
    counters.renew = renew
    await clock.advance(1)
    expect(await admits(chatCall(1))).toBe(false)
    end()
    await clock.advance(0)
    expect(counters.live()).toBe(0)
  })

  test('never more than N are under way, and no slot is lost', async () => {
    const steps = fc.array(fc.oneof(fc.constant('start'), fc.constant('end'), fc.constant('wait')), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (all, concurrency) => {
        const { send, clock, counters } = await startRig({ limits: [{ name: 's', per: 'all', concurrency }] })
        const open: ReturnType<typeof openReply>[] = []
        for (const step of all) {
          if (step === 'wait') await clock.advance(17_000)
          else if (step === 'end') open.shift()?.end()
          else {
            const one = openReply()
            const started = await send(chatCall(1), async () => one.reply).then(
              () => true,
              () => false,
            )
            expect(started).toBe(open.length < concurrency)
            if (started) open.push(one)
          }
          await clock.advance(0)
          expect(counters.live()).toBe(open.length)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('a limit that has no room for the call gives the slot back at once', async () => {
    const both = [{ name: 'both', per: 'key', concurrency: 9, requests: { count: 1, windowMs: 1_000 } }] as const
    const { admits, counters } = await startRig({ limits: both })
    await admits()
    expect(await admits()).toBe(false)
    expect(counters.sum(':c')).toBe(0)
  })
})
