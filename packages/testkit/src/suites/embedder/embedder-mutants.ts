import { type CallOptions, type Embedder, SwitchyardError } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'

type Vectors = readonly Float32Array[]

/** An embedder that does otherwise than a right one; what `change` leaves out stays right. */
function mutant(name: string, killedBy: string, change: (right: Embedder) => Partial<Embedder>): Mutant<Embedder> {
  return {
    name,
    killedBy,
    mutate(right) {
      const { id, dimensions, maxTokens } = right
      return { id, dimensions, maxTokens, embed: (texts, options) => right.embed(texts, options), ...change(right) }
    },
  }
}

/** One whose vectors are changed on their way out. */
function altered(
  name: string,
  killedBy: string,
  alter: (vectors: Vectors, asked: number, texts: readonly string[]) => Vectors,
): Mutant<Embedder> {
  return mutant(name, killedBy, (right) => {
    let asked = 0
    return { embed: async (texts, options) => alter(await right.embed(texts, options), asked++, texts) }
  })
}

const scaled = (vectors: Vectors, factor: number): Vectors => vectors.map((vector) => vector.map((value) => value * factor))

/** The reason of an aborted signal as it is, which is not always a SwitchyardError. */
const raw = (options: CallOptions | undefined): void => options?.signal?.throwIfAborted()

/** Embedders that break each promise. */
export const embedderMutants: readonly Mutant<Embedder>[] = [
  altered('turns-the-order', 'embedder.embed.keeps-order', (vectors) => vectors.toReversed()),
  mutant('leaves-out-repeated-texts', 'embedder.embed.keeps-order', (right) => ({
    embed: (texts, options) => right.embed([...new Set(texts)], options),
  })),
  altered('gives-every-text-one-vector', 'embedder.embed.keeps-order', (vectors) =>
    vectors.map((vector) => vector.map((_, at) => Number(at === 0))),
  ),
  altered('gives-one-vector-for-no-text', 'embedder.embed.keeps-order', (vectors, _, texts) =>
    texts.length === 0 ? [new Float32Array(1)] : vectors,
  ),
  mutant('states-one-dimension-more', 'embedder.embed.stated-dimensions', ({ dimensions }) => ({ dimensions: dimensions + 1 })),
  altered(
    'gives-plain-lists',
    'embedder.embed.stated-dimensions',
    (vectors) => vectors.map((vector) => Array.from(vector)) as unknown as Vectors,
  ),
  altered('divides-by-nought', 'embedder.embed.stated-dimensions', (vectors, _, texts) =>
    vectors.map((vector, at) => (texts[at] === '' ? vector.map(() => Number.NaN) : vector)),
  ),
  altered('leaves-the-length-as-it-is', 'embedder.embed.unit-length', (vectors) => scaled(vectors, 1.5)),
  altered('gives-zeros', 'embedder.embed.unit-length', (vectors) => scaled(vectors, 0)),
  altered('drifts', 'embedder.embed.repeatable', (vectors, asked) => scaled(vectors, asked % 2 === 0 ? 1 : -1)),
  altered('drifts-after-a-while', 'embedder.embed.repeatable', (vectors, asked) => scaled(vectors, asked < 2 ? 1 : -1)),
  mutant('has-no-id', 'embedder.embed.repeatable', () => ({ id: '' })),
  mutant('gives-kept-arrays', 'embedder.embed.gives-away-arrays', (right) => {
    const kept = new Map<string, Float32Array>()
    return {
      async embed(texts, options) {
        const vectors = await right.embed(texts, options)
        return vectors.map((vector, at) => {
          const key = `${at} ${texts[at]}`
          const before = kept.get(key) ?? vector
          kept.set(key, before)
          return before
        })
      },
    }
  }),
  mutant('gives-one-array-for-equal-texts', 'embedder.embed.gives-away-arrays', (right) => ({
    async embed(texts, options) {
      const vectors = await right.embed(texts, options)
      return texts.map((text) => vectors[texts.indexOf(text)] as Float32Array)
    },
  })),
  mutant('cuts-what-is-too-long', 'embedder.embed.too-large', (right) => ({
    embed: (texts, options) => right.embed(Array.isArray(texts) ? texts.map((text) => text.slice(0, 100)) : texts, options),
  })),
  mutant('passes-over-what-is-too-long', 'embedder.embed.too-large', (right) => ({
    embed: (texts, options) =>
      right.embed(texts, options).catch((error: unknown) => {
        if (SwitchyardError.is(error, 'TOO_LARGE')) return texts.map(() => new Float32Array(right.dimensions))
        throw error
      }),
  })),
  mutant('makes-texts-of-all', 'embedder.embed.refuses-what-is-no-text', (right) => ({
    embed: (texts, options) => right.embed(Array.from(texts ?? [], String), options),
  })),
  mutant('takes-one-text-for-a-list', 'embedder.embed.refuses-what-is-no-text', (right) => ({
    embed: (texts, options) => right.embed(typeof texts === 'string' ? [texts] : texts, options),
  })),
  mutant('throws-a-type-error', 'embedder.embed.refuses-what-is-no-text', (right) => ({
    async embed(texts, options) {
      for (const text of texts) text.trim()
      return right.embed(texts, options)
    },
  })),
  mutant('ignores-abort', 'embedder.embed.aborted-signal', (right) => ({ embed: (texts) => right.embed(texts) })),
  mutant('ignores-abort-of-no-texts', 'embedder.embed.aborted-signal', (right) => ({
    embed: async (texts, options) => (texts.length === 0 ? [] : right.embed(texts, options)),
  })),
  mutant('rejects-the-raw-reason', 'embedder.embed.aborted-signal', (right) => ({
    async embed(texts, options) {
      raw(options)
      return right.embed(texts, options)
    },
  })),
  mutant('hides-the-reason', 'embedder.embed.aborted-signal', (right) => ({
    async embed(texts, options) {
      if (options?.signal?.aborted === true) throw new SwitchyardError('ABORTED', 'aborted')
      return right.embed(texts, options)
    },
  })),
]
