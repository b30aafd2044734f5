import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { chatCall, openReply, rejection, sqlCall, startRig } from './support/rig.ts'

const limits = [{ name: 'calls', per: 'key', requests: { count: 1, windowMs: 1_000 } }] as const

/** Tells when a promise has settled, and how. */
function watch(promise: Promise<unknown>): { state: string } {
  const watched = { state: 'waiting' }
  promise.then(
    () => {
      watched.state = 'passed'
    },
    (error: unknown) => {
      watched.state = SwitchyardError.is(error) ? error.code : 'other'
    },
  )
  return watched
}

describe('maxWaitMs', () => {
  test('a call waits for room, and goes on at the millisecond that has it', async () => {
    const { send, admits, clock } = await startRig({ limits, maxWaitMs: 5_000 })
    await admits()
    const call = sqlCall()
    const waiting = watch(send(call))
    await clock.advance(999)
    expect(waiting.state).toBe('waiting')
    await clock.advance(1)
    expect(waiting.state).toBe('passed')
    expect(call.trace.measures.get('rateLimitWaitMs')).toBe(1_000)
  })

  test('of several that wait, each gets its turn as long as it may wait', async () => {
    const { send, admits, clock, counters } = await startRig({ limits, maxWaitMs: 2_500 })
    await admits()
    const waiting = [1, 2, 3].map(() => watch(send(sqlCall())))
    await clock.advance(2_500)
    expect(waiting.map(({ state }) => state).sort()).toEqual(['RATE_LIMITED', 'passed', 'passed'])
    expect(counters.live()).toBe(1)
  })

  test.each([
    ['the wait is longer than that', { maxWaitMs: 999 }, {}],
    ['its deadline comes first', { maxWaitMs: 5_000 }, { deadline: Date.UTC(2026, 0, 1) + 1_000 }],
  ])('a call is refused at once where %s', async (_name, options, changes) => {
    const { send, admits } = await startRig({ limits, ...options })
    await admits()
    expect((await rejection(send(sqlCall(changes)))).code).toBe('RATE_LIMITED')
  })

  test('a client that leaves ends the wait, and leaves no timer', async () => {
    const { send, admits, clock, counters } = await startRig({ limits, maxWaitMs: 5_000 })
    await admits()
    const leaving = new AbortController()
    const waiting = watch(send(sqlCall({ signal: leaving.signal })))
    await clock.advance(10)
    leaving.abort(new SwitchyardError('ABORTED', 'gone'))
    await clock.advance(0)
    expect([waiting.state, clock.pending(), counters.live()]).toEqual(['ABORTED', 0, 1])
  })

  test('a slot is looked for until one is free', async () => {
    const { send, clock } = await startRig({ limits: [{ name: 's', per: 'key', concurrency: 1 }], maxWaitMs: 5_000 })
    const { reply, end } = openReply()
    await send(chatCall(1), async () => reply)
    const waiting = watch(send(chatCall(1), async () => openReply().reply))
    await clock.advance(300)
    expect(waiting.state).toBe('waiting')
    end()
    await clock.advance(100)
    expect(waiting.state).toBe('passed')
  })

  test('what never fits is not waited for', async () => {
    const tokens = [{ name: 't', per: 'key', tokens: { count: 10, windowMs: 100 } }] as const
    const { send } = await startRig({ limits: tokens, maxWaitMs: 5_000 })
    expect((await rejection(send(chatCall(11, 0)))).retryable).toBe(false)
  })

  test('more than a thousand do not wait', async () => {
    const { send, admits, clock } = await startRig({ limits, maxWaitMs: 1_500 })
    await admits()
    const waiting = Array.from({ length: 1_001 }, () => watch(send(sqlCall())))
    await clock.advance(0)
    expect(waiting.filter(({ state }) => state === 'RATE_LIMITED')).toHaveLength(1)
  })
})
