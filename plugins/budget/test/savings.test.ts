import { createCatalog } from '@switchyard/catalog'
import type { Usage } from '@switchyard/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { savingsOf } from '../src/reports/savings.ts'
import { type ArmSums, compareArms } from '../src/reports/savings-measured.ts'
import { modelledSaving } from '../src/reports/savings-modelled.ts'
import type { SpentAttempt, SpentCall } from '../src/reports/spent-calls.ts'
import { ENTRIES, entryOf } from './support/catalog.ts'
import { type Given, ledgerOf } from './support/ledger-rows.ts'

const AT = Date.UTC(2026, 2, 1)
const RANGE = { from: AT - 1, to: AT + 86_400_000 }
const MICRO = 1_000_000n

/** `acme/m` at 2 and 10, `acme/strong` at 20 and 100 USD a million; `dear/m` is the first elsewhere, at twice the price; `own/cached` caches. */
const CATALOG = createCatalog(
  [
    ...ENTRIES,
    entryOf({ provider: 'dear', model: 'm', prices: [{ perToken: { input: 4_000_000, output: 20_000_000 } }] }),
    entryOf({
      provider: 'own',
      model: 'cached',
      prices: [{ perToken: { input: 20_000_000, output: 100_000_000, cacheRead: 2_000_000, cacheWrite5m: 25_000_000 } }],
    }),
  ],
  { version: 'test-1' },
)

function attempt(given: Partial<SpentAttempt> & { readonly usage?: Usage | undefined } = {}): SpentAttempt {
  return {
    at: AT,
    model: 'acme/m',
    purpose: undefined,
    taskClass: '',
    session: undefined,
    baseline: 'acme/strong',
    isControl: false,
    isCache: false,
    isStandardTier: true,
    isComplete: true,
    // 1,000 in and 100 out at 2 and 10.
    usage: { inputTokens: 1_000, outputTokens: 100 },
    pico: 3_000n * MICRO,
    cacheSaved: undefined,
    ...given,
  }
}
const modelled = (calls: readonly SpentCall[]) => modelledSaving(calls, CATALOG)
const nothing = { cache: 0n, promptCache: 0n, routing: 0n, cascade: 0n, tier: 0n, provider: 0n, checks: 0n, retries: 0n }

