import { postgres } from '@switchyard/connector-postgres'
import { sqlite } from '@switchyard/connector-sqlite'
import { type Alternative, definePlugin, type Plugin, type SwitchyardError } from '@switchyard/contract'
import { type Kernel, startKernel } from '@switchyard/kernel'
import { resilience } from '@switchyard/resilience'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { notRunLine, postgresForTests } from '../../../scripts/services/index.ts'

const principal = { tenant: 'acme', keyId: 'key-1', roles: [] }
const server = await postgresForTests()

let kernel: Kernel | undefined
afterEach(() => kernel?.close())

/** Another place for every query, as a routing policy would set it. */
const otherwise = (alternative: Alternative): Plugin =>
  definePlugin({
    name: 'otherwise',
    contract: 1,
    options: z.strictObject({}),
    setup: () => ({
      ports: {},
      policies: [
        {
          name: 'otherwise',
          stage: 'route',
          operations: '*',
          around: (call, next) => next({ ...call, alternatives: [alternative] }),
        },
      ],
    }),
  })()

/** Nothing listens there. */
const nowhere = postgres({ url: 'postgres://app@127.0.0.1:9/app', connectOnStart: false }, { as: 'orders' })
const copy = sqlite({ path: ':memory:' }, { as: 'copy' })

function ask(target: string, sql: string, changes: object = {}): Promise<unknown> {
  return (kernel as Kernel).call('sql.query', { target, request: { sql, params: [] }, principal, idempotent: true, ...changes })
}

const failure = (promise: Promise<unknown>): Promise<SwitchyardError> =>
  promise.then(
    () => expect.fail('it resolved'),
    (error: SwitchyardError) => error,
  )

describe('the guards of model calls on sql.query', () => {
  const quick = { retry: { backoffBaseMs: 1 }, attempts: { maxAttempts: 3 } }

  test('a database that is gone is asked again, then left for its copy, and at last not asked at all', async () => {
    const request = { sql: 'select 2 as two', params: [] }
    const plugins = [resilience(quick), otherwise({ target: 'copy', request, attributes: {} }), nowhere, copy]
    kernel = await startKernel({ plugins })
    const events: string[] = []
    kernel.on('breaker:opened', ({ deployment, operation }) => events.push(`${operation} ${deployment}`))
    const attempts: (number | undefined)[] = []
    kernel.on('call:ended', ({ call }) => attempts.push(call.trace.measures.get('attemptCount')))
    for (let i = 0; i < 4; i++) expect(await ask('orders', 'select 1 as one')).toMatchObject({ rows: [{ two: 2 }] })
    expect(events).toEqual(['sql.query orders'])
    // Two at the database and one at its copy, until five failures in a row: then the copy alone.
    expect(attempts).toEqual([3, 3, 2, 1])
  })

  test('a write that may have arrived goes nowhere else, and one that never left does', async () => {
    const request = { sql: 'select 2 as two', params: [] }
    kernel = await startKernel({
      plugins: [resilience(quick), otherwise({ target: 'copy', request, attributes: {} }), nowhere, copy],
    })
    expect(await ask('orders', 'select 1 as one', { idempotent: false })).toMatchObject({ rows: [{ two: 2 }] })
    const wrong = await failure(ask('copy', 'select nonsense', { idempotent: false }))
    expect(wrong.code).toBe('INVALID_REQUEST')
  })

  test('a bulkhead holds back what is one too many, fair between tenants', async () => {
    const options = { operations: { 'sql.query': { bulkhead: { slots: 1, queueSize: 2 } } } }
    kernel = await startKernel({ plugins: [resilience(options), copy] })
    const asked = ['acme', 'acme', 'acme', 'other'].map((tenant) =>
      ask('copy', 'select 1 as one', { principal: { ...principal, tenant } }).then(
        () => `${tenant} served`,
        (error: SwitchyardError) => `${tenant} ${error.code} ${error.details?.reason}`,
      ),
    )
    expect(await Promise.all(asked)).toEqual(['acme served', 'acme served', 'acme OVERLOADED displaced', 'other served'])
  })

  test('a dry run tells of each guard and asks no database', async () => {
    kernel = await startKernel({ plugins: [resilience(), nowhere] })
    const request = { sql: 'select 1', params: [] }
    const { decisions, problems } = await kernel.explain('sql.query', { target: 'orders', request, principal })
    expect(problems).toEqual([])
    expect(decisions.map(({ by, decision }) => `${by} ${decision}`)).toEqual([
      'resilience/deadline deadline-set',
      'resilience/shed admitted',
      'resilience/fallback no-fallback',
      'resilience/retry may-retry',
      'resilience/quarantine let-through',
      'resilience/breaker let-through',
      'resilience/bulkhead slot-free',
      'resilience/attempt attempt',
    ])
  })
})

describe('on a real PostgreSQL', () => {
  beforeEach((context) => {
    if (server.status !== 'ready') context.skip(notRunLine(server))
  })

  test('the deadline cancels the statement, and its slot and connection serve the next', async () => {
    const options = { operations: { 'sql.query': { deadline: { totalMs: 200 }, bulkhead: { slots: 1 } } } }
    kernel = await startKernel({
      plugins: [
        resilience(options),
        postgres({ url: server.status === 'ready' ? server.url : '', poolMax: 1 }, { as: 'orders' }),
      ],
    })
    const late = await failure(ask('orders', 'select pg_sleep(30)'))
    expect(late).toMatchObject({ code: 'TIMEOUT', plugin: 'resilience' })
    await expect.poll(() => ask('orders', 'select 1 as one').catch(() => undefined)).toMatchObject({ rows: [{ one: 1 }] })
  })
})
