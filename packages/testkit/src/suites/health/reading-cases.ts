import assert from 'node:assert/strict'
import type { Health } from '@switchyard/contract'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { DISABLED, ENABLED, names } from './changes.ts'

export const readingCases: readonly ConformanceCase<Health>[] = [
  {
    id: 'health.of.unknown-is-healthy',
    promise: 'a deployment that nobody has called is healthy with weight 1, and nothing is claimed of it',
    async check({ instance }) {
      const { since, ...rest } = instance.of('p/acme/new')
      assert.equal(typeof since, 'number', 'since')
      assert.deepEqual(
        { ...rest },
        {
          deployment: 'p/acme/new',
          state: 'healthy',
          reason: '',
          weight: 1,
          inFlight: 0,
          firstTokenMs: undefined,
          successRate: undefined,
        },
      )
    },
  },
  {
    id: 'health.of.asking-adds-nothing',
    promise: 'asking for a deployment does not make it a known one, nor gives it a history',
    async check({ instance }) {
      for (let at = 0; at < 100; at += 1) instance.of(`p/acme/${at}`)
      assert.deepEqual(names(instance), [])
      assert.deepEqual([...instance.history('p/acme/1')], [])
    },
  },
  {
    id: 'health.of.keeps-what-it-gave',
    promise: 'what was given does not change when the deployment does',
    async check({ instance }) {
      const before = instance.of('a')
      await instance.disable('a', DISABLED)
      const [between, listed] = [instance.of('a'), instance.list()]
      await instance.enable('a', ENABLED)
      assert.equal(before.state, 'healthy', 'given before it was disabled')
      assert.equal(between.state, 'disabled', 'given before it was enabled')
      assert.deepEqual(
        listed.map(({ state }) => state),
        ['disabled'],
        'listed before it was enabled',
      )
    },
  },
  {
    id: 'health.list.by-name',
    promise: 'all that are known are listed once, in order of their names, each as `of` gives it',
    async check({ instance }) {
      for (const name of ['b', 'c', 'a', 'B', 'b/x', 'b']) await instance.disable(name, DISABLED)
      assert.deepEqual(names(instance), ['B', 'a', 'b', 'b/x', 'c'])
      for (const one of instance.list()) assert.deepEqual({ ...one }, { ...instance.of(one.deployment) }, one.deployment)
    },
  },
  {
    id: 'health.history.newest-first',
    promise: 'each change is in the history, newest first, with its states, reason, time and who did it',
    async check(opened) {
      const { instance } = opened
      const began = opened.now()
      await instance.disable('a', DISABLED)
      await opened.advance(20)
      await instance.enable('a', ENABLED)
      const [last, first, ...more] = instance.history('a')
      assert.ok(first !== undefined && last !== undefined, 'two changes are in the history')
      assert.deepEqual(more, [], 'two changes were made')
      const { at: firstAt, ...firstRest } = first
      const { at: lastAt, ...lastRest } = last
      assert.deepEqual({ ...firstRest }, { deployment: 'a', from: 'healthy', to: 'disabled', ...DISABLED })
      assert.deepEqual({ ...lastRest }, { deployment: 'a', from: 'disabled', to: 'healthy', ...ENABLED })
      assert.ok(firstAt >= began && lastAt >= firstAt + 20 - 5, `at ${firstAt} and ${lastAt}, from ${began} on`)
      assert.ok(lastAt <= opened.now(), `at ${lastAt}, which is later than now`)
    },
  },
  {
    id: 'health.history.of-each-its-own',
    promise: 'a deployment has the changes of no other in its history',
    async check({ instance }) {
      await instance.disable('a', DISABLED)
      await instance.disable('b', { by: 'else', reason: 'other' })
      assert.deepEqual(
        instance.history('a').map(({ deployment, by }) => [deployment, by]),
        [['a', DISABLED.by]],
      )
    },
  },
]