describe('modelled savings', () => {
  test('of a cheaper model are the difference of prices', () => {
    expect(modelled([[attempt()]])).toMatchObject({
      baselinePico: 30_000n * MICRO,
      actualPico: 3_000n * MICRO,
      savedPico: 27_000n * MICRO,
      share: 0.9,
      levers: { ...nothing, routing: 27_000n * MICRO },
      residualPico: 0n,
      calls: 1,
      unmodelled: 0,
      lengthsAssumed: 1,
    })
  })

  test('are below nothing where it was a loss', () => {
    const loss = modelled([[attempt({ model: 'acme/strong', baseline: 'acme/m', pico: 30_000n * MICRO })]])
    expect(loss).toMatchObject({ savedPico: -27_000n * MICRO, levers: { routing: -27_000n * MICRO } })
    expect(loss.share).toBe(-9)
  })

  test('count checks, shadows, refused cascades and retries as costs', () => {
    const other = (purpose: SpentAttempt['purpose'], pico: bigint, more: Partial<SpentAttempt> = {}): SpentAttempt =>
      attempt({ purpose, pico, ...more })
    const found = modelled([
      [
        other('cascade', 500n, { at: AT }),
        other(undefined, 7n, { isComplete: false, usage: undefined }),
        attempt({ at: AT + 2 }),
        other('shadow', 100n),
        other('judge', 20n),
        other('embedding', 3n),
      ],
    ])
    expect(found.levers).toEqual({ ...nothing, cascade: 27_000n * MICRO - 500n, checks: -123n, retries: -7n })
    expect(found.savedPico).toBe(27_000n * MICRO - 630n)
    expect(found.residualPico).toBe(0n)
  })

  test('of checks alone are a loss', () => {
    expect(modelled([[attempt({ purpose: 'probe', pico: 9n })]])).toMatchObject({ savedPico: -9n, levers: { checks: -9n } })
  })

  test('of an attempt that nobody knows the end of are none', () => {
    const lost = attempt({ usage: undefined, isComplete: false, pico: 500n })
    expect(modelled([[lost]])).toMatchObject({ baselinePico: 500n, actualPico: 500n, savedPico: 0n, levers: nothing })
  })

  test('of a reply from the cache are what it would have cost', () => {
    const hit = attempt({ isCache: true, pico: 0n, cacheSaved: 3_000n, baseline: undefined })
    expect(modelled([[hit]])).toMatchObject({ baselinePico: 3_000n, actualPico: 0n, levers: { ...nothing, cache: 3_000n } })
  })

  test('tell a provider of the same model, and a tier, from routing', () => {
    expect(modelled([[attempt({ baseline: 'dear/m' })]]).levers).toEqual({ ...nothing, provider: 3_000n * MICRO })
    const priority = attempt({ baseline: undefined, isStandardTier: false, pico: 6_000n * MICRO })
    expect(modelled([[priority]])).toMatchObject({ savedPico: -3_000n * MICRO, levers: { ...nothing, tier: -3_000n * MICRO } })
  })

  test("replay the baseline's own prompt cache, so that routing a warm session away may lose", () => {
    const turn = (at: number): SpentCall => [
      attempt({
        at,
        session: 's',
        baseline: 'own/cached',
        usage: { inputTokens: 100_000, outputTokens: 0 },
        pico: 200_000n * MICRO,
      }),
    ]
    const found = modelled([turn(AT), turn(AT + 60_000), turn(AT + 120_000)])
    // Written once at 25, then read twice at 2 USD a million, against 20 without a cache.
    expect(found.baselinePico).toBe((2_500_000n + 2n * 200_000n) * MICRO)
    expect(found.actualPico).toBe(3n * 200_000n * MICRO)
    expect(found.levers.promptCache).toBe((500_000n - 2n * 1_800_000n) * MICRO)
    expect(found.residualPico).toBe(0n)
    const cold = modelled([turn(AT), turn(AT + 400_000)])
    expect(cold.baselinePico).toBe(2n * 2_500_000n * MICRO)
  })

  test('expect answers as long as the baseline gives them, once there are twenty of each', () => {
    const calls = (count: number): SpentCall[] =>
      Array.from({ length: count }, () => [
        [attempt()],
        // The baseline says the same in half the words.
        [
          attempt({
            model: 'acme/strong',
            isControl: true,
            usage: { inputTokens: 1_000, outputTokens: 50 },
            pico: 25_000n * MICRO,
          }),
        ],
      ]).flat()
    const few = modelled(calls(19))
    expect([few.lengthsAssumed, few.residualPico]).toEqual([19, 0n])
    const many = modelled(calls(20))
    expect(many.lengthsAssumed).toBe(0)
    expect(many.levers.routing).toBe(20n * 27_000n * MICRO)
    expect(many.residualPico).toBe(-20n * 5_000n * MICRO)
    expect(many.controlPico).toBe(20n * 25_000n * MICRO)
  })

  test('leave out, and count, what has no price', () => {
    expect(modelled([[attempt({ pico: undefined })], [attempt({ baseline: 'acme/unpriced' })], [attempt()]])).toMatchObject({
      unmodelled: 2,
      actualPico: 3_000n * MICRO,
      calls: 3,
    })
  })

  test('add up, whatever was sent', () => {
    const some = fc.record({
      model: fc.constantFrom('acme/m', 'acme/strong', 'own/cached', 'dear/m', 'acme/unpriced'),
      baseline: fc.constantFrom(undefined, 'acme/m', 'acme/strong', 'own/cached', 'dear/m', 'acme/unpriced'),
      purpose: fc.constantFrom(undefined, undefined, 'cascade', 'shadow', 'judge'),
      session: fc.constantFrom(undefined, 's', 't'),
      isStandardTier: fc.boolean(),
      isComplete: fc.boolean(),
      isControl: fc.boolean(),
      at: fc.integer({ min: AT, max: AT + 1e6 }),
      pico: fc.option(fc.bigInt({ min: 0n, max: 10n ** 12n }), { nil: undefined }),
      usage: fc.option(fc.record({ inputTokens: fc.nat(1e5), outputTokens: fc.nat(1e4) }), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(fc.array(some.map(attempt), { minLength: 1, maxLength: 4 }), { maxLength: 60 }), (calls) => {
        const { baselinePico, actualPico, savedPico, levers, residualPico } = modelled(calls)
        expect(savedPico).toBe(baselinePico - actualPico)
        expect(Object.values(levers).reduce((sum, one) => sum + one, residualPico)).toBe(savedPico)
        if (calls.every((call) => call.every(({ isControl }) => isControl))) expect(levers.routing).toBe(0n)
      }),
    )
  })
})

describe('measured savings', () => {
  const arm = (sessions: readonly (readonly [calls: number, usd: number])[]): ArmSums => ({
    sessions: sessions.length,
    calls: sessions.reduce((sum, [n]) => sum + n, 0),
    usd: sessions.reduce((sum, [, c]) => sum + c, 0),
    usdSquared: sessions.reduce((sum, [, c]) => sum + c * c, 0),
    callsSquared: sessions.reduce((sum, [n]) => sum + n * n, 0),
    usdTimesCalls: sessions.reduce((sum, [n, c]) => sum + n * c, 0),
  })

  test('are costs a call, signed, without an interval where one session says nothing of others', () => {
    expect(compareArms(arm([[2, 4]]), arm([[4, 4]]))).toMatchObject({ share: 0.5, savedUsd: 4, shareLow: undefined })
    expect(compareArms(arm([[2, 2]]), arm([[4, 8]]))).toMatchObject({ share: -1, savedUsd: -4 })
    expect(compareArms(arm([[2, 0]]), arm([[4, 8]])).share).toBeUndefined()
  })

  test('hold the truth in nine of ten intervals', () => {
    let state = 11
    const random = (): number => {
      state = (state * 16_807) % 2_147_483_647
      return state / 2_147_483_647
    }
    const sessions = (count: number, mean: number) =>
      Array.from({ length: count }, (): readonly [number, number] => {
        const calls = 1 + Math.floor(random() * 5)
        return [calls, calls * mean * (0.3 + 1.4 * random())]
      })
    let inside = 0
    const rounds = 300
    for (let round = 0; round < rounds; round++) {
      const { shareLow = 0, shareHigh = 0 } = compareArms(arm(sessions(60, 1)), arm(sessions(300, 0.7)))
      if (shareLow <= 0.3 && shareHigh >= 0.3) inside += 1
    }
    expect(inside / rounds).toBeGreaterThan(0.84)
    expect(inside / rounds).toBeLessThan(0.96)
  })

  test('come from the ledger, by route, every attempt included; corrections count as what they made of it', async () => {
    const row = (control: number, session: string, pico: bigint, more: Partial<Given> = {}): Given => ({
      at: AT,
      control,
      session,
      pico: pico * 10n ** 12n,
      route: 'chat',
      baseline_model: 'acme/strong',
      usage: '{"inputTokens":1000,"outputTokens":100}',
      ...more,
    })
    const lost = row(0, 'c', 5n, {
      attempt_id: `0mm7zzzzz-lost`,
      call_id: 'lost',
      kind: 'unsettled',
      usage: null,
      usage_source: 'none',
    })
    const sqlite = await ledgerOf([
      row(1, 'a', 10n, { model: 'acme/strong' }),
      row(1, 'b', 12n, { model: 'acme/strong' }),
      row(0, 'c', 4n, { call_id: 'one' }),
      row(0, 'c', 1n, { call_id: 'one', purpose: 'shadow' }),
      row(0, 'd', 5n),
      { at: AT, pico: 99n * 10n ** 12n },
      lost,
      row(0, 'c', -2n, {
        attempt_id: `${lost.attempt_id}~late`,
        call_id: 'lost',
        kind: 'adjustment',
        adjusts: lost.attempt_id as string,
      }),
    ])
    const found = await savingsOf(sqlite, 'sqlite', CATALOG, { from: 0, to: RANGE.to })
    sqlite.close()
    expect(found.measured).toHaveLength(1)
    expect(found.measured[0]).toMatchObject({
      route: 'chat',
      baseline: 'acme/strong',
      controlCalls: 2,
      routedCalls: 3,
      controlSessions: 2,
      routedSessions: 2,
      controlUsdPerCall: 11,
      routedUsdPerCall: 13 / 3,
    })
    expect(found.modelled.actualPico).toBe((10n + 12n + 4n + 1n + 5n + 99n + 3n) * 10n ** 12n)
    expect(found.isCut).toBe(false)
  })
})
