import { virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { budgetOf } from '../src/limits/budget.ts'
import { claimOf } from '../src/limits/claim.ts'
import { budgetDefinition } from '../src/limits/definition.ts'
import { WaitingRoom } from '../src/limits/waiting-room.ts'
import { windowAt } from '../src/limits/window.ts'

test('a thousand calls may wait, and each that leaves makes room', async () => {
  const clock = virtualClock()
  const room = new WaitingRoom(clock)
  const budget = budgetOf(budgetDefinition.parse({ name: 'b', level: 'team', limitUsd: 1 }), 0)
  const claim = claimOf(budget, 't', 'v', windowAt('total', 'UTC', 0), 0)
  const { signal } = new AbortController()
  const waiting = Array.from({ length: 1_000 }, () => room.wait(claim, 1_000, signal))
  expect(room.isFull).toBe(true)
  room.wake(claim)
  expect(room.isFull).toBe(false)
  waiting.push(room.wait(claim, 1_000, signal))
  expect(room.isFull).toBe(true)
  await clock.advance(100)
  await Promise.all(waiting)
  expect(room.isFull).toBe(false)
})
