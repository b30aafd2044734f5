import { virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { groupLabels } from '../src/level/groups.ts'
import { inSlices } from '../src/level/in-slices.ts'
import { decodeLabel, encodeLabel } from '../src/level/label-message.ts'
import { groupName } from '../src/level/learning.ts'
import { lru } from '../src/level/lru.ts'
import { decodePayload, encodePayload } from '../src/level/payload.ts'
import { stateKey } from '../src/level/saved-state.ts'
import { breaker } from '../src/own-calls/breaker.ts'
import { lane } from '../src/own-calls/lane.ts'
import { timed } from '../src/own-calls/timed.ts'
import { tokenBucket } from '../src/own-calls/token-bucket.ts'
import { FEATURES } from '../src/policy/features.ts'
import { questionOf } from '../src/policy/question.ts'

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 })

describe('a map that forgets', () => {
  test('never holds more than its size, nor than its weight, and the latest last', () => {
    const step = fc.record({ key: fc.constantFrom(...'abcdef'), value: fc.string({ maxLength: 12 }), drop: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const map = lru<string>(4, { most: 20, of: (value) => value.length })
        for (const { key, value, drop } of steps) {
          if (drop) map.delete(key)
          else {
            map.set(key, value)
            expect(map.get(key)).toBe(value)
          }
          const held = [...map.entries()]
          expect(held.length).toBeLessThanOrEqual(4)
          expect(held.reduce((sum, [, { length }]) => sum + length, 0)).toBeLessThanOrEqual(20)
          if (!drop) expect(held.at(-1)?.[0]).toBe(key)
        }
      }),
    )
    const light = lru<string>(9, { most: 10, of: (value) => value.length })
    for (const key of 'abcde') light.set(key, 'xxx')
    expect([...light.entries()].map(([key]) => key)).toEqual(['c', 'd', 'e'])
    light.set('f', 'far more than fits')
    expect([...light.entries()]).toEqual([])
  })
})

describe('a payload', () => {
  test('comes back as it was, and is never larger than the index takes', () => {
    fc.assert(
      fc.property(text, text, text, (asked, founder, key) => {
        const payload = { text: asked, founder, group: groupName('where', key) }
        const bytes = encodePayload(payload) as Uint8Array
        expect(bytes.byteLength).toBeLessThanOrEqual(16_384)
        expect(decodePayload(bytes)).toEqual(payload)
      }),
      { numRuns: 50 },
    )
    expect(encodePayload({ text: 'é'.repeat(9_000), founder: 'x', group: groupName('a', 'b') })).toBeUndefined()
  })

  test('of whatever bytes is a payload or nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.json().map((json) => new TextEncoder().encode(json)),
        ),
        (bytes) => {
          const read = decodePayload(bytes)
          if (read !== undefined) expect(decodePayload(encodePayload(read))).toEqual(read)
        },
      ),
    )
    expect(decodePayload(new Uint8Array(20_000))).toBeUndefined()
  })
})

describe('a label between nodes', () => {
  const label = {
    right: true,
    audit: false,
    weight: 4,
    probability: 0.9,
    features: new Float64Array(FEATURES.length).fill(0.25),
    asked: { terms: Int32Array.of(-5, 7) },
    stored: { terms: Int32Array.of(1) },
  }
  const message = { node: 'n', population: 'p', encoder: 'e', group: 'g', label }

  test('comes back as it was, before the first fit too, and holds no text', () => {
    expect(decodeLabel(encodeLabel(message))).toEqual(message)
    const early = { ...message, label: { ...label, probability: undefined } }
    expect(decodeLabel(encodeLabel(early))).toEqual(early)
    const question = questionOf('how do i reset my secret password')
    const told = new TextDecoder().decode(encodeLabel({ ...message, label: { ...label, asked: question } }))
    expect(told).not.toMatch(/secret|reset|password/)
  })

  test('of another version, with other features or with numbers that are none is not read', () => {
    const plain = JSON.parse(new TextDecoder().decode(encodeLabel(message))) as object
    for (const wrong of [
      { v: 2 },
      { node: '' },
      { features: [1] },
      { features: [...new Array(FEATURES.length - 1).fill(0), 'x'] },
      { weight: 0 },
      { weight: 1e9 },
      { p: 2 },
      { asked: [1.5] },
      { stored: 'x' },
      { right: 1 },
    ])
      expect(decodeLabel(new TextEncoder().encode(JSON.stringify({ ...plain, ...wrong })))).toBeUndefined()
    for (const bytes of [new Uint8Array(0), new Uint8Array([255]), new Uint8Array(300_000), new TextEncoder().encode('null')])
      expect(decodeLabel(bytes)).toBeUndefined()
  })
})

