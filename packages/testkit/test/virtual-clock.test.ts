import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { virtualClock } from '../src/index.ts'

describe('virtualClock', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %s as a time, a delay or a step', async (wrong) => {
    const clock = virtualClock()
    expect(() => virtualClock(wrong)).toThrow(TypeError)
    expect(() => clock.schedule(wrong, () => {})).toThrow(TypeError)
    await expect(clock.sleep(wrong)).rejects.toThrow(TypeError)
    await expect(clock.advance(wrong)).rejects.toThrow(TypeError)
    expect(clock.pending()).toBe(0)
  })

  test('does not turn back', async () => {
    await expect(virtualClock().advance(-1)).rejects.toThrow('cannot turn time back')
  })

  test('stands still by itself, and starts where it is told', async () => {
    const clock = virtualClock(1000)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 0])
    await clock.advance(250)
    expect([clock.now(), clock.monotonic()]).toEqual([1250, 250])
  })

  test('fires by time, then by arming, each at its own time', async () => {
    const clock = virtualClock(0)
    const fired: string[] = []
    const note = (name: string) => () => void fired.push(`${name}@${clock.now()}`)
    clock.schedule(20, note('c'))
    clock.schedule(10, note('a'))
    clock.schedule(10, note('b'))
    clock.schedule(31, note('late'))
    await clock.advance(30)
    expect(fired).toEqual(['a@10', 'b@10', 'c@20'])
    expect([clock.now(), clock.pending()]).toEqual([30, 1])
  })

  test('fires timers that timers arm, within the same step', async () => {
    const clock = virtualClock(0)
    const at: number[] = []
    clock.schedule(10, () => {
      at.push(clock.now())
      clock.schedule(5, () => at.push(clock.now()))
      clock.schedule(-5, () => at.push(clock.now()))
    })
    await clock.advance(15)
    expect(at).toEqual([10, 10, 15])
  })

  test('lets chains of promises settle before, between and after timers', async () => {
    const clock = virtualClock(0)
    const log: string[] = []
    const chain = async (name: string): Promise<void> => {
      for (let step = 0; step < 100; step += 1) await Promise.resolve()
      log.push(`${name}@${clock.now()}`)
    }
    void chain('before')
    clock.schedule(10, () => void chain('first'))
    clock.schedule(11, () => log.push('second'))
    clock.schedule(20, () => void chain('last'))
    await clock.advance(20)
    expect(log).toEqual(['before@0', 'first@10', 'second', 'last@20'])
  })

  test('runs a loop of sleeps to where the step ends', async () => {
    const clock = virtualClock(0)
    let rounds = 0
    const loop = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(10)
        rounds += 1
      }
    }
    void loop()
    await clock.advance(100)
    expect(rounds).toBe(10)
  })

  test('adds up steps that overlap', async () => {
    const clock = virtualClock(0)
    await Promise.all([clock.advance(10), clock.advance(10)])
    expect(clock.now()).toBe(20)
  })

  test('a cancelled timer does not fire, and may be cancelled twice', async () => {
    const clock = virtualClock()
    let fired = false
    const cancel = clock.schedule(10, () => {
      fired = true
    })
    cancel()
    cancel()
    expect(clock.pending()).toBe(0)
    await clock.advance(10)
    expect(fired).toBe(false)
  })

  test('what a timer throws reaches the test', async () => {
    const clock = virtualClock()
    clock.schedule(1, () => {
      throw new Error('in a timer')
    })
    await expect(clock.advance(1)).rejects.toThrow('in a timer')
  })

  test('sleep rejects with the reason of its signal and leaves no timer', async () => {
    const clock = virtualClock()
    const leaving = new AbortController()
    const slept = clock.sleep(10, leaving.signal)
    expect(clock.pending()).toBe(1)
    leaving.abort(new Error('left'))
    await expect(slept).rejects.toThrow('left')
    await expect(clock.sleep(10, leaving.signal)).rejects.toThrow('left')
    expect(clock.pending()).toBe(0)
  })

  test('sleep leaves no listener on its signal', async () => {
    const clock = virtualClock()
    const { signal } = new AbortController()
    const slept = clock.sleep(10, signal)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await clock.advance(10)
    await slept
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('runAll fires all there is, and gives up on what re-arms itself', async () => {
    const clock = virtualClock(0)
    clock.schedule(1000, () => clock.schedule(1000, () => {}))
    await clock.runAll()
    expect([clock.now(), clock.pending()]).toEqual([2000, 0])
    const again = (): void => void clock.schedule(1, again)
    again()
    await expect(clock.runAll()).rejects.toThrow('use advance(ms) instead')
  })

  test('any set of timers, some cancelled, fires in the order of a stable sort', async () => {
    const timers = fc.array(fc.record({ ms: fc.nat(50), cancelled: fc.boolean() }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(timers, fc.array(fc.nat(30), { maxLength: 5 }), async (given, steps) => {
        const clock = virtualClock(0)
        const fired: number[] = []
        const cancels = given.map(({ ms }, at) => clock.schedule(ms, () => fired.push(at)))
        given.forEach(({ cancelled }, at) => {
          if (cancelled) cancels[at]?.()
        })
        for (const step of steps) await clock.advance(step)
        const end = steps.reduce((sum, step) => sum + step, 0)
        const live = given.map((timer, at) => ({ ...timer, at })).filter(({ cancelled }) => !cancelled)
        const due = steps.length === 0 ? [] : live.filter(({ ms }) => ms <= end).sort((a, b) => a.ms - b.ms)
        expect(fired).toEqual(due.map(({ at }) => at))
        expect(clock.pending()).toBe(live.length - due.length)
      }),
      { numRuns: 60 },
    )
  })
})
