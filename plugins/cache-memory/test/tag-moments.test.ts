import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tagMoments } from '../src/tag-moments.ts'

const tag = fc.constantFrom('a', 'b', 'c', '__proto__', 'e', 'f', 'g')
const tags = fc.array(tag, { maxLength: 4 })

describe('tagMoments', () => {
  test('where all tags are remembered, a mark changes with deletions of its tags and with nothing else', () => {
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 40 }), tags, (deletions, own) => {
        const moments = tagMoments('g', 7)
        for (const deleted of deletions) {
          const before = moments.mark(own)
          moments.deleted(deleted)
          expect(moments.mark(own) !== before).toBe(own.includes(deleted))
          expect(moments.deletedSince(before, own)).toBe(own.includes(deleted))
        }
      }),
    )
  })

  test('however few are remembered, no deletion is overlooked', () => {
    fc.assert(
      fc.property(
        fc.array(tag, { minLength: 1, maxLength: 40 }),
        tags,
        fc.nat(39),
        fc.integer({ min: 1, max: 3 }),
        (all, own, from, max) => {
          const moments = tagMoments('g', max)
          const since = all.slice(from % all.length)
          for (const deleted of all.slice(0, from % all.length)) moments.deleted(deleted)
          const before = moments.mark(own)
          for (const deleted of since) moments.deleted(deleted)
          expect(moments.size).toBeLessThanOrEqual(max)
          if (!since.some((deleted) => own.includes(deleted))) return
          expect(moments.deletedSince(before, own)).toBe(true)
          expect(moments.mark(own)).not.toBe(before)
          expect(moments.deletedSince(moments.mark(own), own)).toBe(false)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('forgets seldom: marks of what was never deleted change once in so many deletions', () => {
    const moments = tagMoments('g', 100)
    const seen = new Set<string>()
    for (let at = 0; at < 1000; at += 1) {
      moments.deleted(`t${at}`)
      seen.add(moments.mark(['never']))
    }
    expect(moments.size).toBeLessThanOrEqual(100)
    expect(seen.size).toBeLessThanOrEqual(1 + 1000 / 50)
  })

  test('forgets those first whose last deletion is longest ago', () => {
    const moments = tagMoments('g', 4)
    for (const deleted of ['a', 'b', 'c', 'd', 'a']) moments.deleted(deleted)
    const [a, b] = [moments.mark(['a']), moments.mark(['b'])]
    moments.deleted('e')
    expect(moments.size).toBe(2)
    expect(moments.mark(['a'])).toBe(a)
    expect(moments.mark(['b'])).not.toBe(b)
  })

  test.each(['', 'g', 'g.', 'g.x', 'g.NaN', 'h.9', '9', 'gg.9'])('takes %j for no mark of its own', (mark) => {
    const moments = tagMoments('g')
    expect(moments.deletedSince(mark, [])).toBe(true)
    moments.deleted('t')
    expect(moments.deletedSince(mark, ['t'])).toBe(true)
  })
})
