import type { VectorIndex } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { remembering, withoutExpiry } from './remembering.ts'
import { finds, mutant, puts, silently } from './wrap.ts'

const LATE_MS = 100
const EARLY_MS = 200

export const leavingMutants: readonly Mutant<VectorIndex>[] = [
  mutant('expires-early', 'vectors.nearest.found-until-expiry', (right) =>
    puts(right, (item) => ({ ...item, ...(item.expiresAt !== undefined && { expiresAt: item.expiresAt - EARLY_MS }) })),
  ),
  mutant('expires-late', 'vectors.nearest.gone-at-expiry', (right) =>
    puts(right, (item) => ({ ...item, ...(item.expiresAt !== undefined && { expiresAt: item.expiresAt + LATE_MS }) })),
  ),
  mutant('expired-take-places', 'vectors.nearest.gone-at-expiry', (right, opened) => {
    const known = remembering()
    return {
      upsert(partition, items, options) {
        known.note(partition, items)
        return right.upsert(partition, items.map(withoutExpiry), options)
      },
      ...finds(right, (matches, _count, partition) =>
        matches.filter(({ id }) => (known.get(partition, id)?.expiresAt ?? Number.POSITIVE_INFINITY) > opened.now()),
      ),
    }
  }),
  mutant('keeps-first-expiry', 'vectors.upsert.replaces-expiry', (right) => {
    const known = remembering()
    return puts(right, (item, partition) => {
      const { expiresAt } = known.get(partition, item.id) ?? item
      if (known.get(partition, item.id) === undefined) known.note(partition, [item])
      return { ...withoutExpiry(item), ...(expiresAt !== undefined && { expiresAt }) }
    })
  }),
  mutant('never-shortens-expiry', 'vectors.upsert.replaces-expiry', (right) => {
    const known = remembering()
    return puts(right, (item, partition) => {
      const former = known.get(partition, item.id)
      const never = Number.MAX_SAFE_INTEGER
      const expiresAt = former === undefined ? item.expiresAt : Math.max(former.expiresAt ?? never, item.expiresAt ?? never)
      known.note(partition, [item])
      return { ...withoutExpiry(item), ...(expiresAt !== undefined && { expiresAt }) }
    })
  }),
  mutant('passes-over-what-has-expired', 'vectors.upsert.already-expired-absent', (right, opened) =>
    puts(right, (item) => ((item.expiresAt ?? Number.POSITIVE_INFINITY) <= opened.now() ? undefined : item)),
  ),
  mutant('takes-past-expiry-for-none', 'vectors.upsert.already-expired-absent', (right, opened) =>
    puts(right, (item) => ((item.expiresAt ?? 0) <= opened.now() ? withoutExpiry(item) : item)),
  ),
  mutant('buries-deleted-ids', 'vectors.upsert.revives-id', (right) => {
    const buried = new Set<string>()
    return {
      ...puts(right, (item) => (buried.has(item.id) ? undefined : item)),
      delete(partition, ids, options) {
        for (const id of ids) buried.add(id)
        return right.delete(partition, ids, options)
      },
    }
  }),
  mutant('deletes-the-first-only', 'vectors.delete.removes-only-these', (right) => ({
    delete: (partition, ids, options) => right.delete(partition, ids.slice(0, 1), options),
  })),
  mutant('deletes-later', 'vectors.delete.removes-only-these', (right) => ({
    async delete(partition, ids) {
      setTimeout(() => void right.delete(partition, ids).catch(() => {}), 20)
    },
  })),
  mutant('deletes-by-beginnings', 'vectors.delete.removes-only-these', (right) => ({
    async delete(partition, ids, options) {
      const all = Array.from({ length: 60 }, (_, at) => `i${at}`)
      await right.delete(partition, ids.length === 0 ? [] : all.filter((id) => ids.some((one) => id.startsWith(one))), options)
    },
  })),
  mutant('unknown-id-fails', 'vectors.delete.unknown-passed-over', (right) => ({
    async delete(partition, ids, options) {
      if (ids.includes('unknown')) throw new Error('no such id')
      await right.delete(partition, ids, options)
    },
  })),
  mutant('unknown-id-ends-it', 'vectors.delete.unknown-passed-over', (right) => ({
    async delete(partition, ids, options) {
      if (!ids.includes('unknown')) await right.delete(partition, ids, options)
    },
  })),
  mutant('deletes-in-all-partitions', 'vectors.delete.own-partition-only', (right) => {
    const partitions = new Set<string>()
    return {
      upsert(partition, items, options) {
        partitions.add(partition)
        return right.upsert(partition, items, options)
      },
      async delete(_partition, ids, options) {
        for (const partition of partitions) await right.delete(partition, ids, options)
      },
    }
  }),
  mutant('delete-takes-empty-names', 'vectors.delete.invalid-refused', (right) => ({
    delete: (partition, ids, options) => silently(() => right.delete(partition, ids, options), undefined),
  })),
  mutant('delete-ignores-abort', 'vectors.delete.aborted-signal', (right) => ({
    delete: (partition, ids) => right.delete(partition, ids),
  })),
]
