import fc from 'fast-check'
import { expect, test } from 'vitest'
import { composed } from '../../src/model/composed.ts'
import { callOf, planned, plannerWith } from './support/calls.ts'

const text = fc.string({ unit: fc.constantFrom('a', 'e', ' ', '漢', '🚃', 'é', '\u0301', '\u0327', '\u0345', 'ᄀ', 'ᅡ') })

test('is the composed form of any text in which no run of marks is long', () => {
  fc.assert(
    fc.property(text, (one) => {
      fc.pre(!/[\p{M}🚃]{16}/u.test(one))
      expect(composed(one)).toBe(one.normalize('NFC'))
      expect(composed(one.normalize('NFD'))).toBe(one.normalize('NFC'))
    }),
  )
})

test('is equal for texts alone that are equal in the composed form', () => {
  fc.assert(
    fc.property(text, text, (one, other) => {
      if (composed(one) === composed(other)) expect(one.normalize('NFC')).toBe(other.normalize('NFC'))
    }),
  )
})

// To put them in order takes time by the square of their number: minutes for a megabyte, in which nothing else goes on.
test('leaves long runs of marks in their order', () => {
  const marks = `a${'\u0315\u0300'.repeat(100_000)}`
  expect(composed(marks)).toBe(marks)
  const asks = (content: string) => {
    const body = { model: 'm', messages: [{ role: 'user', content }] }
    return planned(plannerWith(), callOf({ request: { body } })).key
  }
  expect(asks(`e${'\u0315\u0300'.repeat(17)}`)).not.toBe(asks(`e${'\u0300\u0315'.repeat(17)}`))
  expect(asks('e\u0301')).toBe(asks('é'))
})
