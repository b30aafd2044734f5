import {
  type Call,
  definePlugin,
  type ModelProvider,
  type ModelReply,
  model,
  type Policy,
  type SemanticCache,
  semanticCache,
  vectors,
} from '@switchyard/contract'
import { startKernel } from '@switchyard/kernel'
import { virtualClock } from '@switchyard/testkit'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { cacheSemantic } from '../src/index.ts'
import { fakeIndex } from './support/fakes.ts'
import { HOUR, judgeBy, said } from './support/level.ts'

const none = z.strictObject({})
const principal = { tenant: 'acme', keyId: 'key-1', roles: [] }

const textOf = ({ request }: Call<'model.invoke'>): string =>
  (request.body.messages as readonly { readonly content: string }[]).at(-1)?.content ?? ''

/** A policy that holds answers, as the cache's does: it asks the level, and tells it what came. */
const asker = (answers: Map<string, string>, now: () => number) =>
  definePlugin({
    name: 'asker',
    contract: 1,
    options: none,
    requires: { level: semanticCache },
    setup({ deps: { level } }: { readonly deps: { readonly level: SemanticCache } }) {
      const policy: Policy<'model.invoke'> = {
        name: 'asker',
        stage: 'cache',
        operations: ['model.invoke'],
        async around(call, next) {
          if (call.attributes.purpose !== undefined) throw new Error('a call of the level’s own came through its own stage')
          const text = textOf(call)
          const finding = await level.find({
            call,
            next,
            text,
            partition: 'p1',
            population: 'acme/support',
            earlierTurns: false,
            shared: true,
            answerOf: async (key) => answers.get(key),
          })
          const reply = await next(call)
          answers.set(text, `answer to ${text}`)
          finding.settle({ key: text, answer: `answer to ${text}`, expiresAt: now() + HOUR })
          return reply
        },
      }
      return { ports: {}, policies: [policy as Policy] }
    },
  })()

const index = (now: () => number) =>
  definePlugin({
    name: 'index',
    contract: 1,
    options: none,
    provides: { vectors },
    setup: () => ({ ports: { vectors: fakeIndex(now) } }),
  })()

const provider = (answer: (call: Call<'model.invoke'>) => Promise<ModelReply> | ModelReply) =>
  definePlugin({
    name: 'provider',
    contract: 1,
    options: none,
    provides: { model },
    setup: () => ({
      ports: {
        model: {
          capabilities: { endpoints: ['chat/completions'], streaming: false, models: 'any', listing: false, cancels: false },
        } as unknown as ModelProvider,
      },
      serves: { 'model.invoke': async (call) => answer(call) },
    }),
  })()

const requestOf = (content: string) => ({
  target: 'provider',
  principal,
  request: {
    endpoint: 'chat/completions' as const,
    model: 'openai/gpt',
    body: { messages: [{ role: 'user', content }] },
    stream: false,
  },
})

test('in a kernel: judged after the client’s call has ended, through the rest of the pipeline; aborted at the end', async () => {
  const clock = virtualClock()
  const now = (): number => clock.now()
  const served: Call<'model.invoke'>[] = []
  let isHanging = false
  const judge = judgeBy(() => true)
  const kernel = await startKernel(
    {
      plugins: [
        cacheSemantic({ judge: { model: 'cheap/judge' } }),
        index(now),
        asker(new Map(), now),
        provider(async (call) => {
          served.push(call)
          if (call.attributes.purpose !== 'judge') return said('an answer')
          await clock.sleep(10)
          return isHanging ? new Promise<never>(() => {}) : judge(call)
        }),
      ],
    },
    { clock, random: () => 0.5 },
  )
  const ended: string[] = []
  kernel.on('call:ended', ({ call }) => ended.push(call.id))
  await kernel.call('model.invoke', requestOf('how do i reset my password'))
  await clock.advance(0)
  await kernel.call('model.invoke', requestOf('how can i reset my password'))
  await clock.advance(0)
  expect(ended).toHaveLength(2)
  const before = served.length
  await clock.advance(100)
  expect(served.length).toBeGreaterThan(before)
  const judged = served.filter(({ attributes }) => attributes.purpose === 'judge')
  expect(judged.length).toBeGreaterThan(5)
  expect(judged.at(-1)).toMatchObject({ target: 'provider', principal: { tenant: 'acme' }, attributes: { priority: 'low' } })
  // The client's trace holds nothing of them, and they are no calls of a client.
  expect(ended).toHaveLength(2)
  isHanging = true
  await kernel.call('model.invoke', requestOf('how may i reset my password'))
  await clock.advance(10)
  await kernel.close()
  expect(served.at(-1)?.signal.aborted).toBe(true)
  expect(clock.pending()).toBe(0)
})
