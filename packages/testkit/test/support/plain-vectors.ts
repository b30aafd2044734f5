import { SwitchyardError, type VectorIndex, type VectorItem } from '@switchyard/contract'

export interface PlainVectorsOptions {
  readonly now: () => number
  /** Default: any. */
  readonly dimensions?: number
  /** Default: false. */
  readonly approximate?: boolean
}

/** The port in the plainest way: lists, searched from end to end. */
export function plainVectors({ now, dimensions, approximate = false }: PlainVectorsOptions): VectorIndex {
  const partitions = new Map<string, VectorItem[]>()
  const invalid = (message: string): SwitchyardError => new SwitchyardError('INVALID_REQUEST', message)
  const live = (name: string): VectorItem[] =>
    (partitions.get(name) ?? []).filter(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt > now())
  const begin = (name: string, signal: AbortSignal | undefined): void => {
    if (signal?.aborted) throw new SwitchyardError('ABORTED', 'aborted before it began')
    if (name === '') throw invalid('an empty partition')
  }
  const check = (name: string, vector: Float32Array): void => {
    const wanted = dimensions ?? partitions.get(name)?.[0]?.vector.length
    if (wanted !== undefined && vector.length !== wanted) throw invalid('another length')
    if (!(Math.hypot(...vector) > 0 && vector.every(Number.isFinite))) throw invalid('no direction')
  }
  return {
    capabilities: { dimensions: dimensions ?? 'any', shared: false, approximate },
    async upsert(name, items, options) {
      begin(name, options?.signal)
      for (const { id, vector, payload } of items) {
        if (id === '') throw invalid('an empty id')
        check(name, vector)
        if ((payload?.length ?? 0) > 16_384) throw new SwitchyardError('TOO_LARGE', 'a large payload')
      }
      for (const { id, vector, expiresAt, payload } of items) {
        const others = live(name).filter((item) => item.id !== id)
        const copy = { id, vector: vector.slice(), ...(expiresAt !== undefined && { expiresAt }) }
        partitions.set(name, [...others, { ...copy, ...(payload && { payload: new Uint8Array(payload) }) }])
      }
    },
    async nearest(name, { vector, count }, options) {
      begin(name, options?.signal)
      check(name, vector)
      if (!(Number.isInteger(count) && count >= 1 && count <= 1000)) throw invalid('a wrong count')
      const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, at) => sum + x * (b[at] as number), 0)
      return live(name)
        .map(({ id, vector: own, payload }) => {
          const cosine = dot(own, vector) / Math.hypot(...own) / Math.hypot(...vector)
          return { id, similarity: Math.max(-1, Math.min(1, cosine)), payload: payload && new Uint8Array(payload) }
        })
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, count)
    },
    async delete(name, ids, options) {
      begin(name, options?.signal)
      if (ids.includes('')) throw invalid('an empty id')
      partitions.set(
        name,
        live(name).filter(({ id }) => !ids.includes(id)),
      )
    },
  }
}
