import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import {
  feedRefusal,
  type Import,
  importLiteLlm,
  importModelsDev,
  importPortkeyGeneral,
  importPortkeyPricing,
} from '../src/index.ts'
import { bytes, rowOf } from './support.ts'

const options = { asOf: '2026-10-01' }
const importers: readonly (readonly [string, (feed: Uint8Array) => Import])[] = [
  ['models.dev', (feed) => importModelsDev(feed, options)],
  ['LiteLLM', (feed) => importLiteLlm(feed, options)],
  ['portkey pricing', (feed) => importPortkeyPricing('openai', feed, options)],
  ['portkey general', (feed) => importPortkeyGeneral('openai', feed, options)],
]

describe.each(importers)('%s', (_name, read) => {
  test.each<[string, Uint8Array]>([
    ['an HTML page', bytes('<!doctype html><title>502</title>')],
    ['JSON cut in half', bytes('{"openai":{"models":{"gpt-')],
    ['nothing', bytes('')],
    ['an array', bytes([])],
    ['null', bytes('null')],
    ['a text', bytes('"hello"')],
    ['NaN, which is no JSON', bytes('{"a": NaN}')],
    ['what is not UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
  ])('%s is refused as a whole', (_feed, content) => {
    expect(() => read(content)).toThrow(SwitchyardError)
    try {
      read(content)
    } catch (error) {
      expect(SwitchyardError.is(error, 'UPSTREAM_INVALID')).toBe(true)
    }
  })

  test('rows of rubbish are rejected one by one, and nothing is thrown', () => {
    for (const rubbish of [null, 1, 'x', [], [[]], true]) {
      const result = read(bytes({ a: rubbish, b: { models: { m: rubbish } }, c: { litellm_provider: 'x', mode: rubbish } }))
      expect(result.rows.flatMap(({ prices }) => prices ?? [])).toEqual([])
    }
  })

  test('names out of a prototype do no harm', () => {
    const feed =
      '{"__proto__":{"models":{"__proto__":{"cost":{"input":1,"output":1}}},"litellm_provider":"openai"},"constructor":{"models":{}}}'
    read(bytes(feed))
    expect(({} as Record<string, unknown>).models).toBeUndefined()
  })
})

describe('a feed as a whole', () => {
  const feed = (counts: Readonly<Record<string, number>>, bad = 0): Import => {
    const rows = Object.entries(counts).flatMap(([provider, count]) =>
      Array.from({ length: count }, (_, i) => rowOf({ provider, model: `m${i}` })),
    )
    const rejected = Array.from({ length: bad }, (_, i) => ({ id: `bad${i}`, reason: 'x' }))
    return { rows, rejected, seen: rows.length + bad, dropped: [], toCheck: [], unknownKeys: {} }
  }

  test('without a usable row is refused', () => {
    expect(feedRefusal(feed({}))).toBe('no usable row')
  })

  test.each([
    [98, 2, undefined],
    [97, 3, '3 of 100 rows are bad: more than 2 %'],
  ])('%i good rows and %i bad ones', (good, bad, reason) => {
    expect(feedRefusal(feed({ a: good }, bad))).toBe(reason)
  })

  test.each([
    [70, undefined],
    [69, '69 entries where there were 100: more than 30 % fewer'],
  ])('of 100 entries %i are left', (left, reason) => {
    expect(feedRefusal(feed({ a: left }), feed({ a: 100 }))).toBe(reason)
  })

  test.each([
    [20, 13, 'a has 13 entries where it had 20'],
    [20, 0, 'a has 0 entries where it had 20'],
    [20, 14, undefined],
    [19, 0, undefined],
  ])('a provider with %i entries has %i left', (before, left, reason) => {
    expect(feedRefusal(feed({ a: left, b: 500 }), feed({ a: before, b: 500 }))).toBe(reason)
  })

  test('growth and a first feed are welcome', () => {
    expect(feedRefusal(feed({ a: 500 }), feed({ a: 20 }))).toBeUndefined()
    expect(feedRefusal(feed({ a: 1 }))).toBeUndefined()
  })
})
