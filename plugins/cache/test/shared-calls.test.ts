import type { SemanticFinding, SemanticQuestion } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import { keyOf } from './support/echo-kind.ts'
import { type Rig, startRig } from './support/rig.ts'

const likeness = { text: 'uno', population: 'acme/route', earlierTurns: false, shared: false, epsilon: undefined }
const nothing = (): void => {}
const miss: SemanticFinding = { outcome: 'miss', audit: false, settle: nothing, gone: nothing }

/** A level that finds `one` in other words, once the gate is open. */
async function gatedRig(): Promise<{ readonly rig: Rig; readonly open: () => void; readonly questions: SemanticQuestion[] }> {
  const gate = Promise.withResolvers<void>()
  const questions: SemanticQuestion[] = []
  const rig = await startRig({
    semantic: {
      async find(question) {
        questions.push(question)
        if (question.text === 'one') return miss
        await gate.promise
        return { ...miss, outcome: 'hit', key: keyOf('acme', 'one'), similarity: 0.9, margin: 0.2, probability: 0.99 }
      },
      counted: nothing,
      reject: async () => {},
      standings: () => [],
    },
  })
  await rig.ask('one', { plan: { likeness: { ...likeness, text: 'one' } } })
  return { rig, open: gate.resolve, questions }
}

const turns = async (): Promise<void> => {
  for (let left = 50; left > 0; left -= 1) await Promise.resolve()
}

describe('calls that want the same, and take less', () => {
  test.each([
    ['no other words', { likeness: undefined }],
    ['fewer wrong answers', { likeness: { ...likeness, epsilon: 0.001 } }],
    ['a younger answer', { likeness, maxAgeMs: 1_000 }],
  ])('%s: no part of a reply that another was content with', async (_, plan) => {
    const { rig, open, questions } = await gatedRig()
    await rig.clock.advance(5_000)
    const content = rig.ask('uno', { plan: { likeness } })
    await turns()
    const strict = rig.ask('uno', { plan })
    await turns()
    open()
    expect(await content).toMatchObject({ text: 'ONE', headers: { level: 'l3' } })
    expect((await strict).headers.level).not.toBe('coalesced')
    if (plan.likeness?.epsilon === undefined) expect(rig.asked).toEqual(['one', 'uno'])
    else expect(questions.at(-1)?.epsilon).toBe(0.001)
  })
})

test('the look for other words goes on for those who stay when the one who began it leaves', async () => {
  const { rig, open, questions } = await gatedRig()
  const leaving = new AbortController()
  const left = rig.ask('uno', { plan: { likeness }, signal: leaving.signal })
  await turns()
  const stays = rig.ask('uno', { plan: { likeness } })
  await turns()
  leaving.abort()
  await expect(left).rejects.toThrow()
  expect(questions.at(-1)?.call.signal.aborted).toBe(false)
  open()
  expect(await stays).toMatchObject({ text: 'ONE' })
})

test('whoever has far more time does not share the call of one who has little', async () => {
  const gate = Promise.withResolvers<string>()
  const deadlines: (number | undefined)[] = []
  const rig = await startRig({
    answers: (_, call) => {
      deadlines.push(call.deadline)
      return gate.promise
    },
  })
  const now = rig.clock.now()
  const all = [700, 60_000, 59_900, 60_000].map(async (ms) => {
    const reply = await rig.ask('one', { deadline: now + ms })
    return reply.headers.level
  })
  await turns()
  gate.resolve('ONE')
  expect(await Promise.all(all)).toEqual([undefined, undefined, 'coalesced', 'coalesced'])
  expect(deadlines).toEqual([now + 700, now + 60_000])
})
