import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countTokens } from '../../src/index.ts'
import { loadO200k } from '../../src/tokens/o200k.ts'
import { stretches } from '../../src/tokens/runs.ts'
import { encodingSlices, heuristicSlices, LONGEST_PIECE } from '../../src/tokens/slices.ts'
import { pseudoRandomBase64, SAMPLES } from './samples.ts'

const encode = await loadO200k()

/** Every way of standing next to each other that the vocabulary's rules know: letters, digits, marks, spaces, lines, East Asian text. */
const unit = fc.constantFrom(
  ...[
    'a',
    'Z',
    'é',
    'ß',
    '́',
    '1',
    '42',
    '٣',
    '²',
    ' ',
    '  ',
    '\t',
    '\n',
    '\r\n',
    '\u00a0',
    '\u3000',
    '/',
    "'",
    "'s",
    "'LL",
    '.',
    '—',
    '(',
  ],
  ...[
    '漢',
    'の',
    '한',
    '。',
    '，',
    '々',
    '🧿',
    '👍🏽',
    '\ud800',
    '\0',
    '\u0085',
    '\u2009',
    'ก',
    '<|endoftext|>',
    'word',
    ' word',
    '\n/',
  ],
)
const text = fc.string({ unit, maxLength: 120 })

describe('encoding slices', () => {
  test('are the text, and their tokens are its tokens', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), (parts) => {
        // Repeated, so that the work of one slice is exceeded at many places.
        const whole = parts.join('').repeat(8)
        const slices = [...encodingSlices(whole)]
        expect(slices.join('')).toBe(whole)
        fc.pre(longestStretch(whole) < LONGEST_PIECE)
        expect(slices.reduce((sum, slice) => sum + encode(slice), 0)).toBe(encode(whole))
      }),
      { numRuns: 300 },
    )
  })

  test('cut at every place that is safe, they still add up', () => {
    for (const [kind, sample] of Object.entries(SAMPLES)) {
      if (longestStretch(sample) >= LONGEST_PIECE) continue
      const whole = `${sample} `.repeat(Math.ceil(30_000 / sample.length))
      const slices = [...encodingSlices(whole)]
      expect(slices.length, kind).toBeGreaterThan(1)
      expect(
        slices.reduce((sum, slice) => sum + encode(slice), 0),
        kind,
      ).toBe(encode(whole))
    }
  })

  test.each([
    ['letters', 'a'],
    ['spaces', ' '],
    ['lines and slashes', '/\n'],
    ['marks and lines', '!\n\n/'],
    ['Chinese', '漢'],
    ['emoji', '🧿'],
    ['emoji, out of step', '🧿', '('],
    ['lone halves', '\udfff'],
    ['digits', '7'],
    ['lone surrogates', '\ud800'],
    ['null bytes', '\0'],
    ['accents', 'é'],
  ])('of 64 k of %s: each holds one piece of the longest kind', (_name, piece, before = '') => {
    const whole = before + piece.repeat(Math.ceil(65_536 / piece.length))
    const slices = [...encodingSlices(whole)]
    expect(slices.join('')).toBe(whole)
    expect(Math.max(...slices.map((slice) => slice.length))).toBeLessThan(2 * LONGEST_PIECE)
    for (const slice of slices) expect(slice.isWellFormed()).toBe(whole.isWellFormed())
  })
})

describe('heuristic slices', () => {
  test.each([
    ['a hostile run', 'a'.repeat(1_000_000)],
    ['base64', pseudoRandomBase64(750_000)],
    ['emoji', '🧿'.repeat(200_000)],
    ['prose', (SAMPLES.prose as string).repeat(1_600)],
    ['spaces', ' '.repeat(500_000)],
  ])('of 1 MB of %s: all of it, in slices of 4,096 characters at most', (_name, whole) => {
    const slices = [...heuristicSlices(whole, 4_096)]
    expect(slices.join('') === whole).toBe(true)
    expect(Math.max(...slices.map((slice) => slice.length))).toBeLessThanOrEqual(4_096)
    expect(slices.length).toBeLessThan(whole.length / 2_048)
    for (const slice of slices) expect(slice.isWellFormed()).toBe(true)
  })
})

test.each([
  ['openai', 1_048_576, 16_384],
  ['claude', 1_048_576, 16_384],
  ['claude', 65_536, 2_048],
])('a count for %s of %d characters pauses between slices of %d at most', async (family, length, longest) => {
  const mixed = `${'a'.repeat(400_000)} ${pseudoRandomBase64(300_000)} ${'word '.repeat(60_000)}`
  for (const whole of [mixed.slice(-length), 'a'.repeat(length), 'a '.repeat(length / 2), ' '.repeat(length)]) {
    let pauses = 0
    await countTokens(whole, { family, pause: async () => void pauses++ })
    expect(pauses).toBeGreaterThanOrEqual(Math.floor(whole.length / longest) - 1)
    expect(pauses).toBeLessThan((2 * whole.length) / longest)
  }
})

test('a count pauses by the turn of the event loop', async () => {
  let turns = 0
  const turn = (): void => {
    turns++
    immediate = setImmediate(turn)
  }
  let immediate = setImmediate(turn)
  await countTokens('word '.repeat(10_000), { family: 'claude' })
  clearImmediate(immediate)
  expect(turns).toBeGreaterThanOrEqual(20)
})

test('stretches are the text; runs above 2,000 characters stand alone', () => {
  const run = 'x'.repeat(2_001)
  expect([...stretches(`a b ${run} c`)].map(({ text: part, isRun }) => [part.length, isRun])).toEqual([
    [4, false],
    [2_001, true],
    [2, false],
  ])
  expect([...stretches('x'.repeat(2_000))]).toEqual([{ text: 'x'.repeat(2_000), isRun: false }])
  expect([...stretches('')]).toEqual([])
  const long = [...stretches(`${run.repeat(100)} ${'word '.repeat(40_000)}`)]
  expect(long.map(({ isRun }) => isRun)).toEqual([true, true, true, true, false, false, false, false])
  expect(Math.max(...long.map(({ text: part }) => part.length))).toBeLessThanOrEqual(65_540)
  const parts = fc.array(fc.constantFrom('a', ' ', '\n', run, 'word '))
  fc.assert(
    fc.property(parts, (pieces) => {
      const whole = pieces.join('')
      const found = [...stretches(whole)]
      expect(found.map((stretch) => stretch.text).join('') === whole).toBe(true)
      for (const { text: part, isRun } of found) expect(/\S{2001}/.test(part)).toBe(isRun)
    }),
  )
})

/** Longest by the coarsest of the cuts: white space after what is none. */
function longestStretch(whole: string): number {
  return Math.max(0, ...whole.split(/(?<=\S)(?=[ \t])/u).map((stretch) => stretch.length))
}
