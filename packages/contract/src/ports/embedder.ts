import { definePort, type Port } from '../port.ts'
import type { CallOptions } from '../runtime.ts'

/** Makes vectors of texts: the nearer two of them by cosine, the more alike the texts. */
export interface Embedder {
  /**
   * Names the vectors, not the plugin: it changes whenever the vector of any text would, with another model, size or way of
   * preparing texts. Vectors of two ids are never compared, so whoever stores vectors stores it with them. Never empty.
   */
  readonly id: string
  /** Length of every vector; a whole number from 1. */
  readonly dimensions: number
  /**
   * Tokens that one text may have, a whole number from 1. The embedder counts in its own way; it counts a word of four letters
   * or more, with blanks around it, at least once.
   */
  readonly maxTokens: number
  /**
   * One vector a text, in the order of the texts; of no texts, none. Each is of unit length, or all zeros where the text has nothing
   * to go by, as an empty one. Equal texts have equal vectors under one `id`, up to rounding, alone as among others. The arrays
   * are the caller's. Rejects as a whole with `INVALID_REQUEST` for what is no list of strings, and with `TOO_LARGE` where a text has
   * more than `maxTokens`: none is cut.
   */
  embed(texts: readonly string[], options?: CallOptions): Promise<readonly Float32Array[]>
}

export const embedder: Port<Embedder> = definePort<Embedder>('embedder', 1)
