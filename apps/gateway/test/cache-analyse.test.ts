import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HASHED_DIMENSIONS, sparseNgrams } from '@switchyard/cache-semantic'
import { sparseIndex } from '@switchyard/cache-semantic/evaluate'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { linesOf, TOO_LONG } from '../src/cli/cache/lines.ts'
import { readLogLine } from '../src/cli/cache/log-line.ts'
import { partitionedIndex } from '../src/cli/cache/partitioned-index.ts'
import { cli } from './support/cli.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-cache-analyse-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

type Json = Record<string, unknown>

const chat = (text: string, more: Json = {}): Json => ({
  model: 'openai/gpt-4o',
  messages: [{ role: 'user', content: text }],
  ...more,
})

async function analysed(lines: readonly (Json | string)[], args: readonly string[] = []) {
  const path = join(folder, `${Math.random()}.jsonl`)
  await writeFile(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  const { out, err, code } = await cli(['cache', 'analyse', '--log', path, '--json', ...args], folder)
  expect({ err, code }).toEqual({ err: '', code: 0 })
  return JSON.parse(out)
}

describe('switchyard cache analyse', () => {
  test('counts repeats by the gateway’s own key, and what it leaves alone by reason', async () => {
    const found = await analysed([
      chat('How?'),
      chat('  How? ', { user: 'somebody', stream: true }),
      chat('how'),
      chat('How?', { temperature: 0.7 }),
      chat('How?', { n: 2 }),
      chat('How?', { tools: [{ type: 'function', function: { name: 'f' } }] }),
      { body: chat('How?'), tenant: 'other' },
      { request: JSON.stringify(chat('How?')), tenant: 'other' },
      { body: { model: 'openai/text-embedding-3-small', input: 'How?' }, path: '/v1/embeddings' },
    ])
    expect(found).toMatchObject({ requests: 9, eligible: 6, repeats: { exact: 2, normalised: 1, labelled: 0 }, timed: false })
    expect(Object.fromEntries(found.bypassed.map(({ reason, count }: Json) => [reason, count]))).toEqual({
      sampling: 1,
      'many-answers': 1,
      tools: 1,
    })
    expect(found.likeness).toMatchObject({ judgedBy: 'nothing', rows: [], asked: 5 })
    const told = await analysed([chat('How?'), chat('How?', { temperature: 0.7 })], ['--sampling', 'any'])
    expect(told).toMatchObject({ eligible: 2 })
  })

  test('what the gateway would refuse is counted as that, and credentials in the log tell nothing apart', async () => {
    const found = await analysed([
      { body: chat('How?'), headers: { 'cache-control': 'max-age=soon' } },
      { body: chat('How?'), headers: { Authorization: 'Bearer a' } },
      { body: chat('How?'), headers: { 'X-API-Key': 'b' } },
    ])
    expect(found).toMatchObject({ eligible: 2, bypassed: [{ reason: 'invalid', count: 1 }], repeats: { exact: 1 } })
  })

  test('a bar shows on a terminal how far it is, and is cleared', async () => {
    const before = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY')
    Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true })
    try {
      const path = join(folder, 'bar.jsonl')
      await writeFile(path, Array.from({ length: 1_200 }, (_, at) => JSON.stringify(chat(`text ${at % 7}`))).join('\n'))
      const { out, err } = await cli(['cache', 'analyse', '--log', path], folder)
      expect(out).toMatch(/^1200 requests/)
      expect(err).toMatch(/█+░* +\d+ % {2}reading/)
      expect(err).toMatch(/near repeats/)
      expect(err.endsWith('\r\x1b[K')).toBe(true)
    } finally {
      if (before === undefined) Reflect.deleteProperty(process.stderr, 'isTTY')
      else Object.defineProperty(process.stderr, 'isTTY', before)
    }
  })

  test('scope decides who shares', async () => {
    const lines = ['a', 'b', 'a'].map((key) => ({ body: chat('How?'), key }))
    expect(await analysed(lines)).toMatchObject({ repeats: { exact: 1 } })
    expect(await analysed(lines, ['--scope', 'tenant'])).toMatchObject({ repeats: { exact: 2 } })
  })

  test('lifetimes, requests at once and sizes', async () => {
    const minute = 60_000
    const at = (offset: number, more: Json = {}): Json => ({ at: 1_700_000_000_000 + offset, body: chat('How?'), ...more })
    const found = await analysed([
      at(0, { durationMs: 500 }),
      at(400),
      at(600),
      at(30 * minute),
      at(25 * 60 * minute),
      at(24 * 60 * minute),
    ])
    const by = Object.fromEntries(found.byTtl.map(({ ttlMs, hits, coalesced }: Json) => [String(ttlMs), [hits, coalesced]]))
    // The last line's time is before the one above it: it counts at that one's, and so comes while it is fetched.
    expect(found).toMatchObject({ timed: true, outOfOrder: 1, repeats: { exact: 5 } })
    expect(by).toEqual({
      [minute]: [1, 2],
      [10 * minute]: [1, 2],
      [60 * minute]: [2, 2],
      [1_440 * minute]: [2, 2],
      [10_080 * minute]: [4, 1],
      null: [4, 1],
    })
    const large = 'x'.repeat(700_000)
    const lines = ['a', 'b', 'a', 'b', 'c', 'a'].map((text) => ({ body: chat(text), response: large }))
    expect((await analysed(lines, ['--near', '1', '2'])).bySize).toEqual([
      { bytes: 1_048_576, hits: 0 },
      { bytes: 2_097_152, hits: 2 },
    ])
  })

  test('with labels the audited policy is replayed at each bound; with answers alone it is said how they are compared', async () => {
    const topics = ['reset my password', 'track my order', 'cancel my subscription']
    const forms = ['how do i', 'how can i', 'i want to', 'help me', 'what must i do to', 'tell me how to']
    const lines = Array.from({ length: 900 }, (_, index) => {
      const topic = topics[index % 3] as string
      const word = String.fromCharCode(97 + (index % 26), 97 + (Math.floor(index / 26) % 26), 97 + ((index * 11) % 26))
      return { body: chat(`${forms[index % 6]} ${topic} ${word}`), label: topic }
    })
    const found = await analysed(lines, ['--epsilon', '0.03'])
    expect(found.repeats).toMatchObject({ labelled: 900, sameAnswer: 897 })
    expect(found.likeness).toMatchObject({ judgedBy: 'labels', judged: 900 })
    const [row] = found.likeness.rows
    expect(row).toMatchObject({ epsilon: 0.03, held: true })
    expect(row.alike).toBeGreaterThan(0.1)
    expect(found.likeness.rows).toHaveLength(1)

    const answers = lines
      .slice(0, 30)
      .map(({ body, label }) => ({ body, response: { choices: [{ message: { content: `Do: ${label}!` } }] } }))
    const other = await analysed(answers)
    expect(other.repeats).toMatchObject({ labelled: 30, sameAnswer: 27 })
    expect(other.likeness).toMatchObject({ judgedBy: 'answers', judged: 30 })
    expect(other.likeness.rows.map(({ epsilon }: Json) => epsilon)).toEqual([0.005, 0.01, 0.03])
  })

  test('a neighbour of another tenant or prompt is none', async () => {
    const lines = ['a', 'b', 'c', 'd'].map((tenant) => ({
      body: chat(`how do i reset my password ${tenant}${tenant}`),
      tenant,
    }))
    expect((await analysed(lines)).likeness.near.map(({ count }: Json) => count)).toEqual([0, 0, 0])
    const same = lines.map((line) => ({ ...line, tenant: 'a' }))
    expect((await analysed(same)).likeness.near.at(-1).count).toBe(3)
  })

  test('money: usage where the log has it, else estimates; repeats apart', async () => {
    const usage = { prompt_tokens: 1_000_000, completion_tokens: 0, total_tokens: 1_000_000 }
    const found = await analysed([
      { body: chat('How?'), usage },
      { body: chat('How?'), usage },
      { body: chat('How?', { model: 'gpt-4o' }) },
      { body: chat('How?', { model: 'nobody/nothing' }) },
    ])
    const [first, second, third] = found.models
    expect(first).toMatchObject({ model: 'openai/gpt-4o', requests: 2, repeats: 1, estimated: 0 })
    expect(first.micro).toBe(2 * first.repeatMicro)
    expect(first.micro).toBeGreaterThan(1_000_000)
    expect(second).toMatchObject({ model: 'gpt-4o', estimated: 1, withoutOutput: 1 })
    expect(second.micro).toBeGreaterThan(0)
    expect(third).not.toHaveProperty('micro')
  })

  test('bad lines are counted and named; where all are bad, it fails', async () => {
    const found = await analysed([
      chat('x'),
      '{',
      '[]',
      '',
      '{"messages":[]}',
      '{"model":"a"}',
      '{"body":7}',
      '{"body":"{"}',
      'null',
    ])
    expect(found.badLines.count).toBe(7)
    expect(found.badLines.first.map(({ line, why }: Json) => `${line} ${why}`)).toEqual([
      '2 the line is no JSON',
      '3 the line is no JSON object',
      '5 its request names no model',
      '6 its request has no messages, input or prompt; name its endpoint',
      '7 its body is no JSON object',
    ])
    const path = join(folder, 'bad.jsonl')
    await writeFile(path, '{\n')
    for (const [file, why] of [
      [path, /CONFIG_INVALID.*holds no request.*Line 1: the line is no JSON/],
      [join(folder, 'none'), /cannot be read/],
      [folder, /cannot be read/],
    ] as const) {
      const { err, code } = await cli(['cache', 'analyse', '--log', file], folder)
      expect(err).toMatch(why)
      expect(code).toBe(1)
    }
  })

  test('memory is bounded, and it is said where that hides repeats', async () => {
    const lines = ['a', 'b', 'c', 'c', 'a'].map((text) => chat(text))
    expect(await analysed(lines, ['--max-distinct', '2', '--max-alike', '3'])).toMatchObject({
      repeats: { exact: 1, cappedAt: 2 },
      likeness: { asked: 5, looked: 3 },
    })
  })

  test('is printed for people too, and a bound of 0 is refused', async () => {
    const path = join(folder, 'printed.jsonl')
    await writeFile(
      path,
      [chat('How?'), chat('How?'), '{'].map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
    )
    const { out } = await cli(['cache', 'analyse', '--log', path], folder)
    expect(out).toMatch(/2 requests, of which the cache would look up 2 \(100.00 %\)/)
    expect(out).toMatch(/1 lines hold no request and were passed over \(line 3: the line is no JSON\)/)
    expect(out).toMatch(/exact, by the gateway’s own key +1 +50.00/)
    expect(out).toMatch(/no wrong rate is: give lines a label/)
    expect(out).toMatch(/No line has a time/)
    const timed = [
      { at: 1_700_000_100_000, body: chat('a'), response: 'yes' },
      { at: 1_700_000_000_000, body: chat('a', { model: 'nobody/\u001b[31m' }), response: 'yes' },
      ...Array.from({ length: 11 }, (_, at) => chat('a', { model: `nobody/${at}` })),
      chat('a', { n: 2 }),
    ]
    await writeFile(path, timed.map((line) => JSON.stringify(line)).join('\n'))
    const { out: more } = await cli(['cache', 'analyse', '--log', path, '--max-alike', '3', '--max-distinct', '2'], folder)
    expect(more).toMatch(/many-answers +1 +7.14/)
    expect(more).toMatch(/1 h +0.00 +0.00/)
    expect(more).toMatch(/1 requests have an earlier time/)
    expect(more).toMatch(/More than 2 distinct requests/)
    expect(more).toMatch(/the wrong rate is at most this.*The first 3 of 13 were looked at/)
    expect(more).toMatch(/3 more models are in the total/)
    expect(more).toMatch(/12 models have no price/)
    expect(more).not.toContain('\u001b')
    await writeFile(path, JSON.stringify({ model: 'a/embed', input: 'x' }))
    expect((await cli(['cache', 'analyse', '--log', path], folder)).out).toMatch(/no request may be answered by another/)
    await writeFile(path, ['a', 'b'].map((label) => JSON.stringify({ body: chat('How?'), label })).join('\n'))
    expect((await cli(['cache', 'analyse', '--log', path], folder)).out).toMatch(/EPSILON %.*WRONG % OF ALL/)
    expect((await cli(['cache', 'analyse', '--log', path, '--epsilon', '0'], folder)).code).not.toBe(0)
  })
})

