import type { FreshAnswer, SemanticCache, SemanticFinding, SemanticQuestion } from '@switchyard/contract'
import { SwitchyardError } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import type { LikenessPlan } from '../src/kind.ts'
import { keyOf } from './support/echo-kind.ts'
import { type RigOptions, startRig } from './support/rig.ts'

const likeness = (text: string): LikenessPlan => ({
  text,
  population: 'acme/route',
  earlierTurns: false,
  shared: false,
  epsilon: undefined,
})

interface Told {
  readonly questions: SemanticQuestion[]
  readonly settled: (FreshAnswer | undefined)[]
  readonly rejected: unknown[]
  readonly counted: string[]
  gone: number
}

/** A likeness level that finds what it is told to. */
function fakeLevel(found: (text: string) => Partial<SemanticFinding>): {
  readonly semantic: SemanticCache
  readonly told: Told
} {
  const told: Told = { questions: [], settled: [], rejected: [], counted: [], gone: 0 }
  return {
    told,
    semantic: {
      async find(question) {
        told.questions.push(question)
        return {
          outcome: 'miss',
          audit: false,
          settle: (fresh) => void told.settled.push(fresh),
          gone() {
            told.gone += 1
          },
          ...found(question.text),
        }
      },
      counted: (population) => void told.counted.push(population),
      reject: async (wrong) => void told.rejected.push(wrong),
      standings: () => [],
    },
  }
}

async function rigOf(found: (text: string) => Partial<SemanticFinding>, options: RigOptions = {}) {
  const { semantic, told } = fakeLevel(found)
  const rig = await startRig({ ...options, semantic })
  const ask = (text: string, more = {}) => rig.ask(text, { plan: { likeness: likeness(text), ...more } })
  return { rig, told, ask }
}

const asks =
  (other: string, more: Partial<SemanticFinding> = {}) =>
  (text: string): Partial<SemanticFinding> =>
    text === other
      ? {}
      : { outcome: 'hit', key: keyOf('acme', other), similarity: 0.9, margin: 0.2, probability: 0.99, ...more }

describe('a question in other words', () => {
  test('a miss goes upstream, and its answer is told with the key that it is stored under', async () => {
    const { rig, told, ask } = await rigOf(() => ({}))
    await ask('one')
    expect(told.settled).toEqual([{ key: keyOf('acme', 'one'), answer: 'ONE', expiresAt: rig.clock.now() + 60_000 }])
    expect(await told.questions[0]?.answerOf(keyOf('acme', 'one'))).toBe('ONE')
    expect(await told.questions[0]?.answerOf(keyOf('acme', 'unknown'))).toBeUndefined()
    await ask('one')
    expect(told.questions).toHaveLength(1)
    expect(told.counted).toEqual(['acme/route'])
  })

  test('a hit is served, and not stored under the words that were asked', async () => {
    const { rig, told, ask } = await rigOf(asks('one'))
    await ask('one')
    expect(await ask('uno')).toMatchObject({ text: 'ONE', headers: { level: 'l3' } })
    expect(rig.asked).toEqual(['one'])
    expect(await ask('uno')).toMatchObject({ headers: { level: 'l3' } })
    expect(told.settled.slice(1)).toEqual([undefined, undefined])
    expect(rig.counts().outcomes).toMatchObject({ l3: 2, miss: 1 })
  })

  test('what is no longer stored serves nobody, and the level is told', async () => {
    const { rig, told, ask } = await rigOf(asks('one'))
    expect(await ask('uno')).toMatchObject({ text: 'UNO' })
    expect(told.gone).toBe(1)
    expect(told.settled).toEqual([expect.objectContaining({ answer: 'UNO' })])
    expect(rig.asked).toEqual(['uno'])
  })

  test('audits that hang, whatever their signal says, take the place of others until their time is up', async () => {
    const { rig, told, ask } = await rigOf(asks('one', { audit: true }), {
      answers: (text) => (text === 'uno' ? new Promise(() => {}) : text.toUpperCase()),
    })
    await ask('one')
    for (let left = 5; left > 0; left -= 1) await ask('uno')
    expect(rig.admin.report().ownCalls).toEqual({ made: 4, dropped: 1, failed: 0 })
    await rig.clock.advance(5_000)
    expect(rig.admin.report().ownCalls).toEqual({ made: 4, dropped: 1, failed: 4 })
    expect(told.settled).toHaveLength(6)
    await ask('uno')
    expect(rig.admin.report().ownCalls).toMatchObject({ made: 5 })
  })

  test('a key of another partition serves nobody and is told to nobody, whatever the index says', async () => {
    const { rig, told, ask } = await rigOf((text) =>
      text === 'one' ? {} : { outcome: 'hit', key: keyOf('acme', 'one'), similarity: 1, margin: 1, probability: 1 },
    )
    await ask('one')
    const theirs = { tenant: 'evil', plan: { likeness: likeness('uno') } }
    expect(await rig.ask('uno', theirs)).toMatchObject({ text: 'UNO', headers: { 'x-switchyard-cache': 'miss' } })
    expect(await told.questions[1]?.answerOf(keyOf('acme', 'one'))).toBeUndefined()
    expect(told.gone).toBe(1)
  })

  test('an invalidated answer is not served in other words either', async () => {
    const { rig, told, ask } = await rigOf(asks('one'))
    await ask('one')
    await rig.admin.invalidate({ tenant: 'acme', tags: ['doc'] }, { by: 'op' })
    expect(await ask('uno')).toMatchObject({ text: 'UNO' })
    expect(told.gone).toBe(1)
  })

  test('one that is older than the caller takes is not served', async () => {
    const { rig, ask } = await rigOf(asks('one'))
    await ask('one')
    await rig.clock.advance(2_000)
    expect(await ask('uno', { maxAgeMs: 1_000 })).toMatchObject({ text: 'UNO' })
  })

  test('no-cache does not look', async () => {
    const { told, ask } = await rigOf(asks('one'))
    await ask('one', { wish: 'no-cache' })
    expect(told.questions).toHaveLength(0)
  })

  test('where upstream fails the level is told that nothing came', async () => {
    const { told, ask } = await rigOf(() => ({}), {
      answers() {
        throw new SwitchyardError('UPSTREAM_REJECTED', 'no')
      },
    })
    await expect(ask('one')).rejects.toMatchObject({ code: 'UPSTREAM_REJECTED' })
    expect(told.settled).toEqual([undefined])
  })

  test('an answer that is not kept is none to compare with', async () => {
    const { told, ask } = await rigOf(() => ({}), { answers: () => '!no' })
    await ask('one')
    expect(told.settled).toEqual([undefined])
  })
})

