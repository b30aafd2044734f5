import type { VectorIndex } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { withoutPayload } from './remembering.ts'
import { dimensionsOf } from './vectors.ts'
import { confusesPartitions, finds, mended, mutant, puts, silently } from './wrap.ts'

export const nearestMutants: readonly Mutant<VectorIndex>[] = [
  mutant('dimensions-of-none', 'vectors.capabilities.well-formed', (right) => ({
    capabilities: { ...right.capabilities, dimensions: 0 },
  })),
  mutant('unknown-partition-fails', 'vectors.nearest.unknown-partition-none', (right) => ({
    async nearest(partition, query, options) {
      const found = await right.nearest(partition, query, options)
      if (found.length === 0) throw new Error('no such partition')
      return found
    },
  })),
  mutant('score-from-0-to-1', 'vectors.nearest.tells-cosine', (right) =>
    finds(right, (matches) => matches.map((match) => ({ ...match, similarity: (1 + match.similarity) / 2 }))),
  ),
  mutant('distance-for-similarity', 'vectors.nearest.tells-cosine', (right) =>
    finds(right, (matches) => matches.map((match) => ({ ...match, similarity: 1 - match.similarity }))),
  ),
  mutant('no-opposites', 'vectors.nearest.tells-cosine', (right) =>
    finds(right, (matches) => matches.filter(({ similarity }) => similarity >= 0)),
  ),
  mutant('farthest-first', 'vectors.nearest.nearest-first', (right) => finds(right, (matches) => matches.toReversed())),
  mutant('in-order-of-ids', 'vectors.nearest.nearest-first', (right) =>
    finds(right, (matches) => matches.toSorted((a, b) => (b.id < a.id ? -1 : 1))),
  ),
  mutant('one-too-few', 'vectors.nearest.at-most-count', (right) =>
    finds(right, (matches, count) => matches.slice(0, Math.max(1, count - 1))),
  ),
  mutant('ten-at-most', 'vectors.nearest.at-most-count', (right) => finds(right, (matches) => matches.slice(0, 10))),
  mutant('any-number-of-matches', 'vectors.nearest.at-most-count', (right) => ({
    nearest: (partition, { vector }, options) => right.nearest(partition, { vector, count: 20 }, options),
  })),
  mutant('misses-the-second', 'vectors.nearest.misses-none', (right) => ({
    async nearest(partition, { vector, count }, options) {
      const found = await right.nearest(partition, { vector, count: Math.min(1000, count + 1) }, options)
      return found.filter((_, at) => at !== 1).slice(0, count)
    },
  })),
  mutant('rounds-to-int8', 'vectors.nearest.misses-none', (right) =>
    puts(right, (item) => {
      const largest = Math.max(...item.vector.map(Math.abs)) / 7
      return { ...item, vector: item.vector.map((number) => Math.round(number / largest)) }
    }),
  ),
  mutant('one-partition-for-all', 'vectors.nearest.own-partition-only', (right) => confusesPartitions(right, () => 'all')),
  mutant('folds-case-of-partitions', 'vectors.nearest.own-partition-only', (right) =>
    confusesPartitions(right, (partition) => partition.toLowerCase()),
  ),
  mutant('cuts-partitions', 'vectors.nearest.own-partition-only', (right) =>
    confusesPartitions(right, (partition) => partition.trim().slice(0, 64)),
  ),
  mutant('normalises-partitions', 'vectors.nearest.own-partition-only', (right) =>
    confusesPartitions(right, (partition) => partition.normalize('NFC')),
  ),
  mutant('drops-payloads', 'vectors.nearest.gives-payload', (right) => puts(right, withoutPayload)),
  mutant('payloads-are-text', 'vectors.nearest.gives-payload', (right) =>
    puts(right, (item) => ({
      ...item,
      ...(item.payload && { payload: new TextEncoder().encode(new TextDecoder().decode(item.payload)) }),
    })),
  ),
  mutant('empty-payload-is-none', 'vectors.nearest.gives-payload', (right) =>
    finds(right, (matches) =>
      matches.map((match) => ({ ...match, payload: match.payload?.length ? match.payload : undefined })),
    ),
  ),
  mutant('whole-buffer-for-payload', 'vectors.nearest.gives-payload', (right) =>
    puts(right, (item) => ({ ...item, ...(item.payload && { payload: new Uint8Array(item.payload.buffer) }) })),
  ),
  mutant('hands-out-stored-payload', 'vectors.nearest.copies-output', (right) => {
    const handedOut = new Map<string, Uint8Array | undefined>()
    return finds(right, (matches) =>
      matches.map((match) => {
        if (!handedOut.has(match.id)) handedOut.set(match.id, match.payload)
        return { ...match, payload: handedOut.get(match.id) }
      }),
    )
  }),
  mutant('scales-the-query', 'vectors.nearest.leaves-query', (right) => ({
    async nearest(partition, query, options) {
      const found = await right.nearest(partition, query, options)
      query.vector.set(query.vector.map((number) => number / 2))
      return found
    },
  })),
  mutant('takes-any-query', 'vectors.nearest.invalid-refused', (right) => ({
    nearest: (partition, query, options) =>
      right.nearest(partition, { ...query, vector: mended(right, query.vector, dimensionsOf(right)) }, options),
  })),
  mutant('takes-any-count', 'vectors.nearest.invalid-refused', (right) => ({
    nearest: (partition, { vector, count }, options) =>
      right.nearest(partition, { vector, count: Math.max(1, Math.min(1000, Math.round(count) || 1)) }, options),
  })),
  mutant('finds-none-for-wrong', 'vectors.nearest.invalid-refused', (right) => ({
    nearest: (partition, query, options) => silently(() => right.nearest(partition, query, options), []),
  })),
  mutant('search-ignores-abort', 'vectors.nearest.aborted-signal', (right) => ({
    nearest: (partition, query) => right.nearest(partition, query),
  })),
]
