import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Comparison } from '@switchyard/routing/learned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readData } from '../src/cost/data.ts'
import { gateLines } from '../src/cost/gate.ts'
import { decisionLatency } from '../src/cost/latency.ts'
import { otherTraffic } from '../src/cost/other-traffic.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-cost-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const WORDS = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta', 'iota', 'kappa']
const PRICES = { strong: [1e7, 1e7], cheap: [1e5, 1e5] }

/** Four tasks of words of their own; the cheap model is right on the first two alone. */
const rows = (count: number): string =>
  Array.from({ length: count }, (_, row) => {
    const task = row % 4
    const words = [0, 1, 2].map((at) => `${WORDS[(row * (at + 3)) % 10]}${task}`).join(' ')
    const m = { strong: [1, 30], cheap: [Number(task < 2), 30] }
    return JSON.stringify({
      id: row,
      task: `task-${task}`,
      prompt: `${words} ${row}`,
      split: row % 8 < 4 ? 'train' : 'test',
      m,
    })
  }).join('\n')

const learned = (set: string, quality: number, saved: number): Comparison => ({
  set,
  strategy: 'learned',
  targetQuality: 0.99,
  quality,
  saved,
  standardError: 0.01,
})

describe('bench cost', () => {
  test('says where such data is had, where there is none', async () => {
    await expect(readData(join(folder, 'none'))).rejects.toThrow(/no folder .*Public outcomes to make them from:\n.*RouteLLM/s)
    await expect(readData(folder)).rejects.toThrow(/no datasets\.json/)
  })

  test('judges the promise by medians over halves, in errors of each set', () => {
    const runs = [
      [learned('a', 1, 0.6), learned('b', 0.985, 0.2)],
      [learned('a', 0.9, 0.8), learned('b', 0.985, 0.2)],
      [learned('a', 1, 0.6), learned('b', 0.97, 0.4)],
    ]
    const [line] = gateLines(runs)
    expect(line).toMatchObject({ everySetWithin: true, worstSet: 'b', below: 4 / 6, belowByAnError: 2 / 6 })
    expect(line?.saved).toBeCloseTo(0.5)
    expect(line?.worstErrors).toBeCloseTo(-0.5)
    expect(line?.worstMiss).toBeCloseTo(0.005)
    const worse = runs.map((run) => run.map((one) => ({ ...one, quality: one.quality - 0.02 })))
    expect(gateLines(worse)[0]?.everySetWithin).toBe(false)
  })

  test('times decisions, and guards traffic of other tasks', async () => {
    await writeFile(join(folder, 'made.jsonl'), rows(1_200))
    await writeFile(join(folder, 'datasets.json'), JSON.stringify({ made: { reference: 'strong', prices: PRICES } }))
    const sets = await readData(folder)
    const latency = decisionLatency(sets[0] as NonNullable<(typeof sets)[0]>, 800)
    expect(latency).toMatchObject({ set: 'made', examples: 800, decisions: 400 })
    const judged = otherTraffic(sets)
    expect(judged.map(({ learned: from }) => from)).toContain('made, first tasks')
    for (const one of judged) expect(one.guardedQuality).toBeGreaterThanOrEqual(one.quality - 1e-9)
    const first = judged.find((one) => one.learned === 'made, first tasks' && one.targetQuality === 0.98)
    expect(first?.guardedQuality).toBeGreaterThan(0.8)
  })
})
