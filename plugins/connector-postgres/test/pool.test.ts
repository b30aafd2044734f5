import { SwitchyardError } from '@switchyard/contract'
import { type VirtualClock, virtualClock } from '@switchyard/testkit'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Lease, type Pool, type Pooled, type PoolOptions, pool } from '../src/pool.ts'

class Fake implements Pooled {
  static made = 0
  readonly id: number = ++Fake.made
  readonly bornAt: number = clock.monotonic()
  usable = true
  clean = true
  resets = 0
  ended = false
  resetting: Promise<boolean> = Promise.resolve(true)
  readonly listeners: (() => void)[] = []
  async reset(): Promise<boolean> {
    this.resets++
    const clean = await this.resetting
    this.clean = clean
    return clean
  }
  end(): void {
    this.ended = true
    this.usable = false
  }
  destroy(): void {
    this.lose()
  }
  lose(): void {
    this.usable = false
    for (const listener of this.listeners) listener()
  }
  onLost(listener: () => void): void {
    this.listeners.push(listener)
  }
}

let clock: VirtualClock
let opened: Fake[]
beforeEach(() => {
  clock = virtualClock()
  opened = []
})

function make(options: Partial<PoolOptions<Fake>> = {}): Pool<Fake> {
  return pool<Fake>({
    async open() {
      const connection = new Fake()
      opened.push(connection)
      return connection
    },
    max: 2,
    maxConnecting: 2,
    maxWaiting: 5,
    acquireTimeoutMs: 1_000,
    idleTimeoutMs: 10_000,
    maxLifetimeMs: 60_000,
    clock,
    random: () => 0.5,
    ...options,
  })
}

const refused = new SwitchyardError('UPSTREAM_UNAVAILABLE', 'postgres: connect ECONNREFUSED')
const turns = async (): Promise<void> => {
  for (let at = 0; at < 10; at++) await Promise.resolve()
}

