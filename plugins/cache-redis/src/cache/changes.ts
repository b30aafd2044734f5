import type { CacheChange, CacheChanges, Logger } from '@switchyard/contract'
import type { LogEvent, RedisLog } from '../log/redis-log.ts'

/** What the log tells, for those who keep copies. A listener's first failure is logged, and no more of it. */
export function changesOf(log: Pick<RedisLog, 'current' | 'listen'>, errors: Pick<Logger, 'error'>): CacheChanges {
  return {
    current: log.current,
    listen(listener) {
      let blamed = false
      const blame = (error: unknown): void => {
        if (blamed) return
        blamed = true
        errors.error({ error }, 'a listener of the cache failed; its further failures are not logged')
      }
      const tell = (change: CacheChange): void => {
        try {
          // An async function fits where a listener is asked for; what it rejects with would end the process.
          const result: unknown = listener(change)
          if (result instanceof Promise) result.catch(blame)
        } catch (error) {
          blame(error)
        }
      }
      return log.listen(['tag', 'key'], {
        event: ({ type, key }: LogEvent) => tell(type === 'tag' ? { kind: 'tag', tag: key } : { kind: 'key', key }),
        gap: () => tell({ kind: 'all' }),
      })
    },
  }
}
