// house: data table

/** Blocks of UTF-16 code units above ASCII by their last, and the o200k tokens that a unit takes there, measured on running text. */
const BLOCKS: readonly (readonly [last: number, tokens: number])[] = [
  [0x036f, 0.45], // Latin with accents, in words whose other letters are counted apart
  [0x03ff, 0.5], // Greek
  [0x052f, 0.33], // Cyrillic
  [0x058f, 0.6], // Armenian
  [0x05ff, 0.5], // Hebrew
  [0x08ff, 0.44], // Arabic
  [0x0dff, 0.4], // Scripts of India
  [0x0eff, 0.45], // Thai, Lao
  [0x10ff, 0.8], // Tibetan, Myanmar, Georgian
  [0x11ff, 1], // Hangul, in pieces
  [0x1fff, 1],
  [0x206f, 0.7], // Punctuation, joiners
  [0x2bff, 1], // Symbols
  [0x2fff, 1],
  [0x303f, 0.8], // Punctuation of Chinese and Japanese
  [0x30ff, 0.75], // Kana
  [0x33ff, 1],
  [0x4dbf, 2], // Rare Chinese
  [0x9fff, 0.85], // Chinese
  [0xabff, 1.5],
  [0xd7ff, 0.7], // Hangul
  [0xd82f, 1.5], // First halves: ancient scripts
  [0xd83f, 1.4], // Emoji
  [0xdbff, 2.5], // Rare Chinese, private use
  [0xdfff, 0.75], // Second halves
  [0xf8ff, 2], // Private use
  [0xfdff, 1],
  [0xfe0f, 0.7], // Variation selectors
  [0xffff, 0.9], // Full width
]

/** Sixteen units share a weight, so that blocks end where those do. */
const WEIGHTS: Float32Array = weights()

/** The o200k tokens that a code unit above ASCII takes on average. */
export function weightOf(code: number): number {
  return WEIGHTS[code >> 4] as number
}

function weights(): Float32Array {
  const table = new Float32Array(0x1000)
  let from = 0
  for (const [last, tokens] of BLOCKS) {
    table.fill(tokens, from, (last >> 4) + 1)
    from = (last >> 4) + 1
  }
  return table
}
