import type { VectorIndex, VectorItem } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { remembering } from './remembering.ts'
import { dimensionsOf } from './vectors.ts'
import { confusesIds, finds, mended, mutant, puts, silently } from './wrap.ts'

export const upsertMutants: readonly Mutant<VectorIndex>[] = [
  mutant('puts-later', 'vectors.upsert.found-once-resolved', (right) => ({
    async upsert(partition, items) {
      const copies = items.map((item) => ({ ...item }))
      setTimeout(() => void right.upsert(partition, copies).catch(() => {}), 20)
    },
  })),
  mutant('puts-first-hundred', 'vectors.upsert.found-once-resolved', (right) => ({
    upsert: (partition, items, options) => right.upsert(partition, items.slice(0, 100), options),
  })),
  mutant('nothing-to-add-fails', 'vectors.upsert.nothing-to-add', (right) => ({
    async upsert(partition, items, options) {
      if (items.length === 0) throw new Error('no items')
      await right.upsert(partition, items, options)
    },
  })),
  mutant('nothing-to-add-empties', 'vectors.upsert.nothing-to-add', (right) => ({
    async upsert(partition, items, options) {
      if (items.length === 0) await right.delete(partition, ['a'])
      await right.upsert(partition, items, options)
    },
  })),
  mutant('keeps-first-of-an-id', 'vectors.upsert.replaces-whole', (right) => {
    const known = remembering()
    return puts(right, (item, partition) => {
      const first = known.get(partition, item.id)
      known.note(partition, [first ?? item])
      return first ?? item
    })
  }),
  mutant('keeps-payload-where-none-given', 'vectors.upsert.replaces-whole', (right) => {
    const known = remembering()
    return puts(right, (item, partition) => {
      const payload = item.payload ?? known.get(partition, item.id)?.payload
      const kept = { ...item, ...(payload && { payload }) }
      known.note(partition, [kept])
      return kept
    })
  }),
  mutant('adds-where-it-should-replace', 'vectors.upsert.replaces-whole', (right) => {
    let added = 0
    return {
      ...puts(right, (item) => {
        added += 1
        return { ...item, id: `${added} ${item.id}` }
      }),
      ...finds(right, (matches) => matches.map((match) => ({ ...match, id: match.id.replace(/^\d+ /, '') }))),
    }
  }),
  mutant('first-of-one-id-stands', 'vectors.upsert.last-of-one-id', (right) => ({
    upsert: (partition, items, options) => right.upsert(partition, items.toReversed(), options),
  })),
  mutant('folds-case-of-ids', 'vectors.upsert.ids-distinct', (right) => confusesIds(right, (id) => id.toLowerCase())),
  mutant('ids-are-numbers', 'vectors.upsert.ids-distinct', (right) =>
    confusesIds(right, (id) => (/^\d+$/.test(id) ? String(Number(id)) : id)),
  ),
  mutant('ids-over-all-partitions', 'vectors.upsert.ids-distinct', (right) => {
    const home = new Map<string, string>()
    return {
      async upsert(partition, items, options) {
        for (const { id } of items) {
          const former = home.get(id)
          if (former !== undefined && former !== partition) await right.delete(former, [id])
          home.set(id, partition)
        }
        await right.upsert(partition, items, options)
      },
    }
  }),
  mutant('keeps-caller-vector', 'vectors.upsert.copies-input', (right) => {
    const given = new Map<string, readonly VectorItem[]>()
    return {
      upsert(partition, items, options) {
        given.set(partition, [...items])
        return right.upsert(partition, items, options)
      },
      async nearest(partition, query, options) {
        await right.upsert(partition, given.get(partition) ?? [])
        return right.nearest(partition, query, options)
      },
    }
  }),
  mutant('keeps-caller-list', 'vectors.upsert.copies-input', (right) => {
    const given = new Map<string, readonly VectorItem[]>()
    return {
      upsert(partition, items, options) {
        given.set(partition, items)
        return right.upsert(partition, items, options)
      },
      async nearest(partition, query, options) {
        await right.upsert(partition, given.get(partition) ?? [])
        return right.nearest(partition, query, options)
      },
    }
  }),
  mutant('scales-in-place', 'vectors.upsert.leaves-input', (right) => ({
    async upsert(partition, items, options) {
      await right.upsert(partition, items, options)
      for (const { vector } of items) vector.set(vector.map((number) => number / 5))
    },
  })),
  mutant('takes-any-vector', 'vectors.upsert.invalid-refused', (right) =>
    puts(right, (item) => ({ ...item, vector: mended(right, item.vector, dimensionsOf(right)) })),
  ),
  mutant('drops-what-is-invalid', 'vectors.upsert.invalid-refused', (right) => ({
    upsert: (partition, items, options) => silently(() => right.upsert(partition, items, options), undefined),
  })),
  mutant('removes-before-it-checks', 'vectors.upsert.invalid-refused', (right) => ({
    async upsert(partition, items, options) {
      const ids = items.map(({ id }) => id).filter((id) => id !== '')
      if (partition !== '') await right.delete(partition, ids, options)
      await right.upsert(partition, items, options)
    },
  })),
  mutant('cuts-large-payloads', 'vectors.upsert.large-payload-refused', (right) =>
    puts(right, (item) => ({ ...item, ...(item.payload && { payload: item.payload.subarray(0, 16 * 1024) }) })),
  ),
  mutant('drops-large-payloads-silently', 'vectors.upsert.large-payload-refused', (right) =>
    puts(right, (item) => ((item.payload?.length ?? 0) > 16 * 1024 ? undefined : item)),
  ),
  mutant('one-upsert-at-a-time', 'vectors.upsert.parallel', (right) => {
    let busy = false
    return {
      async upsert(partition, items, options) {
        if (busy) return
        busy = true
        await right.upsert(partition, items, options)
        await new Promise((resolve) => setTimeout(resolve, 1))
        busy = false
      },
    }
  }),
  mutant('upsert-ignores-abort', 'vectors.upsert.aborted-signal', (right) => ({
    upsert: (partition, items) => right.upsert(partition, items),
  })),
  mutant('adds-before-it-looks-at-abort', 'vectors.upsert.aborted-signal', (right) => ({
    async upsert(partition, items, options) {
      await right.upsert(partition, items)
      await right.upsert(partition, items, options)
    },
  })),
]
