import { type Call, definePlugin, type ModelReply, type Plugin, SwitchyardError } from '@switchyard/contract'
import { type Kernel, startKernel } from '@switchyard/kernel'
import { virtualClock } from '@switchyard/testkit'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { resilience } from '../src/index.ts'
import { rejection, unavailable } from './fake-call.ts'

const principal = { tenant: 'acme', keyId: 'key-1', roles: [] }
const REQUESTS = {
  'sql.query': { sql: 'select 1', params: [] },
  'model.invoke': { endpoint: 'chat/completions', model: 'demo/echo', body: {}, stream: true },
} as const

type Guarded = keyof typeof REQUESTS

/** Serves both operations by one function. */
function remote(answer: (call: Call) => Promise<unknown>): Plugin {
  return definePlugin({
    name: 'remote',
    contract: 1,
    options: z.strictObject({}),
    setup: () => ({ ports: {}, serves: { 'sql.query': answer as never, 'model.invoke': answer as never } }),
  })()
}

let kernel: Kernel | undefined
afterEach(() => kernel?.close())

async function start(answer: (call: Call) => Promise<unknown>, options: Parameters<typeof resilience>[0] = {}) {
  const clock = virtualClock()
  kernel = await startKernel({ plugins: [resilience(options), remote(answer)] }, { clock, random: () => 0.5 })
  return { clock, kernel }
}

describe.each(Object.keys(REQUESTS) as Guarded[])('%s', (operation) => {
  const init = { target: 'remote', request: REQUESTS[operation], principal, idempotent: true }

  test('is repeated with the next attempt number', async () => {
    const attempts: number[] = []
    const { clock, kernel } = await start(async (call) => {
      attempts.push(call.attempt)
      if (call.attempt < 3) throw unavailable()
      return { rows: [], rowCount: attempts.length }
    })
    const reply = kernel.call(operation, init as never)
    await clock.advance(10_000)
    expect(await reply).toMatchObject({ rowCount: 3 })
    expect(attempts).toEqual([1, 2, 3])
  })

  test('is ended by the deadline, retries included', async () => {
    let attempts = 0
    const { clock, kernel } = await start(
      async (call) => {
        attempts++
        await clock.sleep(400, call.signal)
        throw unavailable()
      },
      { deadline: { totalMs: 1_000 }, retry: { maxAttempts: 20, backoffBaseMs: 0 } },
    )
    const begun = clock.now()
    let tookMs = 0
    const failed = rejection(kernel.call(operation, init as never)).finally(() => {
      tookMs = clock.now() - begun
    })
    await clock.advance(5_000)
    expect(await failed).toMatchObject({ code: 'TIMEOUT', plugin: 'resilience' })
    expect(tookMs).toBe(1_000)
    expect(attempts).toBe(3)
  })

  test('goes by its own settings', async () => {
    const { clock, kernel } = await start(async () => Promise.reject(unavailable()), {
      attempts: { maxAttempts: 5 },
      retry: { maxAttempts: 5, backoffBaseMs: 0 },
      operations: { 'sql.query': { retry: { maxAttempts: 2 } } },
    })
    const ended: Call[] = []
    kernel.on('call:ended', ({ call }) => ended.push(call as Call))
    const failed = rejection(kernel.call(operation, init as never))
    await clock.advance(1_000)
    expect((await failed).code).toBe('UPSTREAM_UNAVAILABLE')
    expect(ended[0]?.trace.measures.get('retryCount')).toBe(operation === 'sql.query' ? 1 : 4)
  })

  test('is explained without being sent', async () => {
    let calls = 0
    const { kernel } = await start(async () => {
      calls++
    })
    const { decisions, problems } = await kernel.explain(operation, init as never)
    expect(problems).toEqual([])
    expect(decisions.map(({ stage, by, decision }) => [stage, by, decision])).toEqual([
      ['admit', 'resilience/deadline', 'deadline-set'],
      ['admit', 'resilience/shed', 'admitted'],
      ['resilience', 'resilience/fallback', 'no-fallback'],
      ['resilience', 'resilience/retry', 'may-retry'],
      ['resilience', 'resilience/quarantine', 'let-through'],
      ['resilience', 'resilience/breaker', 'let-through'],
      ['resilience', 'resilience/bulkhead', 'slot-free'],
      ['resilience', 'resilience/attempt', 'attempt'],
    ])
    expect(calls).toBe(0)
  })
})

