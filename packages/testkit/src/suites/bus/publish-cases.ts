import assert from 'node:assert/strict'
import type { Bus } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { hears, listen, message, until } from './listening.ts'

const ABORTED = { signal: AbortSignal.abort() }

export const publishCases: readonly ConformanceCase<Bus>[] = [
  {
    id: 'bus.publish.reaches-every-listener',
    promise: 'a message reaches every subscription of its topic once, two of one node too',
    async check(opened) {
      const [first, second] = [await listen(opened.instance, 't'), await listen(opened.instance, 't')]
      await opened.instance.publish('t', message('hello'))
      await hears(opened, first, ['hello'], 'the first subscription')
      await hears(opened, second, ['hello'], 'the second subscription')
    },
  },
  {
    id: 'bus.publish.each-message-once',
    promise: 'each of many messages arrives, none twice, also where two are alike',
    async check(opened) {
      const ear = await listen(opened.instance, 't')
      const texts = [...Array.from({ length: 50 }, (_, at) => `m${at}`), 'm7']
      await Promise.all(texts.map((text) => opened.instance.publish('t', message(text))))
      await hears(opened, ear, texts, 'what was published')
    },
  },
  {
    id: 'bus.publish.own-topic-only',
    promise: 'a message reaches subscriptions of exactly its topic: names are no patterns, and case and length count',
    async check(opened) {
      const topics = ['t', 'T', 't.a', 't*', '*', 't?', 't ', '[t]', '__proto__', 'tt']
      const ears = await Promise.all(topics.map((topic) => listen(opened.instance, topic)))
      for (const topic of topics) await opened.instance.publish(topic, message(topic))
      for (const [at, topic] of topics.entries()) {
        await hears(opened, ears[at] as (typeof ears)[number], [topic], `the topic ${JSON.stringify(topic)}`)
      }
    },
  },
  {
    id: 'bus.publish.keeps-bytes',
    promise: 'bytes arrive as they were, every value of a byte, none, and a part of a larger buffer',
    async check(opened) {
      const every = Uint8Array.from({ length: 256 }, (_, at) => at)
      for (const sent of [every, new Uint8Array(0), every.subarray(10, 20)]) {
        const got: Uint8Array[] = []
        const stop = await opened.instance.subscribe('t', (bytes) => {
          got.push(bytes)
        })
        await opened.instance.publish('t', sent)
        await until(opened, () => got.length > 0)
        assert.ok(got[0] instanceof Uint8Array, `${sent.length} bytes: no Uint8Array came`)
        assert.deepEqual([...got[0]], [...sent], `${sent.length} bytes`)
        await stop()
      }
    },
  },
  {
    id: 'bus.publish.copies-input',
    promise: 'changing the bytes after the call changes no message',
    async check(opened) {
      const ear = await listen(opened.instance, 't')
      const bytes = message('before')
      const publishing = opened.instance.publish('t', bytes)
      bytes.fill(120)
      await publishing
      await hears(opened, ear, ['before'], 'after the publisher changed its buffer')
    },
  },
  {
    id: 'bus.publish.listeners-run-later',
    promise: 'no listener runs inside the call that publishes',
    async check(opened) {
      const ear = await listen(opened.instance, 't')
      const publishing = opened.instance.publish('t', message('m'))
      assert.deepEqual(ear.heard, [], 'heard before publish returned')
      await publishing
      await hears(opened, ear, ['m'], 'afterwards')
    },
  },
  {
    id: 'bus.publish.without-listeners',
    promise: 'publishing to a topic that nobody listens to resolves, and nobody who comes later is given it',
    async check(opened) {
      await opened.instance.publish('t', message('early'))
      const ear = await listen(opened.instance, 't')
      await opened.instance.publish('t', message('late'))
      await hears(opened, ear, ['late'], 'a subscription made after the first message')
    },
  },
  {
    id: 'bus.publish.empty-topic-invalid',
    promise: 'publishing to an empty topic rejects INVALID_REQUEST',
    async check({ instance }) {
      await rejectsWith(() => instance.publish('', message('m')), 'INVALID_REQUEST', 'publish to an empty topic')
    },
  },
  {
    id: 'bus.publish.aborted-signal',
    promise: 'publish under a signal that has aborted rejects ABORTED and sends nothing',
    async check(opened) {
      const ear = await listen(opened.instance, 't')
      await rejectsWith(() => opened.instance.publish('t', message('m'), ABORTED), 'ABORTED', 'publish')
      await hears(opened, ear, [], 'after an aborted publish')
    },
  },
]
