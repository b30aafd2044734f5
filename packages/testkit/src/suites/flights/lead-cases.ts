import assert from 'node:assert/strict'
import type { Flights } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { bytes, ends, hear, lead, listen, quiet, until } from './hearing.ts'

const ABORTED = { signal: AbortSignal.abort() }

export const leadCases: readonly ConformanceCase<Flights>[] = [
  {
    id: 'flights.lead.counts-listeners',
    promise: 'the leader is told how many listen, itself not counted, as they come and leave',
    async check(opened) {
      const own = await lead(opened, 'k')
      assert.equal(await own.listeners(), 0, 'alone')
      const [first] = [await listen(opened, 'k'), await listen(opened, 'k')]
      await lead(opened, 'other')
      await listen(opened, 'other')
      assert.equal(await own.listeners(), 2, 'two came')
      await first.leave()
      await until(opened, async () => (await own.listeners()) === 1)
      await quiet(opened)
      assert.equal(await own.listeners(), 1, 'one left')
    },
  },
  {
    id: 'flights.lead.keeps-it',
    promise: 'a lead at work is not lost, and its signal does not abort, by its end neither',
    async check(opened) {
      const own = await lead(opened, 'k')
      for (let at = 0; at < 3; at += 1) {
        await own.append(bytes('x'))
        await quiet(opened)
        await listen(opened, 'k')
      }
      await own.complete()
      await quiet(opened)
      assert.equal(own.signal.aborted, false, 'its signal')
    },
  },
  {
    id: 'flights.lead.first-end-counts',
    promise:
      'of complete and abandon the first counts, and the second resolves and changes nothing, a flight that began meanwhile neither',
    async check(opened) {
      const well = await lead(opened, 'well')
      const heard = hear(await listen(opened, 'well'))
      await well.complete()
      const next = await lead(opened, 'well')
      await well.abandon()
      await ends(opened, heard, 'complete', 'completed, then abandoned')
      const badly = await lead(opened, 'badly')
      const cut = hear(await listen(opened, 'badly'))
      await badly.abandon()
      await badly.complete()
      await ends(opened, cut, 'CONFLICT', 'abandoned, then completed')
      const following = hear(await listen(opened, 'well'))
      await next.append(bytes('next'))
      await next.complete()
      await ends(opened, following, 'complete', 'the next flight')
      assert.equal(following.text, 'next')
    },
  },
  {
    id: 'flights.lead.no-append-after-end',
    promise: 'append after the end rejects CONFLICT and reaches nobody',
    async check(opened) {
      const own = await lead(opened, 'k')
      const listening = await listen(opened, 'k')
      await own.append(bytes('1'))
      await own.complete()
      await rejectsWith(() => own.append(bytes('2')), 'CONFLICT', 'append after complete')
      const ear = hear(listening)
      await ends(opened, ear, 'complete', 'a listener')
      assert.equal(ear.text, '1')
    },
  },
  {
    id: 'flights.lead.too-large',
    promise: 'an append that passes maxBytes in all rejects TOO_LARGE and abandons the flight',
    async check(opened) {
      const { maxBytes } = opened.instance.capabilities
      const own = await lead(opened, 'k')
      const ear = hear(await listen(opened, 'k'))
      const half = new Uint8Array(Math.ceil(maxBytes / 2))
      await own.append(half)
      await rejectsWith(() => own.append(new Uint8Array(half.length + 1)), 'TOO_LARGE', 'append beyond maxBytes')
      await ends(opened, ear, 'CONFLICT', 'a listener')
      await lead(opened, 'k')
    },
  },
  {
    id: 'flights.lead.aborted-signal',
    promise: 'append and listeners under a signal that has aborted reject ABORTED, and nothing is handed over',
    async check(opened) {
      const own = await lead(opened, 'k')
      const ear = hear(await listen(opened, 'k'))
      await rejectsWith(() => own.append(bytes('1'), ABORTED), 'ABORTED', 'append')
      await rejectsWith(() => own.listeners(ABORTED), 'ABORTED', 'listeners')
      await own.append(bytes('2'))
      await own.complete()
      await ends(opened, ear, 'complete', 'a listener')
      assert.equal(ear.text, '2')
    },
  },
]
