import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { type Cache, cache, definePlugin, many, optional, type SqlDatabase, sql } from '../src/index.ts'

declare module '../src/call.ts' {
  interface Operations {
    'fax.send': { request: { readonly to: string }; reply: { readonly pages: number } }
  }
}

test('a definition infers options, needs and gifts', () => {
  const plugin = definePlugin({
    name: '@acme/plugin',
    contract: 1,
    options: z.strictObject({ size: z.number().default(3) }),
    requires: { db: sql, store: optional(cache), all: many(cache) },
    provides: { cache },
    setup(ctx) {
      expectTypeOf(ctx.options.size).toEqualTypeOf<number>()
      expectTypeOf(ctx.deps.db).toEqualTypeOf<SqlDatabase>()
      expectTypeOf(ctx.deps.store).toEqualTypeOf<Cache | undefined>()
      expectTypeOf(ctx.deps.all).toEqualTypeOf<ReadonlyMap<string, Cache>>()
      return {
        ports: { cache: ctx.deps.store as Cache },
        serves: { 'fax.send': async (call) => ({ pages: call.request.to.length }) },
      }
    },
  })
  const placed = plugin({}, { as: 'second' })
  expect(placed.definition.name).toBe('@acme/plugin')
  expect(placed.placement.as).toBe('second')
  expect(plugin().input).toEqual({})
})

test('options without which a plugin cannot be are required by the type', () => {
  const plugin = definePlugin({
    name: 'x',
    contract: 1,
    options: z.strictObject({ url: z.string() }),
    setup: () => ({ ports: {} }),
  })
  // @ts-expect-error url is missing
  plugin()
  expect(plugin({ url: 'u' }).input).toEqual({ url: 'u' })
})
