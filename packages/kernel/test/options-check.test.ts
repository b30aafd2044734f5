import { secret } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { nearest } from '../src/assembly/nearest.ts'
import { checkOptions } from '../src/assembly/options-check.ts'

const messages = async (schema: z.ZodType, input: unknown): Promise<readonly string[]> =>
  (await checkOptions('x', schema, input)).problems.map(({ message, mend }) => `${message}: ${mend}`)

describe('unknown options', () => {
  const schema = z.strictObject({
    maxBytes: z.number().default(1),
    pool: z.strictObject({ timeoutMs: z.number() }).optional(),
    peers: z.array(z.strictObject({ host: z.string() })).optional(),
    labels: z.record(z.string(), z.strictObject({ text: z.string() })).optional(),
    auth: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('key'), header: z.string() }),
        z.strictObject({ kind: z.literal('basic'), user: z.string() }),
      ])
      .optional(),
    anything: z.looseObject({}).optional(),
  })

  test.each([
    [{ maxByte: 1 }, 'unknown option "maxByte": Did you mean "maxBytes"?'],
    [{ MAXBYTES: 1 }, 'unknown option "MAXBYTES": Did you mean "maxBytes"?'],
    [{ pool: { timeoutMs: 1, timeout: 2 } }, 'unknown option "pool.timeout": Did you mean "pool.timeoutMs"?'],
    [{ peers: [{ host: 'a' }, { host: 'b', hots: 'c' }] }, 'unknown option "peers.1.hots": Did you mean "peers.1.host"?'],
    [{ labels: { mine: { text: 'a', txt: 'b' } } }, 'unknown option "labels.mine.txt": Did you mean "labels.mine.text"?'],
    [{ auth: { kind: 'basic', user: 'u', usr: 'h' } }, 'unknown option "auth.usr": Did you mean "auth.user"?'],
    [{ auth: { kind: 'basic', user: 'u', headr: 'h' } }, 'unknown option "auth.headr": Remove it, or use one of: kind, user'],
  ])('%j', async (input, expected) => {
    expect(await messages(schema, input)).toEqual([expected])
  })

  test('keys of open objects are all known', async () => {
    expect(await messages(schema, { anything: { goes: true } })).toEqual([])
  })

  test('an unknown and an invalid option are both told, each once', async () => {
    expect(await messages(schema, { maxBytes: 'x', colour: 1, pool: { timeoutMs: 'y' } })).toEqual([
      'unknown option "colour": Remove it, or use one of: maxBytes, pool, peers, labels, auth, anything',
      expect.stringContaining('option "maxBytes" is not valid'),
      expect.stringContaining('option "pool.timeoutMs" is not valid'),
    ])
  })

  test('a schema that knows no option says so', async () => {
    expect(await messages(z.strictObject({}), { a: 1 })).toEqual(['unknown option "a": Remove it: no option is known here'])
  })

  test('an object schema that would strip an unknown key in silence is held to it too', async () => {
    expect(await messages(z.object({ size: z.number().optional() }), { sze: 1 })).toEqual([
      'unknown option "sze": Did you mean "size"?',
    ])
  })

  test('a recursive schema is followed through its references', async () => {
    const tree = z.strictObject({
      get children() {
        return z.array(tree).optional()
      },
    })
    expect(await messages(tree, { children: [{ children: [{ child: 1 }] }] })).toEqual([
      expect.stringContaining('unknown option "children.0.children.0.child"'),
    ])
  })

  test('intersections, tuples and unions with other types are walked', async () => {
    const schema = z.object({
      both: z.intersection(z.object({ left: z.string() }), z.object({ right: z.string() })).optional(),
      pair: z.tuple([z.string(), z.strictObject({ deep: z.number() })]).optional(),
      either: z.union([z.string(), z.strictObject({ name: z.string() })]).optional(),
    })
    expect(await messages(schema, { both: { left: 'a', right: 'b' }, pair: ['a', { deep: 1 }], either: 'x' })).toEqual([])
    expect(await messages(schema, { both: { left: 'a', right: 'b', rihgt: 1 } })).toEqual([
      'unknown option "both.rihgt": Did you mean "both.right"?',
    ])
    expect(await messages(schema, { pair: ['a', { deep: 1, deap: 1 }] })).toEqual([
      'unknown option "pair.1.deap": Did you mean "pair.1.deep"?',
    ])
    expect(await messages(schema, { either: { name: 'x', nane: 'y' } })).toEqual([
      'unknown option "either.nane": Did you mean "either.name"?',
    ])
  })
})

