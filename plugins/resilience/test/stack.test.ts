import type { Call, ModelReply } from '@switchyard/contract'
import { describe, expect, test } from 'vitest'
import type { OperationInput } from '../src/options.ts'
import { fakeCall, unavailable } from './fake-call.ts'
import { type Behaviour, scripted, stack } from './stack.ts'

const stream: Behaviour = { kind: 'stream', afterMs: 10, lastsMs: 10, outcome: 'complete' }
const fails: Behaviour = { kind: 'fails', afterMs: 10, error: unavailable() }
const request = { endpoint: 'chat/completions', model: 'm', body: {}, stream: true } as const
const spare = { target: 'spare', request, attributes: { deployment: 'spare/model' } }

/** The headers of what is answered, with so many behaviours, one an attempt. */
async function headersOf(behaviours: readonly Behaviour[], changes: Partial<Call> = {}, input: OperationInput = {}) {
  let attempt = 0
  const guards = stack(
    { retry: { backoffBaseMs: 0 }, ...input },
    scripted(() => behaviours[attempt++] ?? stream),
  )
  if (input.hedge !== undefined) {
    const { streamTimes } = guards.lanes.at('model.invoke', 'remote', guards.clock.now())
    for (let i = 0; i < 100; i++) streamTimes.record(5, guards.clock.now())
  }
  const reply = guards.call(fakeCall({ operation: 'model.invoke', request, target: 'remote', ...changes }))
  await guards.clock.advance(1_000)
  return ((await reply) as ModelReply).headers
}

describe('a model reply tells what was done for it', () => {
  test('nothing, where the first attempt served it', async () => {
    expect(await headersOf([stream])).toEqual({})
  })

  test('its attempts, where it was asked for again', async () => {
    expect(await headersOf([fails, stream])).toEqual({ 'x-switchyard-attempts': '2' })
  })

  test('what served it and all attempts, where that was another target', async () => {
    const given = { alternatives: [spare] }
    const served = { 'x-switchyard-attempts': '4', 'x-switchyard-deployment': 'spare/model' }
    expect(await headersOf([fails, fails, fails, stream], given)).toEqual(served)
  })

  test('what served it, where a hedge won', async () => {
    const hedge = { enabled: true, ratio: 1, minSamples: 20 }
    const served = { 'x-switchyard-attempts': '2', 'x-switchyard-deployment': 'spare/model' }
    expect(await headersOf([{ kind: 'hangs' }, stream], { alternatives: [spare] }, { hedge })).toEqual(served)
  })
})
