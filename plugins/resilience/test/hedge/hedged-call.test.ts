import { type Call, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HedgedCall } from '../../src/hedge/hedged-call.ts'
import { countListeners, fakeCall, unavailable } from '../fake-call.ts'

const DELAY = 100

const copy = fc.record({ afterMs: fc.nat(300), fails: fc.boolean() })

/** What must come out, by the times alone; undefined where two things happen at once. */
function expected(first: { afterMs: number; fails: boolean }, second: { afterMs: number; fails: boolean }, leavesAt: number) {
  const times = [first.afterMs, DELAY, DELAY + second.afterMs, leavesAt]
  if (new Set(times).size < times.length) return undefined
  const hedged = first.afterMs > DELAY && leavesAt > DELAY
  const replies: (readonly [number, string])[] = []
  if (!first.fails) replies.push([first.afterMs, 'first'])
  if (hedged && !second.fails) replies.push([DELAY + second.afterMs, 'second'])
  const failedAt = hedged ? Math.max(first.afterMs, DELAY + second.afterMs) : first.afterMs
  const [at, outcome] = replies.toSorted((a, b) => a[0] - b[0])[0] ?? [failedAt, 'failed']
  return { outcome: leavesAt < at ? 'left' : outcome, copies: hedged ? 2 : 1 }
}

test('whenever which copy replies, fails or is left: one outcome, the loser aborted, nothing left over', async () => {
  await fc.assert(
    fc.asyncProperty(copy, copy, fc.nat(500), async (first, second, leavesAt) => {
      const clock = virtualClock()
      const client = new AbortController()
      const listeners = countListeners(client.signal)
      const sent: Call[] = []
      const next = async (call: Call) => {
        const script = sent.push(call) === 1 ? first : second
        await clock.sleep(script.afterMs, call.signal)
        if (script.fails) throw unavailable()
        return { name: call.id } as never
      }
      const call = fakeCall({ id: 'first', signal: client.signal })
      const hedged = new HedgedCall(clock, call, next, () => ({ ...call, id: 'second' }))
      let settled = 0
      const outcome = hedged.start(DELAY).then(
        (reply) => {
          settled++
          return (reply as unknown as { name: string }).name
        },
        (error: SwitchyardError) => {
          settled++
          return error.code === 'ABORTED' ? 'left' : 'failed'
        },
      )
      clock.schedule(leavesAt, () => client.abort(new SwitchyardError('ABORTED', 'the client left')))
      await clock.runAll()
      const should = expected(first, second, leavesAt)
      const was = await outcome
      if (should !== undefined) expect({ outcome: was, copies: sent.length }).toEqual(should)
      expect(settled).toBe(1)
      expect([clock.pending(), listeners()]).toEqual([0, 0])
      if (sent.length === 2 && (was === 'first' || was === 'second')) {
        const loser = sent.find(({ id }) => id !== was)
        expect(loser?.signal.aborted).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
})
