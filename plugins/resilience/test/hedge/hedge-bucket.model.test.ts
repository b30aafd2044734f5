import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HedgeBucket } from '../../src/hedge/hedge-bucket.ts'
import { command } from '../command.ts'

interface Model {
  calls: number
  hedges: number
  /** In twentieths of a token, so that nothing is rounded. */
  saved: number
}

const calls = (count: number): fc.Command<Model, HedgeBucket> =>
  command<Model, HedgeBucket>(`calls(${count})`, (model, bucket) => {
    model.calls += count
    model.saved = Math.min(200, model.saved + count)
    for (let i = 0; i < count; i++) bucket.pay()
  })

const hedge = command<Model, HedgeBucket>('hedge', (model, bucket) => {
  const expected = model.saved >= 20
  expect(bucket.take()).toBe(expected)
  if (!expected) return
  model.saved -= 20
  model.hedges++
  expect(model.hedges).toBeLessThanOrEqual(model.calls * 0.05)
})

test('at most a twentieth of calls is hedged, with at most ten saved up', () => {
  const commands = [fc.constant(calls(1)), fc.integer({ min: 5, max: 400 }).map((n) => calls(n)), fc.constant(hedge)]
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 150, size: 'max' }), (list) => {
      fc.modelRun(() => ({ model: { calls: 0, hedges: 0, saved: 0 }, real: new HedgeBucket(0.05) }), list)
    }),
    { numRuns: 300 },
  )
})