test('a stream that breaks after its first content is not sent again', async () => {
  let calls = 0
  const broken = new SwitchyardError('UPSTREAM_TRUNCATED', 'the stream ended without its terminator')
  const { clock, kernel } = await start(async (): Promise<ModelReply> => {
    calls++
    const { promise: ended, resolve } = Promise.withResolvers<Awaited<ModelReply['ended']>>()
    async function* body(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode('data: {}\n\n')
      resolve({ outcome: 'truncated', error: broken, usage: { inputTokens: 0, outputTokens: 0 }, usageSource: 'none' })
      throw broken
    }
    return { status: 200, headers: {}, body: body(), ended }
  })
  const request = REQUESTS['model.invoke']
  const reply = await kernel.call('model.invoke', { target: 'remote', request, principal, idempotent: true })
  const read = async (): Promise<void> => {
    for await (const _ of reply.body as AsyncIterable<Uint8Array>);
  }
  expect(await rejection(read())).toBe(broken)
  await clock.advance(60_000)
  expect(calls).toBe(1)
  expect(clock.pending()).toBe(0)
})

describe('everything that is off by default', () => {
  const all = {
    hedge: { enabled: true },
    limiter: { algorithm: 'gradient' as const },
    operations: { 'model.invoke': { degrade: { ladder: ['static-answer' as const], staticAnswer: 'Later, please.' } } },
  }
  const init = { target: 'remote', request: { ...REQUESTS['model.invoke'], stream: false }, principal, idempotent: true }

  test('stands in its place once an operation asks for it', async () => {
    const { kernel } = await start(async () => ({}), all)
    const { decisions } = await kernel.explain('model.invoke', init)
    expect(decisions.map(({ by }) => by.replace('resilience/', ''))).toEqual([
      'deadline',
      'shed',
      'degrade',
      'fallback',
      'hedge',
      'retry',
      'quarantine',
      'breaker',
      'bulkhead',
      'attempt',
    ])
  })

  test('answers by itself when nothing does, and observers hear why', async () => {
    const { clock, kernel } = await start(async () => Promise.reject(unavailable()), all)
    const opened: string[] = []
    kernel.on('breaker:opened', ({ plugin, deployment, reason }) => opened.push(`${plugin} ${deployment} ${reason}`))
    const outcomes: string[] = []
    kernel.on('call:ended', ({ outcome }) => outcomes.push(outcome))
    for (let i = 0; i < 2; i++) {
      const reply = kernel.call('model.invoke', init)
      await clock.advance(10_000)
      expect(await reply).toMatchObject({ status: 200, headers: { 'x-switchyard-degraded': 'static-answer' } })
    }
    expect(opened).toEqual(['resilience remote consecutive-failures'])
    expect(outcomes).toEqual(['ok', 'ok'])
    expect(clock.pending()).toBe(0)
  })

  test('sheds by the calls under way, over every operation', async () => {
    const { clock, kernel } = await start((call) => clock.sleep(1_000, call.signal), {
      pressure: { inFlightOn: 2, normalFactor: 1 },
    })
    const asked = Array.from({ length: 3 }, () => kernel.call('sql.query', { ...init, request: REQUESTS['sql.query'] }))
    const refused = await rejection(asked[2] as Promise<unknown>)
    expect(refused).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_500, details: { guard: 'shed' } })
    await clock.advance(1_000)
    await Promise.all(asked.slice(0, 2))
  })
})

test('nothing is placed that nobody wants', async () => {
  const { kernel } = await start(async () => ({}), { shed: { enabled: false }, quarantine: { enabled: false } })
  const request = REQUESTS['sql.query']
  const { decisions } = await kernel.explain('sql.query', { target: 'remote', request, principal })
  const by = decisions.map((each) => each.by)
  expect(by).not.toContain('resilience/shed')
  expect(by).not.toContain('resilience/quarantine')
})

test('a client that makes up model names does not fill the memory, nor shut off a good one', async () => {
  const { kernel } = await start(async () => ({}))
  const request = REQUESTS['sql.query']
  const ask = (deployment: string) =>
    kernel.call('sql.query', { target: 'remote', request, principal, attributes: { deployment } })
  for (let i = 0; i < 10_000; i++) await ask(`remote/made-up/${i}`)
  expect(await ask('remote/openai/gpt')).toEqual({})
})
