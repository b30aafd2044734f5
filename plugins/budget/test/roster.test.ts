import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Roster } from '../src/attempt/roster.ts'

describe('a roster', () => {
  it('holds who was added and not removed, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (steps) => {
        const members = Array.from({ length: 10 }, () => ({ place: -1 }))
        const roster = new Roster<{ place: number }>()
        const model = new Set<{ place: number }>()
        for (const [joins, which] of steps) {
          const member = members[which] as { place: number }
          if (!joins) {
            roster.delete(member)
            model.delete(member)
          } else if (!model.has(member)) {
            roster.add(member)
            model.add(member)
          }
          expect(roster.size).toBe(model.size)
          expect([...roster].every((held) => model.has(held))).toBe(true)
        }
      }),
    )
  })

  it('is walked as it stood, whoever leaves meanwhile', () => {
    const roster = new Roster<{ place: number }>()
    const members = [{ place: -1 }, { place: -1 }, { place: -1 }]
    for (const member of members) roster.add(member)
    const walked: unknown[] = []
    for (const member of roster) {
      walked.push(member)
      roster.delete(member)
    }
    expect(walked).toEqual(members)
    expect(roster.size).toBe(0)
  })
})
