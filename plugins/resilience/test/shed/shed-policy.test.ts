import type { Call, Ending } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { resilienceOptions } from '../../src/options.ts'
import { shedPolicy } from '../../src/shed/shed-policy.ts'
import { loopDelayOf, systemLoopDelay } from '../../src/shed/system-loop-delay.ts'
import { fakeCall, rejection, unavailable } from '../fake-call.ts'
import { testLanes } from '../test-lanes.ts'

const REPLY = { rows: [], rowCount: 0 }

function setup(pressure: object = {}, shed: { enabled?: boolean } = {}) {
  const clock = virtualClock()
  const loop = { delayMs: 0, reads: 0 }
  const made = testLanes({ shed })
  const shedding = shedPolicy({
    name: 'resilience/shed',
    plugin: 'resilience',
    clock,
    random: () => 0.5,
    emit: made.emit,
    pressure: resilienceOptions.parse({ pressure }).pressure,
    settings: (operation) => made.settings(operation).shed,
    loopDelayMs: () => {
      loop.reads++
      return loop.delayMs
    },
  })
  const { policy } = shedding
  const ask = (priority?: string, next: (call: Call) => Promise<unknown> = async () => REPLY): Promise<unknown> =>
    policy.around(fakeCall({ attributes: priority === undefined ? {} : { priority } }), next as never)
  const admitted = async (): Promise<string[]> => {
    const served: string[] = []
    for (const priority of ['low', 'normal', 'high'])
      await ask(priority).then(
        () => served.push(priority),
        () => {},
      )
    return served
  }
  return { clock, loop, policy, ask, admitted, sheds: shedding.sheds, told: made.told }
}

describe('by the delay of the event loop', () => {
  test('classes go one after the other, and come back below their lower marks', async () => {
    const { clock, loop, admitted, sheds, told } = setup()
    for (const [delayMs, served] of [
      [99, ['low', 'normal', 'high']],
      [100, ['normal', 'high']],
      [300, ['high']],
      [1_000, []],
      [400, ['high']],
      [60, ['normal', 'high']],
      [49, ['low', 'normal', 'high']],
    ] as const) {
      loop.delayMs = delayMs
      await clock.advance(100)
      expect(await admitted()).toEqual(served)
      expect(sheds()).toBe(served.length < 3)
    }
    expect(told.map(({ event, payload }) => [event, payload.from, payload.to])).toEqual([
      ['shed:changed', 0, 1],
      ['shed:changed', 1, 2],
      ['shed:changed', 2, 3],
      ['shed:changed', 3, 2],
      ['shed:changed', 2, 1],
      ['shed:changed', 1, 0],
    ])
  })

  test('a refusal says when to come back, jittered, and dials nothing', async () => {
    const { loop, ask } = setup()
    loop.delayMs = 500
    let dialled = false
    const error = await rejection(
      ask(undefined, async () => {
        dialled = true
      }),
    )
    expect(error).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_500, plugin: 'resilience' })
    expect(error.details).toEqual({ guard: 'shed', sent: false, level: 2 })
    expect(dialled).toBe(false)
  })

  test('is read ten times a second at most, however many calls come', async () => {
    const { clock, loop, ask } = setup()
    for (let i = 0; i < 100; i++) {
      await ask()
      await clock.advance(10)
    }
    expect(loop.reads).toBe(10)
  })

  test('does not touch an operation for which it is off', async () => {
    const { loop, ask } = setup({}, { enabled: false })
    loop.delayMs = 10_000
    expect(await ask('low')).toBe(REPLY)
  })
})

describe('by the calls under way', () => {
  const open = async ({ ask }: ReturnType<typeof setup>) => {
    const { promise: ended, resolve } = Promise.withResolvers<Ending>()
    await ask('high', async () => ({ ended }))
    return resolve
  }

  test('a stream counts until it has ended', async () => {
    const made = setup({ inFlightOn: 2, inFlightOff: 1, normalFactor: 10 })
    const first = await open(made)
    const second = await open(made)
    expect(await made.admitted()).toEqual(['normal', 'high'])
    second({ outcome: 'complete' })
    await made.clock.advance(0)
    expect(await made.admitted()).toEqual(['normal', 'high'])
    first({ outcome: 'truncated' })
    await made.clock.advance(0)
    expect(await made.admitted()).toEqual(['low', 'normal', 'high'])
  })

  test('failures, whole replies and throws are over at once', async () => {
    const made = setup({ inFlightOn: 2, inFlightOff: 1 })
    await rejection(made.ask('high', () => Promise.reject(unavailable())))
    await rejection(
      made.ask('high', () => {
        throw unavailable()
      }),
    )
    await made.ask('high')
    await made.ask('high', async () => ({ ended: Promise.reject(unavailable()) }))
    await made.clock.advance(0)
    expect(await made.admitted()).toEqual(['low', 'normal', 'high'])
  })
})

test('explain says what would become of a call', async () => {
  const { loop, policy, ask } = setup({ inFlightOn: 50 })
  const explained = async (priority: string) => (await policy.explain?.(fakeCall({ attributes: { priority } })))?.decisions[0]
  expect(await explained('odd')).toEqual({
    decision: 'admitted',
    because: { level: 0, priority: 'normal', inFlight: 0, loopDelayMs: 0 },
  })
  loop.delayMs = 150
  await ask('high')
  expect(await explained('low')).toMatchObject({ decision: 'refused', because: { level: 1, loopDelayMs: 150 } })
  expect(await explained('high')).toMatchObject({ decision: 'admitted' })
})

describe("Node's own measure of the loop", () => {
  test('sees one that is held up again and again', async () => {
    const delay = systemLoopDelay()
    try {
      // It measures real time, so a virtual clock cannot stand in for it; a loaded machine only makes it later.
      const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 12))
      delay.read()
      await turn()
      for (let i = 0; i < 6; i++) {
        const busyUntil = performance.now() + 60
        while (performance.now() < busyUntil);
        await turn()
      }
      expect(delay.read()).toBeGreaterThan(40)
    } finally {
      delay.close()
    }
  })

  test('is read less its own interval, takes no notice of the start, and forgets after ten reads', () => {
    const histogram = { count: 3, nanoseconds: 900e6, resets: 0, disabled: 0 }
    const delay = loopDelayOf({
      get count() {
        return histogram.count
      },
      percentile: (share: number) => (share === 90 ? histogram.nanoseconds : 0),
      reset: () => {
        histogram.resets++
        histogram.count = 0
      },
      disable: () => ++histogram.disabled > 0,
    })
    expect(delay.read()).toBe(0)
    expect(histogram.resets).toBe(1)
    Object.assign(histogram, { count: 3, nanoseconds: 130e6 })
    expect(delay.read()).toBe(0)
    histogram.count = 4
    for (let i = 0; i < 8; i++) expect(delay.read()).toBe(120)
    expect(histogram.resets).toBe(1)
    delay.read()
    expect(histogram.resets).toBe(2)
    histogram.nanoseconds = 1e6
    expect(delay.read()).toBe(120)
    histogram.count = 100
    expect(delay.read()).toBe(0)
    delay.close()
    expect(histogram.disabled).toBe(1)
  })
})