test('clients, functions and secrets pass through as they are', async () => {
  class Client {
    readonly inner = { untold: true }
  }
  const client = new Client()
  const onEvent = (): void => {}
  const key = secret('s3cr3t')
  const schema = z.strictObject({ client: z.instanceof(Client), onEvent: z.custom<() => void>(), key: z.any() })
  const checked = await checkOptions('x', schema, { client, onEvent, key, extra: 1 })
  expect(checked.problems.map((problem) => problem.message)).toEqual(['unknown option "extra"'])
  expect(checked.options).toMatchObject({ client, onEvent, key })
  expect((checked.options as { client: Client }).client).toBe(client)
  expect((checked.options as { key: unknown }).key).toBe(key)
})

test('the input itself is not changed', async () => {
  const input = { pool: { timeoutMs: 1, colour: 2 } }
  await checkOptions('x', z.strictObject({ pool: z.strictObject({ timeoutMs: z.number() }) }), input)
  expect(input).toEqual({ pool: { timeoutMs: 1, colour: 2 } })
})

const plain = (validate: (input: unknown) => unknown, jsonSchema?: object): object => ({
  '~standard': { version: 1, vendor: 'acme', validate, ...(jsonSchema === undefined ? {} : { jsonSchema }) },
})

test.each([
  ['has no JSON Schema', undefined],
  [
    'cannot be told in one',
    {
      input: () => {
        throw new Error('no date')
      },
    },
  ],
  ['tells nonsense', { input: () => 'yes' }],
])('a schema that %s speaks by its own issues', async (_, jsonSchema) => {
  const schema = plain(
    () => ({ issues: [{ message: 'what is "a"?', path: ['b', { key: 'a' }] }, { message: 'all wrong' }] }),
    jsonSchema,
  )
  expect((await checkOptions('x', schema, { b: { a: 1 } })).problems).toEqual([
    { code: 'CONFIG_INVALID', plugin: 'x', message: 'option "b.a" is not valid: what is "a"?', mend: 'Correct "b.a"' },
    { code: 'CONFIG_INVALID', plugin: 'x', message: 'its options are not valid: all wrong', mend: 'Correct the options' },
  ])
})

test('a schema that throws is the fault of its author', async () => {
  const schema = plain(() => {
    throw new Error('boom')
  })
  expect((await checkOptions('x', schema, {})).problems).toMatchObject([
    { message: expect.stringContaining('boom'), mend: expect.stringContaining('author') },
  ])
})

test('asynchronous validation and transforms give the options', async () => {
  const schema = z.strictObject({ size: z.number().default(3) }).transform(async ({ size }) => ({ double: size * 2 }))
  expect(await checkOptions('x', schema, {})).toEqual({ options: { double: 6 }, problems: [] })
})

describe('nearest', () => {
  test.each([
    ['timeout', ['timeoutMs', 'retries'], 'timeoutMs'],
    ['ulr', ['url', 'user'], 'url'],
    ['completely', ['url', 'user'], undefined],
    ['x', ['y'], undefined],
    ['a', [], undefined],
  ])('%s of %j is %s', (name, candidates, expected) => {
    expect(nearest(name, candidates)).toBe(expected)
  })

  test('one edit of a name of four letters or more finds it again', () => {
    const word = fc.stringMatching(/^[a-z]{4,12}$/)
    fc.assert(
      fc.property(word, fc.nat(), fc.constantFrom('drop', 'double', 'change', 'swap'), (name, at, edit) => {
        const index = at % (name.length - 1)
        const letters = [...name]
        if (edit === 'drop') letters.splice(index, 1)
        if (edit === 'double') letters.splice(index, 0, letters[index] as string)
        if (edit === 'change') letters[index] = '_'
        if (edit === 'swap') letters.splice(index, 2, letters[index + 1] as string, letters[index] as string)
        expect(nearest(letters.join(''), [name, 'zzzzzzzzzzzzzzzzzzzz'])).toBe(name)
      }),
    )
  })
})
