import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HASHED_DIMENSIONS, hashedNgrams, sparseNgrams } from '../src/encoder/hashed-ngrams.ts'
import { wordsOf } from '../src/encoder/words.ts'
import { denseIndex, sparseIndex } from '../src/evaluate/nearest.ts'

const cosine = (one: Float32Array, other: Float32Array): number =>
  one.reduce((sum, value, at) => sum + value * (other[at] as number), 0)
const text = fc.string({ unit: 'grapheme', maxLength: 60 })

describe('hashed n-grams', () => {
  test('a text without letters or digits gives zeros, never NaN', () => {
    for (const blank of ['', ' ', '?!…', '\u{1f600}']) expect(hashedNgrams(blank).every((value) => value === 0)).toBe(true)
  })

  test('words are read in any script, case and compatibility forms folded', () => {
    expect(wordsOf('Größe ＡＢＣ ﬁx №5')).toEqual(['größe', 'abc', 'fix', 'no5'])
    expect(wordsOf('что это? 東京')).toEqual(['что', 'это', '東京'])
  })

  test('is of unit length or nought, the same each time, dense and sparse alike', () => {
    fc.assert(
      fc.property(text, (asked) => {
        const vector = hashedNgrams(asked)
        const { indexes, counts, scale } = sparseNgrams(asked)
        expect(vector).toHaveLength(HASHED_DIMENSIONS)
        expect(vector).toEqual(hashedNgrams(asked))
        const length = Math.sqrt(cosine(vector, vector))
        expect(length === 0 || Math.abs(length - 1) < 1e-5).toBe(true)
        for (let at = 0; at < indexes.length; at += 1)
          expect(vector[indexes[at] as number]).toBeCloseTo((counts[at] as number) * scale, 5)
        expect(indexes.length).toBe(vector.filter((value) => value !== 0).length)
      }),
    )
  })

  test('a paraphrase is nearer than another question', () => {
    const asked = hashedNgrams('how do i reset my password')
    expect(cosine(asked, hashedNgrams('how can I reset the password?'))).toBeGreaterThan(
      cosine(asked, hashedNgrams('what is the weather in boston')) + 0.3,
    )
  })
})

describe('exact search', () => {
  test('the sparse and the dense index find what comparing all does, and nothing removed', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), text, fc.nat(), (stored, asked, gone) => {
        const [sparse, dense] = [sparseIndex(HASHED_DIMENSIONS), denseIndex(HASHED_DIMENSIONS)]
        for (const one of stored) {
          sparse.add(sparseNgrams(one))
          dense.add(hashedNgrams(one))
        }
        sparse.remove(gone % stored.length)
        dense.remove(gone % stored.length)
        const expected = stored
          .map((one, id) => ({ id, similarity: cosine(hashedNgrams(one), hashedNgrams(asked)) }))
          .filter(({ id }) => id !== gone % stored.length)
          .map(({ similarity }) => similarity)
          .toSorted((a, b) => b - a)
          .slice(0, 5)
        for (const found of [sparse.nearest(sparseNgrams(asked), 5), dense.nearest(hashedNgrams(asked), 5)]) {
          expect(found).toHaveLength(expected.length)
          for (const [at, { similarity, id }] of found.entries()) {
            expect(similarity).toBeCloseTo(expected[at] as number, 5)
            expect(id).not.toBe(gone % stored.length)
          }
        }
      }),
      { numRuns: 40 },
    )
  })

  test('grows past its first room', () => {
    const index = sparseIndex(HASHED_DIMENSIONS)
    for (let at = 0; at < 1_500; at += 1) index.add(sparseNgrams(`question number ${at}`))
    expect(index.nearest(sparseNgrams('question number 1400'), 1)).toMatchObject([{ id: 1_400 }])
    const dense = denseIndex(16)
    for (let at = 0; at < 1_500; at += 1) dense.add(Float32Array.from({ length: 16 }, (_, place) => Number(place === at % 16)))
    expect(
      dense.nearest(
        Float32Array.from({ length: 16 }, (_, place) => Number(place === 3)),
        1,
      ),
    ).toMatchObject([{ similarity: 1 }])
  })
})
