import fc from 'fast-check'
import { expect, test } from 'vitest'
import { preparedNames } from '../src/prepared-names.ts'

test('a text keeps its name, which is made of its hash, until it must make room', () => {
  const names = preparedNames(2)
  const a = names.nameOf('a')
  expect(a).toMatch(/^sw_[0-9a-f]{24}_1$/)
  names.nameOf('b')
  expect(names.nameOf('a')).toBe(a)
  const b = names.nameOf('b')
  names.nameOf('a')
  names.nameOf('c')
  expect(names.takeObsolete()).toEqual([b])
  expect(names.takeObsolete()).toEqual([])
  expect(names.nameOf('a')).toBe(a)
})

test('forgotten texts get other names, so that the server’s old ones cannot be met', () => {
  const names = preparedNames(2)
  const first = names.nameOf('a')
  const second = names.nameOf('b')
  names.forgetAll()
  names.forgetAll()
  expect(names.takeObsolete()).toEqual([first, second])
  expect(names.nameOf('a')).not.toBe(first)
})

test('0 turns naming off', () => {
  const names = preparedNames(0)
  expect(names.nameOf('a')).toBeUndefined()
  expect(names.takeObsolete()).toEqual([])
})

test('what the server holds is never more than the bound and what is due to go, and no name stands for two texts', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.constantFrom(...'abcdefgh'), { maxLength: 50 }), (most, texts) => {
      const names = preparedNames(most)
      const held = new Map<string, string>()
      for (const text of texts) {
        for (const name of names.takeObsolete()) held.delete(name)
        const name = names.nameOf(text) as string
        expect(held.get(name) ?? text).toBe(text)
        held.set(name, text)
        expect(held.size).toBeLessThanOrEqual(most + 1)
      }
    }),
  )
})
