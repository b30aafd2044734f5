import assert from 'node:assert/strict'
import { type Embedder, SwitchyardError } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'

/** Ordinary texts, unlike each other; some in other scripts. */
const TEXTS: readonly string[] = Object.freeze([
  'how do i reset my password',
  'Wie wird das Wetter morgen in Boston?',
  'cancel the order of last Tuesday',
  'сколько стоит доставка',
  '東京から大阪まで',
])
/** Texts with little or nothing to go by. */
const BLANKS: readonly string[] = Object.freeze(['', ' ', '\n\t', '?!…', '\u{1f600}'])
/** Cosine from which two vectors are the same but for rounding: servers do not add up in the same order each time. */
const SAME = 0.999
/** How far a length may be from 1: single precision, over some thousand members. */
const LENGTH_SLACK = 1e-3

/** What every embedder promises. */
export const embedderCases: readonly ConformanceCase<Embedder>[] = [
  {
    id: 'embedder.embed.keeps-order',
    promise: 'there is one vector a text, in the order of the texts, the same as if the text were asked for alone',
    async check({ instance }) {
      const asked = Object.freeze([...TEXTS, ...TEXTS.slice(0, 2)])
      const vectors = await instance.embed(asked)
      assert.equal(vectors.length, asked.length, 'vectors for texts')
      for (const [at, text] of asked.entries()) {
        const alone = await one(instance, text)
        assert.ok(alike(vectors[at] as Float32Array, alone), `text ${at} has another vector than when it is asked for alone`)
      }
      for (const [at, vector] of vectors.slice(0, TEXTS.length).entries()) {
        for (const other of vectors.slice(at + 1, TEXTS.length))
          assert.ok(!alike(vector, other), `text ${at} has the vector of another text`)
      }
      assert.equal((await instance.embed([])).length, 0, 'vectors for no text')
    },
  },
  {
    id: 'embedder.embed.stated-dimensions',
    promise: 'every vector is a Float32Array as long as `dimensions` says, of finite numbers',
    async check({ instance }) {
      assert.ok(Number.isInteger(instance.dimensions) && instance.dimensions > 0, `dimensions: ${instance.dimensions}`)
      for (const vector of await instance.embed([...TEXTS, ...BLANKS])) {
        assert.ok(vector instanceof Float32Array, 'a vector is no Float32Array')
        assert.equal(vector.length, instance.dimensions, 'its length')
        assert.ok(vector.every(Number.isFinite), 'a member is no finite number')
      }
    },
  },
  {
    id: 'embedder.embed.unit-length',
    promise: 'vectors are of unit length; only a text with nothing to go by may have zeros alone',
    async check({ instance }) {
      const lengths = (await instance.embed([...TEXTS, ...BLANKS])).map((vector) => Math.sqrt(dot(vector, vector)))
      for (const [at, length] of lengths.entries()) {
        const blank = at >= TEXTS.length && length === 0
        assert.ok(blank || Math.abs(length - 1) <= LENGTH_SLACK, `vector ${at} has the length ${length}`)
      }
    },
  },
  {
    id: 'embedder.embed.repeatable',
    promise: 'asked again, a text has the same vector, whatever was asked in between, under the same id',
    async check({ instance }) {
      const { id } = instance
      assert.ok(typeof id === 'string' && id !== '', 'the id is empty')
      const first = await instance.embed(TEXTS)
      await instance.embed(TEXTS.map((text) => `${text}, and quickly`))
      // Twice, since what takes turns would be right every other time.
      for (const again of [await instance.embed(TEXTS), await instance.embed(TEXTS)]) {
        for (const [at, vector] of first.entries())
          assert.ok(alike(vector, again[at] as Float32Array), `text ${at} has another vector when it is asked for again`)
      }
      assert.equal(instance.id, id, 'the id has changed')
    },
  },
  {
    id: 'embedder.embed.gives-away-arrays',
    promise: 'the arrays are the caller’s: writing to one changes no other, now or later',
    async check({ instance }) {
      const text = TEXTS[0] as string
      const [mine, other] = (await instance.embed([text, text])) as [Float32Array, Float32Array]
      const before = mine.slice()
      mine.fill(7)
      assert.ok(alike(other, before), 'equal texts share an array')
      assert.ok(alike(await one(instance, text), before), 'what a caller wrote is given out again')
    },
  },
  {
    id: 'embedder.embed.too-large',
    promise: 'a text beyond `maxTokens` rejects TOO_LARGE, also among others, and is never cut',
    async check({ instance }) {
      assert.ok(Number.isInteger(instance.maxTokens) && instance.maxTokens > 0, `maxTokens: ${instance.maxTokens}`)
      const long = Array.from({ length: instance.maxTokens + 1 }, (_, at) => `word${at}`).join(' ')
      await rejectsWith(() => instance.embed([long]), 'TOO_LARGE', 'a text of more words than maxTokens')
      await rejectsWith(() => instance.embed([...TEXTS, long]), 'TOO_LARGE', 'such a text among others')
    },
  },
  {
    id: 'embedder.embed.refuses-what-is-no-text',
    promise: 'what is no list of strings rejects INVALID_REQUEST',
    async check({ instance }) {
      for (const wrong of [undefined, null, 'a text alone', {}, [undefined], [7], ['a text', null], [['a list']]])
        await rejectsWith(
          () => instance.embed(wrong as readonly string[]),
          'INVALID_REQUEST',
          JSON.stringify(wrong) ?? 'undefined',
        )
    },
  },
  {
    id: 'embedder.embed.aborted-signal',
    promise: 'a signal that has aborted rejects ABORTED, or with its reason where that is a SwitchyardError',
    async check({ instance }) {
      const late = new SwitchyardError('TIMEOUT', 'the caller’s time is up')
      for (const texts of [TEXTS, []]) {
        await rejectsWith(() => instance.embed(texts, { signal: AbortSignal.abort() }), 'ABORTED', 'an aborted call')
        const error = await rejectsWith(
          () => instance.embed(texts, { signal: AbortSignal.abort(late) }),
          'TIMEOUT',
          'a call whose time is up',
        )
        assert.equal(error, late, 'it rejects with another error than the reason')
      }
    },
  },
]

async function one(instance: Embedder, text: string): Promise<Float32Array> {
  return (await instance.embed([text]))[0] as Float32Array
}

function dot(vector: Float32Array, other: Float32Array): number {
  return vector.reduce((sum, value, at) => sum + value * (other[at] as number), 0)
}

function alike(vector: Float32Array, other: Float32Array): boolean {
  return dot(vector, other) >= SAME && dot(vector, vector) <= 1 / SAME
}
