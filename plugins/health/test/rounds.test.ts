import { virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { type Rounds, startRounds } from '../src/rounds.ts'

test('come from a wake on until no work is left, one timer at a time', async () => {
  const clock = virtualClock()
  const done: number[] = []
  const rounds = startRounds(clock, 100, (now) => {
    done.push(now)
    return done.length % 3 !== 0
  })
  expect(clock.pending()).toBe(0)
  for (let at = 0; at < 5; at += 1) rounds.wake()
  expect(clock.pending()).toBe(1)
  await clock.advance(1_000)
  expect(done).toEqual([100, 200, 300])
  rounds.wake()
  await clock.advance(1_000)
  expect(done).toHaveLength(6)
})

test('go on after work that throws, and after a wake inside it', async () => {
  const clock = virtualClock()
  let times = 0
  const rounds: Rounds = startRounds(clock, 100, () => {
    times += 1
    rounds.wake()
    if (times === 1) throw new Error('once')
    return true
  })
  rounds.wake()
  await expect(clock.advance(100)).rejects.toThrow('once')
  await clock.advance(200)
  expect([times, clock.pending()]).toEqual([3, 1])
})

test('end for good, also from inside the work', async () => {
  const clock = virtualClock()
  const rounds: Rounds = startRounds(clock, 100, () => {
    rounds.stop()
    rounds.wake()
    return true
  })
  rounds.wake()
  await clock.advance(1_000)
  expect(clock.pending()).toBe(0)
})
