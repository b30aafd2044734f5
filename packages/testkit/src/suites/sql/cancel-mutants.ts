import { type SqlDatabase, SwitchyardError } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { deaf, sessionOf, wrap } from './wrap.ts'

export const cancelMutants: readonly Mutant<SqlDatabase>[] = [
  {
    name: 'stops-waiting-but-not-the-server',
    killedBy: 'sql.query.abort-in-flight',
    mutate: (right) => {
      const { query } = sessionOf((text, params, options) => {
        const running = right.query(text, params, deaf(options))
        const aborted = new Promise<never>((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => reject(new SwitchyardError('ABORTED', 'aborted')))
        })
        running.catch(() => {})
        return Promise.race([aborted, running])
      })
      return wrap(right, { query })
    },
  },
  {
    name: 'is-broken-by-an-abort',
    killedBy: 'sql.query.abort-in-flight',
    mutate(right) {
      let broken = false
      const { query } = sessionOf(async (text, params, options) => {
        options?.signal?.addEventListener('abort', () => {
          broken = true
        })
        if (broken) throw new SwitchyardError('CLOSED', 'broken')
        return right.query(text, params, options)
      })
      return wrap(right, { query })
    },
  },
]
