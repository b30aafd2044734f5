import { type Call, type ModelReply, SwitchyardError } from '@switchyard/contract'
import { virtualClock } from '@switchyard/testkit'
import { describe, expect, test } from 'vitest'
import { degradePolicy } from '../../src/degrade/degrade-policy.ts'
import { staticAnswer } from '../../src/degrade/static-answer.ts'
import type { OperationInput } from '../../src/options.ts'
import { fakeCall, rejection, unavailable } from '../fake-call.ts'
import { alternative, testLanes } from '../test-lanes.ts'

const TEXT = 'We are sorry: no model can be reached now.'
const ALL: OperationInput['degrade'] = { ladder: ['cache-stale', 'cheaper-model', 'static-answer', 'fail'], staticAnswer: TEXT }
const stepsDown = [
  alternative('equal'),
  alternative('cheap', { degrade: 'cheaper-model' }),
  alternative('stale', { degrade: 'cache-stale' }),
]

function chat(stream: boolean, body: object = {}, changes: Partial<Call> = {}): Call {
  const request = { endpoint: 'chat/completions', model: 'openai/gpt', body, stream } as Call<'model.invoke'>['request']
  return fakeCall({ operation: 'model.invoke', request, target: 'remote', ...changes })
}

function setup(degrade: OperationInput['degrade'] = ALL) {
  const clock = virtualClock()
  const { settings } = testLanes({ degrade })
  const policy = degradePolicy({
    name: 'resilience/degrade',
    plugin: 'resilience',
    clock,
    settings: (of) => settings(of).degrade,
  })
  const seen: Call[] = []
  const next =
    (served: readonly string[], error: unknown = unavailable()) =>
    async (call: Call) => {
      seen.push(call)
      call.trace.measure('attemptCount', 1)
      if (!served.includes(call.target)) throw error
      return {
        status: 200,
        headers: { 'content-type': 'text/plain' },
        body: new Uint8Array(0),
        ended: Promise.resolve({}),
      } as never
    }
  return { clock, policy, seen, next, targets: () => seen.map(({ target }) => target) }
}

async function textOf(reply: ModelReply): Promise<string> {
  if (reply.body instanceof Uint8Array) return Buffer.from(reply.body).toString()
  let text = ''
  for await (const chunk of reply.body) text += Buffer.from(chunk).toString()
  return text
}

describe('a call that nothing serves', () => {
  test('goes down rung by rung, in the order of the ladder, and says where it ended', async () => {
    const { policy, next, seen, targets } = setup()
    const call = chat(false, {}, { alternatives: stepsDown })
    const reply = (await policy.around(call, next(['cheap']))) as ModelReply
    expect(targets()).toEqual(['remote', 'stale', 'cheap'])
    expect(seen[2]).toMatchObject({ attempt: 3, attributes: { degrade: 'cheaper-model' }, alternatives: undefined })
    expect(reply.headers).toEqual({ 'content-type': 'text/plain', 'x-switchyard-degraded': 'cheaper-model' })
    expect(call.trace.decisions).toMatchObject([
      { decision: 'degraded', because: { rung: 'cache-stale', to: 'stale', code: 'UPSTREAM_UNAVAILABLE' } },
      { decision: 'degraded', because: { rung: 'cheaper-model', to: 'cheap' } },
    ])
  })

  test('gets the fixed text where there is nothing else', async () => {
    const { clock, policy, next } = setup()
    const reply = (await policy.around(chat(false), next([]))) as ModelReply
    expect(reply.headers).toEqual({ 'content-type': 'application/json', 'x-switchyard-degraded': 'static-answer' })
    expect(JSON.parse(await textOf(reply))).toMatchObject({
      id: 'chatcmpl-static-call-1',
      object: 'chat.completion',
      created: clock.now() / 1_000,
      model: 'openai/gpt',
      choices: [{ index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' }],
      usage: { total_tokens: 0 },
    })
    expect(await reply.ended).toMatchObject({
      outcome: 'complete',
      usage: { inputTokens: 0, outputTokens: 0 },
      usageSource: 'none',
    })
  })

  test('is failed honestly, with a delay, by the rung fail', async () => {
    const { policy, next } = setup({ ladder: ['fail'], retryAfterMs: 7_000 })
    const error = unavailable({ details: { status: 500 } })
    const failed = await rejection(policy.around(chat(false), next([], error)))
    expect(failed).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryAfterMs: 7_000,
      retryable: true,
      cause: error,
      details: { status: 500 },
    })
    const stated = unavailable({ retryAfterMs: 50 })
    expect(await rejection(policy.around(chat(false), next([], stated)))).toBe(stated)
  })

  test.each<[string, Call, OperationInput['degrade'], unknown]>([
    ['without a ladder', chat(false, {}, { alternatives: stepsDown }), { ladder: [] }, unavailable()],
    [
      "for the request's own fault",
      chat(false, {}, { alternatives: stepsDown }),
      ALL,
      new SwitchyardError('INVALID_REQUEST', 'x'),
    ],
    ['for a client that left', chat(false, {}, { alternatives: stepsDown }), ALL, new SwitchyardError('ABORTED', 'x')],
    [
      'of another dialect',
      fakeCall({ operation: 'sql.query' }),
      { ladder: ['static-answer'], staticAnswer: TEXT },
      unavailable(),
    ],
    [
      'that may have been carried out',
      chat(false, {}, { alternatives: stepsDown, idempotent: false }),
      { ladder: ['cheaper-model'] },
      unavailable(),
    ],
  ])('passes its error on as it is %s', async (_name, call, degrade, error) => {
    const { policy, next, seen } = setup(degrade)
    expect(await rejection(policy.around(call, next([], error)))).toBe(error)
    expect(seen).toHaveLength(1)
  })

  test('has no fixed answer but to chat', async () => {
    const { policy, next } = setup({ ladder: ['static-answer'], staticAnswer: TEXT })
    const request = { endpoint: 'embeddings', model: 'm', body: {}, stream: false } as const
    const error = unavailable()
    expect(await rejection(policy.around(chat(false, {}, { request }), next([], error)))).toBe(error)
  })
})