describe('audits', () => {
  test('a hit that is audited is served at once and sent upstream beside it', async () => {
    const { rig, told, ask } = await rigOf(asks('one', { audit: true }))
    await ask('one')
    expect(await ask('uno')).toMatchObject({ text: 'ONE' })
    await rig.clock.advance(0)
    expect(rig.purposes).toEqual([undefined, 'audit'])
    expect(told.settled[1]).toMatchObject({ key: keyOf('acme', 'uno'), answer: 'UNO' })
    // Its answer is that of these very words from now on.
    expect(await ask('uno')).toMatchObject({ text: 'UNO', headers: { level: 'l1' } })
    rig.close()
    expect(rig.clock.pending()).toBe(0)
  })

  test('is sent once: whatever retries or hedges takes it for a call that may not be repeated', async () => {
    const sent: unknown[] = []
    const { rig, ask } = await rigOf(asks('one', { audit: true }), {
      answers(text, { idempotent, attributes: { purpose, priority } }) {
        if (purpose !== undefined) sent.push({ idempotent, purpose, priority })
        return text.toUpperCase()
      },
    })
    await ask('one')
    await ask('uno')
    await rig.clock.advance(0)
    expect(sent).toEqual([{ idempotent: false, purpose: 'audit', priority: 'low' }])
  })

  test('one that fails is no label, and the caller sees nothing of it', async () => {
    const { rig, told, ask } = await rigOf(asks('one', { audit: true }), {
      answers(text, call) {
        if (call.attributes.purpose === 'audit') throw new SwitchyardError('BUDGET_EXCEEDED', 'spent')
        return text.toUpperCase()
      },
    })
    await ask('one')
    expect(await ask('uno')).toMatchObject({ text: 'ONE' })
    await rig.clock.advance(0)
    expect(told.settled).toEqual([expect.anything(), undefined])
    expect(rig.admin.report().ownCalls).toEqual({ made: 1, dropped: 0, failed: 1 })
  })

  test('one that hangs ends at its time limit, and more than fit are dropped', async () => {
    const { rig, told, ask } = await rigOf(asks('one', { audit: true }), {
      answers: (text, call) =>
        call.attributes.purpose === 'audit'
          ? new Promise((_resolve, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason)))
          : text.toUpperCase(),
    })
    await ask('one')
    for (let at = 0; at < 6; at += 1) await ask(`uno ${at}`)
    expect(rig.admin.report().ownCalls).toMatchObject({ made: 4, dropped: 2 })
    await rig.clock.advance(5_000)
    expect(rig.admin.report().ownCalls).toMatchObject({ failed: 4 })
    expect(told.settled.filter((fresh) => fresh === undefined)).toHaveLength(6)
    expect(rig.clock.pending()).toBe(0)
  })
})

test.each([
  ['half of a hard budget is used', [{ hard: true, used: 50n }], false],
  ['less of it', [{ hard: true, used: 49n }], true],
  ['more of a soft one', [{ hard: false, used: 150n }], true],
  [
    'half of one of two',
    [
      { hard: true, used: 1n },
      { hard: true, used: 60n },
    ],
    false,
  ],
])('what is left of a budget is for clients: %s', async (_name, standings, audits) => {
  const of = () => standings.map((one) => ({ name: 'b', level: 'key', limit: 100n, resetsAt: undefined, ...one }))
  const { rig, told, ask } = await rigOf(asks('one', { audit: true }), { budgets: { of } })
  await ask('one')
  expect(await ask('uno')).toMatchObject({ text: 'ONE' })
  await rig.clock.advance(0)
  expect(rig.purposes).toEqual(audits ? [undefined, 'audit'] : [undefined])
  expect(told.settled).toHaveLength(2)
  expect(rig.admin.report().ownCalls.dropped).toBe(audits ? 0 : 1)
})

describe('what callers call wrong', () => {
  test('goes out of the index, and the entry of its own words stays', async () => {
    const { rig, told, ask } = await rigOf(asks('one'))
    await ask('one')
    await rig.ask('uno', { id: 'mine', plan: { likeness: likeness('uno') } })
    expect(await rig.admin.reject('acme', 'mine')).toBe(true)
    expect(told.rejected).toEqual([{ partition: 'acme', population: 'acme/route', key: keyOf('acme', 'one'), question: 'uno' }])
    expect(await ask('one')).toMatchObject({ headers: { level: 'l1' } })
  })
})
