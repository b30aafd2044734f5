import assert from 'node:assert/strict'
import type { Flights, Lead } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { bytes, ends, hear, hears, lead, listen } from './hearing.ts'

const KEYS = ['k', 'K', 'k ', 'k{a}', 'k{b}', '{k}', 'k*', '__proto__', 'kk', 'κ']

export const joinCases: readonly ConformanceCase<Flights>[] = [
  {
    id: 'flights.join.first-leads',
    promise: 'the first to join a key leads, and whoever joins while it does listens',
    async check(opened) {
      await lead(opened, 'k')
      await listen(opened, 'k')
      await listen(opened, 'k')
    },
  },
  {
    id: 'flights.join.one-of-many',
    promise: 'of many who join at once one leads, and all others hear it',
    async check(opened) {
      const joined = await Promise.all(Array.from({ length: 20 }, () => opened.instance.join('k')))
      const leads = joined.filter(({ role }) => role === 'leader')
      assert.equal(leads.length, 1, 'leaders')
      const ears = joined.flatMap((one) => (one.role === 'listener' ? [hear(one)] : []))
      await (leads[0] as Lead).append(bytes('one'))
      await (leads[0] as Lead).complete()
      for (const ear of ears) await ends(opened, ear, 'complete', 'each of the listeners')
      assert.deepEqual([...new Set(ears.map(({ text }) => text))], ['one'])
    },
  },
  {
    id: 'flights.join.own-key-only',
    promise: 'each key is a flight of its own: case, spaces and braces count',
    async check(opened) {
      const leads = await Promise.all(KEYS.map((key) => lead(opened, key)))
      const ears = await Promise.all(KEYS.map(async (key) => hear(await listen(opened, key))))
      for (const [at, own] of leads.entries()) await own.append(bytes(`of ${KEYS[at]}`))
      for (const [at, ear] of ears.entries()) await hears(opened, ear, `of ${KEYS[at]}`, `the flight of ${KEYS[at]}`)
    },
  },
  {
    id: 'flights.join.after-complete',
    promise: 'a flight that ended well is over: who joins next leads a new one, of which nothing old is heard',
    async check(opened) {
      const first = await lead(opened, 'k')
      await first.append(bytes('old'))
      await first.complete()
      const second = await lead(opened, 'k')
      const ear = hear(await listen(opened, 'k'))
      await second.append(bytes('new'))
      await hears(opened, ear, 'new', 'the second flight')
    },
  },
  {
    id: 'flights.join.after-abandon',
    promise: 'so is one that was abandoned',
    async check(opened) {
      const first = await lead(opened, 'k')
      await first.append(bytes('old'))
      await first.abandon()
      const second = await lead(opened, 'k')
      const ear = hear(await listen(opened, 'k'))
      await second.append(bytes('new'))
      await second.complete()
      await ends(opened, ear, 'complete', 'the second flight')
      assert.equal(ear.text, 'new')
    },
  },
  {
    id: 'flights.join.empty-key-invalid',
    promise: 'an empty key rejects INVALID_REQUEST',
    async check({ instance }) {
      await rejectsWith(() => instance.join(''), 'INVALID_REQUEST', 'join of an empty key')
    },
  },
  {
    id: 'flights.join.aborted-signal',
    promise: 'join under a signal that has aborted rejects ABORTED and takes no lead',
    async check(opened) {
      await rejectsWith(() => opened.instance.join('k', { signal: AbortSignal.abort() }), 'ABORTED', 'join')
      await lead(opened, 'k')
    },
  },
]
