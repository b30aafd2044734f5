import assert from 'node:assert/strict'
import type { Flights } from '@switchyard/contract'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { bytes, ends, hear, hears, lead, listen, quiet, until } from './hearing.ts'

export const listenCases: readonly ConformanceCase<Flights>[] = [
  {
    id: 'flights.listen.live',
    promise: 'what is appended reaches every listener while the flight goes on, in order',
    async check(opened) {
      const own = await lead(opened, 'k')
      const ears = [hear(await listen(opened, 'k')), hear(await listen(opened, 'k'))]
      let all = ''
      for (let at = 0; at < 30; at += 1) {
        await own.append(bytes(`${at},`))
        all += `${at},`
        if (at % 10 === 9) for (const ear of ears) await hears(opened, ear, all, 'while the flight goes on')
      }
      for (const ear of ears) assert.equal(ear.end, undefined, 'a listener ended before the flight')
    },
  },
  {
    id: 'flights.listen.from-the-first',
    promise: 'a late listener hears the flight from its first chunk on',
    async check(opened) {
      const own = await lead(opened, 'k')
      for (const text of ['a', 'b', 'c']) await own.append(bytes(text))
      const ear = hear(await listen(opened, 'k'))
      await hears(opened, ear, 'abc', 'a late listener, at once')
      await own.append(bytes('d'))
      await hears(opened, ear, 'abcd', 'a late listener, afterwards')
    },
  },
  {
    id: 'flights.listen.keeps-order-of-calls',
    promise: 'chunks appended without waiting come in the order of the calls',
    async check(opened) {
      const own = await lead(opened, 'k')
      const ear = hear(await listen(opened, 'k'))
      const texts = Array.from({ length: 40 }, (_, at) => `${at};`)
      await Promise.all(texts.map((text) => own.append(bytes(text))))
      await own.complete()
      await ends(opened, ear, 'complete', 'after complete')
      assert.equal(ear.text, texts.join(''))
    },
  },
  {
    id: 'flights.listen.keeps-bytes',
    promise: 'bytes arrive as they were: every value, a part of a larger buffer, none',
    async check(opened) {
      const own = await lead(opened, 'k')
      const ear = hear(await listen(opened, 'k'))
      const every = Uint8Array.from({ length: 256 }, (_, at) => at)
      for (const chunk of [every, new Uint8Array(0), every.subarray(10, 20)]) await own.append(chunk)
      await own.complete()
      await ends(opened, ear, 'complete', 'after complete')
      assert.deepEqual([...ear.heard], [...every, ...every.subarray(10, 20)])
    },
  },
  {
    id: 'flights.listen.copies-input',
    promise: 'changing the bytes after the call changes nothing that is heard',
    async check(opened) {
      const own = await lead(opened, 'k')
      const chunk = bytes('before')
      const appending = own.append(chunk)
      chunk.fill(120)
      await appending
      chunk.fill(121)
      await hears(opened, hear(await listen(opened, 'k')), 'before', 'after the leader changed its buffer')
    },
  },
  {
    id: 'flights.listen.own-bytes',
    promise: 'each listener gets bytes of its own: what one writes into them no other hears',
    async check(opened) {
      const own = await lead(opened, 'k')
      await own.append(bytes('whole'))
      for await (const chunk of (await listen(opened, 'k')).chunks) {
        chunk.fill(120)
        break
      }
      await hears(opened, hear(await listen(opened, 'k')), 'whole', 'after another listener wrote')
    },
  },
  {
    id: 'flights.listen.complete-ends',
    promise: 'listeners end behind the last chunk when the leader completes, also one that begins to read after that',
    async check(opened) {
      const own = await lead(opened, 'k')
      const ear = hear(await listen(opened, 'k'))
      const late = await listen(opened, 'k')
      await own.append(bytes('all'))
      await own.complete()
      await ends(opened, ear, 'complete', 'one that read all the time')
      const second = hear(late)
      await ends(opened, second, 'complete', 'one that began late')
      assert.deepEqual([ear.text, second.text], ['all', 'all'])
    },
  },
  {
    id: 'flights.listen.abandon-rejects',
    promise: 'listeners reject CONFLICT, retryable, when the leader abandons',
    async check(opened) {
      const own = await lead(opened, 'k')
      const ear = hear(await listen(opened, 'k'))
      await own.append(bytes('part'))
      await hears(opened, ear, 'part', 'before')
      await own.abandon()
      await ends(opened, ear, 'CONFLICT', 'after the leader abandoned')
    },
  },
  {
    id: 'flights.listen.slow-holds-nobody',
    promise: 'a listener that does not read holds back neither the leader nor the others, and misses nothing',
    async check(opened) {
      const own = await lead(opened, 'k')
      const begin = Promise.withResolvers<void>()
      const slow = hear(await listen(opened, 'k'), begin.promise)
      const quick = hear(await listen(opened, 'k'))
      const text = 'x'.repeat(2_000)
      for (let at = 0; at < 50; at += 1) await own.append(bytes(text))
      await own.complete()
      await ends(opened, quick, 'complete', 'beside one that does not read')
      assert.equal(quick.heard.length, 100_000)
      begin.resolve()
      await ends(opened, slow, 'complete', 'once it reads')
      assert.equal(slow.heard.length, 100_000)
    },
  },
  {
    id: 'flights.listen.leave',
    promise: 'leaving, once or twice, ends a reading under way without an error; others hear on',
    async check(opened) {
      const own = await lead(opened, 'k')
      const leaving = await listen(opened, 'k')
      const [left, stays] = [hear(leaving), hear(await listen(opened, 'k'))]
      await own.append(bytes('1'))
      await hears(opened, left, '1', 'before it left')
      await leaving.leave()
      await leaving.leave()
      await ends(opened, left, 'complete', 'the reading of one that left')
      await own.append(bytes('2'))
      await hears(opened, stays, '12', 'one that stays')
      assert.equal(left.text, '1', 'one that left')
    },
  },
  {
    id: 'flights.listen.break-leaves',
    promise: 'breaking off its chunks leaves the flight',
    async check(opened) {
      const own = await lead(opened, 'k')
      await own.append(bytes('1'))
      const listening = await listen(opened, 'k')
      for await (const _ of listening.chunks) break
      await until(opened, async () => (await own.listeners()) === 0)
      await quiet(opened)
      assert.equal(await own.listeners(), 0)
    },
  },
]
