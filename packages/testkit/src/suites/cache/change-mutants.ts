import type { Cache, CacheChange, CacheChanges } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { mutant } from './wrap.ts'

type Listener = (change: CacheChange) => void

/** Puts another listener in the place of each. */
function tells(right: Cache, changed: (listener: Listener) => Listener): Partial<Cache> {
  return withChanges(right, ({ listen }) => ({ listen: (listener) => listen(changed(listener)) }))
}

function withChanges(right: Cache, changed: (changes: CacheChanges) => Partial<CacheChanges>): Partial<Cache> {
  const { changes } = right
  if (changes === undefined) return {}
  const bound: CacheChanges = { current: () => changes.current(), listen: (listener) => changes.listen(listener) }
  return { changes: { ...bound, ...changed(bound) } }
}

export const changeMutants: readonly Mutant<Cache>[] = [
  mutant('never-current', 'cache.changes.current', (right) => withChanges(right, () => ({ current: () => false }))),
  mutant('current-is-a-promise', 'cache.changes.current', (right) =>
    withChanges(right, () => ({ current: (async () => true) as unknown as () => boolean })),
  ),
  mutant('tells-no-tags', 'cache.changes.tells-tag', (right) =>
    tells(right, (listener) => (change) => {
      if (change.kind !== 'tag') listener(change)
    }),
  ),
  mutant('tells-after-it-resolved', 'cache.changes.tells-tag', (right) =>
    tells(right, (listener) => (change) => void setTimeout(() => listener(change), 20)),
  ),
  mutant('folds-case-of-told-tags', 'cache.changes.tells-tag', (right) =>
    tells(right, (listener) => (change) => {
      listener(change.kind === 'tag' ? { kind: 'tag', tag: change.tag.toLowerCase() } : change)
    }),
  ),
  mutant('normalises-told-keys', 'cache.changes.tells-key', (right) =>
    tells(right, (listener) => (change) => {
      listener(change.kind === 'key' ? { kind: 'key', key: change.key.normalize('NFC') } : change)
    }),
  ),
  mutant('tells-keys-late', 'cache.changes.tells-key', (right) =>
    tells(right, (listener) => (change) => void setTimeout(() => listener(change), 20)),
  ),
  mutant('tells-found-keys-only', 'cache.changes.tells-absent-key', (right) => {
    let found = true
    return {
      async delete(key, options) {
        found = (await right.get(key, options)) !== undefined
        return right.delete(key, options)
      },
      ...tells(right, (listener) => (change) => {
        if (change.kind !== 'key' || found) listener(change)
      }),
    }
  }),
  mutant('tells-a-tag-once', 'cache.changes.tells-unused-tag', (right) =>
    tells(right, (listener) => {
      const told = new Set<string>()
      return (change) => {
        if (change.kind === 'tag' && told.has(change.tag)) return
        if (change.kind === 'tag') told.add(change.tag)
        listener(change)
      }
    }),
  ),
  mutant('tells-of-sets', 'cache.changes.sets-untold', (right) => {
    const listeners = new Set<Listener>()
    return {
      async set(key, entry, options) {
        await right.set(key, entry, options)
        for (const listener of listeners) listener({ kind: 'key', key })
      },
      ...tells(right, (listener) => {
        listeners.add(listener)
        return listener
      }),
    }
  }),
  mutant('tells-of-aborted-deletions', 'cache.changes.sets-untold', (right) => {
    const listeners = new Set<Listener>()
    return {
      async delete(key, options) {
        if (options?.signal?.aborted) for (const listener of listeners) listener({ kind: 'key', key })
        return right.delete(key, options)
      },
      ...tells(right, (listener) => {
        listeners.add(listener)
        return listener
      }),
    }
  }),
  mutant('one-listener-at-a-time', 'cache.changes.every-listener', (right) => {
    let end = (): void => {}
    return withChanges(right, ({ listen }) => ({
      listen(listener) {
        end()
        end = listen(listener)
        return end
      },
    }))
  }),
  mutant('a-listener-counts-once', 'cache.changes.every-listener', (right) => {
    const ends = new Map<Listener, () => void>()
    return withChanges(right, ({ listen }) => ({
      listen(listener) {
        const end = ends.get(listener) ?? listen(listener)
        ends.set(listener, end)
        return end
      },
    }))
  }),
  mutant('a-throw-reaches-the-caller', 'cache.changes.throwing-listener', (right) => {
    let thrown: unknown
    return {
      async delete(key, options) {
        const found = await right.delete(key, options)
        if (thrown !== undefined) throw thrown
        return found
      },
      ...tells(right, (listener) => (change) => {
        try {
          listener(change)
        } catch (error) {
          thrown = error
        }
      }),
    }
  }),
  mutant('drops-a-listener-that-throws', 'cache.changes.throwing-listener', (right) =>
    tells(right, (listener) => {
      let failed = false
      return (change) => {
        if (failed) return
        try {
          listener(change)
        } catch {
          failed = true
        }
      }
    }),
  ),
  mutant('listens-for-ever', 'cache.changes.ended-listener', (right) =>
    withChanges(right, ({ listen }) => ({
      listen(listener) {
        listen(listener)
        return () => {}
      },
    })),
  ),
  mutant('ending-twice-ends-another', 'cache.changes.ended-listener', (right) => {
    const ends: (() => void)[] = []
    return withChanges(right, ({ listen }) => ({
      listen(listener) {
        ends.push(listen(listener))
        return () => ends.shift()?.()
      },
    }))
  }),
]
