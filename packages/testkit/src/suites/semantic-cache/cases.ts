import assert from 'node:assert/strict'
import { type SemanticCache, type SemanticFinding, SwitchyardError } from '@switchyard/contract'
import { rejectsWith } from '../../conformance/rejects-with.ts'
import type { ConformanceCase } from '../../conformance/suite.ts'
import { answered, KEY, PARTITION, POPULATION, question } from './asking.ts'

/** Cosine from which two texts are the same. */
const SAME = 0.99

function notServed({ outcome, audit, key }: SemanticFinding, what: string): void {
  assert.notEqual(outcome, 'hit', `${what} is a hit`)
  assert.equal(audit, false, `${what} is to be audited`)
  assert.equal(key, undefined, `${what} names an answer`)
}

/** What every semantic cache promises. */
export const semanticCacheCases: readonly ConformanceCase<SemanticCache>[] = [
  {
    id: 'semantic-cache.find.sees-what-was-settled',
    promise: 'a question whose answer was settled is near to itself from then on, until the answer expires',
    async check(opened) {
      assert.equal((await answered(opened, question())).similarity, undefined, 'the first question has a neighbour')
      const { similarity } = await opened.instance.find(question())
      assert.ok(
        similarity !== undefined && similarity >= SAME && similarity <= 1.001,
        `its similarity to itself: ${similarity}`,
      )
      await opened.advance(3_600_000)
      assert.equal((await opened.instance.find(question())).similarity, undefined, 'an expired one is still near')
    },
  },
  {
    id: 'semantic-cache.find.partitions-never-mix',
    promise: 'no question is near to one of another partition, whatever its text',
    async check(opened) {
      await answered(opened, question())
      for (const partition of ['partition-two', `${PARTITION} `, PARTITION.toUpperCase(), `${PARTITION}:x`]) {
        const finding = await opened.instance.find(question({ partition }))
        notServed(finding, `a question of ${partition}`)
        assert.equal(finding.similarity, undefined, `${partition} sees ${PARTITION}`)
      }
    },
  },
  {
    id: 'semantic-cache.find.nothing-before-evidence',
    promise: 'nothing is served before anything is known of right and wrong answers, and standings say so',
    async check(opened) {
      await answered(opened, question())
      notServed(await opened.instance.find(question()), 'the same question')
      const [standing] = opened.instance.standings()
      assert.equal(standing?.population, POPULATION, 'the population')
      assert.equal(standing.isShadow, true, 'shadow mode')
      assert.equal(standing.cut, undefined, 'the cut')
      assert.equal(standing.hits, 0, 'hits')
      assert.equal(standing.errorOfAll, undefined, 'an error without an audit')
    },
  },
  {
    id: 'semantic-cache.find.epsilon-nought',
    promise: 'a call that allows no wrong answer is served none, makes no call, and leaves nothing',
    async check(opened) {
      let calls = 0
      const exact = question({
        epsilon: 0,
        next: () => {
          calls += 1
          return Promise.reject(new SwitchyardError('UPSTREAM_UNAVAILABLE', 'nobody answers in this suite'))
        },
      })
      notServed(await answered(opened, exact), 'a question that allows no wrong answer')
      assert.equal(calls, 0, 'calls made')
    },
  },
  {
    id: 'semantic-cache.find.own-failures',
    promise: 'a level whose calls are refused and whose stored answers cannot be read neither rejects nor throws',
    async check(opened) {
      const failing = {
        next: () => {
          throw new Error('refused at once')
        },
        answerOf: () => Promise.reject(new Error('not to be read')),
      }
      await answered(opened, question(failing))
      const finding = await answered(opened, question(failing), 'another key')
      notServed(finding, 'a question whose neighbour cannot be read')
    },
  },
  {
    id: 'semantic-cache.find.aborted-signal',
    promise: 'a signal that has aborted rejects ABORTED, or with its reason where that is a SwitchyardError',
    async check({ instance }) {
      await rejectsWith(() => instance.find(question(), { signal: AbortSignal.abort() }), 'ABORTED', 'an aborted look-up')
      const late = new SwitchyardError('TIMEOUT', 'the caller’s time is up')
      const error = await rejectsWith(
        () => instance.find(question(), { signal: AbortSignal.abort(late) }),
        'TIMEOUT',
        'a late one',
      )
      assert.equal(error, late, 'it rejects with another error than the reason')
    },
  },
  {
    id: 'semantic-cache.settle.once',
    promise: 'a finding that was settled with nothing leaves nothing, whatever it is told later',
    async check(opened) {
      const finding = await opened.instance.find(question())
      finding.settle(undefined)
      finding.settle({ key: KEY, answer: 'too late', expiresAt: opened.now() + 3_600_000 })
      await opened.advance(100)
      assert.equal((await opened.instance.find(question())).similarity, undefined, 'similarity to what was not kept')
    },
  },
  {
    id: 'semantic-cache.reject.removes',
    promise: 'a rejected answer is near to nothing once the call resolves, and others of its partition stay',
    async check(opened) {
      await answered(opened, question())
      await answered(opened, question({ text: 'where is the parcel that i ordered' }), 'another key')
      await opened.instance.reject({ partition: PARTITION, population: POPULATION, key: KEY })
      const { similarity = -1 } = await opened.instance.find(question())
      assert.ok(similarity < SAME, `its similarity to itself: ${similarity}`)
      const other = await opened.instance.find(question({ text: 'where is the parcel that i ordered' }))
      assert.ok((other.similarity ?? -1) >= SAME, 'another one is gone too')
      await opened.instance.reject({ partition: 'unknown', population: 'unknown', key: 'unknown' })
    },
  },
  {
    id: 'semantic-cache.counted.counts',
    promise: 'requests that were answered without it count beside those that were looked up',
    async check({ instance }) {
      await instance.find(question())
      instance.counted(POPULATION)
      instance.counted(POPULATION)
      const [standing] = instance.standings()
      assert.equal(standing?.requests, 3, 'requests')
      assert.equal(standing.lookups, 1, 'look-ups')
    },
  },
]
