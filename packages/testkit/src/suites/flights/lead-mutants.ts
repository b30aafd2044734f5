import { type Flights, type Lead, SwitchyardError } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { deaf, leads, mutant } from './wrap.ts'

export const leadMutants: readonly Mutant<Flights>[] = [
  mutant('counts-itself', 'flights.lead.counts-listeners', (right) =>
    leads(right, (own) => ({ listeners: async (options) => (await own.listeners(options)) + 1 })),
  ),
  mutant('counts-those-who-ever-came', 'flights.lead.counts-listeners', (right) => {
    const came = new Map<string, number>()
    return {
      async join(key, options) {
        const joined = await right.join(key, options)
        if (joined.role === 'listener') {
          came.set(key, (came.get(key) ?? 0) + 1)
          return joined
        }
        return {
          ...joined,
          async listeners(given) {
            await joined.listeners(given)
            return came.get(key) ?? 0
          },
        }
      },
    }
  }),
  mutant('counts-all-flights', 'flights.lead.counts-listeners', (right) => {
    let all = 0
    return {
      async join(key, options) {
        const joined = await right.join(key, options)
        if (joined.role === 'leader') return { ...joined, listeners: async () => all }
        all += 1
        return {
          ...joined,
          async leave() {
            all -= 1
            await joined.leave()
          },
        }
      },
    }
  }),
  mutant('an-end-aborts-the-signal', 'flights.lead.keeps-it', (right) =>
    leads(right, (own) => {
      const controller = new AbortController()
      return {
        signal: controller.signal,
        async complete() {
          await own.complete()
          controller.abort()
        },
      }
    }),
  ),
  mutant('leads-for-one-chunk', 'flights.lead.keeps-it', (right) =>
    leads(right, (own) => ({
      async append(chunk, options) {
        await own.append(chunk, options)
        await own.complete()
      },
    })),
  ),
  mutant('the-last-end-counts', 'flights.lead.first-end-counts', (right) => {
    let ending: Lead | undefined
    return leads(right, (own) => ({
      async complete() {
        ending = own
      },
      async abandon() {
        ending = undefined
        await own.abandon()
      },
      append(chunk, options) {
        return ending === undefined ? own.append(chunk, options) : own.complete()
      },
    }))
  }),
  mutant('throws-at-a-second-end', 'flights.lead.first-end-counts', (right) =>
    leads(right, (own) => {
      let over = false
      const end = (how: () => Promise<void>) => async (): Promise<void> => {
        if (over) throw new Error('it is over')
        over = true
        await how()
      }
      return { complete: end(() => own.complete()), abandon: end(() => own.abandon()) }
    }),
  ),
  mutant('ends-whoever-leads-now', 'flights.lead.first-end-counts', (right) => {
    const current = new Map<string, Lead>()
    return leads(right, (own, key) => {
      current.set(key, own)
      return { abandon: async () => current.get(key)?.abandon() }
    })
  }),
  mutant('appends-after-the-end', 'flights.lead.no-append-after-end', (right) =>
    leads(right, (own) => {
      let over = false
      return {
        async append(chunk, options) {
          if (!over) await own.append(chunk, options)
        },
        complete() {
          over = true
          return own.complete()
        },
      }
    }),
  ),
  mutant('measures-each-chunk-alone', 'flights.lead.too-large', (right) =>
    leads(right, (own) => {
      let total = 0
      return {
        async append(chunk, options) {
          total += chunk.length
          if (total <= right.capabilities.maxBytes) await own.append(chunk, options)
        },
      }
    }),
  ),
  mutant('goes-on-without-what-is-too-large', 'flights.lead.too-large', (right) =>
    leads(right, (own) => {
      let total = 0
      return {
        async append(chunk, options) {
          if (total + chunk.length > right.capabilities.maxBytes) {
            throw new SwitchyardError('TOO_LARGE', 'too large')
          }
          total += chunk.length
          await own.append(chunk, options)
        },
      }
    }),
  ),
  mutant('ignores-abort-of-append', 'flights.lead.aborted-signal', (right) =>
    leads(right, (own) => ({ append: (chunk, options) => own.append(chunk, deaf(options)) })),
  ),
  mutant('ignores-abort-of-listeners', 'flights.lead.aborted-signal', (right) =>
    leads(right, (own) => ({ listeners: (options) => own.listeners(deaf(options)) })),
  ),
  mutant('appends-before-it-looks-at-the-signal', 'flights.lead.aborted-signal', (right) =>
    leads(right, (own) => ({
      async append(chunk, options) {
        if (options?.signal?.aborted) await own.append(chunk)
        await own.append(chunk, options)
      },
    })),
  ),
]