describe('the reading of a log', () => {
  test('lines are whole whatever pieces they come in, and one that is too long is known by nothing else', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'ö', '€', '🙂', '\r') })
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1 }), fc.integer({ min: 1, max: 7 }), async (lines, step) => {
        const bytes = Buffer.from(lines.join('\n'))
        async function* pieces(): AsyncGenerator<Buffer> {
          for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
        }
        const most = 5
        const found: (string | typeof TOO_LONG)[] = []
        for await (const line of linesOf(pieces(), most)) found.push(line)
        const expected = lines.map((line) => (line.length > most ? TOO_LONG : line))
        if (expected.at(-1) === '') expected.pop()
        expect(found).toEqual(expected)
      }),
    )
  })

  test('knows times, endpoints and answers as logs write them', () => {
    const read = (row: Json) => readLogLine(JSON.stringify(row))
    expect(read({ ...chat('x'), time: '2026-01-02T03:04:05Z' }).at).toBe(Date.UTC(2026, 0, 2, 3, 4, 5))
    expect(read({ ...chat('x'), timestamp: 1_700_000_000 }).at).toBe(1_700_000_000_000)
    expect(read({ ...chat('x'), time: 'noon' }).at).toBeUndefined()
    expect(read({ ...chat('x'), time: 1 }).body).toEqual(chat('x'))
    expect(read(chat('x', { system: 'y' })).endpoint).toBe('messages')
    expect(read({ model: 'a', prompt: 'x' }).endpoint).toBe('completions')
    expect(read({ model: 'a', input: 'x' }).endpoint).toBe('responses')
    expect(read({ model: 'a-embed', input: 'x' }).endpoint).toBe('embeddings')
    expect(read({ model: 'a', query: 'x', documents: [] }).endpoint).toBe('rerank')
    expect(read({ body: { input: 'x' }, model: 'a' })).toMatchObject({ model: 'a', body: { model: 'a' } })
    expect(() => read({ ...chat('x'), endpoint: 'nothing' })).toThrow(/endpoint is none/)
    expect(read({ body: chat('x'), response: '{"content":[{"type":"text","text":"hi"}]}' })).toMatchObject({
      answer: 'hi',
      answerBytes: 41,
    })
    expect(read({ body: chat('x'), answer: 'yes', headers: { 'Cache-Control': 'no-store', x: 1 } })).toMatchObject({
      answer: 'yes',
      headers: { 'cache-control': 'no-store' },
    })
  })

  test('neighbours within a partition are those that an index of it alone finds', () => {
    const words = ['reset', 'password', 'order', 'track', 'cancel', 'now', 'please']
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom('a', 'b'),
            fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }),
            fc.boolean(),
          ),
          { minLength: 1, maxLength: 160, size: 'max' },
        ),
        (entries) => {
          const index = partitionedIndex()
          const alone = sparseIndex(HASHED_DIMENSIONS)
          const outer: number[] = []
          for (const [id, [partition, text, isGone]] of entries.entries()) {
            const vector = sparseNgrams(text.join(' '))
            index.add({ partition, vector })
            if (partition === 'a') {
              outer.push(id)
              alone.add(vector)
            }
            if (!isGone) continue
            index.remove(id)
            if (partition === 'a') alone.remove(outer.length - 1)
          }
          const vector = sparseNgrams('reset my password')
          const found = index.nearest({ partition: 'a', vector }, 200)
          const expected = alone.nearest(vector, 200)
          expect(found.map(({ similarity }) => similarity.toFixed(5))).toEqual(
            expected.map(({ similarity }) => similarity.toFixed(5)),
          )
          expect(new Set(found.map(({ id }) => id))).toEqual(new Set(expected.map(({ id }) => outer[id])))
        },
      ),
      { numRuns: 40 },
    )
    expect(partitionedIndex().nearest({ partition: 'x', vector: sparseNgrams('a') }, 1)).toEqual([])
  })
})
