import assert from 'node:assert/strict'
import type { Bus } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { hears, listen, message, until } from './listening.ts'

const ABORTED = { signal: AbortSignal.abort() }

export const subscribeCases: readonly ConformanceCase<Bus>[] = [
  {
    id: 'bus.subscribe.own-bytes',
    promise: 'each subscription gets bytes of its own: what one listener writes into them no other sees',
    async check(opened) {
      const seen: string[] = []
      for (let at = 0; at < 2; at += 1) {
        await opened.instance.subscribe('t', (bytes) => {
          seen.push(new TextDecoder().decode(bytes))
          bytes.fill(120)
        })
      }
      await opened.instance.publish('t', message('whole'))
      await until(opened, () => seen.length >= 2)
      assert.deepEqual(seen, ['whole', 'whole'])
    },
  },
  {
    id: 'bus.subscribe.same-listener-twice',
    promise: 'one function subscribed twice is called twice, and ending one subscription leaves the other',
    async check(opened) {
      const heard: string[] = []
      const listener = (bytes: Uint8Array): void => {
        heard.push(new TextDecoder().decode(bytes))
      }
      const stop = await opened.instance.subscribe('t', listener)
      await opened.instance.subscribe('t', listener)
      await opened.instance.publish('t', message('both'))
      await hears(opened, { heard }, ['both', 'both'], 'while both are on')
      await stop()
      await opened.instance.publish('t', message('one'))
      await hears(opened, { heard }, ['both', 'both', 'one'], 'after one was ended')
    },
  },
  {
    id: 'bus.subscribe.throwing-listener',
    promise: 'a listener that throws disturbs neither the publisher, nor other listeners, nor itself later on',
    async check(opened) {
      let thrown = 0
      await opened.instance.subscribe('t', () => {
        thrown += 1
        throw new Error('a listener of the case threw')
      })
      const ear = await listen(opened.instance, 't')
      await opened.instance.publish('t', message('1'))
      await opened.instance.publish('t', message('2'))
      await hears(opened, ear, ['1', '2'], 'beside a listener that throws')
      assert.equal(thrown, 2, 'calls of the listener that throws')
    },
  },
  {
    id: 'bus.subscribe.publishes-inside',
    promise: 'a listener may publish and subscribe',
    async check(opened) {
      const answers = await listen(opened.instance, 'answers')
      const later: string[] = []
      await opened.instance.subscribe('questions', () => {
        void opened.instance.publish('answers', message('yes'))
        void opened.instance.subscribe('questions', () => {
          later.push('late')
        })
      })
      await opened.instance.publish('questions', message('?'))
      await hears(opened, answers, ['yes'], 'what the listener published')
      await opened.instance.publish('questions', message('?'))
      await hears(opened, { heard: later }, ['late'], 'what the listener subscribed')
    },
  },
  {
    id: 'bus.subscribe.end-stops',
    promise: 'nothing is heard once a subscription was ended, not even what was under way; others hear on',
    async check(opened) {
      const ended = await listen(opened.instance, 't')
      const other = await listen(opened.instance, 't')
      const publishing = opened.instance.publish('t', message('under way'))
      const stopping = ended.stop()
      await Promise.all([publishing, stopping])
      await opened.instance.publish('t', message('after'))
      await hears(opened, other, ['under way', 'after'], 'the subscription that stays')
      await hears(opened, ended, [], 'the subscription that was ended')
    },
  },
  {
    id: 'bus.subscribe.end-twice',
    promise: 'ending a subscription twice does no harm to others made since',
    async check(opened) {
      const first = await listen(opened.instance, 't')
      await first.stop()
      const second = await listen(opened.instance, 't')
      await first.stop()
      await opened.instance.publish('t', message('m'))
      await hears(opened, second, ['m'], 'a subscription made after the first end')
    },
  },
  {
    id: 'bus.subscribe.empty-topic-invalid',
    promise: 'subscribing to an empty topic rejects INVALID_REQUEST',
    async check({ instance }) {
      await rejectsWith(() => instance.subscribe('', () => {}), 'INVALID_REQUEST', 'subscribe to an empty topic')
    },
  },
  {
    id: 'bus.subscribe.aborted-signal',
    promise: 'subscribe under a signal that has aborted rejects ABORTED and hears nothing',
    async check(opened) {
      const heard: string[] = []
      const listener = (): void => {
        heard.push('m')
      }
      await rejectsWith(() => opened.instance.subscribe('t', listener, ABORTED), 'ABORTED', 'subscribe')
      await opened.instance.publish('t', message('m'))
      await hears(opened, { heard }, [], 'after an aborted subscribe')
    },
  },
]
