import { definePlugin, type Plugin, type SqlDatabase, type SqlResult, SwitchyardError, sql } from '@switchyard/contract'
import { type Kernel, startKernel } from '@switchyard/kernel'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { responseCache } from '../../src/index.ts'
import type { SqlInput } from '../../src/sql/options.ts'
import { storePlugin } from '../support/plain-store.ts'

let kernel: Kernel | undefined
afterEach(() => kernel?.close())

type Served = (text: string, signal: AbortSignal) => Promise<SqlResult>

/** A database that does what the test says. */
const database = (name: string, serve: Served): Plugin =>
  definePlugin({
    name,
    contract: 1,
    options: z.strictObject({}),
    provides: { sql },
    setup: () => ({
      ports: { sql: { capabilities: { dialect: 'sqlite' } } as unknown as SqlDatabase },
      serves: { 'sql.query': ({ request, signal }) => serve(request.sql, signal) },
    }),
  })()

const RULES: SqlInput = { rules: [{ match: { targets: ['orders'] }, ttlMs: 60_000 }] }

async function over(serve: Served, input: SqlInput = RULES): Promise<Kernel> {
  kernel = await startKernel({ plugins: [storePlugin(), responseCache({ sql: input }), database('orders', serve)] })
  return kernel
}

const READ = 'SELECT value FROM counters'
const WRITE = 'UPDATE counters SET value = value + 1'
const rows = (value: unknown): SqlResult => ({ rows: [{ value }], rowCount: 1 })

function ask(text: string, changes: { readonly tenant?: string; readonly signal?: AbortSignal } = {}): Promise<SqlResult> {
  const { tenant = 'acme', signal } = changes
  return (kernel as Kernel).call('sql.query', {
    target: 'orders',
    request: { sql: text, params: [] },
    principal: { tenant, keyId: 'key-1', roles: [] },
    ...(signal !== undefined && { signal }),
  }) as Promise<SqlResult>
}

const valueIn = ({ rows: [row] }: SqlResult): unknown => row?.value

