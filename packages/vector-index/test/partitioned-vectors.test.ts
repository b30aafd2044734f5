import { describe, expect, test } from 'vitest'
import { type PartitionedVectors, type PartitionedVectorsOptions, partitionedVectors, type StoredVector } from '../src/index.ts'
import { gaussian, seeded } from './support/naive.ts'

class Refused extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const X = Float32Array.of(1, 0)
const Y = Float32Array.of(0, 1)

function made(options: Partial<PartitionedVectorsOptions> = {}): { store: PartitionedVectors; clock: { at: number } } {
  const clock = { at: 1000 }
  const store = partitionedVectors({
    maxBytes: 1e8,
    clock: { now: () => clock.at },
    refuse: (code, message) => new Refused(code, message),
    ...options,
  })
  return { store, clock }
}

async function ids(store: PartitionedVectors, partition: string, vector: Float32Array = X, count = 10): Promise<string[]> {
  return (await store.nearest(partition, { vector, count })).map(({ id }) => id)
}

describe('partitionedVectors', () => {
  test('finds in its partition alone, with payloads that are copies', async () => {
    const { store } = made()
    const payload = Uint8Array.of(1, 2)
    const vector = X.slice()
    store.upsert('p', [{ id: 'a', vector, payload }])
    store.upsert('q', [{ id: 'b', vector: X }])
    payload.fill(0)
    vector.fill(9)
    const [first] = await store.nearest('p', { vector: X, count: 5 })
    expect(first).toEqual({ id: 'a', similarity: 1, payload: Uint8Array.of(1, 2) })
    first?.payload?.fill(0)
    expect((await store.nearest('p', { vector: X, count: 5 }))[0]?.payload).toEqual(Uint8Array.of(1, 2))
    expect(await store.nearest('r', { vector: X, count: 5 })).toEqual([])
  })

  test.each<[string, string, (store: PartitionedVectors) => unknown]>([
    ['an empty partition', 'INVALID_REQUEST', (store) => store.upsert('', [])],
    ['an empty partition to load', 'INVALID_REQUEST', (store) => store.load('', [])],
    ['an empty partition to delete from', 'INVALID_REQUEST', (store) => store.delete('', [])],
    ['an empty id', 'INVALID_REQUEST', (store) => store.upsert('p', [{ id: '', vector: X }])],
    ['an empty id to delete', 'INVALID_REQUEST', (store) => store.delete('p', ['a', ''])],
    ['another length', 'INVALID_REQUEST', (store) => store.upsert('p', [{ id: 'b', vector: Float32Array.of(1) }])],
    [
      'two lengths at once',
      'INVALID_REQUEST',
      (store) =>
        store.upsert('new', [
          { id: 'b', vector: Float32Array.of(1) },
          { id: 'c', vector: X },
        ]),
    ],
    ['no numbers', 'INVALID_REQUEST', (store) => store.upsert('new', [{ id: 'b', vector: new Float32Array(0) }])],
    ['all zeros', 'INVALID_REQUEST', (store) => store.upsert('p', [{ id: 'b', vector: Float32Array.of(0, 0) }])],
    [
      'what is no number',
      'INVALID_REQUEST',
      (store) => store.upsert('p', [{ id: 'b', vector: Float32Array.of(Number.NaN, 1) }]),
    ],
    ['what is infinite', 'INVALID_REQUEST', (store) => store.upsert('p', [{ id: 'b', vector: Float32Array.of(1, 1 / 0) }])],
    [
      'an expiry that is no number',
      'INVALID_REQUEST',
      (store) => store.upsert('p', [{ id: 'b', vector: X, expiresAt: Number.NaN }]),
    ],
    ['too many numbers', 'TOO_LARGE', (store) => store.upsert('new', [{ id: 'b', vector: new Float32Array(16_385).fill(1) }])],
    [
      'a payload that is too long',
      'TOO_LARGE',
      (store) => store.upsert('p', [{ id: 'b', vector: X, payload: new Uint8Array(16_385) }]),
    ],
    [
      'what could never fit',
      'TOO_LARGE',
      (store) => store.upsert('new', [{ id: 'b', vector: new Float32Array(16_000).fill(1) }]),
    ],
    ['to find none', 'INVALID_REQUEST', (store) => store.nearest('p', { vector: X, count: 0 })],
    ['to find half of one', 'INVALID_REQUEST', (store) => store.nearest('p', { vector: X, count: 1.5 })],
    ['to find too many', 'INVALID_REQUEST', (store) => store.nearest('p', { vector: X, count: 1001 })],
    ['to find by another length', 'INVALID_REQUEST', (store) => store.nearest('p', { vector: Float32Array.of(1), count: 1 })],
    ['to find by zeros', 'INVALID_REQUEST', (store) => store.nearest('unknown', { vector: Float32Array.of(0, 0), count: 1 })],
  ])('refuses %s as %s, and changes nothing', async (_, code, call) => {
    const { store } = made({ maxBytes: 1e6 })
    store.upsert('p', [{ id: 'a', vector: X }])
    const before = store.usage()
    await expect((async () => call(store))()).rejects.toMatchObject({ code })
    expect(store.usage()).toEqual(before)
    expect(await ids(store, 'p')).toEqual(['a'])
  })

  test('of a batch with one that is refused, none is kept', async () => {
    const { store } = made()
    expect(() =>
      store.upsert('p', [
        { id: 'a', vector: X },
        { id: 'b', vector: Float32Array.of(0, 0) },
      ]),
    ).toThrow(Refused)
    expect(store.has('p')).toBe(false)
  })

  test('replaces vector, expiry and payload whole', async () => {
    const { store, clock } = made()
    store.upsert('p', [{ id: 'a', vector: X, payload: Uint8Array.of(1), expiresAt: 1010 }])
    store.upsert('p', [{ id: 'a', vector: Y }])
    clock.at = 1010
    expect(await store.nearest('p', { vector: Y, count: 9 })).toEqual([{ id: 'a', similarity: 1, payload: undefined }])
  })

  test('never gives what has expired, to the millisecond, and the next nearest in its place', async () => {
    const { store, clock } = made()
    store.upsert('p', [
      { id: 'first', vector: X, expiresAt: 1010 },
      { id: 'second', vector: Float32Array.of(2, 1) },
    ])
    clock.at = 1009
    expect(await ids(store, 'p', X, 1)).toEqual(['first'])
    clock.at = 1010
    expect(await ids(store, 'p', X, 1)).toEqual(['second'])
    store.upsert('p', [{ id: 'second', vector: X, expiresAt: 1010 }])
    expect([store.has('p'), await ids(store, 'p')]).toEqual([false, []])
  })

  test('finds behind any number that have expired', async () => {
    const { store, clock } = made()
    const items = Array.from({ length: 500 }, (_, at) => ({ id: `old${at}`, vector: X, expiresAt: 1010 }))
    store.upsert('p', [...items, { id: 'live', vector: Float32Array.of(1, 1) }])
    clock.at = 1010
    expect(await ids(store, 'p', X, 2)).toEqual(['live'])
  })

  test('is rid of what has expired by and by, as others come and are looked for', async () => {
    const { store, clock } = made()
    for (let at = 0; at < 300; at += 1) store.upsert('p', [{ id: `old${at}`, vector: X, expiresAt: 1010 }])
    clock.at = 1010
    for (let at = 0; at < 100; at += 1) store.upsert('p', [{ id: `new${at}`, vector: Y }])
    expect(store.usage().items).toBeLessThanOrEqual(300)
    for (let at = 0; at < 20; at += 1) await ids(store, 'p')
    expect(store.usage().items).toBe(100)
  })

  test('an emptied partition is gone, and may take vectors of another length', async () => {
    const { store } = made()
    store.upsert('p', [
      { id: 'a', vector: X },
      { id: 'b', vector: Y },
    ])
    store.delete('p', ['a', 'unknown', 'a'])
    expect(await ids(store, 'p')).toEqual(['b'])
    store.delete('p', ['b'])
    expect(store.usage()).toEqual({ partitions: 0, items: 0, bytes: 0, heldBytes: 0 })
    store.upsert('p', [{ id: 'a', vector: Float32Array.of(1, 2, 3) }])
    expect(store.has('p')).toBe(true)
  })

  test('lets go the partitions that were not used for longest, and tells which', async () => {
    const evicted: string[] = []
    const one = made()
    one.store.upsert('p1', [{ id: 'a', vector: X }])
    const { store } = made({ maxBytes: 3 * one.store.usage().bytes, onEvict: (name) => void evicted.push(name) })
    for (const name of ['p1', 'p2', 'p3']) store.upsert(name, [{ id: 'a', vector: X }])
    await ids(store, 'p1')
    store.upsert('p4', [{ id: 'a', vector: X }])
    store.upsert('p3', [{ id: 'a', vector: Y }])
    store.upsert('p5', [{ id: 'a', vector: X }])
    expect(evicted).toEqual(['p2', 'p1'])
    expect(['p1', 'p2', 'p3', 'p4', 'p5'].map((name) => store.has(name))).toEqual([false, false, true, true, true])
    expect(store.usage().bytes).toBe(3 * one.store.usage().bytes)
  })

  test('of one partition that is too large, lets go the items that were not used for longest', async () => {
    const { store } = made({ maxBytes: 1e6, maxPartitionBytes: 40_000 })
    store.upsert('other', [{ id: 'a', vector: X }])
    store.upsert('p', [
      { id: 'used', vector: X },
      { id: 'unused', vector: Float32Array.of(-1, 0) },
    ])
    for (let at = 0; at < 200; at += 1) {
      store.upsert('p', [{ id: `n${at}`, vector: Y }])
      await ids(store, 'p', X, 1)
      expect(store.bytesOf('p')).toBeLessThanOrEqual(40_000)
    }
    expect(await ids(store, 'p', X, 1)).toEqual(['used'])
    expect(await ids(store, 'p', Float32Array.of(-1, 0), 1)).not.toEqual(['unused'])
    expect(store.has('other')).toBe(true)
  })

  test('counts to the byte, however much comes and goes, and holds nothing in the end', async () => {
    const { store, clock } = made({ maxBytes: 300_000, maxPartitionBytes: 200_000 })
    const random = seeded(1)
    for (let at = 0; at < 4000; at += 1) {
      const partition = `p${Math.floor(random() * 12)}`
      const dimensions = 16 * (1 + (Number(partition.slice(1)) % 3))
      const item: StoredVector = {
        id: `i${Math.floor(random() * 40)}`,
        vector: gaussian(dimensions, random),
        ...(random() < 0.5 ? { expiresAt: clock.at + Math.floor(random() * 100) } : {}),
        ...(random() < 0.5 ? { payload: new Uint8Array(Math.floor(random() * 2000)) } : {}),
      }
      if (random() < 0.2) store.delete(partition, [item.id])
      else store.upsert(partition, [item])
      if (random() < 0.1) clock.at += 10
      if (random() < 0.02) store.drop(partition)
      const sum = Array.from({ length: 12 }, (_, one) => store.bytesOf(`p${one}`)).reduce((a, b) => a + b, 0)
      expect(store.usage().bytes).toBe(sum)
      expect(sum).toBeLessThanOrEqual(300_000)
    }
    store.clear()
    expect(store.usage()).toEqual({ partitions: 0, items: 0, bytes: 0, heldBytes: 0 })
  })

  test('load puts a partition in the place of another, and drop drops it', async () => {
    const { store } = made()
    store.upsert('p', [{ id: 'a', vector: X }])
    store.load('p', [{ id: 'b', vector: Float32Array.of(1, 2, 3) }])
    expect(await ids(store, 'p', Float32Array.of(1, 2, 3))).toEqual(['b'])
    store.load('p', [])
    expect(store.has('p')).toBe(false)
    store.upsert('p', [{ id: 'a', vector: X }])
    expect([store.drop('p'), store.drop('p'), store.bytesOf('p')]).toEqual([true, false, 0])
  })
})

