import { virtualClock } from '@switchyard/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import { budgetOf } from '../src/limits/budget.ts'
import { type Claim, claimOf } from '../src/limits/claim.ts'
import { budgetDefinition } from '../src/limits/definition.ts'
import { type Place, WaitingRoom } from '../src/limits/waiting-room.ts'
import { windowAt } from '../src/limits/window.ts'

const { signal } = new AbortController()

describe('the queue of a claim', () => {
  let clock: ReturnType<typeof virtualClock>
  let room: WaitingRoom
  let claim: Claim
  let asked: string[]

  beforeEach(() => {
    clock = virtualClock()
    room = new WaitingRoom(clock)
    claim = claimNamed('v')
    asked = []
  })

  function claimNamed(value: string): Claim {
    const budget = budgetOf(budgetDefinition.parse({ name: 'b', level: 'team', limitUsd: 1 }), 0)
    return claimOf(budget, 't', value, windowAt('total', 'UTC', 0), 0)
  }

  function wait(name: string, place: Place, ms = 10_000, by = signal): Promise<void> {
    return room.turn(place, ms, by).then(() => void asked.push(name))
  }

  async function settled(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }

  test('a thousand may wait, and each that leaves makes room', () => {
    const places = Array.from({ length: 1_000 }, () => room.join(claim))
    expect(room.isFull).toBe(true)
    room.leave(places[500] as Place)
    room.leave(places[500] as Place)
    expect(room.isFull).toBe(false)
    room.join(claim)
    expect(room.isFull).toBe(true)
  })

  test('only the first looks ten times a second; the others wait for it to leave', async () => {
    const [one, two] = [room.join(claim), room.join(claim)]
    void wait('one', one)
    void wait('two', two)
    await clock.advance(100)
    expect(asked).toEqual(['one'])
    room.leave(one)
    await settled()
    expect(asked).toEqual(['one', 'two'])
  })

  test('a hold that ends wakes the first at once, and is not lost on it while it asks', async () => {
    const one = room.join(claim)
    void wait('one', one)
    room.wake(claim)
    await settled()
    expect(asked).toEqual(['one'])
    room.wake(claim)
    void wait('again', one)
    await settled()
    expect(asked).toEqual(['one', 'again'])
    void wait('third', one)
    await settled()
    expect(asked).toEqual(['one', 'again'])
  })

  test('who is not first waits until its own time is over, or its client leaves', async () => {
    const places = [room.join(claim), room.join(claim), room.join(claim)] as const
    const gone = new AbortController()
    void wait('short', places[1], 250)
    void wait('left', places[2], 10_000, gone.signal)
    await clock.advance(249)
    expect(asked).toEqual([])
    gone.abort()
    await settled()
    expect(asked).toEqual(['left'])
    await clock.advance(1)
    expect(asked).toEqual(['left', 'short'])
    await wait('at once', places[2], 10_000, gone.signal)
  })

  test('one who leaves from the middle gives nobody a turn', async () => {
    const places = [room.join(claim), room.join(claim), room.join(claim)] as const
    void wait('third', places[2])
    room.leave(places[1])
    await settled()
    expect(asked).toEqual([])
    room.leave(places[0])
    await settled()
    expect(asked).toEqual(['third'])
  })

  test('all are sent to ask where nobody can be asked', async () => {
    const other = claimNamed('w')
    void wait('one', room.join(claim))
    void wait('two', room.join(claim))
    void wait('three', room.join(other))
    room.disperse()
    await settled()
    expect(asked.sort()).toEqual(['one', 'three', 'two'])
  })

  test('it knows which claims are waited for', () => {
    const other = claimNamed('w')
    expect(room.busyOf([other, claim])).toBeUndefined()
    const place = room.join(claim)
    expect(room.busyOf([other, claim])).toBe(claim)
    expect(room.busyOf([other])).toBeUndefined()
    room.leave(place)
    expect(room.busyOf([claim])).toBeUndefined()
  })
})
