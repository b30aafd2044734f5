import { expect, expectTypeOf, test } from 'vitest'
import { type Cache, cache, counters, definePort, embedder, many, model, optional, type Port, sql } from '../src/index.ts'

test('a port is a frozen token of name and version', () => {
  const port = definePort<string>('acme/fax', 2)
  expect(port).toEqual({ id: 'acme/fax', version: 2 })
  expect(Object.isFrozen(port)).toBe(true)
  expectTypeOf(port).toEqualTypeOf<Port<string>>()
})

test.each([
  ['', 1],
  ['fax', 0],
  ['fax', -1],
  ['fax', 1.5],
  ['fax', Number.NaN],
])('a port of name %j and version %d is the mistake of whoever writes it', (id, version) => {
  expect(() => definePort(id, version)).toThrow(TypeError)
  expect(() => definePort(id, version)).toThrow('a whole version from 1')
})

test('needs say how many instances they want, and are frozen', () => {
  expect(optional(cache)).toEqual({ port: cache, arity: 'optional' })
  expect(many(cache)).toEqual({ port: cache, arity: 'many' })
  expect(Object.isFrozen(optional(cache)) && Object.isFrozen(many(cache))).toBe(true)
  expectTypeOf(optional(cache)['~type']).toEqualTypeOf<Cache | undefined>()
  expectTypeOf(many(cache)['~type']).toEqualTypeOf<ReadonlyMap<string, Cache> | undefined>()
})

test('the ports of the contract have names of their own and start at version 1', () => {
  const ports = [cache, counters, embedder, model, sql]
  expect(new Set(ports.map(({ id }) => id)).size).toBe(ports.length)
  expect(ports.every(({ version }) => version === 1)).toBe(true)
})