describe('a search of many', () => {
  const long = (at: number): Float32Array => {
    const vector = new Float32Array(16_384).fill(1)
    vector[at] = 500
    return vector
  }

  async function many(pause: () => Promise<void>): Promise<ReturnType<typeof made>> {
    const { store, clock } = made({ maxBytes: 1e9, pause })
    // Slices are 8 MiB of numbers, so these make several.
    for (let at = 0; at < 1200; at += 1) store.upsert('p', [{ id: `i${at}`, vector: long(at) }])
    return { store, clock }
  }

  test('pauses between its slices, and ends where it is told to, or what it searched is gone', async () => {
    let pauses = 0
    let meanwhile = (): void => {}
    const { store, clock } = await many(async () => {
      pauses += 1
      meanwhile()
    })
    const vector = long(0)
    expect((await store.nearest('p', { vector, count: 1 })).map(({ id }) => id)).toEqual(['i0'])
    expect(pauses).toBe(2)
    const ended = store.nearest('p', { vector, count: 1 }, () => {
      throw new Error('ended')
    })
    await expect(ended).rejects.toThrow('ended')
    // The last is looked at first.
    store.upsert('p', [{ id: 'i1199', vector: long(1199), expiresAt: 1010 }])
    meanwhile = () => {
      clock.at = 1010
    }
    expect(await ids(store, 'p', long(1199), 1)).not.toContain('i1199')
    meanwhile = () => store.drop('p')
    expect(await store.nearest('p', { vector, count: 1 })).toEqual([])
  })

  test('lets other work run meanwhile, unless told otherwise', async () => {
    const { store } = made({ maxBytes: 1e9 })
    for (let at = 0; at < 600; at += 1) store.upsert('p', [{ id: `i${at}`, vector: long(at) }])
    let turns = 0
    setImmediate(() => {
      turns += 1
    })
    await store.nearest('p', { vector: long(0), count: 1 })
    expect(turns).toBe(1)
  })
})
