import { format, inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isSecret, secret } from '../src/index.ts'

/** Every way that a value leaks into text by accident. */
const SHOWN: readonly (readonly [string, (value: unknown) => string])[] = [
  ['String', (value) => String(value)],
  ['a template', (value) => `${value}`],
  ['JSON', (value) => JSON.stringify({ value })],
  ['inspect', (value) => inspect({ value }, { showHidden: true, depth: 5 })],
  ['format %s', (value) => format('%s', value)],
  ['format %o', (value) => format('%o', { value })],
  ['format %j', (value) => format('%j', value)],
  ['spread', (value) => JSON.stringify({ ...(value as object) })],
  ['entries', (value) => JSON.stringify(Object.entries(value as object))],
  ['a join', (value) => [value].join()],
]

test.each(SHOWN)('%s does not show it', (_, show) => {
  fc.assert(
    fc.property(fc.uuid(), (text) => {
      expect(show(secret(text))).not.toContain(text)
    }),
    { numRuns: 30 },
  )
})

test('text, JSON and inspection give the marker', () => {
  const value = secret('s3cr3t')
  expect([String(value), JSON.stringify(value), inspect(value)]).toEqual(['[redacted]', '"[redacted]"', '[redacted]'])
})

test('reveal gives it in clear', () => {
  expect(secret('s3cr3t').reveal()).toBe('s3cr3t')
  expect(secret('').reveal()).toBe('')
})

test('a secret of a secret is itself, and cannot be changed', () => {
  const value = secret('s3cr3t')
  expect(secret(value)).toBe(value)
  expect(Object.isFrozen(value)).toBe(true)
  expect(isSecret(value)).toBe(true)
})

test.each([undefined, null, 's3cr3t', {}, { reveal: () => 'x' }])('%o is none', (value) => {
  expect(isSecret(value)).toBe(false)
})
