import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Attempt } from '../src/attempt.ts'
import { newDeployment } from '../src/deployment.ts'
import { emptyLane, type Lane, newLife, noteReply, overtake, startWaiting, stopWaiting, waiting } from '../src/latency.ts'
import type { LatencyOptions } from '../src/options.ts'

const options: LatencyOptions = {
  factor: 5,
  minMs: 100,
  forMs: 1_000,
  minSamples: 10,
  ejectAfterMs: false,
  stallFactor: 15,
  stallMs: 1_000,
  acceptAfterMs: 600_000,
}

const deployment = newDeployment('d', 0, 0, 10_000)

function attemptOf(lane: Lane, startedAt: number): Attempt {
  return { deployment, lane, startedAt, life: 0, foreign: false, waits: true, order: 0, older: undefined, newer: undefined }
}

function listed(lane: Lane): readonly Attempt[] {
  const found: Attempt[] = []
  for (let one = lane.oldest; one !== undefined; one = one.newer) found.push(one)
  return found
}

test('any begins, replies and endings leave exactly those waiting that none later has overtaken', () => {
  const step = fc.record({ kind: fc.constantFrom('start', 'start', 'reply', 'leave', 'life'), which: fc.nat(50) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const lane = emptyLane(10_000)
      let running: Attempt[] = []
      let expected: Attempt[] = []
      for (const [now, { kind, which }] of steps.entries()) {
        if (kind === 'start') {
          const attempt = attemptOf(lane, now)
          startWaiting(lane, attempt)
          running.push(attempt)
          expected.push(attempt)
        } else if (kind === 'life') {
          newLife(lane)
          expected = []
        } else {
          const attempt = running[which % Math.max(1, running.length)]
          if (attempt === undefined) continue
          running = running.filter((one) => one !== attempt)
          if (kind === 'leave') stopWaiting(lane, attempt)
          else overtake(lane, attempt)
          const place = expected.indexOf(attempt)
          if (kind === 'leave') expected = expected.filter((one) => one !== attempt)
          else expected = expected.slice(place + 1)
        }
        expect(listed(lane)).toEqual(expected)
        expect(lane.newest).toBe(expected.at(-1))
        expect(lane.oldest?.older).toBeUndefined()
      }
      for (const attempt of running) overtake(lane, attempt)
      expect(listed(lane)).toEqual([])
    }),
    { numRuns: 500 },
  )
})

describe('the usual time', () => {
  test('is known after twenty replies, and slow ones do not move it', () => {
    const lane = emptyLane(10_000)
    for (let at = 0; at < 19; at += 1) expect(noteReply(lane, 60, at, options)).toBe(false)
    expect(noteReply(lane, 9_000, 19, options)).toBe(false)
    const slowMs = lane.slowMs
    expect(slowMs).toBe(5 * lane.usualMs)
    for (let at = 20; at < 40; at += 1) expect(noteReply(lane, 1e6, at, options)).toBe(true)
    expect(lane.slowMs).toBe(slowMs)
  })

  test('follows what changes little by little', () => {
    const lane = emptyLane(10_000)
    for (let at = 0; at < 4_000; at += 1) expect(noteReply(lane, 100 + at / 5, at * 100, options)).toBe(false)
    expect(lane.usualMs).toBeGreaterThan(800)
  })

  test('no first reply within the floor is slow', () => {
    const lane = emptyLane(10_000)
    for (let at = 0; at < 30; at += 1) noteReply(lane, 1, at, options)
    expect(noteReply(lane, 100, 30, options)).toBe(false)
    expect(noteReply(lane, 101, 31, options)).toBe(true)
  })
})

describe('calls that wait', () => {
  test.each<[number, number, 'slow' | 'stalled' | undefined]>([
    [4, 60_000, undefined],
    [5, 500, undefined],
    [5, 501, 'slow'],
    [5, 1_500, 'slow'],
    [5, 1_501, 'stalled'],
  ])('%d for %d ms, at a usual 100 ms, are %s', (count, ms, finding) => {
    const lane = emptyLane(10_000)
    for (let at = 0; at < 20; at += 1) noteReply(lane, 100, at, options)
    for (let at = 0; at < count; at += 1) startWaiting(lane, attemptOf(lane, 100))
    expect(waiting(lane, 100 + ms, options)).toBe(finding)
  })

  test('for ten seconds are stalled where nothing is usual yet', () => {
    const lane = emptyLane(10_000)
    for (let at = 0; at < 5; at += 1) startWaiting(lane, attemptOf(lane, 0))
    expect(waiting(lane, 10_000, options)).toBeUndefined()
    expect(waiting(lane, 10_001, options)).toBe('stalled')
  })
})