describe('groups', () => {
  test('are one object by name, count what is learnt of them by any way, and are bounded', () => {
    const objects = lru<never>(2) as never
    const groups = groupLabels(2, objects, [['saved', 5, 2]])
    const founder = () => questionOf('x')
    const saved = groups.of('p', 'saved', founder)
    expect(saved).toBe(groups.of('p', 'saved', founder))
    expect(saved).not.toBe(groups.of('other', 'saved', founder))
    saved.good += 1
    groups.learn('saved', false)
    expect([saved.good, saved.bad]).toEqual([6, 3])
    groups.learn('a', true)
    groups.learn('b', true)
    expect(groups.save()).toEqual([
      ['a', 2, 1],
      ['b', 2, 1],
    ])
    expect([saved.good, saved.bad]).toEqual([1, 1])
    saved.bad = 4
    expect(groups.save()).toContainEqual(['saved', 1, 4])
  })

  test('and states have names of their own for each partition, population and encoder', () => {
    expect(groupName('a', 'b')).toMatch(/^[\w-]{22}$/)
    expect(new Set([groupName('a', 'b'), groupName('b', 'a'), groupName('a', 'c')]).size).toBe(3)
    expect(
      new Set([stateKey('a', 'b'), stateKey('a', 'c'), stateKey('ab', ''), stateKey('a","b', ''), stateKey('b', 'a')]).size,
    ).toBe(5)
  })
})

describe('own calls have', () => {
  test('a lane: so many at a time, so many in line, and none after the end', async () => {
    const begun: number[] = []
    const ends: (() => void)[] = []
    const work = (at: number) => () => {
      begun.push(at)
      return new Promise<void>((resolve, reject) => ends.push(at === 0 ? () => reject(new Error('failed')) : resolve))
    }
    const two = lane(2, 2)
    expect([0, 1, 2, 3, 4].map((at) => two.push(work(at)))).toEqual([true, true, true, true, false])
    expect([begun, two.filled()]).toEqual([[0, 1], 1])
    ends[0]?.()
    await new Promise(setImmediate)
    expect([begun, two.filled()]).toEqual([[0, 1, 2], 0.5])
    const closed = two.close()
    expect(two.push(work(5))).toBe(false)
    for (const end of ends) end()
    await closed
    expect(begun).toEqual([0, 1, 2])
  })

  test('a bucket that is filled steadily, and never beyond its size', () => {
    const times = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 8 })), { maxLength: 30 })
    fc.assert(
      fc.property(times, (steps) => {
        let now = 0
        const bucket = tokenBucket({ monotonic: () => now }, 5, 1_000)
        let taken = 0
        for (const [ms, tries] of steps) {
          now += ms
          for (let at = 0; at < tries; at += 1) taken += Number(bucket.take())
          expect(bucket.filled()).toBeGreaterThanOrEqual(0)
          expect(bucket.filled()).toBeLessThanOrEqual(1)
        }
        expect(taken).toBeLessThanOrEqual(5 + now / 200)
      }),
    )
  })

  test('a breaker that bears single failures, breaks at many, and tries one at a time', async () => {
    const clock = virtualClock()
    const guard = breaker(clock, 1_000)
    for (let at = 0; at < 20; at += 1) guard.note(at % 3 !== 0)
    expect(guard.admits()).toBe(true)
    for (let at = 0; at < 4; at += 1) guard.note(false)
    expect([guard.admits(), guard.mayAdmit()]).toEqual([false, false])
    await clock.advance(1_000)
    expect([guard.mayAdmit(), guard.admits(), guard.admits()]).toEqual([true, true, false])
    guard.note(false)
    await clock.advance(999)
    expect(guard.admits()).toBe(false)
    await clock.advance(1)
    expect(guard.admits()).toBe(true)
    guard.note(true)
    expect([guard.admits(), guard.admits(), guard.failing()]).toEqual([true, true, 0])
  })

  test('work in slices, which can be hurried, and whose faults are its own', async () => {
    const clock = virtualClock()
    let slices = 0
    function* work(): Generator<undefined, number> {
      for (; slices < 3; slices += 1) yield
      return slices
    }
    const { done, hurry } = inSlices(work(), clock)
    expect(slices).toBe(0)
    await clock.advance(0)
    expect([await done, clock.pending()]).toEqual([3, 0])
    hurry()
    slices = 0
    const second = inSlices(work(), clock)
    second.hurry()
    expect([await second.done, clock.pending()]).toEqual([3, 0])
    const failing = inSlices(
      // biome-ignore lint/correctness/useYield: it fails before
      (function* (): Generator<undefined, number> {
        throw new RangeError('own')
      })(),
      clock,
    )
    failing.hurry()
    await expect(failing.done).rejects.toThrow(RangeError)
  })

  test('a limit of time, after which nothing is left behind', async () => {
    const clock = virtualClock()
    const controller = new AbortController()
    const limit = { clock, ms: 100, what: 'the work', signal: controller.signal }
    expect(await timed(async () => 7, limit)).toBe(7)
    await expect(timed(() => Promise.reject(new RangeError('own')), limit)).rejects.toThrow(RangeError)
    let given: AbortSignal | undefined
    const late = timed((signal) => {
      given = signal
      return new Promise<never>(() => {})
    }, limit)
    const refused = expect(late).rejects.toMatchObject({ code: 'TIMEOUT', message: 'the work took longer than 100 ms' })
    await clock.advance(100)
    await refused
    expect(given?.aborted).toBe(true)
    expect(clock.pending()).toBe(0)
    controller.abort()
    await expect(timed(async () => 7, limit)).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
