import fc from 'fast-check'
import { expect, test } from 'vitest'
import { namePattern } from '../src/index.ts'

test.each([
  ['openai/*', 'openai/gpt', true],
  ['openai/*', 'openai', false],
  ['*', '', true],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['*ab*ab', 'ab', false],
  ['plain', 'plain', true],
  ['plain', 'plainer', false],
])('%s and %s: %s', (pattern, name, fits) => {
  expect(namePattern(pattern)(name)).toBe(fits)
})

test('fits what a regular expression of the same pieces fits', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '\n'), maxLength: 8 })
  const pattern = fc.array(text, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('*'))
  fc.assert(
    fc.property(pattern, text, (one, name) => {
      const pieces = one.split('*').map((piece) => piece.replaceAll(/[.\\/]/g, '\\$&'))
      expect(namePattern(one)(name)).toBe(new RegExp(`^${pieces.join('[^]*')}$`, 'u').test(name))
    }),
  )
})