describe('acquire', () => {
  test('opens no more than max, and uses a free one before it opens another', async () => {
    const connections = make()
    const first = await connections.acquire('query')
    first.release()
    const again = await connections.acquire('query')
    expect(again.connection).toBe(first.connection)
    await connections.acquire('query')
    connections.acquire('query').catch(() => {})
    await turns()
    expect(opened).toHaveLength(2)
    expect(connections.stats()).toMatchObject({ total: 2, leased: 2, idle: 0, waiting: 1 })
  })

  test('serves first come, first served', async () => {
    const connections = make({ max: 1 })
    const held = await connections.acquire('query')
    const order: number[] = []
    const all = [1, 2, 3].map(async (at) => {
      const lease = await connections.acquire('query')
      order.push(at)
      lease.release()
    })
    held.release()
    await Promise.all(all)
    expect(order).toEqual([1, 2, 3])
  })

  test('rejects OVERLOADED after acquireTimeoutMs, naming who holds the connections and for how long', async () => {
    const connections = make()
    await connections.acquire('transaction')
    await clock.advance(500)
    await connections.acquire('stream')
    const waiting = connections.acquire('query').catch((error: unknown) => error)
    await clock.advance(999)
    expect(connections.stats()).toMatchObject({ waiting: 1, oldestHolderMs: 1_499 })
    await clock.advance(1)
    const error = await waiting
    expect(error).toMatchObject({ code: 'OVERLOADED', retryable: true, details: { sent: false } })
    expect((error as Error).message).toContain('held are 2 of 2: a transaction for 1500 ms, a stream for 1000 ms')
    expect(connections.stats().waiting).toBe(0)
  })

  test('rejects OVERLOADED at once where maxWaiting wait already', async () => {
    const connections = make({ max: 1, maxWaiting: 1 })
    await connections.acquire('query')
    connections.acquire('query').catch(() => {})
    await expect(connections.acquire('query')).rejects.toMatchObject({
      code: 'OVERLOADED',
      message: expect.stringContaining('maxWaiting'),
    })
  })

  test('counts nobody as waiting for whom a connection is being opened, or may be', async () => {
    const connections = make({ max: 3, maxConnecting: 1, maxWaiting: 0 })
    const leases = await Promise.all([1, 2, 3].map(() => connections.acquire('query')))
    await expect(connections.acquire('query')).rejects.toMatchObject({ code: 'OVERLOADED' })
    leases[0]?.release()
    expect((await connections.acquire('query')).connection).toBe(leases[0]?.connection)
  })

  test('lets an aborted caller go at once, and its connection, once open, to the next', async () => {
    let open = (_: Fake): void => {}
    const connections = make({ max: 1, open: () => new Promise((resolve) => (open = resolve)) })
    const stop = new AbortController()
    const aborted = connections.acquire('query', stop.signal)
    stop.abort(new SwitchyardError('TIMEOUT', 'deadline'))
    await expect(aborted).rejects.toMatchObject({ code: 'TIMEOUT' })
    const next = connections.acquire('query')
    const connection = new Fake()
    open(connection)
    expect((await next).connection).toBe(connection)
    await expect(connections.acquire('query', stop.signal)).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  test('gives back once, however often it is released', async () => {
    const connections = make()
    const lease = await connections.acquire('query')
    lease.release()
    lease.release()
    expect(connections.stats()).toMatchObject({ idle: 1, leased: 0, total: 1 })
  })
})

describe('a connection that comes back', () => {
  test('dirty is reset before anybody gets it', async () => {
    const connections = make({ max: 1 })
    const lease = await connections.acquire('query')
    let finish = (_: boolean): void => {}
    lease.connection.clean = false
    lease.connection.resetting = new Promise((resolve) => (finish = resolve))
    lease.release()
    let got: Lease<Fake> | undefined
    connections.acquire('query').then((next) => (got = next))
    await turns()
    expect(got).toBeUndefined()
    finish(true)
    await turns()
    expect(got?.connection).toBe(lease.connection)
    expect(lease.connection.resets).toBe(1)
  })

  test('dirty for good is dropped, and its slot is free again', async () => {
    const connections = make({ max: 1 })
    for (const failing of [Promise.resolve(false), Promise.reject(new Error('dead'))]) {
      failing.catch(() => {})
      const lease = await connections.acquire('query')
      lease.connection.clean = false
      lease.connection.resetting = failing
      lease.release()
      const next = await connections.acquire('query')
      expect(next.connection).not.toBe(lease.connection)
      next.release()
    }
  })

  test('lost is forgotten', async () => {
    const connections = make({ max: 1 })
    const lease = await connections.acquire('query')
    lease.connection.lose()
    lease.release()
    expect(connections.stats()).toMatchObject({ total: 0 })
    expect((await connections.acquire('query')).connection).not.toBe(lease.connection)
  })

  test('is closed at its age, about maxLifetimeMs', async () => {
    const connections = make({ maxLifetimeMs: 1_000, idleTimeoutMs: 100_000 })
    const lease = await connections.acquire('query')
    await clock.advance(949)
    lease.release()
    expect(lease.connection.ended).toBe(false)
    const again = await connections.acquire('query')
    await clock.advance(1)
    again.release()
    expect(lease.connection.ended).toBe(true)
    expect(connections.stats()).toMatchObject({ total: 0 })
  })

  test('is closed at an age drawn once, however often it comes back', async () => {
    const draws = [0.2, 0.9]
    const random = (): number => draws.shift() ?? 1
    const connections = make({ maxLifetimeMs: 1_000, idleTimeoutMs: 100_000, random })
    const leases = [await connections.acquire('query'), await connections.acquire('query')]
    const [late, early] = leases.map(({ connection }) => connection) as [Fake, Fake]
    for (const lease of leases) lease.release()
    const use = async (): Promise<void> => {
      const all = [await connections.acquire('query'), await connections.acquire('query')]
      for (const lease of all) lease.release()
    }
    await clock.advance(909)
    await use()
    expect([early.ended, late.ended]).toEqual([false, false])
    await clock.advance(1)
    await use()
    expect([early.ended, late.ended]).toEqual([true, false])
    await clock.advance(69)
    await use()
    expect(late.ended).toBe(false)
    await clock.advance(1)
    await use()
    expect(late.ended).toBe(true)
  })

  test('and is not used is closed after idleTimeoutMs', async () => {
    const connections = make({ idleTimeoutMs: 100 })
    const lease = await connections.acquire('query')
    lease.release()
    await clock.advance(99)
    const again = await connections.acquire('query')
    again.release()
    await clock.advance(99)
    expect(lease.connection.ended).toBe(false)
    await clock.advance(1)
    expect(lease.connection.ended).toBe(true)
    expect(connections.stats()).toMatchObject({ total: 0, idle: 0 })
  })

  test('and is lost while idle is not lent again', async () => {
    const connections = make()
    const lease = await connections.acquire('query')
    lease.release()
    lease.connection.lose()
    expect(connections.stats()).toMatchObject({ idle: 0, total: 0 })
    expect((await connections.acquire('query')).connection).not.toBe(lease.connection)
  })
})

describe('while the server refuses', () => {
  test('a caller gets the error of connecting at once where there is no other connection', async () => {
    const connections = make({ open: () => Promise.reject(refused) })
    await expect(connections.acquire('query')).rejects.toBe(refused)
    expect(connections.stats()).toMatchObject({ total: 0, waiting: 0, connecting: 0 })
  })

  test('attempts are spaced further and further apart, however many call, and the first success ends that', async () => {
    let attempts = 0
    let up = false
    const connections = make({
      async open() {
        attempts++
        if (!up) throw refused
        return new Fake()
      },
      maxConnecting: 1,
      acquireTimeoutMs: 60_000,
    })
    for (let ms = 0; ms < 20_000; ms += 100) {
      connections.acquire('query').catch(() => {})
      await clock.advance(100)
    }
    expect(attempts).toBeGreaterThan(5)
    expect(attempts).toBeLessThan(15)
    up = true
    await clock.advance(5_000)
    expect(connections.stats().total).toBeGreaterThan(0)
    expect(connections.stats().waiting).toBe(0)
  })

  test('a caller waits for a connection that is held elsewhere, and is told both in the end', async () => {
    let up = true
    const connections = make({
      async open() {
        if (!up) throw refused
        return new Fake()
      },
    })
    const held = await connections.acquire('query')
    up = false
    const lucky = connections.acquire('query')
    await clock.advance(300)
    held.release()
    const lease = await lucky
    const unlucky = connections.acquire('query').catch((error: unknown) => error)
    await clock.advance(1_000)
    expect(await unlucky).toMatchObject({
      code: 'OVERLOADED',
      cause: refused,
      message: expect.stringContaining('ECONNREFUSED'),
    })
    lease.release()
  })

  test('a caller whose wait ends between two attempts gets the error of connecting', async () => {
    const connections = make({ open: () => Promise.reject(refused), acquireTimeoutMs: 10 })
    await connections.acquire('query').catch(() => {})
    const waiting = connections.acquire('query').catch((error: unknown) => error)
    await clock.advance(10)
    expect(await waiting).toBe(refused)
  })
})

test('a caller whose wait ends while the first connection still opens is told that, and not that the pool is busy', async () => {
  const connections = make({ open: () => new Promise(() => {}), acquireTimeoutMs: 10 })
  const waiting = connections.acquire('query').catch((error: unknown) => error)
  await clock.advance(10)
  expect(await waiting).toMatchObject({
    code: 'UPSTREAM_UNAVAILABLE',
    message: expect.stringContaining('1 being opened'),
    details: { sent: false },
  })
})

describe('close', () => {
  test('ends idle connections, refuses who waits and who comes, and waits for what is held', async () => {
    const connections = make()
    const held = await connections.acquire('query')
    const idle = await connections.acquire('query')
    idle.release()
    const taken = await connections.acquire('query')
    const waiting = connections.acquire('query')
    taken.release()
    const lease = await waiting
    lease.release()
    const closing = connections.close(5_000)
    expect(connections.close(5_000)).toBe(closing)
    await expect(connections.acquire('query')).rejects.toMatchObject({ code: 'CLOSED' })
    await turns()
    expect(idle.connection.ended).toBe(true)
    held.release()
    await closing
    expect(held.connection.ended).toBe(true)
  })

  test('refuses with CLOSED who waits', async () => {
    const connections = make({ max: 1 })
    await connections.acquire('query')
    const waiting = connections.acquire('query')
    waiting.catch(() => {})
    connections.close(100)
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('cuts what is still held after its grace', async () => {
    const connections = make()
    const held = await connections.acquire('transaction')
    const closing = connections.close(100)
    await clock.advance(100)
    await closing
    expect(held.connection.usable).toBe(false)
  })

  test('leaves no timer where a connection fails to open too late', async () => {
    let fail = (_: SwitchyardError): void => {}
    const connections = make({ open: () => new Promise((_resolve, reject) => (fail = reject)) })
    connections.acquire('query').catch(() => {})
    const closing = connections.close(100)
    await turns()
    fail(refused)
    await closing
    expect(clock.pending()).toBe(0)
  })

  test('ends a connection that opens too late', async () => {
    let open = (_: Fake): void => {}
    const connections = make({ open: () => new Promise((resolve) => (open = resolve)) })
    connections.acquire('query').catch(() => {})
    const closing = connections.close(100)
    await turns()
    const late = new Fake()
    open(late)
    await closing
    expect(late.ended).toBe(true)
  })
})

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('acquire' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), at: fc.nat(5), clean: fc.boolean() }) },
  fc.record({ do: fc.constant('abort' as const), at: fc.nat(20) }),
  fc.record({ do: fc.constant('lose' as const), at: fc.nat(10) }),
  fc.record({ do: fc.constant('server' as const), up: fc.boolean() }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
)

test('at any time: at most max connections, each held by one, none idle while somebody waits; and no slot is ever lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 80 }), async (max, steps) => {
      clock = virtualClock()
      opened = []
      let up = true
      const connections = make({
        max,
        async open() {
          if (!up) throw refused
          const connection = new Fake()
          opened.push(connection)
          return connection
        },
      })
      const held: Lease<Fake>[] = []
      const stops: AbortController[] = []
      const answers: Promise<unknown>[] = []
      for (const each of steps) {
        if (each.do === 'acquire') {
          const stop = new AbortController()
          stops.push(stop)
          answers.push(
            connections.acquire('query', stop.signal).then(
              (lease) => {
                expect(lease.connection.clean && lease.connection.usable).toBe(true)
                expect(held.some(({ connection }) => connection === lease.connection)).toBe(false)
                held.push(lease)
              },
              () => {},
            ),
          )
        } else if (each.do === 'release') {
          const lease = held.splice(each.at, 1)[0]
          if (lease !== undefined) {
            lease.connection.clean = each.clean
            lease.release()
          }
        } else if (each.do === 'abort') stops[each.at]?.abort()
        else if (each.do === 'lose') opened[each.at]?.lose()
        else if (each.do === 'server') up = each.up
        else await clock.advance(each.ms)
        await turns()
        const stats = connections.stats()
        expect(stats.total).toBeLessThanOrEqual(max)
        expect(stats.leased).toBe(held.length)
        if (stats.waiting > 0) expect(stats.idle).toBe(0)
      }
      await clock.advance(1_000)
      await Promise.all(answers)
      up = true
      for (const lease of held.splice(0)) lease.release()
      await clock.advance(6_000)
      const all = Array.from({ length: max }, () => connections.acquire('query'))
      expect(await Promise.all(all)).toHaveLength(max)
    }),
  )
})
