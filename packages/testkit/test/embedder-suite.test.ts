import { type Embedder, SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { conformance, embedderSuite, judgeMutants, runSuite, type Subject } from '../src/index.ts'

const subjectOf = (instance: Embedder): Subject<Embedder> => ({
  name: 'letters by count',
  async open() {
    return { instance, now: () => 0, advance: async () => {}, fixture: undefined, close: async () => {} }
  },
})

/** Counts code units; a blank text has a vector too, as those of models have. */
const byLetters: Embedder = {
  id: 'letters-64',
  dimensions: 64,
  maxTokens: 20,
  async embed(texts, options) {
    const { signal } = options ?? {}
    if (signal?.aborted === true)
      throw SwitchyardError.is(signal.reason) ? signal.reason : new SwitchyardError('ABORTED', 'the call was aborted')
    if (!Array.isArray(texts) || texts.some((text) => typeof text !== 'string'))
      throw new SwitchyardError('INVALID_REQUEST', 'give a list of texts')
    if (texts.some((text) => text.split(' ').length > 20)) throw new SwitchyardError('TOO_LARGE', 'give 20 words at most')
    return texts.map((text) => {
      const vector = new Float32Array(64)
      vector[0] = 1
      for (let at = 0; at < text.length; at += 1) {
        const to = text.charCodeAt(at) % 64
        vector[to] = (vector[to] as number) + 1
      }
      const length = Math.hypot(...vector)
      return vector.map((value) => value / length)
    })
  },
}

describe('an embedder', () => conformance(embedderSuite, subjectOf(byLetters), test))

test('every mutant is killed by the case meant for it', async () => {
  const { problems, verdicts } = await judgeMutants(embedderSuite, subjectOf(byLetters))
  expect(problems).toEqual([])
  expect(verdicts.filter(({ verdict }) => verdict !== 'killed')).toEqual([])
})

test('one that rounds otherwise each time passes as well: no server adds up in one order', async () => {
  let asked = 0
  const rounded: Embedder = {
    ...byLetters,
    async embed(texts, options) {
      asked += 1
      const noise = asked % 2 === 0 ? 1e-5 : -1e-5
      return (await byLetters.embed(texts, options)).map((vector) => vector.map((value) => value + noise))
    },
  }
  expect((await runSuite(embedderSuite, subjectOf(rounded))).failed).toBe(0)
})
