import { describe, expect, test, vi } from 'vitest'
import {
  createCatalog,
  finish,
  type Import,
  importingLiteLlm,
  importingModelsDev,
  importLiteLlm,
  importModelsDev,
  inSlices,
  updateCatalog,
  updatingCatalog,
  type Work,
} from '../src/index.ts'
import { entryOf, rowOf } from './support.ts'

/** So many steps, each of one millisecond of the clock that it turns. */
function* steps(count: number, clock: { ms: number }, result = 'done'): Work<string> {
  for (let at = 0; at < count; at += 1) {
    clock.ms += 1
    yield
  }
  return result
}

/** Counts what work yields, and gives its result. */
function counted<T>(work: Work<T>): { readonly steps: number; readonly rests: number; readonly result: T } {
  let [count, rests] = [0, 0]
  for (;;) {
    const step = work.next()
    if (step.done === true) return { steps: count, rests, result: step.value }
    count += 1
    if (step.value === 'rest') rests += 1
  }
}

describe('work in slices', () => {
  test('pauses when a slice has had its time, and not before', async () => {
    const clock = { ms: 0 }
    const pausedAt: number[] = []
    const pause = async (): Promise<void> => {
      pausedAt.push(clock.ms)
      clock.ms += 1_000
    }
    expect(await inSlices(steps(12, clock), { now: () => clock.ms, pause, sliceMs: 5 })).toBe('done')
    expect(pausedAt).toEqual([5, 1_010])
  })

  test('pauses before a longer step, whatever the time', async () => {
    let pauses = 0
    function* resting(): Work<number> {
      yield 'rest'
      yield
      yield 'rest'
      return 7
    }
    const pause = async (): Promise<void> => {
      pauses += 1
    }
    expect(await inSlices(resting(), { now: () => 0, pause })).toBe(7)
    expect(pauses).toBe(2)
  })

  test('takes no step more once a pause rejects', async () => {
    const clock = { ms: 0 }
    const closed = new Error('closed')
    await expect(
      inSlices(steps(100, clock), { now: () => clock.ms, pause: () => Promise.reject(closed), sliceMs: 3 }),
    ).rejects.toBe(closed)
    expect(clock.ms).toBe(3)
  })

  test('hands on what the work throws, without a break too', async () => {
    function* broken(): Work<never> {
      yield
      throw new TypeError('bad row')
    }
    await expect(inSlices(broken(), { now: () => 0, pause: async () => {} })).rejects.toThrow('bad row')
    expect(() => finish(broken())).toThrow('bad row')
  })
})

describe('an update', () => {
  const models = Array.from({ length: 300 }, (_, at) => `m-${at}`)
  const seed = createCatalog(models.slice(0, 200).map((model) => entryOf({ model })))
  const rows = models
    .slice(100)
    .map((model) => rowOf({ source: 'portkey', asOf: '2026-10-01', model, usd: { input: 1, output: 2 } }))
  const feed: Import = { rows, rejected: [], seen: rows.length, dropped: [], toCheck: [], unknownKeys: {} }
  const input = { seed, feeds: [feed], previous: seed }

  test('can be interrupted behind each row and each entry of each of its passes', () => {
    const { steps: count, rests, result } = counted(updatingCatalog(input))
    // Seed 200; rows grouped, merged, filled and laid over: 4 x 200; settled and compared: 2 x 300; removed: 200.
    expect(count - rests).toBe(200 + 4 * 200 + 2 * 300 + 200)
    expect(result.catalog.size).toBe(300)
  })

  test('comes to the same as one without a break', () => {
    const [sliced, whole] = [finish(updatingCatalog(input)), updateCatalog(input)]
    expect(sliced.catalog.version).toBe(whole.catalog.version)
    expect(sliced.change).toEqual(whole.change)
    expect(sliced.catalog.entries).toEqual(whole.catalog.entries)
  })

  test('hashes one entry a step, and none is left for the version to hash at once', () => {
    const stringify = vi.spyOn(JSON, 'stringify')
    const perStep: number[] = []
    try {
      const fresh = createCatalog(models.slice(0, 200).map((model) => entryOf({ model })))
      const work = updatingCatalog({ seed: fresh, feeds: [feed], previous: createCatalog([]) })
      for (let step = work.next(); step.done !== true; step = work.next()) {
        perStep.push(stringify.mock.calls.length)
        stringify.mockClear()
      }
      perStep.push(stringify.mock.calls.length)
    } finally {
      stringify.mockRestore()
    }
    // One entry has some fifty members, all of them have thousands.
    expect(Math.max(...perStep)).toBeGreaterThan(20)
    expect(Math.max(...perStep)).toBeLessThan(200)
  })
})

describe('the two large feeds can be interrupted behind each model', () => {
  const count = 50
  const models = Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      `m-${at}`,
      { id: `m-${at}`, cost: { input: 1, output: 2 }, limit: { context: 9 } },
    ]),
  )
  const keys = Object.fromEntries(
    Object.keys(models).map((model) => [
      `acme/${model}`,
      { litellm_provider: 'acme', mode: 'chat', input_cost_per_token: 1e-6 },
    ]),
  )
  const bytes = (value: object): Uint8Array => Buffer.from(JSON.stringify(value))
  const asOf = '2026-10-01'

  test('models.dev', () => {
    const given = bytes({ acme: { id: 'acme', models } })
    const { steps: taken, result } = counted(importingModelsDev(given, { asOf }))
    expect(taken).toBe(count + 2)
    expect(result).toEqual(importModelsDev(given, { asOf }))
    expect(result.rows).toHaveLength(count)
  })

  test('LiteLLM', () => {
    const { steps: taken, result } = counted(importingLiteLlm(bytes(keys), { asOf }))
    expect(taken).toBe(2 * count + 2)
    expect(result).toEqual(importLiteLlm(bytes(keys), { asOf }))
    expect(result.rows).toHaveLength(count)
  })
})
