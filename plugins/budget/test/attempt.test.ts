import { SwitchyardError } from '@switchyard/contract'
import { afterEach, describe, expect, test } from 'vitest'
import { callOf, endingOf, rejection, replyOf, startWorld, type World } from './support/world.ts'

let world: World
afterEach(() => world?.plugin.close())

describe('an attempt without a budget', () => {
  test('is booked exactly and asks no counter', async () => {
    world = await startWorld()
    await world.send(callOf(), async () => replyOf(endingOf({ inputTokens: 12, outputTokens: 7, cacheReadTokens: 4 })))
    const [row, ...others] = await world.rows()
    expect(others).toEqual([])
    expect(row).toMatchObject({
      call_id: 'call-1',
      tenant: 'acme',
      team: 'blue',
      key_id: 'key-1',
      user_id: 'ann',
      provider: 'acme',
      model: 'acme/m',
      endpoint: 'chat/completions',
      stream: 0,
      kind: 'attempt',
      outcome: 'complete',
      usage_source: 'reported',
      input_tokens: 12,
      output_tokens: 7,
      // 8 x 2,000,000 + 4 x 200,000 + 7 x 10,000,000
      cost_pusd: 86_800_000,
      cost_uusd: 87,
      charged_nusd: 86_800,
      cost_parts: '{"input":[8,2000000],"cacheRead":[4,200000],"output":[7,10000000]}',
      catalog_version: 'test-1',
      price_row: 'standard/*',
    })
    expect(world.counters.calls).toEqual({ reserve: 0, settle: 0, renew: 0, read: 0 })
  })

  test('that fails before any byte is booked at nothing', async () => {
    world = await startWorld()
    const gone = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'nobody there', { details: { sent: false } })
    expect(await rejection(world.send(callOf(), () => Promise.reject(gone)))).toBe(gone)
    expect(await world.rows()).toMatchObject([{ outcome: 'error', usage_source: 'none', cost_pusd: 0, charged_nusd: 0 }])
  })
})

describe('an attempt under a budget', () => {
  test('holds its worst case and settles what it cost', async () => {
    world = await startWorld({ budgets: [{ name: 'team', level: 'team', limitUsd: 1 }] })
    const held: bigint[] = []
    const key = async () => (await world.counters.expired(), [...world.plugin.emitted])
    await key()
    await world.send(callOf(), async () => {
      held.push(...(await sums(world)))
      return replyOf()
    })
    await world.rest()
    // 100 tokens out at 10, and the prompt: more than 1,000,000 nano-USD.
    expect(held[0]).toBeGreaterThan(1_000_000n)
    // 10 x 2 + 5 x 10 micro-USD
    expect(await sums(world)).toEqual([70_000n])
  })
})

async function sums(of: World): Promise<readonly bigint[]> {
  const [row] = (await of.sqlite.query<{ since_ms: number }>('SELECT since_ms FROM switchyard_budgets')).rows
  return of.counters.read([`{acme}:b:team@${row?.since_ms.toString(36)}:2026-01:blue`])
}