test('a call that is served passes untouched, without a mark', async () => {
  const { policy, next, seen } = setup()
  const call = chat(false, {}, { alternatives: stepsDown })
  const reply = (await policy.around(call, next(['remote']))) as ModelReply
  expect(seen).toEqual([call])
  expect(reply.headers).toEqual({ 'content-type': 'text/plain' })
})

describe('the fixed text, streamed', () => {
  const request = (body: object = {}) => ({
    endpoint: 'chat/completions' as const,
    model: 'm',
    body: body as Record<string, unknown>,
    stream: true,
  })
  const eventsOf = (text: string) =>
    text
      .split('\n\n')
      .filter((event) => event !== '' && event !== 'data: [DONE]')
      .map((event) => JSON.parse(event.slice('data: '.length)))

  test('is whole events of the dialect with its terminator, and ends at its last byte', async () => {
    const reply = staticAnswer(request(), TEXT, '1', 5_000)
    let over = false
    void reply.ended.then(() => {
      over = true
    })
    await Promise.resolve()
    expect(over).toBe(false)
    const text = await textOf(reply)
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(eventsOf(text).map(({ object, choices }) => [object, choices[0].delta, choices[0].finish_reason])).toEqual([
      ['chat.completion.chunk', { role: 'assistant', content: TEXT }, null],
      ['chat.completion.chunk', {}, 'stop'],
    ])
    expect(reply.headers['content-type']).toBe('text/event-stream')
    expect(await reply.ended).toMatchObject({ outcome: 'complete' })
  })

  test('tells its usage where the client asked for it', async () => {
    const text = await textOf(staticAnswer(request({ stream_options: { include_usage: true } }), TEXT, '1', 0))
    expect(eventsOf(text).at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 0 } })
  })

  test('ends though the reader leaves', async () => {
    const reply = staticAnswer(request(), TEXT, '1', 0)
    const iterator = (reply.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
    await iterator.return?.()
    expect(await reply.ended).toMatchObject({ outcome: 'aborted' })
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })
})

describe('explain', () => {
  test('names the rungs that the call could take', async () => {
    const { policy } = setup()
    const rungs = async (call: Call) => (await policy.explain?.(call))?.decisions[0]
    expect(await rungs(chat(false, {}, { alternatives: stepsDown }))).toEqual({
      decision: 'may-degrade',
      because: { rungs: ['cache-stale', 'cheaper-model', 'static-answer', 'fail'] },
    })
    expect(await rungs(fakeCall())).toEqual({ decision: 'may-degrade', because: { rungs: ['fail'] } })
  })

  test('says when there is no ladder', async () => {
    expect(await setup({ ladder: [] }).policy.explain?.(chat(false))).toEqual({ decisions: [{ decision: 'no-ladder' }] })
  })
})
