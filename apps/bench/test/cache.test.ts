import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashedNgrams } from '@switchyard/cache-semantic'
import { HASHED_ENCODER } from '@switchyard/cache-semantic/evaluate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readData } from '../src/cache/data.ts'
import { combinedEncoder } from '../src/cache/encoders.ts'
import { pairRows } from '../src/cache/pairs.ts'
import { WORKLOADS, workloadStreams } from '../src/cache/workloads.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-cache-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const INTENTS = {
  train: [
    ['hello there', 'greet'],
    ['hello there', 'greet'],
    ['bye now', 'leave'],
  ],
  none_train: [['why is the sky blue', 'none']],
  none_test: [['who wrote this', 'none']],
}

describe('bench cache', () => {
  test('says where such data is had, where there is none', async () => {
    await expect(readData(join(folder, 'none'))).rejects.toThrow(/no folder .*clinc\/oos-eval.*GPTCache/s)
    await writeFile(join(folder, 'other.json'), '{"a": 1}')
    await writeFile(join(folder, 'broken.jsonl'), 'no json')
    await expect(readData(folder)).rejects.toThrow(/nothing of a known shape.*clinc\/oos-eval/s)
  })

  test('knows sets by their shape wherever they are, and what is of no intent by its lists', async () => {
    await mkdir(join(folder, 'deep', 'er'), { recursive: true })
    await writeFile(join(folder, 'deep', 'er', 'intents.json'), JSON.stringify(INTENTS))
    await writeFile(join(folder, 'deep', 'pairs.json'), JSON.stringify([{ origin: 'a b', similar: 'b a' }]))
    await writeFile(join(folder, 'deep', 'lines.jsonl'), '{"text":"one","label":1}\n{"text":"two","label":2}\n')
    const { streams, pairs } = await readData(folder)
    expect(pairs).toEqual([{ name: 'deep/pairs', pairs: [{ origin: 'a b', similar: 'b a' }] }])
    expect(streams).toEqual([
      {
        name: 'er/intents',
        rows: [
          { text: 'hello there', label: 'greet' },
          { text: 'bye now', label: 'leave' },
          { text: 'why is the sky blue', label: 'none 1' },
          { text: 'who wrote this', label: 'none 2' },
        ],
        alone: ['why is the sky blue', 'who wrote this'],
      },
      {
        name: 'deep/lines',
        rows: [
          { text: 'one', label: '1' },
          { text: 'two', label: '2' },
        ],
        alone: [],
      },
    ])
    const half = WORKLOADS.find(({ canned }) => canned === 0.5)
    const [stream] = await workloadStreams(
      streams[0] as (typeof streams)[number],
      half as (typeof WORKLOADS)[number],
      [1],
      HASHED_ENCODER,
    )
    expect(stream).toHaveLength(12_000)
    expect(new Set(stream?.map(({ label }) => label))).toContain('greet')
  })

  test('two encoders as one have the cosines of both, by their shares, and an id of their own', async () => {
    const sentences = {
      id: 'spelled',
      index: HASHED_ENCODER.index as never,
      // One number of 512 by the first letter: the cosine of two texts is 1 or 0.
      encode: async (texts: readonly string[]) =>
        texts.map((text) => Float32Array.from({ length: 512 }, (_, at) => Number(at === text.charCodeAt(0)))),
    }
    const both = combinedEncoder(sentences)
    expect(both.id).toBe('spelled+hashed')
    const texts = ['reset my password', 'renew the licence', 'what is the weather']
    const vectors = await both.encode(texts)
    const index = both.index()
    for (const vector of vectors) index.add(vector)
    const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, at) => sum + x * (b[at] as number), 0)
    const hashed = texts.map(hashedNgrams)
    const found = index.nearest(vectors[0] as Float32Array, 3).toSorted((a, b) => a.id - b.id)
    for (const [at, { similarity }] of found.entries()) {
      const spelled = texts[at]?.startsWith('r') ? 0.7 : 0
      expect(similarity).toBeCloseTo(spelled + 0.3 * cosine(hashed[0] as Float32Array, hashed[at] as Float32Array), 5)
    }
  })

  test('published figures stand beside a benchmark of as many pairs only; counts add up', async () => {
    const pairs = [{ origin: 'reset the password', similar: 'the password, reset it' }]
    const rows = await pairRows({ name: 'few', pairs }, HASHED_ENCODER, [0.01])
    expect(rows.some(({ policy }) => policy === 'gptcache-published')).toBe(false)
    for (const { right, wrong, miss, hitRate, ceiling } of rows) {
      expect(right + wrong + miss).toBe(1)
      expect(hitRate).toBe(right + wrong)
      expect(ceiling).toBe(1)
    }
    const many = Array.from({ length: 999 }, (_, at) => ({ origin: `origin ${at}`, similar: `similar ${at}` }))
    const published = (await pairRows({ name: 'many', pairs: many }, HASHED_ENCODER, [])).filter(
      ({ policy }) => policy === 'gptcache-published',
    )
    expect(published.map(({ right, wrong, miss }) => right + wrong + miss)).toEqual([999, 999, 999])
  })
})
