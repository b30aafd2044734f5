import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { vectorsBench } from '../src/vectors/bench.ts'
import { clustered } from '../src/vectors/clusters.ts'
import { everyOne, ours } from '../src/vectors/indexes.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-vectors-'))
  vi.spyOn(console, 'log').mockReturnValue()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('bench vectors', () => {
  test('is exact, beside a peer where it is installed, and writes its rows', async () => {
    const json = join(folder, 'vectors.json')
    const rows = await vectorsBench({ sizes: [400, 900], dimensions: 40, queries: 30, seed: 1, json })
    expect(JSON.parse(await readFile(json, 'utf8')).rows).toEqual(JSON.parse(JSON.stringify(rows)))
    const own = rows.filter(({ index }) => index === 'switchyard')
    expect(own.map(({ vectors }) => vectors)).toEqual([400, 900])
    for (const { recallAt1, recallAt8, p50Ms, p99Ms, bytes, met } of own) {
      expect([recallAt1, recallAt8, met]).toEqual([1, 1, undefined])
      expect(p50Ms).toBeGreaterThan(0)
      expect(p99Ms).toBeGreaterThanOrEqual(p50Ms)
      expect(bytes).toBeGreaterThan(400 * 40 * 5)
    }
  })

  test('its vectors lie in clusters, are the same for one seed, and queries are none of them', async () => {
    const [one, again, other] = [1, 1, 2].map((seed) => clustered(500, 50, 64, seed))
    expect(one?.stored.at(7)).toEqual(again?.stored.at(7))
    expect(one?.stored.at(7)).not.toEqual(other?.stored.at(7))
    const data = clustered(500, 50, 64, 3)
    const index = ours(data.stored)
    const truth = everyOne(data.stored)
    for (let at = 0; at < 50; at += 1) {
      const query = data.queries.at(at)
      const found = await index.nearest(query, 8)
      expect(found).toEqual(await truth.nearest(query, 8))
      expect(data.stored.at(found[0] as number)).not.toEqual(query)
    }
  })
})
