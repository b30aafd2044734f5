import type { StoredVector } from '@switchyard/vector-index'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeItem, decodeList, decodeStored, encodeItem, encodeList } from '../src/vectors/records.ts'
import { type Change, replicaOf } from '../src/vectors/replica.ts'

const item = (id: string, version: number): StoredVector => ({ id, vector: Float32Array.of(version) })

/** What stands of it, by id. */
function plainHeld() {
  const there = new Map<string, number>()
  const put = (items: readonly StoredVector[]): void => {
    for (const { id, vector } of items) there.set(id, vector[0] as number)
  }
  return {
    there,
    upsert: (_: string, items: readonly StoredVector[]) => put(items),
    load(_: string, items: readonly StoredVector[]) {
      there.clear()
      put(items)
    },
    delete(_: string, ids: readonly string[]) {
      for (const id of ids) there.delete(id)
    },
  }
}

test('changes told in any order and again, before and after it was read, come to what the last of each id says', () => {
  const ids = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 })
  const change = fc.record({ put: fc.boolean(), ids })
  const input = fc.record({
    changes: fc.array(change, { minLength: 1, maxLength: 12 }),
    told: fc.array(fc.nat(), { minLength: 12, maxLength: 40 }),
    readAt: fc.nat(12),
    filledAt: fc.nat(40),
  })
  fc.assert(
    fc.property(input, ({ changes, told, readAt, filledAt }) => {
      const all: Change[] = changes.map(({ put, ids: of }, at) => {
        const distinct = [...new Set(of)]
        return put
          ? { version: at + 1, puts: distinct.map((id) => item(id, at + 1)), drops: [] }
          : { version: at + 1, puts: [], drops: distinct }
      })
      const truthAt = (count: number): Map<string, number> => {
        const truth = new Map<string, number>()
        for (const { version, puts, drops } of all.slice(0, count)) {
          for (const { id } of puts) truth.set(id, version)
          for (const id of drops) truth.delete(id)
        }
        return truth
      }
      const held = plainHeld()
      const replica = replicaOf('p', held, (error) => expect.unreachable(String(error)))
      const read = Math.min(readAt, all.length)
      const fill = (): void =>
        replica.fill(new Map([...truthAt(read)].map(([id, version]) => [id, { version, item: item(id, version) }])))
      // All is told, in an order of its own, and some of it again.
      const shuffled = [...all.keys()].toSorted((one, other) => (told[one] as number) - (told[other] as number))
      const order = [...told.slice(12).map((at) => at % all.length), ...shuffled]
      for (const [at, index] of order.entries()) {
        if (at === filledAt % order.length) fill()
        replica.apply(all[index] as Change)
      }
      expect(replica.ready).toBe(true)
      expect(new Map([...held.there].toSorted())).toEqual(new Map([...truthAt(all.length)].toSorted()))
    }),
    { numRuns: 1_000 },
  )
})

test('records come back as they were, and what is none is told from them', () => {
  const items = fc.record({
    id: fc.string({ minLength: 1, unit: 'grapheme' }),
    vector: fc.float32Array({ maxLength: 20 }),
    expiresAt: fc.option(fc.nat(), { nil: undefined }),
    payload: fc.option(fc.uint8Array(), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(items, { maxLength: 4 }), fc.nat(2 ** 50), (all, version) => {
      const given = all.map(({ expiresAt, payload, ...rest }) => ({
        ...rest,
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(payload === undefined ? {} : { payload }),
      }))
      const list = decodeList(encodeList(version, given.map(encodeItem)))
      const back = list?.pieces.map(decodeItem)
      expect(list?.version).toBe(version)
      expect(back?.map((one) => ({ ...one, ...(one?.payload && { payload: [...one.payload] }) }))).toEqual(
        given.map((one) => ({ ...one, ...(one.payload && { payload: [...one.payload] }) })),
      )
    }),
  )
  for (const cut of [1, 5, 28]) {
    expect(decodeItem(encodeItem({ id: 'a', vector: Float32Array.of(1, 2) }).subarray(0, cut))).toBeUndefined()
  }
  expect(decodeStored(Buffer.from('no version, no item'))).toBeUndefined()
  expect(decodeList(encodeList(1, [Buffer.from('abc')]).subarray(0, 21))).toBeUndefined()
})