/** Holds up whoever comes, until told. */
function gate(): { wait(): Promise<void>; readonly waiting: number; open(): void } {
  const held: (() => void)[] = []
  return {
    wait: () => new Promise((resolve) => void held.push(resolve)),
    get waiting() {
      return held.length
    },
    open() {
      for (const go of held.splice(0)) go()
    },
  }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('a strict read sees every write that ended before it began', () => {
  test('of any tenant, and each caller gets rows of its own', async () => {
    let value = 0
    let reads = 0
    await over(async (text) => {
      if (text === WRITE) value += 1
      if (text === READ) reads += 1
      return rows(value)
    })
    const first = await ask(READ)
    ;(first.rows[0] as Record<string, unknown>).value = 'changed by its caller'
    expect(valueIn(await ask(READ))).toBe(0)
    expect(reads).toBe(1)
    expect(valueIn(await ask(READ, { tenant: 'other' }))).toBe(0)
    expect(reads).toBe(2)
    await ask(WRITE)
    expect(valueIn(await ask(READ, { tenant: 'other' }))).toBe(1)
    expect(valueIn(await ask(READ))).toBe(1)
    expect(reads).toBe(4)
    await ask('UPDATE others SET value = 1')
    await ask(READ)
    expect(reads).toBe(4)
    await ask('DROP TABLE others')
    await ask(READ)
    expect(reads).toBe(5)
  })

  test('a fill that began before the write is kept by nobody and shared with nobody who came after it', async () => {
    let value = 0
    const slow = gate()
    let isSlow = true
    await over(async (text) => {
      if (text === WRITE) value += 1
      const seen = value
      if (text === READ && isSlow) await slow.wait()
      return rows(seen)
    })
    const early = ask(READ)
    await settled()
    expect(slow.waiting).toBe(1)
    isSlow = false
    await ask(WRITE)
    // The old one is still under way.
    expect(valueIn(await ask(READ))).toBe(1)
    slow.open()
    expect(valueIn(await early)).toBe(0)
    await settled()
    expect(valueIn(await ask(READ))).toBe(1)
  })

  test('a read that began while the write ran is not kept either', async () => {
    let value = 0
    const write = gate()
    await over(async (text) => {
      if (text === READ) return rows(value)
      await write.wait()
      value += 1
      return rows(value)
    })
    const writing = ask(WRITE)
    await settled()
    expect(valueIn(await ask(READ))).toBe(0)
    write.open()
    await writing
    expect(valueIn(await ask(READ))).toBe(1)
  })

  test('a write that failed or was left may have been made all the same', async () => {
    let value = 0
    await over(async (text, signal) => {
      if (text === READ) return rows(value)
      value += 1
      if (text === WRITE)
        throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'orders: the connection broke before the answer came')
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    expect(valueIn(await ask(READ))).toBe(0)
    await expect(ask(WRITE)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
    expect(valueIn(await ask(READ))).toBe(1)
    const left = new AbortController()
    const writing = ask('UPDATE counters SET value = 9', { signal: left.signal })
    await settled()
    left.abort()
    await expect(writing).rejects.toMatchObject({ code: 'ABORTED' })
    await settled()
    expect(valueIn(await ask(READ))).toBe(2)
  })

  test('a read that failed is kept by nobody', async () => {
    let failing = true
    await over(async () => {
      if (failing) throw new SwitchyardError('TIMEOUT', 'orders: too slow')
      return rows(1)
    })
    await expect(ask(READ)).rejects.toMatchObject({ code: 'TIMEOUT' })
    failing = false
    expect(valueIn(await ask(READ))).toBe(1)
  })

  test('however reads and writes interleave', async () => {
    const step = fc.record({ kind: fc.constantFrom('read', 'read', 'write', 'failing' as const), turns: fc.nat(4) })
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 2, maxLength: 12 }), async (scheduler, steps) => {
        let value = 0
        let ended = 0
        const made = new Map<string, number>()
        const own = await startKernel({
          plugins: [
            storePlugin(),
            responseCache({ sql: RULES }),
            database('orders', async (text) => {
              await scheduler.schedule(Promise.resolve(), `${text} arrives`)
              if (text !== READ) value += 1
              const seen = value
              made.set(text, seen)
              await scheduler.schedule(Promise.resolve(), `${text} answers`)
              if (text.endsWith('fail')) throw new SwitchyardError('UPSTREAM_UNAVAILABLE', 'orders: gone')
              return rows(seen)
            }),
          ],
        })
        kernel = own
        try {
          const running = steps.map(async ({ kind, turns }, at) => {
            for (let turn = 0; turn <= turns + at; turn += 1) await new Promise((resolve) => setImmediate(resolve))
            if (kind === 'read') {
              const least = ended
              const seen = valueIn(await ask(READ)) as number
              expect(seen).toBeGreaterThanOrEqual(least)
              return
            }
            const text = `${WRITE} -- ${at}${kind === 'write' ? '' : ' fail'}`
            await ask(text).catch(() => {})
            ended = Math.max(ended, made.get(text) as number)
          })
          let done = false
          const all = Promise.all(running).finally(() => {
            done = true
          })
          all.catch(() => {})
          while (!done) {
            if (scheduler.count() > 0) await scheduler.waitOne()
            else await new Promise((resolve) => setImmediate(resolve))
          }
          await all
          expect(valueIn(await Promise.race([ask(READ), draining(scheduler)]))).toBe(value)
        } finally {
          await own.close()
        }
      }),
      { numRuns: 60 },
    )
  })
})

async function draining(scheduler: fc.Scheduler): Promise<never> {
  for (;;) {
    if (scheduler.count() > 0) await scheduler.waitOne()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('reads that many ask for at once', () => {
  test('fifty equal ones are one query, and so are those of nobody else', async () => {
    const slow = gate()
    let reads = 0
    await over(async () => {
      reads += 1
      await slow.wait()
      return rows(reads)
    })
    const mine = Array.from({ length: 50 }, () => ask(READ))
    const theirs = ask(READ, { tenant: 'other' })
    await settled()
    expect(reads).toBe(2)
    slow.open()
    const results = await Promise.all(mine)
    expect(new Set(results.map(({ rows: all }) => all)).size).toBe(50)
    expect(new Set(results.map(({ rows: [row] }) => row)).size).toBe(50)
    await theirs
  })

  test('what has no form in bytes still reaches all who asked', async () => {
    class Interval {
      readonly months = 1
    }
    let reads = 0
    await over(async () => {
      reads += 1
      return rows(new Interval())
    })
    for (const result of await Promise.all([ask(READ), ask(READ)])) expect(valueIn(result)).toBeInstanceOf(Interval)
    await settled()
    expect(valueIn(await ask(READ))).toBeInstanceOf(Interval)
    expect(reads).toBe(2)
  })

  test('without rules statements go by as they are', async () => {
    let reads = 0
    await over(async () => {
      reads += 1
      return rows(reads)
    }, {})
    await ask(READ)
    expect(valueIn(await ask(READ))).toBe(2)
  })
})
