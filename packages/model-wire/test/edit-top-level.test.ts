import fc from 'fast-check'
import { expect, test } from 'vitest'
import { editTopLevel, requestBytes } from '../src/index.ts'

const edit = (text: string, edits: Record<string, string>): string =>
  Buffer.from(editTopLevel(Buffer.from(text), edits)).toString()

test.each([
  ['{"model":"a/b","x":1}', { model: '"b"' }, '{"model":"b","x":1}'],
  ['{ "big": 12345678901234567890 , "model" : "m" }', { model: '"n"' }, '{ "big": 12345678901234567890 , "model" : "n" }'],
  ['{}', { model: '"n"' }, '{"model":"n"}'],
  [' {\n} ', { a: '1', b: '2' }, ' {\n"a":1,"b":2} '],
  [
    '{"nested":{"model":"keep"},"list":[{"model":"keep"}]}',
    { model: '"n"' },
    '{"nested":{"model":"keep"},"list":[{"model":"keep"}],"model":"n"}',
  ],
  ['{"model":"one","model":"two"}', { model: '"n"' }, '{"model":"n","model":"n"}'],
  ['{"mod\\u0065l":"a"}', { model: '"n"' }, '{"mod\\u0065l":"n"}'],
  ['{"a":"quote \\" and } and \\\\","model":null}', { model: '3' }, '{"a":"quote \\" and } and \\\\","model":3}'],
  ['{"model":1.5e3 }', { model: 'true' }, '{"model":true }'],
])('%s', (text, edits, expected) => {
  expect(edit(text, edits as Record<string, string>)).toBe(expected)
})

test('gives what parsing, changing and writing gives, for any object and spacing', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.dictionary(fc.constantFrom('model', 'stream', 'a"b', '', 'ü'), fc.jsonValue(), { maxKeys: 3 }),
      fc.constantFrom(undefined, 1, '\t'),
      (body, changes, space) => {
        const text = JSON.stringify(body, undefined, space)
        const edits = Object.fromEntries(Object.entries(changes).map(([key, value]) => [key, JSON.stringify(value)]))
        expect(JSON.parse(edit(text, edits))).toEqual({ ...JSON.parse(text), ...JSON.parse(JSON.stringify(changes)) })
      },
    ),
  )
})

test('a request without its bytes is encoded anew', () => {
  const request = { endpoint: 'chat/completions', model: 'p/m', body: { model: 'p/m', n: 1 }, stream: false } as const
  expect(Buffer.from(requestBytes(request, { model: 'm' })).toString()).toBe('{"model":"m","n":1}')
  expect(Buffer.from(requestBytes({ ...request, raw: Buffer.from('{"model":"p/m", "n":1}') }, { model: 'm' })).toString()).toBe(
    '{"model":"m", "n":1}',
  )
})

test('a model that stands twice is changed twice, also where one is spelt with escapes', () => {
  const raw = Buffer.from('{"model":"p/m","mod\\u0065l":"p/m"}')
  const request = { endpoint: 'chat/completions', model: 'p/m', body: { model: 'p/m' }, raw, stream: false } as const
  expect(Buffer.from(requestBytes(request, { model: 'm' })).toString()).toBe('{"model":"m","mod\\u0065l":"m"}')
})

test('the short way for a model in front gives what the long way gives', () => {
  const names = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a/b', 'ü/é', 'quote"', '', 'model'))
  fc.assert(
    fc.property(
      names,
      names,
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom('', ' ', ',"model":"twice"', ',"mod\\u0065l":"twice"', ',"x":{"model":1}'),
      (model, changed, rest, more) => {
        const others = JSON.stringify(rest).slice(1, -1)
        const text = `{"model":${JSON.stringify(model)}${others === '' ? '' : ','}${others}${more}}`
        const body = JSON.parse(text) as Record<string, unknown>
        const request = { endpoint: 'chat/completions', model: 'p/m', body, raw: Buffer.from(text), stream: false } as const
        const bytes = Buffer.from(requestBytes(request, { model: changed })).toString()
        expect(JSON.parse(bytes)).toEqual({ ...body, model: changed })
        expect(bytes).toBe(edit(text, { model: JSON.stringify(changed) }))
      },
    ),
    { numRuns: 500 },
  )
})
