import type { Call, Ending } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { type OperationInput, resilienceOptions } from '../../src/options.ts'
import { shedPolicy } from '../../src/shed/shed-policy.ts'
import { loopDelayOf, systemLoopDelay } from '../../src/shed/system-loop-delay.ts'
import { fakeCall, rejection, unavailable } from '../fake-call.ts'
import { testLanes } from '../test-lanes.ts'

const REPLY = { rows: [], rowCount: 0 }

function setup(pressure: object = {}, input: OperationInput = {}) {
  const clock = virtualClock()
  const loop = { delayMs: 0, utilisation: 0, reads: 0, chance: 0.5 }
  const made = testLanes(input)
  const shedding = shedPolicy({
    name: 'resilience/shed',
    plugin: 'resilience',
    clock,
    random: () => loop.chance,
    emit: made.emit,
    pressure: resilienceOptions.parse({ pressure }).pressure,
    settings: made.settings,
    read: () => {
      loop.reads++
      return { loopDelayMs: loop.delayMs, loopUtilisation: loop.utilisation, heapShare: 0, sockets: 0 }
    },
  })
  const { policy } = shedding
  const ask = (
    priority?: string,
    next: (call: Call) => Promise<unknown> = async () => REPLY,
    tenant: string = 'acme',
  ): Promise<unknown> => {
    const attributes: Call['attributes'] = priority === undefined ? {} : { priority }
    return policy.around(fakeCall({ attributes, principal: { tenant, keyId: 'key-1', roles: [] } }), next as never)
  }
  const admitted = async (): Promise<string[]> => {
    const served: string[] = []
    for (const priority of ['low', 'normal', 'high'])
      await ask(priority).then(
        () => served.push(priority),
        () => {},
      )
    return served
  }
  return { clock, loop, ask, admitted, ...shedding, told: made.told }
}

describe('by the delay of the event loop', () => {
  test('the lowest class goes at once, a share of the others that rises; all come back below their lower marks', async () => {
    const { clock, loop, admitted, sheds, told } = setup()
    for (const [delayMs, turns, served] of [
      [99, 1, ['low', 'normal', 'high']],
      [100, 1, ['normal', 'high']],
      [300, 7, ['normal', 'high']],
      [300, 1, ['high']],
      [300, 2, ['high']],
      [1_000, 7, ['high']],
      [1_000, 1, []],
      [400, 1, ['high']],
      [160, 3, ['high']],
      [160, 5, ['normal', 'high']],
      [60, 1, ['normal', 'high']],
      [49, 1, ['low', 'normal', 'high']],
    ] as const) {
      loop.delayMs = delayMs
      let last: string[] = []
      for (let turn = 0; turn < turns; turn++) {
        await clock.advance(100)
        last = await admitted()
      }
      expect([delayMs, last]).toEqual([delayMs, served])
      expect(sheds()).toBe(served.length < 3)
    }
    const levels = told.filter(({ event }) => event === 'shed:changed').map(({ payload }) => [payload.from, payload.to])
    expect(levels).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 2],
      [2, 1],
      [1, 0],
    ])
  })

  test('a refusal says when to come back, jittered, and dials nothing', async () => {
    const { loop, ask } = setup()
    loop.delayMs = 150
    let dialled = false
    const error = await rejection(
      ask('low', async () => {
        dialled = true
      }),
    )
    expect(error).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_500, plugin: 'resilience' })
    expect(error.details).toEqual({ guard: 'shed', sent: false, level: 1 })
    expect(dialled).toBe(false)
  })

  test('one that is always busy, but in time, sheds the lowest class alone', async () => {
    const { clock, loop, admitted } = setup()
    loop.utilisation = 1
    for (let turn = 0; turn < 50; turn++) {
      expect(await admitted()).toEqual(['normal', 'high'])
      await clock.advance(100)
    }
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
    const { loop, ask } = setup({}, { shed: { enabled: false } })
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
  const { clock, loop, policy, ask } = setup({ inFlightOn: 50 })
  const explained = async (priority: string) => (await policy.explain?.(fakeCall({ attributes: { priority } })))?.decisions[0]
  expect(await explained('odd')).toEqual({
    decision: 'admitted',
    because: { level: 0, priority: 'normal', refusedShare: 0, inFlight: 0, loopDelayMs: 0, loopUtilisation: 0, heapShare: 0 },
  })
  loop.delayMs = 150
  await ask('high')
  expect(await explained('low')).toMatchObject({ decision: 'refused', because: { level: 1, loopDelayMs: 150 } })
  expect(await explained('high')).toMatchObject({ decision: 'admitted' })
  loop.delayMs = 350
  await clock.advance(100)
  await ask('high')
  expect(await explained('normal')).toMatchObject({ decision: 'may-be-refused', because: { refusedShare: 0.1 } })
})

