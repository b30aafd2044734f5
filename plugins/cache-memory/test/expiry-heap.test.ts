import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Expiring, expiryHeap } from '../src/expiry-heap.ts'

const item = (expiresAt: number): Expiring => ({ expiresAt, place: -1 })

test('removing what is not there does nothing', () => {
  const heap = expiryHeap()
  const [inside, outside] = [item(1), item(1)]
  heap.add(inside)
  heap.remove(outside)
  heap.remove({ expiresAt: 1, place: 0 })
  expect(heap.size).toBe(1)
  heap.clear()
  heap.remove(inside)
  expect([heap.size, inside.place, heap.takeDue(9)]).toEqual([0, -1, undefined])
})

test('what fills a gap may have to rise', () => {
  const heap = expiryHeap()
  const items = [1, 50, 2, 51, 52, 3, 4].map(item)
  for (const one of items) heap.add(one)
  heap.remove(items[3] as Expiring)
  for (const later of [90, 91, 92, 93]) heap.add(item(later))
  expect(Array.from({ length: 11 }, () => heap.takeDue(99)?.expiresAt)).toEqual([1, 2, 3, 4, 50, 52, 90, 91, 92, 93, undefined])
})

test('any adds, removals and takings give what a sorted list gives', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), at: fc.nat(20) }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(30) }),
    fc.record({ kind: fc.constant('take' as const), at: fc.nat(25) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const heap = expiryHeap()
      const added: Expiring[] = []
      let inside: Expiring[] = []
      for (const { kind, at } of steps) {
        if (kind === 'add') {
          const one = item(at)
          heap.add(one)
          added.push(one)
          inside.push(one)
        } else if (kind === 'remove') {
          const one = added[at % Math.max(1, added.length)]
          if (one !== undefined) heap.remove(one)
          inside = inside.filter((other) => other !== one)
        } else {
          const due = heap.takeDue(at)
          const least = Math.min(...inside.map(({ expiresAt }) => expiresAt))
          expect(due?.expiresAt).toBe(least <= at ? least : undefined)
          inside = inside.filter((other) => other !== due)
        }
        expect(heap.size).toBe(inside.length)
        for (const one of added) expect(one.place >= 0).toBe(inside.includes(one))
      }
    }),
  )
})
