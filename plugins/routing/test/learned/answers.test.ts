import { describe, expect, test } from 'vitest'
import { canonicalAnswer, passesSchema, proposedCalls } from '../../src/learned/index.ts'

describe('canonical answers', () => {
  test.each([
    ['label', 'b', '(B).'],
    ['label', ' C ', '**C**'],
    ['number', '18.0', '$18'],
    ['number', '1,234.50', '1234.5'],
    ['number', '3/4', '0.75'],
    ['number', '50%', '50'],
    ['number', -0, '0'],
    ['number', '1,234,567', '1234567'],
    ['text', ' Hello   World ', 'hello world'],
    ['call', "[f(a=1, b='x')]", '[f(b="x", a=1.0)]'],
    ['call', "f(a=1, b='x')", '{"name": "f", "arguments": "{\\"a\\": 1, \\"b\\": \\"x\\"}"}'],
    ['call', 'geo.find(p=[1, (2, 3)])', '[{"geo_find": "{\\"p\\": [1, [2, 3]]}"}]'],
    ['call', '```python\nf(x=True, y=None)\n```', '[{"name": "f", "params": {"x": true, "y": null}}]'],
    ['call', 'f(a={"k": [1]}), g(b=2)'.replace(/^/, '[').concat(']'), "[g(b=2), f(a={'k': [1]})]"],
    ['call', '{"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"q": 2}}}]}', 'f(q=2)'],
    ['call', '["```python\\nprint(f(a=1))\\n```"]', 'f(a=1)'],
    ['call', 'f(cb=handler, k=make(1))', "f(k='make(1)', cb='handler')"],
    ['call', "f(s='it\\'s')", 'f(s="it\'s")'],
  ] as const)('%s: %s means %s', (kind, one, other) => {
    const form = canonicalAnswer(kind, one)
    expect(form).toBeDefined()
    expect(canonicalAnswer(kind, other)).toBe(form)
  })

  test.each([
    ['label', 'A', 'B'],
    ['number', '18', '18.5'],
    ['number', '12', '-12'],
    ['call', 'f(a=1)', 'f(a=2)'],
    ['call', 'f(a=1)', 'g(a=1)'],
    ['call', 'f(a="1")', 'f(a=1)'],
    ['call', 'f(a=1)', 'f(b=1)'],
    ['call', '[f(a=1)]', '[f(a=1), f(a=1)]'],
    ['call', 'f(a=[1, 2])', 'f(a=[2, 1])'],
  ] as const)('%s: %s is not %s', (kind, one, other) => {
    expect(canonicalAnswer(kind, one)).not.toBe(canonicalAnswer(kind, other))
  })

  test.each([
    ['number', 'cannot be determined'],
    ['number', ''],
    ['number', 'Infinity'],
    ['label', '  '],
    ['call', 'I would call f(a=1) here'],
    ['call', 'f(a=1'],
    ['call', 'f(a=)'],
    ['call', '[]'],
    ['call', '[1, 2]'],
    ['call', '{"a": 1, "b": 2}'],
    ['call', `f(a=${'['.repeat(5_000)})`],
    ['text', '   '],
    ['number', null],
    [null, 'A'],
    ['text', 'x'.repeat(30_000)],
  ] as const)('%s: %s is no answer that a check may accept', (kind, raw) => {
    expect(canonicalAnswer(kind, raw)).toBeUndefined()
  })

  test('an object key named like a prototype member is only a key', () => {
    expect(proposedCalls('f(__proto__=1, constructor=2)')).toBeDefined()
    expect(
      passesSchema('f(constructor=2)', [{ name: 'f', parameters: { type: 'dict', properties: { a: { type: 'any' } } } }]),
    ).toBe(false)
  })
})

describe('the schema check', () => {
  const offered = [
    {
      name: 'geo.area',
      parameters: {
        type: 'dict',
        properties: {
          base: { type: 'integer' },
          unit: { type: 'string', enum: ['m', 'ft'] },
          points: { type: 'array', items: { type: 'float' } },
          pair: { type: 'tuple' },
          options: { type: 'dict', properties: { deep: { type: 'boolean' } }, required: ['deep'] },
        },
        required: ['base'],
      },
    },
  ]

  test.each([
    ['geo.area(base=5)', true],
    ['[{"geo_area": {"base": 5, "unit": "m"}}]', true],
    ['geo.area(base=5, points=[1, 2.5])', true],
    ['geo.area(base=5, options={"deep": True})', true],
    ['geo.area(base="5")', true],
    ['geo.area(base=5, pair=(1, 2))', true],
    ['geo.area(base=5.5)', false],
    ['geo.area(unit="m")', false],
    ['geo.area(base=5, unit="km")', false],
    ['geo.area(base=5, colour="red")', false],
    ['geo.area(base=5, points=["x", [1]])', false],
    ['geo.area(base=5, options={})', false],
    ['geo.area(base=5, options=[1])', false],
    ['geo.area(base=5, unit=7)', false],
    ['geo.volume(base=5)', false],
    ['Sure! geo.area(base=5)', false],
    ['[geo.area(base=5), geo.area()]', false],
  ])('%s: %s', (reply, passes) => {
    expect(passesSchema(reply, offered)).toBe(passes)
  })
})