describe('who goes first', () => {
  const served = async (made: ReturnType<typeof setup>, seconds: number): Promise<Record<string, number>> => {
    const counts: Record<string, number> = { greedy: 0, modest: 0 }
    for (let turn = 0; turn < seconds * 10; turn++) {
      for (const [tenant, calls] of [
        ['greedy', 9],
        ['modest', 3],
      ] as const)
        for (let call = 0; call < calls; call++) {
          made.loop.chance = (made.loop.chance + 0.37) % 1
          await made
            .ask(undefined, async () => REPLY, tenant)
            .then(
              () => {
                counts[tenant] = (counts[tenant] ?? 0) + 1
              },
              () => {},
            )
        }
      await made.clock.advance(100)
    }
    return counts
  }

  test('tenants above their share, before anybody else does', async () => {
    const made = setup()
    made.loop.delayMs = 350
    const { greedy, modest } = await served(made, 0.5)
    expect(modest).toBe(15)
    expect(greedy).toBeLessThan(30)
  })

  test('a share is by weight', async () => {
    const made = setup({}, { bulkhead: { tenantWeights: { greedy: 3 } } })
    made.loop.delayMs = 350
    expect(await served(made, 0.5)).toEqual({ greedy: 45, modest: 15 })
  })

  test('in the end everybody', async () => {
    const made = setup()
    made.loop.delayMs = 350
    await served(made, 1.2)
    expect(await served(made, 0.5)).toEqual({ greedy: 0, modest: 0 })
  })
})

test('a machine that is starved for a second does not refuse a second of its calls', async () => {
  const made = setup()
  let refused = 0
  let chance = 0
  // 500 calls a second of the usual class, while the loop's delay stands far above the mark of that class.
  made.loop.delayMs = 350
  for (let call = 0; call < 500; call++) {
    made.loop.chance = chance = (chance + 0.618034) % 1
    await made.ask().catch(() => refused++)
    await made.clock.advance(2)
  }
  made.loop.delayMs = 40
  await made.clock.advance(100)
  for (let call = 0; call < 500; call++) await made.ask().catch(() => refused++)
  expect(refused).toBeGreaterThan(50)
  expect(refused).toBeLessThan(170)
})

describe('what was refused is told', () => {
  test('once a second, counted by class, and no timer is left', async () => {
    const { clock, loop, ask, told, close } = setup({ inFlightOn: 1, normalFactor: 2 })
    const refusals = () => told.filter(({ event }) => event === 'shed:refused').map(({ payload }) => payload)
    loop.delayMs = 150
    const at = clock.now()
    for (const priority of ['low', 'low', 'high']) await ask(priority).catch(() => {})
    const open = Promise.withResolvers<unknown>()
    const held = [ask('high', () => open.promise), ask('high', () => open.promise)]
    await ask('normal').catch(() => {})
    expect(refusals()).toEqual([])
    await clock.advance(1_000)
    expect(refusals()).toEqual([{ plugin: 'resilience', since: at, at: at + 1_000, low: 2, normal: 1, high: 0 }])
    expect(clock.pending()).toBe(0)
    await ask('low').catch(() => {})
    close()
    close()
    expect(refusals()).toHaveLength(2)
    expect(clock.pending()).toBe(0)
    open.resolve(REPLY)
    await Promise.all(held)
  })
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
    let asked = 0
    const delay = loopDelayOf({
      get count() {
        return histogram.count
      },
      percentile: (share: number) => {
        asked = share
        return histogram.nanoseconds
      },
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
    // Of four the third: what happened once is no state.
    expect(asked).toBe(75)
    expect(histogram.resets).toBe(1)
    delay.read()
    expect(histogram.resets).toBe(2)
    histogram.nanoseconds = 1e6
    expect(delay.read()).toBe(120)
    histogram.count = 100
    expect(delay.read()).toBe(0)
    expect(asked).toBe(90)
    delay.close()
    expect(histogram.disabled).toBe(1)
  })
})
