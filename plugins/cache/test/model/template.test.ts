import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filled, markFor, placeholder, templateOf } from '../../src/model/template.ts'

const awkward = fc.string({ unit: fc.constantFrom('@', '@slot', 'slot', '@slot@', 'id', '"', '\\', 'x') })

test('fills its places and nothing else, whatever a body says', () => {
  fc.assert(
    fc.property(awkward, awkward, awkward, (before, after, value) => {
      const mark = markFor(JSON.stringify([before, after]))
      const json = JSON.stringify([before, placeholder(mark, 'id'), after, placeholder(mark, 'id')])
      const template = templateOf(json, mark)
      expect(template.slots).toEqual(['id', 'id'])
      const said = Buffer.from(filled(template, { id: JSON.stringify(value) })).toString()
      expect(JSON.parse(said)).toEqual([before, value, after, value])
    }),
  )
})

// One walk: a mark that grew by a sign a try would take minutes of the process over it.
test('finds a mark that a long text of its signs does not hold', () => {
  const text = `@slot${'@'.repeat(400_000)}`
  const mark = markFor(text)
  expect(mark).toHaveLength(text.length + 1)
  expect(text).not.toContain(mark)
})
