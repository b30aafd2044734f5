import assert from 'node:assert/strict'
import type { Health } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { DISABLED, ENABLED, names } from './changes.ts'

const LACKING: readonly (readonly [string, string, { readonly by: string; readonly reason: string }])[] = [
  ['no deployment', '', DISABLED],
  ['no by', 'a', { ...DISABLED, by: '' }],
  ['no reason', 'a', { ...DISABLED, reason: '' }],
]

export const changingCases: readonly ConformanceCase<Health>[] = [
  {
    id: 'health.disable.takes-out',
    promise: 'a disabled deployment has weight 0 from then on, and says why and since when; others are as they were',
    async check(opened) {
      const { instance } = opened
      await opened.advance(20)
      const began = opened.now()
      await instance.disable('a', DISABLED)
      const { state, weight, reason, since } = instance.of('a')
      assert.deepEqual({ state, weight }, { state: 'disabled', weight: 0 })
      assert.ok(reason.includes(DISABLED.reason), `its reason is ${JSON.stringify(reason)}`)
      assert.ok(since >= began && since <= opened.now(), `since ${since}, disabled at ${began}`)
      assert.deepEqual([instance.of('b').state, instance.of('b').weight], ['healthy', 1], 'another')
    },
  },
  {
    id: 'health.disable.stays',
    promise: 'time alone brings no disabled deployment back',
    async check(opened) {
      await opened.instance.disable('a', DISABLED)
      await opened.advance(400)
      assert.deepEqual([opened.instance.of('a').state, opened.instance.of('a').weight], ['disabled', 0])
    },
  },
  {
    id: 'health.disable.again',
    promise: 'disabling what is disabled is no change of state, and one enable is enough afterwards',
    async check({ instance }) {
      await instance.disable('a', DISABLED)
      await instance.disable('a', { by: 'else', reason: 'again' })
      assert.equal(instance.history('a').length, 1, 'changes')
      await instance.enable('a', ENABLED)
      assert.equal(instance.of('a').state, 'healthy')
    },
  },
  {
    id: 'health.disable.says-by-whom-and-why',
    promise: 'disabling without a deployment, `by` or `reason` rejects INVALID_REQUEST and changes nothing',
    async check({ instance }) {
      for (const [what, deployment, change] of LACKING) {
        await rejectsWith(() => instance.disable(deployment, change), 'INVALID_REQUEST', `disable with ${what}`)
      }
      assert.equal(instance.of('a').state, 'healthy')
      assert.deepEqual(names(instance), [])
    },
  },
  {
    id: 'health.enable.full-weight',
    promise: 'an enabled deployment is healthy at full weight at once',
    async check({ instance }) {
      await instance.disable('a', DISABLED)
      await instance.enable('a', ENABLED)
      assert.deepEqual([instance.of('a').state, instance.of('a').weight], ['healthy', 1])
    },
  },
  {
    id: 'health.enable.only-that-one',
    promise: 'enabling one deployment leaves others disabled',
    async check({ instance }) {
      for (const name of ['a', 'b']) await instance.disable(name, DISABLED)
      await instance.enable('a', ENABLED)
      assert.deepEqual([instance.of('b').state, instance.of('b').weight], ['disabled', 0])
    },
  },
  {
    id: 'health.enable.healthy-stays',
    promise: 'enabling a healthy deployment is no change',
    async check({ instance }) {
      await instance.enable('a', ENABLED)
      assert.equal(instance.of('a').state, 'healthy')
      assert.deepEqual([...instance.history('a')], [])
    },
  },
  {
    id: 'health.enable.says-by-whom-and-why',
    promise: 'enabling without a deployment, `by` or `reason` rejects INVALID_REQUEST and changes nothing',
    async check({ instance }) {
      await instance.disable('a', DISABLED)
      for (const [what, deployment, change] of LACKING) {
        await rejectsWith(() => instance.enable(deployment, change), 'INVALID_REQUEST', `enable with ${what}`)
      }
      assert.equal(instance.of('a').state, 'disabled')
    },
  },
]
