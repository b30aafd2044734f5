import type { Flights } from '@switchyard/contract'
import type { Mutant } from '../../conformance/suite.ts'
import { confusesKeys, deaf, leads, mutant } from './wrap.ts'

export const joinMutants: readonly Mutant<Flights>[] = [
  mutant('everybody-leads', 'flights.join.first-leads', (right) => {
    let serial = 0
    return {
      join(key, options) {
        serial += 1
        return right.join(key === '' ? '' : `${key} ${serial}`, options)
      },
    }
  }),
  mutant('one-listener-only', 'flights.join.first-leads', (right) => {
    const seen = new Map<string, number>()
    return {
      join(key, options) {
        const count = (seen.get(key) ?? 0) + 1
        seen.set(key, count)
        return right.join(count > 2 ? `${key} ${count}` : key, options)
      },
    }
  }),
  mutant('looks-before-it-takes', 'flights.join.one-of-many', (right) => {
    const taken = new Set<string>()
    return {
      async join(key, options) {
        const free = !taken.has(key)
        await Promise.resolve()
        taken.add(key)
        return right.join(free ? `${key} ${taken.size} ${Math.random()}` : key, options)
      },
    }
  }),
  mutant('ignores-case', 'flights.join.own-key-only', (right) => confusesKeys(right, (key) => key.toLowerCase())),
  mutant('trims-keys', 'flights.join.own-key-only', (right) => confusesKeys(right, (key) => key.trim())),
  mutant('takes-braces-for-tags', 'flights.join.own-key-only', (right) =>
    confusesKeys(right, (key) => key.replace(/\{.*\}/, '')),
  ),
  mutant('one-flight-for-all', 'flights.join.own-key-only', (right) => confusesKeys(right, () => 'all')),
  mutant('never-over', 'flights.join.after-complete', (right) => leads(right, () => ({ complete: async () => {} }))),
  mutant('keeps-the-old', 'flights.join.after-complete', (right) => {
    const old = new Map<string, Uint8Array>()
    return leads(right, (lead, key) => ({
      async append(chunk, options) {
        const before = old.get(key)
        old.set(key, chunk.slice())
        if (before !== undefined) await lead.append(before, options)
        await lead.append(chunk, options)
      },
    }))
  }),
  mutant('abandons-nothing', 'flights.join.after-abandon', (right) => leads(right, () => ({ abandon: async () => {} }))),
  mutant('joins-no-key', 'flights.join.empty-key-invalid', (right) => ({
    join: (key, options) => right.join(key === '' ? 'none' : key, options),
  })),
  mutant('ignores-abort-of-join', 'flights.join.aborted-signal', (right) => ({
    join: (key, options) => right.join(key, deaf(options)),
  })),
  mutant('joins-before-it-looks-at-the-signal', 'flights.join.aborted-signal', (right) => ({
    async join(key, options) {
      if (options?.signal?.aborted) await right.join(key)
      return right.join(key, options)
    },
  })),
]
